"""Find the nodes that a repeated path leads back to, all of them in one walk.

A pattern such as ``$this (^d:flowFrom/d:flowTo)+ $this`` asks of every node whether it reaches itself. An engine goes
from each node to everything that can be reached from it, which grows with the square of a lineage (measured: 33 s at
10,000 datasets with 12,000 steps between them). Here the steps are read once, and one walk over them tells which nodes
lie on a circle: no other can be a focus node of what the pattern finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import pyoxigraph as ox

from graph.lineage import on_circles
from graph.shacl.paths import OneOrMore, Path, stays
from graph.shacl.query import Group, Pattern
from graph.shacl.shapes import Term
from graph.store import Reader

#: nodes that are asked about at once
_CHUNK: Final = 500


def circles_of(group: Group) -> tuple[Path, ...]:
    """Return the paths that must lead from ``$this`` back to it, once or again, for the group to have a solution."""
    return tuple(
        one.path.path
        for one in group.elements
        if isinstance(one, Pattern)
        and one.subject == one.object == "?this"
        and isinstance(one.path, OneOrMore)
        and not stays(one.path.path)
    )


def nodes_on(reader: Reader, circles: Iterable[Path], among: Collection[Term] | None = None) -> set[Term]:
    """Return the nodes that lie on a circle of every one of the paths: all of them, or those among some nodes."""
    circling = set.intersection(*(on_circles(_steps(reader, path, among)) for path in circles))
    return circling if among is None else circling.intersection(among)


def _steps(reader: Reader, path: Path, among: Collection[Term] | None) -> dict[Term, set[Term]]:
    """Read where a path leads from each node: all steps, or those that can be reached from some nodes.

    A node without a name cannot be asked about, so one among those reached has all steps read.
    """
    after: dict[Term, set[Term]] = {}
    fresh = among
    while fresh is None or fresh:
        nodes = [] if fresh is None else sorted(fresh, key=str)
        named = fresh is not None and not any(isinstance(node, ox.BlankNode) for node in nodes)
        chunks = [nodes[start : start + _CHUNK] for start in range(0, len(nodes), _CHUNK)]
        anchors = [f"VALUES ?from {{ {' '.join(map(str, chunk))} }}" for chunk in chunks] if named else [""]
        reached: set[Term] = set()
        for anchor in anchors:
            steps = reader.query(f"SELECT DISTINCT ?from ?to {{ {anchor} ?from {path.sparql} ?to }}")
            assert isinstance(steps, ox.QuerySolutions)
            for start, end in steps:
                after.setdefault(start, set()).add(end)
                reached.add(end)
        if not named:
            return after
        for node in nodes:
            after.setdefault(node, set())
        fresh = reached - after.keys()
    return after
