"""Hold files that are checked without being loaded, with every literal as it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import pyoxigraph as ox

from graph.shacl.forms import AS_WRITTEN, Forms
from graph.shacl.shapes import Row, Term
from graph.store import OxigraphStore, Reader, normal_form


class WrittenStore:
    """Read statements as they stand in their files; ``plain`` shows them as a register would keep them.

    SPARQL constraints compare by value, so they run on ``plain``; ``as_written`` gives what they find its own form
    back, where only one form was written.
    """

    forms: Final[Forms] = AS_WRITTEN
    revision: Final = 0

    def __init__(self, quads: Iterable[ox.Quad], beside: OxigraphStore | None = None) -> None:
        """Hold the statements; ``beside`` is a store as a register keeps it, which they are added to."""
        self._exact = beside or OxigraphStore()
        self._forms: dict[Term, list[Term]] = {}
        rewritten = False
        kept = []
        for quad in quads:
            term = quad.object
            if isinstance(term, ox.Literal):
                normal = normal_form(term)
                if normal is not term:
                    rewritten = True
                    quad = ox.Quad(quad.subject, quad.predicate, AS_WRITTEN.write(term), quad.graph_name)
                forms = self._forms.setdefault(normal, [])
                if term not in forms:
                    forms.append(term)
            kept.append(quad)
        others = list(self._exact.raw) if beside and rewritten else []
        self._exact.raw.bulk_extend(kept)
        self.plain: Reader = self._exact
        if rewritten:
            plain = OxigraphStore()
            plain.raw.bulk_extend(others)
            plain.raw.bulk_extend(_plain(quad) for quad in kept)
            self.plain = plain

    def as_written(self, term: Term) -> Term:
        """Return a term of ``plain`` as it is written, where it is written in one form only."""
        forms = self._forms.get(term, ())
        return forms[0] if len(forms) == 1 else term

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        return self._exact.outgoing(nodes, predicates)

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        return self._exact.incoming(nodes, predicates)

    def query(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        return self._exact.query(text)


def plain_of(reader: Reader) -> Reader:
    """Return what SPARQL constraints run on: the same statements, every literal as a register would keep it."""
    return reader.plain if isinstance(reader, WrittenStore) else reader


def row_of(reader: Reader, row: Row) -> Row:
    """Return what a SPARQL constraint found with its terms as they were written."""
    if not isinstance(reader, WrittenStore):
        return row
    return replace(
        row,
        focus=reader.as_written(row.focus),
        value=None if row.value is None else reader.as_written(row.value),
        bindings=tuple((name, reader.as_written(term)) for name, term in row.bindings),
    )


def _plain(quad: ox.Quad) -> ox.Quad:
    term = quad.object
    if not isinstance(term, ox.Literal):
        return quad
    read = AS_WRITTEN.read(term)
    return quad if read is term else ox.Quad(quad.subject, quad.predicate, read, quad.graph_name)
