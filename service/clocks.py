"""Read the two clocks of a question: the day it asks about, and the moment whose knowledge it asks for.

People write days in many ways; only ``YYYY-MM-DD`` is taken, and every other way is answered with what to write
instead, because guessing between 3 April and 4 March would give a wrong answer with a straight face.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, tzinfo

from graph.errors import BadQuestion
from service.wording import Wording

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_LOOSE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{1,2})", re.ASCII)
_MONTH_FIRST = re.compile(r"(\d{1,2})[/.-](\d{4})", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)


def parse_day(text: str, say: Wording) -> date:
    """Return the day written as ``YYYY-MM-DD``; raise ``BadQuestion`` that says what to write instead."""
    text = text.strip()
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            year, month, day = (int(part) for part in text.split("-"))
            raise _no_such_day(text, year, month, day, say) from None
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
        return _refuse_form(text, year, month, day, say)
    if match := _LOOSE.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
        return _refuse_form(text, year, month, day, say)
    if match := _MONTH.fullmatch(text):
        raise _partial(text, f"{match[1]}-{int(match[2]):02}-01", say)
    if match := _MONTH_FIRST.fullmatch(text):
        raise _partial(text, f"{match[2]}-{int(match[1]):02}-01", say)
    if _YEAR.fullmatch(text):
        raise _partial(text, f"{text}-01-01", say)
    if "T" in text and _DAY.match(text):
        raise BadQuestion(say("day.is_instant", text=text), remedy=say("day.write", day=text[:10]))
    raise BadQuestion(say("day.unreadable", text=text), remedy=say("day.write", day="2025-03-01"))


def parse_instant(text: str, zone: tzinfo, say: Wording) -> datetime:
    """Return the moment in UTC. A day alone means its end in the register's zone: what was known that evening.

    Raises ``BadQuestion`` for an instant without a zone, or for anything else that is none.
    """
    text = text.strip()
    if "T" in text or " " in text:
        moment = _read_moment(text, say)
    else:
        moment = datetime.combine(parse_day(text, say), time.max, tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _no_instant(text, say) from None


def _read_moment(text: str, say: Wording) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_instant(text, say) from None
    if moment.tzinfo is None:
        raise BadQuestion(say("instant.no_zone", text=text), remedy=say("instant.write", instant=f"{text}Z"))
    return moment


def _no_instant(text: str, say: Wording) -> BadQuestion:
    return BadQuestion(
        say("instant.unreadable", text=text), remedy=say("instant.write", instant="2026-11-20T12:00:00Z")
    )


def today_in(zone: tzinfo) -> date:
    """Return today's day in the register's zone."""
    return datetime.now(zone).date()


def _no_such_day(text: str, year: int, month: int, day: int, say: Wording) -> BadQuestion:
    if 1 <= month <= 12 and year >= 1 and day > 0:
        last = calendar.monthrange(year, month)[1]
        return BadQuestion(
            say("day.none", text=text, last=last), remedy=say("day.write", day=f"{year:04}-{month:02}-{last:02}")
        )
    return BadQuestion(say("day.unreadable", text=text), remedy=say("day.write", day="2025-03-01"))


def _refuse_form(text: str, year: int, month: int, day: int, say: Wording) -> date:
    try:
        meant = date(year, month, day)
    except ValueError:
        raise _no_such_day(text, year, month, day, say) from None
    raise BadQuestion(say("day.other_form", text=text), remedy=say("day.write", day=meant.isoformat()))


def _partial(text: str, example: str, say: Wording) -> BadQuestion:
    return BadQuestion(say("day.partial", text=text), remedy=say("day.write", day=example))
