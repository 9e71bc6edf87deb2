"""Where the leads of a human with several addresses are kept. Why so: docs/decisions/0052."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.effects import Effect, Emit, Put
from schemas.lead import LeadEnriched
from streams.stages.person import SEEN_SUBMISSIONS, Person

MAX_HOMES = 6  # person ids that one human's lead may visit


def moved_on(key: str, person: Person, enriched: LeadEnriched, mark: str) -> Sequence[Effect]:
    """Send the lead on to the next person id of the same human, empty when it is at home and has asked the others.

    A human's home is the smallest of the ids known for them. Each other id is asked for an open lead first (whoever
    has one keeps the lead), and remembers the home; so two submissions from two addresses meet.
    """
    here = enriched.lead.person
    known = {here, *enriched.alternates[:MAX_HOMES], *enriched.visited}
    if person.home is not None:
        known.add(person.home)
    home = min(known)
    unasked = sorted(known - {here, home} - set(enriched.visited))
    if not unasked and here == home:
        return ()
    onward = enriched.model_copy(
        update={
            "lead": enriched.lead.model_copy(update={"person": unasked[0] if unasked else home}),
            "visited": (*enriched.visited, here)[: 2 * MAX_HOMES],
        }
    )
    move = Emit("leads.enriched", onward.lead.person, "lead.enriched", onward, tag="home")
    if here == home:
        return (move,)
    return (move, Put(key, replace(person, home=home, seen=(*person.seen[-SEEN_SUBMISSIONS + 1 :], mark))))
