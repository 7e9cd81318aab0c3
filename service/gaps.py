"""Answer where the gaps are: which findings stand on a day, how many under what, and what changed since another day.

One question, read from a command line or an address, and one answer, for the terminal, the pages and programs alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from graph.errors import BadQuestion
from graph.gaps import EVERYTHING, By, Changed, Count, Tally, Wanted, between, listed, read, tally
from graph.labels import labels, tail
from graph.rules import Rules
from graph.terms import Level
from service import asking
from service.asking import RegisterReader
from service.clocks import parse_day, today_in
from service.reporting import SEVERITIES, Named, Row, rows_of_gaps, severity_of, title_of
from service.wording import Wording

#: by what findings are counted, in the order of the page
BYS = {"rule": By.rule, "body": By.body, "level": By.level, "area": By.area, "field": By.field}
LEVELS = tuple(tail(iri) for iri in (Level.central, Level.province, Level.district, Level.commune))
#: how many months a trend looks back, its last day included
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what was asked about: the day, what to keep to, and the day to compare with."""

    day: date
    wanted: Wanted
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """Hold how many findings stand under one thing; ``opened`` and ``closed`` since the other day, if one was asked."""

    key: Named
    errors: int
    warnings: int
    infos: int
    opened: int = 0
    closed: int = 0
    applicable: bool = True

    @property
    def total(self) -> int:
        return self.errors + self.warnings + self.infos

    def as_json(self) -> dict[str, Any]:
        return {
            "iri": self.key.iri, "label": self.key.label, "total": self.total, "error": self.errors,
            "warning": self.warnings, "info": self.infos, "opened": self.opened, "closed": self.closed,
            "applicable": self.applicable,
        }  # fmt: skip


def read_question(
    reader: RegisterReader, rules: Rules, say: Wording, *, as_of: str = "", since: str = "",
    rule: Iterable[str] = (), body: Iterable[str] = (), level: Iterable[str] = (), area: Iterable[str] = (),
    field: Iterable[str] = (), severity: Iterable[str] = (), about: Iterable[str] = (),
) -> Question:  # fmt: skip
    """Return the question with its names read as IRIs; raise ``BadQuestion`` or ``NotFound`` for what means nothing."""
    day = parse_day(as_of, say) if as_of else today_in(reader.pack.timezone)
    earlier = parse_day(since, say) if since else None
    if earlier is not None and earlier > day:
        raise BadQuestion(
            say("gaps.since_later", since=say.day(earlier), day=say.day(day)), remedy=say("gaps.since_earlier")
        )
    wanted = Wanted(
        rules=tuple(_rule(name, rules, say) for name in _each(rule)),
        severities=tuple(_severity(name, say) for name in _each(severity)),
        bodies=tuple(_thing(reader, text, ("body", "post"), as_of, say, "gaps.no_body") for text in _each(body)),
        levels=tuple(_level(name, say) for name in _each(level)),
        areas=tuple(_thing(reader, text, ("area",), as_of, say, "gaps.no_area") for text in _each(area)),
        fields=tuple(_thing(reader, text, ("field",), as_of, say, "gaps.no_field") for text in _each(field)),
        about=tuple(_each(about)),
    )
    return Question(day, wanted, earlier)


def no_way(by: str, say: Wording) -> BadQuestion:
    """Say that findings cannot be counted by this."""
    return BadQuestion(say("gaps.no_by", by=by), remedy=say("gaps.bys", names=", ".join(BYS)))


def _each(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))


def _rule(name: str, rules: Rules, say: Wording) -> str:
    if name in rules.by_iri:
        return name
    if name not in rules.by_name:
        raise BadQuestion(say("rules.unknown", name=name), remedy=say("rules.list"))
    return rules.by_name[name].iri


def _severity(name: str, say: Wording) -> str:
    for iri, ours in SEVERITIES.items():
        if name == ours:
            return iri
    raise BadQuestion(say("gaps.no_severity", name=name), remedy=say("gaps.severities"))


def _level(name: str, say: Wording) -> str:
    if name.startswith(Level.NS):
        return name
    if name not in LEVELS:
        raise BadQuestion(say("gaps.no_level", name=name), remedy=say("gaps.levels", names=", ".join(LEVELS)))
    return Level.NS + name


def _thing(reader: RegisterReader, text: str, kinds: Sequence[str], as_of: str, say: Wording, key: str) -> str:
    question = asking.read_question(reader, text, as_of, "", say)
    if question.names_iri:
        return question.text
    hits = asking.find(reader, question, say, kinds, 1)
    if not hits:
        raise BadQuestion(say(key, text=text), remedy=say("question.try"))
    return hits[0].iri


# --- what is counted once per revision ------------------------------------------------------------------------------


class _Kept:
    """Keep the numbers and the order of findings that questions share, of the newest revisions of one register."""

    _MOST = 64

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Any] = {}

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        found = self._known.get(key)
        if found is None:
            found = make()
            if len(self._known) >= self._MOST:
                self._known.clear()
            self._known[key] = found
        return found


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def _tally(reader: RegisterReader, by: By, wanted: Wanted) -> Tally:
    """Return the numbers of all days: another day, or a trend, is no other question."""
    key = (reader.revision, by, wanted)
    found: Tally = _kept.setdefault(reader, _Kept()).get(key, lambda: tally(reader.graph, by, wanted))
    return found


def _listed(reader: RegisterReader, question: Question) -> list[str]:
    key = (reader.revision, question.day, question.wanted)
    found: list[str] = _kept.setdefault(reader, _Kept()).get(
        key, lambda: listed(reader.graph, question.day, question.wanted)
    )
    return found


# --- answers --------------------------------------------------------------------------------------------------------


def numbers(reader: RegisterReader, rules: Rules, question: Question, by: str, say: Wording) -> list[Number]:
    """Return how many findings stand under what on the day, the most first; by rule, each rule, found or not."""
    found = _tally(reader, BYS[by], question.wanted).on(question.day)
    moved = changed(reader, question)
    opened, closed = (_filed(several, by) for several in (moved.opened, moved.closed)) if moved else ({}, {})
    keys = [count.key or "" for count in found]
    keys += sorted({*opened, *closed} - set(keys))
    if by == "rule":
        asked = set(question.wanted.rules)
        rest = [rule.iri for rule in rules if rule.iri not in keys and (not asked or rule.iri in asked)]
        keys += rest
    names = _names(reader, rules, keys, by, question.day, say)
    totals = {count.key or "": count for count in found}
    rows = []
    for key in keys:
        split = _split(totals[key]) if key in totals else {}
        rule = rules.by_iri.get(key) if by == "rule" else None
        rows.append(
            Number(
                Named(key, names[key]), split.get("error", 0), split.get("warning", 0), split.get("info", 0),
                opened.get(key, 0), closed.get(key, 0), rule.applicable(question.day) if rule else True,
            )
        )  # fmt: skip
    return rows


def found_by_rule(reader: RegisterReader, day: date) -> dict[str, int]:
    """Return rule → how many findings it has on the day."""
    return {count.key or "": count.total for count in _tally(reader, By.rule, EVERYTHING).on(day)}


def severities(reader: RegisterReader, question: Question) -> dict[str, int]:
    """Return how many findings of each severity stand on the day."""
    return _severities(_tally(reader, By.rule, question.wanted), question.day)


def _severities(whole: Tally, day: date) -> dict[str, int]:
    """Add up by severity what is counted by rule: each finding is of one rule, and the numbers are there already."""
    found = {ours: 0 for ours in SEVERITIES.values()}
    for count in whole.on(day):
        for severity, number in count.by_severity.items():
            found[severity_of(severity)] += number
    return found


def changed(reader: RegisterReader, question: Question) -> Changed | None:
    """Return what opened and closed since the other day, ``None`` where none was asked for."""
    if question.since is None:
        return None
    return between(reader.graph, question.since, question.day, question.wanted)


def page(
    reader: RegisterReader, rules: Rules, question: Question, say: Wording, *, offset: int = 0, limit: int | None = None
) -> tuple[list[Row], int]:
    """Return some of the findings of the day, and how many there are."""
    found = _listed(reader, question)
    some = found[offset:] if limit is None else found[offset : offset + limit]
    languages = asking.languages_of(say, reader)
    gaps = list(read(reader.graph, some))
    return rows_of_gaps(reader.graph, gaps, rules, question.day, languages, say), len(found)


def moves(reader: RegisterReader, rules: Rules, question: Question, say: Wording) -> dict[str, list[Row]]:
    """Return the findings that opened and those that closed since the other day."""
    moved = changed(reader, question)
    if moved is None:
        return {}
    languages = asking.languages_of(say, reader)
    return {
        way: rows_of_gaps(reader.graph, several, rules, question.day, languages, say)
        for way, several in (("opened", moved.opened), ("closed", moved.closed))
    }


def course(reader: RegisterReader, question: Question) -> list[tuple[date, dict[str, int]]]:
    """Return the numbers of the first day of each month up to the day, and of the day itself, by severity."""
    days = []
    year, month = question.day.year, question.day.month
    for _ in range(_MONTHS):
        days.append(date(year, month, 1))
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
        if year < 1:
            break
    days = [*reversed(days), *([question.day] if question.day.day != 1 else [])]
    whole = _tally(reader, By.rule, question.wanted)
    return [(day, _severities(whole, day)) for day in days]


def _filed(several: Iterable[Any], by: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for gap in several:
        under = {
            "rule": (gap.finding.rule,), "body": gap.bodies, "level": gap.levels, "area": gap.areas,
            "field": gap.fields,
        }[by]  # fmt: skip
        for key in under or ("",):
            found[key] = found.get(key, 0) + 1
    return found


def _split(count: Count) -> dict[str, int]:
    found: dict[str, int] = {}
    for severity, number in count.by_severity.items():
        found[severity_of(severity)] = found.get(severity_of(severity), 0) + number
    return found


def _names(
    reader: RegisterReader, rules: Rules, keys: Iterable[str], by: str, day: date, say: Wording
) -> dict[str, str]:
    wanted = [key for key in keys if key]
    if by == "rule":
        names = {key: title_of(rules.by_iri[key], say) if key in rules.by_iri else tail(key) for key in wanted}
    else:
        names = labels(reader.graph, wanted, day, asking.languages_of(say, reader))
        if by == "level":
            names = {key: say.coded("level", tail(key)) for key in wanted}
    return {**names, "": say("gaps.none_of", what=say(f"by.{by}").lower())}
