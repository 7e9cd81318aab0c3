"""Load a generated register, bare or through the register, in a process of its own, and print what it took as JSON.

``python -m tests.benchmarks.bench_load '{"way": "bare", "file": "…", "into": "…"}'``
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from graph.register import Register

from .measuring import apart, folder_sizes
from .register import SOURCE


def bare(file: Path, into: Path) -> dict[str, Any]:
    """Load the file with nothing but the store's own bulk loader: what everything else is compared with."""
    store = ox.Store(str(into))
    phases = Phases()
    phases("graph")
    store.bulk_load(path=str(file), format=ox.RdfFormat.N_QUADS)
    store.flush()
    return {"phases": phases.taken(), "quads": len(store), "bytes": _total(into)}


def register(file: Path, into: Path, history: bool = False) -> dict[str, Any]:
    """Load the file through the door: checked, journalled, with search index and standings."""
    made = Register.create(into, pack=None)
    phases = Phases()
    made.load([file], source=SOURCE, confidence="V3", history=history, progress=phases)
    taken = phases.taken()
    made.close()
    return {"phases": taken, "bytes": folder_sizes(into)}


class Phases:
    """Be told of progress and remember how long each phase took, by the clock and of the processor.

    All threads count, and processes that were started count in the phase in which they end.
    """

    def __init__(self) -> None:
        self._begun: list[tuple[str, float, float]] = []

    def __call__(self, phase: str, *counts: int | None) -> None:
        if not self._begun or self._begun[-1][0] != phase:
            self._begun.append((phase, time.perf_counter(), _worked()))

    def taken(self) -> dict[str, dict[str, float]]:
        """Return ``seconds`` and ``cpu`` by phase; the last one runs until now."""
        self._begun.append(("end", time.perf_counter(), _worked()))
        found: dict[str, dict[str, float]] = {}
        for (phase, clock, cpu), (_, next_clock, next_cpu) in pairwise(self._begun):
            known = found.setdefault(phase, {"seconds": 0.0, "cpu": 0.0})
            known["seconds"] = round(known["seconds"] + next_clock - clock, 2)
            known["cpu"] = round(known["cpu"] + next_cpu - cpu, 2)
        return found


def _worked() -> float:
    return sum(os.times()[:4])


def _total(folder: Path) -> int:
    return sum(folder_sizes(folder).values())


def measure(file: Path, folder: Path, history: bool = False) -> dict[str, Any]:
    """Load both ways, each in a process of its own, into ``folder``'s ``bare`` and ``register``."""
    found: dict[str, Any] = {}
    for way in ("bare", "register"):
        shutil.rmtree(folder / way, ignore_errors=True)
        arguments = {"way": way, "file": str(file), "into": str(folder / way), "history": history}
        found[way] = apart("tests.benchmarks.bench_load", arguments)
    return found


def main(text: str) -> None:
    arguments = json.loads(text)
    file, into = Path(arguments["file"]), Path(arguments["into"])
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "bare": lambda: bare(file, into),
        "register": lambda: register(file, into, bool(arguments.get("history"))),
    }
    print(json.dumps(ways[arguments["way"]]()))


if __name__ == "__main__":
    main(sys.argv[1])
