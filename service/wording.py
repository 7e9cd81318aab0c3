"""Say every word of the pages and the terminal from one catalogue, in Vietnamese or English.

``catalogue.toml`` holds one line per word: ``"key" = { vi = "…", en = "…" }``. A test holds that every key used
exists in both languages and that no key is left unused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from service.settings import LANGUAGES

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@cache
def read_catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return key -> language -> text, as the file states them."""
    with Path(__file__).with_name("catalogue.toml").open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True, slots=True)
class Wording:
    """Speak one language: call it with a key and the values that the text names.

    ``iso`` writes days as they are typed at a terminal, whatever the language; ``own_names`` calls bodies and data by
    the names the register's country gives them, for a reader who has not asked for a language.
    """

    language: str
    iso: bool = False
    own_names: bool = False

    def __call__(self, key: str, **values: object) -> str:
        text = read_catalogue()[key][self.language]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Tell whether the catalogue knows the key; codes that come from data may be newer than the catalogue."""
        return key in read_catalogue()

    def coded(self, family: str, code: str) -> str:
        """Return the words for a code of the data, such as a status, else the code itself."""
        key = f"{family}.{code}"
        return self(key) if self.has(key) else code

    def number(self, number: int) -> str:
        """Write a whole number with its thousands apart: 3.321, 3,321."""
        return f"{number:,}".replace(",", "." if self.language == "vi" else ",")

    def day(self, day: date | str) -> str:
        """Write a day the way the language does: 01/03/2025, 1 March 2025."""
        day = _as_day(day)
        if self.iso:
            return day.isoformat()
        if self.language == "vi":
            return f"{day:%d/%m/%Y}"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def last_day(self, until: date | str) -> str:
        """Write the last day before an exclusive end, because people read an end as included."""
        return self.day(last_day(until))

    def instant(self, instant: datetime) -> str:
        """Write an instant to the minute, in the zone it carries."""
        return f"{self.day(instant.date())} {instant:%H:%M}"


def last_day(until: date | str) -> date:
    """Return the last day that an exclusive end still includes."""
    return _as_day(until) - timedelta(days=1)


def _as_day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def prefer_language(asked: str | None, accepted: str, fallback: str) -> str:
    """Choose a language: the one asked for, else the best of an ``Accept-Language`` header, else the fallback.

    Quality values are honoured (RFC 9110 §12.5.4); what cannot be read is passed over.
    """
    if asked in LANGUAGES:
        return asked
    best, weight = fallback, 0.0
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        _, _, number = quality.partition("=")
        try:
            value = float(number) if quality else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and value > weight:
            best, weight = language, value
    return best


def locale_language(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal by its locale (``LC_ALL`` before ``LC_MESSAGES`` before ``LANG``)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "vi" if environment[name].lower().startswith("vi") else "en"
    return "en"
