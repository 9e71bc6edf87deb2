"""Kubernetes resources of a stage: a StatefulSet whose ordinal is the slot, its Service and its disruption budget."""

from typing import Any

from streams.topology import NAMES

IMAGE = "leadstream:0.1.0"
PORT = 9400
# SIGTERM finishes the batch in under 5 s; a process that hangs is killed after this, which loses nothing.
GRACE_SECONDS = 20
USER = 10001
_CALLS_OUT = ("enrich", "pending", "notify")  # providers; channels and the CRM
_SEES_PEOPLE = ("enrich", "pending", "track")  # turn addresses into keys
MEMORY = {"requests": "192Mi", "limits": "512Mi"}


def stage_resources() -> list[dict[str, Any]]:
    """Return the resources of all stages, in the order of the stream."""
    return [resource for name in NAMES for resource in (_stateful_set(name), _service(name), _budget(name))]


def labels_of(stage: str) -> dict[str, str]:
    """Return the labels that select a stage's pods."""
    return {"app.kubernetes.io/name": "leadstream", "app.kubernetes.io/component": stage}


def pod_labels(stage: str) -> dict[str, str]:
    """Return the labels of a stage's pods: with them, network policies let it call out or not."""
    reach = "outside" if stage in _CALLS_OUT else "kafka"
    return labels_of(stage) | {"leadstream/reaches": reach}


def _stateful_set(stage: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": f"leadstream-{stage}", "labels": labels_of(stage)},
        "spec": {
            "replicas": 1,
            "serviceName": f"leadstream-{stage}",
            # Slots need not wait for one another; an update still goes one by one.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels_of(stage)},
            "template": {
                "metadata": {
                    "labels": pod_labels(stage),
                    "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT)},
                },
                "spec": _pod(stage),
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "state"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "4Gi"}}},
                }
            ],
        },
    }


def _pod(stage: str) -> dict[str, Any]:
    return {
        "serviceAccountName": "leadstream",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": pod_security(),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels_of(stage)},
            }
        ],
        "containers": [_container(stage)],
        "volumes": [*kafka_volumes(stage), {"name": "settings", "configMap": {"name": "leadstream-files"}}, _tmp()],
    }


def _container(stage: str) -> dict[str, Any]:
    # The ordinal of the StatefulSet is the slot: one number, one process, one transactional id.
    slot = {"name": "SLOT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}}
    people = [_secret("LEADSTREAM_PERSON_SECRET", "leadstream-person", "secret")] if stage in _SEES_PEOPLE else []
    return {
        "name": "stage",
        "image": IMAGE,
        "args": ["run", stage, "--slot", "$(SLOT)"],
        "env": [slot, {"name": "LEADSTREAM_HTTP_PORT", "value": str(PORT)}, *people],
        "envFrom": [
            {"configMapRef": {"name": "leadstream-settings"}},
            {"secretRef": {"name": f"leadstream-{stage}-keys", "optional": True}},  # of providers and channels
        ],
        "ports": [{"name": "metrics", "containerPort": PORT}],
        # A restore ticks too: not ready yet, and alive.
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "metrics"}, "periodSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": "metrics"},
            "initialDelaySeconds": 10,
            "periodSeconds": 10,
            "failureThreshold": 3,
        },
        "resources": {
            "requests": {"cpu": "250m", "memory": MEMORY["requests"]},
            "limits": {"memory": MEMORY["limits"]},  # no limit of CPU: a throttled stage is a late stage
        },
        "securityContext": container_security(),
        "volumeMounts": [
            {"name": "state", "mountPath": "/var/lib/leadstream"},
            {"name": "settings", "mountPath": "/etc/leadstream", "readOnly": True},
            {"name": "kafka-ca", "mountPath": "/etc/kafka-ca", "readOnly": True},
            {"name": "kafka-user", "mountPath": "/etc/kafka-user", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def pod_security() -> dict[str, Any]:
    """Return what the image asks for: nobody in particular."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Return a root file system that nobody writes and no capability at all."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def kafka_volumes(process: str) -> list[dict[str, Any]]:
    """Return the certificates that Strimzi makes: the cluster's and the user's own, by reference."""
    return [
        {"name": "kafka-ca", "secret": {"secretName": "kafka-cluster-ca-cert"}},
        {"name": "kafka-user", "secret": {"secretName": f"leadstream-{process}"}},
    ]


def _tmp() -> dict[str, Any]:
    return {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}


def _secret(name: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _service(stage: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"leadstream-{stage}", "labels": labels_of(stage)},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,  # what restores is to be seen too
            "selector": labels_of(stage),
            "ports": [{"name": "metrics", "port": PORT, "targetPort": "metrics"}],
        },
    }


def _budget(stage: str) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"leadstream-{stage}", "labels": labels_of(stage)},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels_of(stage)}},
    }
