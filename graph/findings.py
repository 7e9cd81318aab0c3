"""Write down what the rules find: each fault with the days on which it stands, as a derived graph.

What a rule finds about a thing changes only on the days that stand in what the rule reads, and on the first and last
day of the rule itself. So each thing is judged before all of its days and on each, and neighbours that say the same are
joined: a finding holds for an interval, and any day, trend or difference is read, never judged again. A new day changes
nothing here. Findings are never premises of others: their own words are not those of records, and they are not judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path as File
from typing import Final

import pyoxigraph as ox

from graph.checking import Checker
from graph.concern import Concern
from graph.ledger import Line
from graph.model import ALWAYS, Interval
from graph.rules import Judges, Rule, Rules, is_finding, read_rules, spans_of_acts, version_of
from graph.shacl.paths import SH, edges
from graph.shacl.shapes import INFO, VIOLATION, WARNING, Result, Term, Trigger
from graph.store import Reader
from graph.terms import RDF, XSD, D, Graphs

FORMAT: Final = 1
"""Raise it when the same rules give other findings than before: every register then makes its findings anew."""

GRAVITY: Final = {VIOLATION: 0, WARNING: 1, INFO: 2}

_FIRST: Final = date.min
_CHUNK: Final = 20_000

_GRAPH = ox.NamedNode(Graphs.findings)
_DATE = ox.NamedNode(XSD.date)
_TYPE, _FINDING = ox.NamedNode(RDF.type), ox.NamedNode(D.Finding)
_RULE, _ABOUT, _VALUE, _SEVERITY, _FROM, _UNTIL, _SEEN = (
    ox.NamedNode(term) for term in (D.rule, D.about, D.value, D.severity, D.from_, D.until, D.firstSeen)
)
_PATH, _MESSAGE, _COMPONENT, _SHAPE = (
    ox.NamedNode(SH + name) for name in ("resultPath", "resultMessage", "sourceConstraintComponent", "sourceShape")
)
_BODY, _LEVEL, _AREA, _FIELD = (
    ox.NamedNode(term) for term in (D.answeredBy, D.atLevel, D.inArea, D.inField)
)

_term = lru_cache(maxsize=10_000)(ox.NamedNode)


@lru_cache(maxsize=10_000)
def _day(day: date) -> ox.Literal:
    return ox.Literal(day.isoformat(), datatype=_DATE)


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one fault for the days it lasts. ``path`` is as in SPARQL, "" for none; ``shape`` is an IRI or ""."""

    rule: str
    about: Term
    path: str
    value: Term | None
    component: str
    severity: str
    span: Interval
    messages: tuple[ox.Literal, ...] = ()
    shape: str = ""

    @property
    def fault(self) -> str:
        """Return the digest of what is wrong, whatever the days and words."""
        key = "\n".join((self.rule, str(self.about), self.path, str(self.value or ""), self.component))
        return hashlib.sha256(key.encode()).hexdigest()[:32]

    @property
    def iri(self) -> str:
        """Name the finding after what is wrong and its first day, so that the same one keeps its name."""
        key = f"{self.fault}\n{self.span.start or ''}"
        return f"{Graphs.FINDING}{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    @property
    def line(self) -> Line:
        """Return the finding as the ledger takes it down."""
        return Line(self.fault, self.rule, name_of(self.about), self.severity, self.span)


def name_of(about: Term) -> str:
    """Write what a finding is about as the ledger does: an IRI bare, anything else as in N-Triples."""
    return about.value if isinstance(about, ox.NamedNode) else str(about)


@dataclass(slots=True)
class _Said:
    """Gather what results of one day say of one fault."""

    severity: str
    shape: str
    messages: set[ox.Literal] = field(default_factory=set)


_Fault = tuple[Term, str, str, Term | None, str]
"""Focus node, rule, path, value, component: what tells a fault from others."""


class Findings:
    """Find, with one set of rules, what stands on which days."""

    def __init__(self, rules: Rules, checker: Checker | None = None) -> None:
        self.rules = rules
        self.checker = checker or Checker(rules.shapes)
        self.roots: tuple[Term, ...] = tuple(shape.node for shape in rules.shapes.targeted())

    @staticmethod
    @lru_cache(maxsize=4)
    def with_rules(files: tuple[File, ...], version: str) -> Findings:
        """Return what finds with the rules of some files, read once as long as ``version`` is the same."""
        assert version == version_of_findings(files)
        return Findings(read_rules(files=files))

    def triggers(self, root: Term) -> tuple[Trigger, ...] | None:
        """Name the changed statements that can alter what is found: what the shapes read, and the days of acts."""
        found = self.checker.triggers(root)
        if found is None:
            return None
        for rule in self.rules.of_root(root):
            if rule.act_date is not None:
                crossed = edges(rule.act_date)
                if crossed is None:
                    return None
                found += tuple(Trigger(edge.predicate, None, edge.way) for edge in crossed)
        return found

    def of(self, reader: Reader, root: Term, nodes: Collection[Term] | None = None) -> Iterator[Finding]:
        """Yield what the rules of a root find about its focus nodes, or about those among ``nodes``, on any day."""
        rules = self.rules.of_root(root)
        hull = _hull(rules)
        first = hull.start or _FIRST
        now = self._gathered(self.checker.check(reader, first, roots=[root], nodes=nodes))
        if not self.checker.depends_on_day(root):
            spans = self._acts(reader, rules, now)
            for fault, said in now.items():
                yield from self._findings(fault, said, hull, spans)
            return
        days: dict[Term, set[date]] = {}
        for focus, day in self.checker.days(reader, root, nodes):
            if day > first and (hull.end is None or day < hull.end) and not is_finding(focus):
                days.setdefault(focus, set()).add(day)
        by_focus: dict[Term, dict[_Fault, _Said]] = {}
        for fault, said in now.items():
            by_focus.setdefault(fault[0], {})[fault] = said
        del now
        foci = sorted(by_focus.keys() | days.keys(), key=str)
        for start in range(0, len(foci), _CHUNK):
            some = foci[start : start + _CHUNK]
            pairs = [(focus, day) for focus in some for day in sorted(days.get(focus, ()))]
            on: dict[tuple[Term, date], dict[_Fault, _Said]] = {}
            for day, result in self.checker.on_days(reader, root, pairs):
                self._add(on.setdefault((result.focus, day), {}), result)
            spans = self._acts(reader, rules, [fault for here in on.values() for fault in here], by_focus, some)
            for focus in some:
                states: list[tuple[date | None, dict[_Fault, _Said]]] = [(hull.start, by_focus.pop(focus, {}))]
                states += [(day, on.get((focus, day), {})) for day in sorted(days.get(focus, ()))]
                for fault, said, span in _joined(states, hull.end):
                    yield from self._findings(fault, said, span, spans)

    def _gathered(self, results: Iterable[Result]) -> dict[_Fault, _Said]:
        found: dict[_Fault, _Said] = {}
        for result in results:
            if not is_finding(result.focus):
                self._add(found, result)
        return found

    def _add(self, found: dict[_Fault, _Said], result: Result) -> None:
        """Add a result; several that differ in their words alone are one fault with all of these."""
        fault, severity, messages, shape = read_result(self.rules, result)
        said = found.get(fault)
        if said is None:
            said = found[fault] = _Said(severity, shape)
        elif GRAVITY.get(severity, -1) < GRAVITY.get(said.severity, -1):
            said.severity = severity
        said.shape = min(said.shape, shape)
        said.messages.update(messages)

    def _acts(
        self,
        reader: Reader,
        rules: Iterable[Rule],
        faults: Iterable[_Fault],
        more: Mapping[Term, Iterable[_Fault]] | None = None,
        foci: Iterable[Term] = (),
    ) -> dict[str, dict[Term, Interval]]:
        """Return by rule about acts since when a fault of each of the focus nodes counts."""
        wanted: dict[str, set[Term]] = {rule.iri: set() for rule in rules if rule.judges is Judges.act}
        if wanted:
            for fault in [*faults, *(fault for focus in foci for fault in (more or {}).get(focus, ()))]:
                if fault[1] in wanted:
                    wanted[fault[1]].add(fault[0])
        return {iri: spans_of_acts(reader, self.rules.by_iri[iri], nodes) for iri, nodes in wanted.items()}

    def _findings(
        self, fault: _Fault, said: _Said, span: Interval, acts: Mapping[str, Mapping[Term, Interval]]
    ) -> Iterator[Finding]:
        focus, iri, path, value, component = fault
        rule = self.rules.by_iri[iri]
        counts = acts[iri].get(focus) if rule.judges is Judges.act else rule.applies
        if counts is None or (days := span & counts).is_empty:
            return
        yield Finding(
            iri, focus, path, value, component, said.severity, days, in_order(said.messages), said.shape
        )  # fmt: skip


def version_of_findings(files: Iterable[File]) -> str:
    """Return what changes when the rules in some files, or the way they are judged, change."""
    return f"{FORMAT}-{version_of(files)}"


def read_result(rules: Rules, result: Result) -> tuple[_Fault, str, tuple[ox.Literal, ...], str]:
    """Return what a result says is wrong, how grave it is, in what words, and which shape below the rule says so."""
    rule = rules.rule_of(result)
    fault = (
        result.focus, rule.iri, result.path.sparql if result.path is not None else "", result.value, result.component
    )  # fmt: skip
    shape = result.shape.value if isinstance(result.shape, ox.NamedNode) and result.shape != rule.node else ""
    messages = result.messages or tuple(fill(text, result) for text in rule.messages)
    return fault, rules.severity_of(result), messages, shape


def fill(template: ox.Literal, result: Result) -> ox.Literal:
    """Put the focus node, the value and the path into a rule's words, where the shape inside has none of its own."""
    text = template.value
    bound = (("this", result.focus), ("value", result.value))
    for name, term in bound:
        if term is not None:
            shown = f"<{term.value}>" if isinstance(term, ox.NamedNode) else term.value
            for mark in ("?", "$"):
                text = text.replace(f"{{{mark}{name}}}", shown)
    return ox.Literal(text, language=template.language) if template.language else ox.Literal(text)


def _hull(rules: Iterable[Rule]) -> Interval:
    """Return the days on which any of the rules can count."""
    spans = [rule.applies if rule.judges is Judges.state else Interval(rule.applies.start) for rule in rules]
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    return Interval(
        None if None in starts else min(day for day in starts if day is not None),
        None if None in ends else max(day for day in ends if day is not None),
    )


def _joined(
    states: list[tuple[date | None, dict[_Fault, _Said]]], end: date | None
) -> Iterator[tuple[_Fault, _Said, Interval]]:
    """Join neighbouring days on which a fault stands in the same words."""
    open_now: dict[_Fault, tuple[date | None, _Said]] = {}
    for day, found in states:
        for fault in [fault for fault, (_, said) in open_now.items() if found.get(fault) != said]:
            start, said = open_now.pop(fault)
            yield fault, said, Interval(start, day)
        for fault, said in found.items():
            open_now.setdefault(fault, (day, said))
    for fault, (start, said) in open_now.items():
        yield fault, said, Interval(start, end)


# --- the graph --------------------------------------------------------------------------------------------------------


def quads_of(finding: Finding, concerns: Iterable[Concern], seen: date) -> Iterator[ox.Quad]:
    """Write a finding as statements of the findings graph: apart where another body comes to answer for it.

    The parts follow one another without gap, and the first has the name of the finding.
    """
    for concern in concerns:
        part = replace(finding, span=concern.span)
        node = ox.NamedNode(part.iri)
        yield ox.Quad(node, _TYPE, _FINDING, _GRAPH)
        yield ox.Quad(node, _RULE, _term(part.rule), _GRAPH)
        yield ox.Quad(node, _ABOUT, part.about, _GRAPH)
        if part.path:
            yield ox.Quad(node, _PATH, _path(part.path), _GRAPH)
        if part.value is not None:
            yield ox.Quad(node, _VALUE, part.value, _GRAPH)
        yield ox.Quad(node, _COMPONENT, _term(part.component), _GRAPH)
        if part.shape:
            yield ox.Quad(node, _SHAPE, _term(part.shape), _GRAPH)
        yield ox.Quad(node, _SEVERITY, _term(part.severity), _GRAPH)
        for message in part.messages:
            yield ox.Quad(node, _MESSAGE, message, _GRAPH)
        if part.span.start is not None:
            yield ox.Quad(node, _FROM, _day(part.span.start), _GRAPH)
        if part.span.end is not None:
            yield ox.Quad(node, _UNTIL, _day(part.span.end), _GRAPH)
        yield ox.Quad(node, _SEEN, _day(seen), _GRAPH)
        for predicate, values in (
            (_BODY, concern.holders), (_LEVEL, concern.levels), (_AREA, concern.areas), (_FIELD, concern.fields),
        ):  # fmt: skip
            for value in values:
                yield ox.Quad(node, predicate, _term(value), _GRAPH)


def finding_of(quads: Iterable[ox.Quad]) -> tuple[Finding, date]:
    """Read a finding, or a part of one, from its statements, and the day on which it was first reported."""
    said: dict[ox.NamedNode, list[Term]] = {}
    for quad in quads:
        said.setdefault(quad.predicate, []).append(quad.object)  # type: ignore[arg-type]

    def one(predicate: ox.NamedNode) -> str:
        return said[predicate][0].value if predicate in said else ""

    def day(predicate: ox.NamedNode) -> date | None:
        return date.fromisoformat(one(predicate)) if predicate in said else None

    path = said.get(_PATH, [None])[0]
    finding = Finding(
        one(_RULE), said[_ABOUT][0], f"<{path.value}>" if isinstance(path, ox.NamedNode) else one(_PATH),
        said.get(_VALUE, [None])[0], one(_COMPONENT), one(_SEVERITY), Interval(day(_FROM), day(_UNTIL)),
        in_order(text for text in said.get(_MESSAGE, []) if isinstance(text, ox.Literal)), one(_SHAPE),
    )  # fmt: skip
    return finding, date.fromisoformat(one(_SEEN))


def whole(parts: Iterable[tuple[Finding, date]]) -> Iterator[tuple[Finding, date]]:
    """Join the parts of findings again: neighbours that differ in their days alone."""
    alike: dict[Finding, list[tuple[Interval, date]]] = {}
    for part, seen in parts:
        alike.setdefault(replace(part, span=ALWAYS), []).append((part.span, seen))
    for finding, spans in alike.items():
        spans.sort(key=lambda one: one[0].start or date.min)
        (span, seen), *rest = spans
        for further, _ in rest:
            if further.start == span.end:
                span = Interval(span.start, further.end)
            else:
                yield replace(finding, span=span), seen
                span = further
        yield replace(finding, span=span), seen


def in_order(messages: Iterable[ox.Literal]) -> tuple[ox.Literal, ...]:
    return tuple(sorted(messages, key=lambda text: (text.language or "", text.value)))


def _path(text: str) -> ox.NamedNode | ox.Literal:
    """Write a path of one predicate as its IRI, as SHACL does, and any other as text."""
    one = text.startswith("<") and text.endswith(">") and text.count("<") == 1
    return ox.NamedNode(text[1:-1]) if one else ox.Literal(text)
