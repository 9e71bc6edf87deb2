"""Which division takes a lead that no rep is bound to: the org file's rules, compiled once."""

from collections.abc import Callable

from routing.conditions import asked, compile_condition, context_of, evaluate
from routing.facts import lead_facts
from schemas.lead import Lead
from schemas.org import Org


def division_rules(org: Org) -> Callable[[Lead], str]:
    """Return lead -> division: the first rule that holds; a lead that matches none goes to the last one.

    A division that the submission itself names counts if the org has it. Raises ConditionInvalid.
    """
    rules = [(row.name, compile_condition(row.when) if row.when else None) for row in org.divisions]
    wanted = asked(name for _, condition in rules if condition for name in condition.fields)
    names = frozenset(org.division_names())
    last = org.divisions[-1].name
    unasked = next((name for name, condition in rules if condition is None), last)

    def division(lead: Lead) -> str:
        if lead.division in names:
            return str(lead.division)
        if not wanted:
            return unasked
        context = context_of(lead_facts(lead), wanted)
        for name, condition in rules:
            if condition is None or evaluate(condition, context).matched:
                return name
        return last

    return division
