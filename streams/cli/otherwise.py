"""What would have chosen otherwise for a lead, worked out from its division's journal."""

from collections.abc import Callable, Sequence

from routing.counterfactual import by_lead, by_rep, said
from routing.policy import Policy, compile_policy
from routing.replay import before_event
from schemas.decision import Decision, DecisionKind, DecisionsJournalled
from streams.cli.policies import bodies
from streams.cli.records import parsed, partition_count, read
from streams.kafka.config import ClusterSettings
from streams.kafka.murmur2 import partition_of

_CHOSEN = (DecisionKind.ASSIGNED, DecisionKind.HELD, DecisionKind.QUEUED)


def otherwise(cluster: ClusterSettings, decisions: Sequence[Decision]) -> list[str]:
    """Return a sentence each for the smallest change of the lead and of a rep; reads the division's whole journal."""
    first = next((one for one in decisions if one.kind in _CHOSEN), None)
    if first is None:
        return []
    partition = partition_of(first.division.encode(), partition_count(cluster, "decisions"))
    journal = [
        journalled
        for record, journalled in parsed(read(cluster, "decisions", (partition,)), DecisionsJournalled)
        if record.key_text == first.division
    ]
    texts = {name: body.text for name, body in bodies(cluster).items()}
    return sentences(journal, _compiling(texts), first)


def sentences(
    journal: Sequence[DecisionsJournalled], policies: Callable[[str], Policy | None], decision: Decision
) -> list[str]:
    """Return what would have changed the decision, verified against the state that the journal gives back."""
    entries = (row for record in journal for row in record.entries)
    try:
        before = before_event(entries, policies, decision.cause)
    except LookupError as error:
        return [f"What would have chosen otherwise cannot be told: {error}."]
    if before is None:
        return ["What would have chosen otherwise cannot be told: the journal does not hold this decision."]
    found = (search(before.state, before.event, before.policy, before.now) for search in (by_lead, by_rep))
    told = [said(one) for one in found if one is not None]
    return told or ["No single change of the lead or of a rep would have chosen otherwise."]


def _compiling(texts: dict[str, str]) -> Callable[[str], Policy | None]:
    known: dict[str, Policy] = {}

    def policy(name: str) -> Policy | None:
        if name not in known and name in texts:
            known[name] = compile_policy(texts[name])
        return known.get(name)

    return policy
