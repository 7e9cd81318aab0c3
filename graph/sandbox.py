"""Run any query that anybody typed: in disposable processes, on a checkpoint, within limits that are always said.

The engine has no time limit and no memory limit of its own, so each question runs in a process that can be killed (the
inner side is ``graph.cell``). A few such processes wait ready, each with the newest checkpoint open; one that was
killed, or has grown, is replaced. They are spawned by one thread that lives as long as the sandbox, because the kernel
ends a child with the *thread* that made it; and they are spawned, never forked (a forked child that opens a store
hangs, measured).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, Self

from graph.cell import ASK, END, FAILED, FRAME, HEAD, OPEN, OPENED, READY, REFUSED, ROW
from graph.checkpoints import Checkpoints, lease
from graph.errors import BadQuestion, Busy, Fault, Place, StoreFault
from graph.results import MEDIA_TYPES
from graph.store import OxigraphStore, Reader

#: names of the formats that an answer can be written in
FORMATS: Final = tuple(MEDIA_TYPES)

#: seconds that a new process may take to start, and a ready one to open a checkpoint
_STARTING, _OPENING = 30.0, 30.0
#: seconds over the limit after which a process that has not stopped by itself between two rows is killed
_GRACE: Final = 0.25
#: bytes by which a process may have grown after a question and still take another one
_GROWTH: Final = 64 * 1024 * 1024
#: bytes that rows may exceed their limit by, on their way to being cut
_SLACK: Final = 1024 * 1024
_CHUNK: Final = 256 * 1024


class Held(Protocol):
    """Hold a store still for reading, as a lease of a checkpoint does."""

    @property
    def path(self) -> Path: ...

    @property
    def revision(self) -> int: ...

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one question: ``seconds`` of the clock; bytes of ``memory`` over what an idle process has; ``rows`` (or
    statements) and bytes (``size``) of the answer; bytes of the ``text`` itself.
    """

    seconds: float = 10.0
    memory: int = 512 * 1024 * 1024
    rows: int = 10_000
    size: int = 16 * 1024 * 1024
    text: int = 256 * 1024


class Status(StrEnum):
    """Say whether an answer is all there is, or which limit ended it."""

    complete = "complete"
    time = "time"
    memory = "memory"
    rows = "rows"
    size = "size"


@dataclass(frozen=True, slots=True)
class Result:
    """Hold an answer, or as much of it as there was within the limits; ``body`` is a whole document either way.

    ``form`` is ``rows``, ``boolean``, ``graph``, or "" where a limit was hit before the first word of an answer: then
    ``body`` is empty. ``rows`` counts rows or statements, ``seconds`` is what the question took.
    """

    status: Status
    form: str
    format: str
    columns: tuple[str, ...]
    rows: int
    body: bytes
    revision: int
    seconds: float
    limits: Limits

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.format]

    @property
    def remark(self) -> str:
        """Return one sentence that says which limit was hit and what that means for the answer, "" for none."""
        if self.status is Status.complete:
            return ""
        reached = {
            Status.time: f"{self.limits.seconds:g} s",
            Status.memory: f"{self.limits.memory >> 20} MiB of memory",
            Status.rows: f"{self.limits.rows} rows" if self.form != "graph" else f"{self.limits.rows} statements",
            Status.size: f"{self.limits.size >> 10} KiB of answer",
        }[self.status]
        what = f"the {self.rows} found by then are not all" if self.rows else "nothing had been found by then"
        return f"The query was stopped at the limit of {reached}: {what}"


class _Fixed:
    """Hold a store that nobody writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.revision = OxigraphStore(path, read_only=True).revision

    def release(self) -> None:
        """Do nothing: it stays where it is."""


def at(path: Path) -> Callable[[], Held]:
    """Return a source that always gives the same folder, of a store that nobody writes."""
    return lambda: _Fixed(path)


def newest_of(folder: Path) -> Callable[[], Held]:
    """Return a source that leases the newest checkpoint of a folder of checkpoints."""
    return lambda: lease(folder)


def need_checkpoints(graph: Reader) -> OxigraphStore:
    """Return the graph where checkpoints of it can be taken; raise ``StoreFault`` where it is kept in a service."""
    if not isinstance(graph, OxigraphStore):
        raise StoreFault(
            "The graph is kept in a service, which has no checkpoints: queries cannot be run on one within limits",
            remedy="Send the query to the SPARQL address of that service, or keep the graph in the data directory"
            " (unset DIABA_STORE and run diaba rebuild).",
        )
    return graph


@contextlib.contextmanager
def passing(folder: Path, graph: Reader, limits: Limits | None = None) -> Iterator[Sandbox]:
    """Open a sandbox of one process on a checkpoint taken now and removed afterwards, for whoever owns the register.

    ``folder`` is the data directory's folder of checkpoints. Raises ``StoreFault`` for a store that has none.
    """
    checkpoints = Checkpoints(folder, need_checkpoints(graph))
    checkpoints.take(anew=True)
    try:
        with Sandbox(newest_of(folder), 1, limits, sealed=False) as sandbox:
            yield sandbox
    finally:
        checkpoints.clear()


# --- one process ----------------------------------------------------------------------------------------------------


class _Ended(Exception):
    """Say that a process has ended."""


class _Late(Exception):
    """Say that a process did not answer in time."""


class _Grip:
    """Share what is held among the processes that have it open, and let go with the last of them."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self._count = 1
        self._counting = threading.Lock()

    def keep(self) -> Self:
        with self._counting:
            self._count += 1
        return self

    def drop(self) -> None:
        with self._counting:
            self._count -= 1
            last = not self._count
        if last:
            self.held.release()


class _Worker:
    """Drive one disposable process. One thread at a time may use it; ``kill`` may come from any."""

    def __init__(self) -> None:
        home = str(Path(__file__).resolve().parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            "PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1",
            "RUST_BACKTRACE": "0", "MALLOC_ARENA_MAX": "2",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "graph.cell", str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        )  # fmt: skip
        self._pipes = [pipe for pipe in (self._process.stdin, self._process.stdout, self._process.stderr) if pipe]
        self._requests, self._replies, self._complaints = (pipe.fileno() for pipe in self._pipes)
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._received = bytearray()
        self._grip: _Grip | None = None
        self._dropped = False
        self._ending = threading.Lock()
        self._idle_memory = 0
        self.fit = True

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def reads(self, grip: _Grip) -> bool:
        """Say whether the process has open what ``grip`` holds."""
        return self._grip is not None and self._grip.held.path == grip.held.path

    def start(self) -> bool:
        """Wait until the process is ready; say whether it has given up the network."""
        ready = json.loads(self._expect(READY, time.monotonic() + _STARTING))
        self._idle_memory = ready["memory"]
        return bool(ready["sealed"])

    def open(self, grip: _Grip) -> None:
        """Have the process read what ``grip`` holds; it keeps it from being removed until it reads something else."""
        if self.reads(grip):
            return
        self.fit = False
        deadline = time.monotonic() + _OPENING
        with contextlib.suppress(_Ended):  # which is told when there is no reply either
            self._send(OPEN, {"path": str(grip.held.path)}, deadline)
        self._expect(OPENED, deadline)
        before, self._grip = self._grip, grip.keep()
        if before is not None:
            before.drop()
        self.fit = True

    def ask(self, asked: dict[str, Any], limits: Limits) -> Result:
        """Return the answer, or what there is of it when a limit is hit."""
        assert self._grip is not None
        self.fit = False
        begun = time.monotonic()
        deadline = begun + limits.seconds + _GRACE
        head: dict[str, Any] = {"form": "", "format": asked["formats"][0], "columns": []}
        parts: list[bytes] = []
        rows, size = 0, 0
        try:
            self._send(ASK, asked, deadline)
            while True:
                kind, payload = self._receive(deadline)
                if kind == ROW:
                    rows += struct.unpack_from(">I", payload)[0]
                    parts.append(payload[4:])
                    size += len(payload) - 4
                    if size > limits.size + _SLACK:
                        raise StoreFault("The process gives more than it was asked for", remedy="Ask again.")
                elif kind == HEAD:
                    head = json.loads(payload)
                elif kind == END:
                    told = json.loads(payload)
                    status = Status(told["status"])
                    self.fit = told["memory"] <= self._idle_memory + _GROWTH
                    break
                else:
                    self.fit = json.loads(payload)["memory"] <= self._idle_memory + _GROWTH
                    raise _fault_of(kind, payload)
        except _Late:
            status = Status.time
            self.kill()
        except _Ended:
            status = self._cause()
        body = b"".join(parts)
        if head["form"]:
            body = (head["opening"].encode() + body + head["closing"].encode()) or head["empty"].encode()
        return Result(
            status, head["form"], head["format"], tuple(head["columns"]), rows, body,
            self._revision, time.monotonic() - begun, limits,
        )  # fmt: skip

    @property
    def _revision(self) -> int:
        assert self._grip is not None
        return self._grip.held.revision

    def _cause(self) -> Status:
        """Return which limit has ended the process, or raise what else has."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.returncode
        with contextlib.suppress(OSError):
            complaint = os.read(self._complaints, 65536).decode("utf-8", "replace")
            if code == -signal.SIGABRT and ("memory allocation" in complaint or "bad_alloc" in complaint):
                return Status.memory
        if code == -signal.SIGSEGV:
            raise BadQuestion(
                "The query is nested deeper than the engine can follow", remedy="Write it with fewer levels.",
                place=Place("query"),
            )  # fmt: skip
        raise StoreFault(
            "The process that ran the query was ended from outside"
            if code is not None and code < 0
            else "The process that ran the query has ended",
            remedy="Ask again.",
        )

    def kill(self) -> None:
        """End the process, wait until it is gone, and let go of what it read."""
        with self._ending:
            self.fit = False
            self._process.kill()
            self._process.wait()
            grip, self._dropped = (None if self._dropped else self._grip), True
        if grip is not None:
            grip.drop()

    def shut(self) -> None:
        """Close the pipes of a process that was killed; for the thread that uses it."""
        for pipe in self._pipes:
            pipe.close()

    # --- messages ---

    def _send(self, kind: int, payload: dict[str, Any], deadline: float) -> None:
        body = json.dumps(payload).encode()
        data = memoryview(FRAME.pack(kind, len(body)) + body)
        while data:
            try:
                data = data[os.write(self._requests, data) :]
            except BlockingIOError:
                _wait(self._requests, select.POLLOUT, deadline)
            except BrokenPipeError:
                raise _Ended from None

    def _receive(self, deadline: float) -> tuple[int, bytes]:
        """Return the next message; raise ``_Late`` after the deadline, ``_Ended`` when there is nobody to wait for."""
        needed = FRAME.size
        while True:
            if len(self._received) >= FRAME.size:
                kind, length = FRAME.unpack_from(self._received)
                needed = FRAME.size + length
                if len(self._received) >= needed:
                    payload = bytes(self._received[FRAME.size : needed])
                    del self._received[:needed]
                    return kind, payload
            if time.monotonic() > deadline:
                raise _Late
            try:
                part = os.read(self._replies, max(_CHUNK, needed - len(self._received)))
            except BlockingIOError:
                _wait(self._replies, select.POLLIN, deadline)
                continue
            if not part:
                raise _Ended
            self._received += part

    def _expect(self, wanted: int, deadline: float) -> bytes:
        try:
            kind, payload = self._receive(deadline)
        except _Late:
            self.kill()
            raise StoreFault("A process for queries does not answer", remedy="Look at the load.") from None
        except _Ended:
            self._cause()
            raise StoreFault("A process for queries has ended", remedy="Ask again.") from None
        if kind != wanted:
            raise _fault_of(kind, payload)
        return payload


def _wait(pipe: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise _Late


def _fault_of(kind: int, payload: bytes) -> Fault:
    told = json.loads(payload)
    place = Place(*told["place"]) if told["place"] else None
    classes: dict[int, type[Fault]] = {REFUSED: BadQuestion, FAILED: StoreFault}
    return classes[kind](told["message"], remedy=told["remedy"], place=place)


# --- the pool -------------------------------------------------------------------------------------------------------


class Sandbox:
    """Keep ``size`` processes ready and run queries in them; safe to use from many threads.

    ``source`` gives what to read: it is asked at most every ``every`` seconds for something newer. At most ``waiting``
    questions wait for a free process, and none longer than ``patience`` seconds. ``sealed`` refuses to work on a system
    where a process cannot give up the network for good; without it the query is still read and refused if it asks
    another service.
    """

    def __init__(
        self,
        source: Callable[[], Held],
        size: int = 2,
        limits: Limits | None = None,
        *,
        waiting: int = 16,
        patience: float = 10.0,
        every: float = 1.0,
        sealed: bool = True,
    ) -> None:
        self.limits = limits or Limits()
        self._source = source
        self._size = size
        self._queue = waiting
        self._patience = patience
        self._every = every
        self._sealed = sealed
        self._changed = threading.Condition()
        self._idle: list[_Worker] = []
        self._workers: set[_Worker] = set()
        self._waiting = 0
        self._closed = False
        self._fault: Fault | None = None
        self._refreshing = threading.Lock()
        self._grip: _Grip | None = None
        self._refreshed = 0.0
        self._wake = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="sandbox", daemon=True)
        self._keeper.start()

    # --- asking ---

    def run(
        self,
        text: str,
        *,
        format: str | Sequence[str] = "json",
        limits: Limits | None = None,
        at_least: int = 0,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Result:
        """Run a query and return its answer, declared partial where a limit was hit.

        ``format`` names one of ``graph.results.MEDIA_TYPES``, or several in the order of preference: the first that
        suits the form of the query is taken. ``at_least`` is a revision that the answer must not be older than. The
        lists of graphs are those of the SPARQL protocol and stand in the place of FROM and FROM NAMED; without any, a
        query sees the union of all graphs. Raises ``BadQuestion`` (line, column) for what is no query, is refused or
        cannot be written in that format; ``Busy`` when too many wait; ``StoreFault`` when the process was ended.
        """
        limits = limits or self.limits
        formats = [format] if isinstance(format, str) else list(format)
        strange = [one for one in formats if one not in MEDIA_TYPES]
        if strange or not formats:
            raise BadQuestion(
                f"There is no format {', '.join(strange)}".rstrip(), remedy=f"Use one of {', '.join(MEDIA_TYPES)}."
            )
        _check(text, limits)
        asked = {
            "text": text,
            "formats": formats,
            "default_graphs": list(default_graphs),
            "named_graphs": list(named_graphs),
            "limits": {
                "seconds": limits.seconds, "memory": limits.memory, "rows": limits.rows, "size": limits.size,
            },
        }  # fmt: skip
        worker = self._take()
        try:
            grip = self._newest(at_least)
            try:
                worker.open(grip)
            finally:
                grip.drop()
            return worker.ask(asked, limits)
        finally:
            self._give_back(worker)

    def _take(self) -> _Worker:
        with self._changed:
            if not self._idle and self._waiting >= self._queue:
                raise Busy("Too many queries are waiting", remedy="Ask again in a few seconds.")
            self._waiting += 1
            try:
                until = time.monotonic() + self._patience
                while True:
                    if self._closed:
                        raise StoreFault("The service is stopping", remedy="Ask again later.")
                    self._drop_dead()
                    if self._idle:
                        return self._idle.pop()
                    if self._fault is not None and not self._workers:
                        raise self._fault.with_traceback(None)
                    left = until - time.monotonic()
                    if left <= 0:
                        raise Busy("All processes for queries are busy", remedy="Ask again in a few seconds.")
                    self._changed.wait(left)
            finally:
                self._waiting -= 1

    def _drop_dead(self) -> None:
        """Forget idle processes that somebody has ended; ``_changed`` is held."""
        for worker in [one for one in self._idle if not one.alive]:
            self._idle.remove(worker)
            self._workers.discard(worker)
            worker.kill()
            worker.shut()
            self._wake.set()

    def _give_back(self, worker: _Worker) -> None:
        with self._changed:
            if worker.fit and not self._closed:
                self._idle.append(worker)
                self._changed.notify()
                return
            self._workers.discard(worker)
        worker.kill()
        worker.shut()
        self._wake.set()

    # --- what is read ---

    def _newest(self, at_least: int) -> _Grip:
        """Return the newest of the source, kept for the caller, once it is of this revision or later."""
        until = time.monotonic() + self._patience
        force = False
        while True:
            with self._refreshing:
                self._refresh(force)
                assert self._grip is not None
                if self._grip.held.revision >= at_least:
                    return self._grip.keep()
            if force:
                if time.monotonic() > until:
                    raise Busy(f"Change {at_least} cannot be read yet", remedy="Ask again in a second.")
                time.sleep(0.05)
            force = True

    def _refresh(self, force: bool = False) -> None:
        """Ask the source for something newer if it is time to; ``_refreshing`` is held."""
        now = time.monotonic()
        if self._grip is not None and not force and now - self._refreshed < self._every:
            return
        self._refreshed = now
        try:
            held = self._source()
        except (Fault, OSError, ValueError):
            if self._grip is None:
                raise
            return  # what is held is as good as a moment ago
        if self._grip is not None and held.path == self._grip.held.path:
            held.release()
            return
        before, self._grip = self._grip, _Grip(held)
        if before is not None:
            before.drop()

    # --- keeping processes ready ---

    def _keep(self) -> None:
        while not self._closed:
            try:
                with self._refreshing:
                    self._refresh()
            except Fault as fault:
                self._troubled(fault)
            except (OSError, ValueError) as fault:
                self._troubled(StoreFault(f"What is to be read cannot be had: {fault}", remedy="Look at the disk."))
            else:
                with self._changed:
                    self._drop_dead()
                self._fill()
                self._move()
            self._wake.wait(self._every)
            self._wake.clear()

    def _troubled(self, fault: Fault | None) -> None:
        with self._changed:
            self._fault = fault
            if fault is not None:
                self._changed.notify_all()

    def _fill(self) -> None:
        """Start the processes that are missing."""
        while not self._closed and len(self._workers) < self._size:
            try:
                worker = _Worker()
            except OSError as fault:
                self._troubled(StoreFault(f"No process can be started: {fault}", remedy="Look at the system's limits."))
                return
            try:
                if not worker.start() and self._sealed:
                    raise StoreFault(
                        "This system does not let a process give up the network", remedy="Run it on Linux with seccomp."
                    )
                self._bring(worker)
            except Fault as fault:
                worker.kill()
                worker.shut()
                self._troubled(fault)
                return
            self._troubled(None)
            with self._changed:
                self._workers.add(worker)
            self._give_back(worker)

    def _bring(self, worker: _Worker) -> None:
        with self._refreshing:
            assert self._grip is not None
            grip = self._grip.keep()
        try:
            worker.open(grip)
        finally:
            grip.drop()

    def _move(self) -> None:
        """Have each idle process open the newest, one after the other, so that questions find them ready."""
        for _ in range(self._size):
            with self._changed:
                stale = next((one for one in self._idle if not self._is_newest(one)), None)
                if stale is None:
                    return
                self._idle.remove(stale)
            try:
                self._bring(stale)
            except Fault as fault:
                self._troubled(fault)
            finally:
                self._give_back(stale)

    def _is_newest(self, worker: _Worker) -> bool:
        return self._grip is not None and worker.reads(self._grip)

    # --- the end ---

    def processes(self) -> list[int]:
        """Return the process numbers of the pool."""
        with self._changed:
            return sorted(worker.pid for worker in self._workers)

    def wait_ready(self, seconds: float = _STARTING) -> None:
        """Wait until every process is ready; raise ``StoreFault`` when they are not by then."""
        until = time.monotonic() + seconds
        with self._changed:
            while len(self._idle) < self._size:
                left = until - time.monotonic()
                if left <= 0:
                    raise self._fault or StoreFault("The processes for queries do not start", remedy="Ask again.")
                self._changed.wait(left)

    def close(self) -> None:
        """End every process, running or not; what was being asked is answered with a ``StoreFault``."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            busy = self._workers.difference(self._idle)
            idle, self._idle = self._idle, []
            self._workers.clear()
        self._wake.set()
        for worker in idle:
            worker.kill()
            worker.shut()
        for worker in busy:  # whoever asks it shuts it
            worker.kill()
        if threading.current_thread() is not self._keeper:
            self._keeper.join()
        with self._refreshing:
            grip, self._grip = self._grip, None
        if grip is not None:
            grip.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check(text: str, limits: Limits) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as fault:
        raise BadQuestion("The query holds half a character", remedy="Send it as UTF-8.") from fault
    if size > limits.text:
        raise BadQuestion(
            f"The query is {size >> 10} KiB long, and {limits.text >> 10} KiB is the most",
            remedy="Ask for less at once; long lists of values can be asked in parts.",
        )
