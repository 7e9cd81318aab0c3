"""Follow the journal: bring the graph, the history, the derived graphs and the search index up to its last change.

Each projection remembers how far it came, and applying a change twice changes nothing: whatever a crash interrupts is
simply done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Final, Protocol, TypeVar

import pyoxigraph as ox

from graph import deriving, pending, reach, standing
from graph.documents import touched as touched_documents
from graph.files import Progress
from graph.harvest import LARGE as HARVESTED
from graph.harvest import Ahead, Order
from graph.journal import Change, Journal, Section
from graph.scopes import keys_of
from graph.search import SearchIndex, all_nodes, documents_of
from graph.store import LineStore, Reader, Store
from graph.terms import RDF, D, Graphs

AT_ONCE: Final = 20_000
"""Most statements that go into the graph in one commit; more go in pieces, which a crash may leave half done."""

ANEW: Final = 50_000
"""Statements changed from which on derived parts are made anew instead of kept up."""

_ASKED: Final = 200
"""Nodes that are asked about in one go: in a service each go is a request."""

_SCOPES = ox.NamedNode(Graphs.scopes)
_KEY = ox.NamedNode(D.scopeKey)
_SCOPE_PARTS: Final = (D.field, D.area, D.covers, D.coversMembersOf)
_SCOPE_SAYS: Final = frozenset(ox.NamedNode(term) for term in (*_SCOPE_PARTS, RDF.type))
_RESPONSIBLE: Final = frozenset({D.Responsibility, D.ResourceResponsibility})
_NONE: Final[frozenset[str]] = frozenset()


_T = TypeVar("_T")


class Projection(Protocol):
    """Keep something that is made from the changes, and from them alone."""

    @property
    def name(self) -> str:
        """Name the projection, as progress and errors do."""

    @property
    def revision(self) -> int:
        """Return the number of the last change that is in, 0 for none."""

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        """Take the changes in, which come right after ``revision`` in their order."""


class GraphProjection:
    """Keep what every source says now."""

    name = "graph"

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    @property
    def revision(self) -> int:
        return self.store.revision

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        for change in changes:
            removed, added = self.journal.quads(change, "removed"), self.journal.quads(change, "added")
            capabilities = self.store.capabilities
            if change.removed + change.added <= AT_ONCE or (capabilities.marks and not capabilities.bulk):
                self.store.apply(removed, added, change.number)
                continue
            before = self.store.revision
            for piece in _pieces(removed):
                self.store.apply(piece, (), before)
            if change.added <= AT_ONCE:
                self.store.apply((), added, change.number)
            else:
                told = _counter(progress, self.name, change.added)
                if isinstance(self.store, LineStore):
                    self.store.load_lines(self.journal.lines(change, "added", told), change.number)
                else:
                    self.store.load(self.journal.quads(change, "added", told), change.number)


class HistoryProjection:
    """Keep what records said before, with the keys of the scopes they had."""

    name = "history"

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    @property
    def revision(self) -> int:
        return self.store.revision

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        for change in changes:
            if change.versions <= AT_ONCE:
                versions = list(self.journal.quads(change, "versions"))
                self.store.apply((), chain(versions, _keys_among(versions)), change.number)
            else:
                before = self.store.revision
                self.store.load(self.journal.quads(change, "versions"), before)
                for piece in _pieces(_keys(self.store, _scoped(self.store))):
                    self.store.apply((), piece, before)
                self.store.apply((), (), change.number)


class ScopesProjection:
    """Keep the keys by which a resource finds the records whose scope it lies in."""

    name = "scopes"

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    @property
    def revision(self) -> int:
        return self.store.noted(Graphs.scopes)

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        before, last = self.revision, changes[-1].number
        if size_of(changes) > ANEW:
            self.store.apply((), (pending.everything(Graphs.scopes, before, last),), self.store.revision)
            self.store.clear(Graphs.scopes)
            for piece in _pieces(_keys(self.store, _scoped(self.store))):
                self.store.apply((), piece, self.store.revision)
        else:
            touched = {
                quad.subject.value
                for quad in changed(self.journal, changes, "removed", "added")
                if quad.predicate in _SCOPE_SAYS and isinstance(quad.subject, ox.NamedNode)
            }
            nodes = sorted(touched)
            old = {quad for quad in self.store.outgoing(nodes, (D.scopeKey,)) if quad.graph_name == _SCOPES}
            new = set(_keys(self.store, nodes))
            gone, come = sorted(old - new, key=str), sorted(new - old, key=str)
            left = pending.Left(Graphs.scopes, before, last, tuple(gone), tuple(come)).quad
            self.store.apply(gone, [*come, left], self.store.revision)
        self.store.note(Graphs.scopes, last)


def scope_keys(reader: Reader, nodes: Iterable[str] | None = None) -> Iterator[ox.Quad]:
    """Yield the keys of every scope that a store without a journal holds, or of those of some nodes."""
    return _keys(reader, _scoped(reader) if nodes is None else nodes)


def _keys(reader: Reader, nodes: Iterable[str]) -> Iterator[ox.Quad]:
    """Yield the scope keys of those of the nodes that are responsibilities for a scope."""
    nodes = iter(nodes)
    while some := list(islice(nodes, _ASKED)):
        yield from _keys_among(reader.outgoing(some, (RDF.type, *_SCOPE_PARTS)))


def _keys_among(quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    """Yield the scope keys of the responsibilities that the statements describe whole."""
    said: dict[str, dict[str, set[str]]] = {}
    for subject, predicate, value, _ in quads:
        if isinstance(value, ox.NamedNode):  # foreign data has words where links belong
            said.setdefault(subject.value, {}).setdefault(predicate.value, set()).add(value.value)
    for node, values in said.items():
        about = values.get
        if not about(RDF.type, _NONE).isdisjoint(_RESPONSIBLE) and not (about(D.covers) or about(D.coversMembersOf)):
            for key in keys_of(about(D.field, _NONE), about(D.area, _NONE)):
                yield ox.Quad(ox.NamedNode(node), _KEY, ox.NamedNode(key), _SCOPES)


def _scoped(reader: Reader) -> list[str]:
    """Return everything that has a field or an area, sorted."""
    found: set[str] = set()
    for part in ("field", "area"):
        rows = reader.query(f"SELECT DISTINCT ?record {{ ?record <{D.NS}{part}> ?value }}")
        found.update(row["record"].value for row in rows)  # type: ignore[union-attr]
    return sorted(found)


class StandingsProjection:
    """Keep the decisions: who holds which role on which resource, from when until when."""

    name = "standings"

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    @property
    def revision(self) -> int:
        return self.store.noted(Graphs.standings)

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        before, last = self.revision, changes[-1].number
        resources: set[str] | None = None
        if before and size_of(changes) <= ANEW:
            removed = changed(self.journal, changes, "removed")
            resources = reach.touched(self.store, removed, changed(self.journal, changes, "added"))
        else:
            self.store.note(Graphs.standings, 0)  # whoever dies on the way has not half of them taken for all
        if resources is None:
            self.store.apply((), (pending.everything(Graphs.standings, before, last),), self.store.revision)
            follow = None if progress is None else _step(progress, self.name)
            deriving.refresh(self.store, self.journal.path.parent, follow)
        else:
            gone, come = standing.changes(self.store, resources)
            left = pending.Left(Graphs.standings, before, last, tuple(gone), tuple(come)).quad
            self.store.apply(gone, [*come, left], self.store.revision)
        self.store.note(Graphs.standings, last)


class SearchProjection:
    """Keep the search index."""

    name = "search"

    def __init__(self, index: SearchIndex, reader: Reader, journal: Journal, languages: Sequence[str]) -> None:
        self.index = index
        self.reader = reader
        self.journal = journal
        self.languages = tuple(languages)
        self._ahead: Ahead | None = None

    @property
    def revision(self) -> int:
        return self.index.revision

    def begin(self, expected: int) -> Ahead | None:
        """Let a process of its own gather a change of so many statements, about, while others are busy with it.

        It goes through the whole journal: where there is much in it beside, reading the graph is quicker.
        """
        self.end()
        before = size_of(islice(self.journal.changes(), self.revision))
        path = self.index.lend() if expected > max(HARVESTED, before) else None
        if path is not None:
            folder, revision = self.journal.path.parent, self.journal.revision
            self._ahead = Ahead(Order(folder, path, revision, self.languages, self.index.abbreviations))
        return self._ahead

    def end(self) -> None:
        """Have nothing more gathered, whether that is finished or not."""
        if self._ahead is not None:
            self._ahead.close()
        self._ahead = None

    @contextmanager
    def going_ahead(self) -> Iterator[None]:
        """Let what is to be followed be gathered beside, if it is much, unless that is being done already."""
        if self._ahead is None:
            self.begin(size_of(self.journal.changes(self.revision)))
        if self._ahead is not None:
            self._ahead.end(self.journal.revision)
        try:
            yield
        finally:
            self.end()

    def follow(self, changes: Sequence[Change], progress: Progress | None) -> None:
        revision = changes[-1].number
        if self._ahead is not None and self._ahead.revision == revision and self._ahead.finish():
            self.index.take_back()
        elif self.revision == 0 or size_of(changes) > ANEW:
            nodes = _told(dict.fromkeys(all_nodes(self.reader)), None, self.name, progress)
            self.index.rebuild(documents_of(self.reader, nodes, self.languages), revision)
        else:
            touched = list(touched_documents(self.reader, changed(self.journal, changes, "removed", "added")))
            self.index.update(documents_of(self.reader, touched, self.languages), touched, revision)


def follow(projections: Sequence[Projection], journal: Journal, progress: Progress | None = None) -> None:
    """Bring every projection up to the journal's last change; the derived ones read the graph, so it goes first."""
    revision = journal.revision
    with ExitStack() as beside:
        for projection in projections:
            if isinstance(projection, SearchProjection):
                beside.enter_context(projection.going_ahead())
        for projection in projections:
            while projection.revision < revision:
                if progress is not None:
                    progress(projection.name, 0, None)
                changes = list(islice(journal.changes(projection.revision), 10_000))
                projection.follow(changes, progress)


def size_of(changes: Iterable[Change]) -> int:
    """Return how many statements the changes remove and add."""
    return sum(change.removed + change.added for change in changes)


def changed(journal: Journal, changes: Iterable[Change], *sections: Section) -> Iterator[ox.Quad]:
    """Yield the statements of some sections of the changes."""
    for change in changes:
        for section in sections:
            yield from journal.quads(change, section)


def _pieces(quads: Iterable[ox.Quad]) -> Iterator[list[ox.Quad]]:
    quads = iter(quads)
    while piece := list(islice(quads, AT_ONCE)):
        yield piece


def _told(items: Iterable[_T], total: int | None, step: str, progress: Progress | None) -> Iterator[_T]:
    if progress is None:
        yield from items
        return
    for done, item in enumerate(items):
        if done % 10_000 == 0:
            progress(step, done, total)
        yield item


def _counter(progress: Progress | None, step: str, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(step, done, total)


def _step(progress: Progress, step: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(step, done, total)
