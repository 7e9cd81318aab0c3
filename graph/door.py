"""Stand at the door: refuse what cannot be recorded, wave through what is merely wrong about the world.

Malformed is: a term of ours that does not exist or that only the register writes, a day that is no day, an interval
that ends before it starts. A cycle, a missing holder or two holders of one role are facts, and become findings later.
"""

from __future__ import annotations

import difflib
import re
from array import array
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

import pyoxigraph as ox

from graph.errors import ForeignGraph, Malformed
from graph.files import MAX_LINE
from graph.terms import BASE, RDF, XSD, Confidence, D, Graphs

TERMS: Final = frozenset(
    value for name, value in vars(D).items() if not name.startswith("_") and name != "NS" and isinstance(value, str)
)
"""Every term of the ontology."""

DERIVED: Final = frozenset(
    {
        D.scopeKey, D.about, D.status, D.premise, D.rule, D.value, D.severity, D.firstSeen, D.resolvedOn, D.revision,
        D.asOf, D.Standing, D.Finding, D.Evaluation, D.Plan,
    }
)  # fmt: skip
"""Terms that only the register itself writes."""

DAYS: Final = frozenset(
    {
        D.from_, D.until, D.issuedOn, D.gazettedOn, D.grantedOn, D.effectiveOn, D.appliesFrom, D.appliesUntil, D.doneOn,
        D.readyOn, D.publishedOn,
    }
)  # fmt: skip
INSTANTS: Final = frozenset({D.recordedAt, D.withdrawnAt})
HISTORY: Final = INSTANTS | {D.versionOf}
"""Terms that only a load with history may carry."""

BOOLEANS: Final = frozenset(
    {
        D.normative, D.exclusive, D.principal, D.transitional, D.mandatory, D.signIn, D.fee, D.openFormat,
        D.selfFunded,
    }
)  # fmt: skip
TEXTS: Final = frozenset({D.condition, D.reason, D.manner, D.resources})
"""Terms of ours whose values are words; all that are neither these, days, instants nor truth values link to things."""

LINKS: Final = TERMS - DERIVED - DAYS - INSTANTS - BOOLEANS - TEXTS - {D.confidence}
"""Terms of ours that link to things (and classes, which are never predicates)."""

OWN: Final = (D.NS, BASE + "standing/", BASE + "finding/", BASE + "scope/", Graphs.NS)
"""How the names of things begin that the register alone speaks of: its words, and what it derives."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z")

Subject = ox.NamedNode | ox.BlankNode | ox.Triple
Target = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Check = Callable[[Subject, Target], None]


def short(term: str) -> str:
    """Write a term of ours with its prefix."""
    return "d:" + term.removeprefix(D.NS) if term.startswith(D.NS) else term


def read_day(target: Target) -> date | None:
    """Return the day that a literal states: ``xsd:date``, four-digit year, no zone, a day of the calendar."""
    if not isinstance(target, ox.Literal) or target.datatype.value != XSD.date or not _DAY.fullmatch(target.value):
        return None
    try:
        return date.fromisoformat(target.value)
    except ValueError:
        return None


def is_instant(target: Target) -> bool:
    """Tell whether a literal states an instant: ``xsd:dateTime`` in Z on a day of the calendar."""
    if not isinstance(target, ox.Literal) or target.datatype.value != XSD.dateTime:
        return False
    found = _INSTANT.fullmatch(target.value)
    if not found:
        return False
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return False
    return True


class Door:
    """Check the statements of one load, one by one; ``checks`` gives each predicate its test, or none.

    Usage: ``check = door.checks[predicate]``; ask ``door.learn`` for one that is not there yet. A test raises
    ``Malformed`` without a place, which only the caller knows. ``own`` is for what comes with the register itself.
    """

    def __init__(self, *, history: bool = False, own: bool = False) -> None:
        self.own = own
        self.checks: dict[ox.NamedNode, Check | None] = {}
        self._history = history
        self._days: dict[Target, date] = {}
        self._from_keys = array("q")
        self._from_days = array("l")
        self._until: dict[int, int] = {}

    def learn(self, predicate: ox.NamedNode) -> Check | None:
        """Decide once per predicate what has to be checked; raise ``Malformed`` for one that does not exist."""
        term = predicate.value
        check = self._check_of(term)
        self.checks[predicate] = check
        return check

    def note(self, predicate: ox.NamedNode) -> None:
        """Let a predicate pass, but as one that is not plain: the caller does something with it."""
        self.checks[predicate] = _pass

    def _check_of(self, term: str) -> Check | None:
        if term == RDF.type:
            return self._check_type
        if not term.startswith(D.NS):
            return None
        self._check_term(term)
        if term in HISTORY and not self._history:
            raise Malformed(
                f"{short(term)} is set by the register", remedy="Remove it, or load the file with --history."
            )
        if term in DAYS:
            return lambda subject, target: self._check_day(term, subject, target)
        if term in INSTANTS:
            return lambda subject, target: _check_instant(term, target)
        if term in BOOLEANS:
            return lambda subject, target: _check_boolean(term, target)
        if term in TEXTS:
            return self._check_target
        if term == D.confidence:
            return _check_confidence
        return lambda _, target: self._check_link(term, target)

    def _check_term(self, term: str) -> None:
        if term in DERIVED:
            raise Malformed(f"{short(term)} is derived by the register", remedy="Remove it: it is worked out anew.")
        if term not in TERMS:
            names = [known.removeprefix(D.NS) for known in TERMS]
            near = difflib.get_close_matches(term.removeprefix(D.NS), names, n=1, cutoff=0.75)
            remedy = f"Write d:{near[0]}." if near else "Use a term of the ontology, or one of your own namespace."
            raise Malformed(f"There is no term {short(term)}", remedy=remedy)

    def _check_type(self, subject: Subject, target: Target) -> None:
        if isinstance(target, ox.NamedNode) and target.value.startswith(D.NS):
            self._check_term(target.value)

    def check_subject(self, subject: Subject) -> None:
        """Refuse a statement about what only the register speaks of."""
        if not self.own and isinstance(subject, ox.NamedNode) and subject.value.startswith(OWN):
            if subject.value.startswith(D.NS):
                self._check_term(subject.value)
                told = f"{short(subject.value)} is a word of the ontology"
            else:
                told = f"{subject.value} is derived by the register"
            raise Malformed(
                f"{told}, and no other source may speak of it",
                remedy="Remove the statement, or use an IRI of your own.",
            )

    def _check_link(self, term: str, target: Target) -> None:
        if isinstance(target, ox.Literal):
            raise Malformed(
                f"{short(term)} is the text {_told(target)}, and must name a thing", remedy="Write its IRI."
            )
        self._check_target(target, target)

    def _check_target(self, _: Subject, target: Target) -> None:
        if isinstance(target, ox.NamedNode) and target.value.startswith(D.NS):
            self._check_term(target.value)

    def _check_day(self, term: str, subject: Subject, target: Target) -> None:
        day = self._days.get(target) or read_day(target)
        if day is None:
            raise Malformed(
                f"{short(term)} is {_told(target)}, which is no day",
                remedy='Write a day of the calendar without zone, such as "2025-03-01"^^xsd:date; '
                "keep a partial date as text in dct:date.",
            )
        self._days[target] = day
        if isinstance(subject, ox.BlankNode):
            return  # its interval is checked once it has a name
        if term in (D.from_, D.until):
            self.note_bound(subject, day.toordinal(), starts=term == D.from_)

    def note_bound(self, subject: Subject, day: int, *, starts: bool) -> None:
        """Remember on which day (an ordinal) something starts or ends, for ``inverted``."""
        key = hash(subject)
        if starts:
            self._from_keys.append(key)
            self._from_days.append(day)
        else:
            self._until[key] = min(day, self._until.get(key, day))

    def inverted(self) -> frozenset[int]:
        """Return the keys of subjects whose ``until`` lies before their ``from`` (a hash each: confirm them)."""
        until = self._until
        return frozenset(
            key for key, day in zip(self._from_keys, self._from_days, strict=True) if key in until and until[key] < day
        )


def check_shape(subject: Subject, target: Target) -> None:
    """Refuse what RDF allows and the register does not keep: statements about statements, endless texts."""
    if isinstance(subject, ox.Triple) or isinstance(target, ox.Triple):
        raise Malformed("A statement about a statement cannot be recorded", remedy="Make a record of it.")
    if isinstance(target, ox.Literal) and len(target.value) > MAX_LINE:
        raise Malformed(
            f"A text is longer than {MAX_LINE} characters (it begins: {target.value[:40]}…)",
            remedy="Keep long texts elsewhere and state where they are.",
        )


def check_source(source: str) -> None:
    """Refuse a source that is no absolute IRI, or that belongs to the register itself."""
    try:
        ox.NamedNode(source)
    except ValueError as fault:
        raise Malformed(f"The source {source[:200]} is no IRI", remedy="Name the source by an absolute IRI.") from fault
    if source.startswith(Graphs.NS):
        raise ForeignGraph(f"The graph {source} belongs to the register", remedy="Choose another source.")


def inverted_remedy() -> str:
    """Say what to do about an interval that ends before it starts."""
    return "Correct one of the days; d:until is the first day on which it no longer holds."


def intervals(quads: Iterator[ox.Quad], keys: frozenset[int]) -> Iterator[tuple[int, str, date, date]]:
    """Yield number, subject and days of the first truly inverted interval among the statements of one file."""
    seen: dict[Subject, list[tuple[int, bool, date]]] = {}
    for number, quad in enumerate(quads, 1):
        predicate = quad.predicate.value
        if predicate not in (D.from_, D.until) or hash(quad.subject) not in keys:
            continue
        day = read_day(quad.object)
        if day is None:
            continue
        others = seen.setdefault(quad.subject, [])
        starts = predicate == D.from_
        for _, other_starts, other in others:
            if other_starts != starts:
                start, end = (day, other) if starts else (other, day)
                if end < start:
                    yield number, str(quad.subject), start, end
                    return
        others.append((number, starts, day))


def _pass(subject: Subject, target: Target) -> None:
    """Find nothing wrong."""


def _check_instant(term: str, target: Target) -> None:
    if not is_instant(target):
        raise Malformed(
            f"{short(term)} is {_told(target)}, which is no instant",
            remedy='Write an instant in Z, such as "2026-11-21T02:00:00Z"^^xsd:dateTime.',
        )


def _check_confidence(_: Subject, target: Target) -> None:
    if not isinstance(target, ox.NamedNode) or target.value not in Confidence.ORDER:
        marks = ", ".join(mark.removeprefix(BASE) for mark in Confidence.ORDER)
        raise Malformed(
            f"d:confidence is {_told(target)}, which is no mark", remedy=f"Write one of {marks} under {BASE}."
        )


def _check_boolean(term: str, target: Target) -> None:
    good = {"true", "false", "1", "0"}
    if not isinstance(target, ox.Literal) or target.datatype.value != XSD.boolean or target.value not in good:
        raise Malformed(f"{short(term)} is {_told(target)}, which is no truth value", remedy="Write true or false.")


def _told(target: Target) -> str:
    text = str(target).replace(XSD.NS, "xsd:").replace("<xsd:", "xsd:").removesuffix(">") if (
        isinstance(target, ox.Literal)
    ) else str(target)  # fmt: skip
    return text if len(text) <= 80 else text[:80] + "…"
