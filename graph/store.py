"""Hold the graph: one small interface, and the embedded Oxigraph behind it.

The answering path needs two moves only, *outgoing* and *incoming* edges of a few nodes, so that one algorithm runs on
any store: the embedded one walks its indexes, a remote one asks a single ``VALUES`` query per move.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final, Protocol, cast, runtime_checkable

import pyoxigraph as ox

from graph.errors import BadQuestion, Place, StoreFault
from graph.terms import D, Graphs

_PROJECTION = ox.NamedNode(Graphs.projection)
_REVISION = ox.NamedNode(D.revision)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declare what a store can do beyond its contract; what lacks one says so instead of trying.

    ``checkpoint``: hold its state of a moment apart, for other processes to read. ``bulk``: load past its transactions.
    ``lateral``: understand LATERAL in a query. ``union_default_graph``: show a query the union of all graphs.
    ``whole``: show readers a change of any size only once all of it is in. ``marks``: tell a change that is half in
    from one that is done, so that ``apply`` takes one of any size. ``blank_nodes``: keep blank nodes as loaded.
    """

    store: str
    checkpoint: bool = False
    bulk: bool = False
    lateral: bool = False
    union_default_graph: bool = False
    whole: bool = False
    marks: bool = False
    blank_nodes: bool = False

    def require(self, name: str, remedy: str) -> None:
        """Raise ``StoreFault`` unless the store has the capability of this name."""
        if not getattr(self, name):
            raise StoreFault(f"{self.store} cannot do this: it has no {name.replace('_', ' ')}", remedy=remedy)


EMBEDDED = Capabilities(
    "The embedded store",
    checkpoint=True, bulk=True, lateral=True, union_default_graph=True, whole=True, blank_nodes=True,
)  # fmt: skip


class Edges(Protocol):
    """Walk the edges of one state of the graph: all that answering needs. Terms are pyoxigraph's."""

    @property
    def revision(self) -> int:
        """Return the number of the last journalled change that this state holds, 0 for none."""

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        """Yield the quads whose subject is one of ``nodes`` (IRIs), of these predicates or of any."""

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        """Yield the quads whose object is one of ``nodes`` (IRIs) and whose predicate is one of ``predicates``."""


class Reader(Edges, Protocol):
    """Read one state of the graph whole; the default graph of a query is the union of all graphs."""

    def query(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        """Run a SPARQL 1.1 query over the union of all graphs; ``GRAPH`` sees each source apart.

        Raises ``BadQuestion`` for what is no query.
        """


class Store(Reader, Protocol):
    """Write as well. A change is all or nothing, carries its revision, and is harmless when applied twice."""

    @property
    def capabilities(self) -> Capabilities:
        """Declare what the store can do beyond this."""

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad], revision: int) -> None:
        """Remove, then add, then note the revision, in one commit."""

    def load(self, added: Iterable[ox.Quad], revision: int) -> None:
        """Add many quads fast, then note the revision; a crash in between is mended by doing it again."""

    def contents(self, graph: str) -> Iterator[ox.Quad]:
        """Yield every quad of one named graph."""

    def clear(self, graph: str) -> None:
        """Drop one named graph."""

    def noted(self, part: str) -> int:
        """Return up to which change a derived part (the IRI of its graph) was brought, 0 for none."""

    def note(self, part: str, revision: int) -> None:
        """Note that a derived part is brought up to a change."""

    def close(self) -> None:
        """Give the store up; it cannot be used any more."""

    def flush(self) -> None:
        """Write what is buffered to disk."""


@runtime_checkable
class LineStore(Protocol):
    """Load text as well, where a store can read it faster than we can."""

    def load_lines(self, added: Iterable[bytes], revision: int) -> None:
        """Do as ``load`` with blocks of N-Quads that were checked before, such as those of the journal."""


class OxigraphStore:
    """Keep the graph in an embedded Oxigraph: on disk at ``path``, in memory without one.

    One writer at a time may hold ``path``; ``read_only`` opens a static view for tests and tools. See the measured
    habits in the README's decisions: no ``NOT EXISTS`` over joins, anchor every pattern.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        if path is None:
            self.raw = ox.Store()
        elif read_only:
            self.raw = ox.Store.read_only(str(path))
        else:
            path.mkdir(parents=True, exist_ok=True)
            self.raw = ox.Store(str(path))
        self._revision = self._read_revision()

    def _read_revision(self) -> int:
        return self.noted(Graphs.projection)

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def capabilities(self) -> Capabilities:
        return EMBEDDED

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        match = self.raw.quads_for_pattern
        if predicates is None:
            for node in nodes:
                yield from match(ox.NamedNode(node), None, None, None)
        else:
            edges = _edges(tuple(predicates))
            for node in nodes:
                subject = ox.NamedNode(node)
                for edge in edges:
                    yield from match(subject, edge, None, None)

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        match = self.raw.quads_for_pattern
        edges = _edges(tuple(predicates))
        for node in nodes:
            target = ox.NamedNode(node)
            for edge in edges:
                yield from match(None, edge, target, None)

    def query(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        try:
            return self.raw.query(text, use_default_graph_as_union=True)
        except SyntaxError as fault:
            raise BadQuestion(
                f"This is no SPARQL query: {fault}", remedy="Correct the query.", place=Place("query")
            ) from fault

    def _marks(self, part: ox.NamedNode, revision: int) -> tuple[list[ox.Quad], ox.Quad]:
        old = list(self.raw.quads_for_pattern(part, _REVISION, None, _PROJECTION))
        return old, ox.Quad(part, _REVISION, ox.Literal(revision), _PROJECTION)

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad], revision: int) -> None:
        old, new = self._marks(_PROJECTION, revision)
        self._commit([*removed, *old], [*added, new])
        self._revision = revision

    def _commit(self, removed: Sequence[ox.Quad], added: Sequence[ox.Quad]) -> None:
        try:
            self.raw.update(_update(removed, added))
        except (OSError, RuntimeError) as fault:
            raise _refused(fault) from fault

    def load(self, added: Iterable[ox.Quad], revision: int) -> None:
        try:
            self.raw.bulk_extend(added)
        except (OSError, RuntimeError) as fault:
            raise _refused(fault) from fault
        self.apply((), (), revision)

    def load_lines(self, added: Iterable[bytes], revision: int) -> None:
        lines = cast(IO[bytes], _Blocks(iter(added)))
        try:
            self.raw.bulk_load(lines, format=ox.RdfFormat.N_QUADS, lenient=True)
        except (OSError, RuntimeError) as fault:
            raise _refused(fault) from fault
        self.apply((), (), revision)

    def contents(self, graph: str) -> Iterator[ox.Quad]:
        yield from self.raw.quads_for_pattern(None, None, None, ox.NamedNode(graph))

    def clear(self, graph: str) -> None:
        self.raw.clear_graph(ox.NamedNode(graph))

    def noted(self, part: str) -> int:
        for _, _, value, _ in self.raw.quads_for_pattern(ox.NamedNode(part), _REVISION, None, _PROJECTION):
            return int(value.value)
        return 0

    def note(self, part: str, revision: int) -> None:
        old, new = self._marks(ox.NamedNode(part), revision)
        if old != [new]:
            self._commit(old, [new])

    def flush(self) -> None:
        self.raw.flush()

    def close(self) -> None:
        # The embedded store lets go of its folder with the last reference to it.
        del self.raw


@lru_cache(maxsize=1024)
def _edges(predicates: tuple[str, ...]) -> tuple[ox.NamedNode, ...]:
    """Make terms of predicates once: the same few lists are asked for millions of times."""
    return tuple(ox.NamedNode(predicate) for predicate in predicates)


class _Blocks(io.RawIOBase):
    """Read blocks as one stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._place = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while self._place >= len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._block, self._place = block, 0
        end = len(self._block) if size < 0 else self._place + size
        data = self._block[self._place : end]
        self._place += len(data)
        return data


def _refused(fault: Exception) -> StoreFault:
    return StoreFault(f"The store did not take the change: {fault}", remedy="Look for a full or failing disk.")


def _update(removed: Sequence[ox.Quad], added: Sequence[ox.Quad]) -> str:
    """Write one update text: the two operations of a text are committed together (measured, see the README)."""
    parts = []
    if removed:
        parts.append("DELETE DATA {" + "".join(_in_graph(quad) for quad in removed) + "}")
    if added:
        parts.append("INSERT DATA {" + "".join(_in_graph(quad) for quad in added) + "}")
    return ";".join(parts)


def _in_graph(quad: ox.Quad) -> str:
    return f"GRAPH {quad.graph_name} {{{quad.subject} {quad.predicate} {quad.object}}}\n"


_scratch = ox.Store()
_normal: dict[ox.Literal, ox.Literal] = {}
_MOST_NORMAL: Final = 300_000


def normal_form(literal: ox.Literal) -> ox.Literal:
    """Return a literal as the store gives it back (``"01"`` as ``"1"``), the same object where that is no different.

    The store itself is asked, so the two can never disagree.
    """
    known = _normal.get(literal)
    if known is None:
        _scratch.add(ox.Quad(_REVISION, _REVISION, literal))
        kept = cast(ox.Literal, next(iter(_scratch)).object)
        _scratch.clear()
        known = literal if kept == literal else kept
        if len(_normal) > _MOST_NORMAL:
            _normal.clear()
        _normal[literal] = known
    return literal if known == literal else known
