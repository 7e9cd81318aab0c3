"""Load a generated register, bare or through the register, in a process of its own, and print what it took as JSON.

``python -m tests.benchmarks.bench_load '{"way": "bare", "file": "…", "into": "…"}'``
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from graph.register import Register
from graph.terms import Confidence

from .measuring import apart, folder_sizes
from .register import SOURCE


def bare(file: Path, into: Path) -> dict[str, Any]:
    """Load the file with nothing but the store's own bulk loader: what everything else is compared with."""
    store = ox.Store(str(into))
    begun = time.perf_counter()
    store.bulk_load(path=str(file), format=ox.RdfFormat.N_QUADS)
    store.flush()
    return {"seconds": time.perf_counter() - begun, "quads": len(store), "bytes": _total(into)}


def register(file: Path, into: Path, history: bool = False) -> dict[str, Any]:
    """Load the file through the door: checked, journalled, with search index and standings."""
    made = Register.create(into, pack=None)
    phases = Phases()
    begun = time.perf_counter()
    report = made.load([file], source=SOURCE, confidence=Confidence.V3, history=history, progress=phases)
    seconds = time.perf_counter() - begun
    made.close()
    return {
        "seconds": seconds, "phases": phases.seconds(), "added": report.added, "bytes": folder_sizes(into),
    }  # fmt: skip


class Phases:
    """Be told of progress and remember how long each phase took."""

    def __init__(self) -> None:
        self._phases: list[tuple[str, float]] = []

    def __call__(self, phase: str, *counts: int | None) -> None:
        if not self._phases or self._phases[-1][0] != phase:
            self._phases.append((phase, time.perf_counter()))

    def seconds(self) -> dict[str, float]:
        """Return seconds by phase; the last one runs until now."""
        ends = [*(begun for _, begun in self._phases[1:]), time.perf_counter()]
        found: dict[str, float] = {}
        for (phase, begun), end in zip(self._phases, ends, strict=True):
            found[phase] = round(found.get(phase, 0.0) + end - begun, 2)
        return found


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
