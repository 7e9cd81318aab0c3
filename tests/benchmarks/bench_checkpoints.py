"""Measure checkpoints beside a busy writer, and what a query costs in the sandbox.

    python -m tests.benchmarks.bench_checkpoints 10000 100000 [--seconds 20] [--json FILE]

One process writes fifty small changes a second and takes a checkpoint a second, as the owner of a data directory does;
two others lease, open and read the newest ten times a second. Told are the milliseconds to take and to open one, and
how far a reader is behind: the age of the newest change that it sees.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from graph.checkpoints import Checkpoints, backup_of, lease, open_reader
from graph.sandbox import Limits, Sandbox, newest_of
from graph.store import OxigraphStore

from .measuring import idle, spread
from .register import write

CACHE: Final = Path(__file__).parent / ".cache"
RATE: Final = 50
READERS: Final = 2
CLAIM: Final = ox.NamedNode("https://w3id.org/diaba/bench/graph")
_POINT: Final = "SELECT * { <https://w3id.org/diaba/bench/change/1> ?p ?o }"
_BOMB: Final = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def store_of(size: int) -> Path:
    """Return the folder of a store that holds a generated register, loading it where it is missing."""
    folder = CACHE / f"checkpoints-{size}"
    if not (folder / "loaded").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        file = folder / "register.nq"
        write(file, size, 1)
        store = OxigraphStore(folder / "store")
        store.raw.bulk_load(path=str(file), format=ox.RdfFormat.N_QUADS)
        store.flush()
        file.unlink()
        (folder / "loaded").touch()
    return folder / "store"


def change(number: int) -> list[ox.Quad]:
    """Return the dozen quads of a small change, one of which says when it was made."""
    subject = ox.NamedNode(f"https://w3id.org/diaba/bench/change/{number}")
    name = "https://w3id.org/diaba/bench/p{}".format
    quads = [ox.Quad(subject, ox.NamedNode(name(turn)), ox.Literal(number), CLAIM) for turn in range(11)]
    return [*quads, ox.Quad(subject, ox.NamedNode(name("at")), ox.Literal(time.time()), CLAIM)]


def measure(size: int, seconds: float) -> dict[str, Any]:
    """Return the figures at one size."""
    with tempfile.TemporaryDirectory(dir=CACHE) as into:
        home = Path(into)
        shutil.copytree(store_of(size), home / "graph", copy_function=shutil.copyfile)
        graph, history = OxigraphStore(home / "graph"), OxigraphStore(home / "history")
        folder = home / "checkpoints"
        checkpoints = Checkpoints(folder, graph, {"history": backup_of(history)})
        graph.apply((), change(1), 1)
        checkpoints.take()
        readers = [
            subprocess.Popen(
                [sys.executable, "-m", __spec__.name, "--read", str(folder)], stdout=subprocess.PIPE, text=True
            )
            for _ in range(READERS)
        ]
        taken, applied, kept = [], [], []
        number, begun = 1, time.perf_counter()
        while (now := time.perf_counter() - begun) < seconds:
            number += 1
            quads, then = change(number), time.perf_counter()
            graph.apply((), quads, number)
            history.apply((), quads[:2], number)
            applied.append(time.perf_counter() - then)
            if checkpoints.due == 0.0:
                then = time.perf_counter()
                checkpoints.take()
                taken.append(time.perf_counter() - then)
                kept.append(checkpoints.state.kept)
            time.sleep(max(0.0, number / RATE - (time.perf_counter() - begun)))
        found: list[dict[str, list[float]]] = []
        for reader in readers:
            reader.send_signal(signal.SIGTERM)
            printed, _ = reader.communicate()
            found.append(json.loads(printed))
        results = {
            "quads": len(graph.raw), "changes a second": round(number / now, 1),
            "commit": spread(applied).as_json(), "take": spread(taken).as_json(),
            "checkpoints at once": max(kept),
            "lease and open": spread([one for each in found for one in each["opened"]]).as_json(),
            "behind": spread([one for each in found for one in each["behind"]]).as_json(),
            "sandbox": sandbox(folder),
        }  # fmt: skip
        checkpoints.clear()
        return results


def read(folder: Path) -> None:
    """Lease, open and look at the newest checkpoint ten times a second until told to stop; print what it took."""
    going = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: going.set())
    opened, behind = [], []
    last, at = ox.NamedNode("https://w3id.org/diaba/bench/none"), ox.NamedNode("https://w3id.org/diaba/bench/pat")
    while not going.wait(0.1):
        begun = time.perf_counter()
        with lease(folder) as held:
            reader = open_reader(held.path)
            opened.append(time.perf_counter() - begun)
            last = ox.NamedNode(f"https://w3id.org/diaba/bench/change/{held.revision}")
            for quad in reader.raw.quads_for_pattern(last, at, None, None):
                behind.append(time.time() - float(quad.object.value))
            del reader
    print(json.dumps({"opened": opened, "behind": behind}))


def sandbox(folder: Path) -> dict[str, Any]:
    """Return what processes for queries cost: starting, a small query, the same in process, killing, memory idle."""
    starting, killing, extra = [], [], []
    for _ in range(5):
        begun = time.perf_counter()
        with Sandbox(newest_of(folder), 1) as one:
            one.wait_ready()
            starting.append(time.perf_counter() - begun)
    with lease(folder) as held, Sandbox(newest_of(folder), 2) as pool:
        reader = open_reader(held.path)
        pool.wait_ready()
        inside, outside = [], []
        for _ in range(500):
            begun = time.perf_counter()
            list(reader.query(_POINT))  # type: ignore[arg-type]
            middle = time.perf_counter()
            pool.run(_POINT)
            inside.append(middle - begun)
            outside.append(time.perf_counter() - middle)
        for _ in range(5):
            begun = time.perf_counter()
            pool.run(_BOMB, limits=Limits(seconds=0.5))
            killing.append(time.perf_counter() - begun - 0.5)
            begun = time.perf_counter()
            pool.wait_ready()
            extra.append(time.perf_counter() - begun)
        sizes = [_memory_of(one) for one in pool.processes()]
    return {
        "start": spread(starting).as_json(), "query in process": spread(inside).as_json(),
        "query in the sandbox": spread(outside).as_json(), "over the limit until killed": spread(killing).as_json(),
        "until replaced": spread(extra).as_json(), "memory idle": sizes,
    }  # fmt: skip


def _memory_of(process: int) -> dict[str, int]:
    found = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name.lower()] = int(rest.split()[0]) * 1024
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_checkpoints", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", type=Path, help="be one of the readers of this folder of checkpoints")
    given = parser.parse_args()
    if given.read:
        read(given.read)
        return
    CACHE.mkdir(exist_ok=True)
    results = {"load average": idle(), "cores": os.cpu_count()}
    results |= {str(size): measure(size, given.seconds) for size in given.sizes}
    text = json.dumps(results, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
