"""Hold the reading of days and instants: one form is taken, every other is told what to write instead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from graph.errors import BadQuestion
from service.clocks import parse_day, parse_instant
from service.wording import Wording

SAY = Wording("en")
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def test_a_full_day_is_read() -> None:
    assert parse_day(" 2025-03-01 ", SAY) == date(2025, 3, 1)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("2025-02-30", "2025-02-28"),
        ("2024-02-30", "2024-02-29"),
        ("28/02/2025", "2025-02-28"),
        ("1.3.2025", "2025-03-01"),
        ("31/02/2025", "2025-02-28"),
        ("2025/3/1", "2025-03-01"),
        ("2025-3-1", "2025-03-01"),
        ("2025-02", "2025-02-01"),
        ("02/2025", "2025-02-01"),
        ("2025", "2025-01-01"),
        ("2025-03-01T10:00:00Z", "2025-03-01"),
        ("2025-13-01", "2025-03-01"),
        ("0000-01-01", "2025-03-01"),
        ("yesterday", "2025-03-01"),
        ("٢٠٢٥-٠٣-٠١", "2025-03-01"),
    ],
)
def test_any_other_way_is_told_what_to_write(written: str, instead: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_day(written, SAY)
    assert written in caught.value.message
    assert caught.value.remedy == f"Write it like {instead}."


@pytest.mark.parametrize("written", ["2025-02", "28/02/2025", "2025-02-30", "x"])
def test_the_message_is_in_the_readers_language(written: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_day(written, Wording("vi"))
    assert caught.value.remedy.startswith("Hãy viết như ")


def test_an_instant_is_read_in_its_zone() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert parse_instant("2026-11-20T12:00:00Z", HANOI, SAY) == noon
    assert parse_instant("2026-11-20T19:00+07:00", HANOI, SAY) == noon


def test_a_day_as_an_instant_is_its_end_in_the_registers_zone() -> None:
    evening = parse_instant("2026-11-20", HANOI, SAY)
    assert evening.tzinfo is UTC
    assert evening == datetime(2026, 11, 20, 16, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-20T12:00:00",
        "2026-11-20 12:00",
        "2026-11-20T25:00Z",
        "noon",
        "20/11/2026",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_an_instant_without_zone_or_sense_is_refused(written: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_instant(written, HANOI, SAY)
    assert caught.value.remedy
