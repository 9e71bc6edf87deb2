"""What exactly once means for leadstream, law by law, over the evidence of a run. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.ids import derived_id
from tests.chaos.checker import Violation, differing, doubled, exactly_once, lost, overlapping_epochs, reordered
from tests.chaos.evidence import Decided, Evidence, Kept

LEAD, ACTIVITY = "lead.enriched", "activity.bound"
POINTS = 50  # hundredths: the load of an open lead
REASSIGNMENTS = 1  # by the ladder, in a cycle: the policy's


@dataclass(frozen=True, slots=True)
class Verdict:
    """One law. checked: of how many things it held, or did not."""

    law: str
    checked: int
    violations: tuple[Violation, ...]


def verdicts(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Return what each law says of the run."""
    return [verdict for law in LAWS for verdict in law(evidence, kept)]


def _verdict(law: str, checked: int, *found: Sequence[Violation]) -> Verdict:
    return Verdict(law, checked, tuple(one for some in found for one in some))


def leads_once(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each submission -> one enriched a time it was sent, one scored, one decision caused by that."""
    sent = evidence.sent.leads
    enriched = [row.about for row in evidence.enriched if row.type == LEAD]
    scored = [row for row in evidence.scored if row.type == "lead.scored"]
    times = Counter(enriched)
    wrong = {one: f"enriched {times[one]} times, sent {sent.get(one, 0)}" for one in sent.keys() | times.keys()}
    bad = [
        Violation("submission -> enriched", f"{one} {wrong[one]}")
        for one in sorted(wrong)
        if times[one] != sent.get(one, 0)
    ]
    causes = {row.id for row in scored}
    decided = [row.cause for row in evidence.decided if row.cause in causes and row.lead_id]
    return [
        _verdict("submission -> enriched", len(sent), bad),
        _verdict(
            "submission -> scored",
            len(sent),
            exactly_once("submission -> scored", list(sent), [row.about for row in scored]),
        ),
        _verdict("scored -> decision", len(causes), exactly_once("scored -> decision", list(causes), decided)),
    ]


def nothing_doubled(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """No record of ours is there twice, but of what upstream itself sent twice."""
    twice = {row.id for row in evidence.enriched if evidence.sent.leads.get(row.about, 1) > 1}
    found = []
    for topic, ids in evidence.record_ids.items():
        # PENDING's records derive from the submission's too: what was sent twice may come twice, under one id.
        allowed = twice | _pending_ids(evidence) if topic in ("leads.pending", "leads.enriched") else set()
        once = [one for one in ids if one not in allowed]
        found.append(_verdict(f"no record twice on {topic}", len(ids), doubled(topic, once)))
    decisions = [row.id for row in evidence.decided]
    return [*found, _verdict("no decision id twice", len(decisions), doubled("decision id", decisions))]


def _pending_ids(evidence: Evidence) -> set[str]:
    return {derived_id(one, "enrich", "0") for one, times in evidence.sent.leads.items() if times > 1}


def activities_once(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each activity of a lead is bound once and reaches its division once; one by mail at most once."""
    named, by_mail = evidence.sent.activities, evidence.sent.by_mail
    bound = [row.about for row in evidence.enriched if row.type == ACTIVITY]
    passed = [row.about for row in evidence.scored if row.type == ACTIVITY]
    law = "activity -> bound -> division"
    everything = [*named, *by_mail]
    arrived = [one for one in passed if one not in by_mail]
    return [
        _verdict(
            law,
            len(everything),
            exactly_once(law, everything, bound),
            exactly_once(law, list(named), arrived),
            doubled(law, passed),
        )
    ]


def order_kept(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Per person from leads.enriched over leads.scored to leads.assigned; per division from log to journal."""
    enriched = _first([(row.person, derived_id(row.id, "score", "0")) for row in evidence.enriched])
    scored = [(row.person, row.id) for row in evidence.scored if row.person]
    caused = [(row.person, row.cause) for row in evidence.decided]
    of_person: Mapping[str, str] = {row.id: row.person for row in evidence.scored}
    decided = [(person, cause) for person, cause in caused if of_person.get(cause) == person]
    log: dict[str, list[str]] = defaultdict(list)
    for row in evidence.scored:
        log[row.group].append(row.id)
    journal: dict[str, list[str]] = defaultdict(list)
    for record in evidence.journal:
        journal[record.division] += record.entries
    unlike = [
        Violation("log == journal", f"{name}: {_first_difference(log[name], journal[name])}")
        for name in sorted(log.keys() | journal.keys())
        if log[name] != journal[name]
    ]
    return [
        _verdict("order: person, enriched -> scored", len(scored), reordered("person order", enriched, scored)),
        _verdict("order: person, scored -> assigned", len(decided), reordered("person order", scored, decided)),
        _verdict("order: division, log == journal", sum(map(len, journal.values())), unlike),
    ]


def journal_told(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each decision that the journal has made is on leads.assigned once, whatever its kind; no other one is."""
    made = [one for row in evidence.journal for one in row.decisions]
    law = "journal -> leads.assigned"
    return [_verdict(law, len(made), exactly_once(law, made, [row.id for row in evidence.decided]))]


def _first(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was sent twice under one id counts at its first place: SCORE knows the second as a repeat."""
    return list(dict.fromkeys(pairs))


def _first_difference(left: Sequence[str], right: Sequence[str]) -> str:
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return f"at {place} the log has {one}, the journal {other}"
    return f"the log has {len(left)} records, the journal {len(right)}"


def clocks(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """A division's sequence has no gap and its clock does not run backwards."""
    found = []
    latest: dict[str, tuple[int, str]] = {}
    for row in evidence.journal:
        before, last = latest.get(row.division, (0, ""))
        if row.sequence != before + 1:
            found.append(Violation("journal sequence", f"{row.division}: {row.sequence} after {before}"))
        nows = [last, *map(_comparable, row.nows)]
        if nows != sorted(nows):
            found.append(Violation("journal clock", f"{row.division}: record {row.sequence} goes back in time"))
        latest[row.division] = (row.sequence, nows[-1])
    return [_verdict("journal: no gap, no clock back", len(evidence.journal), found)]


def _comparable(instant: str) -> str:
    """Pad the fraction, so that text compares as time does: orjson leaves out zero microseconds."""
    whole, _, fraction = instant.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"


def ladders(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each step is acted on once a lead and cycle, and stays done; a ladder left alone is run to its end."""
    acted = [
        f"{row.lead_id}/{row.cycle}/{row.step}" for row in evidence.decided if row.kind == "escalated" and row.step
    ]
    done: dict[tuple[str, int, str], str] = {}
    found: list[Violation] = []
    for row in evidence.decided:
        for step, at in row.steps:
            first = done.setdefault((row.lead_id, row.cycle, step), at)
            if first != at:
                found.append(Violation("ladder", f"{row.lead_id}/{row.cycle}/{step} done at {first} and {at}"))
    return [
        _verdict("ladder: each step acted on once", len(done), doubled("ladder", acted), found),
        _verdict("ladder: run to its end", *_finished(kept)),
    ]


def _finished(kept: Kept) -> tuple[int, list[Violation]]:
    """Of hot leads that nobody contacted, each of the four steps is done."""
    found, checked = [], 0
    for key, lead in kept.assigned("lead").items():
        if lead["phase"] != "owned" or lead["tier"] != "T1" or lead["contacted_at"] or lead["booked_at"]:
            continue
        checked += 1
        names = sorted(row["name"] for row in lead["done"])
        if names != ["0.5x:remind_owner", "1x:alert_manager", "2x:reassign", "3x:alert_leadership"]:
            found.append(Violation("ladder end", f"{key} has done {names}"))
    return checked, found


def owners(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """One owner a lead and epoch; a lead that ended has none any more."""
    owned = (row for row in evidence.decided if row.kind != "closed")
    seen = [(row.lead_id, row.epoch, f"{row.owner_kind}:{row.owner}") for row in owned]
    return [_verdict("one owner a lead and epoch", len(seen), overlapping_epochs("epoch", seen))]


def rotation_and_load(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Turns and loads in state.assign are what leads.assigned implies."""
    turns: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for row in evidence.decided:
        if row.uses_turn:
            turns[f"pool/{row.division}/{row.pool}"] += 1
            places[f"turn/{row.division}/{row.pool}/{row.owner}"] += 1
    pools = {key: state["turns"] for key, state in kept.assigned("pool").items()}
    given = {key: state["given"] for key, state in kept.assigned("turn").items() if state["given"]}
    reps = {key: (state["load"], state["leads"]) for key, state in kept.assigned("rep").items() if state["leads"]}
    implied = implied_load(evidence.decided)
    unlike = [*differing("turns", pools, turns), *differing("turns", given, places)]
    return [
        _verdict("rotation == what leads.assigned implies", len(given), unlike),
        _verdict("load == what leads.assigned implies", len(reps), differing("load", reps, implied)),
    ]


def implied_load(decided: Sequence[Decided]) -> dict[str, tuple[int, int]]:
    """Return rep key -> (load in hundredths, open leads) by the decisions alone."""
    holder: dict[str, str] = {}
    for row in decided:
        if row.kind in ("assigned", "reassigned"):
            holder[row.lead_id] = f"rep/{row.division}/{row.owner}"
        elif row.kind in ("held", "queued", "nurtured", "quarantined", "closed"):
            holder.pop(row.lead_id, None)
    counts = Counter(holder.values())
    return {rep: (POINTS * leads, leads) for rep, leads in counts.items()}


def stores(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """What is on disk is the fold of the changelog, partition by partition."""
    found = []
    for stage, parts in sorted(kept.folded.items()):
        on_disk = kept.stored.get(stage, {})
        count = sum(map(len, parts.values()))
        unlike = [
            one
            for number in sorted(parts.keys() | on_disk.keys())
            for one in differing(f"store of {stage}/{number}", on_disk.get(number, {}), parts.get(number, {}))
        ]
        found.append(_verdict(f"store == fold of changelog: {stage}", count, unlike))
    return found


def replayed(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """The journal, recomputed, gives the same bytes."""
    unlike = [Violation("replay", f"{one} comes out otherwise") for one in kept.unlike]
    return [_verdict("journal replayed byte for byte", kept.replayed, unlike)]


def dead_letters(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each unreadable record is in the DLQ once, whole, from ENRICH; nothing else is there."""
    expected = [f"leads.raw/{number}/{offset}" for number, offset in evidence.sent.poison]
    seen = [f"{row.topic}/{row.partition}/{row.offset}" for row in evidence.letters]
    changed = [
        Violation("poison", f"leads.raw/{row.partition}/{row.offset} is not what was sent, or not from enrich")
        for row in evidence.letters
        if (row.partition, row.offset) in evidence.sent.poison
        and (evidence.sent.poison[row.partition, row.offset], "enrich") != (row.value, row.stage)
    ]
    return [_verdict("unreadable -> DLQ once, whole", len(expected), exactly_once("poison", expected, seen), changed)]


def notices(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Each delivery a decision asks for has one outcome; what is told as delivered has reached the outside.

    One more channel is tried where all before it failed: it has one outcome too.
    """
    outcomes = {row.key: row.outcome for row in evidence.settled}
    expected = [key for row in evidence.decided for key in row.deliveries]
    expected += [
        key
        for row in evidence.decided
        for key, before in row.fallbacks
        if key in outcomes and not any(outcomes.get(one) in (None, "delivered") for one in before)
    ]
    settled = [row.key for row in evidence.settled if row.channel != "all"]
    found = [
        _verdict(
            "notice -> one outcome a recipient and channel", len(expected), exactly_once("notice", expected, settled)
        )
    ]
    if evidence.outside is not None:
        told = [row.key for row in evidence.settled if row.channel == "webhook" and row.outcome == "delivered"]
        found.append(
            _verdict("delivered webhooks arrived", len(told), lost("webhook", told, evidence.outside.webhooks))
        )
    return found


def due_timers(evidence: Evidence, kept: Kept) -> list[Verdict]:
    """Every hot lead's wake-up is gone with its ladder: nothing is armed that nobody waits for."""
    waiting = kept.assigned("lead")
    found = [
        Violation("timer", f"{key} is armed for a lead that is not there")
        for key in evidence.timers
        if key.startswith("lead/") and key not in waiting
    ]
    return [_verdict("no wake-up without its lead", len(evidence.timers), found)]


Law = Callable[[Evidence, Kept], list[Verdict]]

LAWS: tuple[Law, ...] = (
    leads_once,
    activities_once,
    nothing_doubled,
    order_kept,
    journal_told,
    clocks,
    ladders,
    owners,
    rotation_and_load,
    notices,
    dead_letters,
    due_timers,
    stores,
    replayed,
)
