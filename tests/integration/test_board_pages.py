"""The board as a person sees it: in a real Chromium, wide and narrow, light and dark, by keyboard."""

import html
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.broker import FoundBroker
from tests.conftest import FEW_PARTITIONS
from tests.integration import board_world
from tests.integration.test_board import BoardProcess, board_on, written
from tests.records import Records
from tests.unit.streams.board.decisions import decided
from tests.waiting import eventually

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IMAGES = Path("docs/images")
PAGE_BYTES = 200_000
PAGE_SECONDS = 120  # for what a page should show, however busy the machine
SCHEMES: tuple[Any, ...] = ("light", "dark")
GRAVE = ("serious", "critical")
PATHS = {
    "today": ("/", "Today"),
    "risk": ("/risk", "At risk"),
    "reps": ("/reps", "Reps"),
    "waiting": ("/waiting", "Waiting"),
    "missed": ("/missed", "Missed deadlines"),
    "flags": ("/flags", "Red flags"),
    "notices": ("/notices", "Notices"),
    "letters": ("/letters", "Unreadable"),
    "search": ("/search?q=northfork", "Leads for “northfork”"),
    "lead": ("/leads/{northfork}", "Northfork Robotics"),
    "rep": ("/reps/r-kira", "Kira Patel"),
    "login": ("/login", "Sign in"),
    "gone": ("/leads/main.x.1", "The board knows no lead of this id"),
}
FLAGS_TOLD = (
    "changed hands 2 times",
    "no notice reached Jack Murphy",
    "can take no more",
    "x-gone, is not there",
)
SHOWN = {"/flags": FLAGS_TOLD, "/reps/r-kira": ("Kira Patel",), "/letters": ("Replay",)}


@dataclass(frozen=True, slots=True)
class Morning:
    """A board that shows a morning. leads: company -> lead id."""

    board: BoardProcess
    records: Records
    leads: dict[str, str]

    def url(self, path: str) -> str:
        return self.board.url + path.format(northfork=self.leads["Northfork Robotics"])

    def says(self, path: str, words: Sequence[str]) -> bool:
        text = html.unescape(httpx.get(self.url(path), timeout=60).text)
        return all(one in text for one in words)


@pytest.fixture(scope="module")
def morning(broker: FoundBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=f"pages{uuid.uuid4().hex[:8]}")
    kafka_topics.create(cluster, FEW_PARTITIONS)
    records = Records(cluster)
    leads = board_world.write(records, datetime.now(UTC))
    with board_on(cluster, tmp_path_factory.mktemp("board")) as board:
        board.start(LEADSTREAM_BOARD_ACTORS="board")
        one = Morning(board, records, leads)
        decisions = len(records.read_all("leads.assigned"))
        eventually(lambda: board.answers() and board.count() == decisions, "the morning on the board")
        for path, words in SHOWN.items():  # what comes by other topics
            eventually(lambda path=path, words=words: one.says(path, words), f"{words} at {path}")  # type: ignore[misc]
        yield one
    kafka_topics.delete(cluster)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert shutil.which(CHROMIUM), f"{CHROMIUM} is missing: `make tools` installs it (Debian)"
    expect.set_options(timeout=PAGE_SECONDS * 1_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    yield from opened(chromium, 1440, "light")


def opened(chromium: Browser, width: int, scheme: Any) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": width, "height": 900 if width > 500 else 844},
        color_scheme=scheme,
        timezone_id="America/New_York",
        locale="en-US",
        reduced_motion="reduce",
    )
    problems: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PAGE_SECONDS * 1_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Security Policy" in said.text else None)
    yield page
    context.close()
    assert problems == []


@pytest.fixture(scope="module")
def looked_at(chromium: Browser) -> Iterator[Page]:
    yield from opened(chromium, 1440, "light")


@pytest.mark.parametrize("name", PATHS)
def test_every_page_reads_well_wide_and_narrow_light_and_dark(looked_at: Page, morning: Morning, name: str) -> None:
    page = looked_at
    path, heading = PATHS[name]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(morning.url(path))
    expect(page.locator("h1")).to_contain_text(heading)
    if name == "today":
        expect(page.locator("#chart canvas")).to_be_visible()
    for width, height in ((390, 844), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"at {width} it scrolls sideways"
        for scheme in SCHEMES:
            pictured(page, name, width, scheme)
    grave_in(page, {}, "wide and light")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    grave_in(page, {"runOnly": ["color-contrast"]}, "in the dark")  # the rest does not ask for colours


def grave_in(page: Page, options: dict[str, Any], how: str) -> None:
    """Fail where axe finds something serious."""
    found = Axe().run(page, options=options).response
    assert found["passes"], f"axe looked at nothing, {how}"
    grave = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"] if one["impact"] in GRAVE]
    assert grave == [], how


def pictured(page: Page, name: str, width: int, scheme: Any) -> None:
    """Keep a picture where BOARD_SCREENSHOTS names a folder: for whoever looks, and for the docs."""
    if (folder := os.environ.get("BOARD_SCREENSHOTS")) is not None:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=width < 500)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")


def test_the_pictures_of_the_docs_are_there() -> None:
    named = re.findall(r"images/(board-[\w-]+\.png)", Path("docs/board.md").read_text())
    assert named
    assert {name for name in named if (IMAGES / name).stat().st_size < 150_000} == set(named)


def test_the_first_page_weighs_less_than_200_kb(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/"), wait_until="load")
    sizes: dict[str, float] = page.evaluate(
        "Object.fromEntries(['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
        ".map(one => [one.name, one.transferSize]))"
    )
    assert len(sizes) >= 7
    assert all(name.startswith(morning.board.url) for name in sizes), sizes
    assert 0 < sum(sizes.values()) < PAGE_BYTES, sizes


def test_a_decision_shows_by_itself_and_an_open_part_stays_open(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/"))
    before = int(page.locator(".funnel b").first.inner_text())
    new = decided(number=900, arrived=datetime.now(UTC), owner="r-ada")
    morning.records.write("leads.assigned", written([new]))
    expect(page.locator(".funnel b").first).to_have_text(str(before + 1))
    page.goto(morning.url("/leads/{northfork}"))
    summary = page.locator("#chapter-1 summary")
    summary.click()
    alert = "Nobody has called since; m-eve is alerted again."
    morning.records.write("leads.assigned", written([board_world.northfork_is_escalated(datetime.now(UTC), alert)]))
    expect(page.locator("#live")).to_contain_text("Eve Sanders is alerted again.")
    expect(page.locator("#chapter-1 ul")).to_be_visible()
    expect(page.locator("#chapter-1 ul")).to_contain_text("Ben Okafor: full")


def test_the_whole_board_can_be_used_by_keyboard(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("lena northfork")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("lena northfork")
    page.wait_for_load_state()  # the scripts that listen to keys run once the heading is there
    page.keyboard.press("j")
    expect(page.locator("main a.row").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Northfork Robotics")
    page.wait_for_load_state()
    page.keyboard.press("6")
    expect(page.locator("h1")).to_have_text("Red flags")


def test_a_board_that_falls_behind_says_so_by_itself_until_it_has_caught_up(page: Page, morning: Morning) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(morning.url("/leads/{northfork}"))
    notice = page.locator("#behind")
    expect(page.locator("h1")).to_have_text("Northfork Robotics")
    expect(notice).to_have_count(0)
    with morning.board.held():
        morning.records.write("leads.assigned", written([decided(number=902, arrived=datetime.now(UTC))]))
        expect(notice).to_contain_text("behind, and has been since")
        pictured(page, "behind", 390, "light")
        grave_in(page, {}, "behind")
    expect(notice).to_have_count(0)


def test_times_are_the_viewers(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/"))
    expect(page.locator(".head p")).to_contain_text("New York")


def test_red_flags_tell_cause_and_place_one_a_lead(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/flags"))
    rows = page.locator(".flags li")
    texts = rows.all_inner_texts()
    assert sum("Northfork Robotics" in text for text in texts) == 1
    told = " ".join(texts)
    for words in FLAGS_TOLD:
        assert words in told, told
    page.get_by_role("link", name="Tern Logistics").first.click()
    expect(page.locator("h1")).to_have_text("Tern Logistics")


def test_a_lead_is_moved_with_a_reason_and_under_a_name(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/leads/{northfork}"))
    page.get_by_text("Give it to somebody else").click()
    form = page.locator("form.act").first
    form.locator("select[name=to]").select_option("r-jack")
    form.locator("select[name=reason]").select_option("workload")
    form.locator("button").click()
    expect(page.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    (sent,) = [row.json for row in morning.records.read_all("leads.activity") if row.json["kind"] == "reassigned"]
    assert (sent["to"], sent["reason"], sent["by"]) == ("r-jack", "workload", "board")
    assert sent["lead_id"] == morning.leads["Northfork Robotics"]


def test_an_absence_goes_into_the_roster_in_the_viewers_zone(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/reps/r-mona"))
    page.wait_for_function("document.cookie.includes('zone=')")
    page.goto(morning.url("/reps/r-mona"))  # the zone is known from the second page on
    page.get_by_text("Plan an absence").click()
    page.locator("input[name=start]").fill("2027-01-04T09:00")
    page.locator("input[name=until]").fill("2027-01-08T18:00")
    page.get_by_role("button", name="Save the absence").click()
    expect(page.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    entry = [row.json for row in morning.records.read_all("reps") if row.key == "r-mona"][-1]
    assert datetime.fromisoformat(entry["absences"][0]["start"]) == datetime(2027, 1, 4, 14, tzinfo=UTC)
    assert entry["name"] == "Mona Haddad"


def test_a_dead_letter_is_replayed_once(page: Page, morning: Morning) -> None:
    page.goto(morning.url("/letters"))
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status").filter(has_text="Replayed.")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("Everything could be read")
    replayed = [row for row in morning.records.read_all("leads.raw") if "dlq_replayed_from" in row.headers]
    assert [row.value for row in replayed] == [b'{"email": "cut']


@pytest.mark.parametrize("form", [{}, {"csrf": "0" * 64}], ids=["without a token", "with a guessed one"])
def test_a_form_of_another_site_does_nothing(morning: Morning, form: dict[str, str]) -> None:
    answer = httpx.post(
        morning.url("/leads/{northfork}/move"), data={"to": "r-ada", "reason": "workload", **form}, timeout=60
    )
    assert answer.status_code == 403


def test_headers_let_nothing_foreign_in(morning: Morning) -> None:
    headers = httpx.get(morning.url("/"), timeout=60).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
