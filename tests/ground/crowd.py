"""Let ten writers and fifty readers at one service at once, and check every answer against what was written when.

``python -m tests.ground.crowd SECONDS`` (``make crowd SECONDS=300``). Each writer states its own five datasets anew,
turn by turn: every title carries the turn, and the holder of all five too. So any answer tells which turn it is from,
by its words (the search index) and by its holders (the graph), and the revision it names tells which turn it has to be.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from graph.owner import Client
from graph.register import Register
from tests.benchmarks.measuring import spread
from tests.owner.records import EXAMPLE, source_of
from tests.owner.serving import start

WRITERS, READERS, DATASETS = 10, 50, 5


@dataclass
class Crowd:
    """Hold what was written when, what was read, and what was wrong."""

    data: Path
    address: str
    ended: threading.Event = field(default_factory=threading.Event)
    written: list[list[tuple[int, int]]] = field(default_factory=lambda: [[(0, 0)] for _ in range(WRITERS)])
    read: list[tuple[int, int, str]] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def file_of(folder: Path, writer: int, turn: int) -> Path:
    """Write what a writer states in a turn."""
    lines = [
        "@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .",
        "@prefix dct: <http://purl.org/dc/terms/> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .",
        f'<{EXAMPLE}body/{writer}/{turn}> a d:Agency ; skos:prefLabel "Body {writer}"@en .',
    ]
    for number in range(DATASETS):
        data = f"<{EXAMPLE}crowd/{writer}/{number}>"
        lines += [
            f'{data} a dcat:Dataset ; dct:title "writer{writer} turn{turn} item{number}"@en .',
            f"<{EXAMPLE}duty/{writer}/{number}> a d:Responsibility ; d:covers {data} ;",
            f"  d:holder <{EXAMPLE}body/{writer}/{turn}> ; d:role <https://w3id.org/diaba/role/accountable> .",
        ]
    path = folder / f"crowd{writer}.ttl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def write(crowd: Crowd, folder: Path, writer: int) -> None:
    owner, turn = Client(crowd.data), 0
    while not crowd.ended.is_set():
        turn += 1
        begun = time.perf_counter()
        report = owner.load(file_of(folder, writer, turn), source_of(f"crowd{writer}"))
        crowd.seconds.setdefault("load, queue included", []).append(time.perf_counter() - begun)
        number = report.sources[0].revision
        if number is None:
            crowd.wrong.append(f"writer {writer} turn {turn} changed nothing")
        else:
            crowd.written[writer].append((number, turn))


def read(crowd: Crowd, reader: int) -> None:
    chance = random.Random(reader)
    host = crowd.address.removeprefix("http://")
    with closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        while not crowd.ended.is_set():
            _ask(crowd, connection, chance)


def _ask(crowd: Crowd, connection: http.client.HTTPConnection, chance: random.Random) -> None:
    writer, number = chance.randrange(WRITERS), chance.randrange(DATASETS)
    path, words = chance.choice([("/who", f"{EXAMPLE}crowd/{writer}/{number}")] * 3 + [("/search", f"writer{writer}")])
    least = crowd.written[writer][-1][0] if chance.random() < 0.1 else 0
    headers = {"Diaba-Revision-At-Least": str(least)} if least else {}
    begun = time.perf_counter()
    connection.request("GET", f"{path}?{urlencode({'q': words, 'as_of': '2026-01-01'})}", headers=headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    crowd.seconds.setdefault(path + (" after an own change" if least else ""), []).append(time.perf_counter() - begun)
    crowd.counts[f"{path} {answer.status}"] += 1
    revision = int(answer.headers["diaba-revision"])
    if answer.status == 200:
        turns = turns_in(body)
        if body["revision"] != revision or len(turns) > 1 or revision < least:
            crowd.wrong.append(f"{path} {words}: revision {revision}, {body['revision']}; turns {turns}; {least}")
        if path == "/search" and len(body["rows"]) not in (0, DATASETS):
            crowd.wrong.append(f"{path} {words}: {len(body['rows'])} rows")
        for turn in turns:
            crowd.read.append((revision, writer, int(turn)))
    elif answer.status not in (404, 503):
        crowd.wrong.append(f"{path} {words}: {answer.status} {body}")


def watched(work: Callable[[], None], wrong: list[str]) -> None:
    """Do the work of a thread, and write down what ends it before its time."""
    try:
        work()
    except BaseException as fault:
        wrong.append(f"{work}: {fault!r}")
        raise


def turns_in(body: dict[str, Any]) -> set[str]:
    """Return every turn that an answer speaks of: in titles, and in the names of holders."""
    found = set()
    text = json.dumps(body)
    for word in text.replace('"', " ").split():
        if word.startswith("turn"):
            found.add(word.removeprefix("turn"))
        elif word.startswith(f"{EXAMPLE}body/"):
            found.add(word.rstrip(",}]").rpartition("/")[2])
    return found


def gather(seconds: float, workers: int) -> Crowd:
    """Run the crowd; raise ``AssertionError`` with everything that is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="diaba-crowd-"))
    try:
        data = folder / "data"
        Register.create(data, pack=None).close()
        service = start(data, workers)
        crowd = Crowd(data, service.address)
        work = [partial(write, crowd, folder, writer) for writer in range(WRITERS)]
        work += [partial(read, crowd, reader) for reader in range(READERS)]
        threads = [threading.Thread(target=watched, args=(one, crowd.wrong)) for one in work]
        try:
            for thread in threads:
                thread.start()
            time.sleep(seconds)
        finally:
            crowd.ended.set()
            for thread in threads:
                thread.join()
            service.process.terminate()
            said = service.process.communicate(timeout=60)[1]
        wrong = crowd.wrong + check(crowd) + ([said[:2000]] if said.strip() else [])
        assert not wrong, "\n".join(wrong[:50])
        return crowd
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check(crowd: Crowd) -> list[str]:
    """Return what was read from another turn than its revision says, and every change that is not in the register."""
    wrong = []
    for revision, writer, turn in crowd.read:
        changes = crowd.written[writer]
        due = changes[bisect_right(changes, (revision, 1 << 60)) - 1][1]
        if turn != due:
            wrong.append(f"writer {writer}: turn {turn} at revision {revision}, which has turn {due}")
    with Register.open(crowd.data) as register:
        numbers = {change.number: change.source for change in register.journal.changes()}
        for writer, changes in enumerate(crowd.written):
            lost = [number for number, _ in changes[1:] if numbers.get(number) != source_of(f"crowd{writer}")]
            if lost:
                wrong.append(f"writer {writer}: changes {lost} are not in the journal")
        total = sum(len(changes) - 1 for changes in crowd.written)
        if register.revision != total + 1:
            wrong.append(f"{register.revision} changes in the journal, {total} and the ontology's were acknowledged")
    return wrong


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("seconds", type=float, nargs="?", default=30.0)
    arguments.add_argument("--workers", type=int, default=2)
    given = arguments.parse_args()
    try:
        crowd = gather(given.seconds, given.workers)
    except AssertionError as fault:
        sys.exit(str(fault))
    print(f"{WRITERS} writers, {READERS} readers, {given.workers} workers, {given.seconds:.0f} s")
    for what, count in sorted(crowd.counts.items()):
        print(f"{count:8} {what}")
    for what, seconds in sorted(crowd.seconds.items()):
        found = spread(seconds)
        each = len(seconds) / given.seconds
        print(f"{what:32} {each:7.1f} a second, median {found.p50:.0f} ms, p95 {found.p95:.0f} ms")
    changes = sum(len(one) - 1 for one in crowd.written)
    print(f"{changes} changes, none lost; {len(crowd.read)} answers checked, none mixes two revisions")


if __name__ == "__main__":
    main()
