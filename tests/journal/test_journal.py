"""The journal keeps every change as it was accepted, and notices when somebody touched it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import DataDirectory, JournalBroken
from graph.journal import FIRST, MAX_IN_ROW, SECTIONS, Change, Entry, Journal, read_instant, write_instant


def line(number: int | str) -> bytes:
    return f'<http://a/{number}> <http://a/p> "# added\\n# removed {number}" <http://a/g> .\n'.encode()


def put(journal: Journal, added: int, removed: int = 0, versions: int = 0, text: str = "") -> Change:
    """Append one change with numbered statements."""
    with journal.draft() as draft:
        for section, count in zip(SECTIONS, (removed, added, versions), strict=True):
            draft.begin(section)
            for number in range(count):
                draft.write(line(f"{section}-{hash((number, text)) % 10**12}"))
        payload = draft.seal()
    entry = Entry(payload, "somebody", "http://a/source", "why", removed, added, versions)
    return journal.append([entry], journal.next_instant())[0]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("added", [0, 1, 700, 40_000])
@pytest.mark.parametrize(("removed", "versions"), [(0, 0), (3, 0), (0, 3), (700, 700)])
def test_what_was_put_in_comes_out_section_by_section(
    journal: Journal, added: int, removed: int, versions: int
) -> None:
    change = put(journal, added, removed, versions)
    for section, count in zip(SECTIONS, (removed, added, versions), strict=True):
        quads = list(journal.quads(change, section))
        assert len(quads) == count
        assert all(f"/{section}-" in str(quad.subject) for quad in quads)
    assert journal.verify() == 1


def test_rows_form_a_chain(journal: Journal) -> None:
    first, second = put(journal, 1), put(journal, 2)
    assert (first.number, first.previous) == (1, FIRST)
    assert (second.number, second.previous) == (2, first.hash)
    assert list(journal.changes()) == [first, second]
    assert list(journal.changes(1)) == [second]
    assert journal.last() == second
    assert journal.verify() == 2
    assert journal.verify(since=1) == 1


def test_instants_always_move_on(journal: Journal) -> None:
    instants = [put(journal, 0).at for _ in range(20)]
    assert instants == sorted(set(instants), key=read_instant)
    assert all(text.endswith("Z") for text in instants)


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_instants_are_written_as_the_store_writes_them(moment: datetime) -> None:
    text = write_instant(moment)
    assert abs((read_instant(text) - moment).total_seconds()) < 0.001
    assert not text.removesuffix("Z").endswith(".")
    assert "." not in text or not text.removesuffix("Z").endswith("0")


def test_large_payloads_lie_in_files_named_by_their_hash(journal: Journal) -> None:
    small, large = put(journal, 10), put(journal, 60_000)
    assert [path.name for path in journal.folder.iterdir()] == [f"{large.payload_hash}.nq.gz"]
    assert (journal.folder / f"{large.payload_hash}.nq.gz").stat().st_size > MAX_IN_ROW
    assert small.payload_hash != large.payload_hash


def test_a_draft_that_fails_leaves_nothing(journal: Journal) -> None:
    def fail() -> None:
        with journal.draft() as draft:
            draft.begin("removed")
            draft.begin("added")
            for number in range(60_000):
                draft.write(line(hash(str(number))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(journal.folder.iterdir())
    assert journal.revision == 0


def test_files_that_no_change_names_are_swept_away(journal: Journal) -> None:
    kept = put(journal, 60_000)
    (journal.folder / ("0" * 64 + ".nq.gz")).write_bytes(b"left by a crash")
    (journal.folder / "17-3.part").write_bytes(b"left by a crash")
    journal.sweep()
    assert [path.name for path in journal.folder.iterdir()] == [f"{kept.payload_hash}.nq.gz"]


def test_several_changes_are_accepted_together_or_not_at_all(journal: Journal) -> None:
    with journal.draft() as draft:
        for section in SECTIONS:
            draft.begin(section)
        payload = draft.seal()
    good = Entry(payload, "a", "http://a/1", "", 0, 0, 0)
    bad = Entry(payload, "a", None, "", 0, 0, 0)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        journal.append([good, bad], journal.next_instant())
    assert journal.revision == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM change",
        "UPDATE change SET message = 'other'",
        "UPDATE change SET payload = x'00'",
        "UPDATE change SET payload = NULL",
    ],
)
def test_rows_cannot_be_altered(journal: Journal, statement: str) -> None:
    put(journal, 1)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal._rows.execute(statement)


class TestVerify:
    """Whoever gets round the guards is found out."""

    def tamper(self, journal: Journal, statement: str) -> None:
        for trigger in ("change_is_never_deleted", "change_is_never_altered", "payload_is_only_redacted"):
            journal._rows.execute(f"DROP TRIGGER {trigger}")
        journal._rows.execute(statement)

    @pytest.mark.parametrize(
        ("statement", "what"),
        [
            ("UPDATE change SET message = 'other' WHERE number = 2", "Change 2 .* its own hash"),
            ("UPDATE change SET added = 7 WHERE number = 2", "Change 2 .* its own hash"),
            ("DELETE FROM change WHERE number = 2", "Change 3 .* follows where change 2"),
            ("DELETE FROM change WHERE number = 1", "Change 2 .* follows where change 1"),
            ("UPDATE change SET payload = (SELECT payload FROM change WHERE number = 1) WHERE number = 2",
             "Change 2 .* payload that does not match"),
            ("UPDATE change SET payload = substr(payload, 1, 20) WHERE number = 2", "Change 2 .* cannot be unpacked"),
            ("UPDATE change SET previous = '' WHERE number = 3", "Change 3 .* the one before"),
        ],
    )  # fmt: skip
    def test_a_changed_row_is_found(self, journal: Journal, statement: str, what: str) -> None:
        for number in range(3):
            put(journal, number + 1)
        self.tamper(journal, statement)
        with pytest.raises(JournalBroken, match=what) as told:
            journal.verify()
        assert told.value.remedy

    def test_a_changed_payload_file_is_found(self, journal: Journal) -> None:
        change = put(journal, 60_000)
        path = journal.folder / f"{change.payload_hash}.nq.gz"
        path.write_bytes(path.read_bytes()[:-50])
        with pytest.raises(JournalBroken, match="cannot be unpacked"):
            journal.verify()
        with pytest.raises(JournalBroken, match="cannot be read"):
            list(journal.quads(change, "added"))

    def test_a_lost_payload_file_is_found(self, journal: Journal) -> None:
        change = put(journal, 60_000)
        (journal.folder / f"{change.payload_hash}.nq.gz").unlink()
        with pytest.raises(JournalBroken, match="lost its payload"):
            journal.verify()

    def test_a_redacted_change_still_verifies(self, journal: Journal) -> None:
        for number in range(3):
            put(journal, number + 1)
        journal._rows.execute(
            "UPDATE change SET payload = NULL, redacted_at = '2026-01-01T00:00:00Z', redacted_by = 'court',"
            " redacted_why = 'personal data' WHERE number = 2"
        )
        assert journal.verify() == 3
        redacted = list(journal.changes())[1]
        assert redacted.redacted
        assert not list(journal.quads(redacted, "added"))


def test_a_reader_needs_no_right_to_write(journal: Journal, tmp_path: Path) -> None:
    change = put(journal, 5)
    reading = Journal(tmp_path, read_only=True)
    assert list(reading.changes()) == [change]
    with pytest.raises(sqlite3.OperationalError):
        put(reading, 1)
    reading.close()


def test_a_newer_format_is_refused(journal: Journal, tmp_path: Path) -> None:
    journal._rows.execute("PRAGMA user_version = 99")
    with pytest.raises(DataDirectory, match="format 99"):
        Journal(tmp_path)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(JournalBroken, match="cannot be opened"):
        Journal(tmp_path)
