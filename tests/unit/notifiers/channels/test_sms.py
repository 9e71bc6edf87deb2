"""Texts of one wording to one person, told apart by the mark of their keys."""

from notifiers.channels import sms
from notifiers.message import Body, Message
from notifiers.outside import outside
from schemas.ids import derived_id
from tests.lab.channels import sms_lab

FIRST = derived_id("d1", "notify", "reminder")
ALIKE = FIRST[:4] + "".join("0" if digit != "0" else "1" for digit in FIRST[4:8]) + FIRST[8:]


def message(to: str, *, may_be_repeat: bool) -> Message:
    return Message(
        lead_id="main.4f.1",
        decision_id="d1",
        person="4f",
        template="reminder",
        audience="owner",
        recipient="M1",
        to=to,
        body=Body("Reminder", "Lone Inc waits for you."),
        may_be_repeat=may_be_repeat,
    )


async def test_a_text_is_no_repeat_of_one_whose_key_only_begins_alike() -> None:
    async with sms_lab() as lab, outside(lab.settings) as way_out:
        await sms.send(message(lab.to, may_be_repeat=False), FIRST, way_out, 60)
        other = await sms.send(message(lab.to, may_be_repeat=True), ALIKE, way_out, 60)
        again = await sms.send(message(lab.to, may_be_repeat=True), FIRST, way_out, 60)
        assert (other.was_known, again.was_known) == (False, True)
        assert lab.arrived() == [f"Lone Inc waits for you. ({key[:8]})" for key in (FIRST, ALIKE)]
