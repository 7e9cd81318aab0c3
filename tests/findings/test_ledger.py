"""The ledger says since when a finding is known and when it was resolved, and stays true to its journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from graph.journal import Journal, copy_rows
from graph.ledger import Ledger, Line, Seen
from graph.model import ALWAYS, Interval

RULE, OTHER = "https://example.org/rule", "https://example.org/other-rule"
A, B = "https://example.org/a", "https://example.org/b"
SPRING, SUMMER = date(2025, 3, 1), date(2025, 7, 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    Journal(tmp_path).close()
    return Ledger(tmp_path)


def line(about: str = A, span: Interval = ALWAYS, fault: str = "", rule: str = RULE) -> Line:
    return Line(fault or f"fault of {about}", rule, about, "http://www.w3.org/ns/shacl#Violation", span)


def at(revision: int) -> str:
    return f"2026-01-{revision:02d}T00:00:00Z"


def sync(ledger: Ledger, revision: int, *lines: Line, about: set[str] | None = None) -> dict[str, Seen]:
    return ledger.sync([({RULE}, about)], lines, revision, at(revision))


def open_at(ledger: Ledger, revision: int, day: date | None = None) -> set[str]:
    return {told.line.about for told in ledger.told(revision, day)}


def test_what_is_found_is_known_from_its_revision_until_it_is_found_no_more(ledger: Ledger) -> None:
    sync(ledger, 1)
    sync(ledger, 2, line(A))
    sync(ledger, 3, line(A), line(B))
    sync(ledger, 4, line(B))
    assert [open_at(ledger, revision) for revision in range(1, 5)] == [set(), {A}, {A, B}, {B}]
    told = {one.line.about: one for one in ledger.told(3)}
    assert told[A].seen == Seen(2, at(2))
    assert told[A].resolved == Seen(4, at(4))
    assert told[B].resolved is None


def test_a_fault_whose_days_are_corrected_keeps_the_day_it_was_first_seen(ledger: Ledger) -> None:
    sync(ledger, 1, line(A, Interval(SPRING, None)))
    assert sync(ledger, 2, line(A, Interval(SUMMER, None))) == {"fault of " + A: Seen(1, at(1))}
    assert sync(ledger, 3, line(A, Interval(SUMMER, date(2026, 1, 1)))) == {"fault of " + A: Seen(1, at(1))}
    assert open_at(ledger, 1, SPRING) == {A}
    assert open_at(ledger, 2, SPRING) == set()
    assert ledger.difference(1, 3).resolved == ()


def test_a_fault_that_comes_back_is_seen_anew(ledger: Ledger) -> None:
    sync(ledger, 1, line(A))
    sync(ledger, 2)
    assert sync(ledger, 3, line(A)) == {"fault of " + A: Seen(3, at(3))}


def test_writing_the_same_again_changes_nothing(ledger: Ledger) -> None:
    for revision in (1, 1, 2, 3):
        sync(ledger, revision, line(A), line(B, Interval(SPRING, SUMMER)))
    rows = ledger._rows.execute("SELECT count(*), max(revision), max(ended_revision) FROM finding").fetchone()
    assert rows == (2, 1, None)


def test_only_what_was_asked_about_is_resolved(ledger: Ledger) -> None:
    sync(ledger, 1, line(A), line(B))
    ledger.sync([({OTHER}, None)], [line(A, rule=OTHER)], 1, at(1))
    sync(ledger, 2, about={A})
    assert {(told.line.rule, told.line.about) for told in ledger.told(2)} == {(RULE, B), (OTHER, A)}


def test_two_revisions_are_compared_fault_by_fault(ledger: Ledger) -> None:
    sync(ledger, 1, line(A))
    sync(ledger, 2, line(A), line(B))
    sync(ledger, 3, line(B), line("https://example.org/c"))
    for earlier, later, opened, resolved in ((1, 3, {B, "https://example.org/c"}, {A}), (2, 2, set(), set()),
                                             (1, 2, {B}, set())):  # fmt: skip
        difference = ledger.difference(earlier, later)
        assert {told.line.about for told in difference.opened} == opened
        assert {told.line.about for told in difference.resolved} == resolved


def test_two_revisions_are_compared_on_a_day(ledger: Ledger) -> None:
    sync(ledger, 1, line(A, Interval(SPRING, None)))
    sync(ledger, 2, line(A, Interval(SUMMER, None)))
    assert [told.line.about for told in ledger.difference(1, 2, SPRING).resolved] == [A]
    assert ledger.difference(1, 2, SUMMER).resolved == ()


@pytest.mark.parametrize(("last", "standing"), [(1, {A}), (2, {A, B}), (3, {B})])
def test_a_ledger_cut_off_at_a_change_is_as_it_was_then(
    tmp_path: Path, ledger: Ledger, last: int, standing: set[str]
) -> None:
    sync(ledger, 1, line(A))
    sync(ledger, 2, line(A), line(B))
    sync(ledger, 3, line(B))
    (tmp_path / "cut").mkdir()
    copy_rows(tmp_path / "journal.sqlite", tmp_path / "cut" / "journal.sqlite", last)
    cut = Ledger(tmp_path / "cut")
    assert open_at(cut, last) == open_at(cut, 99) == standing
    assert {told.seen.revision for told in cut.told(last)} <= {1, 2}


def test_many_rows_are_written_in_pieces_and_read_by_another_process(tmp_path: Path, ledger: Ledger) -> None:
    many = [line(f"https://example.org/{number}") for number in range(12_000)]
    sync(ledger, 1, *many)
    sync(ledger, 2, *many[6_000:])
    reading = Ledger(tmp_path, read_only=True)
    assert len(open_at(reading, 1)) == 12_000
    assert len(open_at(reading, 2)) == 6_000
    assert len(reading.difference(1, 2).resolved) == 6_000
    reading.close()


def test_what_was_resolved_about_things_that_are_gone_can_be_forgotten(ledger: Ledger) -> None:
    sync(ledger, 1, line(A), line(B))
    sync(ledger, 2, line(B))
    assert ledger.resolved_about() == {A}
    ledger.forget({A})
    assert open_at(ledger, 1) == {B}
    assert open_at(ledger, 2) == {B}


def test_a_reader_of_an_older_directory_finds_an_empty_ledger(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as rows:
        rows.execute("CREATE TABLE change (number INTEGER)")
    old = Ledger(tmp_path, read_only=True)
    assert list(old.told(1)) == []
    assert old.difference(1, 2).opened == ()
