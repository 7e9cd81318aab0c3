"""A rebuild that fails where it hurts most leaves an owner that goes on, or says what keeps it from that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph import parts
from graph import register as register_module
from graph.checkpoints import Room
from graph.errors import DataDirectory, Fault, StoreFault
from graph.owner import Owner, owning, reading
from graph.register import Register
from graph.view import open_view
from tests.owner.records import source_of, write_record
from tests.owner.test_owner import holder_of

FULL = OSError(28, "No space left on device")


@pytest.fixture
def owner(data: Path, tmp_path: Path) -> Iterator[Owner]:
    with owning(Register.open(data), room=Room(every=0.1)) as owner:
        owner.load(write_record(tmp_path, "wells"), source_of("wells"))
        owner.checkpoint(patience=5)
        yield owner


def fail_on_the_way(patch: pytest.MonkeyPatch, after: int) -> None:
    """Let putting the rebuilt parts in place fail, once, when so many of them are."""
    put, left = parts._put_in_place, [after]

    def put_or_fail(workshop: Path, data: Path, name: str) -> None:
        if left[0] == 0:
            left[0] -= 1
            raise FULL
        left[0] -= 1
        put(workshop, data, name)

    patch.setattr(parts, "_put_in_place", put_or_fail)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_owner_goes_on_after_a_rebuild_that_failed_between_two_parts(
    owner: Owner, tmp_path: Path, after: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail_on_the_way(patch, after)
        with pytest.raises(StoreFault, match="could not be put in its place: No space left") as told:
            owner.rebuild()
        assert "diaba rebuild" in told.value.remedy
        assert owner._register.settled
    assert owner.load(write_record(tmp_path, "roads"), source_of("roads")).revision == 3
    assert owner.checkpoint(3, patience=5).revision == 3
    with open_view(owner.data) as view:
        assert (holder_of(view, "wells"), holder_of(view, "roads")) == ("body", "body")
        assert view.search.search("roads")
    owner.rebuild()
    assert not (owner.data / "rebuild").exists()
    assert owner.checkpoint().revision == 3


def test_an_owner_that_cannot_open_what_a_rebuild_left_says_so_and_mends_itself(owner: Owner, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise DataDirectory("The graph store cannot be opened: too many open files", remedy="Close some.")

    with pytest.MonkeyPatch.context() as patch:
        fail_on_the_way(patch, 1)
        patch.setattr(register_module, "open_parts", refuse)
        with pytest.raises(Fault, match="too many open files"):
            owner.rebuild()
        assert not owner._register.usable
        with pytest.raises(Fault, match="too many open files"):
            owner.load(write_record(tmp_path, "roads"), source_of("roads"))
        until = time.monotonic() + 5
        while "too many open files" not in owner.status()["held_back"]:
            assert time.monotonic() < until
            time.sleep(0.02)
        with reading(owner.data) as view:  # the last checkpoint is there all the while
            assert holder_of(view, "wells") == "body"
    until = time.monotonic() + 5
    while owner.status()["held_back"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert owner.load(write_record(tmp_path, "roads"), source_of("roads")).revision == 3
    assert owner.checkpoint(3, patience=5).revision == 3


def test_a_register_whose_rebuild_broke_off_is_whole_when_it_is_opened_again(data: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, Register.open(data) as register:
        register.load(write_record(tmp_path, "wells"), source_of("wells"))
        fail_on_the_way(patch, 1)
        with pytest.raises(StoreFault):
            register.rebuild()
        register.load(write_record(tmp_path, "roads"), source_of("roads"))
    with Register.open(data) as register:
        assert register.settled
        assert (holder_of(register.reader, "wells"), holder_of(register.reader, "roads")) == ("body", "body")
    assert not (data / "rebuild").exists()


def test_a_rebuild_that_cannot_be_made_leaves_the_live_parts_alone(owner: Owner, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise FULL

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "follow", refuse)
        with pytest.raises(StoreFault, match="Nothing is recorded: .*No space left"):
            owner.rebuild()
    assert not (owner.data / "rebuild").exists()
    assert owner.load(write_record(tmp_path, "roads"), source_of("roads")).revision == 3
