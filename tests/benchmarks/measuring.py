"""Measure: percentiles of calls taken in turn, the peak memory of a process, the size of folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold what ``count`` calls took, in milliseconds; ``cpu`` is the median processor time, which a busy machine
    raises less than the clock.
    """

    count: int
    p50: float
    p95: float
    worst: float
    cpu: float = 0.0

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def spread(seconds: Sequence[float], cpu: Sequence[float] = (0.0,)) -> Spread:
    """Return the spread of durations, and of processor times, given in seconds."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return Spread(
        len(ordered),
        *(round(ordered[min(last, int(len(ordered) * part))] * 1000, 3) for part in (0.5, 0.95, 1.0)),
        cpu=round(sorted(cpu)[len(cpu) // 2] * 1000, 3),
    )


def in_turn(calls: Mapping[str, Callable[[str], object]], keys: Sequence[str]) -> dict[str, Spread]:
    """Time each call on each key, one after the other, so that whatever else the machine does weighs on all alike.

    The order turns with every key: nobody always comes first and finds the caches cold.
    """
    names = list(calls)
    taken: dict[str, list[float]] = {name: [] for name in names}
    worked: dict[str, list[float]] = {name: [] for name in names}
    for turn, key in enumerate(keys):
        for step in range(len(names)):
            name = names[(turn + step) % len(names)]
            working, begun = time.thread_time(), time.perf_counter()
            calls[name](key)
            taken[name].append(time.perf_counter() - begun)
            worked[name].append(time.thread_time() - working)
    return {name: spread(taken[name], worked[name]) for name in names}


def folder_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes under each entry of a folder."""
    return {entry.name: _size(entry) for entry in sorted(folder.iterdir())}


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def memory() -> dict[str, int]:
    """Return this process's resident and proportional memory in bytes (proportional: shared pages counted in part)."""
    found = {"rss": 0, "pss": 0}
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name.lower() in found:
            found[name.lower()] = int(rest.split()[0]) * 1024
    return found


def apart(module: str, arguments: Mapping[str, object], patience: float | None = None) -> dict[str, Any]:
    """Run ``module`` in a process of its own, for its peak memory's sake; return the JSON object it prints last.

    Adds ``peak_rss`` and ``peak_pss`` in bytes: the largest of looks taken every tenth of a second, at the process and
    those that it started. Raises
    ``TimeoutError`` when it takes longer than ``patience`` seconds.
    """
    command = [sys.executable, "-m", module, json.dumps(arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peaks = {"rss": 0, "pss": 0}
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done), daemon=True)
    watcher.start()
    try:
        printed, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise TimeoutError(f"{module} took longer than {patience} s") from None
    finally:
        done.set()
        watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"{module} ended with code {process.returncode}")
    return {**json.loads(printed.splitlines()[-1]), "peak_rss": peaks["rss"], "peak_pss": peaks["pss"]}


def _watch(process: int, peaks: dict[str, int], done: threading.Event) -> None:
    while not done.wait(0.1):
        now = Counter[str]()
        for one in family_of(process):
            try:
                text = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")
            except OSError:
                continue  # it has ended
            for line in text.splitlines():
                name, _, rest = line.partition(":")
                if name.lower() in peaks:
                    now[name.lower()] += int(rest.split()[0]) * 1024
        for name in peaks:
            peaks[name] = max(peaks[name], now[name])


def family_of(process: int) -> set[int]:
    """Return a process with those that it started, and they."""
    family = {process}
    for task in Path("/proc").glob(f"{process}/task/*/children"):
        with suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                family |= family_of(int(child))
    return family


def idle() -> float:
    """Return how many processes want the processor besides us (load average of the last minute)."""
    return os.getloadavg()[0]
