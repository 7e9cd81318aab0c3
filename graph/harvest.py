"""Gather what things are found by out of the journal itself, in a process beside the one that makes the graph.

A large first load, or a rebuild, spends half its time on the graph; the search index needs little of what is loaded,
and not the graph. The process reads the journal, and is told of a load while it is still being read; it commits the
index only when the parent, whose graph is then ready, says so. Should it fail, the parent builds the index from the
graph.

Run as ``python -m graph.harvest``: it reads one order from standard input, and ends when that is closed.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox

from graph.documents import (
    CLASS_KINDS,
    CONCERNED,
    CONTEXTS,
    DOUBTED,
    FIELD_USES,
    RECORD,
    Document,
    Values,
    document_of,
    iris,
    labels_in,
    preference_of,
)
from graph.errors import Fault
from graph.journal import Journal
from graph.search import SearchIndex
from graph.store import normal_form
from graph.terms import RDF, SKOS, XSD, D
from graph.words import Abbreviations

LARGE: Final = 40_000
"""Statements changed from which on it is worth a process of its own."""

MOST_NEAR: Final = 2_000_000
"""Most things (fields, areas, kinds, name records …) that documents of others need and that are kept in memory."""

#: parts that are gone through one by one, and statements of one that are gathered before they are written
_PARTS, _BATCH = 32, 10_000

_SIZE: Final = struct.Struct(">Q")
_READY, _COMMIT, _DONE = b"ready\n", b"commit\n", b"done\n"

Fact = tuple[str, str, str, str | None, str, bool]
"""A statement that counts: node, predicate, value, what it is, graph, and whether it was removed.

What it is: ``None`` for an IRI, the language of a text, or ``^`` and the datatype.
"""

_TOKEN: Final = re.compile(rb"<([^<>\s\\]++)>")
_REST: Final = re.compile(
    rb'(?:<([^<>\s\\]++)>|"([^"\\]*+)"(?:@([a-z0-9-]++)|(\^\^<' + re.escape(XSD.date).encode() + rb">))?+)"
    rb" <([^<>\s\\]++)> \."
)
_KINDS: Final = frozenset(f"<{term}>".encode() for term in CLASS_KINDS)
_NEAR: Final = frozenset({*CONTEXTS, D.bodyKind, SKOS.inScheme})
#: what says little of a thing that nothing else is said of
_BESIDE: Final = frozenset({D.from_, D.until, D.confidence})
_PLAIN: Final = frozenset({XSD.string, RDF.NS + "langString"})


_Standing = dict[tuple[str, str, str | None, str], None]


class TooMuch(Exception):
    """Say that the statements lie so that they do not fit into memory."""


class _Kept:
    """Keep lists of plain values on disk, in the order in which they came."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._sizes: list[int] = []

    def write(self, values: list[Any]) -> None:
        self._sizes.append(self._file.write(marshal.dumps(values)))

    def read(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        for size in self._sizes:
            yield marshal.loads(self._file.read(size))

    def close(self) -> None:
        self._file.close()


class Harvest:
    """Take in what the journal says, change by change, and yield the documents of all that stands in the end.

    Statements are kept on disk in ``folder``, in parts by the node they speak of, so that memory holds one part at a
    time, and what many documents need.
    """

    def __init__(self, folder: Path) -> None:
        self._parts: list[list[Fact]] = [[] for _ in range(_PARTS)]
        self._kept = [_Kept(folder / f"part{number}") for number in range(_PARTS)]
        self._things = _Kept(folder / "things")
        #: by predicate, as it is written: its IRI where it counts, "" where not
        self._ways: dict[bytes, str] = {}
        self._classes: dict[bytes, bool] = dict.fromkeys(_KINDS, True)
        self._graphs: dict[bytes, str] = {}
        self._near: set[str] = set()
        self._labels: dict[str, tuple[str, ...]] = {}
        self._levels: dict[str, tuple[str, ...]] = {}
        self._doubted: set[str] = set()
        self._used: set[str] = set()
        self._records: dict[str, list[tuple[str, Values]]] = {}

    def close(self) -> None:
        """Give the files up."""
        for kept in (*self._kept, self._things):
            kept.close()

    # --- taking in ------------------------------------------------------------------------------------------------

    def take(self, block: bytes, *, removed: bool = False) -> None:
        """Take in whole lines of N-Quads. What is written in another way than tools do goes to the parser."""
        ways, classes = self._ways, self._classes
        odd: list[bytes] = []
        last = b""
        for line in block.split(b"\n"):
            try:
                subject, predicate, rest = line.split(b" ", 2)
            except ValueError:
                odd.append(line)
                continue
            if subject != last:
                if _TOKEN.fullmatch(subject) is None:
                    odd.append(line)
                    continue
                last = subject
            way = ways.get(predicate)
            if way is None and (way := self._learn(predicate)) is None:
                odd.append(line)
            if not way:
                continue
            if way == RDF.type:
                token = rest[: rest.find(b" ")]
                counts = classes.get(token)
                if counts is None and _TOKEN.fullmatch(token):
                    counts = classes[token] = False
                if counts is False:
                    continue
            if not self._takes(subject, way, rest, removed):
                odd.append(line)
        self._settle(odd, removed)

    def take_told(self, statements: Iterable[tuple[bytes, bytes, bytes, bytes]]) -> None:
        """Take in added statements that ``CONCERNED`` has, in the four parts that the turnstile takes lines apart into.
        """
        odd: list[bytes] = []
        for subject, predicate, target, graph in statements:
            way = self._ways.get(predicate) or self._learn(predicate) or ""
            if not self._takes(subject, way, b"%s %s ." % (target, graph), False):
                odd.append(b"%s %s %s %s ." % (subject, predicate, target, graph))
        self._settle(odd, False)

    def _takes(self, subject: bytes, way: str, rest: bytes, removed: bool) -> bool:
        """Take in a statement that counts; tell whether it was plain enough."""
        found = _REST.fullmatch(rest)
        if found is None:
            return False
        iri, text, language, dated, graph = found.groups()
        node = subject[1:-1].decode()
        home = self._graphs.get(graph)
        if home is None:
            home = self._graphs[graph] = graph.decode()
        if iri is not None:
            value, kind = iri.decode(), None
            if way in _NEAR:
                self._near.add(value)
            elif way == RDF.type:
                self._near.add(home)
        else:
            value, kind = text.decode(), language.decode() if language else "^" + XSD.date if dated else ""
        self._parts[hash(node) % _PARTS].append((node, way, value, kind, home, removed))
        return True

    def _settle(self, odd: list[bytes], removed: bool) -> None:
        """End a block: have the parser read what was not plain, and write down what there is much of."""
        for quad in ox.parse(b"\n".join(odd), format=ox.RdfFormat.N_QUADS) if odd else ():
            self._take_odd(quad, removed)
        for number, facts in enumerate(self._parts):
            if len(facts) >= _BATCH:
                self._write(number)
        if len(self._near) > MOST_NEAR:
            raise TooMuch

    def _learn(self, predicate: bytes) -> str | None:
        """Return what stands in the ways for a predicate; nothing where it is none, but a line was cut wrongly."""
        found = _TOKEN.fullmatch(predicate)
        if found is None:
            return None
        term = found[1].decode()
        way = self._ways[predicate] = term if term in CONCERNED else ""
        return way

    def _take_odd(self, quad: ox.Quad, removed: bool) -> None:
        target, way = quad.object, quad.predicate.value
        named = isinstance(quad.subject, ox.NamedNode) and isinstance(quad.graph_name, ox.NamedNode)
        if way not in CONCERNED or not named or not isinstance(target, ox.NamedNode | ox.Literal):
            return
        kind = None
        if isinstance(target, ox.Literal):
            target = normal_form(target)
            datatype = target.datatype.value
            kind = (target.language or "") if datatype in _PLAIN else "^" + datatype
        elif way == RDF.type and target.value not in CLASS_KINDS:
            return
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.graph_name, ox.NamedNode)
        node, home = quad.subject.value, quad.graph_name.value
        if way in _NEAR and kind is None:
            self._near.add(target.value)
        elif way == RDF.type:
            self._near.add(home)
        self._parts[hash(node) % _PARTS].append((node, way, target.value, kind, home, removed))

    def _write(self, number: int) -> None:
        self._kept[number].write(self._parts[number])
        self._parts[number].clear()

    # --- giving out -----------------------------------------------------------------------------------------------

    def documents(self, languages: Sequence[str]) -> Iterator[Document]:
        """Yield the document of everything that can be found; nothing more can be taken in then."""
        for number in range(_PARTS):
            self._write(number)
            self._things.write(list(self._sort(self._kept[number])))
        for records in self._records.values():
            records.sort(key=lambda record: record[0])
        preference = preference_of(languages)
        for things in self._things.read():
            for node, values in things:
                document = document_of(node, values, self, preference)
                if document is not None:
                    yield document

    def _sort(self, kept: _Kept) -> Iterator[tuple[str, Values]]:
        """Yield what stands about each thing of one part, and keep what the documents of others need."""
        telling: dict[str, _Standing] = {}
        beside: dict[str, _Standing] = {}
        for facts in kept.read():
            for node, predicate, value, kind, graph, removed in facts:
                said = (beside if predicate in _BESIDE else telling).setdefault(node, {})
                if removed:
                    said.pop((predicate, value, kind, graph), None)
                else:
                    said[predicate, value, kind, graph] = None
        # Most of what has days and marks are records of duties, which nothing is found by.
        for node in (*telling, *(self._near & beside.keys() - telling.keys())):
            values: Values = {}
            for predicate, value, kind, graph in chain(telling.get(node, ()), beside.get(node, ())):
                language = "" if kind is not None and kind[:1] == "^" else kind
                values.setdefault(predicate, []).append((value, language, graph))
            self._note(node, values)
            if RDF.type in values:
                yield node, values

    def _note(self, node: str, values: Values) -> None:
        for predicate in FIELD_USES:
            if predicate in values:
                self._used.update(iris(values, predicate))
        if D.nameOf in values or D.codeOf in values:
            record = {predicate: values[predicate] for predicate in RECORD if predicate in values}
            for thing in {*iris(values, D.nameOf), *iris(values, D.codeOf)}:
                self._records.setdefault(thing, []).append((node, record))
            if len(self._records) > MOST_NEAR:
                raise TooMuch
        if node in self._near:
            self._labels[node] = labels_in(values)
            self._levels[node] = tuple(sorted(set(iris(values, D.level))))
            if not DOUBTED.isdisjoint(iris(values, D.confidence)):
                self._doubted.add(node)

    # --- what documents ask about others --------------------------------------------------------------------------

    def records(self, node: str) -> Iterable[Values]:
        return (values for _, values in self._records.get(node, ()))

    def is_used(self, node: str) -> bool:
        return node in self._used

    def labels(self, node: str) -> tuple[str, ...]:
        return self._labels.get(node, ())

    def levels(self, node: str) -> tuple[str, ...]:
        return self._levels.get(node, ())

    def doubted(self, graph: str) -> bool:
        return graph in self._doubted


@contextlib.contextmanager
def harvest_of(journal: Journal, revision: int) -> Iterator[Harvest]:
    """Take in the changes up to ``revision``; more may be taken in after them."""
    with tempfile.TemporaryDirectory(prefix="diaba-") as folder, contextlib.closing(Harvest(Path(folder))) as harvest:
        for change in journal.changes():
            if change.number > revision:
                break
            for block in journal.lines(change, "removed"):
                harvest.take(block, removed=True)
            for block in journal.lines(change, "added"):
                harvest.take(block)
        yield harvest


# --- the process ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """Say what to index, up to which change the journal is to be read, and where the index is."""

    journal: Path
    index: Path
    revision: int
    languages: tuple[str, ...]
    abbreviations: Abbreviations


class Ahead:
    """Drive the process from the parent. Close it in any case: what was not finished is ended and leaves nothing.

    Between the order and ``end`` it can be told what is not in the journal yet.
    """

    def __init__(self, order: Order) -> None:
        home = str(Path(__file__).resolve().parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "graph.harvest"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        self.revision: int | None = None
        self._send(pickle.dumps(order))

    def tell(self, statements: Sequence[tuple[bytes, bytes, bytes, bytes]]) -> None:
        """Tell of added statements that ``CONCERNED`` has, in four parts each as they are written."""
        self._send_one("statements", list(statements))

    def tell_lines(self, lines: bytes) -> None:
        """Tell of added statements in whole lines of N-Quads."""
        self._send_one("lines", lines)

    def end(self, revision: int) -> None:
        """Say that this is all, and which change it makes the last one."""
        if self.revision is None:
            self.revision = revision
            self._send_one("end", revision)

    def finish(self) -> bool:
        """Wait until the index is ready, have it committed, and tell whether it was."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() != _READY:
            return False
        self._send(_COMMIT)
        return self.process.stdout.readline() == _DONE and self.process.wait() == 0

    def close(self) -> None:
        """End the process, unless it has ended."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()

    def _send_one(self, kind: str, content: Any) -> None:
        message = marshal.dumps((kind, content))
        self._send(_SIZE.pack(len(message)) + message)

    def _send(self, message: bytes) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what failed is found when it is waited for
            self.process.stdin.write(message)
            self.process.stdin.flush()


def main() -> None:
    """Do what the order on standard input says; end at once where the parent does."""
    gc.disable()  # nothing here refers to itself
    order = pickle.load(sys.stdin.buffer)
    index = SearchIndex(order.index, order.abbreviations)
    told = threading.Event()
    with harvest_of(Journal(order.journal, read_only=True), order.revision) as harvest:
        revision = _hear(harvest)
        threading.Thread(target=_watch, args=(told.set,), daemon=True).start()
        index.stage(harvest.documents(order.languages))
    _say(_READY)
    told.wait()
    index.commit(revision)
    _say(_DONE)
    os._exit(0)  # the watching thread waits for a word that never comes


def _hear(harvest: Harvest) -> int:
    """Take in what the parent tells, until it says which change is the last."""
    stream = sys.stdin.buffer
    while size := stream.read(_SIZE.size):
        kind, content = marshal.loads(stream.read(*_SIZE.unpack(size)))
        if kind == "end":
            return int(content)
        if kind == "lines":
            harvest.take(content)
        else:
            harvest.take_told(content)
    sys.exit(1)


def _watch(commit: Callable[[], None]) -> None:
    while sys.stdin.buffer.readline() == _COMMIT:
        commit()
    os._exit(1)


def _say(word: bytes) -> None:
    sys.stdout.buffer.write(word)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except (Fault, OSError, TooMuch):
        sys.exit(1)
