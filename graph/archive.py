"""Keep a register for good: copy it at work, bring it back to any change, show what was known, destroy what must go.

All of it is made from the journal, so nothing here needs the live stores but ``snapshot``, which reads them, and
``redact``, which must be the register's own process. ``service/docs/keeping.md`` is the manual.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import pyoxigraph as ox

from graph.directory import PASSPORT, said_in, write_passport
from graph.errors import BadQuestion, DataDirectory, NotFound, Place
from graph.journal import Change, Journal, Section, copy_rows, read_instant, sync_folder
from graph.register import Register, RegisterReader, need_free
from graph.snapshot import instant
from graph.store import normal_form
from graph.terms import D, Graphs

Told = Callable[[str, int, int | None], None]
"""Called now and then with the step, how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Tell what a backup or a restored directory holds: its last change, when that was made, and the bytes copied."""

    path: Path
    revision: int
    at: str | None
    bytes: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


def backup(data: Path, target: Path) -> Copied:
    """Copy the journal and its payloads to a new folder ``target``, also while the register is at work.

    The copy is whole or not there, is verified, and is a data directory that only needs its projections made again:
    ``restore`` does that. Raises ``DataDirectory`` where ``target`` exists, ``JournalBroken`` where the copy is bad.
    """
    need_register(data)
    if target.exists():
        raise DataDirectory("There is something here already", remedy="Name a new folder.", place=Place(str(target)))
    workshop = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True)
    try:
        shutil.copy2(data / PASSPORT, workshop / PASSPORT)
        with (
            closing(sqlite3.connect(f"{(data / 'journal.sqlite').resolve().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(workshop / "journal.sqlite")) as copy,
        ):
            live.backup(copy, pages=1024)
        copied = _copy_payloads(data, workshop)
        copied = Copied(target, copied.revision, copied.at, copied.bytes)
        sync_folder(workshop)
        workshop.replace(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return copied


def _copy_payloads(data: Path, copy: Path) -> Copied:
    """Copy the payload files that the copied journal names, then verify it."""
    with closing(Journal(copy, read_only=True)) as journal:
        journal.folder.mkdir(exist_ok=True)
        for change in journal.changes():
            live = data / "payloads" / f"{change.payload_hash}.nq.gz"
            if not change.redacted and live.exists() and not (journal.folder / live.name).exists():
                shutil.copy2(live, journal.folder / live.name)
        journal.verify()
        last = journal.last()
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    return Copied(copy, last.number if last else 0, last.at if last else None, size)


def restore(
    backup: Path, target: Path, to: int | datetime | None = None, progress: Told | None = None, store: str = ""
) -> Copied:
    """Make a data directory from a backup (or from another data directory), as it stood after one change.

    ``to`` is the number of a change, or an instant: the last change made by then; ``None`` takes all. The journal of
    the new directory ends there, and its projections are made anew, with the graph in ``store``, which must be empty:
    never in the one that the backup's register follows. Raises ``NotFound`` where there is no such change.
    """
    need_register(backup)
    need_free(store)
    if target.exists() and any(target.iterdir()):
        raise DataDirectory("There is something here already", remedy="Name a new folder.", place=Place(str(target)))
    with closing(Journal(backup, read_only=True)) as journal:
        journal.verify()
        last = _change_at(journal, to)
    workshop = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True)
    try:
        copy_rows(backup / "journal.sqlite", workshop / "journal.sqlite", last.number)
        size = _copy_payloads(backup, workshop).bytes
        write_passport(workshop, {**said_in(backup), "store": "", "making": ""})
        if target.exists():
            target.rmdir()
        workshop.replace(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    with Register.open(target, store=store, rebuild=True, progress=progress):
        pass
    return Copied(target, last.number, last.at, size)


def _change_at(journal: Journal, to: int | datetime | None) -> Change:
    found: Change | None = None
    for change in journal.changes():
        if isinstance(to, datetime) and read_instant(change.at) > to:
            break
        if isinstance(to, int) and change.number > to:
            break
        found = change
    if found is None or (isinstance(to, int) and found.number != to):
        last = journal.last()
        until = f"the last is {last.number}, made {last.at}" if last else "there is none at all"
        raise NotFound(f"The journal has no change {to}: {until}", remedy="See diaba journal log.")
    return found


def journal_of(data: Path) -> closing[Journal]:
    """Open the journal of a data directory or backup to read it, also beside the process that writes it."""
    need_register(data)
    said_in(data)
    return closing(Journal(data, read_only=True))


def need_register(data: Path) -> None:
    """Raise ``DataDirectory`` unless a folder holds a register or a backup of one."""
    if not (data / "journal.sqlite").is_file() or not (data / PASSPORT).is_file():
        raise DataDirectory(
            "This is neither a data directory nor a backup of one",
            remedy="Name a folder with register.json and journal.sqlite in it.", place=Place(str(data)),
        )  # fmt: skip


def read_time(text: str) -> int | datetime:
    """Read what ``restore --to`` takes: the number of a change, or an instant in Z; raise ``BadQuestion``."""
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise BadQuestion(
            f"{text} is neither a revision nor an instant", remedy="Write 42, or 2026-11-20T12:00:00Z."
        ) from fault
    if moment.tzinfo is None:
        raise BadQuestion(f"The instant {text} has no zone", remedy=f"Write {text}Z for UTC, or an offset.")
    return moment


# --- a store as it was known ----------------------------------------------------------------------------------------


def snapshot(reader: RegisterReader, known_at: datetime) -> Iterator[ox.Quad]:
    """Yield every statement of the sources as it was known at an instant, as ``who --known-at`` sees it.

    Records are those of then, under their own names; descriptions, which have one clock, are those of now. What the
    register derives is left out.
    """
    hidden: dict[str, bool] = {}
    for graph in sources_of(reader):
        home = ox.NamedNode(graph)
        rows = cast(ox.QuerySolutions, reader.graph.query(f"SELECT ?s ?p ?o {{ GRAPH {home} {{ ?s ?p ?o }} }}"))
        for row in rows:
            subject, predicate, value = row["s"], row["p"], row["o"]
            node = subject.value
            if node not in hidden:
                told = reader.graph.outgoing((node,), (D.recordedAt,))
                hidden[node] = any(instant(moment.value) > known_at for _, _, moment, _ in told)
            if not hidden[node]:
                yield ox.Quad(subject, predicate, value, home)
    versions = cast(
        ox.QuerySolutions,
        reader.history.query(
            f"SELECT ?version ?record ?from ?until {{ ?version <{D.versionOf}> ?record ; <{D.withdrawnAt}> ?until"
            f" OPTIONAL {{ ?version <{D.recordedAt}> ?from }} }}"
        ),
    )
    current = {
        row["version"].value: row["record"]
        for row in versions
        if (row["from"] is None or instant(row["from"].value) <= known_at) and known_at < instant(row["until"].value)
    }
    for version, record in sorted(current.items()):
        for _, predicate, value, home in reader.history.outgoing((version,)):
            if predicate.value not in (D.versionOf, D.withdrawnAt) and home.value != Graphs.scopes:
                yield ox.Quad(record, predicate, value, home)


def sources_of(reader: RegisterReader) -> list[str]:
    """Return the graphs that sources write to, sorted: the sources and their parts."""
    graphs = cast(ox.QuerySolutions, reader.graph.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"))
    return sorted(row["g"].value for row in graphs if row["g"].value not in Graphs.RESERVED)


def write_snapshot(reader: RegisterReader, known_at: datetime, target: Path) -> int:
    """Write a snapshot as N-Quads, gzipped where ``target`` ends in ``.gz``; return how many statements it has.

    The file is whole or not there.
    """
    if target.exists():
        raise DataDirectory("There is a file here already", remedy="Name a new one.", place=Place(str(target)))
    fresh = target.with_name(f".{target.name}.unfinished")
    count = 0

    def counted() -> Iterator[ox.Quad]:
        nonlocal count
        for quad in snapshot(reader, known_at):
            count += 1
            yield quad

    try:
        packed = target.suffix == ".gz"
        with cast(IO[bytes], gzip.open(fresh, "wb") if packed else fresh.open("wb")) as file:
            ox.serialize(counted(), output=file, format=ox.RdfFormat.N_QUADS)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return count


# --- export and redaction -------------------------------------------------------------------------------------------


def export(data: Path, target: Path) -> int:
    """Write the whole journal as a ZIP that any tool opens: ``changes.jsonl`` and ``payloads/<hash>.nq``.

    Returns the number of changes. Every hash can be checked from it; a redacted change has a row and no payload.
    """
    need_register(data)
    if target.exists():
        raise DataDirectory("There is a file here already", remedy="Name a new one.", place=Place(str(target)))
    fresh = target.with_name(f".{target.name}.unfinished")
    count = 0
    try:
        with (
            closing(Journal(data, read_only=True)) as journal,
            zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            written: set[str] = set()
            for change in journal.changes():
                if not change.redacted and change.payload_hash not in written:
                    written.add(change.payload_hash)
                    with archive.open(f"payloads/{change.payload_hash}.nq", "w", force_zip64=True) as file:
                        for piece in journal.text(change):
                            file.write(piece)
            with archive.open("changes.jsonl", "w") as file:
                for change in journal.changes():
                    file.write((json.dumps(asdict(change), ensure_ascii=False) + "\n").encode())
                    count += 1
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return count


def redact(register: Register, numbers: Sequence[int], who: str, why: str, progress: Told | None = None) -> int:
    """Destroy the payloads of changes, keep their rows, hashes and the reason; return the number of the last change.

    What the register says now stays: of what the destroyed payloads added, whatever still stands is stated again by a
    change of its own first. So to make something disappear, withdraw it, then redact the change that brought it and
    the one that withdrew it. Past versions in the destroyed payloads are gone. The projections are made anew.
    """
    changes = {change.number: change for change in register.journal.changes()}
    missing = sorted(set(numbers) - changes.keys())
    if missing:
        raise NotFound(f"The journal has no change {missing[0]}", remedy="See diaba journal log.")
    if not why.strip():
        raise BadQuestion("A redaction needs a reason", remedy="Say why, with --why.")
    chosen = [changes[number] for number in sorted(set(numbers)) if not changes[number].redacted]
    if not chosen:
        raise BadQuestion("These changes are redacted already", remedy="See diaba journal log.")
    register.carry_over(*_carried(register, chosen, changes.values()), who, why)
    register.journal.redact([change.number for change in chosen], who, why)
    register.rebuild(progress)
    register.forget_findings()
    return register.revision


def _carried(
    register: Register, chosen: Sequence[Change], changes: Iterable[Change]
) -> tuple[list[ox.Quad], list[ox.Quad]]:
    """Work out what must be stated again so that replaying without the chosen changes ends where the graph is now.

    Returns statements to remove (brought by a change that stays, withdrawn by one that goes) and to add.
    """
    journal, graph = register.journal, register.reader.graph

    def kept(change: Change, section: Section) -> Iterator[ox.Quad]:
        """Read statements as the store keeps them: a payload has literals as they were written."""
        for subject, predicate, value, home in journal.quads(change, section):
            yield ox.Quad(subject, predicate, normal_form(value) if isinstance(value, ox.Literal) else value, home)

    def stands(quad: ox.Quad) -> bool:
        subject, predicate, _, _ = quad
        return quad in graph.outgoing((subject.value,), (predicate.value,))

    added = {quad for change in chosen for quad in kept(change, "added") if stands(quad)}
    withdrawn = {quad for change in chosen for quad in kept(change, "removed") if not stands(quad)}
    gone = {change.number for change in chosen}
    removed: set[ox.Quad] = set()
    if withdrawn:
        for change in changes:
            if change.number not in gone and not change.redacted:
                removed |= withdrawn.intersection(kept(change, "added"))
    return sorted(removed, key=str), sorted(added, key=str)
