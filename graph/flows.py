"""Gather the flows around a resource from the graph, by index moves only, for ``graph.lineage`` to walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import pyoxigraph as ox

from graph.lineage import Direction, Edge, Flow, Kind, Lineage, walk
from graph.model import Interval
from graph.store import Edges
from graph.terms import D


def lineage(reader: Edges, start: str, direction: Direction, as_of: date | None = None) -> Lineage:
    """Return where the data of ``start`` come from or go to on ``as_of``, ever without a day."""
    return walk(gather(reader, start, direction, as_of), start, direction, as_of)


def gather(reader: Edges, start: str, direction: Direction, as_of: date | None = None) -> tuple[Flow, ...]:
    """Return every flow and copy that can be reached from ``start``, level by level.

    With a day, the flows that do not run on it are returned where they are met and not followed further. A flow with
    several ends (which is a finding of its own) gives an edge for each pair of them. A date that is no day counts as
    missing: the check tells of it.
    """
    near, far = (D.flowTo, D.flowFrom) if direction is Direction.up else (D.flowFrom, D.flowTo)
    found: list[Flow] = []
    seen = {start}
    level = [start]
    while level:
        ends: dict[str, set[str]] = {}
        for record, _, here in _read(reader.incoming(level, [near])):
            ends.setdefault(record, set()).add(here)
        fresh = []
        for record, said in _described(reader, ends, far).items():
            span = Interval(_day(said.get(D.from_)), _day(said.get(D.until)))
            for here in sorted(ends[record]):
                for there in sorted(said.get(far, ())):
                    source, target = (there, here) if direction is Direction.up else (here, there)
                    fresh.append(Flow(Edge(source, target, Kind.flow, record), span))
        move = reader.outgoing if direction is Direction.up else reader.incoming
        copies = {(original, copy) for copy, _, original in _read(move(level, [D.copyOf]))}
        fresh += [Flow(Edge(original, copy, Kind.copy)) for original, copy in sorted(copies)]
        found += fresh
        running = [flow.edge for flow in fresh if as_of is None or flow.span.contains(as_of)]
        reached = {edge.source if direction is Direction.up else edge.target for edge in running}
        level = sorted(reached - seen)
        seen |= reached
    return tuple(found)


def _read(quads: Iterable[ox.Quad]) -> Iterator[tuple[str, str, str]]:
    """Yield subject, predicate and object as text; the register keeps neither blank nodes nor quoted triples."""
    for quad in quads:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode | ox.Literal):
            yield quad.subject.value, quad.predicate.value, quad.object.value


def _described(reader: Edges, records: Iterable[str], far: str) -> dict[str, dict[str, set[str]]]:
    """Return of each flow its dates and its far ends, each once however many graphs say so."""
    found: dict[str, dict[str, set[str]]] = {record: {} for record in sorted(records)}
    for record, predicate, value in _read(reader.outgoing(found, [far, D.from_, D.until])):
        found[record].setdefault(predicate, set()).add(value)
    return found


def _day(values: set[str] | None) -> date | None:
    """Return the first of the values that is a day."""
    for value in sorted(values or ()):
        try:
            return date.fromisoformat(value)
        except ValueError:
            continue
    return None
