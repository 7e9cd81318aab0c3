"""Measure the service with 1, 2 and 4 workers: questions a second, their time, and the memory of all processes.

``python -m tests.benchmarks.bench_serve SIZE [--seconds 10] [--clients 16] [--data DIR]``; ``DIR`` is a register loaded
with ``SIZE`` generated datasets, made where it is missing. The clients run in a process of their own, on the same
processors as the service: what they take is told beside.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from graph.register import Register
from tests.owner.serving import children_of, start

from .measuring import spread
from .register import SOURCE, write
from .world import NS

WORKERS = (1, 2, 4)


def ask(address: str, size: int, seconds: float, clients: int) -> dict[str, Any]:
    """Ask ``who`` from some threads for some seconds; return how many answers came, and how long they took."""
    taken: list[float] = []
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        chance = random.Random(number)
        with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            while time.monotonic() < until:
                query = urlencode({"q": f"{NS}dataset/{chance.randrange(size)}", "as_of": "2026-01-01"})
                begun = time.perf_counter()
                connection.request("GET", f"/who?{query}")
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                taken.append(time.perf_counter() - begun)

    working = time.process_time()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = spread(taken)
    return {
        "answers a second": round(len(taken) / seconds, 1), "p50": found.p50, "p95": found.p95,
        "processors taken by the clients": round((time.process_time() - working) / seconds, 2),
    }  # fmt: skip


def memory_of(process: int) -> int:
    """Return the bytes that a process takes, its share of what it shares included (PSS)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def measure(data: Path, size: int, workers: Sequence[int], seconds: float, clients: int) -> list[dict[str, Any]]:
    """Return a row for each number of workers."""
    rows = []
    for count in workers:
        begun = time.monotonic()
        service = start(data, count)
        started = time.monotonic() - begun
        try:
            while len(children_of(service.process.pid)) < count:
                time.sleep(0.1)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                arguments = (service.address.removeprefix("http://"), size)
                pool.apply(ask, (*arguments, 2.0, clients))
                found = pool.apply(ask, (*arguments, seconds, clients))
            processes = [service.process.pid, *children_of(service.process.pid)]
            memory = [round(memory_of(process) / 1e6) for process in processes]
        finally:
            service.process.terminate()
            service.process.communicate(timeout=60)
        rows.append({"workers": count, "start": round(started, 2), **found, "PSS in MB, owner first": memory})
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("size", type=int)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--clients", type=int, default=16)
    arguments.add_argument("--data", type=Path)
    given = arguments.parse_args()
    data = given.data or Path(__file__).parent / ".cache" / f"serve-{given.size}"
    if not data.exists():
        file = data.with_suffix(".nq")
        file.parent.mkdir(exist_ok=True)
        write(file, given.size, 1)
        with Register.create(data, pack=None) as register:
            register.load(file, SOURCE)
        file.unlink()
    for row in measure(data, given.size, WORKERS, given.seconds, given.clients):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
