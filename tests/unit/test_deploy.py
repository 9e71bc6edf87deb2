"""What deploy/ holds: made by the code, valid by schema, and without anything that should be elsewhere."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml

from streams.access import ACCESS
from streams.board.settings import BoardSettings
from streams.cli.commands.manifests import Part, rendered
from streams.cli.main import app
from streams.intake.settings import IntakeSettings
from streams.settings import Settings
from streams.topology import NAMES, http_port

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
VERSION = "1.31"
MADE = {
    Part.TOPICS: "kafka/topics.yaml",
    Part.USERS: "kafka/users.yaml",
    Part.STAGES: "stages.yaml",
    Part.SCALING: "scaling/scaling.yaml",
}

OPERATIONS = ["Read", "Write", "Create", "Describe", "AlterConfigs", "DescribeConfigs"]


def closed(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


TEXT, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
RESOURCE = closed(
    {
        "type": {"enum": ["topic", "group", "transactionalId", "cluster"]},
        "name": TEXT,
        "patternType": {"enum": ["literal", "prefix"]},
    },
    "name",
    "patternType",
)
ACL = closed({"resource": RESOURCE, "operations": {"type": "array", "items": {"enum": OPERATIONS}}, "host": TEXT})
# The parts that we use of the operators' custom resources, closed: a misspelt field is refused.
CUSTOM: dict[str, dict[str, Any]] = {
    "KafkaTopic": closed(
        {"topicName": TEXT, "partitions": COUNT, "replicas": COUNT, "config": {"additionalProperties": TEXT}}
    ),
    "KafkaUser": closed(
        {
            "authentication": closed({"type": {"const": "tls"}}),
            "authorization": closed({"type": {"const": "simple"}, "acls": {"type": "array", "items": ACL}}),
        }
    ),
    "ScaledObject": closed(
        {
            "scaleTargetRef": closed({"apiVersion": TEXT, "kind": TEXT, "name": TEXT}),
            "minReplicaCount": COUNT,
            "maxReplicaCount": COUNT,
            "pollingInterval": COUNT,
            "cooldownPeriod": COUNT,
            "advanced": {"type": "object"},
            "triggers": {
                "type": "array",
                "items": closed(
                    {
                        "type": {"const": "prometheus"},
                        "metricType": {"enum": ["AverageValue", "Value"]},
                        "metadata": closed({"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
                    }
                ),
            },
        }
    ),
}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{path.name}: {document['kind']} {document['metadata']['name']}", document


DOCUMENTS = dict(documents())


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in DOCUMENTS.items():
        if document["kind"] in ("StatefulSet", "Deployment"):
            yield name, document["spec"]["template"]["spec"]
        elif document["kind"] == "CronJob":
            yield name, document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


PODS = dict(pods())


@pytest.mark.parametrize("part", MADE)
def test_what_is_made_by_the_command_is_what_is_committed(part: Part) -> None:
    assert (KUBERNETES / MADE[part]).read_text() == rendered(part, "kafka", "")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_resource_is_valid_by_its_schema(name: str) -> None:
    document = DOCUMENTS[name]
    if (schema := CUSTOM.get(document["kind"])) is not None:
        jsonschema.validate(document["spec"], schema)
    else:
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_the_schemas_refuse_a_misspelt_field() -> None:
    spoiled = yaml.safe_load(yaml.safe_dump(DOCUMENTS["stages.yaml: StatefulSet leadstream-score"]))
    spoiled["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoiled, VERSION, strict=True)


@pytest.mark.parametrize(
    "folder", [KUBERNETES, KUBERNETES / "crm", KUBERNETES / "kafka", KUBERNETES / "scaling"], ids=lambda f: f.name
)
def test_each_kustomization_names_the_files_beside_it(folder: Path) -> None:
    named = set(yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"])
    assert named == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}


def test_every_process_has_a_user_and_mounts_no_other_ones_certificate() -> None:
    users = {name.rpartition(" ")[2] for name in DOCUMENTS if name.startswith("users.yaml")}
    assert users == {f"leadstream-{name}" for name in ACCESS}
    for name, pod in PODS.items():
        secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        (user,) = secrets - {"kafka-cluster-ca-cert"}
        assert user in users, name
        assert DOCUMENTS[name]["metadata"]["name"].startswith(user), name


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_known_command_as_nobody_on_a_file_system_it_cannot_write(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    words = [word.replace("$(SLOT)", "0") for word in container["args"]]
    command: Any = typer.main.get_command(app)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    command.make_context("", words)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not pod["automountServiceAccountToken"]


def test_what_runs_by_the_clock_never_runs_twice_at_once() -> None:
    jobs = {name: one for name, one in DOCUMENTS.items() if one["kind"] == "CronJob"}
    assert len(jobs) == 3
    for name, job in jobs.items():
        assert job["spec"]["concurrencyPolicy"] == "Forbid", name
        assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] <= 3_600, name


def test_secrets_are_named_and_never_held() -> None:
    assert not [name for name, document in DOCUMENTS.items() if document["kind"] == "Secret"]
    settings = DOCUMENTS["settings.yaml: ConfigMap leadstream-settings"]["data"]
    assert not [name for name in settings if "SECRET" in name or "PASSWORD" in name or "KEYS" in name]


def test_the_images_bill_of_materials_names_what_is_installed(tmp_path: Path) -> None:
    """The command of the Dockerfile, on this environment instead of the image's."""
    text = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
    (line,) = [line for line in text.splitlines() if "cyclonedx-py" in line]
    words = shlex.split(line[line.index("cyclonedx-py") :])
    words = [str(tmp_path / "sbom.json") if word == "/sbom.cdx.json" else word for word in words]
    words = [sys.executable if word == "/venv/bin/python" else word for word in words]
    tool = Path(sys.executable).parent / words[0]
    subprocess.run([str(tool), *words[1:]], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert bill["metadata"]["component"]["name"] == "leadstream"
    assert {"confluent-kafka", "pydantic", "rocksdict"} <= {one["name"] for one in bill["components"]}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_compose_mounts_files_that_exist() -> None:
    for name, service in compose()["services"].items():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists(), f"{name}: {source}"
            assert source.startswith(".") or source in compose()["volumes"], f"{name}: {source}"


def test_prometheus_looks_at_every_stage_the_intake_and_the_board() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    wanted = [f"stages:{http_port(name, 0, Settings())}" for name in NAMES]
    assert job["static_configs"][0]["targets"] == [*wanted, "intake:8080", "board:8090"]
    alone = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    ports = [http_port(name, 0, Settings()) for name in NAMES] + [IntakeSettings().port, BoardSettings().port]
    assert alone[0]["static_configs"][0]["targets"] == [f"127.0.0.1:{port}" for port in ports]
    ruled = {Path(path).name for path in scraped["rule_files"]}
    beside = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert ruled == set(beside["rule_files"])
    assert job["job_name"] == beside["scrape_configs"][0]["job_name"]
