from notifiers.preview import preview
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.device import Device
from tests.lab.decisions import REPS, decision, notice
from tests.lab.push_service import Browser


def test_every_message_is_shown_in_its_channels_own_form() -> None:
    asked = decision(notice(channels=("slack", "email", "sms")))
    slack, mail, sms = preview(asked, None, REPS.get, no_devices, load(None), ChannelSettings())
    assert slack.raw[0]["type"] == "header"
    assert mail.raw.startswith("<!doctype html>")
    assert "Cora Lone" in sms.text


def test_one_channel_can_be_asked_for() -> None:
    asked = decision(notice(channels=("slack", "email")))
    shown = preview(asked, "slack", REPS.get, no_devices, load(None), ChannelSettings())
    assert [one.channel for one in shown] == ["slack"]


def test_a_message_without_an_address_says_why_it_would_not_be_sent() -> None:
    (one,) = preview(decision(notice(recipients=("NA",))), None, REPS.get, no_devices, load(None), ChannelSettings())
    assert one.reason == "the recipient has no address on this channel"


def test_a_push_is_shown_where_the_recipient_has_a_browser() -> None:
    device = Browser().device("https://push.example")
    with_push = decision(notice(channels=("push",)))
    (one,) = preview(with_push, "push", REPS.get, lambda rep: (device,), load(None), ChannelSettings())
    assert "Cora Lone" in one.text
    (none,) = preview(with_push, "push", REPS.get, no_devices, load(None), ChannelSettings())
    assert none.reason == "the recipient has no address on this channel"


def no_devices(rep: str) -> tuple[Device, ...]:
    return ()
