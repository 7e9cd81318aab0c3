"""Hold what a register says when the system refuses: a folder without rights, a disk without room."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from graph.errors import DataDirectory, StoreFault
from graph.owner import reading, writing
from graph.register import Register
from graph.store import OxigraphStore

AGENCY = "<https://example.org/{}> a <https://w3id.org/diaba/ns#Agency> .\n"


def record(folder: Path, name: str) -> Path:
    file = folder / f"{name}.ttl"
    file.write_text(AGENCY.format(name), "utf-8")
    return file


def knows(register: object, name: str) -> bool:
    return any(register.graph.outgoing([f"https://example.org/{name}"], None))  # type: ignore[attr-defined]


def fill_the_disk(patch: pytest.MonkeyPatch) -> None:
    """Let the stores take nothing more, as on a full disk; the journal had room."""

    def refuse(*_: object) -> None:
        raise StoreFault("The store did not take the change: No space left on device", remedy="Look for a full disk.")

    patch.setattr(OxigraphStore, "_commit", refuse)


def test_a_lock_that_cannot_be_taken_is_a_fault_of_the_directory(data: Path) -> None:
    (data / "lock").unlink(missing_ok=True)
    (data / "lock").mkdir()
    with pytest.raises(DataDirectory, match="cannot be used: Is a directory") as caught:
        Register.open(data)
    assert caught.value.place is not None
    assert caught.value.place.file == str(data / "lock")


def test_a_folder_that_may_not_be_entered_is_a_fault_of_the_directory(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(DataDirectory, match="Permission denied"):
        Register.open(data)


def test_a_lock_without_room_for_a_number_holds_all_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", refuse)
    with Register.open(data), pytest.raises(DataDirectory, match="Another process holds"):
        Register.open(data)


def test_a_store_without_room_to_open_asks_for_room_and_not_for_a_rebuild(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("IO error: No space left on device: While appending to file: 000059.sst")

    monkeypatch.setattr("graph.parts.OxigraphStore", refuse)
    with pytest.raises(DataDirectory) as caught:
        Register.open(data)
    assert caught.value.remedy == "Make room on the disk."


def test_a_change_that_is_recorded_and_cannot_be_followed_is_told_so_and_can_be_read_past(
    data: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with writing(data) as owner:
            owner.load(record(tmp_path, "first"), source="https://example.org/one")
            before = owner.revision
            fill_the_disk(patch)
            with pytest.raises(StoreFault, match=f"is recorded, up to number {before + 1}"):
                owner.load(record(tmp_path, "second"), source="https://example.org/two")
        with reading(data) as reader:
            assert reader.revision == before
            assert reader.behind is not None
            assert f"Change {before + 1} is recorded" in reader.behind.message
            assert knows(reader, "first")
            assert not knows(reader, "second")
        with pytest.raises(StoreFault, match="No space left"), writing(data):
            pass
    with reading(data) as reader:
        assert (reader.revision, reader.behind) == (before + 1, None)
        assert knows(reader, "second")


def test_a_state_with_half_of_a_change_in_it_is_not_read(data: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with Register.open(data) as register:
            fill_the_disk(patch)
            with pytest.raises(StoreFault):
                register.load(record(tmp_path, "first"), source="https://example.org/one")
        patch.setattr("graph.register.AT_ONCE", 0)  # as if the change were one that goes in by pieces
        with pytest.raises(StoreFault), reading(data, patience=0.1):
            pass
