"""Ask the process that owns a data directory, over the socket in it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from graph.errors import DataDirectory, Held, Notice, Place, StoreFault, Unanswered
from graph.files import Progress
from graph.messages import PROTOCOL, Channel, call, read_fault
from graph.sources import LoadReport, SourceReport

PATIENCE: Final = 10.0
"""Seconds to wait for who holds the directory without answering: a question in a terminal, or an owner that starts."""

FRESH: Final = 2.0
"""Seconds within which a change can be read everywhere."""


class Client:
    """Ask the owner of a data directory; every move is a call of its own. Raises the faults of the owner.

    Where nobody listens, every move raises ``Held``.
    """

    def __init__(self, data: Path | str) -> None:
        self.data = Path(data).absolute()

    @property
    def revision(self) -> int:
        """Return the number of the last accepted change."""
        return int(self.status()["revision"])

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
        """Load files as ``Register.load`` does; the owner reads them, and they are named as seen from here.

        Raises ``Unanswered`` where the owner goes away on the way.
        """
        targets = [files] if isinstance(files, str | Path) else list(files)
        arguments = {
            "files": [_seen_from_afar(target) for target in targets], "source": source, "confidence": confidence,
            "partial": partial, "history": history, "mapping": mapping and _seen_from_afar(mapping),
            "message": message, "who": who or user_name(),
        }  # fmt: skip
        return _read_report(self._ask("load", arguments, progress))

    def plan(
        self, file: str | Path, message: str = "", who: str | None = None, progress: Progress | None = None
    ) -> LoadReport:
        """Record the plan in a file as ``graph.planning.apply`` does; the owner reads the file."""
        arguments = {"file": _seen_from_afar(file), "message": message, "who": who or user_name()}
        return _read_report(self._ask("plan", arguments, progress))

    def unplan(
        self, slug: str, message: str = "", who: str | None = None, progress: Progress | None = None
    ) -> LoadReport:
        """Withdraw a plan as ``graph.planning.undo`` does."""
        arguments = {"slug": slug, "message": message, "who": who or user_name()}
        return _read_report(self._ask("unplan", arguments, progress))

    def rebuild(self, progress: Progress | None = None) -> None:
        """Make everything anew from the journal as ``Register.rebuild`` does."""
        self._ask("rebuild", {"who": user_name()}, progress)

    def redact(self, numbers: Iterable[int], why: str, who: str | None = None, progress: Progress | None = None) -> int:
        """Destroy what changes carried, as ``graph.archive.redact`` does; return the revision."""
        arguments = {"numbers": list(numbers), "why": why, "who": who or user_name()}
        return int(self._ask("redact", arguments, progress)["revision"])

    def status(self) -> dict[str, Any]:
        """Tell as plain JSON how things stand; see ``Owner.status``."""
        found: dict[str, Any] = self._ask("status", {})
        return found

    def checkpoint(self, at_least: int | None = None, patience: float = FRESH) -> int:
        """Wait for a checkpoint that holds change ``at_least`` (``None``: the last one); return its revision.

        Raises ``Busy`` when there is none within ``patience`` seconds.
        """
        found = self._ask("checkpoint", {"at_least": at_least, "patience": patience}, patience=patience + FRESH)
        return int(found["revision"])

    def stop(self) -> None:
        """Ask the owner to stop when it has finished what runs."""
        self._ask("stop", {})

    def _ask(
        self, verb: str, arguments: dict[str, Any], progress: Progress | None = None, patience: float | None = None
    ) -> Any:
        changes = verb in ("load", "plan", "unplan", "rebuild", "redact")
        connection = call(self.data, patience or PATIENCE)
        if connection is None:
            raise Held(
                "The process that holds the data directory does not answer",
                remedy="Try again in a moment, or stop it.", place=Place(str(self.data)),
            )  # fmt: skip
        channel, revision, sent = Channel(connection), 0, False
        try:
            revision = self._greeted(channel)
            if changes:
                connection.settimeout(None)  # a large load takes as long as it takes
            sent = True
            channel.send({"verb": verb, "arguments": arguments})
            while (message := channel.receive()) is not None:
                if "result" in message:
                    return message["result"]
                if "fault" in message:
                    raise read_fault(message["fault"])
                if progress is not None and "progress" in message:
                    progress(*message["progress"])
        except OSError as fault:
            raise self._lost(verb, sent and changes, revision) from fault
        finally:
            channel.close()
        raise self._lost(verb, sent and changes, revision)

    def _greeted(self, channel: Channel) -> int:
        """Return the revision that the owner greets with."""
        greeting = channel.receive()
        if greeting is None:
            raise ConnectionResetError
        if "fault" in greeting:
            raise read_fault(greeting["fault"])
        if greeting.get("diaba") != PROTOCOL:
            raise DataDirectory(
                "The process that holds the data directory is of another version of diaba",
                remedy="Stop it, and start it again.", place=Place(str(self.data)),
            )  # fmt: skip
        return int(greeting["revision"])

    def _lost(self, verb: str, changing: bool, revision: int) -> StoreFault:
        if verb == "load" and changing:
            return Unanswered(
                "The process that holds the data directory went away before it answered: whether the change was"
                f" recorded is not known; if it was, the journal has a change of yours after number {revision}",
                remedy="Load the same again: what is recorded already changes nothing.", place=Place(str(self.data)),
            )  # fmt: skip
        if verb == "redact" and changing:
            return Unanswered(
                "The process that holds the data directory went away before it answered: whether the changes are"
                " redacted is not known",
                remedy="See diaba journal log, and redact what is not.", place=Place(str(self.data)),
            )  # fmt: skip
        return Unanswered(
            "The process that holds the data directory went away before it answered",
            remedy="Try again: asking twice changes nothing.", place=Place(str(self.data)),
        )  # fmt: skip


def _seen_from_afar(target: str | Path) -> str:
    """Return a path so that a process with another working folder finds it too; addresses stay as they are."""
    if isinstance(target, str) and (":" in target.partition("/")[0]):
        return target
    return str(Path(target).absolute())


def _read_report(written: dict[str, Any]) -> LoadReport:
    sources = []
    for one in written["sources"]:
        notices = tuple(
            Notice(notice["message"], notice["place"] and Place(**notice["place"]), notice["data"])
            for notice in one["notices"]
        )
        sources.append(SourceReport(**{**one, "notices": notices}))
    return LoadReport(tuple(sources), written["revision"])


def user_name() -> str:
    """Return the name of who runs this process, or the number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
