"""Open what is made from the journal (graph, history, search index and what keeps them up), and make it anew.

Made anew, it is built beside the live parts and put in their place in one step that a crash cannot leave half. A graph
that is kept in a service has no place beside it: it is dropped and made again where it is, under marks that say so.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graph.directory import remove
from graph.errors import DataDirectory, Place
from graph.files import Progress
from graph.journal import Journal, sync_folder
from graph.pack import Pack
from graph.projections import (
    GraphProjection,
    HistoryProjection,
    Projection,
    ScopesProjection,
    SearchProjection,
    StandingsProjection,
    follow,
)
from graph.remote import RemoteStore, open_store
from graph.search import SearchIndex, read_abbreviations
from graph.store import OxigraphStore, Store
from graph.upkeep import FindingsProjection
from graph.words import NO_ABBREVIATIONS, Abbreviations

PATIENCE: Final = 5.0
"""Seconds to wait for answers of this process that still hold a store which was closed."""

_LIVE: Final = ("graph", "history", "search")
_REBUILD: Final = "rebuild"
_COMPLETE: Final = "complete"
_BEFORE: Final = "before-"


@dataclass(frozen=True, slots=True)
class Home:
    """Say where the graph is kept: in the data directory, or (``setting``) in a service.

    There it is one making of the graph of one register, so that none is ever taken for another.
    """

    setting: str = ""
    register: str = ""
    making: str = ""

    def open(self, *, read_only: bool = False) -> RemoteStore:
        """Open the service; raise ``StoreFault`` where nobody answers, or where it holds something else."""
        return open_store(self.setting, register=self.register, making=self.making, read_only=read_only)


@dataclass(slots=True)
class Parts:
    """Hold the parts open, with what follows the journal in its order."""

    graph: OxigraphStore | RemoteStore
    history: OxigraphStore
    search: SearchIndex
    projections: list[Projection]
    closed: bool = False

    def close(self, *, graph: bool = True) -> None:
        """Give them up; ``graph`` says whether that too."""
        if self.closed:
            return
        self.closed, self.projections = True, []
        self.search.close()
        if graph:
            self.graph.close()
        self.history.close()

    @property
    def findings(self) -> FindingsProjection:
        """Return what keeps the findings."""
        return next(one for one in self.projections if isinstance(one, FindingsProjection))

    @property
    def made(self) -> bool:
        """Tell whether the graph is more than what a making that is under way has come to."""
        return not isinstance(self.graph, RemoteStore) or not self.graph.anew

    def finish(self) -> None:
        """Say of a graph that was made anew in a service that all of it is there."""
        if isinstance(self.graph, RemoteStore):
            self.graph.made()


def open_parts(
    data: Path, journal: Journal, pack: Pack, home: Home | None = None, graph: RemoteStore | None = None
) -> Parts:
    """Open the parts in a folder, new ones where there are none; raise ``DataDirectory`` where one is damaged.

    The graph is where ``home`` says, or ``graph``, which is open.
    """
    store: OxigraphStore | RemoteStore
    with contextlib.ExitStack() as opened:  # one that cannot be opened closes those before it
        if graph is not None:
            store = graph
        else:
            store = home.open() if home is not None and home.setting else _open_store(data / "graph")
            opened.callback(store.close)
        history = _open_store(data / "history")
        opened.callback(history.close)
        search = SearchIndex(data / "search", abbreviations_of(pack))
        opened.pop_all()
    return Parts(store, history, search, projections_of(store, history, search, journal, pack))


def projections_of(
    graph: Store, history: Store, search: SearchIndex, journal: Journal, pack: Pack
) -> list[Projection]:
    """Return what follows the journal, in the order in which it does: the derived ones read the graph."""
    return [
        GraphProjection(graph, journal),
        HistoryProjection(history, journal),
        ScopesProjection(graph, journal),
        # the search reads the graph only: before the standings, which nearly double it
        SearchProjection(search, graph, journal, pack.languages),
        StandingsProjection(graph, journal),
        FindingsProjection(graph, journal, pack.name or None, pack.timezone),
    ]


def abbreviations_of(pack: Pack) -> Abbreviations:
    """Return the abbreviations of a pack, none where it has none."""
    path = pack.folder / "abbreviations.csv"
    return read_abbreviations(path) if path.is_file() else NO_ABBREVIATIONS


def _open_store(path: Path) -> OxigraphStore:
    """Open an embedded store; answers still being read in this process may hold the old one for a moment."""
    patience = time.monotonic() + PATIENCE
    while True:
        try:
            return OxigraphStore(path)
        except (OSError, ValueError, RuntimeError) as fault:
            held = "lock hold by current process" in str(fault)
            if held and time.monotonic() < patience:
                time.sleep(0.05)
                continue
            full = os.strerror(errno.ENOSPC) in str(fault)
            remedy = "Finish the answers that are being read." if held else "Run diaba rebuild."
            raise DataDirectory(
                f"The {path.name} store cannot be opened: {fault}",
                remedy="Make room on the disk." if full else remedy,
                place=Place(str(path)),
            ) from fault


# --- making them anew ---------------------------------------------------------------------------------------------


def make_anew(
    data: Path, journal: Journal, pack: Pack, progress: Progress | None, graph: RemoteStore | None = None
) -> None:
    """Build all parts in ``rebuild/`` and mark them complete; nothing live is touched.

    Save a ``graph`` that is kept in a service, which stands at change 0 and is being made anew (``make_anew``).
    """
    workshop = data / _REBUILD
    remove(workshop)
    workshop.mkdir()
    try:
        parts = open_parts(workshop, journal, pack, graph=graph)
        try:
            follow(parts.projections, journal, progress)
            parts.graph.flush()
            parts.history.flush()
            parts.finish()
        finally:
            parts.close(graph=graph is None)
        (workshop / _COMPLETE).touch()
        sync_folder(workshop)
    except BaseException:
        remove(workshop)
        raise


def finish_swap(data: Path) -> None:
    """Put rebuilt parts in the place of the live ones if they were completed, and tidy up otherwise.

    A crash in between is mended by calling this again: what is still in ``rebuild/`` has not been moved yet.
    """
    workshop = data / _REBUILD
    if (workshop / _COMPLETE).exists():
        for name in _LIVE:
            _put_in_place(workshop, data, name)
        sync_folder(data)
    remove(workshop)


def _put_in_place(workshop: Path, data: Path, name: str) -> None:
    """Put one rebuilt part in the place of the live one, unless that was done before; nothing is removed on the way."""
    if (workshop / name).exists():
        if (data / name).exists():
            remove(workshop / f"{_BEFORE}{name}")
            (data / name).replace(workshop / f"{_BEFORE}{name}")
        (workshop / name).replace(data / name)
