"""One process owns the directory: others hand it their changes, wait their turn, and read checkpoints."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.checkpoints import Room
from graph.errors import BadQuestion, Busy, Fault, Held, Malformed, NotFound, StoreFault, Unanswered, Unreadable
from graph.messages import LONGEST, PROTOCOL, SOCKET, Channel, call, read_fault, write_fault
from graph.owner import Client, Owner, Turns, owning, reading, writing
from graph.register import CHECKPOINTS, Register, RegisterReader
from graph.terms import D
from graph.view import MovingReader, open_view
from tests.owner.records import EXAMPLE, source_of, write_record

ROOT = Path(__file__).parents[2]


@pytest.fixture
def owner(data: Path) -> Iterator[Owner]:
    """Return an owner that takes checkpoints faster than others, so that tests need not wait."""
    with owning(Register.open(data), room=Room(every=0.1)) as owner:
        yield owner


@pytest.fixture
def client(owner: Owner) -> Client:
    return Client(owner.data)


def holder_of(reader: RegisterReader | MovingReader, name: str) -> str:
    """Return who is accountable for the first dataset of a file, as its standing says."""
    standings = [quad.subject.value for quad in reader.graph.incoming([f"{EXAMPLE}{name}/0"], (D.about,))]
    [holder] = {quad.object.value for quad in reader.graph.outgoing(standings, (D.holder,))}
    return holder.removeprefix(EXAMPLE)


class TestChanges:
    def test_a_change_handed_over_is_made_and_reported_as_if_made_here(
        self, owner: Owner, client: Client, tmp_path: Path
    ) -> None:
        steps = []
        report = client.load(
            [write_record(tmp_path, "wells")], source_of("wells"), "V2", message="wells", who="thu",
            progress=lambda step, done, total: steps.append(step),
        )  # fmt: skip
        assert report.revision == owner.revision == client.revision == 2
        assert report.sources[0].source == source_of("wells")
        assert report.sources[0].records_new == 1
        assert "standings" in steps
        change = owner._register.journal.last()
        assert change is not None
        assert (change.who, change.message) == ("thu", "wells")
        again = client.load([write_record(tmp_path, "wells")], source_of("wells"), "V2")
        assert again.unchanged
        assert again.as_json()["revision"] == 2

    def test_files_are_named_as_seen_from_the_caller(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_record(tmp_path, "wells")
        monkeypatch.chdir(tmp_path)
        assert client.load("wells.ttl").sources[0].source == (tmp_path / "wells.ttl").as_uri()

    def test_a_file_name_that_is_no_utf_8_is_handed_over_too(self, client: Client, tmp_path: Path) -> None:
        name = tmp_path / os.fsdecode(b"gi\xe9ng.ttl")
        write_record(tmp_path, "wells").rename(name)
        assert client.load(name).sources[0].source.endswith("/gi%E9ng.ttl")

    def test_a_fault_arrives_as_it_was_raised(self, client: Client, tmp_path: Path) -> None:
        broken = tmp_path / "broken.ttl"
        broken.write_text("<http://example.org/a> .\n", "utf-8")
        with pytest.raises(Malformed) as told:
            client.load(broken)
        assert told.value.place is not None
        assert told.value.place.file == str(broken)
        assert told.value.place.line == 1
        with pytest.raises(Unreadable):
            client.load(tmp_path / "nowhere.ttl")
        assert client.revision == 1

    def test_two_writers_at_once_both_land(self, data: Path, tmp_path: Path) -> None:
        files = [write_record(tmp_path, name, size=50) for name in ("wells", "roads")]
        script = """
import sys
from graph.owner import writing
with writing(sys.argv[1]) as register:
    print(register.load(sys.argv[2], sys.argv[3]).revision)
"""
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(data), str(file), source_of(file.stem)],
                cwd=ROOT, stdout=subprocess.PIPE, text=True,
            )
            for file in files
        ]  # fmt: skip
        revisions = {int(writer.communicate(timeout=60)[0]) for writer in writers}
        assert revisions == {2, 3}
        with Register.open(data) as register:
            assert [change.number for change in register.journal.changes()] == [1, 2, 3]
            assert {holder_of(register.reader, name) for name in ("wells", "roads")} == {"body"}

    def test_writers_take_turns_in_the_order_in_which_they_came(self) -> None:
        turns, order, begun = Turns(), [], threading.Event()

        def take(name: str, *, next_one: bool = False) -> None:
            with turns.taken(name, "", next_one=next_one):
                order.append(name)
                begun.set()
                if name == "first":
                    while len(turns.queue) < 5:
                        time.sleep(0.001)

        threads = []
        for name in ("first", "second", "third", "fourth"):
            threads.append(threading.Thread(target=take, args=(name,)))
            threads[-1].start()
            while len(turns.queue) < len(threads):
                time.sleep(0.001)
        take("checkpoint", next_one=True)
        for thread in threads:
            thread.join()
        assert order == ["first", "checkpoint", "second", "third", "fourth"]
        assert not turns.queue

    def test_the_queue_can_be_seen_and_who_leaves_it_was_never_there(
        self, owner: Owner, client: Client, tmp_path: Path
    ) -> None:
        with owner._turns.taken("load", "an"):
            connection = call(owner.data, 5)
            assert connection is not None
            channel = Channel(connection)
            assert channel.receive() == {"diaba": PROTOCOL, "process": os.getpid(), "revision": 1}
            arguments = {"files": [str(write_record(tmp_path, "wells"))], "who": "thu"}
            channel.send({"verb": "load", "arguments": arguments})
            assert channel.receive() == {"waiting": 1}
            status = client.status()
            assert (status["running"]["who"], [turn["who"] for turn in status["waiting"]]) == ("an", ["thu"])
            channel.close()
            while client.status()["waiting"]:
                time.sleep(0.01)
        assert client.revision == 1

    def test_a_rebuild_is_handed_over_too(self, owner: Owner, client: Client, tmp_path: Path) -> None:
        client.load(write_record(tmp_path, "wells"), source_of("wells"))
        before = owner.checkpoint(2)
        client.rebuild()
        assert client.checkpoint() == 2
        assert owner.checkpoint().path != before.path
        with open_view(owner.data) as view:
            assert holder_of(view, "wells") == "body"
            assert [hit.label for hit in view.search.search("wells")] == ["wells 0"]

    def test_a_redaction_is_handed_over_too(self, owner: Owner, client: Client, tmp_path: Path) -> None:
        client.load(write_record(tmp_path, "wells", "before"), source_of("wells"))
        client.load(write_record(tmp_path, "wells", "after"), source_of("wells"))
        with pytest.raises(NotFound):
            client.redact([99], "a person's name", "thu")
        revision = client.redact([2], "a person's name", "thu")
        assert client.checkpoint() == revision
        with open_view(owner.data) as view:
            assert holder_of(view, "wells") == "after"
        [redacted] = [change for change in owner._register.journal.changes() if change.redacted]
        assert (redacted.number, redacted.redacted_by) == (2, "thu")

    def test_what_the_disk_refuses_is_told_as_recorded_or_not(
        self, owner: Owner, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        full = OSError(28, "No space left on device")

        def refuse(*_: object) -> None:
            raise full

        with monkeypatch.context() as patch:
            patch.setattr(owner._register.journal, "append", refuse)
            with pytest.raises(StoreFault, match="Nothing is recorded"):
                client.load(write_record(tmp_path, "wells"), source_of("wells"))
        assert client.revision == 1
        with monkeypatch.context() as patch:
            patch.setattr(owner._register.reader.graph, "_commit", refuse)
            with pytest.raises(StoreFault, match="recorded, up to number 2"):
                client.load(write_record(tmp_path, "wells"), source_of("wells"))
            with pytest.raises(Busy):
                client.checkpoint(patience=0.1)
        assert client.checkpoint(2, patience=5) == 2
        with open_view(owner.data) as view:
            assert holder_of(view, "wells") == "body"
        client.load(write_record(tmp_path, "roads"), source_of("roads"))
        assert client.revision == 3


class TestTalk:
    def say(self, data: Path, *lines: bytes) -> list[dict[str, object]]:
        """Send lines as they are; return what is answered before the connection ends."""
        connection = call(data, 5)
        assert connection is not None
        with connection:
            connection.sendall(b"".join(lines))
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(1 << 16):
                received += piece
        return [json.loads(line) for line in received.splitlines()[1:]]

    @pytest.mark.parametrize(
        "line",
        [
            b"load wells.ttl\n",
            b"[]\n",
            b"\xff\xfe\n",
            b"[" * 100_000 + b"\n",
            b"{}\n",
            b'{"verb": "drop"}\n',
            b'{"verb": ["load"]}\n',
            b'{"verb": "load", "arguments": []}\n',
            b'{"verb": "load", "arguments": {"files": "wells.ttl"}}\n',
            b'{"verb": "load", "arguments": {"files": []}}\n',
            b'{"verb": "load", "arguments": {"files": ["a"], "everything": true}}\n',
            b'{"verb": "load", "arguments": {"files": ["a"], "partial": 1}}\n',
            b'{"verb": "checkpoint", "arguments": {"at_least": -1}}\n',
            b'{"verb": "checkpoint", "arguments": {"patience": 1e999}}\n',
            b'{"verb": "load", "arguments": {"files": ["a\\u0000b"]}}\n',
            b'{"verb": "load", "arguments": {"files": ["a"], "message": "\\ud800"}}\n',
            b'{"verb": "stop"}\n',
        ],
    )
    def test_what_is_no_request_is_told_so_and_the_next_one_is_answered(self, owner: Owner, line: bytes) -> None:
        refused, status = self.say(owner.data, line, b'{"verb": "status"}\n')
        assert refused["fault"]["class"] == "BadQuestion"  # type: ignore[index]
        assert refused["fault"]["remedy"]  # type: ignore[index]
        assert status["result"]["revision"] == 1  # type: ignore[index]

    def test_a_line_without_end_is_refused(self, owner: Owner, client: Client) -> None:
        connection = call(owner.data, 5)
        assert connection is not None
        with connection:
            channel = Channel(connection)
            channel.receive()
            with contextlib.suppress(BrokenPipeError):  # it need not hear all of it to refuse
                connection.sendall(b"x" * (LONGEST + 70_000))
            refused = channel.receive()
        assert refused is not None
        assert refused["fault"]["class"] == "TooLong"
        assert client.status()["revision"] == 1

    def test_half_a_line_is_no_request(self, owner: Owner) -> None:
        assert self.say(owner.data, b'{"verb": "status"') == []

    def test_every_fault_keeps_its_class_over_the_socket(self) -> None:
        for kind in (Malformed, Unanswered, Held, Busy, BadQuestion):
            fault = read_fault(json.loads(json.dumps(write_fault(kind("Wrong", remedy="Mend it.")))))
            assert type(fault) is kind
            assert str(fault) == "Wrong. Mend it."
        assert type(read_fault({"class": "Later", "message": "x", "remedy": "", "place": None})) is Fault

    def test_only_its_own_user_may_call_it(self, owner: Owner) -> None:
        assert stat.S_IMODE((owner.data / SOCKET).stat().st_mode) == 0o600

    def test_a_long_path_is_no_hindrance(self, data: Path, tmp_path: Path) -> None:
        deep = tmp_path / ("d" * 100) / ("e" * 100) / "data"
        deep.parent.mkdir(parents=True)
        shutil.move(data, deep)
        with owning(Register.open(deep)):
            assert Client(deep).revision == 1
        assert not (deep / SOCKET).exists()


class TestReading:
    def test_a_reader_sees_its_own_write(self, owner: Owner, client: Client, tmp_path: Path) -> None:
        for number in range(3):
            client.load(write_record(tmp_path, "wells", f"body{number}"), source_of("wells"))
            with reading(owner.data) as reader:
                assert holder_of(reader, "wells") == f"body{number}"
                assert reader.revision == number + 2
                assert [hit.label for hit in reader.search.search("wells")] == ["wells 0"]

    def test_a_checkpoint_with_a_change_is_there_within_two_seconds(self, data: Path, tmp_path: Path) -> None:
        with owning(Register.open(data)) as owner:
            moving = MovingReader(data)
            follower = threading.Thread(target=moving.follow)
            follower.start()
            try:
                for number in range(2):
                    owner.load(write_record(tmp_path, "wells", f"body{number}"), source_of("wells"))
                    until = time.monotonic() + 2.0
                    while moving.revision < number + 2:
                        assert time.monotonic() < until
                        time.sleep(0.01)
            finally:
                moving.close()
                follower.join()

    def test_what_is_pinned_stays_while_the_register_moves_on(
        self, owner: Owner, client: Client, tmp_path: Path
    ) -> None:
        client.load(write_record(tmp_path, "wells", "before"), source_of("wells"))
        client.checkpoint()
        moving = MovingReader(owner.data)
        with moving.pinned() as view:
            client.load(write_record(tmp_path, "wells", "after"), source_of("wells"))
            client.checkpoint()
            moving.move()
            assert (moving.revision, holder_of(moving, "wells")) == (2, "before")
            assert view.path.exists()
        assert not view.path.exists()
        assert (moving.revision, holder_of(moving, "wells")) == (3, "after")
        moving.close()

    def test_nobody_is_asked_where_nobody_holds_the_directory(self, data: Path, tmp_path: Path) -> None:
        with writing(data) as register:
            register.load(write_record(tmp_path, "wells"), source_of("wells"))
        with reading(data) as reader:
            assert holder_of(reader, "wells") == "body"
        assert not list((data / CHECKPOINTS).iterdir())

    def test_who_holds_it_and_does_not_answer_is_waited_for_and_then_named(self, data: Path) -> None:
        with (
            Register.open(data),
            pytest.raises(Held, match=str(os.getpid())),
            reading(data, patience=0.2),
        ):
            pass
        held = Register.open(data)
        threading.Timer(0.3, held.close).start()
        with reading(data) as reader:
            assert reader.revision == 1


class TestEndings:
    def test_what_waits_is_finished_or_told_that_it_was_not_begun(self, data: Path, tmp_path: Path) -> None:
        for drain, outcome in ((True, 2), (False, Busy)):
            owner = Owner(Register.open(data)).start()
            found: list[object] = []

            def load(found: list[object] = found) -> None:
                try:
                    found.append(Client(data).load(write_record(tmp_path, "wells"), source_of("wells")).revision)
                except Busy:
                    found.append(Busy)

            with owner._turns.taken("load", ""):
                writer = threading.Thread(target=load)
                writer.start()
                while not owner.status()["waiting"]:
                    time.sleep(0.01)
                closing = threading.Thread(target=owner.close, kwargs={"drain": drain})
                closing.start()
                time.sleep(0.1)
            writer.join()
            closing.join()
            assert found == [outcome]
            with Register.open(data) as register:
                assert register.revision == 2

    def test_a_killed_owner_leaves_a_clear_state(self, data: Path, tmp_path: Path) -> None:
        script = """
import sys, time
from graph.owner import writing
with writing(sys.argv[1]) as owner:
    owner._register.settle = owner._register.load = lambda *_: (print("begun", flush=True), time.sleep(60))
    print("ready", flush=True)
    time.sleep(60)
"""
        with subprocess.Popen(
            [sys.executable, "-c", script, str(data)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            found: list[Unanswered] = []

            def load() -> None:
                with pytest.raises(Unanswered, match="not known") as told:
                    Client(data).load(write_record(tmp_path, "wells"), source_of("wells"))
                found.append(told.value)

            writer = threading.Thread(target=load)
            writer.start()
            process.stdout.readline()
            process.kill()
            writer.join()
        assert "after number 1" in found[0].message
        assert "Load the same again" in found[0].remedy
        with pytest.raises(Held):
            Client(data).status()
        with writing(data) as register:
            assert register.load(write_record(tmp_path, "wells"), source_of("wells")).revision == 2

    def test_a_killed_caller_has_its_change_made_or_not_and_stops_nobody(
        self, owner: Owner, client: Client, tmp_path: Path
    ) -> None:
        script = "import sys; from graph.owner import Client; Client(sys.argv[1]).load(sys.argv[2], sys.argv[3])"
        file = write_record(tmp_path, "roads", size=200)
        caller = subprocess.Popen(
            [sys.executable, "-c", script, str(owner.data), str(file), source_of("roads")], cwd=ROOT
        )
        while not owner.status()["running"] and caller.poll() is None:
            time.sleep(0.002)
        caller.kill()
        caller.wait()
        client.load(write_record(tmp_path, "wells"), source_of("wells"))
        sources = [change.source for change in owner._register.journal.changes(1)]
        assert sources in ([source_of("roads"), source_of("wells")], [source_of("wells")])
        owner._register.journal.verify()

    def test_an_owner_stops_when_asked(self, data: Path) -> None:
        asked = threading.Event()
        with owning(Register.open(data), stop=asked.set):
            Client(data).stop()
            assert asked.is_set()
