"""Kill the owner and its workers at random moments under mixed load, and look what is left each time.

``python -m tests.ground.kills N`` kills N times (``make kill N=200``). Writers load small and large files, rebuild and
read what they wrote; everything that was acknowledged is remembered. After each kill the service is started again.
In the end the register must hold every acknowledged change and no half of any, and equal a rebuild of itself.

``--full`` makes the disk refuse: the data lie in a small file system that is filled and emptied meanwhile (needs the
right to mount one).
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pyoxigraph as ox

from graph.errors import Busy, DataDirectory, Held, StoreFault, Unanswered
from graph.owner import Client
from graph.register import CHECKPOINTS, Register
from graph.terms import Graphs
from tests.ground.crowd import watched
from tests.owner.records import EXAMPLE, source_of, write_record
from tests.owner.serving import Service, start

#: datasets in a large load: enough that it goes into the graph in several commits and the payload into a file
LARGE = 6_000
WRITERS, READERS = 3, 4
#: megabytes of the disk that is filled: a service starts where it can keep 512 free beside its data
ROOM = 2_000
#: seconds for a stop: it waits for the change that is being made, a rebuild at worst
STOP = 180


@dataclass
class Told:
    """Remember what was acknowledged: source -> the holder it was last told to have, and what was not answered."""

    holders: dict[str, str] = field(default_factory=dict)
    open: dict[str, set[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    highest: int = 0


class Load:
    """Write and read in threads until stopped; each writer has sources of its own."""

    def __init__(self, folder: Path, data: Path, seed: int, large: int) -> None:
        self.folder, self.data, self.large = folder, data, large
        self.told = Told()
        self.ended = threading.Event()
        self.address = ""
        self.seed = seed
        work = [partial(self._write, number) for number in range(WRITERS)]
        work += [partial(self._read, number) for number in range(READERS)]
        self._threads = [threading.Thread(target=watched, args=(one, self.told.wrong)) for one in work]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        chance = random.Random(self.seed * 1000 + number)
        turn = 0
        while not self.ended.is_set():
            turn += 1
            kind = chance.choices(("small", "large", "rebuild"), (20, 2, 1))[0]
            try:
                if kind == "rebuild":
                    Client(self.data).rebuild()
                    self.told.counts["rebuilds"] += 1
                else:
                    name = f"w{number}-{kind}-{chance.randrange(4) if kind == 'small' else 0}"
                    self._load(name, f"h{turn}", 1 + chance.randrange(20) if kind == "small" else self.large)
            except (Held, Busy):
                time.sleep(0.05)  # nobody is there, or nothing was begun
            except Unanswered:
                self.told.counts["not answered"] += 1
            except (StoreFault, DataDirectory) as fault:  # a rebuild needs as much room again
                if os.strerror(errno.ENOSPC) not in str(fault):
                    raise
                self.told.counts["refused by the disk"] += 1
                time.sleep(0.2)

    def _load(self, name: str, holder: str, size: int) -> None:
        told = self.told
        file = write_record(self.folder, name, holder, size)
        maybe = told.open.setdefault(name, set())
        maybe.add(f"{holder} {size}")
        try:
            report = Client(self.data).load(file, source_of(name), message=holder)
        except StoreFault as fault:
            if "Nothing is recorded" in fault.message or isinstance(fault, Held | Busy):
                maybe.discard(f"{holder} {size}")
            elif "is recorded" in fault.message:
                told.holders[name], told.open[name] = f"{holder} {size}", set()
                told.counts["recorded, not seen"] += 1
                return
            if not isinstance(fault, Busy | Unanswered):
                told.counts["refused by the disk"] += 1
                time.sleep(0.2)
                return
            raise
        except Held:
            maybe.discard(f"{holder} {size}")
            raise
        told.holders[name], told.open[name] = f"{holder} {size}", set()
        told.highest = max(told.highest, report.revision)
        told.counts["large loads" if size == self.large else "small loads"] += 1

    def _read(self, number: int) -> None:
        chance = random.Random(self.seed * 1000 + 500 + number)
        seen = 0
        while not self.ended.is_set():
            name = f"w{chance.randrange(WRITERS)}-small-{chance.randrange(4)}"
            headers = {"Diaba-Revision-At-Least": str(self.told.highest)} if chance.random() < 0.3 else {}
            try:
                answer = httpx.get(
                    f"{self.address}/who", params={"q": f"{EXAMPLE}{name}/0"}, headers=headers, timeout=20,
                    trust_env=False, verify=False,
                )  # fmt: skip
            except httpx.HTTPError:
                self.told.counts["requests cut off"] += 1
                time.sleep(0.05)
                continue
            seen += 1
            self.told.counts[f"answers {answer.status_code}"] += 1
            if answer.status_code == 200:
                body = answer.json()
                if (
                    int(answer.headers["diaba-revision"]) != body["revision"]
                    or body["card"]["revision"] != body["revision"]
                ):
                    self.told.wrong.append(f"revisions mixed: {answer.headers['diaba-revision']} {body['revision']}")
                if headers and body["revision"] < int(headers["Diaba-Revision-At-Least"]):
                    self.told.wrong.append(f"answered from {body['revision']}, asked for {headers}")
            elif answer.status_code not in (404, 503):
                self.told.wrong.append(f"{answer.status_code}: {answer.text[:200]}")


def dump(register: Register) -> set[bytes]:
    """Return every statement of graph and history, but how far each part noted that it came."""
    return {
        f"{place} {quad}".encode()
        for place, reader in (("graph", register.reader.graph), ("history", register.reader.history))
        for quad in reader.raw  # type: ignore[attr-defined]
        if quad.graph_name != ox.NamedNode(Graphs.projection)
    }


def check(data: Path, told: Told) -> list[str]:
    """Return what is wrong with the register: a change lost or half there, parts apart. Raises what ``verify`` does."""
    wrong = list(told.wrong)
    with Register.open(data) as register:
        register.journal.verify()
        if not register.settled:
            wrong.append("the parts are not at the same change")
        if register.revision < told.highest:
            wrong.append(f"revision {register.revision}, but {told.highest} was acknowledged")
        for name, maybe in told.open.items():
            found = state_of(register, name)
            allowed = maybe | ({told.holders[name]} if name in told.holders else {""})
            if found not in allowed:
                wrong.append(f"{name}: found {found!r}, allowed {sorted(allowed)}")
        before = dump(register)
        names = {hit.iri for name in told.open for hit in register.reader.search.search(name, limit=50)}
        register.rebuild()
        if dump(register) != before:
            wrong.append(f"a rebuild differs by {len(dump(register) ^ before)} statements")
        if names != {hit.iri for name in told.open for hit in register.reader.search.search(name, limit=50)}:
            wrong.append("a rebuild finds other things by words")
    leftovers = [path.name for path in (data / CHECKPOINTS).iterdir()] if (data / CHECKPOINTS).exists() else []
    if leftovers:
        wrong.append(f"checkpoints are left behind: {leftovers}")
    return wrong


def state_of(register: Register, name: str) -> str:
    """Return holder and number of datasets of a source, "" where it says nothing, all holders where they are mixed."""
    graph = ox.NamedNode(source_of(name))
    match = register.reader.graph.raw.quads_for_pattern  # type: ignore[attr-defined]
    holder = ox.NamedNode("https://w3id.org/diaba/ns#holder")
    covers = ox.NamedNode("https://w3id.org/diaba/ns#covers")
    holders = Counter(quad.object.value.removeprefix(EXAMPLE) for quad in match(None, holder, None, graph))
    size = sum(1 for _ in match(None, covers, None, graph))
    return "+".join(f"{one} {count}" for one, count in sorted(holders.items())) if holders or size else ""


def kill_some(
    folder: Path, kills: int, *, workers: int = 2, seed: int = 0, large: int = LARGE, disk: Path | None = None
) -> Told:
    """Run the load, kill as often as asked, check after all; raise ``AssertionError`` with everything that is wrong."""
    chance = random.Random(seed)
    data = (disk or folder) / "data"
    Register.create(data, pack=None).close()
    load = Load(folder, data, seed, large)
    service = start(data, workers)
    load.address = service.address
    port = int(service.address.rpartition(":")[2])
    load.start()
    ballast = data.parent / "ballast" if disk else None
    try:
        for number in range(kills):
            time.sleep(
                chance.uniform(0.05, 1.2) if large < LARGE or chance.random() < 0.8 else chance.uniform(2.0, 8.0)
            )
            if ballast is not None and number % 2:
                fill(ballast)
            victim = chance.choice(("owner", "owner", "worker"))
            workers_now = service.workers()
            if victim == "worker" and workers_now:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(workers_now), signal.SIGKILL)
                load.told.counts["workers killed"] += 1
            else:
                if number % 5 == 4:  # in between, and not counted as a kill: stopped as it should be
                    service.process.terminate()
                    said = service.process.communicate(timeout=STOP)[1]
                    if service.process.returncode or "Traceback" in said:
                        load.told.wrong.append(f"stopped with {service.process.returncode}: {said[:2000]}")
                    load.told.counts["restarts"] += 1
                    service = restart(data, workers, port, ballast, load.told)
                    time.sleep(chance.uniform(0.05, 0.5))
                service.process.kill()
                service.process.communicate()
                load.told.counts["owners killed"] += 1
                if ballast is not None and chance.random() < 0.5:
                    ballast.unlink(missing_ok=True)
                service = restart(data, workers, port, ballast, load.told)
            if ballast is not None and number % 2 == 0:
                ballast.unlink(missing_ok=True)
    finally:
        load.stop()
        if ballast is not None:
            ballast.unlink(missing_ok=True)
        service.process.terminate()
        said = service.process.communicate(timeout=STOP)[1]
    wrong = check(data, load.told)
    wrong += [f"on standard error: {said[:2000]}"] if "Traceback" in said else []
    assert not wrong, "\n".join(wrong)
    return load.told


def restart(data: Path, workers: int, port: int, ballast: Path | None, told: Told) -> Service:
    try:
        return start(data, workers, port)
    except AssertionError as refused:
        if ballast is None or "Traceback" in str(refused):
            raise
        told.counts["starts refused on the full disk"] += 1
        ballast.unlink(missing_ok=True)
        return start(data, workers, port)


def fill(ballast: Path) -> None:
    """Take all the room that is left on the disk."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * (1 << 20))


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Yield a folder on a file system of its own, of this size."""
    folder = Path(tempfile.mkdtemp(prefix="diaba-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("kills", type=int, nargs="?", default=20)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--full", action="store_true", help="also fill the disk")
    given = arguments.parse_args()
    begun = time.monotonic()
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="diaba-kills-"))
    try:
        with small_disk(ROOM) if given.full else contextlib.nullcontext() as disk:
            told = kill_some(folder, given.kills, workers=given.workers, seed=given.seed, disk=disk)
    except (AssertionError, DataDirectory) as fault:
        sys.exit(str(fault))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for what, count in sorted(told.counts.items()):
        print(f"{count:7} {what}")
    print(f"{told.highest:7} changes acknowledged, none lost, none half there; equal to a rebuild"
          f" ({time.monotonic() - begun:.0f} s)")  # fmt: skip


if __name__ == "__main__":
    main()
