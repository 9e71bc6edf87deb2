"""KEDA's ScaledObjects: more slots of a stage while its lag in seconds is above what its leads can bear."""

from typing import Any

from schemas.topics import PARTITIONS, KeyedBy
from streams.manifests.stage import labels_of

# Stage -> seconds of lag that one slot may have, and what its partitions are counted by. TIMERS needs one slot only;
# ASSIGN gains by more only where there are more divisions than slots, so its count is a person's choice.
SCALED: dict[str, tuple[int, KeyedBy]] = {
    "enrich": (5, KeyedBy.ANYTHING),
    "pending": (30, KeyedBy.PERSON),
    "track": (5, KeyedBy.ANYTHING),
    "score": (5, KeyedBy.PERSON),
    "notify": (10, KeyedBy.PERSON),
}
LAG = "leadstream_streams_watermark_lag_seconds"
PROMETHEUS = "http://prometheus.monitoring.svc:9090"
# A slot that is removed leaves its partitions unread for the session timeout of 10 s: not to be done lightly.
COOLDOWN_SECONDS = 1_800


def scaling_resources(prometheus: str = PROMETHEUS) -> list[dict[str, Any]]:
    """Return a ScaledObject for each stage that gains by more slots. prometheus: its address, as KEDA reaches it."""
    return [_scaled(stage, seconds, PARTITIONS[keyed], prometheus) for stage, (seconds, keyed) in SCALED.items()]


def _scaled(stage: str, seconds: int, partitions: int, prometheus: str) -> dict[str, Any]:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"leadstream-{stage}", "labels": labels_of(stage)},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": f"leadstream-{stage}"},
            "minReplicaCount": 1,
            "maxReplicaCount": partitions,  # a slot beyond the partitions would have nothing to read
            "pollingInterval": 15,
            "cooldownPeriod": COOLDOWN_SECONDS,
            "advanced": {
                "horizontalPodAutoscalerConfig": {
                    "behavior": {"scaleDown": {"stabilizationWindowSeconds": COOLDOWN_SECONDS}}
                }
            },
            "triggers": [
                {
                    "type": "prometheus",
                    "metricType": "Value",
                    "metadata": {
                        "serverAddress": prometheus,
                        "query": f'max({LAG}{{stage="{stage}"}})',
                        "threshold": str(seconds),
                    },
                }
            ],
        },
    }
