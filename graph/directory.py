"""Know a data directory: its passport, the lock of whoever holds it, and how it comes to its place in one step."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from graph.errors import DataDirectory, Held, Place
from graph.journal import sync_folder

FORMAT: Final = 2
"""The format of the data directory that this code writes; ``graph.upgrades`` brings earlier ones up to it."""

PASSPORT: Final = "register.json"

LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Passport:
    """Hold what ``register.json`` says: format, when it was made, which pack and ontology are loaded, and as what.

    ``store`` names the store that holds the graph ("" for the directory itself), ``making`` which making of it.
    """

    format: int
    created: str
    pack: str | None = None
    pack_version: str = ""
    ontology: str = ""
    sources: tuple[str, ...] = field(default=())
    store: str = ""
    making: str = ""


# --- the passport -------------------------------------------------------------------------------------------------


def said_in(data: Path) -> dict[str, Any]:
    """Return what ``register.json`` says, as it stands there, of this format or an earlier one.

    Raises ``DataDirectory`` where there is no data directory, where its passport cannot be read or is of a later
    format than this code knows.
    """
    place = Place(str(data))
    if not data.is_dir():
        raise DataDirectory("There is no data directory here", remedy="Make one with diaba init.", place=place)
    path = data / PASSPORT
    try:
        said = json.loads(path.read_text("utf-8"))
        number = int(said["format"])
    except FileNotFoundError as fault:
        raise DataDirectory(
            "This is no data directory: it has no register.json",
            remedy="Name another one, or make one with diaba init.", place=place,
        ) from fault  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError) as fault:
        raise _unreadable(path, fault) from fault
    if number > FORMAT:
        raise DataDirectory(
            f"The data directory has format {number}, and this version knows up to {FORMAT}",
            remedy="Install the version of diaba that made it, or a later one.", place=place,
        )  # fmt: skip
    return dict(said)


def read_passport(data: Path) -> Passport:
    """Return the passport of a data directory; what an earlier format did not say is as it was then."""
    said = said_in(data)
    try:
        return Passport(**{**said, "sources": tuple(said["sources"])})
    except (TypeError, KeyError) as fault:
        raise _unreadable(data / PASSPORT, fault) from fault


def write_passport(data: Path, passport: Passport | dict[str, Any]) -> None:
    """Write the passport in one step: a crash leaves this one or the one before."""
    fresh = data / f"{PASSPORT}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(passport) if isinstance(passport, Passport) else passport, file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(data / PASSPORT)
    sync_folder(data)


def _unreadable(path: Path, fault: Exception) -> DataDirectory:
    return DataDirectory(
        f"register.json cannot be read: {fault}", remedy="Restore it from a backup.", place=Place(str(path))
    )


# --- the lock -----------------------------------------------------------------------------------------------------


def take_lock(data: Path) -> IO[str]:
    """Hold the directory for this process; raise ``Held`` naming the process that holds it."""
    lock = (data / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise Held(
            f"Another process holds the data directory (process {holder})",
            remedy="Stop it, or ask the service that it runs.", place=Place(str(data)),
        ) from fault  # fmt: skip
    with contextlib.suppress(OSError):  # whoever waits is told the number; on a full disk there is none
        os.truncate(lock.fileno(), 0)
        os.write(lock.fileno(), f"{os.getpid()}\n".encode())
    return lock


def unusable(data: Path, fault: OSError) -> DataDirectory:
    """Return what to tell of a directory that the system refuses."""
    path = os.fsdecode(fault.filename) if isinstance(fault.filename, str | bytes) else str(data)
    return DataDirectory(
        f"The data directory cannot be used: {fault.strerror or fault}",
        remedy="Check the path, your rights and the room on the disk.", place=Place(path),
    )  # fmt: skip


# --- its place ----------------------------------------------------------------------------------------------------


def workshop_of(data: Path) -> Path:
    """Return where a new directory is built: beside its place, or in it where it is a mount or beside is read-only."""
    beside = data.parent / f".{data.name}.unfinished"
    if data.exists() and (data.is_mount() or not os.access(data.parent, os.W_OK)):
        return data / beside.name
    return beside


def move(workshop: Path, data: Path) -> None:
    """Put a finished directory in its place; entry by entry, the passport last, where it cannot be moved whole."""
    if workshop.parent != data:
        workshop.replace(data)
        sync_folder(data.parent)
        return
    for name in sorted((path.name for path in workshop.iterdir()), key=lambda name: (name == PASSPORT, name)):
        (workshop / name).replace(data / name)
    workshop.rmdir()
    sync_folder(data)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
