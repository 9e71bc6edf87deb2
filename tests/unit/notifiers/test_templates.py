from pathlib import Path

import pytest

from notifiers.builtin import BUILT_IN
from notifiers.compose import fields, message_for
from notifiers.delivery import opened
from notifiers.message import Message
from notifiers.sample import sample_fields
from notifiers.sandbox import TemplateRefused
from notifiers.settings import ChannelSettings
from notifiers.templates import Templates, lint, load
from schemas.decision import Audience, Decision, Notice, Owner, OwnerKind
from tests.lab.decisions import NOW, REPS, contact, decision, lead, notice

SETTINGS = ChannelSettings(lead_url="https://crm.example/leads/{lead_id}")


def composed(asked: Decision, channel: str, templates: Templates | None = None) -> Message:
    ledger = opened(asked, SETTINGS, NOW)
    row = next(row for row in ledger.rows if row.channel == channel)
    return message_for(asked, row, REPS.get, templates or load(None), SETTINGS, {})


def shown(message: Message) -> str:
    return "\n".join((message.body.subject, message.body.text, *(f"{k}: {v}" for k, v in message.facts)))


def sample() -> dict[str, object]:
    asked = decision()
    return fields(asked, asked.notices[0], REPS.get, SETTINGS)


def test_an_assignment_says_what_a_rep_needs_at_once() -> None:
    made = composed(decision(notice(channels=("email",))), "email")
    for said in (
        "Cora Lone",
        "Lone Inc",
        "Employees: 450",
        "Industry: saas",
        "Action: demo",
        "Score: 82",
        "Tier: T1",
        "Phone: +12125550199",
        "LinkedIn: https://linkedin.example/in/cora",
        "First action: Call now.",
        "Why: Mid-market in the Americas goes to mm-southwest.",
    ):
        assert said in shown(made)
    assert made.link == f"https://crm.example/leads/{decision().lead_id}"


def test_phone_and_profile_are_for_hot_leads_only() -> None:
    made = composed(decision(notice(channels=("email",)), tier="T2"), "email")
    assert "+12125550199" not in shown(made)
    assert "linkedin" not in shown(made)


def test_a_chat_lead_carries_its_transcript() -> None:
    asked = decision(notice(channels=("email",)), contact=contact(transcript="bot: hello"))
    assert ("Chat", "bot: hello") in composed(asked, "email").facts


def test_both_sides_of_a_reassignment_are_told_who_has_it() -> None:
    old = notice(id="old", audience=Audience.PREVIOUS_OWNER, recipients=("M2",), template="reassigned")
    new = notice(id="new", template="reassigned")
    before = Owner(kind=OwnerKind.REP, id="M2")
    assert "moved to Mona One" in composed(decision(old, previous_owner=before), "email").body.text
    assert "with Max Two" in composed(decision(new, previous_owner=before), "email").body.text


@pytest.mark.parametrize("action", ["demo", "pricing", "trial", "content", "webinar", "something else"])
def test_each_action_has_an_answer_in_the_reps_name(action: str) -> None:
    reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="auto_reply")
    made = composed(decision(reply, lead=lead(action=action)), "email")
    assert made.sender_name == "Mona One"
    assert made.reply_to == "mona@sales.example"
    assert made.body.text.startswith("Hello Cora,")
    assert made.body.text.endswith("Mona One\nAccount Executive")
    assert '<a href="https://book.example/mona">' in made.body.html
    assert made.facts == ()
    assert made.link is None


def test_a_queue_answers_in_the_teams_name() -> None:
    reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="team")
    made = composed(decision(reply, owner=Owner(kind=OwnerKind.QUEUE, queue="manual-review")), "email")
    assert made.sender_name == "Our team"
    assert made.body.text.endswith("Your team")


def test_a_test_lead_is_marked_as_one() -> None:
    assert composed(decision(lead=lead(is_test=True)), "email").body.subject.startswith("[test] ")


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("channel", ["email", "slack", "sms", "push", "webhook"])
def test_every_built_in_text_renders_on_every_channel(name: str, channel: str) -> None:
    body = load(None).rendered(name, None, sample_fields(), channel)
    assert body.subject
    assert body.text
    assert "\n\n\n" not in body.text


def test_an_unknown_template_still_tells_somebody() -> None:
    made: Notice = notice(template="brand_new")
    assert "There is news of a lead." in composed(decision(made), "email").body.text


def test_a_custom_text_replaces_one_part_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "assignment.subject.j2").write_text("Yours: {{ company }}")
    made = composed(decision(), "email", load(tmp_path))
    assert made.body.subject == "Yours: Lone Inc"
    assert "A new lead is yours." in made.body.text


def test_a_text_in_the_leads_language_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "auto_reply.demo.de.subject.j2").write_text("Ihre Vorführung")
    reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="demo")
    german, english = decision(reply, lead=lead(language="de")), decision(reply, lead=lead(language="en"))
    assert composed(german, "email", load(tmp_path)).body.subject == "Ihre Vorführung"
    assert composed(english, "email", load(tmp_path)).body.subject == "Your demo"


def test_a_custom_text_that_fails_on_a_lead_gives_way_to_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "assignment.subject.j2").write_text("{{ compnay }}")
    assert "Cora Lone" in composed(decision(), "email", load(tmp_path)).body.subject


def test_loading_refuses_a_forbidden_text_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "assignment.body.j2").write_text("ok\n{{ name.__class__ }}")
    with pytest.raises(TemplateRefused, match=r"assignment\.body\.j2: line 2"):
        load(tmp_path)


def test_lint_lists_every_problem_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "assignment.body.j2").write_text("{{ compnay }}")
    (tmp_path / "assignment.subject.j2").write_text("{% include 'x' %}")
    (tmp_path / "assignment.title.j2").write_text("x")
    (tmp_path / "reminder.body.j2").write_text("{{ name }}")
    problems = lint(tmp_path, sample())
    assert [problem.split(":")[0] for problem in problems] == [
        "assignment.body.j2",
        "assignment.subject.j2",
        "assignment.title.j2",
    ]
    assert "compnay" in problems[0]
