"""How a register stands can be told beside its owner and without one, and telling it changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from graph.checkpoints import Room
from graph.directory import FORMAT
from graph.errors import DataDirectory, StoreFault
from graph.journal import DATABASE
from graph.owner import owning
from graph.register import CHECKPOINTS, Register
from graph.status import condition_of, disk_of
from graph.store import OxigraphStore
from service.cli import main
from tests.owner.records import source_of, write_record
from tests.upgrades.test_upgrades import KEPT, contents, thaw


def reached(data: Path) -> dict[str, tuple[int | None, str]]:
    return {part.name: (part.revision, part.why) for part in condition_of(data).parts}


def test_a_register_that_nobody_holds_is_told_and_left_as_it_is(data: Path) -> None:
    before = contents(data)
    found = condition_of(data)
    assert (found.revision, found.owner, found.behind) == (1, None, False)
    assert found.formats == {"directory": FORMAT, "journal": DATABASE, "search": 1}
    assert {"graph", "history", "scopes", "search", "standings"} <= {part.name for part in found.parts}
    assert all((part.revision, part.why) == (1, "") for part in found.parts)
    told = found.as_json()
    assert json.loads(json.dumps(told)) == told
    assert (told["pack"], told["store"], told["at"] is not None) == (None, None, True)
    assert contents(data) == before


def test_a_register_of_an_earlier_format_is_told_as_it_stands(tmp_path: Path) -> None:
    data = thaw(KEPT[0], tmp_path).data
    before = contents(data)
    assert condition_of(data).formats["directory"] == 1
    assert contents(data) == before


def test_the_owner_tells_of_itself(data: Path, tmp_path: Path) -> None:
    with owning(Register.open(data), room=Room(every=0.05)) as owner:
        owner.load(write_record(tmp_path, "wells"), source_of("wells"))
        owner.checkpoint(patience=5)
        found = condition_of(data)
        assert found.owner is not None
        assert (found.owner["process"], found.owner["answers"], found.owner["running"]) == (os.getpid(), True, None)
        assert found.owner["since"] <= (found.at or "")
        assert found.owner["checkpoint"]["revision"] == found.revision == 2
        assert not found.behind
        assert found.disk[CHECKPOINTS] > 0
        with owner._turns.taken("load", "thu"):
            assert (condition_of(data).owner or {})["running"]["who"] == "thu"
    assert condition_of(data).owner is None


def test_what_cannot_be_followed_is_told_with_the_reason(data: Path, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise StoreFault("The store did not take the change: No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        with owning(Register.open(data), room=Room(every=0.05)) as owner:
            owner.checkpoint(patience=5)
            patch.setattr(OxigraphStore, "_commit", refuse)
            with pytest.raises(StoreFault, match="recorded, up to number 2"):
                owner.load(write_record(tmp_path, "wells"), source_of("wells"))
            with pytest.raises(StoreFault, match="No checkpoint holds change 2"):
                owner.checkpoint(patience=0.3)
            revision, why = reached(data)["graph"]
            assert revision == 1
            assert "No space left" in why
        assert reached(data)["graph"] == (1, "unopened")
        assert reached(data)["search"] == (1, "unopened")
    Register.open(data).close()
    assert reached(data)["graph"] == (2, "")


def test_a_holder_that_does_not_answer_is_named(data: Path) -> None:
    with Register.open(data):
        found = condition_of(data)
        assert found.owner == {"process": os.getpid(), "answers": False}
        assert found.parts == ()
    assert condition_of(data).owner is None


def test_a_damaged_part_is_told_beside_the_others(data: Path) -> None:
    for path in (data / "graph").glob("MANIFEST-*"):
        path.write_bytes(b"damaged")
    found = reached(data)
    assert found["history"] == found["search"] == (1, "")
    assert found["graph"][0] is found["standings"][0] is None
    assert found["graph"][1]


def test_what_is_no_register_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataDirectory, match="no data directory"):
        condition_of(tmp_path)


def test_what_checkpoints_share_is_counted_once(data: Path, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(100_000))
    os.link(tmp_path / "big", data / "graph" / "big")
    (data / CHECKPOINTS / "one").mkdir(parents=True)
    os.link(tmp_path / "big", data / CHECKPOINTS / "one" / "big")
    (data / CHECKPOINTS / "one" / "own").write_bytes(os.urandom(50_000))
    found = disk_of(data)
    assert found["graph"] > 100_000
    assert 50_000 <= found[CHECKPOINTS] < 80_000
    assert found["free"] > 0


@pytest.mark.parametrize(("language", "says"), [("en", "No process holds"), ("vi", "Không tiến trình nào đang giữ sổ")])
def test_people_are_told_in_words(data: Path, language: str, says: str) -> None:
    done = CliRunner().invoke(main, ["status", "--data", str(data), "--lang", language], catch_exceptions=False)
    assert done.exit_code == 0
    assert says in done.stdout
    assert "MiB" in done.stdout
    with owning(Register.open(data)):
        done = CliRunner().invoke(main, ["status", "--data", str(data), "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["owner"]["process"] == os.getpid()
