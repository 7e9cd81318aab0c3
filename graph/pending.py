"""Hand over what the standings changed to the findings, which follow after them.

The two are written one after the other, and a crash may come between: so what the standings changed stands in the
store, in the same commit, until the findings have taken it in. It is text in the graph of the projections' notes, where
it says nothing of the world.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from graph.store import Edges
from graph.terms import RDF, Graphs

_STANDINGS = ox.NamedNode(Graphs.standings)
_VALUE = ox.NamedNode(RDF.value)
_PROJECTION = ox.NamedNode(Graphs.projection)


@dataclass(frozen=True, slots=True)
class Left:
    """Hold what changed in the standings between two revisions; ``known`` is false where that is not known."""

    first: int
    last: int
    removed: tuple[ox.Quad, ...] = ()
    added: tuple[ox.Quad, ...] = ()
    known: bool = True

    @property
    def quad(self) -> ox.Quad:
        """Write it as the one statement that is kept."""
        lines = [f"{self.first} {self.last} {'known' if self.known else 'unknown'}"]
        lines += [f"- {quad} ." for quad in self.removed]
        lines += [f"+ {quad} ." for quad in self.added]
        return ox.Quad(_STANDINGS, _VALUE, ox.Literal("\n".join(lines)), _PROJECTION)


def everything(first: int, last: int) -> ox.Quad:
    """Return what to keep where all standings are made anew."""
    return Left(first, last, known=False).quad


def read(reader: Edges) -> list[Left]:
    """Return what is left to be taken in, in order."""
    found = [
        _read(quad.object.value)
        for quad in reader.outgoing((Graphs.standings,), (RDF.value,))
        if quad.graph_name == _PROJECTION and isinstance(quad.object, ox.Literal)
    ]
    return sorted(found, key=lambda left: (left.first, left.last))


def covered(left: Iterable[Left], first: int, last: int) -> bool:
    """Tell whether all that changed in the standings between two revisions is known."""
    for one in left:
        if not one.known and one.last > first:
            return False
        if one.first <= first < one.last:
            first = one.last
    return first >= last


def _read(text: str) -> Left:
    head, *lines = text.split("\n")
    first, last, known = head.split(" ")
    return Left(int(first), int(last), _quads(lines, "-"), _quads(lines, "+"), known == "known")


def _quads(lines: Sequence[str], mark: str) -> tuple[ox.Quad, ...]:
    text = "\n".join(line[2:] for line in lines if line.startswith(mark))
    return tuple(ox.parse(text, format=ox.RdfFormat.N_QUADS))
