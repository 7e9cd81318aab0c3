"""Answer requests in a process of its own, from checkpoints, for as long as the process that owns the register lives.

Run by ``service.workers`` as ``python -m service.worker PARENT LISTENER LINE SETTINGS``: the number of the parent
process, the descriptors of the listening socket and of a line to the parent, and the settings as JSON, but for the one
that may hold a secret, which the environment has. A byte on the
line says that requests are answered; its end says that the parent has gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from graph.client import Client
from graph.view import MovingReader
from service.app import create_app
from service.settings import VARIABLES, Settings

#: seconds that requests may take to be finished when the process is to stop
GRACE = 10
#: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
_PR_SET_PDEATHSIG = 1


class Checkpoints:
    """Answer each request from one checkpoint, and ask the owner for a newer one where a client needs it."""

    def __init__(self, reader: MovingReader, owner: Client) -> None:
        self.reader = reader
        self.owner = owner
        self.pinned = reader.pinned

    @property
    def moving(self) -> bool:
        return self.reader.moving

    def state(self) -> str | None:
        return self.reader.state()

    def catch_up(self, revision: int) -> None:
        self.reader.move()
        if self.reader.revision < revision:
            self.owner.checkpoint(revision)
            self.reader.move()


class _Server(uvicorn.Server):
    """Say when requests are answered, and end without a word when told to stop."""

    def __init__(self, config: uvicorn.Config, line: socket.socket) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._line.send(b"!")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it tells its workers
        yield


def main() -> None:
    parent, listening, line_number = (int(argument) for argument in sys.argv[1:4])
    die_with(parent)
    given = json.loads(sys.argv[4])
    settings = Settings(**{**given, "data": Path(given["data"]), "store": os.environ.get(VARIABLES["store"], "")})
    listener, line = socket.socket(fileno=listening), socket.socket(fileno=line_number)
    reader = MovingReader(settings.data, store=settings.store)
    owner = Client(settings.data)
    app = create_app(settings, reader, owner, Checkpoints(reader, owner))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE
    )
    server = _Server(config, line)
    threading.Thread(target=reader.follow, args=(tell,), daemon=True).start()
    threading.Thread(target=_end_with, args=(line, server), daemon=True).start()
    server.run(sockets=[listener])
    reader.close()


def die_with(parent: int) -> None:
    """Have the kernel end this process with its parent, where the kernel is Linux; the line does so elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)  # it went before we asked


def _end_with(line: socket.socket, server: uvicorn.Server) -> None:
    """Finish when the parent has gone, and at once when that takes too long."""
    while line.recv(1):
        pass
    server.should_exit = True
    threading.Event().wait(GRACE + 1)
    os._exit(1)


def tell(text: str) -> None:
    print(f"diaba: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
