"""Slack buttons coming back: a signed request becomes an activity."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from slack_sdk.signature import Clock, SignatureVerifier

from notifiers.channels.slack import ACTION_PREFIX
from schemas.activity import ActivityKind, ActivityReported

_KINDS = {
    "accepted": ActivityKind.ACCEPTED,
    "declined": ActivityKind.DECLINED,
    "contacted": ActivityKind.CALLED,
    "claimed": ActivityKind.CLAIMED,
}


class InteractionRefused(ValueError):
    """A request to the Slack endpoint is unsigned, too old, or no press of a button of ours."""


class _User(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str


class _Action(BaseModel):
    model_config = ConfigDict(extra="ignore")
    action_id: str
    action_ts: str = ""
    value: str = ""


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore")
    user: _User
    actions: tuple[_Action, ...]


class _At(Clock):
    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> float:
        return self._now.timestamp()


def activities_of(
    body: bytes,
    headers: Mapping[str, str],
    signing_secret: str,
    rep_of_slack: Callable[[str], str | None],
    now: datetime,
) -> tuple[ActivityReported, ...]:
    """Return what was pressed, as activities of the rep who pressed. Empty for a press of the link button.

    body, headers: of the request as it came. rep_of_slack: Slack user id -> rep id. The same press gives the same id.
    Raises InteractionRefused.
    """
    verifier = SignatureVerifier(signing_secret, clock=_At(now))
    try:
        is_valid = verifier.is_valid_request(body, dict(headers))
    except ValueError:  # a body that is not UTF-8, a timestamp that is no number
        is_valid = False
    if not is_valid:
        raise InteractionRefused("the request is not signed by Slack, or is older than five minutes")
    try:
        payload = _Payload.model_validate(orjson.loads(parse_qs(body.decode())["payload"][0]))
    except (KeyError, ValueError, ValidationError) as error:
        raise InteractionRefused("the request is no interaction") from error
    rep = rep_of_slack(payload.user.id)
    return tuple(found for action in payload.actions if (found := _activity(action, payload.user.id, rep, now)))


def _activity(action: _Action, user: str, rep: str | None, now: datetime) -> ActivityReported | None:
    kind = _KINDS.get(action.action_id.removeprefix(ACTION_PREFIX))
    if kind is None or not action.value or not action.action_id.startswith(ACTION_PREFIX):
        return None
    try:
        at = min(datetime.fromtimestamp(float(action.action_ts), UTC), now)
    except (ValueError, OverflowError, OSError):
        at = now
    return ActivityReported(
        id=f"slack/{user}/{action.action_ts or now.timestamp()}/{action.action_id}",
        kind=kind,
        at=at,
        lead_id=action.value,
        rep=rep,
        by=rep or f"slack/{user}",
    )
