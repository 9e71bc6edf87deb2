"""A policy in sentences, for a wiki (GOV-2). The same policy gives the same text, byte for byte."""

from collections.abc import Iterator

from routing.calendar.business_time import WEEKDAYS
from routing.condition_text import sentence
from routing.policy import CompiledRule, Policy
from schemas.duration import duration_text
from schemas.policy_file import Place, Target, Tier, ToPool, ToQueue, Treatment
from schemas.policy_pool import Fallback, Fallbacks, Pool, Queue, Selector, Strategy
from schemas.policy_sla import Step, StepAction
from schemas.rep import Hours

PLACES = {
    Place.OWNER: "the owner of the open lead",
    Place.ACCOUNT_OWNER: "the owner of the account",
    Place.OPPORTUNITY_OWNER: "the owner of the open opportunity",
    Place.RECYCLED_REP: "the rep who had it",
    Place.NURTURE: "nurture",
    Place.QUARANTINE: "quarantine",
}
CLOCKS = {
    "always": "around the clock, never paused",
    "owner_hours": "while the owner's calendar is open",
    "working_days": "in working days of 24 hours",
}
STEPS = {
    StepAction.REMIND_OWNER: "the owner is reminded",
    StepAction.ALERT_MANAGER: "the manager is alerted",
    StepAction.REASSIGN: "the lead goes to someone else who is free",
    StepAction.MOVE: "the lead moves to",
    StepAction.ALERT_LEADERSHIP: "leadership is alerted",
}
FALLBACKS = {
    Fallback.OVERFLOW: "the overflow pool",
    Fallback.HOLD: "wait for room, the team lead accountable, until the route deadline",
    Fallback.OVER_LIMIT: "a member, over their limit",
    Fallback.TEAM_LEAD: "the team lead",
    Fallback.CATCH_ALL: "the catch-all",
}


def explain(policy: Policy) -> str:
    """Return the whole rule book as Markdown: who is urgent, the rules in order with reasons, pools, clocks."""
    of_people = (_pools(policy), _queues(policy), _calendars(policy))
    blocks = (_head(policy), _grading(policy), _rules(policy), *of_people, _ladders(policy))
    return "\n".join(line for block in blocks for line in block) + "\n"


def destination(target: Target) -> str:
    """Return a target in words."""
    if isinstance(target, ToPool):
        return f"pool {target.pool}"
    return f"queue {target.queue}" if isinstance(target, ToQueue) else PLACES[target]


def chosen(selector: Selector) -> str:
    """Return whom a selector chooses, in words."""
    parts = [
        f"{name} {' or '.join(getattr(selector, name))}" for name in Selector.model_fields if getattr(selector, name)
    ]
    return ", ".join(parts) or "everybody"


def _head(policy: Policy) -> Iterator[str]:
    file = policy.file
    yield f"# Routing policy {file.name or file.division}"
    yield ""
    yield f"Division {file.division}, owned by {file.owner}. Times are those of {file.timezone}. Version {policy.hash}."
    yield ""


def _grading(policy: Policy) -> Iterator[str]:
    file = policy.file
    yield "## How a lead is graded"
    yield ""
    if policy.icp is not None:
        yield f"- An ideal customer: {sentence(policy.icp.node)}. Where that cannot be told, it is none."
    for intent, actions in file.intent.items():
        yield f"- Intent is {intent} for {', '.join(actions)}."
    yield f"- For any other action intent is {file.intent_default}."
    above = None
    for band in policy.bands:
        upto = f"from {band.start} employees" if above is None else f"{band.start} to {above - 1} employees"
        yield f"- {band.name}: {upto}." + (f" {band.say}" if band.say else "")
        above = band.start
    yield ""
    yield "| tier | which leads | routed within | contacted within | clock | channels | first action |"
    yield "|---|---|---|---|---|---|---|"
    for compiled in policy.tiers:
        tier = compiled.tier
        which = sentence(compiled.condition.node) if compiled.condition else "all others"
        name = f"{compiled.name} {tier.label}".strip()
        within = f"{duration_text(tier.route_within)} | {duration_text(tier.contact_within)}"
        channels = ", ".join(tier.channels)
        yield f"| {name} | {which} | {within} | {CLOCKS[tier.clock.value]} | {channels} | {tier.first_action} |"
    yield ""
    notes = [note for compiled in policy.tiers for note in _tier_notes(compiled.name, compiled.tier)]
    yield from (*notes, "") if notes else ()


def _tier_notes(name: str, tier: Tier) -> Iterator[str]:
    """What the table has no column for: nurture, nights, and channels that wait for the morning."""
    nurtured = [segment for segment, how in tier.treatment.items() if how is Treatment.NURTURE]
    if nurtured:
        yield f"- The treatment of {name} is nurture for {' and '.join(nurtured)}, else assign."
    if tier.when_off_shift == "after_hours":
        yield f"- Outside the hours of a pool {name} goes to its after-hours pool."
    waiting = [channel for channel, when in tier.release.items() if when == "opening"]
    if waiting:
        yield f"- Outside hours {' and '.join(waiting)} {_wait(waiting)} for the next opening in {name}."
    if tier.ignores_quiet_hours:
        yield f"- {name} is told in quiet hours too."


def _wait(channels: list[str]) -> str:
    return "waits" if len(channels) == 1 else "wait"


def _rules(policy: Policy) -> Iterator[str]:
    yield "## Rules, in order: the first that fits decides"
    yield ""
    for number, rule in enumerate(policy.rules, start=1):
        yield from _rule(number, rule)
    yield ""


def _rule(number: int, compiled: CompiledRule) -> Iterator[str]:
    rule = compiled.rule
    when = f"If {sentence(compiled.condition.node)}" if compiled.condition else "In every other case"
    yield f"{number}. **{rule.name}**: {when}, the lead goes to {destination(rule.to)}. {rule.say}"
    yield f"   Why: {rule.because.rstrip('.')}. Answers for it: {rule.owner}."


def _pools(policy: Policy) -> Iterator[str]:
    if not policy.file.pools:
        return
    yield "## Pools"
    yield ""
    for name, pool in policy.file.pools.items():
        yield f"- **{name}**: {chosen(pool.members)}; led by {chosen(pool.lead)}. {' '.join(_pool(policy, pool))}"
    yield "- Unless a pool says otherwise. " + " ".join(
        (*_fallbacks("Full", policy.file.when_full), *_fallbacks("Empty", policy.file.when_empty))
    )
    yield ""


def _pool(policy: Policy, pool: Pool) -> Iterator[str]:
    yield f"Picked by {pool.strategy.value.replace('_', ' ')}."
    for choice in pool.strategies:
        when = sentence(policy.conditions[choice.when].node)
        yield f"If {when}, by {choice.use.value.replace('_', ' ')}."
    if Strategy.PERFORMANCE in (pool.strategy, *(choice.use for choice in pool.strategies)):
        plan = pool.performance
        good, learn = (sentence(policy.conditions[text].node) for text in (plan.when, plan.coach_when))
        yield f"If {good}, the best {plan.best_share:.0%} get {plan.bonus:.0%} more, up to {plan.load_cap:.0%} load."
        yield f"If {learn}, the last {plan.coach_share:.0%} get {plan.coach_bonus:.0%} more, to learn on."
    lane = pool.senior_lane
    if lane is not None and any(tier in policy.file.tiers for tier in lane.tiers):
        yield f"{', '.join(lane.tiers)} to seniors first; others get at least {lane.junior_floor:.0%}."
    for verb, needs in (("must", pool.require), ("should", pool.prefer)):
        for need in needs:
            wanted = " or ".join(need.any_of) or _of_the_lead(need.fact or "")
            ends = f" (dropped after {duration_text(pool.prefer_for)})" if verb == "should" else ""
            only = f"If {sentence(policy.conditions[need.when].node)}, a" if need.when else "A"
            yield f"{only} rep {verb} have among their {need.rep} {wanted}{ends}."
    if pool.hours or policy.file.hours:
        yield f"Hours: {pool.hours or policy.file.hours}."
    if pool.after_hours:
        yield f"After hours: {pool.after_hours}."
    if pool.overflow:
        yield f"Overflow: {pool.overflow}."
    if pool.hands_to:
        yield f"A lead that they have qualified goes on to pool {pool.hands_to}."
    limits = [(most, window) for window, most in pool.caps.model_dump().items() if most is not None]
    caps = ", ".join(f"{most} {'an' if window == 'hour' else 'a'} {window}" for most, window in limits)
    if caps:
        yield f"At most {caps}."
    yield from _fallbacks("Full", pool.when_full or {})
    yield from _fallbacks("Empty", pool.when_empty or {})


def _of_the_lead(fact: str) -> str:
    """A fact by its dotted name, in words: lead.language -> the lead's language."""
    return f"the {fact}".replace(".", "'s ").replace("_", " ")


def _fallbacks(state: str, table: Fallbacks) -> Iterator[str]:
    for tier, chain in table.items():
        said = ", then ".join(FALLBACKS[step] for step in chain)
        which = "" if len(table) == 1 else ", other tiers" if tier == "else" else f", {tier}"
        yield f"{state}{which}: {said}."


def _queues(policy: Policy) -> Iterator[str]:
    if not policy.file.queues:
        return
    yield "## Queues"
    yield ""
    for name, queue in policy.file.queues.items():
        people = f"owned by {chosen(queue.owner)}, managed by {chosen(queue.manager)}"
        yield f"- **{name}**: {people}. {_queue(policy, queue)}"
    yield ""


def _queue(policy: Policy, queue: Queue) -> str:
    return f"Unclaimed: {_steps(queue.ladder or policy.file.queue_ladder)}."


def _calendars(policy: Policy) -> Iterator[str]:
    if not policy.file.calendars:
        return
    yield "## Calendars"
    yield ""
    for name, hours in policy.file.calendars.items():
        closed = [*(f"the public holidays of {code}" for code in hours.holidays), *map(str, hours.closed_on)]
        days_off = f" Closed on {', '.join(closed)}." if closed else ""
        yield f"- **{name}** ({hours.timezone}): {_week(hours)}.{days_off}"
    yield ""


def _week(hours: Hours) -> str:
    """Days in order, those of the same shifts together: "mon to thu 09:00 to 18:00, fri 09:00 to 15:00"."""
    runs: list[tuple[list[str], str]] = []
    for day in WEEKDAYS:
        shifts = " and ".join(f"{start} to {end}" for start, end in hours.week.get(day, ()))
        if runs and runs[-1][1] == shifts:
            runs[-1][0].append(day)
        else:
            runs.append(([day], shifts))
    open_runs = [(days, shifts) for days, shifts in runs if shifts]
    said = (f"{days[0] if len(days) == 1 else f'{days[0]} to {days[-1]}'} {shifts}" for days, shifts in open_runs)
    return ", ".join(said) or "never open"


def _ladders(policy: Policy) -> Iterator[str]:
    file = policy.file
    yield "## If nobody makes contact"
    yield ""
    yield f"- {_capital(_steps(file.ladder))}."
    for name, tier in file.tiers.items():
        if tier.ladder is not None:
            yield f"- {name}: {_steps(tier.ladder)}."
    for name, pool in file.pools.items():
        if pool.ladder is not None:
            yield f"- Pool {name}: {_steps(pool.ladder)}."
        for tier_name, steps in pool.ladders.items():
            yield f"- Pool {name}, {tier_name}: {_steps(steps)}."
    if file.sla.repeat is not None:
        yield f"- After the last step, every {file.sla.repeat.every}: {STEPS[file.sla.repeat.do]}, until contact."
    yield f"- A lead changes hands by itself at most {_times(file.sla.reassignments)} in a cycle."
    stops = ", ".join(kind.value.replace("_", " ") for kind in file.human_action)
    yield f"- Contact is: {stops}. Times with x are multiples of the tier's contact window."


def _steps(steps: tuple[Step, ...]) -> str:
    return ", ".join(step_text(step) for step in steps)


def step_text(step: Step) -> str:
    """Return a step of a ladder in words: "at 2x the lead goes to someone else who is free"."""
    words = STEPS[step.do]
    if step.do is StepAction.MOVE:
        words = f"{words} {(step.to or '').replace(':', ' ')}".replace("to manager", "to the manager")
    return f"at {step.at} {words}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
