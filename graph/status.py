"""Tell how a data directory stands: its revision, how far each part follows, who owns it, what it takes on the disk.

Nothing is changed and nobody is kept waiting: beside a running service its owner is asked, and without one the parts
are opened to be read only. What is damaged or cannot be reached is told as such, beside all that can be told.
"""

from __future__ import annotations

import contextlib
import fcntl
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from graph.checkpoints import free_bytes
from graph.client import Client
from graph.directory import LOCK, Passport, read_passport
from graph.errors import Fault
from graph.journal import Journal
from graph.messages import call
from graph.parts import Home, abbreviations_of, projections_of
from graph.projections import Projection
from graph.register import CHECKPOINTS, home_of, pack_of
from graph.remote import RemoteStore
from graph.search import LAYOUT, SearchIndex
from graph.store import OxigraphStore
from graph.words import Abbreviations

#: seconds in which an owner answers how it stands
PATIENCE: Final = 5.0

_JOURNAL: Final = ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm")
_FOLDERS: Final = ("payloads", "graph", "history", "search", CHECKPOINTS, "rebuild")


@dataclass(frozen=True, slots=True)
class Reached:
    """Say up to which change a part has come (``None``: not known), and what keeps it from going on ("" for nothing).

    ``why`` is the reason in words, or ``unopened`` where it goes on when the register is next opened, ``changing``
    where a change is being made, ``ahead`` where it holds changes that the journal has not.
    """

    name: str
    revision: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold how a data directory stands; see ``condition_of``. Sizes are bytes on the disk."""

    data: Path
    passport: Passport
    revision: int
    at: str | None
    formats: dict[str, int]
    parts: tuple[Reached, ...]
    owner: dict[str, Any] | None
    disk: dict[str, int] = field(default_factory=dict)

    @property
    def behind(self) -> bool:
        """Tell whether some part does not hold exactly what the journal holds, as far as is known."""
        return any(part.revision != self.revision for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        passport = self.passport
        return {
            "data": str(self.data),
            "revision": self.revision,
            "at": self.at,
            "created": passport.created,
            "pack": passport.pack and {"name": passport.pack, "version": passport.pack_version},
            "store": passport.store or None,
            "formats": self.formats,
            "parts": [asdict(part) for part in self.parts],
            "owner": self.owner,
            "disk": self.disk,
        }


def condition_of(data: Path | str, *, store: str = "") -> Condition:
    """Tell how a data directory stands. ``store`` is the setting that says where the graph is kept.

    Raises ``DataDirectory`` where it is none or of a later format, ``JournalBroken`` where its journal cannot be read.
    """
    data = Path(data).absolute()
    passport = read_passport(data)
    with closing(Journal(data, read_only=True)) as journal:
        owner = _owner(data)
        last = journal.last()
        revision = last.number if last else 0
        parts = _read(data, passport, store, journal, revision) if owner is None else _told(owner, revision)
        formats = {"directory": passport.format, "journal": journal.format, "search": LAYOUT}
    if owner is not None:
        owner.pop("parts", None)
    return Condition(data, passport, revision, last.at if last else None, formats, parts, owner, disk_of(data))


# --- who owns it ----------------------------------------------------------------------------------------------------


def _owner(data: Path) -> dict[str, Any] | None:
    """Return what the owner says of itself, as little as its number where it does not answer; ``None`` for nobody."""
    connection = call(data, PATIENCE)
    if connection is not None:
        connection.close()
        with contextlib.suppress(Fault):
            return {**Client(data).status(), "answers": True}
    number = _holder(data)
    return None if number is None else {"process": number or None, "answers": False}


def _holder(data: Path) -> int | None:
    """Return the number of the process that holds the lock, 0 where it left none; ``None`` where nobody holds it."""
    try:
        with (data / LOCK).open("r", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                said = lock.read().strip()
                return int(said) if said.isdecimal() else 0
    except OSError:
        pass
    return None


# --- how far the parts are ------------------------------------------------------------------------------------------


def _told(owner: dict[str, Any], revision: int) -> tuple[Reached, ...]:
    """Return how far the parts of an owner are, and why no further: what it does, or what keeps it from that."""
    trouble = owner.get("trouble", "") or ("" if owner["answers"] else "changing")
    why = trouble or ("changing" if owner.get("running") else "")
    return tuple(
        Reached(name, reached, why if reached < revision else "") for name, reached in owner.get("parts", {}).items()
    )


def _read(data: Path, passport: Passport, setting: str, journal: Journal, revision: int) -> tuple[Reached, ...]:
    """Open the parts to read them only, as nobody owns them, and return how far each is."""
    pack = pack_of(passport.pack)
    faults: dict[str, str] = {}
    with ExitStack() as opened:

        def attempt(name: str, fallback: Any, make: Any) -> Any:
            try:
                found = make()
            except (Fault, OSError, ValueError, RuntimeError) as fault:
                faults[name] = fault.message if isinstance(fault, Fault) else str(fault)
                return fallback
            if hasattr(found, "close"):
                opened.callback(found.close)
            return found

        graph = attempt("graph", OxigraphStore(), lambda: _graph(data, home_of(data, passport, setting)))
        history = attempt("history", OxigraphStore(), lambda: _store(data / "history"))
        search = attempt("search", SearchIndex(None), lambda: _search(data / "search", abbreviations_of(pack)))
        found = []
        for one in projections_of(graph, history, search, journal, pack):
            broken = faults.get(one.name if one.name in ("history", "search") else "graph")
            found.append(Reached(one.name, None, broken) if broken else _reached(one, revision))
        return tuple(found)


def _reached(projection: Projection, revision: int) -> Reached:
    try:
        reached = projection.revision
    except Fault as fault:
        return Reached(projection.name, None, fault.message)
    why = "" if reached == revision else "unopened" if reached < revision else "ahead"
    return Reached(projection.name, reached, why)


def _graph(data: Path, home: Home) -> OxigraphStore | RemoteStore:
    return home.open(read_only=True) if home.setting else _store(data / "graph")


def _store(path: Path) -> OxigraphStore:
    return OxigraphStore(path, read_only=True) if path.exists() else OxigraphStore()


def _search(path: Path, abbreviations: Abbreviations) -> SearchIndex:
    return SearchIndex(path, abbreviations, read_only=True) if path.exists() else SearchIndex(None)


# --- what it takes --------------------------------------------------------------------------------------------------


def disk_of(data: Path) -> dict[str, int]:
    """Return the bytes that each part takes on the disk, and ``free``.

    Checkpoints share most files with the live parts: only what is theirs alone is counted as theirs.
    """
    seen: set[tuple[int, int]] = set()

    def size(paths: Any) -> int:
        total = 0
        for path in paths:
            with contextlib.suppress(OSError):  # it has gone meanwhile
                told = path.lstat()
                if (told.st_dev, told.st_ino) not in seen:
                    seen.add((told.st_dev, told.st_ino))
                    total += told.st_blocks * 512
        return total

    found = {"journal": size(data / name for name in _JOURNAL)}
    for name in _FOLDERS:
        found[name] = size((data / name).rglob("*"))
    found["other"] = size(data.rglob("*"))
    found["free"] = free_bytes(data)
    return found
