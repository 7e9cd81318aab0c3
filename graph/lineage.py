"""Walk the flows of data up to where they come from, or down to where they go, on a day.

Pure: the flows come as values (``graph.flows`` gathers them) and the day is a parameter. Flows may run in a circle, in
the world and so in the register: the walk ends all the same and names the circles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from graph.model import ALWAYS, Interval

_T = TypeVar("_T", bound=Hashable)


class Direction(StrEnum):
    """Tell which way to walk: up to the sources, down to the uses."""

    up = "up"
    down = "down"


class Kind(StrEnum):
    """Tell what joins two resources: a recorded flow (``d:Flow``), or one being a copy of the other (``d:copyOf``)."""

    flow = "flow"
    copy = "copy"


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """Carry data from ``source`` to ``target``; ``record`` is the flow's IRI, empty for a copy."""

    source: str
    target: str
    kind: Kind = Kind.flow
    record: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """Hold an edge with the days on which it runs; a copy is not dated."""

    edge: Edge
    span: Interval = ALWAYS


@dataclass(frozen=True, slots=True)
class Node:
    """Name a resource and how many edges away from the start it is at the nearest."""

    iri: str
    depth: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """Hold what was reached from ``start``.

    ``nodes`` come nearest first, the start among them at depth 0; ``edges`` are all that run between them on the day;
    a cycle is named by its resources in the order in which data run, the smallest IRI first, and every resource that
    lies on any circle is in at least one of ``cycles``.
    """

    start: str
    direction: Direction
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cycles: tuple[tuple[str, ...], ...]


def walk(flows: Iterable[Flow], start: str, direction: Direction, as_of: date | None = None) -> Lineage:
    """Return the lineage of ``start`` over the flows that run on ``as_of``, over all of them without a day.

    Any order of flows gives the same answer. Time is linear in the flows reached, but for the circles among them.
    """
    running = {flow.edge for flow in flows if as_of is None or flow.span.contains(as_of)}
    onward: dict[str, set[Edge]] = {}
    for edge in running:
        onward.setdefault(edge.target if direction is Direction.up else edge.source, set()).add(edge)
    depths = {start: 0}
    edges: set[Edge] = set()
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for edge in onward.get(here, ()):
            edges.add(edge)
            there = edge.source if direction is Direction.up else edge.target
            if there not in depths:
                depths[there] = depths[here] + 1
                waiting.append(there)
    nodes = sorted((Node(iri, depth) for iri, depth in depths.items()), key=lambda node: (node.depth, node.iri))
    return Lineage(start, direction, tuple(nodes), tuple(sorted(edges)), _cycles(edges))


def _cycles(edges: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    """Return, for every node on a circle that no circle named before holds, a shortest one through it."""
    after: dict[str, set[str]] = {}
    for edge in edges:
        after.setdefault(edge.source, set()).add(edge.target)
    found: set[tuple[str, ...]] = set()
    named: set[str] = set()
    for node in sorted(on_circles(after)):
        if node not in named:
            cycle = _shortest(after, node)
            named.update(cycle)
            first = cycle.index(min(cycle))
            found.add((*cycle[first:], *cycle[:first]))
    return tuple(sorted(found))


def on_circles(after: Mapping[_T, set[_T]]) -> set[_T]:
    """Return the nodes that can be left and reached again, of those with the nodes that come right after each.

    Tarjan's strongly connected components (doi:10.1137/0201010), without recursion, for chains of any length.
    """
    number: dict[_T, int] = {}
    lowest: dict[_T, int] = {}
    pile: list[_T] = []
    piled: set[_T] = set()
    found: set[_T] = set()
    for root in after:
        if root in number:
            continue
        visits = [(root, iter(after.get(root, ())))]
        number[root] = lowest[root] = len(number)
        pile.append(root)
        piled.add(root)
        while visits:
            node, rest = visits[-1]
            for there in rest:
                if there not in number:
                    number[there] = lowest[there] = len(number)
                    pile.append(there)
                    piled.add(there)
                    visits.append((there, iter(after.get(there, ()))))
                    break
                if there in piled:
                    lowest[node] = min(lowest[node], number[there])
            else:
                visits.pop()
                if visits:
                    above = visits[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == number[node]:
                    component: set[_T] = set()
                    while node not in component:
                        component.add(pile.pop())
                    piled -= component
                    if len(component) > 1 or node in after.get(node, ()):
                        found |= component
    return found


def _shortest(after: Mapping[str, set[str]], start: str) -> tuple[str, ...]:
    """Return a shortest circle from ``start`` back to it; among equals the one through the smaller IRIs."""
    before: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in sorted(after.get(here, ())):
            if there == start:
                path = [here]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return tuple(reversed(path))
            if there not in before:
                before[there] = here
                waiting.append(there)
    raise ValueError(f"{start} lies on no circle")
