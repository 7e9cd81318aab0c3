"""Do what a planner does, in a real browser: ask, read the answer on two days, on a phone, without script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from graph.register import Register
from service.app import create_app
from service.settings import Settings
from tests.service.serving import served
from tests.service.small import make_small

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="the program chromium is not installed")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
TEST = "https://w3id.org/diaba/test/"
PAGES = [
    "/",
    "/who?q=dang+ky+doanh+nghiep",
    f"/who?q={TEST}torn",
    f"/who?q={TEST}rumour&known_at=2026-11-20",
    f"/who?q={TEST}hostile",
    "/datasets-of?q=bo+tai+chinh",
    "/gaps",
    "/gaps?by=body&since=2020-01-01",
    "/rules",
    "/rules/no-accountable",
    "/docs",
    "/docs/command-line",
    "/docs/rules",
    "/docs/settings",
    "/api",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a service over the small register."""
    data = make_small(tmp_path_factory.mktemp("browser") / "data")
    with Register.open(data) as register, served(create_app(Settings(), register.reader, register)) as address:
        yield address


class Browsing:
    """Open pages with and without script, and remember what went wrong and where requests went."""

    def __init__(self, plain: BrowserContext, scripted: BrowserContext, address: str) -> None:
        self.plain, self.scripted, self.address = plain, scripted, address
        self.faults: list[str] = []
        self.hosts: set[str] = set()

    def open(self, path: str, *, width: int = 1280, script: bool = True) -> Page:
        page = (self.scripted if script else self.plain).new_page()
        page.set_viewport_size({"width": width, "height": 800})
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.goto(self.address + path)
        return page


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    with sync_playwright() as playwright:

        def launch(folder: Path, script: bool) -> BrowserContext:
            return playwright.chromium.launch_persistent_context(
                folder, executable_path=CHROMIUM, headless=True, args=FLAGS, java_script_enabled=script, locale="vi-VN"
            )

        plain = launch(tmp_path_factory.mktemp("plain"), False)
        scripted = launch(tmp_path_factory.mktemp("scripted"), True)
        yield plain, scripted
        plain.close()
        scripted.close()


@pytest.fixture
def browsing(contexts: tuple[BrowserContext, BrowserContext], address: str) -> Iterator[Browsing]:
    browsing = Browsing(*contexts, address)
    yield browsing
    assert not browsing.faults
    assert browsing.hosts <= {urlsplit(address).netloc}


def test_a_planner_types_sees_the_answer_in_the_row_and_opens_the_card_on_two_days(browsing: Browsing) -> None:
    page = browsing.open("/")
    page.get_by_role("combobox").press_sequentially("dang ky doanh")
    row = page.get_by_role("option").filter(has_text="Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp")
    row.wait_for()
    assert "→ Bộ Tài chính" in row.inner_text()
    row.click()
    page.get_by_role("heading", level=1).wait_for()
    accountable = page.get_by_role("region", name="Chủ quản")
    assert "Bộ Tài chính" in accountable.inner_text()
    page.get_by_label("Vào ngày").last.fill("2025-02-28")
    page.get_by_role("button", name="Xem").click()
    page.get_by_text("Vào ngày 28/02/2025").wait_for()
    assert "as_of=2025-02-28" in page.url
    assert "Bộ Kế hoạch và Đầu tư" in page.get_by_role("region", name="Chủ quản").inner_text()


def test_the_keyboard_alone_is_enough(browsing: Browsing) -> None:
    page = browsing.open("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("dat dai")
    page.get_by_role("option").first.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/who?**")
    assert "đất đai" in page.get_by_role("heading", level=1).inner_text()


def test_the_first_key_leads_past_the_menu(browsing: Browsing) -> None:
    page = browsing.open("/who?q=dat+dai")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_without_script_the_form_still_answers(browsing: Browsing) -> None:
    page = browsing.open("/", script=False)
    page.get_by_label("Dữ liệu, cơ quan hoặc địa bàn").fill("dat dai")
    page.get_by_label("Vào ngày").fill("2025-03-01")
    page.get_by_role("button", name="Tra cứu").click()
    assert "Bộ Nông nghiệp và Môi trường" in page.locator("main").inner_text()
    assert "01/03/2025" in page.locator("main").inner_text()


def test_the_language_switches_in_the_page_and_stays(browsing: Browsing) -> None:
    page = browsing.open("/who?q=dat+dai")
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name="National land database").wait_for()
    page.get_by_role("link", name="Documentation").click()
    page.wait_for_url("**/docs?lang=en")
    assert page.get_by_role("link", name="Tiếng Việt").count() == 1


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_phone_never_scrolls_sideways(browsing: Browsing, path: str, language: str) -> None:
    page = browsing.open(f"{path}{'&' if '?' in path else '?'}lang={language}", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_from_a_number_of_gaps_to_the_record_and_its_remedy(browsing: Browsing) -> None:
    page = browsing.open("/", script=False)
    page.get_by_role("link", name="Khoảng trống").click()
    row = page.get_by_role("row").filter(has_text="Nhiều hơn một chủ quản")
    number = int(row.get_by_role("cell").first.inner_text())
    row.get_by_role("link").click()
    assert "rule=more-than-one-accountable" in page.url
    assert f"{number} khoảng trống" in page.locator("main").inner_text()
    assert "ghi một trách nhiệm chung" in page.locator("main").inner_text()
    page.locator(".findings h3 a").first.click()
    page.wait_for_url("**/who?**")
    page.go_back()
    page.locator(".findings .what a").first.click()
    page.get_by_role("heading", level=1, name="Nhiều hơn một chủ quản").wait_for()
    assert page.locator("pre").count() > 0


def test_data_that_carry_script_run_nothing(browsing: Browsing) -> None:
    page = browsing.open(f"/who?q={TEST}hostile")
    assert "taken" not in page.title().split("·")[-1]
    assert "<script>" in page.get_by_role("heading", level=1).inner_text()
    page = browsing.open("/")
    page.get_by_role("combobox").press_sequentially("document title")
    page.get_by_role("option").first.wait_for()
    assert "<script>" in page.get_by_role("option").first.inner_text()
    assert page.title() != "taken"


def test_on_paper_the_card_stands_alone(browsing: Browsing) -> None:
    page = browsing.open("/who?q=dat+dai")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.get_by_role("search").is_visible()
    assert not page.get_by_role("button", name="Xem").is_visible()
