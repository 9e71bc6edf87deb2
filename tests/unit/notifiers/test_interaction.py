import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode

import orjson
import pytest

from notifiers.interaction import InteractionRefused, activities_of
from schemas.activity import ActivityKind
from tests.lab.decisions import NOW

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
REPS = {"U0001": "M1"}


def pressed(action: str, value: str = "main.4f.1", user: str = "U0001") -> bytes:
    row = {"action_id": action, "value": value, "action_ts": f"{NOW.timestamp():.6f}", "type": "button"}
    return urlencode(
        {"payload": orjson.dumps({"type": "block_actions", "user": {"id": user}, "actions": [row]})}
    ).encode()


def signed(body: bytes, secret: str = SECRET, age: timedelta = timedelta()) -> dict[str, str]:
    at = str(int((NOW - age).timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={digest}"}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("leadstream.accepted", ActivityKind.ACCEPTED),
        ("leadstream.declined", ActivityKind.DECLINED),
        ("leadstream.contacted", ActivityKind.CALLED),
        ("leadstream.claimed", ActivityKind.CLAIMED),
    ],
)
def test_a_press_becomes_an_activity_of_the_rep_on_the_lead(action: str, kind: ActivityKind) -> None:
    body = pressed(action)
    (found,) = activities_of(body, signed(body), SECRET, REPS.get, NOW)
    assert (found.kind, found.lead_id, found.rep, found.at) == (kind, "main.4f.1", "M1", NOW)


def test_the_same_press_has_the_same_id() -> None:
    body = pressed("leadstream.accepted")
    first = activities_of(body, signed(body), SECRET, REPS.get, NOW)
    later = activities_of(body, signed(body), SECRET, REPS.get, NOW + timedelta(seconds=3))
    assert first[0].id == later[0].id


def test_opening_the_link_is_no_activity() -> None:
    body = pressed("leadstream.open")
    assert activities_of(body, signed(body), SECRET, REPS.get, NOW) == ()


def test_another_apps_button_is_no_activity() -> None:
    body = pressed("accepted")
    assert activities_of(body, signed(body), SECRET, REPS.get, NOW) == ()


def test_a_stranger_in_slack_is_named_as_such() -> None:
    body = pressed("leadstream.claimed", user="U9999")
    (found,) = activities_of(body, signed(body), SECRET, REPS.get, NOW)
    assert (found.rep, found.by) == (None, "slack/U9999")


def test_a_wrong_signature_an_old_one_or_none_is_refused() -> None:
    body = pressed("leadstream.accepted")
    for headers in (signed(body, "other"), signed(body, age=timedelta(minutes=6)), {}):
        with pytest.raises(InteractionRefused):
            activities_of(body, headers, SECRET, REPS.get, NOW)


@pytest.mark.parametrize("body", [b"", b"payload=", b"payload=%7B", b"payload=[]", b"\xff\xfe"])
def test_a_signed_request_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(InteractionRefused):
        activities_of(body, signed(body), SECRET, REPS.get, NOW)
