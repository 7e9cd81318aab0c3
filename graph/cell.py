"""Answer typed questions inside one disposable process: the inner side of ``graph.sandbox``.

Run as ``python -m graph.cell PARENT``. The process gives up the network and the starting of programs before it reads
anything, ends with its parent, and is killed from outside when a question takes too long. What it cannot bear it need
not survive: an engine that runs out of memory aborts, and the parent makes a new process.

Messages in both directions are one byte of kind, four of length, and that many of payload (JSON, but for rows).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import io
import json
import os
import platform
import queue
import re
import resource
import secrets
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import pyoxigraph as ox

from graph.errors import BadQuestion, Fault, Place, StoreFault
from graph.results import GRAPHS, ROWS
from graph.store import OxigraphStore

# kinds of messages: to the cell, and from it
OPEN, ASK = 1, 2
READY, OPENED, HEAD, ROW, END, REFUSED, FAILED = 11, 12, 13, 14, 15, 16, 17
FRAME: Final = struct.Struct(">BI")

#: bytes of rows that are worth a message, and seconds after which fewer are
_FLUSH, _PAUSE = 64 * 1024, 0.2
#: bytes that a question may leave in memory without being cleared away
_LEFT: Final = 16 * 1024 * 1024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Stopped(Exception):
    """Say that a limit was hit between two rows; ``limit`` names it."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


# --- giving up what a question must not have ------------------------------------------------------------------------

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2
_ALLOW, _REFUSE, _ABSENT, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
#: machine -> its number for the kernel (linux/audit.h); its numbers of socket, connect, execve, execveat, ptrace,
#: io_uring_setup, and where it has them fork and vfork; its number of clone.
#: https://man7.org/linux/man-pages/man2/seccomp.2.html
_CALLS: Final = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425, 57, 58), 56),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425), 220),
}
_CLONE3, _CLONE_THREAD, _FIRST_ARGUMENT = 435, 0x00010000, 16


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("first", ctypes.POINTER(_Instruction))]


def seal() -> bool:
    """Have the kernel refuse this process every socket, program and child from now on; say whether it does.

    Whatever a question asks, and whatever the engine reads in it, nothing can leave the machine. Linux only.
    """
    known = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or known is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    machine, calls, clone = known
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if platform.machine() == "x86_64":
        code += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _REFUSE)]  # the same calls by their other numbers
    for call in calls:
        code += [(_EQUAL, 0, 1, call), (_RETURN, 0, 0, _REFUSE)]
    # Threads may still be made, children not; the newer call hides which of the two it is, and without it the C library
    # takes the older one.
    code += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ABSENT), (_EQUAL, 0, 3, clone), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    code += [(_HAS, 1, 0, _CLONE_THREAD), (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    instructions = (_Instruction * len(code))(*(_Instruction(*one) for one in code))
    program = _Program(len(code), instructions)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        return False
    return libc.socket(2, 1, 0) == -1 and ctypes.get_errno() == errno.EPERM


def _yield_to_others() -> None:
    """Come last: behind the answers of the service when processors are short, first when memory is."""
    os.nice(5)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _end_with(parent: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we could ask to be told
        os._exit(0)


def _memory() -> tuple[int, int]:
    """Return the bytes of address space and of memory in use; the first bounds a question, the second says what stayed.

    0 where the system does not tell.
    """
    try:
        size, resident = Path("/proc/self/statm").read_text("ascii").split()[:2]
    except OSError:
        return 0, 0
    return int(size) * _PAGE, int(resident) * _PAGE


def _trim() -> None:
    """Hand free memory back to the system, so that the next question starts from little."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


# --- reading a question before it is run ----------------------------------------------------------------------------

_BLANK: Final = r"(?:\s|#[^\n]*(?:\n|$))*"
_IRI: Final = r'<[^<>"{}|^`\\\x00-\x20]*>'
_OPENING: Final = re.compile(
    rf"\ufeff?(?:{_BLANK}(?:BASE{_BLANK}{_IRI}|PREFIX{_BLANK}[^\s:<#]*{_BLANK}:{_BLANK}{_IRI}|VERSION{_BLANK}[\"'].*?[\"']))*"
    rf"{_BLANK}",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(
    rf"""
    (?P<comment>\#[^\n]*) | (?P<iri>{_IRI})
    | (?P<text>\"\"\".*?\"\"\" | '''.*?''' | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
    | (?P<variable>[?$]\w+) | (?P<short>(?:\w[\w.-]*)?:[\w:%.\\-]*) | (?P<word>\w+) | .
    """,
    re.VERBOSE | re.DOTALL,
)
_UPDATES: Final = frozenset(
    ["INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"],
)
_FORMS: Final = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE", "PREFIX", "BASE", "VERSION")
_WRITE: Final = "Write a SELECT, ASK, CONSTRUCT or DESCRIBE query."
_FAULT: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_EMPTY: Final = ox.Store()
#: ends every text in a place where nothing may follow: what is grammatical before it fails here, and is never run
_END_MARK: Final = "\n\x01"


def place_of(text: str, offset: int) -> Place:
    """Return line and column of an offset, both from 1."""
    before = text[:offset]
    return Place("query", before.count("\n") + 1, offset - before.rfind("\n"))


def _broken_at(text: str) -> int | None:
    """Return the offset at which the engine's own parser gives up, ``None`` for a grammatical text; nothing is run."""
    try:
        _EMPTY.query(text + _END_MARK)
    except SyntaxError as fault:
        found = _FAULT.match(str(fault))
        if found is not None and int(found[1]) <= text.count("\n") + 1:
            lines = text.split("\n")
            return sum(len(line) + 1 for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
    return None


def keyword(text: str, word: str) -> int | None:
    """Return where a grammatical text uses ``word`` as a keyword and not in a name, ``None`` where it does not.

    The engine itself decides: with every occurrence of the letters replaced by letters that mean nothing, names, IRIs,
    texts and comments are as good as before, and a keyword is none any more. Nothing that the engine would read as the
    keyword can hide: glued to its neighbours, behind a comment, in any capitals. What would hide it from a search
    for the word (``<?b)SERVICE#>``) is no matter here. The first letter is kept, because an escape may end with it.
    """
    occurrences = re.compile(word, re.IGNORECASE)
    places = [found.start() for found in occurrences.finditer(text)]
    if not places:
        return None
    known = text.lower()
    while (other := word[0].lower() + "".join(secrets.choice("qzxjkvw") for _ in word[1:])) in known:
        continue

    def replaced(found: re.Match[str]) -> str:
        return "".join(new.upper() if old.isupper() else new for old, new in zip(found.group(), other, strict=True))

    broken = _broken_at(occurrences.sub(replaced, text))
    if broken is None or _broken_at(text) is not None:
        return None
    alone = [one.start() for one in _tokens(text) if one.lastgroup == "word" and one.group().lower() == word.lower()]
    near = [place for place in alone if place <= broken] or [place for place in places if place <= broken]
    return max(near, default=places[0])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    for found in _TOKEN.finditer(text):
        if found.lastgroup not in (None, "comment"):
            yield found


def refuse(text: str) -> None:
    """Raise ``BadQuestion`` for what is never run: nothing at all, an update, a question to another service."""
    start = _OPENING.match(text)
    offset = start.end() if start else 0
    if offset == len(text):
        raise BadQuestion("There is no query in it", remedy=_WRITE)
    found = re.compile(r"\w*").match(text, offset)
    first = found.group().upper() if found else ""
    if first in _UPDATES:
        raise BadQuestion(
            f"This would change the register: {first} is an update",
            remedy=f"{_WRITE} Changes are loaded with diaba load.", place=place_of(text, offset),
        )  # fmt: skip
    if not first.startswith(_FORMS):
        begun = text[offset:].split(maxsplit=1)[0][:30]
        raise BadQuestion(
            f'This is no SPARQL query: it begins with "{begun}"', remedy=_WRITE, place=place_of(text, offset)
        )
    service = keyword(text, "SERVICE")
    if service is not None:
        raise BadQuestion(
            "The query asks another service",
            remedy="Remove SERVICE: a query sees this register only.", place=place_of(text, service),
        )  # fmt: skip


def _named_graphs(store: ox.Store, text: str) -> None:
    """Raise ``BadQuestion`` where a FROM names a graph that is not in the store."""
    start = _OPENING.match(text)
    opening = start.group() if start else ""
    tokens = list(_tokens(text))
    for number, token in enumerate(tokens[:-1]):
        if token.lastgroup != "word" or token.group().upper() != "FROM":
            continue
        named = tokens[number + 1]
        if named.group().upper() == "NAMED" and number + 2 < len(tokens):
            named = tokens[number + 2]
        if named.lastgroup not in ("iri", "short"):
            continue
        found = _EMPTY.query(f"{opening} SELECT ?g {{ VALUES ?g {{ {named.group()} }} }}")
        assert isinstance(found, ox.QuerySolutions)
        for solution in found:
            _exists(store, solution[0], place_of(text, named.start()))


def _exists(store: ox.Store, graph: Any, place: Place | None) -> None:
    if not store.contains_named_graph(graph):
        raise BadQuestion(
            f"There is no graph {graph.value}",
            remedy="SELECT DISTINCT ?g { GRAPH ?g {} } lists the graphs; without FROM a question sees all of them.",
            place=place,
        )


def _graph(iri: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(iri)
    except ValueError as fault:
        raise BadQuestion(f"{ascii(iri)} is no IRI of a graph: {fault}", remedy="Write an absolute IRI.") from fault


def explain(text: str, fault: SyntaxError) -> BadQuestion:
    """Return what is wrong with a text that the engine does not understand, where, and what to do."""
    told = _FAULT.match(str(fault))
    declared = {one.group(1) for one in re.finditer(rf"PREFIX\s+([^\s:<#]*)\s*:\s*{_IRI}", text, re.IGNORECASE)}
    based = re.search(rf"\bBASE\s*{_IRI}", text, re.IGNORECASE)
    for token in _tokens(text):
        prefix, colon, _ = token.group().partition(":")
        if token.lastgroup == "short" and colon and prefix not in declared and not _declares(text, token):
            return BadQuestion(
                f"The prefix {prefix}: is not declared",
                remedy=f"Begin with PREFIX {prefix}: <…>.", place=place_of(text, token.start()),
            )  # fmt: skip
        if token.lastgroup == "iri" and not based and not re.match(r"<[A-Za-z][A-Za-z0-9+.-]*:", token.group()):
            return BadQuestion(
                f"{token.group()} is no absolute IRI",
                remedy="Write it whole, or begin with BASE <…>.", place=place_of(text, token.start()),
            )  # fmt: skip
    if told is None:
        return BadQuestion(f"This is no SPARQL query: {fault}", remedy="Correct the query.", place=Place("query"))
    line, column, words = int(told[1]), int(told[2]), " ".join(told[3].split())
    place = Place("query", line, column)
    rule = re.search(r"The SELECT [^,\]]+", words)
    if rule:
        remedy = "Add it to GROUP BY, or aggregate it." if "unbound" in rule.group() else "Rename the variable."
        return BadQuestion(f"This is no SPARQL query: {rule.group()}", remedy=remedy, place=place)
    lines = text.split("\n")
    near = lines[line - 1][column - 1 :][:30].strip() if line <= len(lines) else ""
    return BadQuestion(
        f'This is no SPARQL query: it breaks off before "{near}"' if near else "This is no whole SPARQL query",
        remedy="Correct the query at this place or just before it.", place=place,
    )  # fmt: skip


def _declares(text: str, token: re.Match[str]) -> bool:
    return bool(re.search(r"PREFIX\s*$", text[: token.start()], re.IGNORECASE))


# --- answering ------------------------------------------------------------------------------------------------------


class _Meter:
    """Count what a question has given, and stop it between two rows when that is enough."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._rows: int = limits["rows"]
        self._size: int = limits["size"]
        self._end: float = time.monotonic() + limits["seconds"]
        self.rows = 0
        self.size = 0

    def count(self, size: int) -> None:
        if self.rows >= self._rows:
            raise Stopped("rows")
        if self.size + size > self._size:
            raise Stopped("size")
        if time.monotonic() > self._end:
            raise Stopped("time")
        self.rows += 1
        self.size += size


class Cell:
    """Hold one store open and answer one question after the other over two pipes."""

    def __init__(self, replies: int) -> None:
        self._replies = replies
        self._idle = _memory()[1]
        self._store: OxigraphStore | None = None

    def open(self, path: str) -> None:
        self._store = None  # first, so that the folder is let go of
        self._store = OxigraphStore(Path(path), read_only=True)
        self.send(OPENED, {"revision": self._store.revision})

    def ask(self, asked: dict[str, Any]) -> None:
        """Answer one question within its limits, or say why it is none."""
        size, _ = _memory()
        ceiling = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = size + asked["limits"]["memory"]
        if size and (ceiling == resource.RLIM_INFINITY or limit < ceiling):
            resource.setrlimit(resource.RLIMIT_AS, (limit, ceiling))
        meter = _Meter(asked["limits"])
        try:
            status = self._answer(asked, meter)
        except SyntaxError as fault:
            raise explain(asked["text"], fault) from fault
        except MemoryError:
            status = "memory"
        except PermissionError as fault:
            raise BadQuestion("The query asks another service", remedy="Remove SERVICE.") from fault
        except (OSError, ValueError, RuntimeError) as fault:
            if "Cannot allocate memory" not in str(fault):
                raise StoreFault(f"The engine did not answer: {fault}", remedy="Ask in another way.") from fault
            status = "memory"
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
            self._tidy()
        self.send(END, {"status": status, "rows": meter.rows, "memory": _memory()[1]})

    def _tidy(self) -> None:
        """Hand back what a question has left, where that is worth the milliseconds it takes."""
        if _memory()[1] > self._idle + _LEFT:
            _trim()

    def _answer(self, asked: dict[str, Any], meter: _Meter) -> str:
        assert self._store is not None
        store, text, formats = self._store.raw, asked["text"], asked["formats"]
        refuse(text)
        defaults: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [*map(_graph, asked["default_graphs"])]
        named: list[ox.NamedNode | ox.BlankNode] = [*map(_graph, asked["named_graphs"])]
        for graph in (*defaults, *named):
            _exists(store, graph, None)
        result: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
        if defaults or named:
            result = store.query(text, default_graph=defaults, named_graphs=named)
        elif keyword(text, "FROM") is not None:
            _named_graphs(store, text)
            result = store.query(text)
        else:
            result = store.query(text, use_default_graph_as_union=True)
        if isinstance(result, ox.QuerySolutions):
            return self._solutions(result, _suiting(formats, ROWS, "rows"), meter)
        if isinstance(result, ox.QueryBoolean):
            return self._boolean(result, _suiting(formats, ROWS, "a yes or no"), meter)
        return self._triples(result, _suiting(formats, GRAPHS, "statements"), meter)

    def _solutions(self, result: ox.QuerySolutions, name: str, meter: _Meter) -> str:
        writing = ROWS[name]
        columns = [variable.value for variable in result.variables]
        self.send(
            HEAD,
            {
                "form": "rows", "format": name, "columns": columns,
                "opening": writing.opening(columns), "closing": writing.closing, "empty": "",
            },
        )  # fmt: skip
        waiting: list[bytes] = []
        size, rows, sent = 0, 0, time.monotonic()
        try:
            for solution in result:
                row = writing.row(columns, solution)
                written = ((writing.joint if meter.rows else "") + row).encode()
                meter.count(len(written))
                waiting.append(written)
                size += len(written)
                rows += 1
                now = time.monotonic()
                if size >= _FLUSH or now - sent > _PAUSE:
                    self._rows(waiting, rows)
                    size, rows, sent = 0, 0, now
        except Stopped as stop:
            return stop.limit
        finally:
            self._rows(waiting, rows)
        return "complete"

    def _rows(self, waiting: list[bytes], rows: int) -> None:
        if rows:
            self.send(ROW, struct.pack(">I", rows) + b"".join(waiting))
            waiting.clear()

    def _boolean(self, result: ox.QueryBoolean, name: str, meter: _Meter) -> str:
        body = result.serialize(format=ROWS[name].of)
        assert body is not None
        self.send(HEAD, {"form": "boolean", "format": name, "columns": [], "opening": "", "closing": "", "empty": ""})
        meter.rows = 1
        self._rows([body], 1)
        return "complete"

    def _triples(self, result: ox.QueryTriples, name: str, meter: _Meter) -> str:
        chosen = GRAPHS[name]
        empty = (ox.serialize([], format=chosen) or b"").decode()
        self.send(
            HEAD,
            {"form": "graph", "format": name, "columns": [], "opening": "", "closing": "", "empty": empty},
        )
        sink = io.BytesIO()
        stopped = ""

        def counted() -> Iterable[ox.Triple]:
            nonlocal stopped
            try:
                for triple in result:
                    meter.size = sink.tell()
                    meter.count(0)
                    yield triple
            except Stopped as stop:  # here, so that the writer closes its document as after the last one
                stopped = stop.limit

        ox.serialize(counted(), sink, format=chosen)
        self._rows([sink.getvalue()], meter.rows)
        return stopped or "complete"

    def send(self, kind: int, payload: dict[str, Any] | bytes) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        data = memoryview(FRAME.pack(kind, len(body)) + body)
        while data:
            data = data[os.write(self._replies, data) :]


def _suiting(formats: list[str], known: Iterable[str], what: str) -> str:
    known = list(known)
    for name in formats:
        if name in known:
            return name
    raise BadQuestion(
        f"The query gives {what}, which {' or '.join(formats)} cannot hold", remedy=f"Ask for {', '.join(known)}."
    )


# --- the process ----------------------------------------------------------------------------------------------------


def _listen(requests: int, waiting: queue.SimpleQueue[tuple[int, dict[str, Any]]]) -> None:
    """Take in requests while a question runs, so that the end of the parent is noticed at once."""
    with os.fdopen(requests, "rb", buffering=0) as pipe:

        def read(length: int) -> bytes:
            parts = b""
            while len(parts) < length:
                part = pipe.read(length - len(parts))
                if not part:
                    os._exit(0)
                parts += part
            return parts

        while True:
            kind, length = FRAME.unpack(read(FRAME.size))
            waiting.put((kind, json.loads(read(length))))


def main(parent: int) -> NoReturn:
    """Serve requests from standard input on standard output until the parent goes."""
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _yield_to_others()
    sealed = seal()
    requests, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    waiting: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    cell = Cell(replies)
    _broken_at("ASK {}")  # the first question need not wait for the parser
    _trim()
    cell.send(READY, {"sealed": sealed, "memory": _memory()[1]})
    while True:
        kind, asked = waiting.get()
        try:
            if kind == OPEN:
                cell.open(asked["path"])
            else:
                cell.ask(asked)
        except BadQuestion as fault:
            cell.send(REFUSED, _written(fault))
        except Fault as fault:
            cell.send(FAILED, _written(fault))
        except OSError as fault:
            cell.send(FAILED, _written(StoreFault(f"The store cannot be read: {fault}")))


def _written(fault: Fault) -> dict[str, Any]:
    place = fault.place
    return {
        "message": fault.message,
        "remedy": fault.remedy,
        "place": [place.file, place.line, place.column] if place else None,
        "memory": _memory()[1],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
