"""Values of a policy that have the right form and cannot be meant: a calendar that never opens, a window of no time."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise

import orjson
from pydantic import ValidationError

from routing.catalogue import kind_of
from routing.finding import Finding, Severity
from routing.policy import Policy
from routing.policy_errors import form_findings, meant, place
from routing.policy_yaml import Path
from schemas.hours import Shift
from schemas.policy_file import PolicyFile
from schemas.policy_notices import NOTICES, Alarms
from schemas.policy_pool import Fallbacks, Need, Strategy
from schemas.vocabulary import ACTIONS, read_as

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
CHANNELS = ("slack", "email", "sms", "push", "in_app", "webhook", "crm")
_SHARES = tuple(name for name, value in Alarms().model_dump().items() if isinstance(value, float) and value < 1)


def value_findings(policy: Policy) -> Iterator[Finding]:
    """Yield what no policy means, of all parts but the conditions and the examples."""
    yield from _quoted(policy)
    yield from _below_zero(policy)
    yield from _calendars(policy)
    yield from _tiers(policy)
    yield from _lanes(policy)
    yield from _channels(policy)
    yield from _intents(policy)
    yield from _pools(policy)
    yield from _fallbacks(policy)
    yield from _telling(policy)


def _quoted(policy: Policy) -> Iterator[Finding]:
    """Numbers and yes or no in quotes: read all the same, and refused by the schema that editors use."""
    try:
        PolicyFile.model_validate_json(orjson.dumps(policy.document.data), strict=True)
    except ValidationError as error:
        yield from form_findings(error, policy.document)


def _below_zero(policy: Policy) -> Iterator[Finding]:
    file = policy.file
    tables: tuple[tuple[Path, Mapping[str, float]], ...] = (
        (("weights",), {str(name): weight for name, weight in file.weights.items()}),
        (("capacity", "stages"), file.capacity.stages),
    )
    for path, table in tables:
        for name, value in table.items():
            if value < 0:
                yield place(policy.document, (*path, name), _ERROR, "file.value", f"{value:g} is below zero.", "")
    if not any(weight > 0 for weight in file.weights.values()):
        what = "no seniority has any weight: whoever has none of their own would get no lead."
        yield place(policy.document, ("weights",), _ERROR, "weights.none", what, "Give one of them more than 0.")


def _calendars(policy: Policy) -> Iterator[Finding]:
    for name, hours in policy.file.calendars.items():
        if not any(hours.week.values()):
            what = f"calendar {name!r} has no hours: it would never be open."
            allowed = 'Write week: {mon: [["09:00", "18:00"]], tue: …}.'
            yield place(policy.document, ("calendars", name), _ERROR, "calendar.no_hours", what, allowed)
        for day, shifts in hours.week.items():
            yield from _overlapping(policy, ("calendars", name, "week", day), shifts)


def _overlapping(policy: Policy, path: Path, shifts: tuple[Shift, ...]) -> Iterator[Finding]:
    for first, second in pairwise(sorted(shifts)):
        if second[0] < first[1]:
            what = f"the shifts {' to '.join(first)} and {' to '.join(second)} overlap."
            yield place(policy.document, path, _ERROR, "calendar.overlap", what, "Make one of them.")


def _tiers(policy: Policy) -> Iterator[Finding]:
    for name, tier in policy.file.tiers.items():
        for key, window in (("route_within", tier.route_within), ("contact_within", tier.contact_within)):
            if window <= timedelta():
                what = f"{key} is no time at all: every lead would be late when it comes."
                yield place(
                    policy.document, ("tiers", name, key), _ERROR, "tier.no_time", what, "Write one such as 5m."
                )
        if timedelta() < tier.contact_within < tier.route_within:
            what = f"leads of tier {name!r} may be contacted too late before they must be routed."
            allowed = "Make contact_within at least route_within."
            yield place(policy.document, ("tiers", name, "contact_within"), _WARNING, "tier.order", what, allowed)
        for channel in tier.release:
            if channel not in tier.channels:
                what = f"{channel} is no channel of tier {name!r}: its release has no effect."
                allowed = f"Its channels: {', '.join(tier.channels)}."
                here = ("tiers", name, "release", channel)
                yield place(policy.document, here, _WARNING, "tier.release", what, allowed)
    yield from _absent_tiers(policy)


def _absent_tiers(policy: Policy) -> Iterator[Finding]:
    tiers = tuple(policy.file.tiers)
    for name, pool in policy.file.pools.items():
        here: Path = ("pools", name, "senior_lane")
        written = pool.senior_lane.tiers if pool.senior_lane and here in policy.document.keys else ()
        for tier in written:
            if tier not in tiers:
                what = f"the senior lane of pool {name!r} is for tier {tier!r}, which there is not.{meant(tier, tiers)}"
                allowed = f"Write tiers: [{tiers[0]}], or senior_lane: null for none."
                yield place(policy.document, here, _ERROR, "tier.unknown", what, allowed)


def _lanes(policy: Policy) -> Iterator[Finding]:
    """Hot leads for the best of a pool (MOD-8) that its senior lane takes before any strategy is asked (MOD-6)."""
    for name, pool in policy.file.pools.items():
        uses = [choice.when for choice in pool.strategies if choice.use is Strategy.PERFORMANCE]
        if pool.strategy is Strategy.PERFORMANCE:
            uses.append(pool.performance.when)
        lane = pool.senior_lane.tiers if pool.senior_lane is not None else ()
        for tier in lane:
            if any(f'tier == "{tier}"' in when for when in uses):
                what = f"the senior lane takes {tier} leads before `performance`: the best get no larger share of them."
                allowed = "Write senior_lane: null, or other leads in `when`."
                yield place(policy.document, ("pools", name), _WARNING, "lane.first", what, allowed)


def _channels(policy: Policy) -> Iterator[Finding]:
    file = policy.file
    lists: list[tuple[Path, tuple[str, ...]]] = [
        *((("tiers", name, "channels"), tier.channels) for name, tier in file.tiers.items()),
        *((("queues", name, "channels"), queue.channels) for name, queue in file.queues.items()),
        *(
            (("notices", e, "channels", t), named)
            for e, plan in file.notices.items()
            for t, named in plan.channels.items()
        ),
    ]
    for path, channels in lists:
        if not channels:
            what = "no channel: nobody would be told."
            yield place(policy.document, path, _ERROR, "channel.none", what, f"Known: {', '.join(CHANNELS)}.")
        for channel in channels:
            if channel not in CHANNELS:
                what = f"there is no channel {channel!r}.{meant(channel, CHANNELS)}"
                yield place(policy.document, path, _ERROR, "channel.unknown", what, f"Known: {', '.join(CHANNELS)}.")


def _intents(policy: Policy) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for intent, actions in policy.file.intent.items():
        here = ("intent", intent)
        for action in actions:
            if first.setdefault(action, intent) != intent:
                what = f"{action!r} shows {first[action]} and {intent} intent at once."
                yield place(policy.document, here, _ERROR, "intent.twice", what, "Keep one of them.")
            read = read_as(action.strip().lower(), ACTIONS)
            if read not in (None, action):
                what = f"what forms call {action!r} comes as {read!r}: {action!r} would never be met."
                allowed = f"Write {read}, or keep the word under `actions` of the org file."
                yield place(policy.document, here, _WARNING, "intent.read_as", what, allowed)
            elif action != action.strip().lower().replace(" ", "_").replace("-", "_"):
                what = f"{action!r} is never met: actions come in lower case, with _ between words."
                yield place(policy.document, here, _ERROR, "intent.spelling", what, "")


def _pools(policy: Policy) -> Iterator[Finding]:
    for name, pool in policy.file.pools.items():
        for key, other in (("after_hours", pool.after_hours), ("hands_to", pool.hands_to)):
            if other == name:
                what = f"pool {name!r} names itself under {key}."
                yield place(policy.document, ("pools", name, key), _ERROR, "pool.itself", what, "Name another pool.")
        for window, most in pool.caps.model_dump().items():
            if most == 0:
                what = f"a cap of 0 a {window}: pool {name!r} would never take a lead."
                yield place(policy.document, ("pools", name, "caps", window), _ERROR, "pool.cap", what, "")
        for key, needs in (("require", pool.require), ("prefer", pool.prefer)):
            for at, need in enumerate(needs):
                yield from _need(policy, ("pools", name, key, at), need)


def _need(policy: Policy, path: Path, need: Need) -> Iterator[Finding]:
    if need.fact is not None and kind_of(need.fact) is None:
        what = f"{need.fact} is no fact of a lead: nothing would be asked of anybody."
        allowed = "The facts are listed in docs/policy.md; lead.language is one."
        yield place(policy.document, (*path, "fact"), _ERROR, "need.fact", what, allowed)
    if need.fact is None and not need.any_of:
        what = f"this asks for no {need.rep} in particular, and so of nobody."
        allowed = "Add fact: lead.language for what the lead has, or any_of: [gdpr] for words."
        yield place(policy.document, path, _ERROR, "need.nothing", what, allowed)
    if need.fact is not None and need.any_of:
        what = f"any_of has no effect beside fact: what counts is the lead's {need.fact}."
        yield place(policy.document, (*path, "any_of"), _WARNING, "need.both", what, "Leave one of them out.")


def _fallbacks(policy: Policy) -> Iterator[Finding]:
    file = policy.file
    tables: list[tuple[Path, Fallbacks]] = [(("when_full",), file.when_full), (("when_empty",), file.when_empty)]
    tables += [
        (("pools", name, key), table)
        for name, pool in file.pools.items()
        for key in ("when_full", "when_empty")
        if (table := getattr(pool, key)) is not None
    ]
    for path, table in tables:
        silent = [tier for tier in file.tiers if tier not in table]
        if silent and "else" not in table:
            what = f"it says nothing of {', '.join(silent)}: team_lead, then catch_all would be tried."
            yield place(policy.document, path, _WARNING, "pool.unsaid", what, "Write an else: …")


def _telling(policy: Policy) -> Iterator[Finding]:
    file = policy.file
    if not file.human_action:
        what = "nothing counts as contact: no lead could ever be contacted in time."
        yield place(
            policy.document, ("human_action",), _ERROR, "sla.no_contact", what, "Name at least one, such as called."
        )
    for event in file.notices:
        if event not in NOTICES:
            what = f"there is no notice {event!r}.{meant(event, tuple(NOTICES))}"
            allowed = f"Known: {', '.join(NOTICES)}."
            yield place(policy.document, ("notices", event), _ERROR, "notice.unknown", what, allowed)
    for name in _SHARES:
        if not 0 <= getattr(file.alarms, name) <= 1:
            what = f"{getattr(file.alarms, name):g} is no share."
            allowed = "Shares are 0 to 1: 5% is 0.05."
            yield place(policy.document, ("alarms", name), _ERROR, "file.value", what, allowed)
    for tier, share in file.alarms.compliance.items():
        if not 0 <= share <= 1:
            here = ("alarms", "compliance", tier)
            yield place(policy.document, here, _ERROR, "file.value", f"{share:g} is no share.", "Shares are 0 to 1.")
