"""Write what changes a store behind SPARQL: the marks that stand in it, a change cut into pieces, and the updates.

``graph.remote`` says what the marks are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import pyoxigraph as ox

from graph.errors import StoreFault
from graph.terms import DCT, D, Graphs

LARGEST: Final = 4_000_000
"""Characters after which an update is sent, however few its statements."""

PROJECTION: Final = Graphs.projection
BEGUN: Final = Graphs.projection + "/begun"
TURN: Final = Graphs.projection + "/turn"
ANEW: Final = Graphs.projection + "/anew"
OF: Final = Graphs.projection + "/of"
DONE_MARK: Final = (f"<{PROJECTION}> <{D.revision}>", "?done")
BEGUN_MARK: Final = (f"<{BEGUN}> <{D.revision}>", "?begun")


@dataclass(frozen=True, slots=True)
class Marks:
    """Hold the marks as read: last change done, last begun, and the turns left: one, or none in a new store.

    Where there are several, no change from the oldest of theirs on counts as done. ``of`` says whose graph it is, and
    which making of it ("" where nobody has said so), ``anew`` whether that is under way.
    """

    done: int
    begun: int
    turns: tuple[str, ...]
    of: str = ""
    anew: bool = False

    @property
    def turn(self) -> str | None:
        return self.turns[0] if len(self.turns) == 1 else None

    @property
    def whole(self) -> bool:
        """Tell that no change stands half, and that all changes before it are there."""
        return self.begun <= self.done and not self.anew


@dataclass(slots=True)
class Piece:
    """Gather statements for one update, by graph."""

    removed: dict[str, list[str]] = field(default_factory=dict)
    added: dict[str, list[str]] = field(default_factory=dict)
    statements: int = 0
    characters: int = 0


def write_update(before: str | None, after: str, removed: str = "", added: str = "", where: str = "") -> str:
    """Write one operation that does all it does only on the turn named, and passes it on.

    One operation, not several: SPARQL 1.1 lets a service run the operations of a request apart, never one by halves.
    """
    turn = f"<{TURN}> <{DCT.identifier}>"
    if before is None:
        out, on = "", f"FILTER NOT EXISTS {{ GRAPH <{PROJECTION}> {{ {turn} ?turn }} }}"
    else:
        out = on = f'GRAPH <{PROJECTION}> {{ {turn} "{before}" }}'
    return (
        f"DELETE {{ {out}\n{removed} }}\n"
        f'INSERT {{ GRAPH <{PROJECTION}> {{ {turn} "{after}" }}\n{added} }}\n'
        f"WHERE {{ {on} {where} }}"
    )


def write_step_back(marks: Marks, after: str) -> str:
    """Write the update that makes one turn of several, and lets nothing count as done that is not."""
    turn = f"<{TURN}> <{DCT.identifier}>"
    return (
        f"DELETE {{ GRAPH <{PROJECTION}> {{ {turn} ?turn . ?part <{D.revision}> ?number }} }}\n"
        f'INSERT {{ GRAPH <{PROJECTION}> {{ {turn} "{after}" . ?part <{D.revision}> {marks.done} }} }}\n'
        f"WHERE {{ VALUES ?turn {{ {' '.join(map(str, map(ox.Literal, marks.turns)))} }} "
        f"GRAPH <{PROJECTION}> {{ {turn} ?turn }} "
        f"OPTIONAL {{ GRAPH <{PROJECTION}> {{ ?part <{D.revision}> ?number }} FILTER(?number > {marks.done}) }} }}"
    )


def change_of(turn: str) -> int:
    """Return the change that a turn belongs to; one of unknown make belongs to the first."""
    number = turn.rpartition("@")[2]
    return int(number) if number.isdecimal() else 0


def pieces_of(removed: Iterable[ox.Quad], added: Iterable[ox.Quad], at_once: int) -> Iterator[Piece]:
    """Cut a change into pieces, everything removed before anything added."""
    piece = Piece()
    for adding, quads in enumerate((removed, added)):
        for quad in quads:
            if piece.statements >= at_once or piece.characters >= LARGEST:
                yield piece
                piece = Piece()
            subject, predicate, value, graph = quad
            if isinstance(subject, ox.BlankNode) or isinstance(value, ox.BlankNode | ox.Triple):
                raise StoreFault(
                    f"A remote store cannot keep this statement as it is: {subject} {predicate} {value}",
                    remedy="Name its blank nodes first, and write no statements about statements.",
                )
            if not isinstance(graph, ox.NamedNode):
                raise StoreFault(
                    f"This statement stands in no named graph: {subject} {predicate} {value}",
                    remedy="Give it the graph of its source.",
                )
            line = f"{subject} {predicate} {value} ."
            (piece.added if adding else piece.removed).setdefault(str(graph), []).append(line)
            piece.statements += 1
            piece.characters += len(line)
    yield piece


def groups(lines: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the lines of each graph as a part of an update."""
    for graph, said in lines.items():
        yield f"GRAPH {graph} {{\n" + "\n".join(said) + " }"


def batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of at most so many."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
