"""Work all standings out in two processes: nothing else takes a large register longer, and it is half of it for each.

The second process reads a copy of the store, made of hard links for the time. Resources go to whichever of the two is
free; what the second one fails at is left to the first.

Run as ``python -m graph.deriving COPY``: it answers lists of resources with the statements of their standings.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Final

import pyoxigraph as ox

from graph.evidence import Gathering
from graph.standing import Progress, described, quads_of, standings_of
from graph.store import OxigraphStore, Store
from graph.terms import Graphs

WORTH: Final = 5_000
"""Resources from which on a second process is worth its start."""

SHARE: Final = 200
"""Resources that are worked out at a time."""

_COPIES: Final = "deriving-"

_SIZE: Final = struct.Struct(">Q")


def refresh(store: Store, folder: Path, progress: Progress | None = None) -> None:
    """Make all standings anew; ``folder`` is for the copy, on the disk of the store."""
    store.clear(Graphs.standings)
    resources = described(store)
    if len(resources) < WORTH or not isinstance(store, OxigraphStore):
        store.load(_quads(Gathering(store), _told(resources, progress)), store.revision)
        return
    with tempfile.TemporaryDirectory(prefix=_COPIES, dir=folder) as place:
        copy = Path(place) / "graph"
        store.raw.backup(str(copy))
        with contextlib.closing(_Second(copy)) as second:
            store.load_lines(_shared(store, resources, second, progress), store.revision)


def sweep(folder: Path) -> None:
    """Remove copies that a killed process left."""
    for left in folder.glob(f"{_COPIES}*"):
        shutil.rmtree(left, ignore_errors=True)


def _quads(gathering: Gathering, resources: Iterable[str]) -> Iterator[ox.Quad]:
    for resource in resources:
        for standing in standings_of(gathering.gather(resource)):
            yield from quads_of(standing)


def _lines(gathering: Gathering, resources: Iterable[str]) -> bytes:
    return "".join(f"{quad} .\n" for quad in _quads(gathering, resources)).encode()


def _told(resources: Sequence[str], progress: Progress | None) -> Iterator[str]:
    for done, resource in enumerate(resources):
        if progress is not None and done % 500 == 0:
            progress(done, len(resources))
        yield resource


def _shared(
    store: OxigraphStore, resources: Sequence[str], second: _Second, progress: Progress | None
) -> Iterator[bytes]:
    """Yield the statements of all standings, worked out here and in the second process."""
    shares = deque(resources[place : place + SHARE] for place in range(0, len(resources), SHARE))
    second.begin(shares)
    gathering = Gathering(store)
    everything = len(shares)
    while True:
        yield from second.answers()
        if progress is not None:
            progress(min((everything - len(shares)) * SHARE, len(resources)), len(resources))
        try:
            share = shares.popleft()
        except IndexError:
            yield from second.rest()
            if not shares:  # but for one that it could not answer
                return
            continue
        yield _lines(gathering, share)


class _Second:
    """Drive the second process, by a thread that waits for it."""

    def __init__(self, copy: Path) -> None:
        home = str(Path(__file__).resolve().parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "graph.deriving", str(copy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        self._answers: Queue[bytes] = Queue(4)
        self._thread = threading.Thread(target=lambda: None)
        self._closed = False

    def begin(self, shares: deque[Sequence[str]]) -> None:
        """Have it answer the last share, and the last of those that are left, until there is none."""
        self._thread = threading.Thread(target=self._ask, args=(shares,), daemon=True)
        self._thread.start()

    def _ask(self, shares: deque[Sequence[str]]) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        while not self._closed:
            try:
                share = shares.pop()
            except IndexError:
                return
            try:
                _write(self.process.stdin, "\n".join(share).encode())
                answer = _read(self.process.stdout)
            except (OSError, ValueError):  # it has ended, or was closed meanwhile
                answer = None
            if answer is None:
                shares.append(share)
                return
            self._answers.put(answer)

    def answers(self) -> Iterator[bytes]:
        """Yield what it has answered."""
        with contextlib.suppress(Empty):
            while True:
                yield self._answers.get_nowait()

    def rest(self) -> Iterator[bytes]:
        """Yield what it answers until it has no share any more, or has failed at one, which is put back."""
        while self._thread.is_alive():
            with contextlib.suppress(Empty):
                yield self._answers.get(timeout=0.05)
        yield from self.answers()

    def close(self) -> None:
        """End the process."""
        self._closed = True
        self.process.kill()
        for _ in self.rest():
            pass  # the thread may be waiting to hand an answer over
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()


def _write(stream: IO[bytes], message: bytes) -> None:
    stream.write(_SIZE.pack(len(message)) + message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """Read one message, nothing where there is no whole one any more."""
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    message = stream.read(size)
    return message if len(message) == size else None


def main(copy: str) -> None:
    """Answer until the parent closes standard input, or ends."""
    gathering = Gathering(OxigraphStore(Path(copy), read_only=True))
    while (share := _read(sys.stdin.buffer)) is not None:
        try:
            _write(sys.stdout.buffer, _lines(gathering, share.decode().split("\n")))
        except BrokenPipeError:
            os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
