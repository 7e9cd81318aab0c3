"""Read the register from outside the process that writes it: one checkpoint at a time, moving on as it changes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Self

from graph.checkpoints import Lease, lease, newest, open_reader
from graph.errors import Fault
from graph.pack import Pack
from graph.parts import abbreviations_of
from graph.register import CHECKPOINTS, RegisterReader, pack_in
from graph.search import SearchIndex
from graph.store import Reader

PAUSE: Final = 0.2
"""Seconds between two looks whether there is a newer checkpoint."""


class View(RegisterReader):
    """Read one checkpoint, which stays as it is; see ``open_view``."""

    def __init__(self, held: Lease, pack: Pack) -> None:
        self._held = held
        checkpoint = held.checkpoint
        self.path = checkpoint.path
        self._graph_store = open_reader(checkpoint.part("graph"))
        self._history_store = open_reader(checkpoint.part("history"))
        index = SearchIndex(checkpoint.part("search"), abbreviations_of(pack), read_only=True)
        super().__init__(self._graph_store, self._history_store, index, pack)

    def close(self) -> None:
        """Give the checkpoint up."""
        self._graph_store.close()
        self._history_store.close()
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_view(data: Path, pack: Pack | None = None) -> View:
    """Lease the newest checkpoint of a data directory and open it; raise ``StoreFault`` where there is none."""
    held = lease(data / CHECKPOINTS)
    try:
        return View(held, pack or pack_in(data))
    except BaseException:
        held.release()
        raise


class _Shown:
    """Count who reads a view, so that it is closed when it is no longer the newest and nobody does."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.readers = 1  # whoever shows it


class MovingReader:
    """Read the newest checkpoint, whichever it is; for a process that reads for a long time.

    What reads within ``pinned`` sees one checkpoint from beginning to end, whatever happens meanwhile; ``follow``
    moves on beside it. What reads outside sees the newest.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._pack = pack_in(data)
        self._pinned: ContextVar[View | None] = ContextVar("pinned", default=None)
        self._changing = threading.Lock()
        self._moving = threading.Lock()
        self._shown = _Shown(open_view(data, self._pack))
        self._ended = threading.Event()
        self.trouble = ""
        """Why the newest checkpoint cannot be shown, "" where it is."""

    @property
    def view(self) -> View:
        """Return the view of this context, or else the newest."""
        return self._pinned.get() or self._shown.view

    @property
    def graph(self) -> Reader:
        return self.view.graph

    @property
    def history(self) -> Reader:
        return self.view.history

    @property
    def search(self) -> SearchIndex:
        return self.view.search

    @property
    def revision(self) -> int:
        return self.view.revision

    @property
    def pack(self) -> Pack:
        return self._pack

    @contextlib.contextmanager
    def pinned(self) -> Iterator[View]:
        """Hold the newest view for this context, such as one request."""
        with self._changing:
            shown = self._shown
            shown.readers += 1
        token = self._pinned.set(shown.view)
        try:
            yield shown.view
        finally:
            self._pinned.reset(token)
            self._leave(shown)

    def move(self) -> None:
        """Show the newest checkpoint if it is another one than before; raises ``Fault`` where it cannot be opened."""
        with self._moving:
            found = newest(self._data / CHECKPOINTS)
            if found is None or found.path == self._shown.view.path:
                return
            fresh = _Shown(open_view(self._data, self._pack))
            with self._changing:
                before, self._shown = self._shown, fresh
        self._leave(before)

    def follow(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Move on until ``close``; what stands in the way is kept in ``trouble``, and told when it begins."""
        while not self._ended.wait(PAUSE):
            try:
                self.move()
            except Fault as fault:
                if not self.trouble:
                    told(str(fault))
                self.trouble = str(fault)
            else:
                self.trouble = ""

    def close(self) -> None:
        """Stop moving, and give the view up when its last reader has left."""
        self._ended.set()
        self._leave(self._shown)

    def _leave(self, shown: _Shown) -> None:
        with self._changing:
            shown.readers -= 1
            last = shown.readers == 0
        if last:
            shown.view.close()
