"""Hold what keeps a register for good: backups at work, restoring to any change, what was known, and redaction."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph import archive
from graph.answering import who
from graph.errors import BadQuestion, DataDirectory, JournalBroken, NotFound
from graph.register import Register
from graph.store import OxigraphStore

X = "https://w3id.org/diaba/example/"
SOURCE = "https://example.org/register"
HEAD = """@prefix : <https://w3id.org/diaba/example/> . @prefix d: <https://w3id.org/diaba/ns#> .
@prefix role: <https://w3id.org/diaba/role/> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . :x a dcat:Dataset ; dct:title "Cadastre"@en .
"""


def claim(holder: str) -> str:
    return f":r a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :{holder} ; d:field :f ."


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    """Give a register that said first a, then b, then c was accountable."""
    with Register.create(tmp_path / "data", pack=None) as made:
        for holder in "abc":
            say(made, tmp_path, claim(holder))
        yield made


def say(register: Register, folder: Path, turtle: str) -> None:
    file = folder / "said.ttl"
    file.write_text(HEAD + turtle, "utf-8")
    register.load(file, source=SOURCE)


def holder(register: Register, known_at: datetime | None = None) -> list[str]:
    accountable = who(register.reader, X + "x", date(2026, 1, 1), known_at).accountable
    return [one.removeprefix(X) for one in accountable.holders]


def dump(register: Register) -> list[str]:
    return sorted(str(quad) for quad in register.reader.graph.raw)  # type: ignore[attr-defined]


def test_a_backup_taken_while_the_register_works_restores_to_the_same_graph(register: Register, tmp_path: Path) -> None:
    writer = threading.Thread(target=lambda: [say(register, tmp_path, claim(f"n{n}")) for n in range(12)])
    writer.start()
    copied = archive.backup(register.data, tmp_path / "backup")
    writer.join()
    assert copied.revision >= 4
    restored = archive.restore(tmp_path / "backup", tmp_path / "again")
    assert restored.revision == copied.revision
    archive.restore(register.data, tmp_path / "now")
    with Register.open(tmp_path / "now") as again:
        assert dump(again) == dump(register)


@pytest.mark.parametrize(("revision", "expected"), [(2, ["a"]), (3, ["b"]), (4, ["c"])])
def test_a_register_can_be_brought_back_to_any_change(
    register: Register, tmp_path: Path, revision: int, expected: list[str]
) -> None:
    archive.restore(register.data, tmp_path / "then", revision)
    with Register.open(tmp_path / "then") as then:
        assert then.revision == revision
        assert holder(then) == expected


def test_a_register_can_be_brought_back_to_an_instant(register: Register, tmp_path: Path) -> None:
    at = datetime.fromisoformat(list(register.journal.changes())[2].at)
    assert archive.restore(register.data, tmp_path / "then", at).revision == 3
    with pytest.raises(NotFound, match="no change 9"):
        archive.restore(register.data, tmp_path / "never", 9)
    assert not (tmp_path / "never").exists()


def test_a_bad_backup_is_not_restored(register: Register, tmp_path: Path) -> None:
    archive.backup(register.data, tmp_path / "backup")
    journal = (tmp_path / "backup" / "journal.sqlite").read_bytes()
    assert b"Cadastre" not in journal  # payloads are packed: change the message instead
    broken = journal.replace(SOURCE.encode(), SOURCE.replace("example", "exbmple").encode())
    assert broken != journal
    (tmp_path / "backup" / "journal.sqlite").write_bytes(broken)
    with pytest.raises(JournalBroken):
        archive.restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_nothing_is_written_over(register: Register, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").touch()
    with pytest.raises(DataDirectory, match="something here"):
        archive.backup(register.data, tmp_path / "there")
    with pytest.raises(DataDirectory, match="something here"):
        archive.restore(register.data, tmp_path / "there")
    with pytest.raises(DataDirectory, match="neither a data directory"):
        archive.restore(tmp_path / "there", tmp_path / "new")


def test_a_snapshot_holds_what_was_known_then(register: Register, tmp_path: Path) -> None:
    changes = list(register.journal.changes())
    for change, expected in zip(changes[1:], "abc", strict=True):
        target = tmp_path / f"{expected}.nq.gz"
        at = datetime.fromisoformat(change.at)
        assert archive.write_snapshot(register.reader, at, target) > 0
        store = OxigraphStore()
        store.load(ox.parse(archive.gzip.open(target).read(), format=ox.RdfFormat.N_QUADS), 1)
        said = [value.value for _, _, value, _ in store.outgoing([X + "r"], [archive.D.holder])]
        assert [one.removeprefix(X) for one in said] == [expected] == holder(register, at)


def test_an_export_can_be_checked_with_other_tools(register: Register, tmp_path: Path) -> None:
    assert archive.export(register.data, tmp_path / "journal.zip") == 4
    with zipfile.ZipFile(tmp_path / "journal.zip") as exported:
        rows = [json.loads(line) for line in exported.read("changes.jsonl").decode().splitlines()]
        assert [row["number"] for row in rows] == [1, 2, 3, 4]
        for row in rows:
            payload = exported.read(f"payloads/{row['payload_hash']}.nq")
            assert hashlib.sha256(payload).hexdigest() == row["payload_hash"]


def test_what_was_withdrawn_can_be_destroyed_and_the_journal_still_verifies(register: Register, tmp_path: Path) -> None:
    before = dump(register)
    archive.redact(register, [3, 4], "registrar", "personal data loaded by mistake")
    changes = list(register.journal.changes())
    assert [change.redacted for change in changes] == [False, False, True, True, False]
    assert changes[2].redacted_why == "personal data loaded by mistake"
    assert register.journal.verify() == 5
    assert holder(register) == ["c"]
    assert dump(register) == [line.replace('"4"', '"5"') if "revision" in line else line for line in before]
    everything = b"".join(path.read_bytes() for path in register.data.rglob("*") if path.is_file())
    assert (X + "b").encode() not in everything
    kept = [b"".join(register.journal.text(c)) for c in changes if not c.redacted]
    assert all(f"<{X}b>".encode() not in text for text in kept)


def test_a_redacted_register_is_what_a_rebuild_makes_of_it(register: Register) -> None:
    archive.redact(register, [3], "registrar", "a mistake")
    now = dump(register)
    register.rebuild()
    assert dump(register) == now


def test_a_redaction_needs_a_reason_and_a_change(register: Register) -> None:
    with pytest.raises(BadQuestion, match="reason"):
        archive.redact(register, [2], "registrar", " ")
    with pytest.raises(NotFound, match="no change 77"):
        archive.redact(register, [77], "registrar", "a mistake")
    assert register.journal.verify() == 4


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-20T12:00:00"])
def test_a_wrong_moment_is_told(text: str) -> None:
    with pytest.raises(BadQuestion, match=text):
        archive.read_time(text)
