"""Run ``diaba serve`` as people do, on a free port, and know its processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from service.cli import main; main()"]


@dataclass
class Service:
    """Know a running service: its process, its address without the last slash, its data directory."""

    process: subprocess.Popen[str]
    address: str
    data: Path

    def workers(self) -> list[int]:
        """Return the numbers of the worker processes that run."""
        return children_of(self.process.pid)

    def get(self, path: str, at_least: int = 0, **parameters: str) -> httpx.Response:
        headers = {"Diaba-Revision-At-Least": str(at_least)} if at_least else {}
        # without a look at the certificates of the world, which takes longer than the answer
        return httpx.get(
            self.address + path, params=parameters, headers=headers, timeout=30, trust_env=False, verify=False
        )


def children_of(process: int) -> list[int]:
    """Return the children of a process that are not dead."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == process and state != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def diaba(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb as a process of its own."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)


def start(data: Path, workers: int = 1, port: int = 0) -> Service:
    """Start a service and wait until it answers."""
    command = [*COMMAND, "serve", "--port", str(port), "--workers", str(workers), "--data", str(data)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert process.stderr is not None
    said = process.stderr.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+", said)
    if not address:
        process.kill()
        raise AssertionError(said + process.communicate()[1])
    return Service(process, address[0], data)


@contextmanager
def serving(data: Path, workers: int = 1) -> Iterator[Service]:
    """Run a service for as long as a test needs it, and hold that it stops without a word."""
    service = start(data, workers)
    with service.process as process:
        try:
            yield service
        except BaseException:
            process.kill()
            raise
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1]
        assert "Traceback" not in said, said
