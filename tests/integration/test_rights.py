"""Each process has the rights of `streams.access` and no others, on a real broker that guards what it holds."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from schemas.account import Account
from streams.access import ACCESS, Resource, Right, rights
from streams.broker.embedded import start
from streams.broker.ports import CHOICES
from streams.cli.table_import import put_all
from streams.connecting import require_answer
from streams.kafka.cluster import ClusterUnreachable
from streams.kafka.config import ClusterSettings, admin_config, producer_config
from tests.chaos.division import DIVISIONS, policy_text
from tests.chaos.fleet import STAGES, started, tail
from tests.chaos.outside import outside_world
from tests.chaos.run import prepare, settings_of
from tests.conftest import FEW_PARTITIONS
from tests.ports import free_port
from tests.records import Outgoing, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

PASSWORD = "guarded"
NAMESPACE = "guarded"
MOST_ENDS = 5  # of processes, by themselves: who lacks a right ends again and again
KINDS = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,
}


@contextmanager
def guarded_broker() -> Iterator[tuple[ClusterSettings, int]]:
    """Yield a broker that lets nobody do anything without a right, but for us; and the port at which users log in."""
    port = free_port()
    people = " ".join(f'user_{name}="{PASSWORD}"' for name in ACCESS)
    login = f"org.apache.kafka.common.security.plain.PlainLoginModule required {people};"
    guard = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # who comes by the listener without a login: the test itself
        "listeners": f"USERS://127.0.0.1:{port}",
        "listener.security.protocol.map": "USERS:SASL_PLAINTEXT",
        "listener.name.users.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.users.plain.sasl.jaas.config": login,
    }
    with (
        tempfile.TemporaryDirectory(prefix="leadstream-test-", ignore_cleanup_errors=True) as folder,
        start(Path(folder), port=random.choice(CHOICES), more=guard) as broker,
    ):
        yield ClusterSettings(bootstrap=broker.bootstrap, namespace=NAMESPACE), port


def as_user(name: str, port: int) -> ClusterSettings:
    return ClusterSettings(
        bootstrap=f"127.0.0.1:{port}",
        namespace=NAMESPACE,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username=name,
        sasl_password=PASSWORD,  # type: ignore[arg-type]  # pydantic makes it a secret
    )


def binding(user: str, right: Right, operation: str) -> AclBinding:
    kind = ResourcePatternType.PREFIXED if right.is_prefix else ResourcePatternType.LITERAL
    words = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in operation).lstrip("_")
    return AclBinding(
        KINDS[right.resource],
        right.name,
        kind,
        f"User:{user}",
        "*",
        AclOperation[words.upper()],
        AclPermissionType.ALLOW,
    )


def grant(cluster: ClusterSettings) -> None:
    admin = AdminClient(admin_config(cluster))
    wanted = [
        binding(name, right, operation)
        for name, access in ACCESS.items()
        for right in rights(access, NAMESPACE)
        for operation in right.operations
    ]
    for future in admin.create_acls(wanted).values():
        future.result(timeout=120)


def environ_of(name: str, port: int, common: Mapping[str, str]) -> dict[str, str]:
    login = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "PLAIN", "SASL_USERNAME": name}
    login |= {"SASL_PASSWORD": PASSWORD, "BOOTSTRAP": f"127.0.0.1:{port}"}
    return {**common, **{f"LEADSTREAM_{key}": value for key, value in login.items()}}


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[ClusterSettings, int]]:
    with guarded_broker() as (cluster, port):
        prepare(cluster, FEW_PARTITIONS, [policy_text(name, "first", 2) for name in DIVISIONS], 4)
        grant(cluster)
        yield cluster, port


def lead(number: int) -> Outgoing:
    value = {
        "id": f"r{number}",
        "email": f"buyer{number}@rights-{number}-co.com",  # of every tenth company the provider is slow: PENDING works
        "name": "Ada",
        "company": f"Rights {number}",
        "action": "demo",
        "source": "web",
        "employees": 300,
        "country": "US",
        "submitted_at": "2026-03-10T14:14:00Z",
    }
    return Outgoing(f"r{number}", value, {"ce_id": f"r{number}", "ce_type": "lead.submitted"})


def test_leads_go_through_with_each_stage_under_its_own_rights(
    guarded: tuple[ClusterSettings, int], tmp_path: Path
) -> None:
    cluster, port = guarded
    records = Records(cluster)
    with outside_world() as outside:
        common = settings_of(cluster, tmp_path, outside)
        logs = {stage: tmp_path / f"{stage}.log" for stage in (*STAGES, "meter")}
        running = {stage: started(environ_of(stage, port, common), stage, 0, logs[stage]) for stage in logs}
        try:
            Records(as_user("intake", port)).write("leads.raw", [lead(number) for number in range(12)])
            Records(as_user("intake", port)).write(
                "leads.activity", [Outgoing("x", b"no json", {"ce_type": "activity.reported"})]
            )

            ends: list[str] = []

            def done() -> bool:
                for stage in [stage for stage, process in running.items() if process.poll() is not None]:
                    ends.append(f"{stage}: {tail(logs[stage])}")  # as a supervisor does: a slow broker ends a start
                    assert len(ends) <= MOST_ENDS, ends
                    running[stage] = started(environ_of(stage, port, common), stage, 0, logs[stage])
                kinds = [row.json["kind"] for row in records.read_all("leads.assigned")]
                settled = [row.json for row in records.read_all("leads.notified")]
                told = {row["lead_id"] for row in settled if row["outcome"] == "delivered"}
                dead = records.read_all("leads.dlq")
                return kinds.count("assigned") >= 12 and "reassigned" in kinds and len(told) >= 12 and len(dead) == 1

            eventually(done, "12 leads assigned, one reassigned, all told of, one dead letter", 480, READ_LOOK_SECONDS)
            assert records.read_all("leads.pending"), "PENDING had nothing to do"
        finally:
            for process in running.values():
                process.send_signal(signal.SIGTERM)
            for process in running.values():
                try:
                    process.wait(120)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def test_the_board_shows_leads_under_its_own_rights(guarded: tuple[ClusterSettings, int], tmp_path: Path) -> None:
    cluster, port = guarded
    web = free_port()
    common = {"LEADSTREAM_NAMESPACE": NAMESPACE, "LEADSTREAM_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "streams.cli.main", "board", "--open", "--port", str(web)]
    decided = {row.json["lead_id"] for row in Records(cluster).read_all("leads.assigned")}
    with (tmp_path / "board.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | environ_of("board", port, common), stdout=log, stderr=log)
    try:

        def shown() -> bool:
            assert process.poll() is None, tail(tmp_path / "board.log")
            try:
                return all(httpx.get(f"http://127.0.0.1:{web}/leads/{lead}").status_code == 200 for lead in decided)
            except httpx.TransportError:
                return False

        eventually(
            shown,
            lambda: f"a page for each of {len(decided)} leads; {tail(tmp_path / 'board.log')}",
            240,
            READ_LOOK_SECONDS,
        )
    finally:
        process.terminate()
        process.wait(120)


def test_the_accounts_are_checked_under_rights_of_their_own(guarded: tuple[ClusterSettings, int]) -> None:
    cluster, port = guarded
    account = Account(domain="halden.example", name="Halden", owner="x-gone", is_named=True)
    put_all(cluster, "accounts", "account.put", lambda one: one.domain, [account])
    ran = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "accounts", "check", "--json"],
        env=os.environ | environ_of("accounts", port, {"LEADSTREAM_NAMESPACE": NAMESPACE}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    assert [(row["domain"], row["kind"]) for row in json.loads(ran.stdout)] == [("halden.example", "owner_left")]


def test_the_feed_posts_under_rights_of_its_own(guarded: tuple[ClusterSettings, int], tmp_path: Path) -> None:
    _, port = guarded
    with outside_world() as outside:
        receiver = outside.channels["webhooks"]["default"] | {"events": ["lead.accepted"]}
        channels = outside.channels | {"webhooks": {"warehouse": receiver}}
        common = {"LEADSTREAM_NAMESPACE": NAMESPACE, "LEADSTREAM_CHANNELS": json.dumps(channels)}
        common |= {"LEADSTREAM_HTTP_PORT_BASE": "0"}
        environ = os.environ | environ_of("feed", port, common)
        log_file = tmp_path / "feed.log"
        with log_file.open("wb") as log:
            command = [sys.executable, "-m", "streams.cli.main", "feed"]
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:

            def began() -> bool:
                assert process.poll() is None, tail(log_file)
                return "feed.began" in log_file.read_text()

            eventually(began, "the feed to have its positions", 240)
            Records(as_user("intake", port)).write("leads.raw", [lead(99)])
            eventually(lambda: process.poll() is not None or outside.webhooks, "an event at the receiver", 240)
            assert process.poll() is None, tail(log_file)
        finally:
            process.terminate()
            process.wait(120)


@pytest.mark.parametrize("user", ["accounts", "feed", "meter"])
def test_who_only_reads_writes_nothing(guarded: tuple[ClusterSettings, int], user: str) -> None:
    _, port = guarded
    with pytest.raises(KafkaException) as refused:
        Records(as_user(user, port)).write("accounts", [Outgoing("k", {"a": 1})])
    # the topic, or already to write at all: whichever answer comes first
    assert refused.value.args[0].code() in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    )


@pytest.mark.parametrize(("user", "topic"), [("track", "leads.assigned"), ("intake", "decisions"), ("notify", "reps")])
def test_no_one_writes_what_is_not_theirs(guarded: tuple[ClusterSettings, int], user: str, topic: str) -> None:
    _, port = guarded
    with pytest.raises(KafkaException) as refused:
        Records(as_user(user, port)).write(topic, [Outgoing("k", {"a": 1})])
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_wrong_password_or_protocol_is_told_as_that(guarded: tuple[ClusterSettings, int]) -> None:
    """A client that comes to nothing says only that the transport failed; why, it says beside."""
    wrong = as_user("enrich", guarded[1]).model_copy(update={"sasl_password": SecretStr("no such secret")})
    other = guarded[0].model_copy(update={"security_protocol": "SSL"})
    for settings, why in ((wrong, "Invalid username or password"), (other, "SSL connection closed by peer")):
        with pytest.raises(ClusterUnreachable) as told:
            eventually(partial(heard, settings, why), f"{why} among what is told", 60)
        assert "no such secret" not in str(told.value)


def heard(settings: ClusterSettings, why: str) -> bool:
    """Raise what `require_answer` raises once it says `why`: on a busy machine it may have heard nothing yet."""
    try:
        require_answer(settings)
    except ClusterUnreachable as error:
        if why in str(error):
            raise
    return False


def test_no_stage_takes_the_transactional_id_of_another(guarded: tuple[ClusterSettings, int]) -> None:
    _, port = guarded
    producer = Producer(producer_config(as_user("track", port), "assign-0"))
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(120)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
