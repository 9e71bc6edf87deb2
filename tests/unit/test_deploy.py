"""What deploy/ holds: made by the code, valid by schema, and without anything that should be elsewhere."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import httpx
import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml
from prometheus_client import CollectorRegistry

from notifiers.settings import ChannelSettings
from schemas.org import Org
from streams.access import ACCESS
from streams.board.settings import BoardSettings
from streams.cli.commands.manifests import Part, rendered
from streams.cli.main import app
from streams.health import Health, serving
from streams.intake.probes import PATHS as INTAKE_PATHS
from streams.intake.settings import IntakeSettings
from streams.settings import Settings
from streams.topology import FEED, NAMES, http_port
from tools.catalogue import metrics

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
        for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            yield f"{path.name}: {document['kind']} {document['metadata']['name']}", document


DOCUMENTS = dict(documents())


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in DOCUMENTS.items():
        if document["kind"] in ("StatefulSet", "Deployment"):
            yield name, document["spec"]["template"]["spec"]
        elif document["kind"] == "CronJob":
            yield name, document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


PODS = dict(pods())


def known(words: Iterable[str]) -> None:
    """Fail where the command line has no such command, option or argument."""
    left = list(words)
    command: Any = typer.main.get_command(app)
    while isinstance(command, click.Group) and left and left[0] in command.commands:
        command = command.commands[left.pop(0)]
    command.make_context("", left)


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


@pytest.mark.parametrize("folder", sorted({path.parent for path in KUBERNETES.rglob("*.yaml")}), ids=lambda f: f.name)
def test_each_kustomization_names_the_files_beside_it(folder: Path) -> None:
    named = set(yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"])
    assert named == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}


def test_the_overlay_of_the_docs_patches_what_there_is_in_a_form_that_kustomize_reads() -> None:
    (text,) = re.findall(r"```yaml\n(apiVersion: kustomize.*?)```", (ROOT / "docs/deploying.md").read_text(), re.DOTALL)
    overlay = yaml.safe_load(text)
    assert [Path(name).parts[-2:] for name in overlay["resources"]] == [KUBERNETES.parts[-2:]]
    for patch in overlay["patches"]:
        target = patch["target"]
        document = DOCUMENTS[f"stages.yaml: {target['kind']} {target['name']}"]
        assert patch["patch"].startswith("- "), "kustomize takes a list in one line for JSON"
        for change in yaml.safe_load(patch["patch"]):
            place: Any = document
            for name in change["path"].strip("/").split("/"):
                place = place[name]
            assert isinstance(place, type(change["value"]))


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
    known(word.replace("$(SLOT)", "0") for word in container["args"])
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


def component(name: str) -> str:
    """Return which process a pod is, "crm-sync" say."""
    kind, document = name.split(": ")[1].split()[0], DOCUMENTS[name]
    template = (document["spec"]["jobTemplate"] if kind == "CronJob" else document)["spec"]["template"]
    return str(template["metadata"]["labels"]["app.kubernetes.io/component"])


def labels(name: str) -> Mapping[str, str]:
    spec = DOCUMENTS[name]["spec"]
    found: Mapping[str, str] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["metadata"]["labels"]
    return found


def test_every_variable_that_is_set_is_a_setting_of_ours() -> None:
    ours = {
        f"{prefix}{name.upper()}"
        for prefix, settings in (("", Settings), ("INTAKE_", IntakeSettings), ("BOARD_", BoardSettings))
        for name in settings.model_fields
    }
    held = [path.read_text() for path in (*KUBERNETES.rglob("*.yaml"), ROOT / "deploy/Dockerfile")]
    said = "\n".join([*held, (ROOT / "docker-compose.yml").read_text()])
    named = set(re.findall(r"\bLEADSTREAM_([A-Z_]+[A-Z])\b", said))
    assert {"BOOTSTRAP", "PERSON_SECRET", "INTAKE_KEYS", "BOARD_KEYS", "STATE_DIR"} <= named
    assert named - ours == set()


def test_files_that_settings_name_are_in_the_map_and_can_be_read() -> None:
    files = DOCUMENTS["settings.yaml: ConfigMap leadstream-files"]["data"]
    named = DOCUMENTS["settings.yaml: ConfigMap leadstream-settings"]["data"]
    (mount,) = {
        mount["mountPath"]
        for pod in PODS.values()
        for mount in pod["containers"][0]["volumeMounts"]
        if mount["name"] == "settings"
    }
    wanted = {value for name, value in named.items() if name.endswith("_FILE")}
    assert wanted == {f"{mount}/{name}" for name in files}
    Org.model_validate(yaml.safe_load(files["org.yaml"]))
    ChannelSettings.model_validate(yaml.safe_load(files["channels.yaml"]))
    Settings.model_validate({"slots": json.loads(named["LEADSTREAM_SLOTS"])})
    kafka = {volume: path for volume, path in MOUNTED.items() if volume.startswith("kafka")}
    for name in ("CA_LOCATION", "CERTIFICATE_LOCATION", "KEY_LOCATION"):
        assert Path(named[f"LEADSTREAM_SSL_{name}"]).parent.as_posix() in kafka.values(), name


MOUNTED = {mount["name"]: mount["mountPath"] for pod in PODS.values() for mount in pod["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize("name", [name for name, pod in PODS.items() if "ports" in pod["containers"][0]])
def test_one_port_is_listened_on_probed_scraped_and_let_in(name: str) -> None:
    (container,), document = PODS[name]["containers"], DOCUMENTS[name]
    (port,) = container["ports"]
    words, environ = container["args"], {one["name"]: one.get("value") for one in container.get("env", ())}
    listens = words[words.index("--port") + 1] if "--port" in words else environ["LEADSTREAM_HTTP_PORT"]
    assert int(listens) == port["containerPort"]
    annotated = document["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
    assert int(annotated) == port["containerPort"]
    (let_in,) = DOCUMENTS["network.yaml: NetworkPolicy leadstream-metrics"]["spec"]["ingress"]
    assert port["containerPort"] in [one["port"] for one in let_in["ports"]]
    served = {"intake": INTAKE_PATHS, "board": ("/healthz",)}.get(component(name), ("/health", "/ready"))
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]
        assert container[probe]["httpGet"]["path"] in served


def test_a_stage_answers_where_it_is_probed() -> None:
    with serving(Health(), CollectorRegistry(), "127.0.0.1", 0) as port:
        answers = {
            path: httpx.get(f"http://127.0.0.1:{port}{path}").status_code for path in ("/health", "/ready", "/x")
        }
    assert answers == {"/health": 200, "/ready": 503, "/x": 404}


def test_what_keeps_state_has_a_volume_where_the_image_keeps_it() -> None:
    (state_dir,) = re.findall(r"LEADSTREAM_STATE_DIR=(\S+)", (ROOT / "deploy/Dockerfile").read_text())
    with_volume = {
        component(name)
        for name, pod in PODS.items()
        if {"name": "state", "mountPath": state_dir} in pod["containers"][0]["volumeMounts"]
    }
    assert with_volume == {*NAMES, "board"}
    kept = {name for name, one in compose()["services"].items() if any(state_dir in v for v in one.get("volumes", ()))}
    assert kept == {"stages", "board"}


def test_who_calls_out_is_let_out_and_nobody_else() -> None:
    reaches = {component(name): labels(name)["leadstream/reaches"] for name in PODS}
    outside = {name for name, reach in reaches.items() if reach == "outside"}
    assert outside == {"enrich", "pending", "notify", "feed", "intake", "board", "crm-sync", "crm-reconcile"}
    assert set(reaches.values()) == {"outside", "kafka"}


def test_scaling_asks_for_a_metric_that_there_is_of_a_stage_that_there_is() -> None:
    served = {one.name for one in metrics()}
    scaled = [document for document in DOCUMENTS.values() if document["kind"] == "ScaledObject"]
    for document in scaled:
        (trigger,) = document["spec"]["triggers"]
        metric, stage = re.findall(r'^max\((\w+)\{stage="(\w+)"\}\)$', trigger["metadata"]["query"])[0]
        assert metric in served
        assert document["spec"]["scaleTargetRef"]["name"] == f"leadstream-{stage}"
        assert f"stages.yaml: StatefulSet leadstream-{stage}" in DOCUMENTS
    assert len(scaled) == 5


def test_the_image_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """Templates, presets and static files too: the wheel is made from what the Dockerfile copies."""
    text = (ROOT / "deploy/Dockerfile").read_text()
    for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for name in words.split()[:-1]:
            source = ROOT / name
            copied = tmp_path / "build" / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copied)
    wheel = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), "."]
    subprocess.run([sys.executable, "-m", "pip", *wheel], cwd=tmp_path / "build", check=True, capture_output=True)
    (made,) = tmp_path.glob("*.whl")
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    packages: list[str] = hatch["build"]["targets"]["wheel"]["packages"]
    wanted = {
        path.relative_to(ROOT).as_posix()
        for name in packages
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted
    assert wanted - set(zipfile.ZipFile(made).namelist()) == set()


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_compose_mounts_files_that_exist() -> None:
    for name, service in compose()["services"].items():
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists(), f"{name}: {source}"
            assert source.startswith(".") or source in compose()["volumes"], f"{name}: {source}"


def test_compose_runs_commands_that_there_are() -> None:
    for name, service in compose()["services"].items():
        if service.get("image") != "leadstream:local":
            continue
        (script, *more) = service["command"]
        lines = [service["command"]] if "entrypoint" not in service else map(shlex.split, script.splitlines())
        for words in lines:
            assert "entrypoint" not in service or words[0] == "leadstream", f"{name}: {words}"
            told = [word for word in words if word != "leadstream"]
            known(told[: told.index(">")] if ">" in told else told)
        assert "entrypoint" not in service or not more


def test_prometheus_looks_at_every_stage_the_intake_and_the_board() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    wanted = [f"stages:{http_port(name, 0, Settings())}" for name in (*NAMES, FEED)]
    assert job["static_configs"][0]["targets"] == [*wanted, "intake:8080", "board:8090"]
    alone = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    ports = [http_port(name, 0, Settings()) for name in (*NAMES, FEED)] + [IntakeSettings().port, BoardSettings().port]
    assert alone[0]["static_configs"][0]["targets"] == [f"127.0.0.1:{port}" for port in ports]
    ruled = {Path(path).name for path in scraped["rule_files"]}
    beside = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert ruled == set(beside["rule_files"])
    assert job["job_name"] == beside["scrape_configs"][0]["job_name"]
