"""Read the register from outside the process that writes it: one checkpoint at a time, moving on as it changes.

A graph that is kept in a service has no checkpoints: it is read there, beside a checkpoint of all else.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Self

from graph.checkpoints import Lease, lease, newest, open_reader
from graph.directory import read_passport
from graph.errors import Fault
from graph.pack import Pack
from graph.parts import abbreviations_of
from graph.register import CHECKPOINTS, RegisterReader, home_of, pack_in
from graph.remote import RemoteStore
from graph.search import SearchIndex
from graph.store import Reader

PAUSE: Final = 0.2
"""Seconds between two looks whether there is a newer checkpoint."""


class Seen:
    """Read a graph in a service, which moves on by itself, as of the change that it stood at when it was looked at."""

    def __init__(self, store: RemoteStore) -> None:
        self.store = store
        self.revision = store.revision
        self.outgoing = store.outgoing
        self.incoming = store.incoming
        self.query = store.query


class View(RegisterReader):
    """Read one checkpoint, which stays as it is; see ``open_view``.

    ``store`` is the service that keeps the graph, where one does, ``own`` whether it is given up with the view.
    """

    def __init__(self, held: Lease, pack: Pack, store: RemoteStore | None = None, *, own: bool = True) -> None:
        self._held = held
        checkpoint = held.checkpoint
        self.path = checkpoint.path
        with contextlib.ExitStack() as opened:
            graph: Reader
            if store is None:
                embedded = open_reader(checkpoint.part("graph"))
                opened.callback(embedded.close)
                graph = embedded
            else:
                if own:
                    opened.callback(store.close)
                graph = Seen(store)
            history = open_reader(checkpoint.part("history"))
            opened.callback(history.close)
            index = SearchIndex(checkpoint.part("search"), abbreviations_of(pack), read_only=True)
            self._giving_up = opened.pop_all()
        super().__init__(graph, history, index, pack)

    @property
    def revision(self) -> int:
        """Return the number of the last change that is in all of it."""
        return min(self.graph.revision, self._held.revision)

    def close(self) -> None:
        """Give the checkpoint up."""
        self._giving_up.close()
        self._held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_view(data: Path, pack: Pack | None = None, *, store: str | RemoteStore = "") -> View:
    """Lease the newest checkpoint of a data directory and open it; raise ``StoreFault`` where there is none.

    ``store`` is the setting that says where the graph is kept, or the service that keeps it, open.
    """
    held = lease(data / CHECKPOINTS)
    try:
        pack = pack or pack_in(data)
        if isinstance(store, RemoteStore):
            return View(held, pack, store, own=False)
        return View(held, pack, open_remote(data, store))
    except BaseException:
        held.release()
        raise


def open_remote(data: Path, setting: str) -> RemoteStore | None:
    """Open the service that keeps the graph of a data directory, to read it; ``None`` where none does.

    Raises ``DataDirectory`` where the setting says another place than the directory.
    """
    home = home_of(data, read_passport(data), setting)
    return home.open(read_only=True) if home.setting else None


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

    def __init__(self, data: Path, *, store: str = "") -> None:
        self._data = data
        self._pack = pack_in(data)
        self._store = open_remote(data, store)
        self._pinned: ContextVar[View | None] = ContextVar("pinned", default=None)
        self._changing = threading.Lock()
        self._moving = threading.Lock()
        self._shown = _Shown(self._open())
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
            shown = self._shown.view
            moved = self._store is not None and self._store.revision != shown.graph.revision
            if found is None or (found.path == shown.path and not moved):
                return
            fresh = _Shown(self._open())
            with self._changing:
                before, self._shown = self._shown, fresh
        self._leave(before)

    def _open(self) -> View:
        return open_view(self._data, self._pack, store=self._store or "")

    @property
    def moving(self) -> bool:
        """Tell whether what is shown may move on while it is read, as a graph in a service does."""
        return self._store is not None

    def state(self) -> str | None:
        """Name the state that a graph in a service is in, and show that; ``None`` where the newest checkpoint is shown.

        Two looks that see the same name saw the same graph, and so did all that was read between them. Raises
        ``StoreFault`` while a change stands half.
        """
        if self._store is None:
            return None
        name, revision = self._store.state()
        if revision != self.view.graph.revision:
            self.move()
        return name

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
        if self._store is not None:
            self._store.close()

    def _leave(self, shown: _Shown) -> None:
        with self._changing:
            shown.readers -= 1
            last = shown.readers == 0
        if last:
            shown.view.close()
