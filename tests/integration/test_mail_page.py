"""Mails as a mail program shows them: in a real Chromium, with every hostile field and text, wide and narrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from notifiers.channels import mail
from notifiers.compose import message_for
from notifiers.delivery import opened
from notifiers.mail_html import html_of
from notifiers.message import Message
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.decision import Audience
from schemas.lead import Company
from tests.integration.test_board_pages import CHROMIUM, FLAGS
from tests.lab.decisions import NOW, REPS, contact, decision, lead, notice
from tests.lab.hostile import HOSTILE

WIDTHS = (320, 1_000)
ELEMENTS = {"HTML", "HEAD", "META", "TITLE", "BODY", "DIV", "P", "BR", "TABLE", "TBODY", "TR", "TH", "TD", "A"}
LOOK = """() => ({
  elements: [...new Set([...document.querySelectorAll("*")].map(one => one.tagName))],
  links: [...document.querySelectorAll("a")].map(one => one.href),
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ran: window.ran === true,
  cells: [...document.querySelectorAll("td")].map(one => one.textContent),
})"""
SETTINGS = ChannelSettings(lead_url="https://crm.example/leads/{lead_id}")
RUNS = '<script>window.ran = true</script><img src=x onerror="window.ran = true"><svg onload="window.ran = true">'


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def composed(value: str, folder: Path | None = None, **changes: Any) -> Message:
    asked = decision(
        notice(note=value, **changes),
        contact=contact(name=value, first_name=value, phone=value, linkedin=value, transcript=value),
        lead=lead(company=Company(name=value, domain="lone.example", industry=value)),
        reason=value,
    )
    return message_for(asked, opened(asked, SETTINGS, NOW).rows[0], REPS.get, load(folder), SETTINGS, {})


def seen(page: Page, message: Message, width: int) -> dict[str, Any]:
    asked: list[str] = []
    page.set_viewport_size({"width": width, "height": 900})
    page.once("dialog", lambda dialog: asked.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html_of(message))
    found: dict[str, Any] = page.evaluate(LOOK)
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == []
    return found


@pytest.mark.parametrize("value", [*HOSTILE.values(), RUNS], ids=[*HOSTILE, "what runs"])
def test_a_hostile_field_runs_nothing_adds_nothing_and_widens_nothing(page: Page, value: str) -> None:
    for width in WIDTHS:
        found = seen(page, composed(value), width)
        assert set(found["elements"]) <= ELEMENTS
        assert found["links"] == [f"https://crm.example/leads/main.{'4f' * 16}.1"]
        assert found["overflow"] <= 0
        assert not found["ran"]


@pytest.mark.parametrize("source", [*HOSTILE.values(), RUNS, "{{ name }}{{ reason }}"], ids=[*HOSTILE, "runs", "both"])
def test_a_hostile_text_of_the_house_s_own_runs_nothing_either(page: Page, tmp_path: Path, source: str) -> None:
    (tmp_path / "assignment.body.j2").write_text(
        "{% raw %}" + source.encode("utf-8", "replace").decode() + "{% endraw %}"
    )
    found = seen(page, composed(RUNS, tmp_path), WIDTHS[0])
    assert set(found["elements"]) <= ELEMENTS
    assert found["overflow"] <= 0
    assert not found["ran"]


def test_the_facts_are_read_in_the_direction_of_their_own_script(page: Page) -> None:
    seen(page, composed("محمد بن سلمان"), WIDTHS[1])
    found = page.evaluate("getComputedStyle(document.querySelector('td')).direction")
    assert found == "rtl"


def test_an_answer_to_the_lead_has_no_facts_and_no_link_into_the_crm(page: Page) -> None:
    found = seen(page, composed("Cora", audience=Audience.LEAD, recipients=(), template="demo"), WIDTHS[1])
    assert found["cells"] == []
    assert found["links"] == ["https://book.example/mona"]


def test_both_parts_say_the_same(page: Page) -> None:
    message = composed("Cora Lone")
    found = seen(page, message, WIDTHS[1])
    for cell in found["cells"]:
        assert cell in mail.text_of(message)
