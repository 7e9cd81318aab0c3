"""Let who wants to change the register in one after another, first come first served."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from graph.errors import Busy
from graph.journal import write_instant

LOOK: Final = 0.25
"""Seconds after which whoever waits looks again."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Hold one place in the queue: what is to be done, for whom, and since when it waits or runs."""

    what: str
    who: str
    since: str

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "who": self.who, "since": self.since}


class Turns:
    """Let threads in one after another, in the order in which they came."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._queue: list[Turn] = []
        self._closing = self._refusing = False

    @property
    def queue(self) -> list[Turn]:
        """Return who runs and, behind it, who waits."""
        with self._moved:
            return list(self._queue)

    @contextlib.contextmanager
    def taken(
        self, what: str, who: str, *, next_one: bool = False, waiting: Callable[[int], None] = lambda _: None
    ) -> Iterator[None]:
        """Wait for a turn and hold it. ``waiting`` is told how many are ahead, now and then, and may raise to leave.

        ``next_one`` goes before all who wait. Raises ``Busy`` when the queue closes first.
        """
        turn = Turn(what, who, write_instant(datetime.now(UTC)))
        with self._moved:
            if self._closing:
                raise _closing()
            self._queue.insert(1 if next_one and self._queue else len(self._queue), turn)
        try:
            while ahead := self._wait(turn):
                waiting(ahead)
            yield
        finally:
            with self._moved:
                self._queue.remove(turn)
                self._moved.notify_all()

    def _wait(self, turn: Turn) -> int:
        """Wait a moment; return how many are still ahead."""
        with self._moved:
            if self._queue[0] is not turn:
                if self._refusing:
                    raise _closing()
                self._moved.wait(LOOK)
            return next(place for place, one in enumerate(self._queue) if one is turn)

    def close(self, *, drain: bool) -> None:
        """Take no more, and return when the queue is empty; without ``drain`` only the one who runs may finish."""
        with self._moved:
            self._closing, self._refusing = True, not drain
            self._moved.notify_all()
            while self._queue:
                self._moved.wait()


def _closing() -> Busy:
    return Busy("The process that holds the data directory is stopping, and this was not begun", remedy="Try again.")
