"""Open what is made from the journal (graph, history, search index and what keeps them up), and make it anew.

Made anew, it is built beside the live parts and put in their place in one step that a crash cannot leave half.
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
from graph.search import SearchIndex, read_abbreviations
from graph.store import OxigraphStore
from graph.words import NO_ABBREVIATIONS, Abbreviations

PATIENCE: Final = 5.0
"""Seconds to wait for answers of this process that still hold a store which was closed."""

_LIVE: Final = ("graph", "history", "search")
_REBUILD: Final = "rebuild"
_COMPLETE: Final = "complete"
_BEFORE: Final = "before-"


@dataclass(slots=True)
class Parts:
    """Hold the parts open, with what follows the journal in its order."""

    graph: OxigraphStore
    history: OxigraphStore
    search: SearchIndex
    projections: list[Projection]
    closed: bool = False

    def close(self) -> None:
        """Give them up."""
        if self.closed:
            return
        self.closed, self.projections = True, []
        self.search.close()
        self.graph.close()
        self.history.close()


def open_parts(data: Path, journal: Journal, pack: Pack) -> Parts:
    """Open the parts in a folder, new ones where there are none; raise ``DataDirectory`` where one is damaged."""
    with contextlib.ExitStack() as opened:  # one that cannot be opened closes those before it
        graph = _open_store(data / "graph")
        opened.callback(graph.close)
        history = _open_store(data / "history")
        opened.callback(history.close)
        search = SearchIndex(data / "search", abbreviations_of(pack))
        opened.pop_all()
    following: list[Projection] = [
        GraphProjection(graph, journal),
        HistoryProjection(history, journal),
        ScopesProjection(graph, journal),
        # the search reads the graph only: before the standings, which nearly double it
        SearchProjection(search, graph, journal, pack.languages),
        StandingsProjection(graph, journal),
    ]
    return Parts(graph, history, search, following)


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


def make_anew(data: Path, journal: Journal, pack: Pack, progress: Progress | None) -> None:
    """Build all parts in ``rebuild/`` and mark them complete; nothing live is touched."""
    workshop = data / _REBUILD
    remove(workshop)
    workshop.mkdir()
    try:
        parts = open_parts(workshop, journal, pack)
        try:
            follow(parts.projections, journal, progress)
            parts.graph.flush()
            parts.history.flush()
        finally:
            parts.close()
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
            (data / name).replace(workshop / f"{_BEFORE}{name}")
        (workshop / name).replace(data / name)
