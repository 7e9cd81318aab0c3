"""Speak over the socket of a data directory: one JSON object per line, in both directions.

Who holds the directory listens on ``owner.sock`` in it, for its own user only. It greets, then answers each request
with any number of ``{"progress": …}`` and ``{"waiting": …}`` lines and one ``{"result": …}`` or ``{"fault": …}``.
``service/docs/processes.md`` has the words.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from graph.errors import BadQuestion, DataDirectory, Fault, Place

PROTOCOL: Final = 1
"""The version of the words that are spoken."""

SOCKET: Final = "owner.sock"
LONGEST: Final = 1 << 20
"""Most bytes in one line."""

_MOST_IN_A_PATH: Final = 100
"""Longest path that every system takes for a socket; Linux has room for 107."""


class Channel:
    """Send and receive lines over a connected socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; raises ``OSError`` where nobody is there any more."""
        # escaped beyond ASCII, so that a file name that is no UTF-8 arrives as it is
        self._connection.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, ``None`` at the end; part of a line at the end is no message.

        Raises ``BadQuestion`` for a line that is none, ``TimeoutError`` and ``OSError`` as the socket does.
        """
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LONGEST:
                self._received.clear()
                raise TooLong
            piece = self._connection.recv(1 << 16)
            if not piece:
                return None
            self._received += piece
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as fault:
            raise BadQuestion(f"The line is no JSON: {fault}", remedy="Send one JSON object per line.") from fault
        if not isinstance(message, dict):
            raise BadQuestion("The line is no JSON object", remedy="Send one JSON object per line.")
        return message

    @property
    def closed(self) -> bool:
        """Tell whether the other side has gone, without reading what it sent."""
        if not select.select([self._connection], [], [], 0)[0]:
            return False
        try:
            return self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        self._connection.close()


class TooLong(BadQuestion):
    """A line is longer than any message."""

    def __init__(self) -> None:
        super().__init__(f"The line is longer than {LONGEST} bytes", remedy="Name files instead of sending them.")


def listen(data: Path) -> socket.socket:
    """Return a socket that listens in a data directory, for its own user only; whoever calls this holds the directory.

    What a dead process left is taken away. Raises ``DataDirectory`` where the place takes no socket.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(data) as address:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(data / SOCKET)
            os.fchmod(listener.fileno(), 0o600)  # Linux makes the file with these rights, so it is never open to others
            listener.bind(address)
            os.chmod(address, 0o600)
        listener.listen(128)
    except OSError as fault:
        listener.close()
        raise DataDirectory(
            f"No socket can be made in the data directory: {fault.strerror or fault}",
            remedy="Keep the data on a disk of this machine.", place=Place(str(data / SOCKET)),
        ) from fault  # fmt: skip
    return listener


def call(data: Path, patience: float) -> socket.socket | None:
    """Return a socket connected to who listens in a data directory, ``None`` where nobody does.

    ``patience`` are the seconds that any one move on it may take.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(patience)
    try:
        with _address(data) as address:
            connection.connect(address)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError, TimeoutError, BlockingIOError):
        connection.close()
        return None
    except OSError as fault:
        connection.close()
        raise DataDirectory(
            f"The process that holds the data directory cannot be called: {fault.strerror or fault}",
            remedy="Run this as the user who runs that process.", place=Place(str(data / SOCKET)),
        ) from fault  # fmt: skip
    return connection


@contextlib.contextmanager
def _address(data: Path) -> Iterator[str]:
    """Yield a short name of the socket: Linux takes no more than 107 bytes, so a long path goes by its open folder."""
    path = str(data.absolute() / SOCKET)
    if len(os.fsencode(path)) <= _MOST_IN_A_PATH:
        yield path
        return
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


# --- faults ---------------------------------------------------------------------------------------------------------


def write_fault(fault: Fault) -> dict[str, Any]:
    """Return a fault as plain JSON."""
    place = fault.place and {"file": fault.place.file, "line": fault.place.line, "column": fault.place.column}
    return {"class": type(fault).__name__, "message": fault.message, "remedy": fault.remedy, "place": place}


def read_fault(written: dict[str, Any]) -> Fault:
    """Return the fault that was written, of its own class, or of ``Fault`` where this version has no such class."""
    place = Place(**written["place"]) if written.get("place") else None
    kind = _classes().get(written["class"], Fault)
    fault = kind.__new__(kind)
    Fault.__init__(fault, written["message"], remedy=written["remedy"], place=place)
    return fault


def _classes() -> dict[str, type[Fault]]:
    known: dict[str, type[Fault]] = {"Fault": Fault}
    waiting = [Fault]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            known[kind.__name__] = kind
            waiting.append(kind)
    return known
