"""Directories of every earlier format open, are brought up to date, and answer as they did; later ones are refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from graph import archive, directory, journal, upgrades
from graph.answering import who
from graph.directory import FORMAT, PASSPORT
from graph.errors import DataDirectory, JournalBroken
from graph.journal import DATABASE, Journal
from graph.register import Register
from graph.upgrades import STEPS, Step
from tests.upgrades.freeze import FROZEN, RECORD, SOURCE, X, _statements, formats

KEPT = sorted(path.name.removesuffix(".tar.gz") for path in FROZEN.glob("*.tar.gz"))


@dataclass(frozen=True)
class Frozen:
    """Hold a directory as an earlier version left it, and what it held and answered then."""

    data: Path
    expected: dict[str, Any]


def thaw(name: str, folder: Path) -> Frozen:
    with tarfile.open(FROZEN / f"{name}.tar.gz") as packed:
        packed.extractall(folder, filter="data")
    return Frozen(folder / "data", json.loads((folder / "expected.json").read_text("utf-8")))


@pytest.fixture(params=KEPT)
def frozen(request: pytest.FixtureRequest, tmp_path: Path) -> Frozen:
    return thaw(request.param, tmp_path)


def contents(data: Path) -> dict[str, bytes]:
    """Return every file with what is in it, but those that SQLite makes to read beside a writer."""
    return {
        str(path.relative_to(data)): path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", "lock"))
    }


def holds_what_it_held(register: Register, expected: dict[str, Any]) -> None:
    moved = datetime.fromisoformat(expected["moved"])
    assert list(who(register.reader, X + "wells").accountable.holders) == expected["holders"]
    earlier = who(register.reader, X + "wells", known_at=moved.replace(microsecond=moved.microsecond - 1000))
    assert list(earlier.accountable.holders) == expected["holders_before"]
    assert _statements(register.reader.graph) == expected["graph"]
    assert _statements(register.reader.history) == expected["history"]
    hashes = {change.number: change.hash for change in register.journal.changes()}
    assert hashes[expected["revision"]] == expected["hash"]
    assert register.journal.verify() == register.revision
    assert register.settled


def test_every_earlier_format_is_kept_frozen() -> None:
    kept = [tuple(map(int, name.split("-"))) for name in KEPT]
    lacking = set(range(1, FORMAT)) - {one for one, _ in kept}, set(range(1, DATABASE)) - {one for _, one in kept}
    assert lacking == (set(), set()), "freeze them with the code before: python -m tests.upgrades.freeze"
    assert len(STEPS) == FORMAT - 1


def test_a_directory_of_an_earlier_format_is_brought_up_and_answers_as_it_did(frozen: Frozen, tmp_path: Path) -> None:
    with Register.open(frozen.data) as register:
        assert register.passport.format == FORMAT
        holds_what_it_held(register, frozen.expected)
        assert register.reader.search.search("gieng khoan")
        register.rebuild()
        holds_what_it_held(register, frozen.expected)
        file = tmp_path / "again.ttl"
        file.write_text(RECORD % (X, "moc"), "utf-8")
        register.load(file, SOURCE, "V1")
        assert list(who(register.reader, X + "wells").accountable.holders) == [X + "moc"]
        revision = register.revision
    assert formats(frozen.data) == (FORMAT, DATABASE)
    with Register.open(frozen.data) as register:
        assert register.revision == revision


def test_reading_its_journal_and_copying_it_change_nothing_in_it(frozen: Frozen, tmp_path: Path) -> None:
    before, numbers = contents(frozen.data), formats(frozen.data)
    with archive.journal_of(frozen.data) as rows:
        assert rows.verify() == frozen.expected["revision"]
    copied = archive.backup(frozen.data, tmp_path / "copy")
    assert copied.revision == frozen.expected["revision"]
    assert formats(tmp_path / "copy") == numbers
    assert contents(frozen.data) == before


def test_a_backup_of_an_earlier_format_is_restored_whole_or_to_a_change(frozen: Frozen, tmp_path: Path) -> None:
    archive.backup(frozen.data, tmp_path / "copy")
    archive.restore(tmp_path / "copy", tmp_path / "whole")
    with Register.open(tmp_path / "whole") as register:
        holds_what_it_held(register, frozen.expected)
    assert formats(tmp_path / "whole") == (FORMAT, DATABASE)
    archive.restore(tmp_path / "copy", tmp_path / "cut", 3)
    with Register.open(tmp_path / "cut") as register:
        assert list(who(register.reader, X + "wells").accountable.holders) == frozen.expected["holders_before"]
        assert [change.number for change in register.journal.changes()][:3] == [1, 2, 3]
        with pytest.raises(sqlite3.Error, match="append-only"):
            register.journal._rows.execute("DELETE FROM change")


@pytest.mark.parametrize("how", ["open", "read"])
@pytest.mark.parametrize("part", ["directory", "journal"])
def test_a_later_format_is_refused_and_nothing_is_touched(tmp_path: Path, part: str, how: str) -> None:
    data = thaw(KEPT[0], tmp_path).data
    if part == "directory":
        said = json.loads((data / PASSPORT).read_text())
        (data / PASSPORT).write_text(json.dumps({**said, "format": 99, "what": "nobody knows yet"}))
    else:
        with closing(sqlite3.connect(data / "journal.sqlite")) as rows:
            rows.execute("PRAGMA user_version = 99")
    before = contents(data)
    with pytest.raises(DataDirectory, match="has format 99, and this version knows up to") as told:
        {"open": Register.open, "read": archive.journal_of}[how](data)
    assert "Install the version" in told.value.remedy
    assert contents(data) == before


# --- the mechanism, with steps that nobody needs ------------------------------------------------------------------


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with nothing but a passport of format 1, to the code as it were if there were 3 formats."""
    for module in (directory, upgrades):
        monkeypatch.setattr(module, "FORMAT", 3)
    data = tmp_path / "data"
    data.mkdir()
    (data / PASSPORT).write_text(json.dumps({"format": 1, "created": "", "sources": []}))
    return data


def said(data: Path) -> dict[str, Any]:
    return dict(json.loads((data / PASSPORT).read_text()))


def test_a_step_that_breaks_off_is_done_again_and_those_before_it_are_not(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def first(_: Path, said: dict[str, Any]) -> dict[str, Any]:
        taken.append("first")
        return {**said, "one": 1}

    def second(data: Path, said: dict[str, Any]) -> dict[str, Any]:
        taken.append("second")
        (data / "half").touch()
        if len(taken) < 3:
            raise OSError(28, "No space left on device")
        return {name: value for name, value in said.items() if name != "one"}

    monkeypatch.setattr(upgrades, "STEPS", (Step("One is said", first), Step("One is not said", second)))
    with pytest.raises(DataDirectory, match="from format 2 to 3: No space left") as told:
        upgrades.upgrade(plain)
    assert "takes up where it broke off" in told.value.remedy
    assert said(plain) == {"format": 2, "created": "", "sources": [], "one": 1}
    assert [step.what for step in upgrades.upgrade(plain)] == ["One is not said"]
    assert said(plain) == {"format": 3, "created": "", "sources": []}
    assert taken == ["first", "second", "second"]
    assert upgrades.upgrade(plain) == []


def test_a_step_is_counted_only_when_its_passport_is_on_the_disk(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step("Nothing", lambda data, said: said)
    monkeypatch.setattr(upgrades, "STEPS", (step, step))
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DataDirectory, match="from format 1 to 2"):
            upgrades.upgrade(plain)
    assert said(plain)["format"] == 1
    assert len(upgrades.upgrade(plain)) == 2


def test_a_step_of_the_database_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = thaw("1-1", tmp_path).data

    def tables() -> tuple[set[str], int]:
        with closing(sqlite3.connect(data / "journal.sqlite")) as rows:
            names = {name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return names, rows.execute("PRAGMA user_version").fetchone()[0]

    step = "CREATE TABLE ledger (number INTEGER PRIMARY KEY) STRICT; INSERT INTO ledger SELECT number FROM change;"
    monkeypatch.setattr(journal, "DATABASE", 2)
    monkeypatch.setattr(journal, "_STEPS", (journal._STEPS[0], f"{step} INSERT INTO nowhere VALUES (1);"))
    with pytest.raises(JournalBroken, match="no such table: nowhere"):
        Journal(data)
    assert tables() == ({"change"}, 1)
    monkeypatch.setattr(journal, "_STEPS", (journal._STEPS[0], step))
    with closing(Journal(data)) as opened:
        assert opened.verify()
    assert tables() == ({"change", "ledger"}, 2)
    monkeypatch.setattr(journal, "_CUTS", {**journal._CUTS, "ledger": "number <= :last"})
    shutil.copytree(data, tmp_path / "copy")
    (tmp_path / "copy" / "journal.sqlite").unlink()
    journal.copy_rows(data / "journal.sqlite", tmp_path / "copy" / "journal.sqlite", 3)
    with closing(Journal(tmp_path / "copy")) as cut:
        assert cut.revision == 3
        assert cut._rows.execute("SELECT max(number) FROM ledger").fetchone() == (3,)
