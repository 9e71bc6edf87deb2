"""Which lead a person means who types its id, a mail address, a CRM's id, or the id that it was published under."""

import re
from collections.abc import Iterator

import typer

from schemas.decision import Decision
from schemas.delivery import NoticeSettled
from schemas.ids import person_of
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, not_found
from streams.cli.records import latest, parsed, partition_count, read
from streams.kafka.config import ClusterSettings
from streams.kafka.murmur2 import partition_of
from streams.settings import Settings

_LEAD_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,30}\.[^.@:]+\.[0-9]+")
_KEPT = (
    "leads.assigned keeps 30 days. One that waits for a policy: leadstream timers list --of waiting/; "
    "one that could not be read: leadstream dlq list."
)
_WAYS = (
    "Give a lead id (division.person.number), a mail address, a CRM's id as hubspot:101, or the id it was sent under."
)


def lead_meant(settings: Settings, text: str) -> str:
    """Return the lead id that `text` stands for; of a person's leads the last. Raises CommandFailed, PersonSecret."""
    if "@" in text:
        return _by_address(settings, text)
    if _LEAD_ID.fullmatch(text):
        return text
    row = latest(settings.cluster, "xref").get(text)
    return row.model.lead_id if row is not None else _by_event(settings.cluster, text)


def decisions_on(cluster: ClusterSettings, lead: str) -> list[Decision]:
    """Return all decisions on a lead in order, from the one partition that its person is in. Raises CommandFailed."""
    if not _LEAD_ID.fullmatch(lead):
        fix = "An id looks like main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1: division, person, number."
        raise CommandFailed(f"{lead!r} is no lead id.", fix, ExitCode.USAGE)
    found = [decision for decision in _of_person(cluster, person_of(lead)) if decision.lead_id == lead]
    if not found:
        raise not_found(f"There is no decision on lead {lead}.", _KEPT)
    return found


def settled_on(cluster: ClusterSettings, lead: str) -> list[NoticeSettled]:
    """Return what became of every notice of a lead, in order."""
    person = person_of(lead)
    partition = partition_of(person.encode(), partition_count(cluster, "leads.notified"))
    records = (one for one in read(cluster, "leads.notified", (partition,)) if one.key_text == person)
    return [notice for _, notice in parsed(records, NoticeSettled) if notice.lead_id == lead]


def _of_person(cluster: ClusterSettings, person: str) -> Iterator[Decision]:
    partition = partition_of(person.encode(), partition_count(cluster, "leads.assigned"))
    records = (one for one in read(cluster, "leads.assigned", (partition,)) if one.key_text == person)
    return (decision for _, decision in parsed(records, Decision))


def _by_address(settings: Settings, address: str) -> str:
    from streams.topology import org_of, person_of_email

    person = person_of_email(org_of(settings), settings.person_key())(address)
    if person is None:
        raise not_found("This is no mail address.", _WAYS)
    leads = list(dict.fromkeys(decision.lead_id for decision in _of_person(settings.cluster, person)))
    if not leads:
        raise not_found("There is no decision on a lead with this address.", _KEPT)
    if len(leads) > 1:
        typer.echo(f"{len(leads)} leads have this address: {', '.join(leads)}. This is the last.", err=True)
    return leads[-1]


def _by_event(cluster: ClusterSettings, event_id: str) -> str:
    said = event_id.encode()
    records = (one for one in read(cluster, "leads.assigned") if said in (one.value or b""))
    for _, decision in parsed(records, Decision):
        if decision.lead.event_id == event_id:
            return decision.lead_id
    raise not_found(f"No lead is known as {event_id!r}.", f"{_WAYS} {_KEPT}")
