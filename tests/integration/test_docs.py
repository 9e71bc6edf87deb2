"""What README and docs tell people to type: run against a real broker, or checked where this machine can't run it."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import typer
import yaml

from streams.cli.main import app
from streams.kafka.config import ClusterSettings
from tests.ports import free_port
from tests.records import Records

ROOT = Path(__file__).parents[2]
PUBLISH = (ROOT / "docs/publish.md").read_text()
WAIT_SECONDS = 240.0


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def environment(cluster: ClusterSettings) -> dict[str, str]:
    ours = {"LEADSTREAM_BOOTSTRAP": cluster.bootstrap, "LEADSTREAM_NAMESPACE": cluster.namespace}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **ours, "PATH": path}


def in_namespace(text: str, cluster: ClusterSettings) -> str:
    return text.replace('"leads.raw"', f'"{cluster.namespace}.leads.raw"').replace(
        "-t leads.raw", f"-t {cluster.namespace}.leads.raw"
    )


def test_the_python_snippet_publishes_a_lead(topics: ClusterSettings, records: Records) -> None:
    (snippet,) = blocks(PUBLISH, "python")
    assert len(snippet.strip().splitlines()) <= 10
    code = in_namespace(snippet, topics)
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment(topics), check=True)
    (record,) = records.read_all("leads.raw")
    assert record.json["id"] == record.headers["ce_id"] == "web-2"


def test_the_kcat_snippet_says_what_the_python_one_says(topics: ClusterSettings, records: Records) -> None:
    snippet = next(block for block in blocks(PUBLISH, "sh") if "kcat" in block)
    assert len(snippet.strip().splitlines()) <= 10
    if shutil.which("kcat"):
        subprocess.run(["bash", "-ec", in_namespace(snippet, topics)], env=environment(topics), check=True)
        (record,) = records.read_all("leads.raw")
        assert record.headers["ce_type"] == "lead.submitted"
        return
    words = shlex.split(snippet.replace("\\\n", " "))
    headers = dict(word.split("=", 1) for word in words if word.startswith("ce_"))
    (python,) = blocks(PUBLISH, "python")
    assert all(f'"{name}"' in python for name in headers)
    lead = json.loads(words[words.index("echo") + 1])
    assert headers["ce_id"] == lead["id"] == words[words.index("-k") + 1]
    assert {"partitioner=murmur2_random", "acks=all", "enable.idempotence=true"} <= set(words)


def test_the_http_snippet_publishes_a_lead(topics: ClusterSettings, records: Records) -> None:
    snippet = next(block for block in blocks(PUBLISH, "sh") if "curl" in block)
    serve, _, send = snippet.partition("&\n")
    with intake(serve, topics) as port:
        send = send.replace(":8080", f":{port}")
        if shutil.which("curl"):
            subprocess.run(["bash", "-ec", send], env=environment(topics), check=True, capture_output=True)
        else:
            words = shlex.split(send.replace("\\\n", " "))
            body = json.loads(words[words.index("-d") + 1])
            assert httpx.post(words[2], json=body).status_code == 202
    (record,) = records.read_all("leads.raw")
    assert record.json["id"] == "web-3"


@contextmanager
def intake(command: str, cluster: ClusterSettings) -> Iterator[int]:
    port = free_port()
    words = shlex.split(command.replace("8080", str(port)))
    with subprocess.Popen(
        words, env=environment(cluster), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.poll() is None, process.communicate()[1].decode()
                assert time.monotonic() < deadline, "the intake did not get ready"
            yield port
        finally:
            process.terminate()


def test_the_command_line_snippet_sends_a_lead(topics: ClusterSettings, records: Records) -> None:
    snippet = blocks(PUBLISH, "sh")[-1]
    subprocess.run(["bash", "-ec", snippet], env=environment(topics), check=True, capture_output=True)
    (record,) = records.read_all("leads.raw")
    assert record.json["email"] == "ada@stripe.com"


EXAMPLES = re.findall(r"For example: `(.*)`", (ROOT / "docs/cli.md").read_text())
PAGES = ("docs/import", "docs/concepts", "docs/roster", "docs/operating", "docs/publish")
INDENTED = [
    line.strip()
    for page in ("README", *PAGES)
    for line in (ROOT / f"{page}.md").read_text().splitlines()
    if line.startswith("    leadstream ")
]


@pytest.mark.parametrize("line", [*EXAMPLES, *INDENTED])
def test_every_example_command_is_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line.split(" > ")[0])
    words = words[words.index("leadstream") + 1 :]
    for word in (*words, "FILE"):
        if word.endswith("/"):
            Path(word).mkdir()
        elif "." in word or word == "FILE":
            Path(word).touch()
    command, name = typer.main.get_command(app), "leadstream"
    context = command.make_context(name, list(words), resilient_parsing=False)
    while hasattr(command, "commands") and words:
        command, name = command.commands[words[0]], words[0]
        children = getattr(command, "commands", {})
        rest = words[1:]
        context = command.make_context(name, list(rest), parent=context)
        words = rest if children and rest and rest[0] in children else []


def test_the_two_commands_of_a_fresh_machine_are_make_targets() -> None:
    told = [line.strip() for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("    make ")]
    assert told == ["make demo", "make test"]
    for line in told:
        plan = subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert ".venv" in plan.stdout
    assert "make test" in (ROOT / ".ci/run").read_text()


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_the_compose_file_runs_known_commands_from_the_image_it_builds() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    assert {"kafka", "prepare", "stages", "intake", "mail"} <= services.keys()
    for service in services.values():
        assert ":" in service["image"], "an image without a version"
    command = typer.main.get_command(app)
    for name in ("stages", "intake"):
        words = services[name]["command"]
        command.commands[words[0]].make_context(words[0], list(words[1:]))
        assert services[name]["read_only"] is True
    json.loads(services["stages"]["environment"]["LEADSTREAM_CHANNELS"])
    kept = services["intake"]["environment"]["LEADSTREAM_INTAKE_KEYS"].removeprefix("look:")
    assert kept == hashlib.sha256(b"lsk_for-a-look-only").hexdigest()
    for mount in services["prepare"]["volumes"]:
        assert (ROOT / mount.split(":")[0]).is_file()


def test_the_image_is_built_in_two_stages_and_runs_as_no_root() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text()
    assert text.count("\nFROM ") + text.startswith("FROM ") == 2
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001"]
    for package in ("schemas", "spans", "routing", "enrichment", "notifiers", "streams"):
        assert f"COPY {package} {package}" in text
    assert 'ENTRYPOINT ["leadstream"]' in text
