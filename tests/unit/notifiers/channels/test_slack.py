import orjson

from notifiers.channels import slack
from notifiers.message import Body, Message
from notifiers.outside import outside
from tests.lab.channels import slack_lab


def message(**more: object) -> Message:
    values = {
        "lead_id": "main.4f.1",
        "decision_id": "d1",
        "person": "4f",
        "template": "assignment",
        "audience": "owner",
        "recipient": "M1",
        "to": "U0001",
        "body": Body("T1 new lead", "A new lead is yours."),
        "facts": (("Name", "Cora"),),
        "buttons": ("accepted", "declined", "contacted"),
        "link": "https://crm.example/1",
    }
    return Message(**{**values, **more})  # type: ignore[arg-type]


async def test_the_second_notice_of_a_lead_joins_the_thread_of_the_first() -> None:
    async with slack_lab() as lab, outside(lab.settings) as way_out:
        first = await slack.send(message(), "k1", way_out, 60)
        await slack.send(message(receipt=first.receipt), "k2", way_out, 60)
        rows = [orjson.loads(row) for row in lab.arrived()]
    assert rows[1]["thread_ts"] == rows[0]["ts"]
    assert rows[1]["channel"] == "D0001"


async def test_buttons_name_the_act_and_the_lead() -> None:
    elements = slack.blocks(message())[-1]["elements"]
    assert [(e["action_id"], e.get("value")) for e in elements] == [
        ("leadstream.accepted", "main.4f.1"),
        ("leadstream.declined", "main.4f.1"),
        ("leadstream.contacted", "main.4f.1"),
        ("leadstream.open", None),
    ]


async def test_a_possible_repeat_says_so_in_the_message() -> None:
    assert "before" in str(slack.blocks(message(may_be_repeat=True)))
    assert "before" not in str(slack.blocks(message()))


async def test_a_repeat_that_arrived_is_found_in_its_thread_and_not_posted_again() -> None:
    async with slack_lab() as lab, outside(lab.settings) as way_out:
        first = await slack.send(message(), "k1", way_out, 60)
        again = await slack.send(message(may_be_repeat=True), "k1", way_out, 60)
        threaded = await slack.send(message(may_be_repeat=True, receipt=first.receipt), "k1", way_out, 60)
        other = await slack.send(message(may_be_repeat=True), "k2", way_out, 60)
    assert (again.was_known, threaded.was_known, other.was_known) == (True, True, False)
    assert again.receipt == first.receipt
    assert len(lab.arrived()) == 2
