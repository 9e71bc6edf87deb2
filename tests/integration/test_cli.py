"""Commands against a real broker, as a person types them."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.decision import Decision, DecisionKind, Owner, OwnerKind
from schemas.ids import lead_id, person_id
from schemas.lead import Lead
from schemas.topics import TOPICS, KeyedBy
from schemas.wire import encode
from streams.cli import records as cli_records
from streams.cli.exit_code import ExitCode
from streams.cli.main import run
from streams.kafka.config import INPUT_MAX_BYTES, ClusterSettings
from streams.kafka.murmur2 import partition_of
from tests.conftest import FEW_PARTITIONS
from tests.lab import decisions as lab
from tests.records import Outgoing, Records

Said = Callable[..., tuple[int, Any, str]]
AT = "2026-03-10T18:14:00Z"


@pytest.fixture
def leadstream(
    topics: ClusterSettings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Said]:
    """Runs a command line with --json in this test's namespace: exit code, parsed output (or text), errors."""
    monkeypatch.setenv("LEADSTREAM_PERSON_SECRET", "a secret of sixteen and more")

    def command(*arguments: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = run(["--bootstrap", topics.bootstrap, "--namespace", topics.namespace, *arguments])
        told = capsys.readouterr()
        is_json = "--json" in arguments and told.out.strip()
        return code, json.loads(told.out) if is_json else told.out, told.err

    yield command


def test_topics_made_twice_are_made_once_and_pass_the_check(leadstream: Said) -> None:
    code, told, _ = leadstream("topics", "create", "--json")
    assert (code, told["made"]) == (ExitCode.OK, [])
    code, findings, _ = leadstream("topics", "check", "--json")
    assert code == ExitCode.OK
    assert all(one["severity"] != "error" for one in findings)


def test_a_roster_goes_in_and_comes_out(leadstream: Said, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("id,name,team,skills\nr-1,Ada,emea,de;fr\nr-2,Ben,amer,\n")
    code, told, _ = leadstream("reps", "import", str(path), "--json")
    assert (code, told) == (ExitCode.OK, {"checked": 2, "written": 2})
    _, reps, _ = leadstream("reps", "list", "--json")
    assert [(one["id"], one.get("skills")) for one in reps] == [("r-1", ["de", "fr"]), ("r-2", [])]
    assert leadstream("reps", "show", "r-2", "--json")[1]["name"] == "Ben"
    code, _, error = leadstream("reps", "show", "r-9")
    assert code == ExitCode.NOT_FOUND
    assert "r-9" in error


def test_calendars_become_absences_and_one_that_is_gone_is_stale(leadstream: Said, tmp_path: Path) -> None:
    roster, file = tmp_path / "roster.csv", tmp_path / "calendars.yaml"
    roster.write_text("id,name\nr-1,Ada\nr-2,Ben\n")
    leadstream("reps", "import", str(roster))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    event = f"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Vacation\r\nDTSTART;VALUE=DATE:{tomorrow:%Y%m%d}\r\nEND:VEVENT\r\n"
    (tmp_path / "ada.ics").write_text(f"BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n")
    file.write_text("r-1: ada.ics\nr-2: ben.ics\nr-9: nobody.ics\n")
    code, told, _ = leadstream("reps", "calendars", str(file), "--json")
    assert code == ExitCode.FAILED
    assert [(one["rep"], one["absences"], one["changed"]) for one in told] == [
        ("r-1", 1, True),
        ("r-2", 0, True),
        ("r-9", 0, False),
    ]
    (absence,) = leadstream("reps", "show", "r-1", "--json")[1]["absences"]
    assert (absence["source"], absence["start"]) == ("calendar", f"{tomorrow:%Y-%m-%d}T00:00:00Z")
    assert "stale_since" in leadstream("reps", "show", "r-2", "--json")[1]["calendar"]
    again = leadstream("reps", "calendars", str(file), "--json")[1]
    assert [one["changed"] for one in again] == [False, False, False]


def test_a_roster_with_an_error_is_refused_whole(leadstream: Said, tmp_path: Path) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text("reps:\n  - {id: r-1, name: Ada}\n  - {id: r-2, name: Ben, senority: senior}\n")
    code, _, error = leadstream("reps", "import", str(path))
    assert code == ExitCode.REFUSED
    assert "line 3, column 26, reps[1].senority" in error
    assert leadstream("reps", "list", "--json")[1] == []


def test_accounts_go_in_and_come_out(leadstream: Said, tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    path.write_text('[{"domain": "acme.example", "owner": "r-1", "is_named": true}]')
    assert leadstream("accounts", "import", str(path), "--json")[1] == {"checked": 1, "written": 1}
    assert leadstream("accounts", "list", "--json")[1][0]["domain"] == "acme.example"


def test_the_check_of_accounts_finds_an_owner_who_left(leadstream: Said, tmp_path: Path) -> None:
    accounts, roster = tmp_path / "accounts.json", tmp_path / "roster.csv"
    accounts.write_text('[{"domain": "acme.example", "owner": "r-1"}, {"domain": "beta.example", "owner": "r-2"}]')
    roster.write_text("id,name,active\nr-1,Ada,true\nr-2,Ben,false\n")
    leadstream("accounts", "import", str(accounts))
    leadstream("reps", "import", str(roster))
    code, found, _ = leadstream("accounts", "check", "--json")
    assert code == ExitCode.FAILED
    assert [(one["domain"], one["kind"]) for one in found] == [("beta.example", "owner_left")]
    accounts.write_text('[{"domain": "beta.example", "owner": "r-1"}]')
    leadstream("accounts", "import", str(accounts))
    assert leadstream("accounts", "check", "--json")[:2] == (ExitCode.OK, [])


def test_a_lead_is_previewed_on_the_state_of_the_cluster(leadstream: Said) -> None:
    code, _, error = leadstream("lead", "preview", "lead.action=demo")
    assert code == ExitCode.NOT_FOUND
    assert "has decided nothing yet" in error


def test_an_import_sends_good_rows_and_reports_the_others(leadstream: Said, records: Records, tmp_path: Path) -> None:
    path = tmp_path / "crm.csv"
    path.write_bytes("Record ID;Email;Company Name\n1;zoe@a.example;Müller\n2;;\n3;b@b.example;Beta\n".encode("cp1252"))
    code, told, _ = leadstream("leads", "import", str(path), "--system", "hubspot", "--json")
    assert code == ExitCode.OK
    assert (told["rows"], told["leads"], told["acknowledged"], told["encoding"]) == (3, 3, 3, "cp1252")
    path.write_text("Email,Industry\na@b.example,saas\n,retail\n")
    code, told, _ = leadstream("leads", "import", str(path), "--json")
    assert (code, told["acknowledged"], told["rejected"]) == (ExitCode.FAILED, 1, 1)
    assert Path(told["report"]).read_text().splitlines()[1].startswith('3,"none of email')
    found = records.read_all("leads.bulk")
    assert len(found) == 4
    assert {record.json.get("foreign_id") for record in found} == {"hubspot:1", "hubspot:2", "hubspot:3", None}


def test_a_second_import_of_a_file_has_the_same_event_ids(leadstream: Said, records: Records, tmp_path: Path) -> None:
    path = tmp_path / "leads.jsonl"
    path.write_text("".join(f'{{"email": "a{n}@b.example"}}\n' for n in range(50)))
    for _ in range(2):
        assert leadstream("leads", "import", str(path), "--json")[1]["acknowledged"] == 50
    ids = [record.headers["ce_id"] for record in records.read_all("leads.bulk")]
    assert (len(ids), len(set(ids))) == (100, 50)


def test_a_dry_run_sends_nothing(leadstream: Said, records: Records, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("Email\na@b.example\n")
    code, told, _ = leadstream("leads", "import", str(path), "--dry-run", "--json")
    assert (code, told["leads"], told["acknowledged"]) == (ExitCode.OK, 1, 0)
    assert records.read_all("leads.bulk") == []


def test_a_lead_is_sent_from_the_command_line(leadstream: Said, records: Records) -> None:
    _, told, _ = leadstream("leads", "send", "--set", "email=a@b.example", "--json")
    (record,) = records.read_all("leads.raw")
    assert record.headers["ce_id"] == told["event_id"]
    assert record.json["email"] == "a@b.example"
    assert leadstream("leads", "send", '{"action": "demo"}')[0] == ExitCode.REFUSED
    assert leadstream("leads", "send", "{")[0] == ExitCode.USAGE


def letter(offset: int) -> Outgoing:
    said = {"topic": "leads.raw", "partition": "1", "offset": str(offset), "stage": "enrich", "error": "Poison"}
    headers = {f"dlq_{name}": value for name, value in {**said, "reason": "not JSON", "attempts": "1"}.items()}
    return Outgoing(f"k{offset}", b"\xff{" + str(offset).encode(), {"ce_id": f"e{offset}", "trace": "t"} | headers)


def test_a_dead_letter_goes_back_once_with_its_bytes_key_and_headers(leadstream: Said, records: Records) -> None:
    records.write("leads.dlq", [letter(7)])
    _, (one,), _ = leadstream("dlq", "list", "--json")
    assert (one["topic"], one["partition"], one["offset"], one["stage"], one["state"]) == (
        "leads.raw", 1, 7, "enrich", "open",
    )  # fmt: skip
    assert leadstream("dlq", "replay", one["id"], "--json")[1] == {"replayed": [one["id"]], "not_replayed": []}
    (back,) = records.read_all("leads.raw")
    assert (back.key, back.value, back.partition) == ("k7", b"\xff{7", 1)
    assert back.headers == {"ce_id": "e7", "trace": "t", "dlq_replayed_from": one["id"]}
    code, _, error = leadstream("dlq", "replay", one["id"])
    assert code == ExitCode.FAILED
    assert "closed already: replayed by" in error
    assert len(records.read_all("leads.raw")) == 1
    assert leadstream("dlq", "list", "--json")[1] == []


def test_all_open_letters_of_a_stage_are_replayed(leadstream: Said, records: Records) -> None:
    records.write("leads.dlq", [letter(1), letter(2), letter(3)])
    first = leadstream("dlq", "list", "--json")[1][0]["id"]
    assert leadstream("dlq", "drop", first, "--reason", "test data", "--json")[0] == ExitCode.OK
    assert len(leadstream("dlq", "replay", "--all", "--stage", "enrich", "--json")[1]["replayed"]) == 2
    assert len(records.read_all("leads.raw")) == 2
    states = {one["id"]: one["state"] for one in leadstream("dlq", "list", "--all", "--json")[1]}
    assert states[first].startswith("dropped by")
    assert states[first].endswith("test data")


def test_a_letter_that_points_to_its_original_is_replayed_from_there(leadstream: Said, records: Records) -> None:
    records.write("leads.raw", [Outgoing("big", b"the original", {"ce_id": "e"}, partition=1)])
    pointer = {"topic": "leads.raw", "partition": 1, "offset": 0, "size_bytes": 12}
    said = letter(0).headers | {"dlq_pointer": "true"}
    records.write("leads.dlq", [Outgoing("big", pointer, said)])
    (one,) = leadstream("dlq", "list", "--json")[1]
    assert leadstream("dlq", "replay", one["id"])[0] == ExitCode.OK
    assert [record.value for record in records.read_all("leads.raw")] == [b"the original"] * 2


def test_a_letter_that_is_none_of_ours_can_only_be_dropped(leadstream: Said, records: Records) -> None:
    records.write("leads.dlq", [Outgoing("g", b"\xff", {"dlq_partition": "two"}), letter(1)])
    foreign, ours = sorted(leadstream("dlq", "list", "--json")[1], key=lambda one: str(one["topic"]))
    assert "not written by leadstream" in foreign["reason"]
    code, _, error = leadstream("dlq", "replay", foreign["id"])
    assert code == ExitCode.FAILED
    assert f"dlq drop {foreign['id']}" in error
    code, told, error = leadstream("dlq", "replay", "--all", "--json")
    left = {"id": foreign["id"], "why": "it names no topic of leadstream"}
    assert (code, told) == (ExitCode.FAILED, {"replayed": [ours["id"]], "not_replayed": [left]})
    assert f"1 cannot be replayed:\n  {foreign['id']}: it names no topic of leadstream" in error
    assert leadstream("dlq", "drop", foreign["id"], "--reason", "not ours")[0] == ExitCode.OK


def test_letters_whose_originals_are_gone_keep_no_other_from_being_replayed(leadstream: Said, records: Records) -> None:
    """Beyond the end (the topic was made anew), on a topic or partition that is no more, and a pointer to nowhere."""
    said = letter(0).headers | {"dlq_pointer": "true"}
    gone = {"topic": "leads.raw", "partition": 1, "offset": 99, "size_bytes": 12}
    bodies = (gone, gone | {"topic": "no.such"}, gone | {"partition": 99}, {})
    pointers = [Outgoing(f"k{at}", body, said) for at, body in enumerate(bodies)]
    records.write("leads.dlq", [pointers[0], letter(1), *pointers[1:], letter(2)])
    code, told, error = leadstream("dlq", "replay", "--all", "--json")
    assert (code, len(told["replayed"])) == (ExitCode.FAILED, 2)
    whys = sorted(one["why"] for one in told["not_replayed"])
    assert whys == [
        "it says that it points to its original, and does not say where that is",
        "its original, leads.raw/1/99, is no longer kept",
        "its original, leads.raw/99/99, is no longer kept",
        "its original, no.such/1/99, is no longer kept",
    ]
    assert "4 cannot be replayed:" in error
    assert sorted(record.value for record in records.read_all("leads.raw")) == [b"\xff{1", b"\xff{2"]
    code, _, error = leadstream("dlq", "replay", told["not_replayed"][0]["id"])
    assert (code, "Traceback" in error) == (ExitCode.FAILED, False)
    assert f"Letter {told['not_replayed'][0]['id']} cannot be replayed: " in error


def test_letters_that_cannot_be_written_where_they_say_keep_no_other_from_being_replayed(
    leadstream: Said, records: Records
) -> None:
    """Of a partition that is not there, or is none at all; larger than the topic takes."""
    nowhere = dict(letter(1).headers) | {"dlq_partition": "999"}
    endless = dict(letter(2).headers) | {"dlq_partition": "9" * 5_000}
    noise = random.Random(1).randbytes(INPUT_MAX_BYTES)  # of what the codec makes nothing less
    large = Outgoing("large", noise, letter(3).headers)
    records.write("leads.dlq", [Outgoing("k1", b"one", nowhere), Outgoing("k2", b"two", endless), large, letter(4)])
    code, told, error = leadstream("dlq", "replay", "--all", "--json")
    assert code == ExitCode.FAILED, error
    assert sorted(one["why"] for one in told["not_replayed"]) == [
        "it is larger than leads.raw takes",
        "leads.raw has no partition 999",
    ]
    assert {record.value for record in records.read_all("leads.raw")} == {b"two", b"\xff{4"}


def test_what_writes_says_at_once_that_a_topic_or_a_broker_is_not_there(
    topics: ClusterSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP", topics.bootstrap)
    line = ["leads", "send", "--set", "email=a@b.example"]
    assert run(["--namespace", f"{topics.namespace}.none", *line]) == ExitCode.FAILED
    assert "leads.raw is not on the cluster. `leadstream topics create`" in capsys.readouterr().err
    monkeypatch.setattr(cli_records, "ADMIN_SECONDS", 0.5)
    for away in (line, ["dlq", "replay", "--all"]):
        assert run(["--bootstrap", "127.0.0.1:1", *away]) == ExitCode.UNREACHABLE
        assert "The Kafka cluster at 127.0.0.1:1 did not answer" in capsys.readouterr().err


READING = (
    "reps list", "accounts list", "accounts check", "policy history", "timers list", "timers stats", "quarantine list",
    "notify resend --channel email", "notify devices r-1", "dlq list", "audit monthly --month 2026-03 --out {folder}",
)  # fmt: skip


def test_garbage_on_every_topic_keeps_no_command_from_the_rest(
    leadstream: Said, records: Records, tmp_path: Path
) -> None:
    records.write("reps", [Outgoing("r-1", {"id": "r-1", "name": "Ada"})])
    for topic in TOPICS:
        records.write(topic, [Outgoing("r-1", value, {}) for value in (b"\xff\x00", b"{}", b"[]", None)])
    records.write("reps", [Outgoing("r-1", {"id": "r-1", "name": "Ada"}), Outgoing("r-1", b"{ada@stripe.com")])
    for line in READING:
        code, _, error = leadstream(*line.format(folder=tmp_path).split())
        assert code == ExitCode.OK, f"{line}: {error}"
        assert "ada@stripe.com" not in error
    assert "Ada" in leadstream("reps", "list")[1]
    assert "Passed over 4 unreadable, the first reps/" in leadstream("reps", "list")[2]


def test_a_drop_needs_a_reason_and_an_unknown_letter_is_told(leadstream: Said) -> None:
    assert leadstream("dlq", "drop", "0/0")[0] == ExitCode.USAGE
    assert leadstream("dlq", "drop", "0/99", "--reason", "x")[0] == ExitCode.NOT_FOUND
    assert leadstream("dlq", "replay")[0] == ExitCode.USAGE


def test_a_policy_is_published_activated_shown_and_rolled_back(leadstream: Said, records: Records) -> None:
    roster = Path(__file__).parents[2] / "streams/demo/roster.yaml"
    policy = Path(__file__).parents[2] / "streams/demo/policy.yaml"
    assert leadstream("reps", "import", str(roster))[0] == ExitCode.OK
    code, published, error = leadstream("policy", "publish", str(policy), "--json")
    assert code == ExitCode.OK, error
    name = published["hash"]
    assert leadstream("policy", "activate", name[:6], "--reason", "first", "--json")[1]["hash"] == name
    assert leadstream("policy", "show", "main")[1] == policy.read_text()
    (event,) = records.read_all("leads.scored")
    assert (event.key, event.headers["ce_type"], event.json["hash"]) == ("main", "policy.activated", name)
    pointer = [one for one in records.read_all("policies") if one.key == "active/main"]
    assert [one.json["hash"] for one in pointer] == [name]
    assert pointer[0].headers["ce_id"] == event.headers["ce_id"]
    leadstream("policy", "activate", name, "--reason", "second")
    _, told, _ = leadstream("policy", "history", "main", "--json")
    assert [one["reason"] for one in told["activations"]] == ["first", "second"]
    assert told["active"]["hash"] == name


def test_a_policy_with_errors_is_refused_with_line_and_column(leadstream: Said, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("division: main\ntimezone: Mars/Base\nrules: []\n")
    code, _, error = leadstream("policy", "publish", str(path))
    assert code == ExitCode.REFUSED
    assert "line" in error
    assert leadstream("policy", "activate", "abc", "--reason", "x")[0] == ExitCode.NOT_FOUND


def test_a_lead_is_explained_from_the_one_partition_of_its_person(leadstream: Said, records: Records) -> None:
    person = person_id(b"a secret of sixteen and more", "mail:ada.b@stripe.com")
    lead = lead_id("main", person, 1)
    records.write("reps", [Outgoing("r-1", {"id": "r-1", "name": "Ada Cole"})])
    records.write("xref", [Outgoing("hubspot:101", {"lead_id": lead, "at": AT})])
    decision = Decision(
        decision_id="d1", lead_id=lead, division="main", person=person, kind=DecisionKind.ASSIGNED, cause="scored",
        at=AT, epoch=1, owner=Owner(kind=OwnerKind.REP, id="r-1"), reason="Ada was next.", tier="T1", policy_hash="x",
        lead=Lead(event_id="e", person=person, submitted_at=AT, received_at=AT),
    )  # fmt: skip
    records.write("leads.assigned", [Outgoing(person, encode(decision))])
    (written,) = records.read_all("leads.assigned")
    assert written.partition == partition_of(person.encode(), 2)
    code, told, _ = leadstream("lead", "history", lead, "--json")
    assert code == ExitCode.OK
    assert [one["reason"] for one in told] == ["Ada was next."]
    _, story, _ = leadstream("lead", "explain", lead)
    assert "It was assigned to Ada Cole. Ada was next." in story
    assert "contact" not in leadstream("lead", "explain", lead, "--json")[1][0]
    assert leadstream("lead", "history", lead_id("main", person, 2))[0] == ExitCode.NOT_FOUND
    for known_as in ("hubspot:101", "e", "Ada.B@Stripe.com"):
        assert "Ada was next." in leadstream("lead", "history", known_as)[1], known_as
    code, _, error = leadstream("lead", "history", "nonsense")
    assert code == ExitCode.NOT_FOUND
    assert "No lead is known as 'nonsense'" in error
    assert leadstream("lead", "history", "nobody@stripe.com")[0] == ExitCode.NOT_FOUND


def test_the_messages_of_a_lead_are_shown_without_being_sent(leadstream: Said, records: Records) -> None:
    told = lab.decision(lab.notice(channels=("slack", "email")))
    records.write("reps", [Outgoing("M1", encode(lab.REPS["M1"]))])
    records.write("leads.assigned", [Outgoing(told.person, encode(told))])
    code, (slack,), _ = leadstream("notify", "preview", told.lead_id, "--channel", "slack", "--json")
    assert (code, slack["channel"], slack["raw"][0]["type"]) == (ExitCode.OK, "slack", "header")
    assert "Cora Lone" in leadstream("notify", "preview", told.lead_id)[1]
    assert leadstream("notify", "preview", told.lead_id, "--channel", "sms")[0] == ExitCode.OK


def test_pending_wake_ups_are_listed_the_next_first(leadstream: Said, records: Records) -> None:
    def armed(key: str, due: str) -> Outgoing:
        value = {"due_at": due, "topic": "leads.scored", "to_key": "main", "data": {}, "armed_at": AT}
        return Outgoing(key, value)

    gone = Outgoing("lead/c", None)
    pending = [armed("lead/a", "2099-01-02T00:00:00Z"), armed("lead/b", "2020-01-01T00:00:00Z")]
    records.write("leads.timers", [*pending, armed("lead/c", AT), gone])
    assert [one["key"] for one in leadstream("timers", "list", "--json")[1]] == ["lead/b", "lead/a"]
    told = leadstream("timers", "stats", "--json")[1]
    assert (told["pending"], told["overdue"], told["by_kind"]) == (2, 1, {"lead": 2})
    assert "overdue by" in leadstream("timers", "stats")[1]
    assert "lead/a wakes at 2099-01-02 00:00:00 UTC" in leadstream("timers", "show", "a")[1]
    assert "is TIMERS running?" in leadstream("timers", "show", "lead/b")[1]
    code, shown, _ = leadstream("timers", "show", "lead/c", "--json")
    assert (code, [one["armed"] is None for one in shown["records"]]) == (ExitCode.OK, [False, True])
    assert "is not armed" in leadstream("timers", "show", "lead/c")[1]
    assert leadstream("timers", "show", "lead/nobody")[0] == ExitCode.NOT_FOUND
    assert "starts with" in leadstream("timers", "list", "--of", "pool/")[1]


def test_what_timers_refuses_is_not_listed_as_pending(leadstream: Said, records: Records) -> None:
    nowhere = {"due_at": AT, "topic": "leads.nowhere", "to_key": "main", "data": {}, "armed_at": AT}
    records.write("leads.timers", [Outgoing("lead/a", b"{"), Outgoing("lead/b", nowhere)])
    assert leadstream("timers", "stats", "--json")[1]["pending"] == 0
    for key in ("lead/a", "lead/b"):
        code, shown, refused = leadstream("timers", "show", key)
        assert (code, f"{key} is not armed." in shown) == (ExitCode.OK, True)
        assert "leads.timers/" in refused
    assert leadstream("timers", "show", " ")[0] == ExitCode.USAGE


def test_a_wake_up_is_found_with_its_division_or_by_its_key(leadstream: Said, records: Records) -> None:
    value = {"due_at": AT, "topic": "leads.scored", "to_key": "main", "data": {}, "armed_at": AT}
    count = FEW_PARTITIONS[KeyedBy.WAKER]
    beside = partition_of(b"main", count)
    key = next(key for n in range(99) if partition_of((key := f"lead/main.p{n}.1").encode(), count) != beside)
    records.write("leads.timers", [Outgoing(key, value)])  # as it was armed before they lay with their division
    records.write("leads.timers", [Outgoing(key, None, partition=beside)])
    shown = leadstream("timers", "show", key, "--json")[1]["records"]
    assert sorted(one["armed"] is None for one in shown) == [False, True]


def test_the_doctor_says_what_to_do(leadstream: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    code, found, _ = leadstream("doctor", "--json")
    assert code == ExitCode.FAILED
    by_name = {one["name"]: one for one in found}
    assert by_name["broker"]["severity"] is None
    assert by_name["clock"]["severity"] is None
    assert "policy publish" in by_name["policy"]["remedy"]
    told = "Nobody runs enrich, pending, track, score, assign, notify, timers: what is for them waits."
    assert (by_name["stages"]["what"], by_name["stages"]["severity"]) == (told, "warning")
    monkeypatch.delenv("LEADSTREAM_PERSON_SECRET")
    _, found, _ = leadstream("doctor", "--json")
    assert "LEADSTREAM_PERSON_SECRET" in found[0]["remedy"]
