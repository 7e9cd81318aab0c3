"""Hold the catalogue of words: both languages, every key used, every code of the data worded."""

from __future__ import annotations

import re
import string
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from graph.rules import Judges
from graph.search import KINDS
from graph.terms import Confidence, Role, Status
from service import faults
from service.foresight import UNCLEAR
from service.gaps import BYS, LEVELS
from service.reporting import SEVERITIES
from service.settings import LANGUAGES
from service.wording import Wording, locale_language, prefer_language, read_catalogue
from service.writing import COLUMNS

SERVICE = Path(__file__).resolve().parents[2] / "service"

#: names of formats, the same in every language
FORMATS = {"CSV", "XLSX", "JSON", "Turtle", "SHACL"}

#: keys made from codes of the data: family -> the codes that there are
FAMILIES = {
    "role": {role.removeprefix(Role.NS) for role in Role.ALL},
    "status": {
        value.removeprefix(Status.NS)
        for name, value in vars(Status).items()
        if not name.startswith("_") and name != "NS"
    },
    "confidence": {
        mark.removeprefix(Confidence.NS)
        for mark in (Confidence.V1, Confidence.V2, Confidence.V3, Confidence.V3_MOCK, Confidence.R)
    },
    "kind": set(KINDS),
    "how": {"asserted", "derived", "followed"},
    "hit": {
        "name", "other-name", "old-name", "later-name", "code", "old-code", "later-code", "ended", "later", "context",
        "similar", "partly",
    },
    "note": {"cycle", "not-described", "delegation-supervised", "descriptions-of-now"},
    "count": {"datasets", "bodies", "areas", "responsibilities", "laws"},
    "transfer": {"mandate", "delegation", "devolution", "transfer"},
    "step": {"reading", "graph", "history", "scopes", "standings", "search", "findings"},
    "lineage": {"up", "down"},
    "behind": {"unopened", "changing", "ahead"},
    "disk": {"journal", "payloads", "graph", "history", "search", "checkpoints", "rebuild", "other", "free"},
    "severity": {name + end for name in SEVERITIES.values() for end in ("", "s")},
    "column": set(COLUMNS) | {"name", "count", "opened", "closed", "from", "last"},
    "by": set(BYS),
    "gaps": {"opened", "closed"},
    "level": set(LEVELS),
    "judges": {judged.name for judged in Judges},
    "fate": {"shares", "given", "origins"},
    "plan.entry": {"changes", "responsibilities", "decisions"},
    "plan.count": {"moves", "lapses", "opened", "closed", "tell"}
    | {status.removeprefix(Status.NS) for status in UNCLEAR},
    "plan.part": {"unclear", "moves", "lapses", "opened", "closed", "codes", "tell"},
    "plan.column": {
        "data", "before", "after", "why", "holder", "ends", "day", "rule", "severity", "about", "message", "scheme",
        "code", "body", "about_data", "what", "count", "name", "title", "state",
    },
    "fault": {outcome.name for outcome in faults.OUTCOMES.values()} | {faults.OTHER.name, "refused", "no-page"},
}  # fmt: skip


def used() -> set[str]:
    """Return every key that the code and the templates name in full, and those of the families."""
    code = "\n".join(path.read_text("utf-8") for path in SERVICE.rglob("*") if path.suffix in (".py", ".html"))
    catalogue = set(read_catalogue())
    named = {key for key in re.findall(r"""["']([a-z_]+\.[a-z][A-Za-z_.-]*)["']""", code) if key in catalogue}
    return named | {f"{family}.{code}" for family, codes in FAMILIES.items() for code in codes}


def test_every_word_is_in_both_languages() -> None:
    wrong = [key for key, texts in read_catalogue().items() if sorted(texts) != sorted(LANGUAGES)]
    assert not wrong
    assert not [key for key, texts in read_catalogue().items() if not all(text.strip() for text in texts.values())]


def test_both_languages_name_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert not [key for key, texts in read_catalogue().items() if values(texts["vi"]) != values(texts["en"])]


def test_every_key_that_a_template_or_the_code_says_exists() -> None:
    said = set()
    for path in SERVICE.rglob("*"):
        if path.suffix in (".py", ".html"):
            said |= set(re.findall(r"""\b(?:say|t)\(\s*["']([^"'{]+)["']""", path.read_text("utf-8")))
    whole = {key for key in said if not key.endswith(".")}
    assert whole
    assert not whole - set(read_catalogue())


def test_no_word_is_left_over() -> None:
    left = set(read_catalogue()) - used()
    # card.source and its like are put together from the part that a loop names
    left -= {f"card.{part}" for part in ("support", "contradicted", "beaten")}
    assert not left


def test_every_code_of_the_data_has_words() -> None:
    wanted = {f"{family}.{code}" for family, codes in FAMILIES.items() for code in codes}
    assert not wanted - set(read_catalogue())


def test_the_scripts_and_templates_hold_no_words_of_their_own() -> None:
    for path in (SERVICE / "templates").glob("*.html"):
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.DOTALL)
        words = set(re.findall(r"[^\W\d_]{2,}", text)) - {"openapi", "json"} - FORMATS
        assert not words, f"{path.name} says {words}"


def test_days_are_written_as_the_language_does() -> None:
    assert Wording("vi").day("2025-03-01") == "01/03/2025"
    assert Wording("en").day(date(2025, 3, 1)) == "1 March 2025"
    assert Wording("vi", iso=True).day("2025-03-01") == "2025-03-01"
    assert Wording("en").last_day("2025-03-01") == "28 February 2025"
    assert Wording("vi").instant(datetime(2026, 11, 20, 9, 5, tzinfo=UTC)) == "20/11/2026 09:05"
    assert (Wording("vi").number(3321), Wording("en").number(3321)) == ("3.321", "3,321")


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("en", "vi", "en"),
        (None, "en-GB,en;q=0.9,vi;q=0.8", "en"),
        (None, "fr, vi;q=0.5, en;q=0.4", "vi"),
        (None, "fr", "vi"),
        ("xx", "", "vi"),
        (None, "en;q=high, vi;q=0", "vi"),
        (None, "en;q=0", "vi"),
    ],
)
def test_the_language_asked_for_wins_then_the_browsers_then_the_setting(
    asked: str | None, accepted: str, chosen: str
) -> None:
    assert prefer_language(asked, accepted, "vi") == chosen


def test_the_terminals_language_is_its_locales() -> None:
    assert locale_language({"LANG": "vi_VN.UTF-8"}) == "vi"
    assert locale_language({"LANG": "vi_VN.UTF-8", "LC_ALL": "C.UTF-8"}) == "en"
    assert locale_language({}) == "en"
