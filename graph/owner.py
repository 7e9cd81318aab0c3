"""Own a data directory: one process writes, and every other hands its changes over or reads a checkpoint.

Whoever opens the register for writing is its owner for that long: it listens on a socket in the directory, lets changes
in one after another, first come first served, and keeps a checkpoint that is at most a second behind. ``writing`` and
``reading`` find out by themselves whether to open the register or to turn to its owner.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from graph import archive, planning
from graph.checkpoints import Checkpoint, Room
from graph.client import FRESH, PATIENCE, Client, user_name
from graph.directory import read_passport
from graph.errors import BadQuestion, Busy, DataDirectory, Fault, Held, StoreFault
from graph.files import Progress
from graph.journal import write_instant
from graph.messages import PROTOCOL, SOCKET, Channel, TooLong, call, listen, write_fault
from graph.plans.reading import read_plan
from graph.register import Register, RegisterReader, home_of
from graph.sources import LoadReport
from graph.turns import LOOK, Turns
from graph.view import open_view

_MOST_CALLERS: Final = 128
_IDLE: Final = 60.0
_PROGRESS_EVERY: Final = 0.1

_T = TypeVar("_T")


# --- the owner ------------------------------------------------------------------------------------------------------


class Owner:
    """Hold the register open, and let the processes of this user change it and read it; see ``start``."""

    def __init__(
        self,
        register: Register,
        *,
        room: Room | None = None,
        stop: Callable[[], None] | None = None,
        drain: bool = True,
    ) -> None:
        self.data = register.data
        self._drain = drain
        self._register = register
        register.puts_off_findings = True  # no change waits for what the rules find of it
        self._stop = stop
        self._turns = Turns()
        self._since = write_instant(datetime.now(UTC))
        self._revision = register.revision
        self._checkpoints = register.checkpoints(room)
        self._taken: Checkpoint | None = None
        self._trouble = ""
        self._published = threading.Condition()
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._callers: dict[threading.Thread, socket.socket] = {}
        self._counting = threading.Lock()
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Take a first checkpoint and begin to listen; raise ``DataDirectory`` where no socket can be made."""
        self._take()
        self._listener = listen(self.data)
        for work in (self._accept, self._keep_fresh):
            thread = threading.Thread(target=work, name=f"owner {work.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def close(self, *, drain: bool = True) -> None:
        """Take no more, finish what runs (and with ``drain`` what waits), and give the directory up."""
        if self._listener is not None:
            with contextlib.suppress(FileNotFoundError):
                (self.data / SOCKET).unlink()
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a caller
        self._turns.close(drain=drain)
        self._ended.set()
        self._changed.set()
        with self._published:
            self._published.notify_all()
        with self._counting:
            callers = dict(self._callers)
        for caller, connection in callers.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # who is being answered hears the end of it
            caller.join(FRESH)
        for thread in self._threads:
            thread.join()
        if self._listener is not None:
            self._listener.close()
        self._checkpoints.clear()
        self._register.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(drain=self._drain and (kind is None or issubclass(kind, Fault)))

    # --- what can be asked --------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """Return the number of the last accepted change."""
        return self._revision

    @property
    def reader(self) -> RegisterReader:
        """Return the live register, as it changes."""
        return self._register.reader

    def load(
        self,
        files: Iterable[str | Path] | str | Path,
        source: str | None = None,
        confidence: str | None = None,
        partial: bool = False,
        history: bool = False,
        mapping: str | Path | None = None,
        message: str = "",
        who: str | None = None,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Load files as ``Register.load`` does, when its turn comes."""
        return self._load(files, source, confidence, partial, history, mapping, message, who, progress)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Make everything anew from the journal as ``Register.rebuild`` does, when its turn comes."""
        self._rebuild(progress)

    def redact(self, numbers: Iterable[int], why: str, who: str | None = None, progress: Progress | None = None) -> int:
        """Destroy what changes carried, as ``graph.archive.redact`` does, when its turn comes; return the revision."""
        return self._redact(list(numbers), why, who, progress)

    def plan(
        self, file: str | Path, message: str = "", who: str | None = None, progress: Progress | None = None
    ) -> LoadReport:
        """Record the plan in a file as ``graph.planning.apply`` does, when its turn comes."""
        return self._plan(file, message, who, progress)

    def unplan(
        self, slug: str, message: str = "", who: str | None = None, progress: Progress | None = None
    ) -> LoadReport:
        """Withdraw a plan as ``graph.planning.undo`` does, when its turn comes."""
        return self._unplan(slug, message, who, progress)

    def checkpoint(self, at_least: int | None = None, patience: float = FRESH) -> Checkpoint:
        """Return a checkpoint that holds change ``at_least`` (``None``: the last one), as soon as there is one.

        Raises ``Busy`` when there is none within ``patience`` seconds.
        """
        wanted = self._revision if at_least is None else at_least
        patience = time.monotonic() + patience
        with self._published:
            while self._taken is None or self._taken.revision < wanted:
                left = patience - time.monotonic()
                if left <= 0 or self._ended.is_set():
                    why = self._trouble or self._checkpoints.state.held_back
                    raise Busy(
                        f"No checkpoint holds change {wanted} yet{': ' + why if why else ''}", remedy="Try again later."
                    )
                self._published.wait(left)
            return self._taken

    def status(self) -> dict[str, Any]:
        """Tell as plain JSON how things stand: revision, who runs and waits, how far the parts are, the checkpoint."""
        state = self._checkpoints.state
        queue = self._turns.queue
        return {
            "process": os.getpid(),
            "since": self._since,
            "revision": self._revision,
            "running": queue[0].as_json() if queue else None,
            "waiting": [turn.as_json() for turn in queue[1:]],
            "checkpoint": state.newest
            and {"revision": state.newest.revision, "taken_at": write_instant(state.newest.taken_at)},
            "checkpoints": state.kept,
            "held_back": self._trouble or state.held_back,
            "trouble": self._trouble,
            "parts": self._register.reached(),
        }

    # --- doing it ---------------------------------------------------------------------------------------------------

    def _load(
        self, files: Any, source: Any, confidence: Any, partial: bool, history: bool, mapping: Any, message: str,
        who: str | None, progress: Progress | None, waiting: Callable[[int], None] = lambda _: None,
    ) -> LoadReport:  # fmt: skip
        who = who or user_name()

        def work() -> LoadReport:
            return self._register.load(files, source, confidence, partial, history, mapping, message, who, progress)

        return self._change("load", who, work, waiting)

    def _plan(
        self, file: str | Path, message: str, who: str | None, progress: Progress | None,
        waiting: Callable[[int], None] = lambda _: None,
    ) -> LoadReport:  # fmt: skip
        document, author = read_plan(Path(file)), who or user_name()

        def work() -> LoadReport:
            return planning.apply(self._register, document, author, message, progress)

        return self._change("plan", author, work, waiting)

    def _unplan(
        self, slug: str, message: str, who: str | None, progress: Progress | None,
        waiting: Callable[[int], None] = lambda _: None,
    ) -> LoadReport:  # fmt: skip
        author = who or user_name()

        def work() -> LoadReport:
            return planning.undo(self._register, slug, author, message, progress)

        return self._change("unplan", author, work, waiting)

    def _rebuild(
        self, progress: Progress | None, who: str | None = None, waiting: Callable[[int], None] = lambda _: None
    ) -> None:
        def work() -> None:
            self._register.rebuild(progress)
            self._take(anew=True)

        self._change("rebuild", who or user_name(), work, waiting)

    def _redact(
        self, numbers: list[int], why: str, who: str | None, progress: Progress | None,
        waiting: Callable[[int], None] = lambda _: None,
    ) -> int:  # fmt: skip
        who = who or user_name()

        def work() -> int:
            revision = archive.redact(self._register, numbers, who, why, progress)
            self._take(anew=True)
            return revision

        return self._change("redact", who, work, waiting)

    def _change(self, what: str, who: str, work: Callable[[], _T], waiting: Callable[[int], None]) -> _T:
        with self._turns.taken(what, who, waiting=waiting):
            try:
                return work()
            except (StoreFault, OSError, sqlite3.Error) as fault:
                raise self._cut_short(fault) from fault
            finally:
                self._revision = self._register.revision
                self._changed.set()

    def _cut_short(self, fault: StoreFault | OSError | sqlite3.Error) -> StoreFault:
        """Return what to tell of a change that the disk stopped: recorded or not is what matters."""
        reason = fault.message if isinstance(fault, StoreFault) else str(fault)
        remedy = fault.remedy if isinstance(fault, StoreFault) else "Look for a full or failing disk."
        recorded = self._register.revision
        if recorded > self._revision:
            return StoreFault(
                f"The change is recorded, up to number {recorded}, but it cannot be seen yet: {reason}",
                remedy=f"{remedy} It is followed by itself when that is mended.",
            )
        return StoreFault(f"Nothing is recorded: {reason}", remedy=remedy)

    # --- checkpoints ------------------------------------------------------------------------------------------------

    def _keep_fresh(self) -> None:
        """Take a checkpoint whenever one is due, between two changes."""
        while not self._ended.is_set():
            due = self._checkpoints.due
            behind = self._taken is None or self._taken.revision < self._revision
            if due is None and (behind or self._trouble or not self._register.usable):
                due = 0.0  # a change is accepted and not followed yet, or a rebuild has left nothing open
            if due is None and not self._register.found:
                self._find()
            elif due is None:
                self._changed.wait()
                self._changed.clear()
            elif due > 0:
                self._ended.wait(due)
            else:
                with contextlib.suppress(Busy), self._turns.taken("checkpoint", "", next_one=True):
                    self._take()
                if self._trouble:
                    self._ended.wait(1.0)

    def _find(self) -> None:
        """Go on finding all anew, as after a large change, until somebody waits; then show it."""

        def interrupted() -> bool:
            return len(self._turns.queue) > 1 or self._ended.is_set()

        with contextlib.suppress(Busy), self._turns.taken("findings", ""):
            try:
                if self._register.find(interrupted):
                    self._take(anew=True)
                return
            except (Fault, OSError, sqlite3.Error) as fault:
                self._trouble = fault.message if isinstance(fault, Fault) else str(fault)
        self._ended.wait(1.0)

    def finish(self, progress: Progress | None = None) -> None:
        """Bring the findings up to the last change before the register is given up; what fails is left to the next."""
        with contextlib.suppress(Fault, OSError, sqlite3.Error), self._turns.taken("findings", ""):
            self._register.find(progress=progress)

    def _take(self, *, anew: bool = False) -> None:
        """Take a checkpoint, of a state in which all parts agree; what stands in the way is kept in the status.

        What the rules find may come in a later one, where all must be found anew.
        """
        try:
            if not self._register.settled:
                self._register.settle()
            with contextlib.suppress(Fault, OSError, sqlite3.Error):  # told where it is tried again, in ``_find``
                self._register.find(lambda: True)
            taken = self._checkpoints.take(anew=anew)
        except Fault as fault:
            self._trouble = fault.message
        except (OSError, sqlite3.Error) as fault:
            self._trouble = str(fault)
        else:
            self._trouble = ""
            with self._published:
                self._taken = taken
        with self._published:
            self._published.notify_all()

    # --- callers ----------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            connection.settimeout(_IDLE)
            caller = threading.Thread(target=self._serve, args=(connection,), name="owner caller", daemon=True)
            with self._counting:
                crowded = len(self._callers) >= _MOST_CALLERS
                if not crowded:
                    self._callers[caller] = connection
            if crowded:
                with contextlib.suppress(OSError):
                    Channel(connection).send(_fault(Busy("Too many are asking at once", remedy="Try again.")))
                connection.close()
            else:
                caller.start()

    def _serve(self, connection: socket.socket) -> None:
        channel = Channel(connection)
        try:
            channel.send({"diaba": PROTOCOL, "process": os.getpid(), "revision": self._revision})
            while self._answer(channel):
                pass
        except OSError:
            pass  # gone, or silent for too long
        finally:
            channel.close()
            with self._counting:
                del self._callers[threading.current_thread()]

    def _answer(self, channel: Channel) -> bool:
        """Answer the next request of a caller; say whether there may be another."""
        try:
            request = channel.receive()
            if request is None:
                return False
            channel.send({"result": self._do(request, channel)})
        except TooLong as fault:
            channel.send(_fault(fault))
            return False  # where the next line begins is anybody's guess
        except Fault as fault:
            channel.send(_fault(fault))
        return True

    def _do(self, request: dict[str, Any], channel: Channel) -> Any:
        verb, given = request.get("verb"), request.get("arguments", {})
        takes = VERBS.get(verb) if isinstance(verb, str) else None
        if takes is None or not isinstance(given, dict):
            raise BadQuestion(f"There is no verb {verb!r} here", remedy=f"Use one of {', '.join(VERBS)}.")
        for name, value in given.items():
            if name not in takes or not takes[name](value):
                raise BadQuestion(f"The verb {verb} takes no {name} such as {value!r:.60}", remedy="See the manual.")
        caller = _Caller(channel)
        if verb == "load":
            if not given.get("files"):
                raise BadQuestion("No file is named", remedy="Name what to load.")
            report = self._load(
                given["files"], given.get("source"), given.get("confidence"), given.get("partial", False),
                given.get("history", False), given.get("mapping"), given.get("message", ""), given.get("who"),
                caller.progress, caller.waiting,
            )  # fmt: skip
            return dataclasses.asdict(report)
        if verb in ("plan", "unplan"):
            take = self._plan if verb == "plan" else self._unplan
            named = given.get("file" if verb == "plan" else "slug")
            if not named:
                raise BadQuestion("No plan is named", remedy="Name it.")
            report = take(named, given.get("message", ""), given.get("who"), caller.progress, caller.waiting)
            return dataclasses.asdict(report)
        if verb == "rebuild":
            self._rebuild(caller.progress, given.get("who"), caller.waiting)
            return {"revision": self._revision}
        if verb == "redact":
            revision = self._redact(
                given.get("numbers", []), given.get("why", ""), given.get("who"), caller.progress, caller.waiting
            )
            return {"revision": revision}
        if verb == "checkpoint":
            taken = self.checkpoint(given.get("at_least"), min(given.get("patience", FRESH), _IDLE))
            return {"revision": taken.revision, "taken_at": write_instant(taken.taken_at)}
        if verb == "stop":
            if self._stop is None:
                raise BadQuestion("This process stops by itself when it is done", remedy="Wait for it.")
            self._stop()
        return self.status()


def _is_written(value: Any) -> bool:
    """Tell whether this is text that can be kept: no half of a character, no end of a string within it."""
    return isinstance(value, str) and not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)


def _is_text(value: Any) -> bool:
    return value is None or _is_written(value)


def _is_path(value: Any) -> bool:
    """Tell whether this can name a file; a name that is no UTF-8 has halves of characters in the place of its bytes."""
    return isinstance(value, str) and not any(
        sign == "\0" or "\ud800" <= sign < "\udc80" or "\udcff" < sign <= "\udfff" for sign in value
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return value is None or (isinstance(value, int) and _is_number(value))


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and all(_is_path(one) for one in value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, int) and _is_number(one) for one in value)


VERBS: Final[dict[str, dict[str, Callable[[Any], bool]]]] = {
    "load": {
        "files": _are_paths, "source": _is_text, "confidence": _is_text, "partial": _is_flag, "history": _is_flag,
        "mapping": lambda value: value is None or _is_path(value), "message": _is_written, "who": _is_text,
    },
    "plan": {"file": _is_path, "message": _is_written, "who": _is_text},
    "unplan": {"slug": _is_written, "message": _is_written, "who": _is_text},
    "rebuild": {"who": _is_text},
    "redact": {"numbers": _are_numbers, "why": _is_written, "who": _is_text},
    "status": {},
    "checkpoint": {"at_least": _is_whole, "patience": _is_number},
    "stop": {},
}  # fmt: skip
"""The verbs of the socket, and what each takes."""


class _Gone(OSError):
    """The caller went away before its turn came, so that nothing was begun."""


class _Caller:
    """Tell a caller how far things are, and know when it has gone."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._silent = False
        self._told = (("", 0), 0.0)

    def waiting(self, ahead: int) -> None:
        if self._channel.closed:
            raise _Gone
        self._tell(("waiting", ahead), {"waiting": ahead})

    def progress(self, step: str, done: int, total: int | None) -> None:
        self._tell((step, 0), {"progress": [step, done, total]})

    def _tell(self, what: tuple[str, int], message: dict[str, Any]) -> None:
        now = time.monotonic()
        if self._silent or (what == self._told[0] and now - self._told[1] < _PROGRESS_EVERY):
            return
        self._told = (what, now)
        try:
            self._channel.send(message)
        except OSError:
            self._silent = True  # what has begun is finished, whoever hears of it


def _fault(fault: Fault) -> dict[str, Any]:
    return {"fault": write_fault(fault)}


# --- whichever it is ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def writing(
    data: Path | str,
    *,
    store: str = "",
    rebuild: bool = False,
    progress: Progress | None = None,
    patience: float = PATIENCE,
) -> Iterator[Owner | Client]:
    """Open the register to change it and be its owner meanwhile, or turn to the one who is.

    ``store`` is the setting that says where the graph is kept. ``rebuild`` makes everything anew from the journal
    first. Who holds the directory and does not answer is waited for ``patience`` seconds; then ``Held`` is raised.
    """
    data = Path(data).absolute()
    found = _hold_or_call(data, rebuild, progress, patience, store=store)
    if isinstance(found, Client):
        if rebuild:
            _need_same_home(data, store)
            found.rebuild(progress)
        yield found
    else:
        with owning(found) as owner:
            yield owner
            owner.finish(progress)


def _need_same_home(data: Path, store: str) -> None:
    """Raise ``Held`` where a rebuild would have to move the graph away from whoever holds it."""
    try:
        home_of(data, read_passport(data), store)
    except DataDirectory as fault:
        raise Held(
            fault.message, remedy="Stop the process that holds the data directory first: a graph is moved only then.",
            place=fault.place,
        ) from fault  # fmt: skip


@contextlib.contextmanager
def owning(
    register: Register, *, room: Room | None = None, stop: Callable[[], None] | None = None, drain: bool = True
) -> Iterator[Owner]:
    """Own an open register, and close it in the end. ``stop`` is called when another process asks to.

    In the end what runs is finished, and with ``drain`` what waits too.
    """
    try:
        owner = Owner(register, room=room, stop=stop, drain=drain)
        owner.start()
    except BaseException:
        register.close()
        raise
    with owner:
        yield owner


@contextlib.contextmanager
def reading(
    data: Path | str, *, store: str = "", progress: Progress | None = None, patience: float = PATIENCE
) -> Iterator[RegisterReader]:
    """Read the register, or, while another process holds it, a checkpoint with every change accepted until now.

    Where accepted changes cannot be followed, as on a full disk, it is read as before them; ``behind`` then says so.
    Raises ``Held`` like ``writing``, and ``Busy`` where the owner cannot take a checkpoint.
    """
    data = Path(data).absolute()
    until = time.monotonic() + patience
    while True:
        found = _hold_or_call(data, False, progress, until - time.monotonic(), behind=True, store=store)
        if isinstance(found, Register):
            with found as register:
                yield register.reader
            return
        try:
            found.checkpoint()
            view = open_view(data, store=store)
        except (Held, StoreFault):
            if time.monotonic() > until:
                raise  # while it may only be stopping, or starting, look again
            time.sleep(LOOK)
            continue
        with view:
            yield view
        return


def hold(data: Path | str, *, store: str = "", patience: float = PATIENCE) -> Register:
    """Open the register as the one owner to be; raise ``Held`` where there is one, or somebody holds it for long."""
    data = Path(data).absolute()
    until = time.monotonic() + patience
    while True:
        try:
            return Register.open(data, store=store)
        except Held as fault:
            connection = call(data, PATIENCE)
            if connection is not None:
                connection.close()
            if connection is not None or time.monotonic() > until:
                raise Held(fault.message, remedy="Stop it first.", place=fault.place) from fault
            time.sleep(LOOK / 5)


def _hold_or_call(
    data: Path, rebuild: bool, progress: Progress | None, patience: float, *, behind: bool = False, store: str = ""
) -> Register | Client:
    until = time.monotonic() + patience
    while True:
        try:
            return Register.open(data, store=store, rebuild=rebuild, behind=behind, progress=progress)
        except Held:
            connection = call(data, PATIENCE)
            if connection is not None:
                connection.close()
                return Client(data)
            if time.monotonic() > until:
                raise
            time.sleep(LOOK / 5)
