"""Hold that checkpoints are whole, leased safely by any process, removed in time, and never fill the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checkpoints import Checkpoints, Room, backup_of, lease, links_of, newest, open_reader
from graph.errors import StoreFault
from graph.store import OxigraphStore

ROOT = Path(__file__).parents[2]
X = "http://example.org/"
GRAPH = ox.NamedNode(X + "g")


class Clock:
    """Count seconds by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def quad(number: int) -> ox.Quad:
    return ox.Quad(ox.NamedNode(f"{X}s{number}"), ox.NamedNode(X + "p"), ox.Literal(number), GRAPH)


class Owner:
    """Own a small register of two stores and a folder, and change all three at once."""

    def __init__(self, home: Path, room: Room | None = None, free: int = 1 << 40) -> None:
        home.mkdir(exist_ok=True)
        self.graph = OxigraphStore(home / "graph")
        self.history = OxigraphStore(home / "history")
        self.search = home / "search"
        self.search.mkdir(exist_ok=True)
        self.folder = home / "checkpoints"
        self.clock = Clock()
        self.free = free
        self.breaks = False
        others = {"history": backup_of(self.history), "search": self.copy_search}
        self.checkpoints = Checkpoints(
            self.folder, self.graph, others, room=room, clock=self.clock, free=lambda _: self.free
        )

    def copy_search(self, target: Path) -> None:
        if self.breaks:
            raise OSError(28, "No space left on device")
        links_of(self.search)(target)

    def change(self) -> int:
        revision = self.graph.revision + 1
        self.graph.apply((), [quad(revision)], revision)
        self.history.apply((), [quad(revision)], revision)
        fresh = self.search / "stamp.new"
        fresh.write_text(str(revision))
        fresh.replace(self.search / "stamp")
        self.clock.seconds += 1
        return revision

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir())


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path)


def leasing(folder: Path) -> subprocess.Popen[str]:
    """Start a process that leases the newest checkpoint, says which, and waits."""
    script = f"""
import sys
from pathlib import Path
from graph.checkpoints import lease, open_reader
held = lease(Path({str(folder)!r}))
reader = open_reader(held.path)
print(held.revision, reader.revision, flush=True)
sys.stdin.read()
"""
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_all_parts_of_a_checkpoint_are_of_one_revision(owner: Owner) -> None:
    for _ in range(3):
        owner.change()
    taken = owner.checkpoints.take()
    assert taken.revision == 3
    owner.change()
    with lease(owner.folder) as held:
        assert held.checkpoint == taken
        assert open_reader(held.path).revision == 3
        assert open_reader(held.checkpoint.part("history")).revision == 3
        assert (held.checkpoint.part("search") / "stamp").read_text() == "3"
        assert len(list(open_reader(held.path).contents(GRAPH.value))) == 3


def test_one_is_taken_only_when_something_changed_and_at_most_one_a_second(owner: Owner) -> None:
    owner.change()
    first = owner.checkpoints.take()
    owner.clock.seconds += 10
    assert owner.checkpoints.due is None
    assert owner.checkpoints.take() == first
    owner.change()
    second = owner.checkpoints.take()
    assert second.revision == 2
    owner.change()
    owner.clock.seconds -= 0.6
    assert owner.checkpoints.take() == second
    assert owner.checkpoints.state.behind == 1
    assert owner.checkpoints.due == pytest.approx(0.6)
    owner.clock.seconds += 0.7
    assert owner.checkpoints.due == 0.0
    assert owner.checkpoints.take().revision == 3
    third = owner.checkpoints.take()
    assert owner.checkpoints.take(anew=True).path != third.path  # a rebuild changes the store and not its revision
    assert owner.folders() == [newest(owner.folder).path.name]  # type: ignore[union-attr]


def test_a_checkpoint_goes_when_its_last_reader_has_left(owner: Owner) -> None:
    owner.change()
    first = owner.checkpoints.take()
    one, two = lease(owner.folder), lease(owner.folder)
    owner.change()
    second = owner.checkpoints.take()
    assert first.path.exists()
    assert owner.checkpoints.state.kept == 2
    one.release()
    one.release()
    assert first.path.exists()
    two.release()
    assert not first.path.exists()
    with lease(owner.folder) as held:
        assert held.revision == 2
    assert second.path.exists()


def test_the_lease_of_a_killed_process_vanishes_by_itself(owner: Owner) -> None:
    owner.change()
    first = owner.checkpoints.take()
    with leasing(owner.folder) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline().split() == ["1", "1"]
        owner.change()
        owner.checkpoints.take()
        assert first.path.exists()
        reader.kill()
    owner.change()
    owner.checkpoints.take()
    assert not first.path.exists()


def test_leftovers_of_a_dead_owner_are_removed_and_its_readers_stay(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir()
    script = f"""
import os
from pathlib import Path
from tests.checkpoints.test_checkpoints import Owner
owner = Owner(Path({str(home)!r}))
owner.change(); owner.checkpoints.take()
held = __import__("graph.checkpoints").checkpoints.lease(owner.folder)
owner.change(); owner.checkpoints.take()
(owner.folder / ".making-9-9").mkdir(); (owner.folder / ".gone-9-9").mkdir()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == -9
    folder = home / "checkpoints"
    assert len(list(folder.iterdir())) == 5
    with leasing(folder) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline().split() == ["2", "2"]
        owner = Owner(home)
        assert owner.folders() == [newest(folder).path.name]  # type: ignore[union-attr]
        assert owner.checkpoints.take().revision == 2
        assert len(owner.folders()) == 2  # the reader's, and the one of this owner
        reader.communicate("")
    owner.change()
    owner.checkpoints.take()
    assert len(owner.folders()) == 1


def test_without_room_readers_stay_on_the_old_one_and_the_state_says_so(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Room(free=100 << 20))
    owner.free = 5 << 20
    owner.change()
    with pytest.raises(StoreFault, match="5 MiB are free on the disk, and 100 MiB are to stay free"):
        owner.checkpoints.take()
    owner.free = 1 << 40
    owner.change()
    first = owner.checkpoints.take()
    owner.free = 5 << 20
    owner.change()
    assert owner.checkpoints.take() == first
    state = owner.checkpoints.state
    assert (state.newest, state.behind) == (first, 1)
    assert "are to stay free" in state.held_back
    owner.free = 1 << 40
    owner.clock.seconds += 1
    assert owner.checkpoints.take().revision == 3
    assert owner.checkpoints.state.held_back == ""


def test_there_are_never_more_than_the_room_allows(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Room(count=3))
    leases = []
    for _ in range(5):
        owner.change()
        owner.checkpoints.take()
        leases.append(lease(owner.folder))
    assert [one.revision for one in leases] == [1, 2, 3, 3, 3]
    assert "3 checkpoints are being read" in owner.checkpoints.state.held_back
    leases[0].release()
    owner.clock.seconds += 1
    assert owner.checkpoints.take().revision == 5


def test_a_failing_disk_leaves_nothing_half_made(owner: Owner) -> None:
    owner.change()
    first = owner.checkpoints.take()
    owner.change()
    owner.breaks = True
    assert owner.checkpoints.take() == first
    assert "No space left" in owner.checkpoints.state.held_back
    assert owner.folders() == [first.path.name]
    assert lease(owner.folder).revision == 1


def test_clearing_leaves_only_what_is_being_read(owner: Owner) -> None:
    owner.change()
    owner.checkpoints.take()
    held = lease(owner.folder)
    owner.checkpoints.clear()
    assert newest(owner.folder) is None
    with pytest.raises(StoreFault, match="There is no checkpoint to read"):
        lease(owner.folder)
    assert open_reader(held.path).revision == 1
    held.release()
    assert owner.folders() == []


def test_one_that_a_power_cut_left_half_written_is_replaced(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "first")
    owner.change()
    (owner.checkpoints.take().path / "about.json").write_text("")
    assert newest(owner.folder) is None
    restarted = Checkpoints(owner.folder, owner.graph)
    assert restarted.take().revision == 1
    assert owner.folders() == [restarted.take().path.name]


def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="cannot be opened"):
        open_reader(tmp_path / "none")


def test_a_folder_that_changes_while_it_is_linked_is_copied_as_it_was_at_one_moment(tmp_path: Path) -> None:
    source = tmp_path / "index"
    (source / "entries").mkdir(parents=True)
    (source / "entries" / "writer.lock").touch()
    stop = threading.Event()
    torn: list[str] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            (source / "entries" / f"{number}.segment").write_text(str(number))
            fresh = source / "entries" / "meta.new"
            fresh.write_text(str(number))
            fresh.replace(source / "entries" / "meta")
            (source / "entries" / f"{number - 1}.segment").unlink(missing_ok=True)
            time.sleep(0.004)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        while not (source / "entries" / "meta").exists():
            time.sleep(0.001)
        for turn in range(25):
            target = tmp_path / str(turn)
            links_of(source)(target)
            named = (target / "entries" / "meta").read_text()
            if not (target / "entries" / f"{named}.segment").exists():
                torn.append(named)
            assert not (target / "entries" / "writer.lock").exists()
    finally:
        stop.set()
        writing.join()
    assert not torn


def test_readers_lease_and_read_while_the_owner_writes_and_replaces(tmp_path: Path) -> None:
    """Three readers lease, open and count without pause; each must see a whole revision, and time must not go back."""
    owner = Owner(tmp_path, Room(every=0.0))
    owner.change()
    owner.checkpoints.take()
    stop = threading.Event()
    wrong: list[str] = []
    read: list[int] = []

    def read_on() -> None:
        last = 0
        while not stop.is_set():
            with lease(owner.folder) as held:
                reader = open_reader(held.path)
                count = len(list(reader.contents(GRAPH.value)))
                if not held.revision == reader.revision == count or count < last:
                    wrong.append(f"{held.revision} {reader.revision} {count} after {last}")
                last = count
                read.append(count)
                del reader

    readers = [threading.Thread(target=read_on) for _ in range(3)]
    for one in readers:
        one.start()
    for _ in range(20):
        owner.change()
        owner.checkpoints.take()
    stop.set()
    for one in readers:
        one.join()
    assert not wrong
    assert len(read) >= 10
    owner.clock.seconds += 1
    owner.change()
    owner.checkpoints.take()
    assert len(owner.folders()) == 1
    # hard links that were given back leave the live store whole
    assert len(list(owner.graph.contents(GRAPH.value))) == owner.graph.revision
    assert not [name for name in os.listdir(owner.folder) if name.startswith(".")]
