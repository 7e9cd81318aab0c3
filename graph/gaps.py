"""Read the findings: what is wrong on a day, how much of it by rule, body, level, area and field, and what changed.

Everything is read from the graph of findings, which holds for every day, so ``as_of``, trend and difference cost one
query each; what was known at an earlier revision is read from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, cast

import pyoxigraph as ox

from graph.errors import BadQuestion
from graph.findings import GRAVITY, Finding, finding_of
from graph.model import Interval
from graph.store import Reader
from graph.terms import D, Graphs

_GRAPH = ox.NamedNode(Graphs.findings)
_AT_ONCE: Final = 500


class By(StrEnum):
    """Say by what findings are counted."""

    rule = D.rule
    severity = D.severity
    body = D.answeredBy
    level = D.atLevel
    area = D.inArea
    field = D.inField


@dataclass(frozen=True, slots=True)
class Wanted:
    """Choose findings: each part holds IRIs of which one must fit, and is empty where anything does.

    ``about`` are the things themselves. The parts are joined by *and*.
    """

    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """Return the inside of a SPARQL group about ``?finding``; those that choose most narrowly stand first."""
        parts = (
            (D.about, self.about), (By.body, self.bodies), (By.area, self.areas), (By.field, self.fields),
            (D.rule, self.rules), (By.level, self.levels), (D.severity, self.severities),
        )  # fmt: skip
        text = [f"?finding <{D.rule}> ?rule ."]
        for number, (predicate, values) in enumerate(parts):
            if len(values) == 1:
                text.insert(number, f"?finding <{predicate}> {_iri(values[0])} .")
            elif values:  # a finding under two of them comes twice
                name = f"?any{number}"
                text.append(f"?finding <{predicate}> {name} . FILTER ({name} IN ({', '.join(map(_iri, values))}))")
        return " ".join(text)

    @property
    def distinct(self) -> str:
        """Return what to write before what is selected or counted."""
        several = (self.bodies, self.levels, self.areas, self.fields)
        return "DISTINCT" if any(len(values) > 1 for values in several) else ""


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Gap:
    """Hold a finding as it is shown: under whom it is filed, since when it is known, and since when it stands.

    ``finding.span`` are the days on which the same bodies answer for it; ``since`` is the first day of the fault itself
    (``None``: as long as anybody knows), before another body came to answer.
    """

    iri: str
    finding: Finding
    seen: date
    since: date | None
    bodies: tuple[str, ...]
    levels: tuple[str, ...]
    areas: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Hold some of the findings in their order, and how many there are."""

    gaps: tuple[Gap, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Count:
    """Hold how many findings there are under one IRI (``None``: under none), by severity."""

    key: str | None
    by_severity: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class Changed:
    """Hold what is wrong on the later of two days and was not on the earlier, and the other way round."""

    opened: tuple[Gap, ...]
    closed: tuple[Gap, ...]


# --- one day ----------------------------------------------------------------------------------------------------------


def gaps(
    reader: Reader, day: date, wanted: Wanted = EVERYTHING, *, offset: int = 0, limit: int | None = 100
) -> Page:
    """Return the findings of a day: the gravest first, then by rule and by what they are about; ``None``: all."""
    found = listed(reader, day, wanted)
    some = found[offset:] if limit is None else found[offset : offset + limit]
    return Page(tuple(read(reader, some)), len(found))


def listed(reader: Reader, day: date, wanted: Wanted = EVERYTHING) -> list[str]:
    """Return the IRIs of the findings of a day in the order of ``gaps``, for whoever shows them page by page."""
    rows = cast(
        ox.QuerySolutions,
        reader.query(
            f"SELECT {wanted.distinct} ?finding ?rule ?severity ?about {{ GRAPH <{Graphs.findings}> {{"
            f" {wanted.pattern} {_on(day)} ?finding <{D.severity}> ?severity ; <{D.about}> ?about }} }}"
        ),
    )
    found = sorted(
        (GRAVITY.get(row["severity"].value, len(GRAVITY)), row["rule"].value, row["about"].value, row["finding"].value)
        for row in rows
    )
    return [iri for *_, iri in found]


def read(reader: Reader, findings: Sequence[str]) -> Iterator[Gap]:
    """Yield findings by their IRIs, in this order."""
    for start in range(0, len(findings), _AT_ONCE):
        some = findings[start : start + _AT_ONCE]
        said = _said(reader, some)
        read_now = {iri: finding_of(quads)[0] for iri, quads in said.items()}
        since = _since(reader, read_now)
        for iri in some:
            finding, seen = finding_of(said[iri])
            yield Gap(
                iri, finding, seen, since[iri],
                *(
                    tuple(sorted(q.object.value for q in said[iri] if q.predicate.value == by))  # type: ignore[union-attr]
                    for by in (By.body, By.level, By.area, By.field)
                ),
            )  # fmt: skip


def _said(reader: Reader, findings: Iterable[str]) -> dict[str, list[ox.Quad]]:
    said: dict[str, list[ox.Quad]] = {}
    for quad in reader.outgoing(findings):
        if quad.graph_name == _GRAPH:
            said.setdefault(quad.subject.value, []).append(quad)  # type: ignore[union-attr]
    return said


def _since(reader: Reader, findings: dict[str, Finding]) -> dict[str, date | None]:
    """Return since when each fault stands without a break, whoever answered for it."""
    later = {iri for iri, finding in findings.items() if finding.span.start is not None}
    since = {iri: finding.span.start for iri, finding in findings.items()}
    about = {finding.about.value for iri, finding in findings.items() if iri in later}
    beside = sorted(
        {subject.value for subject, _, _, graph in reader.incoming(sorted(about), (D.about,)) if graph == _GRAPH}
    )
    #: fault → its last day → its first
    before: dict[str, dict[date, date | None]] = {}
    for quads in _said(reader, beside).values():
        part, _ = finding_of(quads)
        if part.span.end is not None:
            before.setdefault(part.fault, {})[part.span.end] = part.span.start
    for iri in later:
        ends = before.get(findings[iri].fault, {})
        start = since[iri]
        while start is not None and start in ends:
            start = ends[start]
        since[iri] = start
    return since


# --- numbers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """Hold how many findings there are of one sort, whatever the day: answers for any day without another query."""

    revision: int
    #: key (``None``: filed under none), severity, first day, end → how many
    numbers: dict[tuple[str | None, str, Interval], int] = field(default_factory=dict)

    def on(self, day: date) -> list[Count]:
        """Return the numbers of a day, the largest first."""
        found: dict[str | None, Counter[str]] = {}
        for (key, severity, span), number in self.numbers.items():
            if span.contains(day):
                found.setdefault(key, Counter())[severity] += number
        counts = [Count(key, dict(sorted(numbers.items()))) for key, numbers in found.items()]
        return sorted(counts, key=lambda count: (-count.total, count.key or ""))

    def days(self) -> list[date]:
        """Return the days on which a number changes, in order."""
        ends = {day for _, _, span in self.numbers for day in (span.start, span.end) if day is not None}
        return sorted(ends)


def tally(reader: Reader, by: By, wanted: Wanted = EVERYTHING) -> Tally:
    """Count the findings by rule, severity, body, level, area or field, for all days at once.

    A finding under two bodies counts for both, and for *none* where it is filed under none.
    """
    key = {By.rule: "?rule", By.severity: "?severity"}.get(by, "?key")
    under = f"OPTIONAL {{ ?finding <{by}> ?key }}" if key == "?key" else ""
    columns = " ".join(dict.fromkeys((key, "?severity", "?from", "?until")))
    rows = cast(
        ox.QuerySolutions,
        reader.query(
            f"SELECT {columns} (COUNT({wanted.distinct} ?finding) AS ?number) {{"
            f" GRAPH <{Graphs.findings}> {{ {wanted.pattern} ?finding <{D.severity}> ?severity ."
            f" OPTIONAL {{ ?finding <{D.from_}> ?from }} OPTIONAL {{ ?finding <{D.until}> ?until }} {under} }} }}"
            f" GROUP BY {columns}"
        ),
    )
    numbers: dict[tuple[str | None, str, Interval], int] = {}
    for row in rows:
        found = row[key[1:]]
        about = (found.value if found is not None else None, row["severity"].value, _span(row["from"], row["until"]))
        numbers[about] = numbers.get(about, 0) + int(row["number"].value)
    return Tally(reader.revision, numbers)


def counts(reader: Reader, by: By, day: date, wanted: Wanted = EVERYTHING) -> list[Count]:
    """Return how many findings there are on a day, by rule, severity, body, level, area or field."""
    return tally(reader, by, wanted).on(day)


def trend(
    reader: Reader, days: Iterable[date], wanted: Wanted = EVERYTHING, by: By = By.severity
) -> list[tuple[date, list[Count]]]:
    """Return the numbers of several days, in their order."""
    whole = tally(reader, by, wanted)
    return [(day, whole.on(day)) for day in days]


# --- what changed -----------------------------------------------------------------------------------------------------


def between(reader: Reader, earlier: date, later: date, wanted: Wanted = EVERYTHING) -> Changed:
    """Compare two days: what opened in between and still stands, and what closed. Another body is no difference."""
    if later < earlier:
        raise BadQuestion(f"{later} lies before {earlier}", remedy="Give the earlier day first.")
    before, after = (_standing(reader, day, wanted, other) for day, other in ((earlier, later), (later, earlier)))
    gone, come = (_faults(reader, found) for found in (before, after))
    return Changed(
        tuple(read(reader, [iri for fault, iri in sorted(come.items()) if fault not in gone])),
        tuple(read(reader, [iri for fault, iri in sorted(gone.items()) if fault not in come])),
    )


def _standing(reader: Reader, day: date, wanted: Wanted, other: date) -> list[str]:
    """Return the findings of one day that are not, under the same body, those of the other."""
    rows = cast(
        ox.QuerySolutions,
        reader.query(
            f"SELECT ?finding ?from ?until {{ GRAPH <{Graphs.findings}> {{ {wanted.pattern} {_on(day)} }} }}"
        ),
    )
    return [row["finding"].value for row in rows if not _span(row["from"], row["until"]).contains(other)]


def _faults(reader: Reader, findings: Collection[str]) -> dict[str, str]:
    return {finding_of(quads)[0].fault: iri for iri, quads in _said(reader, sorted(findings)).items()}


# --- SPARQL -----------------------------------------------------------------------------------------------------------


def _on(day: date) -> str:
    """Return a pattern that holds for a ``?finding`` that stands on a day."""
    text = f'"{day.isoformat()}"^^<http://www.w3.org/2001/XMLSchema#date>'
    return (
        f"OPTIONAL {{ ?finding <{D.from_}> ?from }} OPTIONAL {{ ?finding <{D.until}> ?until }}"
        f" FILTER (!BOUND(?from) || ?from <= {text}) FILTER (!BOUND(?until) || {text} < ?until)"
    )


def _iri(text: str) -> str:
    """Write an IRI for a query; raise ``BadQuestion`` where it is none."""
    try:
        return str(ox.NamedNode(text))
    except ValueError as fault:
        raise BadQuestion(f"{text} is no IRI", remedy="Write it in full, as in https://example.org/x.") from fault


def _span(start: object, end: object) -> Interval:
    days = (date.fromisoformat(day.value) if isinstance(day, ox.Literal) else None for day in (start, end))
    return Interval(*days)
