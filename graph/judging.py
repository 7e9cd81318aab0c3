"""Run what judges by shapes that anybody wrote in a process of its own, under limits: a check that explodes is stopped.

The engine has no limit of its own, and a shape may target everything or join everything with everything. A check only
reads, so a process that is killed leaves nothing half done. Run as ``python -m graph.judging PARENT MEMORY MODULE …``.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graph.errors import ShapeFault

_PR_SET_PDEATHSIG: Final = 1
_SIMPLER: Final = "Give the shapes fewer targets or simpler conditions, or try them one by one."
_inside: ContextVar[bool] = ContextVar("inside", default=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one check: ``seconds`` of the clock, bytes of ``memory`` (address space) over what an idle process has."""

    seconds: float = 600.0
    memory: int = 4 << 30


DEFAULT: Final = Limits()


def is_limited() -> bool:
    """Say whether this process is one that ``limited`` has made."""
    return _inside.get()


def limited(
    module: str, arguments: Sequence[str], limits: Limits = DEFAULT, *, capture: bool = False
) -> tuple[int, bytes, bytes]:
    """Run a module as the main one in a process of its own; return its exit code, and what it wrote to its two streams.

    Streams of this process that have a file are handed over instead, and nothing of them is returned, unless all is
    to be captured. Raises ``ShapeFault`` where a limit is hit.
    """
    streams = [None if capture else _file_of(stream) for stream in (sys.stdout, sys.stderr)]
    command = [sys.executable, "-m", "graph.judging", str(os.getpid()), str(limits.memory), module, *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE if streams[0] is None else streams[0],
        stderr=subprocess.PIPE if streams[1] is None else streams[1],
    ) as process:
        try:
            out, err = process.communicate(timeout=limits.seconds)
        except subprocess.TimeoutExpired as fault:
            process.kill()
            raise ShapeFault(f"The check was stopped at its limit of {limits.seconds:g} s", remedy=_SIMPLER) from fault
        except BaseException:
            process.kill()
            raise
    if process.returncode in (_OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV):
        raise ShapeFault(
            f"The check was stopped at its limit of {limits.memory >> 20} MiB of memory", remedy=_SIMPLER
        )
    return process.returncode, out or b"", err or b""


#: exit code of a process that ran out of memory in Python
_OUT_OF_MEMORY: Final = 97


def _file_of(stream: object) -> int | None:
    """Return the number of the file behind a stream, ``None`` where a program has put something else in its place."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None


def _in_use() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def main(parent: int, memory: int, module: str, arguments: Sequence[str]) -> None:
    """Be the process: take the limits on, end with the parent, and run the module."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we could ask to be told
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):  # elsewhere address space is counted otherwise, or not at all
        resource.setrlimit(resource.RLIMIT_AS, (_in_use() + memory,) * 2)
    # this module once more: the one that the others import
    importlib.import_module("graph.judging")._inside.set(True)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
