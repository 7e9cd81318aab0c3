"""Find the focus nodes whose outcome a change can alter: from each changed statement back to where a shape starts.

A shape says by its triggers which statements it reads and how they lead back to its focus nodes. The ways are walked in
the graph as it is after the change together with what the change took out, which holds every way there was before or
is now. The result may be larger than needed, never smaller: a property-based test holds findings kept up this way
equal to findings made anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import pyoxigraph as ox

from graph.shacl.paths import Step
from graph.shacl.shapes import Term, Trigger
from graph.store import Reader, normal_form


class Triggered(Protocol):
    """Say which statements can alter the outcome of a root, ``None`` where that can be any."""

    def triggers(self, root: Term) -> Sequence[Trigger] | None: ...


def focus_nodes(
    reader: Reader, removed: Iterable[ox.Quad], added: Iterable[ox.Quad], triggered: Triggered, roots: Iterable[Term]
) -> dict[Term, set[Term] | None]:
    """Return for each root the focus nodes to judge again, ``None`` where that can be all; no entry where none.

    ``reader`` shows the graph after the change.
    """
    gone = [_as_kept(quad) for quad in removed]
    walk = Walk(reader, gone)
    #: changed statements by predicate: who says them, and of what
    changed: dict[str, list[tuple[Term, Term]]] = defaultdict(list)
    for quads in (gone, map(_as_kept, added)):
        for subject, predicate, value, _ in quads:
            if not isinstance(subject, ox.Triple) and not isinstance(value, ox.Triple):
                changed[predicate.value].append((subject, value))
    if not changed:
        return {}
    found: dict[Term, set[Term] | None] = {}
    for root in roots:
        triggers = triggered.triggers(root)
        if triggers is None:
            found[root] = None
            continue
        nodes = reached(walk, changed, triggers)
        if nodes:
            found[root] = nodes
    return found


def reached(walk: Walk, changed: Mapping[str, Sequence[tuple[Term, Term]]], triggers: Iterable[Trigger]) -> set[Term]:
    """Return what lies at the end of the ways of the triggers that changed statements pull."""
    starts: dict[tuple[Step, ...], set[Term]] = defaultdict(set)
    for trigger in triggers:
        if trigger.predicate is not None:
            pulled: Iterable[tuple[Term, Term]] = changed.get(trigger.predicate, ())
        else:
            pulled = (pair for pairs in changed.values() for pair in pairs)
        subjects = {
            subject for subject, value in pulled if trigger.object is None or value == trigger.object
        }
        if subjects:
            starts[trigger.way] |= subjects
    found: set[Term] = set()
    for way, nodes in starts.items():
        found |= walk.along(way, nodes)
    return found


class Walk:
    """Walk the graph with what a change took out put back, keeping where each step has led."""

    def __init__(self, reader: Reader, removed: Iterable[ox.Quad] = ()) -> None:
        self._reader = reader
        self._gone: dict[tuple[str, bool], dict[Term, set[Term]]] = defaultdict(lambda: defaultdict(set))
        for subject, predicate, value, _ in removed:
            self._gone[predicate.value, False][subject].add(value)
            self._gone[predicate.value, True][value].add(subject)
        self._known: dict[tuple[str, bool], dict[Term, frozenset[Term]]] = defaultdict(dict)

    def along(self, way: Sequence[Step], nodes: Iterable[Term]) -> set[Term]:
        """Return where a way leads from the nodes."""
        here = set(nodes)
        for step in way:
            if not here:
                break
            if not step.repeated:
                here = self._next(step, here)
                continue
            frontier = here
            here = set(here)
            while frontier := self._once(step, frontier) - here:
                here |= frontier
        return here

    def _once(self, step: Step, nodes: Iterable[Term]) -> set[Term]:
        """Return where a repeated step leads when it is taken once."""
        if not step.ways:
            return self._next(step, nodes)
        return {found for way in step.ways for found in self.along(way, nodes)}

    def _next(self, step: Step, nodes: Iterable[Term]) -> set[Term]:
        known = self._known[step.predicate, step.inverse]
        new = [node for node in nodes if node not in known]
        if new:
            found: dict[Term, set[Term]] = {node: set() for node in new}
            named = [node.value for node in new if isinstance(node, ox.NamedNode)]
            if step.inverse:
                for node in new:
                    if isinstance(node, ox.Literal):
                        found[node].update(self._saying(step.predicate, node))
                for subject, _, value, _ in self._reader.incoming(named, (step.predicate,)):
                    found[value].add(subject)
            else:
                for subject, _, value, _ in self._reader.outgoing(named, (step.predicate,)):
                    found[subject].add(value)
            gone = self._gone.get((step.predicate, step.inverse))
            for node, ends in found.items():
                if gone is not None and node in gone:
                    ends |= gone[node]
                known[node] = frozenset(ends)
        reached: set[Term] = set()
        for node in nodes:
            reached |= known[node]
        return reached

    def _saying(self, predicate: str, value: ox.Literal) -> Iterator[Term]:
        """Yield who says a text or a number: stores find by its name only what has one."""
        rows = self._reader.query(f"SELECT ?node {{ ?node <{predicate}> {value} }}")
        assert isinstance(rows, ox.QuerySolutions)
        for row in rows:
            yield row["node"]


def _as_kept(quad: ox.Quad) -> ox.Quad:
    """Return a statement as the store keeps it: a payload has literals as they were written."""
    value = quad.object
    if not isinstance(value, ox.Literal) or (kept := normal_form(value)) is value:
        return quad
    return ox.Quad(quad.subject, quad.predicate, kept, quad.graph_name)
