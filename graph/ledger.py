"""Keep a ledger of findings: since which change the register has reported each, and when it no longer did.

That cannot be made again from the sources, as it depends on what the rules were at the time: so it stands in a table
of the journal's database, survives a rebuild, and goes with backups. A row is one finding as it stood from one revision
to another; what it was about and when, never what was read (a redaction must find nothing here).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from graph.errors import JournalBroken, Place
from graph.model import Interval

_IN_ONE: Final = 5_000
"""Rows that are written in one transaction: the journal waits no longer than that takes."""

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Line:
    """Say that a fault (its digest, whatever its days) is found from ``span.start`` to ``span.end``."""

    fault: str
    rule: str
    about: str
    severity: str
    span: Interval


@dataclass(frozen=True, slots=True)
class Seen:
    """Say with which change the register first reported a fault, and the instant of it."""

    revision: int
    at: str


@dataclass(frozen=True, slots=True)
class Told:
    """Hold a line with the changes with which it was first reported, and, if it is, no longer was."""

    line: Line
    seen: Seen
    resolved: Seen | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Hold what was reported at the later of two revisions and not at the earlier, and the other way round."""

    opened: tuple[Told, ...]
    resolved: tuple[Told, ...]


Scope = tuple[Collection[str], Collection[str] | None]
"""Some rules, and what they were asked about (``None``: everything)."""

_Key = tuple[str, str, str, str]
"""Rule, about, fault, first day: what names a line while it is open."""


class Ledger:
    """Write and read the ledger in a data directory; ``read_only`` never writes and may be another process."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / "journal.sqlite"
        try:
            if read_only:
                self._rows = sqlite3.connect(
                    f"{self.path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False
                )
            else:
                self._rows = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=60)
                self._rows.execute("PRAGMA journal_mode=WAL")
                self._rows.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error as fault:
            raise JournalBroken(
                f"The ledger of findings cannot be opened: {fault}",
                remedy="Look for a full or failing disk; where the disk is in order, restore it from a backup.",
                place=Place(str(self.path)),
            ) from fault  # fmt: skip
        #: an older directory has none until the register is opened for writing
        self._there = bool(self._rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'finding'").fetchone())

    def close(self) -> None:
        """Close the database."""
        self._rows.close()

    # --- writing ------------------------------------------------------------------------------------------------------

    def sync(self, scopes: Iterable[Scope], lines: Iterable[Line], revision: int, at: str) -> dict[str, Seen]:
        """Take down what is found in some scopes, and nothing else there, with a change.

        Returns since when each fault has been reported. A fault whose days change is still the same one. Doing it again
        changes nothing.
        """
        wanted: dict[_Key, Line] = {
            (line.rule, line.about, line.fault, _text(line.span.start)): line for line in lines
        }
        open_now: dict[_Key, tuple[int, str, str, int, str]] = {}
        since: dict[str, Seen] = {}
        for row, fault, rule, thing, severity, start, until, seen_revision, seen_at in self._open(scopes):
            open_now[rule, thing, fault, start] = (row, severity, until, seen_revision, seen_at)
            seen = Seen(seen_revision, seen_at)
            if fault not in since or seen.revision < since[fault].revision:
                since[fault] = seen
        now = Seen(revision, at)
        #: per fault, the rows that end and those that begin: they must not come to stand apart
        moved: dict[str, tuple[list[int], list[tuple[object, ...]]]] = {}
        for key, (row, severity, until, _, _) in open_now.items():
            line = wanted.get(key)
            if line is None or (line.severity, _text(line.span.end)) != (severity, until):
                moved.setdefault(key[2], ([], []))[0].append(row)
        for key, line in wanted.items():
            seen = since.setdefault(line.fault, now)
            known = open_now.get(key)
            if known is None or known[1:3] != (line.severity, _text(line.span.end)):
                moved.setdefault(line.fault, ([], []))[1].append(
                    (line.fault, line.rule, line.about, line.severity, _text(line.span.start), _text(line.span.end),
                     seen.revision, seen.at, revision, at)
                )  # fmt: skip
        self._write(list(moved.values()), revision, at)
        return {line.fault: since[line.fault] for line in wanted.values()}

    def _open(self, scopes: Iterable[Scope]) -> Iterator[tuple[Any, ...]]:
        columns = "row, fault, rule, about, severity, start, until, seen_revision, seen_at"
        text = f"SELECT {columns} FROM finding WHERE ended_revision IS NULL AND rule = ?"
        for rules, about in scopes:
            for rule in rules:
                if about is None:
                    yield from self._rows.execute(text, (rule,)).fetchall()
                    continue
                things = sorted(about)
                for start in range(0, len(things), _AT_ONCE):
                    some = things[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(some))
                    yield from self._rows.execute(f"{text} AND about IN ({marks})", (rule, *some)).fetchall()

    def _write(self, moved: list[tuple[list[int], list[tuple[object, ...]]]], revision: int, at: str) -> None:
        """Write in pieces, each whole: what a crash leaves out is written when it is done again."""
        for start in range(0, len(moved), _IN_ONE):
            piece = moved[start : start + _IN_ONE]
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                self._rows.executemany(
                    "UPDATE finding SET ended_revision = ?, ended_at = ? WHERE row = ?",
                    [(revision, at, row) for ended, _ in piece for row in ended],
                )
                self._rows.executemany(
                    "INSERT INTO finding (fault, rule, about, severity, start, until, seen_revision, seen_at, revision,"
                    " at) VALUES (?,?,?,?,?,?,?,?,?,?)",
                    [row for _, begun in piece for row in begun],
                )
                self._rows.execute("COMMIT")
            except BaseException:
                self._rows.execute("ROLLBACK")
                raise

    def rules(self) -> set[str]:
        """Return the rules of which anything is reported now."""
        rows = self._rows.execute("SELECT DISTINCT rule FROM finding WHERE ended_revision IS NULL")
        return {rule for (rule,) in rows}

    def resolved_about(self) -> set[str]:
        """Return the things that something was resolved about, by their IRIs."""
        rows = self._rows.execute("SELECT DISTINCT about FROM finding WHERE ended_revision IS NOT NULL")
        return {about for (about,) in rows if not about.startswith(('"', "_:"))}

    def forget(self, about: Collection[str]) -> None:
        """Drop what was resolved about some things for good: a redaction wants no trace of them."""
        self._rows.execute("PRAGMA secure_delete=ON")
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.executemany(
            "DELETE FROM finding WHERE about = ? AND ended_revision IS NOT NULL", [(one,) for one in sorted(about)]
        )
        self._rows.execute("COMMIT")

    # --- reading ------------------------------------------------------------------------------------------------------

    def told(self, revision: int, day: date | None = None) -> Iterator[Told]:
        """Yield what was reported at a revision, on a day (``None``: on any)."""
        if self._there:
            where, values = _at(revision)
            for told in self._select(where, values):
                if day is None or told.line.span.contains(day):
                    yield told

    def difference(self, earlier: int, later: int, day: date | None = None) -> Difference:
        """Compare what was reported at two revisions, on a day (``None``: on any), fault by fault.

        Of a fault with several intervals the first is shown.
        """
        if not self._there:
            return Difference((), ())
        before, after = (self._moved(revision, earlier, later, day) for revision in (earlier, later))
        return Difference(
            tuple(after[fault] for fault in sorted(after.keys() - self._stood(after.keys(), earlier, day))),
            tuple(before[fault] for fault in sorted(before.keys() - self._stood(before.keys(), later, day))),
        )

    def _moved(self, revision: int, earlier: int, later: int, day: date | None) -> dict[str, Told]:
        """Return what was reported at a revision and is in a row that began or ended between two."""
        where, values = _at(revision)
        where += " AND ((revision > ? AND revision <= ?) OR (ended_revision > ? AND ended_revision <= ?))"
        found: dict[str, Told] = {}
        for told in self._select(where, (*values, earlier, later, earlier, later)):
            if day is None or told.line.span.contains(day):
                found.setdefault(told.line.fault, told)
        return found

    def _stood(self, faults: Collection[str], revision: int, day: date | None) -> set[str]:
        """Return which of the faults were reported at a revision."""
        found: set[str] = set()
        where, values = _at(revision)
        wanted = sorted(faults)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            for told in self._select(f"{where} AND fault IN ({marks})", (*values, *some)):
                if day is None or told.line.span.contains(day):
                    found.add(told.line.fault)
        return found

    def _select(self, where: str, values: tuple[object, ...]) -> Iterator[Told]:
        with closing(
            self._rows.execute(
                "SELECT fault, rule, about, severity, start, until, seen_revision, seen_at, ended_revision, ended_at"
                f" FROM finding WHERE {where} ORDER BY rule, about, fault, start",
                values,
            )
        ) as rows:
            for fault, rule, about, severity, start, until, seen, seen_at, ended, ended_at in rows:
                yield Told(
                    Line(fault, rule, about, severity, Interval(_day(start), _day(until))),
                    Seen(seen, seen_at),
                    None if ended is None else Seen(ended, ended_at),
                )


def _at(revision: int) -> tuple[str, tuple[object, ...]]:
    return "revision <= ? AND (ended_revision IS NULL OR ended_revision > ?)", (revision, revision)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
