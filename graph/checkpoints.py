"""Hold the state of a moment apart, so that any process can read while one process writes.

A checkpoint is one folder: a copy of each part of the register (graph, history, search) at one revision, made of hard
links, so that making one costs milliseconds and little room. The owner takes them; readers *lease* the newest one.
A lease is a shared lock on a file of the checkpoint: the system drops it when its process ends, however it ends, so
nothing needs to be remembered about readers, and a checkpoint nobody leases can be removed at any time.

    checkpoints/current            names the newest checkpoint; replaced in one step
    checkpoints/<name>/lease       locked by each reader, and alone by whoever removes the checkpoint
    checkpoints/<name>/about.json  its revision and when it was taken
    checkpoints/<name>/<part>      one folder per part
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, Self

from graph.errors import Place, StoreFault
from graph.store import OxigraphStore

#: writes a copy of one part of the register into a folder that does not exist yet
Part = Callable[[Path], None]


class Revised(Protocol):
    """Stand at a revision."""

    @property
    def revision(self) -> int: ...


_CURRENT: Final = "current"
_LEASE: Final = "lease"
_ABOUT: Final = "about.json"
_MAKING: Final = ".making-"
_GONE: Final = ".gone-"
#: turns of a reader that finds the newest checkpoint replaced under its hands, and the seconds between two of them
_TURNS, _TURN = 200, 0.005
#: turns of copying a folder whose files come and go meanwhile
_COPIES: Final = 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Name one state of the register: its folder, the revision of every part in it, when it was taken."""

    path: Path
    revision: int
    taken_at: datetime

    def part(self, name: str = "graph") -> Path:
        """Return the folder of one part."""
        return self.path / name


@dataclass(frozen=True, slots=True)
class Room:
    """Limit what checkpoints may take: how many at once, bytes to leave free on the disk, seconds between two.

    A checkpoint costs little when it is made, but keeps the files of its moment on the disk while it is leased.
    """

    count: int = 8
    free: int = 512 * 1024 * 1024
    every: float = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """Tell how the checkpoints stand: the newest, how many there are, and why there is no newer one ("" for no reason).

    ``behind`` is by how many changes the newest one is behind the store.
    """

    newest: Checkpoint | None
    kept: int
    behind: int
    held_back: str = ""


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary process may still write on the disk of a folder."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def backup_of(store: OxigraphStore) -> Part:
    """Return what copies an embedded store by hard links; it must be on the disk of the checkpoints."""

    def copy(target: Path) -> None:
        store.raw.backup(str(target))

    return copy


def links_of(folder: Path) -> Part:
    """Return what copies a folder whose files are never written in place, such as a search index, by hard links.

    Files may come and go meanwhile: the copy is repeated until the folder was the same before and after. Locks and
    files still being written (``*.lock``, ``*.new``) are left out.
    """

    def listing() -> dict[Path, int]:
        found = {}
        for path in folder.rglob("*"):
            if path.suffix in (".lock", ".new") or path.is_dir():
                continue
            found[path.relative_to(folder)] = path.stat().st_ino
        return found

    def copy(target: Path) -> None:
        for _ in range(_COPIES):
            with contextlib.suppress(FileNotFoundError):
                before = listing()
                target.mkdir(parents=True)
                for name in before:
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    os.link(folder / name, target / name)
                if listing() == before:
                    return
            _remove(target)
        raise StoreFault(f"The folder {folder.name} changes faster than it can be copied", remedy="Try again later.")

    return copy


def open_reader(path: Path) -> OxigraphStore:
    """Open the graph or history of a checkpoint to read; raise ``StoreFault`` where it is none."""
    try:
        return OxigraphStore(path, read_only=True)
    except OSError as fault:
        raise StoreFault(
            f"The checkpoint cannot be opened: {fault}",
            remedy="Lease the newest one and open that.", place=Place(str(path)),
        ) from fault  # fmt: skip


# --- readers --------------------------------------------------------------------------------------------------------


def newest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint in a folder of checkpoints without leasing it, ``None`` where there is none."""
    for _ in range(_TURNS):
        try:
            path = folder / (folder / _CURRENT).read_text("ascii").strip()
        except FileNotFoundError:
            return None
        try:
            return _about(path)
        except FileNotFoundError:
            time.sleep(_TURN)  # replaced in between
        except (ValueError, KeyError, TypeError):
            return None  # a power cut has left it half on the disk: the owner makes another one
    return None


def _about(path: Path) -> Checkpoint:
    found = json.loads((path / _ABOUT).read_text("ascii"))
    return Checkpoint(path, int(found["revision"]), datetime.fromisoformat(found["taken_at"]))


class Lease:
    """Keep a checkpoint from being removed, until ``release`` or the end of the process. See ``lease``."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, lock: int) -> None:
        self.checkpoint = checkpoint
        self._folder = folder
        self._lock: int | None = lock
        self._giving = threading.Lock()

    @property
    def path(self) -> Path:
        """Return the folder of the graph, which is what most readers want."""
        return self.checkpoint.part()

    @property
    def revision(self) -> int:
        return self.checkpoint.revision

    def release(self) -> None:
        """Give the checkpoint up; whoever leaves last takes it away, unless it is the newest."""
        with self._giving:
            lock, self._lock = self._lock, None
        if lock is not None:
            try:
                _remove_unless_leased(self._folder, self.checkpoint.path, lock)
            finally:
                os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lease(folder: Path) -> Lease:
    """Lease the newest checkpoint in a folder of checkpoints; raise ``StoreFault`` where there is none.

    The lock is taken first and looked at again afterwards: what was removed in between is never handed out.
    """
    for _ in range(_TURNS):
        found = newest(folder)
        if found is None:
            break
        lock = _lock(found.path, fcntl.LOCK_SH)
        if lock is not None:
            return Lease(folder, found, lock)
        time.sleep(_TURN)
    raise StoreFault(
        "There is no checkpoint to read", remedy="Start the process that owns the data directory.",
        place=Place(str(folder)),
    )  # fmt: skip


def _lock(path: Path, kind: int) -> int | None:
    """Return the descriptor of a checkpoint's lease, locked; ``None`` where another holds it or it is being removed."""
    try:
        lock = os.open(path / _LEASE, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
        if os.stat(path / _LEASE).st_ino == os.fstat(lock).st_ino:
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def _remove_unless_leased(folder: Path, path: Path, lock: int) -> bool:
    """Take a checkpoint away if it is not the newest and ``lock`` can be had alone; say whether it is gone."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (folder / _CURRENT).read_text("ascii").strip() == path.name:
            return False
    except BlockingIOError:
        return False
    except FileNotFoundError:
        pass  # nothing is the newest any more
    gone = folder / f"{_GONE}{path.name}"
    with contextlib.suppress(FileNotFoundError):
        path.rename(gone)  # in one step, so that nobody finds half of it
    _remove(gone)
    return True


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


# --- the owner ------------------------------------------------------------------------------------------------------


class Checkpoints:
    """Take checkpoints of a graph and the parts that belong to it; for the one process that owns the data directory.

    ``graph`` says the revision; an embedded store is the first of the parts by itself.

    ``take`` is to be called between two changes, so that all parts are of one revision. ``clock`` counts seconds and
    ``free`` tells the bytes left on the disk. Leftovers of a process that died are removed at once; what its readers
    still lease, and what it published last, stays.
    """

    def __init__(
        self,
        folder: Path,
        graph: Revised,
        others: Mapping[str, Part] = MappingProxyType({}),
        *,
        room: Room | None = None,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder = folder
        self._graph = graph
        own: dict[str, Part] = {"graph": backup_of(graph)} if isinstance(graph, OxigraphStore) else {}
        self._parts = {**own, **others}
        self._room = room or Room()
        self._clock = clock
        self._free = free
        self._taking = threading.Lock()
        self._last: float | None = None
        self._held_back = ""
        folder.mkdir(parents=True, exist_ok=True)
        for left in [*folder.glob(f"{_MAKING}*"), *folder.glob(f"{_GONE}*")]:
            _remove(left)
        self._newest = newest(folder)
        self._kept = self._sweep()

    @property
    def state(self) -> State:
        """Tell how the checkpoints stand."""
        with self._taking:
            behind = self._graph.revision - (self._newest.revision if self._newest else 0)
            return State(self._newest, self._kept, max(behind, 0), self._held_back)

    @property
    def due(self) -> float | None:
        """Return the seconds until ``take`` would make a new one, ``None`` while nothing has changed."""
        if self._last is not None and self._newest is not None and self._graph.revision == self._newest.revision:
            return None
        return 0.0 if self._last is None else max(0.0, self._last + self._room.every - self._clock())

    def take(self, *, anew: bool = False) -> Checkpoint:
        """Return the newest checkpoint, making one if something changed and the last is older than ``Room.every``.

        ``anew`` makes one in any case, as after a rebuild. Where there is no room, the newest stays and ``state`` says
        why; raises ``StoreFault`` only where there is none at all.
        """
        with self._taking:
            if self.due == 0.0 or anew:
                self._last = self._clock()
                self._kept = self._sweep()
                self._held_back = self._lacking() or self._make()
                self._kept = self._sweep()
            if self._newest is None:
                raise StoreFault(
                    f"No checkpoint can be made: {self._held_back}",
                    remedy="Make room on the disk.", place=Place(str(self._folder)),
                )  # fmt: skip
            return self._newest

    def clear(self) -> None:
        """Publish nothing any more, and remove every checkpoint that no reader leases."""
        with self._taking:
            (self._folder / _CURRENT).unlink(missing_ok=True)
            self._newest = self._last = None
            self._kept = self._sweep()

    def _lacking(self) -> str:
        """Return what there is too little of for another checkpoint, or ""."""
        if self._kept >= self._room.count:
            return f"{self._kept} checkpoints are being read, and {self._room.count} is the most there may be"
        left = self._free(self._folder)
        if left < self._room.free:
            return f"{left >> 20} MiB are free on the disk, and {self._room.free >> 20} MiB are to stay free"
        return ""

    def _make(self) -> str:
        """Make and publish a checkpoint; return why it could not be made, or ""."""
        name = f"{self._graph.revision}-{time.time_ns():x}"
        making = self._folder / f"{_MAKING}{name}"
        made = Checkpoint(self._folder / name, self._graph.revision, datetime.now(UTC))
        try:
            making.mkdir()
            for part, copy in self._parts.items():
                copy(making / part)
            about = {"revision": made.revision, "taken_at": made.taken_at.isoformat()}
            (making / _ABOUT).write_text(json.dumps(about) + "\n", "ascii")
            (making / _LEASE).touch()
            making.rename(made.path)
            pointer = self._folder / f"{_MAKING}{_CURRENT}"
            pointer.write_text(name + "\n", "ascii")
            pointer.replace(self._folder / _CURRENT)
        except (OSError, StoreFault) as fault:
            # Whatever is wrong with this one, readers stay on the one before.
            _remove(making)
            _remove(made.path)
            return fault.message if isinstance(fault, StoreFault) else str(fault)
        self._newest = made
        return ""

    def _sweep(self) -> int:
        """Remove what is neither the newest nor leased; return how many checkpoints remain."""
        kept = 0
        for path in self._complete():
            if self._newest is not None and path.name == self._newest.path.name:
                kept += 1
                continue
            lock = _lock(path, fcntl.LOCK_EX)
            if lock is None:
                kept += 1
                continue
            try:
                kept += not _remove_unless_leased(self._folder, path, lock)
            finally:
                os.close(lock)
        return kept

    def _complete(self) -> Iterator[Path]:
        for path in sorted(self._folder.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                yield path
