"""Keep a number of reading processes at work beside the process that owns the register."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Event

from graph.errors import StoreFault
from service.settings import VARIABLES, Settings

#: seconds that a worker may take until it answers; and to finish what it answers before it is killed
STARTING, STOPPING = 60.0, 12.0
#: seconds between two looks at the workers, and starts that may fail in a row before all is given up
_LOOK, _FAILURES = 0.1, 5


class Worker:
    """Run one reading process; spawned, because a forked one that opens a store hangs."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._line, theirs = socket.socketpair()
        self.ready = False
        home = str(Path(__file__).resolve().parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        given = {**asdict(settings), "data": str(settings.data.absolute())}
        store = given.pop("store")  # its address may hold a secret, which no list of processes shows
        with theirs:
            # -P: a folder named like one of ours in the folder where the command was given is none of ours
            self.process = subprocess.Popen(
                [
                    sys.executable, "-P", "-m", "service.worker",
                    str(os.getpid()), str(listener.fileno()), str(theirs.fileno()), json.dumps(given),
                ],
                stdin=subprocess.DEVNULL, pass_fds=[listener.fileno(), theirs.fileno()], process_group=0,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), VARIABLES["store"]: store},
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def listen(self, patience: float) -> bool:
        """Wait a moment for the worker to say that it answers; tell whether it has just said so."""
        if self.ready or not select.select([self._line], [], [], patience)[0]:
            return False
        self.ready = self._line.recv(1) == b"!"
        return self.ready

    def end(self) -> None:
        self._line.close()
        self.process.wait()


class Workers:
    """Start, watch, replace and stop the workers. To be used by one thread: the kernel ends them with it."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._workers: list[Worker] = []
        self._failures = 0

    @property
    def processes(self) -> list[int]:
        """Return the numbers of the processes that run."""
        return [worker.process.pid for worker in self._workers if worker.alive]

    def start(self, stop: Event) -> None:
        """Start them all, and return when one of them answers or all is to stop; raise ``StoreFault`` if none does."""
        self._workers = [self._spawn() for _ in range(self._settings.workers)]
        until = time.monotonic() + STARTING
        while not stop.is_set() and not any(worker.ready for worker in self._workers):
            if time.monotonic() > until:
                raise StoreFault("No worker answers", remedy="Look at what it wrote on standard error.")
            self._look(lambda _: None)

    def watch(self, stop: Event, told: Callable[[int], None]) -> None:
        """Replace those that die until told to stop; ``told`` hears the number of each."""
        while not stop.wait(_LOOK):
            self._look(told)

    def _look(self, told: Callable[[int], None]) -> None:
        for place, worker in enumerate(self._workers):
            if worker.listen(0.01):
                self._failures = 0
            if worker.alive:
                continue
            self._failures += not worker.ready
            if self._failures >= _FAILURES:
                raise StoreFault(
                    f"Workers cannot be started: {_FAILURES} in a row have ended",
                    remedy="Look at what they wrote on standard error.",
                )
            told(worker.process.pid)
            worker.end()
            self._workers[place] = self._spawn()

    def stop(self) -> None:
        """Take no more requests, let them finish what they answer, and end them."""
        self._listener.close()
        for worker in self._workers:
            worker.process.terminate()
        until = time.monotonic() + STOPPING
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
            worker.end()

    def _spawn(self) -> Worker:
        return Worker(self._settings, self._listener)
