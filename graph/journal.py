"""Keep every accepted change, in order, for good: the journal is the truth, all else can be made from it again.

One row of an SQLite database per change, tied to the row before by a hash; what the change removes and adds lies beside
it, compressed, in the row or in a file named by its hash. ``service/docs/journal.md`` is the format in full.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Literal, cast

import pyoxigraph as ox

from graph.errors import DataDirectory, JournalBroken, Place
from graph.ledger import Ledger

FORMAT: Final = 1
"""The format of a change that this code writes: of its row and its payload. It stands in the row, and in its hash."""

MAX_IN_ROW: Final = 256 * 1024
"""Largest compressed payload, in bytes, that is kept in the row itself."""

FIRST: Final = "0" * 64
"""What stands as the hash of the row before the first."""

Section = Literal["removed", "added", "versions"]
SECTIONS: Final[tuple[Section, ...]] = ("removed", "added", "versions")

_SUFFIX: Final = ".nq.gz"
_CHUNK: Final = 1 << 18
#: bytes that are packed at a time: whoever packs waits for its turn each time, while another thread is busy
_PIECE: Final = 1 << 22

_STEPS: Final = (
    """
CREATE TABLE change (
    number       INTEGER PRIMARY KEY,
    at           TEXT NOT NULL,
    who          TEXT NOT NULL,
    source       TEXT NOT NULL,
    message      TEXT NOT NULL,
    format       INTEGER NOT NULL,
    removed      INTEGER NOT NULL,
    added        INTEGER NOT NULL,
    versions     INTEGER NOT NULL,
    payload_hash TEXT NOT NULL,
    payload      BLOB,
    previous     TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    redacted_at  TEXT,
    redacted_by  TEXT,
    redacted_why TEXT
) STRICT;
CREATE TRIGGER change_is_never_deleted BEFORE DELETE ON change
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER change_is_never_altered BEFORE UPDATE OF
    number, at, who, source, message, format, removed, added, versions, payload_hash, previous, hash ON change
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER payload_is_only_redacted BEFORE UPDATE OF
    payload, redacted_at, redacted_by, redacted_why ON change
WHEN old.redacted_at IS NOT NULL OR new.payload IS NOT NULL OR new.redacted_at IS NULL
    OR new.redacted_by IS NULL OR new.redacted_why IS NULL
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
""",
    """
CREATE TABLE finding (
    row             INTEGER PRIMARY KEY,
    fault           TEXT NOT NULL,
    rule            TEXT NOT NULL,
    about           TEXT NOT NULL,
    severity        TEXT NOT NULL,
    start           TEXT NOT NULL,
    until           TEXT NOT NULL,
    seen_revision   INTEGER NOT NULL,
    seen_at         TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    at              TEXT NOT NULL,
    ended_revision  INTEGER,
    ended_at        TEXT
) STRICT;
CREATE UNIQUE INDEX finding_open ON finding (rule, about, fault, start) WHERE ended_revision IS NULL;
CREATE INDEX finding_begun ON finding (revision);
CREATE INDEX finding_ended ON finding (ended_revision) WHERE ended_revision IS NOT NULL;
""",
)
"""What makes the database, step by step: the first step made format 1, each later one brings it one format on.

A step is run in one transaction and never altered once it is released. ``service/docs/keeping.md`` says how to add one.
"""

DATABASE: Final = len(_STEPS)
"""The format of the database that this code writes."""

_CUTS: Final = {"change": "number <= :last", "finding": "revision <= :last"}
"""Which rows of a table belong to a journal that ends with change ``last``; of any other table all do."""

_MENDS: Final = {
    "finding": "UPDATE main.finding SET ended_revision = NULL, ended_at = NULL WHERE ended_revision > :last"
}
"""What must be said otherwise in the rows of a table that belong to a journal which ends with change ``last``."""

_COLUMNS: Final = (
    "number, at, who, source, message, format, removed, added, versions, payload_hash, previous, hash,"
    " redacted_at, redacted_by, redacted_why"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Propose a change: what was staged, by whom, for which source, and why."""

    payload: Sealed
    who: str
    source: str
    message: str
    removed: int
    added: int
    versions: int


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one row: an accepted change without its payload. Counts are statements, ``at`` is an instant in Z."""

    number: int
    at: str
    who: str
    source: str
    message: str
    format: int
    removed: int
    added: int
    versions: int
    payload_hash: str
    previous: str
    hash: str
    redacted_at: str | None = None
    redacted_by: str | None = None
    redacted_why: str | None = None

    @property
    def redacted(self) -> bool:
        """Tell whether the payload was destroyed."""
        return self.redacted_at is not None

    def expected_hash(self) -> str:
        """Compute what the hash of this row must be: over its facts as a JSON list, the row before included."""
        facts = [
            self.number, self.at, self.who, self.source, self.message, self.format, self.removed, self.added,
            self.versions, self.payload_hash, self.previous,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """Hold a finished payload: the hash of its text, and the compressed text or the file that holds it, on disk."""

    hash: str
    data: bytes | None
    file: Path | None


@dataclass(slots=True)
class Draft:
    """Write a payload: the three sections in their order, as N-Quads. Nothing counts before a row names it.

    ``counts`` are the statements of each section. Use as a context: what is not sealed leaves nothing behind.
    """

    folder: Path
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _packer: zlib._Compress = field(default_factory=lambda: zlib.compressobj(1, zlib.DEFLATED, 31))
    _packers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "payload"))
    _packing: Future[None] | None = None
    _pending: list[bytes] = field(default_factory=list)
    _size: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _file: IO[bytes] | None = None
    _path: Path | None = None
    _begun: int = 0
    counts: dict[Section, int] = field(default_factory=lambda: dict.fromkeys(SECTIONS, 0))

    def begin(self, section: Section) -> None:
        """Open the next section; all three must be opened, in order."""
        assert SECTIONS[self._begun] == section, "sections follow one another"
        self._begun += 1
        self.write(f"# {section}\n".encode())
        self.counts[section] = 0

    def write(self, data: bytes, lines: int | None = None) -> int:
        """Add N-Quads text, whole lines in the end, to the section that is open; ``lines`` where they are counted."""
        self.counts[SECTIONS[self._begun - 1]] += data.count(b"\n") if lines is None else lines
        self._pending.append(data)
        self._size += len(data)
        if self._size >= _PIECE:
            self._hand_over()
        return len(data)

    def _hand_over(self) -> None:
        """Hash and pack beside whoever writes: one piece at a time, while the next one is gathered."""
        data, self._pending, self._size = self._pending, [], 0
        if self._packing is not None:
            self._packing.result()
        self._packing = self._packers.submit(self._pack, data)

    def _pack(self, pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        self._hash.update(data)
        self._put(self._packer.compress(data))

    def flush(self) -> None:
        """Do nothing: part of a payload on disk is worth nothing. Serialisers call this on what they write to."""

    def seal(self) -> Sealed:
        """Finish: the payload is on disk, or small enough for its row."""
        assert self._begun == len(SECTIONS), "every section is opened"
        if self._packing is not None:
            self._packing.result()
        self._pack(self._pending)
        self._put(self._packer.flush())
        digest = self._hash.hexdigest()
        if self._file is None:
            return Sealed(digest, bytes(self._buffer), None)
        assert self._path is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        final = self.folder / (digest + _SUFFIX)
        self._path.replace(final)
        sync_folder(self.folder)
        self._file = self._path = None
        return Sealed(digest, None, final)

    def _put(self, data: bytes) -> None:
        if self._file is None:
            self._buffer += data
            if len(self._buffer) <= MAX_IN_ROW:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path = self.folder / f"{os.getpid()}-{id(self)}.part"
            self._file = self._path.open("wb")
            data, self._buffer = bytes(self._buffer), bytearray()
        self._file.write(data)

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._packers.shutdown()
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


class Journal:
    """Open the journal in a data directory: ``journal.sqlite`` and, for large payloads, ``payloads/``.

    ``read_only`` never writes a byte. The writer must be the only one of the directory (the register sees to that); it
    makes what is missing and brings an earlier format up to this one. Raises ``DataDirectory`` for a later format.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / "journal.sqlite"
        self.folder = folder / "payloads"
        self._read_only = read_only
        try:
            if read_only:
                self._rows = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
                self._known()
            else:
                self._rows = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._rows.execute("PRAGMA journal_mode=WAL")
                self._rows.execute("PRAGMA synchronous=FULL")
                self._bring_up()
        except sqlite3.Error as fault:
            raise JournalBroken(
                f"The journal cannot be opened: {fault}",
                remedy="Look for a full or failing disk; where the disk is in order, restore it from a backup.",
                place=Place(str(self.path)),
            ) from fault  # fmt: skip

    def _known(self) -> int:
        """Return the format of the database, 0 for a new one."""
        (number,) = self._rows.execute("PRAGMA user_version").fetchone()
        if number > DATABASE:
            self._rows.close()
            raise DataDirectory(
                f"The journal has format {number}, and this version knows up to {DATABASE}",
                remedy="Install the version of diaba that wrote it, or a later one.", place=Place(str(self.path)),
            )  # fmt: skip
        return int(number)

    def _bring_up(self) -> None:
        """Take the steps that are missing: each whole or not at all, so that a crash leaves one format or the next."""
        for number in range(self._known(), DATABASE):
            try:
                self._rows.executescript(
                    f"BEGIN IMMEDIATE; {_STEPS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
                )
            except BaseException:
                self._rows.close()  # and with it, what was begun
                raise

    @property
    def format(self) -> int:
        """Return the format of the database as it stands."""
        return self._known()

    @property
    def revision(self) -> int:
        """Return the number of the last change, 0 for none."""
        (number,) = self._rows.execute("SELECT max(number) FROM change").fetchone()
        return number or 0

    def last(self) -> Change | None:
        """Return the last change."""
        row = self._rows.execute(f"SELECT {_COLUMNS} FROM change ORDER BY number DESC LIMIT 1").fetchone()
        return Change(*row) if row else None

    def next_instant(self) -> str:
        """Return the instant for the next change: now, and always after the last one, to the millisecond, in Z."""
        now = datetime.now(UTC)
        last = self.last()
        if last is not None:
            now = max(now, read_instant(last.at) + timedelta(milliseconds=1))
        return write_instant(now)

    def draft(self) -> Draft:
        """Begin a payload."""
        return Draft(self.folder)

    def append(self, entries: Sequence[Entry], at: str) -> list[Change]:
        """Accept changes, all or none: when this returns they are acknowledged and on disk."""
        last = self.last()
        number, previous = (last.number, last.hash) if last else (0, FIRST)
        changes = []
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                number += 1
                bare = Change(
                    number, at, entry.who, entry.source, entry.message, FORMAT, entry.removed, entry.added,
                    entry.versions, entry.payload.hash, previous, "",
                )  # fmt: skip
                previous = bare.expected_hash()
                self._rows.execute(
                    "INSERT INTO change (number, at, who, source, message, format, removed, added, versions,"
                    " payload_hash, payload, previous, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                    (
                        bare.number, bare.at, bare.who, bare.source, bare.message, bare.format, bare.removed,
                        bare.added, bare.versions, bare.payload_hash, entry.payload.data, bare.previous, previous,
                    ),
                )  # fmt: skip
                changes.append(
                    Change(
                        bare.number, bare.at, bare.who, bare.source, bare.message, bare.format, bare.removed,
                        bare.added, bare.versions, bare.payload_hash, bare.previous, previous,
                    )
                )  # fmt: skip
            self._rows.execute("COMMIT")
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise
        return changes

    def changes(self, since: int = 0) -> Iterator[Change]:
        """Yield the changes after ``since`` in order."""
        while True:
            rows = self._rows.execute(
                f"SELECT {_COLUMNS} FROM change WHERE number > ? ORDER BY number LIMIT 1000", (since,)
            ).fetchall()
            if not rows:
                return
            for row in rows:
                yield Change(*row)
            since = rows[-1][0]

    def quads(
        self, change: Change, section: Section, progress: Callable[[int], None] | None = None
    ) -> Iterator[ox.Quad]:
        """Yield the statements of one section; nothing for a redacted change. Raises ``JournalBroken``.

        ``progress`` is told now and then how many have been read.
        """
        try:
            for block in self.lines(change, section, progress):
                yield from ox.parse(block, format=ox.RdfFormat.N_QUADS)
        except SyntaxError as fault:
            raise self._broken(change, "cannot be read") from fault

    def lines(
        self, change: Change, section: Section, progress: Callable[[int], None] | None = None
    ) -> Iterator[bytes]:
        """Yield one section as N-Quads, in blocks of whole lines; nothing for a redacted change.

        ``progress`` is told now and then how many statements have been read. Raises ``JournalBroken``.
        """
        if change.redacted or not getattr(change, section):
            return
        done = 0
        try:
            with self._opened(change) as stream:
                for block in _blocks(stream, section):
                    if progress is not None:
                        progress(done)
                        done += block.count(b"\n")
                    yield block
        except (zlib.error, EOFError) as fault:
            raise self._broken(change, "cannot be read") from fault

    def text(self, change: Change) -> Iterator[bytes]:
        """Yield the whole payload of a change, unpacked, in pieces. Raises ``JournalBroken``."""
        try:
            with self._opened(change) as stream:
                while piece := stream.read(_CHUNK):
                    yield piece
        except (zlib.error, EOFError) as fault:
            raise self._broken(change, "cannot be unpacked") from fault

    def verify(self, since: int = 0) -> int:
        """Check numbers, hashes and payloads of every change after ``since``; return how many stand.

        A redacted payload is gone, but its hash is still part of its row's. Raises ``JournalBroken`` naming the change.
        """
        previous = FIRST
        if since:
            row = self._rows.execute("SELECT hash FROM change WHERE number = ?", (since,)).fetchone()
            previous = row[0] if row else ""
        count = 0
        for expected, change in enumerate(self.changes(since), since + 1):
            if change.number != expected:
                raise self._broken(change, f"follows where change {expected} should")
            if change.previous != previous:
                raise self._broken(change, "does not name the hash of the one before it")
            if change.hash != change.expected_hash():
                raise self._broken(change, "does not match its own hash")
            if not change.redacted:
                digest = hashlib.sha256()
                for piece in self.text(change):
                    digest.update(piece)
                if digest.hexdigest() != change.payload_hash:
                    raise self._broken(change, "has a payload that does not match its hash")
            previous = change.hash
            count += 1
        return count

    def redact(self, numbers: Iterable[int], who: str, why: str) -> None:
        """Destroy the payloads of changes for good, all or none; their rows, hashes and the reason stay.

        What SQLite freed is overwritten, and a payload file goes unless another change still needs it.
        """
        at = write_instant(datetime.now(UTC))
        self._rows.execute("PRAGMA secure_delete=ON")
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            self._rows.executemany(
                "UPDATE change SET payload = NULL, redacted_at = ?, redacted_by = ?, redacted_why = ?"
                " WHERE number = ? AND redacted_at IS NULL",
                [(at, who, why, number) for number in numbers],
            )
            self._rows.execute("COMMIT")
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise
        self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.sweep()

    def sweep(self) -> None:
        """Remove payload files that no change names: what a crash left between file and row."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            digest = path.name.removesuffix(_SUFFIX)
            known = self._rows.execute(
                "SELECT 1 FROM change WHERE payload_hash = ? AND payload IS NULL AND redacted_at IS NULL", (digest,)
            ).fetchone()
            if path.suffix == ".part" or (re.fullmatch(r"[0-9a-f]{64}", digest) and not known):
                path.unlink()

    @cached_property
    def ledger(self) -> Ledger:
        """Return the ledger of findings, which stands in the same database; opened when it is first asked for."""
        return Ledger(self.path.parent, read_only=self._read_only)

    def close(self) -> None:
        """Close the database."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        self._rows.close()

    def _opened(self, change: Change) -> IO[bytes]:
        (data,) = self._rows.execute("SELECT payload FROM change WHERE number = ?", (change.number,)).fetchone()
        if data is not None:
            return cast(IO[bytes], _Unpacked(io.BytesIO(data)))
        try:
            return cast(IO[bytes], _Unpacked((self.folder / (change.payload_hash + _SUFFIX)).open("rb")))
        except FileNotFoundError as fault:
            raise self._broken(change, "has lost its payload file") from fault

    def _broken(self, change: Change, what: str) -> JournalBroken:
        return JournalBroken(
            f"Change {change.number} of the journal {what}",
            remedy="Restore the data directory from a backup.",
            place=Place(str(self.path)),
        )


class _Unpacked(io.RawIOBase):
    """Unpack a gzip stream as it is read; a short one is an error."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._unpacker = zlib.decompressobj(31)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._packed.read(_CHUNK)
            if not packed:
                raise EOFError("the payload is cut off")
            data = self._unpacker.decompress(packed, max(size, 0))
            if data:
                return data
        return b""

    def close(self) -> None:
        self._packed.close()
        super().close()


def _blocks(stream: IO[bytes], section: Section) -> Iterator[bytes]:
    """Yield one section of a payload in blocks of whole lines.

    A header stands at the start of a line, and no statement begins with a number sign.
    """
    header = f"# {section}\n".encode()
    text = b"\n"
    while (found := text.find(b"\n" + header)) < 0:
        piece = stream.read(_CHUNK)
        if not piece:
            raise EOFError("a section is missing")
        text = text[-len(header) :] + piece
    rest = text[found + len(header) :]  # from the header's own line end on, so that an empty section is seen to end
    while True:
        end = rest.find(b"\n# ")
        if end >= 0:
            yield rest[: end + 1]
            return
        whole = rest.rfind(b"\n")
        if whole > 0:
            yield rest[:whole]
            rest = rest[whole:]
        piece = stream.read(_CHUNK)
        if not piece:
            yield rest
            return
        rest += piece


def copy_rows(source: Path, target: Path, last: int) -> None:
    """Copy the database of a journal up to change ``last`` to a new file, in the format that it has."""
    with closing(sqlite3.connect(target.resolve().as_uri(), uri=True, isolation_level=None)) as rows:
        rows.execute("ATTACH ? AS kept", (f"{source.resolve().as_uri()}?mode=ro",))
        (number,) = rows.execute("PRAGMA kept.user_version").fetchone()
        made = rows.execute("SELECT type, name, sql FROM kept.sqlite_master WHERE sql IS NOT NULL").fetchall()
        rows.execute("BEGIN")
        for sort, name, text in sorted(made, key=lambda one: one[0] != "table"):  # triggers guard what is copied
            rows.execute(text)
            if sort == "table":
                rows.execute(
                    f'INSERT INTO main."{name}" SELECT * FROM kept."{name}" WHERE {_CUTS.get(name, "TRUE")}',
                    {"last": last},
                )
                if name in _MENDS:
                    rows.execute(_MENDS[name], {"last": last})
        rows.execute(f"PRAGMA user_version = {number}")
        rows.execute("COMMIT")


def write_instant(moment: datetime) -> str:
    """Write an instant as ``xsd:dateTime`` in Z, to the millisecond, without needless zeros (the store's own form)."""
    moment = moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond // 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def read_instant(text: str) -> datetime:
    """Read an instant that the journal wrote."""
    return datetime.fromisoformat(text)


def sync_folder(folder: Path) -> None:
    """Make sure that a rename in a folder survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
