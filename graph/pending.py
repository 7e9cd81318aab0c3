"""Hand over what changed in derived graphs to the findings, which follow after them and read them.

They are written one after the other, and a crash may come between: so what changed in the keys of scopes and in the
standings stands in the store, in the same commit, until the findings have taken it in. It is text in the graph of the
projections' notes, where it says nothing of the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

from graph.store import Edges, Store
from graph.terms import RDF, Graphs

PARTS: Final = (Graphs.scopes, Graphs.standings)
"""The graphs that findings are made from beside what the sources say."""

_VALUE = ox.NamedNode(RDF.value)
_PROJECTION = ox.NamedNode(Graphs.projection)


@dataclass(frozen=True, slots=True)
class Left:
    """Hold what changed in a derived graph between two revisions; ``known`` is false where that is not known."""

    part: str
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
        return ox.Quad(ox.NamedNode(self.part), _VALUE, ox.Literal("\n".join(lines)), _PROJECTION)


def everything(part: str, first: int, last: int) -> ox.Quad:
    """Return what to keep where a graph is made anew."""
    return Left(part, first, last, known=False).quad


def read(reader: Edges) -> list[Left]:
    """Return what is left to be taken in, in order."""
    found = [
        _read(quad.subject.value, quad.object.value)  # type: ignore[union-attr]
        for quad in reader.outgoing(PARTS, (RDF.value,))
        if quad.graph_name == _PROJECTION and isinstance(quad.object, ox.Literal)
    ]
    return sorted(found, key=lambda left: (left.first, left.last))


def covered(left: Sequence[Left], first: int, store: Store) -> bool:
    """Tell whether all that changed in the derived graphs since a revision, up to how far they are, is known."""
    for part in PARTS:
        reached = first
        for one in left:
            if one.part != part or one.last <= first:
                continue
            if not one.known:
                return False
            if one.first <= reached:
                reached = max(reached, one.last)
        if reached < store.noted(part):
            return False
    return True


def _read(part: str, text: str) -> Left:
    head, *lines = text.split("\n")
    first, last, known = head.split(" ")
    return Left(part, int(first), int(last), _quads(lines, "-"), _quads(lines, "+"), known == "known")


def _quads(lines: Sequence[str], mark: str) -> tuple[ox.Quad, ...]:
    text = "\n".join(line[2:] for line in lines if line.startswith(mark))
    return tuple(ox.parse(text, format=ox.RdfFormat.N_QUADS))
