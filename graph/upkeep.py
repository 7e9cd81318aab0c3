"""Keep the graph of findings and their ledger right: all made anew, or what a change can reach.

The ledger is written first: it says since when a fault is known, which the graph repeats. Both take the same thing
twice without harm, so whatever a crash interrupts is simply done again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain, islice
from typing import Final
from zoneinfo import ZoneInfo

import pyoxigraph as ox

from graph import concern, pending
from graph.concern import Concerns
from graph.files import Progress
from graph.findings import Finding, Findings, finding_of, name_of, quads_of, version_of_findings, whole
from graph.journal import Change, Journal, read_instant, write_instant
from graph.ledger import Ledger, Scope
from graph.projections import ANEW, AT_ONCE, changed, size_of
from graph.rechecking import focus_nodes
from graph.rules import files_of
from graph.shacl.shapes import Term
from graph.store import Reader, Store
from graph.terms import OWL, D, Graphs

MANY: Final = 5_000
"""Focus nodes of a root from which on all of them are judged at once, which is faster then."""

Interrupted = Callable[[], bool]
"""Asked between two rules whether somebody else must come first."""

_GRAPH = ox.NamedNode(Graphs.findings)
_PROJECTION = ox.NamedNode(Graphs.projection)
_VERSION = ox.NamedNode(OWL.versionInfo)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Say with which change findings are told: its number, its instant, and the day of that in the register's zone."""

    revision: int
    at: str
    day: Callable[[str], date]


@dataclass(frozen=True)
class Unit:
    """Hold roots that share rules, which must be judged together; mostly it is one root."""

    roots: tuple[Term, ...]
    rules: frozenset[str]


@dataclass(slots=True)
class Difference:
    """Gather what to remove from the graph and what to add."""

    removed: set[ox.Quad] = field(default_factory=set)
    added: set[ox.Quad] = field(default_factory=set)


class Upkeep:
    """Keep up the findings of one store with one set of rules."""

    def __init__(self, store: Store, ledger: Ledger, findings: Findings) -> None:
        self.store = store
        self.ledger = ledger
        self.findings = findings
        self._concerns = Concerns(store)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Return the roots, those together that share a rule."""
        found: list[tuple[set[Term], set[str]]] = []
        for root in self.findings.roots:
            roots, rules = {root}, {rule.iri for rule in self.findings.rules.of_root(root)}
            for other in [one for one in found if one[1] & rules]:
                found.remove(other)
                roots |= other[0]
                rules |= other[1]
            found.append((roots, rules))
        return tuple(Unit(tuple(sorted(roots, key=str)), frozenset(rules)) for roots, rules in found)

    def anew(self, stamp: Stamp) -> None:
        """Judge everything, and change what is different from what stands there."""
        for unit in self.units:
            self.judge_all(unit, stamp)
        self.drop_others(stamp)

    def judge_all(self, unit: Unit, stamp: Stamp) -> None:
        """Judge everything by the rules of one unit, and change what is different from what stands there."""
        new = self._judge(unit, None)
        old = [subject.value for subject in _about_findings(self.store, unit.rules, D.rule)]
        seen = self._take_down([(unit.rules, None)], new, stamp)
        if not old:
            self._load(self._written(new, seen))
            return
        before = {quad for quad in self.store.outgoing(sorted(set(old))) if quad.graph_name == _GRAPH}
        after = set(self._written(new, seen))
        self._write(before - after, after - before)

    def drop_others(self, stamp: Stamp) -> None:
        """Drop what rules found that are no more."""
        known = frozenset().union(*(unit.rules for unit in self.units))
        rules = {rule for rule in self._judged() if rule not in known}
        if rules:
            old = sorted({subject.value for subject in _about_findings(self.store, rules, D.rule)})
            self.ledger.sync([(rules, None)], (), stamp.revision, stamp.at)
            self._write({quad for quad in self.store.outgoing(old) if quad.graph_name == _GRAPH}, set())

    def after(
        self,
        removed: Sequence[ox.Quad],
        added: Sequence[ox.Quad],
        stamp: Stamp,
        units: Collection[Unit] | None = None,
    ) -> None:
        """Judge again what a change can reach; the store shows the graph and the standings after it.

        ``units`` are those that were right before it (``None``: all).
        """
        self._concerns = Concerns(self.store)
        units = self.units if units is None else units
        roots = [root for unit in units for root in unit.roots]
        work = focus_nodes(self.store, removed, added, self.findings, roots)
        few: list[tuple[Unit, set[Term]]] = []
        everywhere: set[str] = set()
        for unit in units:
            reached = [work[root] for root in unit.roots if root in work]
            nodes: set[Term] = set().union(*(some for some in reached if some is not None))
            if None in reached or len(nodes) > MANY:
                self.judge_all(unit, stamp)
                everywhere |= unit.rules
            elif nodes:
                few.append((unit, nodes))
        difference = Difference()
        self._some_of(few, stamp, difference)
        judged = {(rule, node) for unit, nodes in few for rule in unit.rules for node in nodes}
        self._file_again(concern.touched(self.store, removed, added), judged, everywhere, difference)
        self._write(difference.removed - difference.added, difference.added - difference.removed)

    # --- judging ------------------------------------------------------------------------------------------------------

    def _judge(self, unit: Unit, nodes: Collection[Term] | None) -> list[Finding]:
        """Return the findings of a unit, one per name: a rule that stands under two roots finds things twice."""
        found: dict[str, Finding] = {}
        for root in unit.roots:
            for finding in self.findings.of(self.store, root, nodes):
                known = found.get(finding.iri)
                if known is None or str(finding) < str(known):
                    found[finding.iri] = finding
        return list(found.values())

    def _some_of(self, few: Sequence[tuple[Unit, set[Term]]], stamp: Stamp, difference: Difference) -> None:
        if not few:
            return
        new = [finding for unit, nodes in few for finding in self._judge(unit, nodes)]
        scopes: list[Scope] = [(unit.rules, {name_of(node) for node in nodes}) for unit, nodes in few]
        seen = self._take_down(scopes, new, stamp)
        asked: dict[Term, set[str]] = {}
        for unit, nodes in few:
            for node in nodes:
                asked.setdefault(node, set()).update(unit.rules)
        for about, rule, quads in self._standing_about(asked):
            if rule in asked[about]:
                difference.removed |= quads
        difference.added.update(self._written(new, seen))

    def _take_down(self, scopes: Iterable[Scope], new: Iterable[Finding], stamp: Stamp) -> dict[str, date]:
        """Write the ledger; return the day on which each fault was first reported."""
        seen = self.ledger.sync(scopes, [finding.line for finding in new], stamp.revision, stamp.at)
        return {fault: stamp.day(when.at) for fault, when in seen.items()}

    def _written(self, findings: Iterable[Finding], seen: dict[str, date]) -> Iterator[ox.Quad]:
        for finding in findings:
            yield from self._filed(finding, seen[finding.fault])

    def _filed(self, finding: Finding, seen: date) -> Iterator[ox.Quad]:
        return quads_of(finding, self._concerns.parts(name_of(finding.about), finding.span), seen)

    # --- what stands there --------------------------------------------------------------------------------------------

    def _standing_about(self, nodes: Iterable[Term]) -> Iterator[tuple[Term, str, set[ox.Quad]]]:
        """Yield what the graph has about the nodes, finding by finding: about what, by which rule, the statements."""
        found: dict[ox.NamedNode, Term] = {}
        named: dict[str, Term] = {}
        for node in nodes:
            if isinstance(node, ox.NamedNode):
                named[node.value] = node
            else:
                found.update(dict.fromkeys(_about_literal(self.store, node), node))
        for subject, _, value, graph in self.store.incoming(sorted(named), (D.about,)):
            if graph == _GRAPH and isinstance(subject, ox.NamedNode):
                found[subject] = named[value.value]
        said: dict[str, set[ox.Quad]] = {}
        for quad in self.store.outgoing(sorted(node.value for node in found)):
            if quad.graph_name == _GRAPH:
                said.setdefault(quad.subject.value, set()).add(quad)  # type: ignore[union-attr]
        for finding, about in found.items():
            quads = said[finding.value]
            rule = next((quad.object.value for quad in quads if quad.predicate.value == D.rule), "")  # type: ignore[union-attr]
            yield about, rule, quads

    def _file_again(
        self, nodes: Collection[str], judged: Collection[tuple[str, Term]], everywhere: set[str],
        difference: Difference,
    ) -> None:  # fmt: skip
        """Put the findings that stay under those who answer now."""
        parts: list[tuple[Finding, date]] = []
        for about, rule, quads in self._standing_about(ox.NamedNode(node) for node in sorted(nodes)):
            if (rule, about) not in judged and rule not in everywhere:
                parts.append(finding_of(quads))
                difference.removed |= quads
        for finding, seen in whole(parts):
            difference.added.update(self._filed(finding, seen))

    def _judged(self) -> set[str]:
        """Return the rules of which anything stands in the graph or is open in the ledger."""
        rows = self.store.query(f"SELECT DISTINCT ?rule {{ GRAPH <{Graphs.findings}> {{ ?node <{D.rule}> ?rule }} }}")
        assert isinstance(rows, ox.QuerySolutions)
        return {row["rule"].value for row in rows} | self.ledger.rules()

    # --- writing ------------------------------------------------------------------------------------------------------

    def drop_halves(self) -> None:
        """Drop what a write that broke off left of findings: statements of nodes that name no rule."""
        rows = self.store.query(
            f"SELECT DISTINCT ?node {{ GRAPH <{Graphs.findings}> {{ ?node ?said ?value }} "
            f"MINUS {{ GRAPH <{Graphs.findings}> {{ ?node <{D.rule}> ?rule ; <{D.about}> ?thing }} }} }}"
        )
        assert isinstance(rows, ox.QuerySolutions)
        halves = sorted(row["node"].value for row in rows)
        if halves:
            self._write({quad for quad in self.store.outgoing(halves) if quad.graph_name == _GRAPH}, set())

    def _write(self, removed: set[ox.Quad], added: set[ox.Quad]) -> None:
        if len(removed) + len(added) > AT_ONCE or not self.store.capabilities.whole:
            self.store.note(Graphs.findings, 0)  # whoever dies between two pieces has not half of them taken for all
        if len(removed) + len(added) <= AT_ONCE:
            if removed or added:
                self.store.apply(sorted(removed, key=str), sorted(added, key=str), self.store.revision)
            return
        for piece in _pieces(removed):
            self.store.apply(piece, (), self.store.revision)
        self._load(added)

    def _load(self, quads: Iterable[ox.Quad]) -> None:
        """Add many statements."""
        quads = iter(quads)
        first = list(islice(quads, AT_ONCE))
        if len(first) < AT_ONCE:
            if first:
                self.store.apply((), first, self.store.revision)
            return
        self.store.load(_chained(first, quads), self.store.revision)


class FindingsProjection:
    """Keep what the rules find, with the rules of this version of the code: with other rules all is found anew.

    Finding all anew takes long in a large register. It can be put off between two rules, and goes on from there: what
    came in meanwhile is judged again by the rules that are done.
    """

    name = "findings"

    def __init__(self, store: Store, journal: Journal, pack: str | None, zone: ZoneInfo) -> None:
        self.store = store
        self.journal = journal
        self.zone = zone
        self._files = tuple(files_of(pack))
        self._version = version_of_findings(self._files)
        self._done: set[Unit] | None = None
        self._reached = 0

    @property
    def revision(self) -> int:
        same_rules = any(quad.object == ox.Literal(self._version) for quad in self._rules_noted())
        return self.store.noted(Graphs.findings) if same_rules else 0

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        self.advance(progress, lambda: False)

    def advance(self, progress: Progress | None, interrupted: Interrupted) -> bool:
        """Take in what the graph and the standings show; return whether that is done, or was put off.

        Where a write breaks off on the way, all is found anew the next time.
        """
        try:
            return self._advance(progress, interrupted)
        except BaseException:
            self._done = None
            raise

    def _advance(self, progress: Progress | None, interrupted: Interrupted) -> bool:
        upkeep = Upkeep(self.store, self.journal.ledger, Findings.with_rules(self._files, self._version))
        before = self.revision
        if before:
            self._done, self._reached = set(upkeep.units), before
        left = pending.read(self.store)
        changes = list(self.journal.changes(self._reached)) if self._reached else []
        known = pending.covered(left, self._reached, self.store)
        if self._done is None or not known or size_of(changes) > ANEW:
            self._done = set()
            self.store.note(Graphs.findings, 0)  # whoever dies on the way has not half of them taken for all
            self.store.apply([one.quad for one in left], (), self.store.revision)
            upkeep.drop_halves()
        elif changes:
            removed = [*changed(self.journal, changes, "removed"), *chain.from_iterable(one.removed for one in left)]
            added = [*changed(self.journal, changes, "added"), *chain.from_iterable(one.added for one in left)]
            upkeep.after(removed, added, self._stamp(before), self._done)
        self._reached = self.store.revision
        for unit in upkeep.units:
            if unit not in self._done:
                if interrupted():
                    return False
                if progress is not None:
                    progress(self.name, len(self._done), len(upkeep.units))
                upkeep.judge_all(unit, self._stamp(before))
                self._done.add(unit)
        if not before:
            upkeep.drop_others(self._stamp(before))
        noted = ox.Quad(_GRAPH, _VERSION, ox.Literal(self._version), _PROJECTION)
        old = [*(one.quad for one in pending.read(self.store)), *self._rules_noted()]
        self.store.note(Graphs.findings, self.store.revision)
        self.store.apply([quad for quad in old if quad != noted], (noted,), self.store.revision)
        self._done = None
        return True

    def _stamp(self, before: int) -> Stamp:
        """Return what is written beside findings; all that is found anew is found now, whenever it came in."""
        last = self.journal.last()
        at = last.at if before and last is not None else write_instant(datetime.now(UTC))
        return Stamp(self.store.revision, at, lambda instant: read_instant(instant).astimezone(self.zone).date())

    def _rules_noted(self) -> list[ox.Quad]:
        return [q for q in self.store.outgoing((Graphs.findings,), (OWL.versionInfo,)) if q.graph_name == _PROJECTION]


def _chained(first: Iterable[ox.Quad], rest: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    yield from first
    yield from rest


def _pieces(quads: Iterable[ox.Quad]) -> Iterator[list[ox.Quad]]:
    quads = iter(quads)
    while piece := list(islice(quads, AT_ONCE)):
        yield piece


def _about_findings(reader: Reader, nodes: Iterable[str], predicate: str) -> Iterator[ox.NamedNode]:
    """Yield the findings that point at nodes."""
    for subject, _, _, graph in reader.incoming(sorted(nodes), (predicate,)):
        if graph == _GRAPH and isinstance(subject, ox.NamedNode):
            yield subject


def _about_literal(reader: Reader, node: Term) -> Iterator[ox.NamedNode]:
    """Yield the findings about a text or a number, which a shape may target too."""
    rows = reader.query(f"SELECT ?finding {{ GRAPH <{Graphs.findings}> {{ ?finding <{D.about}> {node} }} }}")
    assert isinstance(rows, ox.QuerySolutions)
    for row in rows:
        if isinstance(row["finding"], ox.NamedNode):
            yield row["finding"]

