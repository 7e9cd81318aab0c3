"""Hold that whatever is asked is answered as the store answers it, or ends within its limits and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checkpoints import Checkpoints
from graph.errors import BadQuestion, Busy, Fault, StoreFault
from graph.results import GRAPHS, ROWS
from graph.sandbox import Limits, Result, Sandbox, Status, at, newest_of
from graph.store import OxigraphStore

ROOT = Path(__file__).parents[2]
#: seconds that a process may take to be killed and told of, on a machine that is busy with other things
LATE = 3.0
TIGHT = Limits(seconds=0.6, memory=96 * 1024 * 1024, rows=1000, size=256 * 1024, text=4 * 1024 * 1024)
X = "http://example.org/"


def quads(count: int = 600) -> list[ox.Quad]:
    name = ox.NamedNode
    found = []
    for number in range(count):
        one, graph = name(f"{X}s{number}"), name(f"{X}g{number % 3}")
        found.append(ox.Quad(one, name(X + "next"), name(f"{X}s{number + 1}"), graph))
        found.append(ox.Quad(one, name(X + "label"), ox.Literal(f"Đất đai số {number}", language="vi"), graph))
        found.append(ox.Quad(one, name(X + "service"), ox.Literal(number), graph))
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    store = OxigraphStore(folder / "live")
    store.load(quads(), 7)
    store.raw.backup(str(folder / "still"))
    return folder / "still"


@pytest.fixture(scope="module")
def store(path: Path) -> OxigraphStore:
    return OxigraphStore(path, read_only=True)


@pytest.fixture(scope="module")
def sandbox(path: Path) -> Iterator[Sandbox]:
    with Sandbox(at(path), 2) as sandbox:
        sandbox.wait_ready()
        yield sandbox


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def until(fact: object, seconds: float = 10.0) -> bool:
    """Wait for ``fact()`` to hold; say whether it did in time."""
    end = time.monotonic() + seconds
    while not fact():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def children() -> set[int]:
    """Return the processes that this one has, sandboxes of other tests included."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(one) for one in (task / "children").read_text().split()}
    return found


# --- ordinary questions ---------------------------------------------------------------------------------------------

ORDINARY = [
    f"SELECT ?s ?l {{ ?s <{X}label> ?l }} ORDER BY ?l LIMIT 20",
    f"SELECT ?s ?n {{ <{X}s1> <{X}next>+ ?s OPTIONAL {{ ?s <{X}none> ?n }} }} ORDER BY ?s LIMIT 9",
    f"PREFIX service: <{X}> SELECT ?service {{ ?service service:service 5 }} # SERVICE <{X}> {{}}",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "SELECT * { VALUES (?a ?b) { (1 UNDEF) ('x,\"y\"' <http://example.org/y>) (1.5 true) ('<&>'@vi 1e3) } }",
    f"SELECT (<<( <{X}a> <{X}b> 'c' )>> AS ?t) ('\\t\\r\\n' AS ?u) (' out ' AS ?v) {{}}",
    "SELECT * {}",
    f"SELECT ?o {{ <{X}none> ?p ?o }}",
    f"ASK {{ <{X}s1> ?p ?o }}",
    f"ASK {{ <{X}none> ?p ?o }}",
]


@pytest.mark.parametrize("format", sorted(ROWS))
@pytest.mark.parametrize("text", ORDINARY)
def test_rows_are_what_the_engine_itself_writes(
    sandbox: Sandbox, store: OxigraphStore, text: str, format: str
) -> None:
    found = store.query(text)
    assert not isinstance(found, ox.QueryTriples)
    result = sandbox.run(text, format=format)
    assert result.body == found.serialize(format=ROWS[format].of)
    assert (result.status, result.remark, result.revision) == (Status.complete, "", 7)


@pytest.mark.parametrize("format", sorted(GRAPHS))
@pytest.mark.parametrize("text", [f"CONSTRUCT WHERE {{ ?s <{X}label> ?l }}", f"DESCRIBE <{X}s3>", "CONSTRUCT WHERE {}"])
def test_statements_are_those_of_the_engine(sandbox: Sandbox, store: OxigraphStore, text: str, format: str) -> None:
    found = store.query(text)
    assert isinstance(found, ox.QueryTriples)
    result = sandbox.run(text, format=format)
    read = ox.parse(result.body, format=GRAPHS[format])
    assert {quad.triple for quad in read} == set(found)
    assert result.form == "graph"


def test_columns_and_the_suiting_format_are_told(sandbox: Sandbox) -> None:
    rows = sandbox.run("SELECT ?b ?a { VALUES (?a ?b) { (1 2) } }", format=["turtle", "csv"])
    assert (rows.form, rows.format, rows.columns, rows.rows) == ("rows", "csv", ("b", "a"), 1)
    assert rows.media_type == "text/csv; charset=utf-8"
    graph = sandbox.run("CONSTRUCT WHERE { ?s ?p ?o } LIMIT 1", format=["csv", "turtle"])
    assert (graph.form, graph.format) == ("graph", "turtle")
    with pytest.raises(BadQuestion, match="gives rows, which turtle cannot hold"):
        sandbox.run("SELECT * {}", format="turtle")
    with pytest.raises(BadQuestion, match="no format yaml"):
        sandbox.run("SELECT * {}", format="yaml")


def test_from_restricts_a_question_to_its_graphs(sandbox: Sandbox) -> None:
    count = "SELECT (COUNT(*) AS ?n) {} {{ ?s <{}service> ?o }}"

    def counted(clause: str, **graphs: list[str]) -> int:
        return int(sandbox.run(count.format(clause, X), format="csv", **graphs).body.split()[1])

    assert counted("") == 600
    assert counted(f"FROM <{X}g0>") == 200
    assert counted(f"from <{X}g0> FROM<{X}g1>") == 400
    assert counted(f"FROM NAMED <{X}g0>") == 0
    assert counted("", default_graphs=[X + "g0"]) == 200
    assert counted(f"FROM <{X}g0>", default_graphs=[X + "g1", X + "g2"]) == 400


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("SELECT * {", 1, None, "no whole SPARQL query"),
        ("SELECT * {\n  ?s b:c ?o\n}", 2, 6, "prefix b: is not declared"),
        ("SELECT * {\n ?s <p> ?o }", 2, 5, "<p> is no absolute IRI"),
        ("SELECT * { ?s ?p ?o } LIMIT x", 1, 29, 'breaks off before "x"'),
        ("\n hello", 2, 2, 'begins with "hello"'),
        ("SELECT ?s { ?s ?p ?o } GROUP BY ?p", 1, 35, "unbound"),
        ("", None, None, "no query"),
        ("# nothing", None, None, "no query"),
        (f"SELECT *\nFROM <{X}none> {{}}", 2, 6, f"no graph {X}none"),
        (f"PREFIX x: <{X}> SELECT * FROM NAMED x:none {{}}", 1, 53, f"no graph {X}none"),
        (f"PREFIX x: <{X}>\nINSERT DATA {{ x:a x:a x:a }}", 2, 1, "INSERT is an update"),
        ("delete where { ?s ?p ?o }", 1, 1, "DELETE is an update"),
        (f"LOAD <{X}>", 1, 1, "LOAD is an update"),
        ("DROP ALL", 1, 1, "DROP is an update"),
        ("CLEAR DEFAULT", 1, 1, "CLEAR is an update"),
        (f"WITH <{X}g0> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}", 1, 1, "WITH is an update"),
        ("SELECT * {} ; DROP ALL", 1, 19, 'breaks off before "ALL"'),
    ],
)
def test_what_is_no_question_is_refused_with_its_place(
    sandbox: Sandbox, text: str, line: int | None, column: int | None, words: str
) -> None:
    with pytest.raises(BadQuestion, match=words) as caught:
        sandbox.run(text)
    place = caught.value.place
    assert (place.line if place else None) == line
    assert column is None or (place is not None and place.column == column)
    assert caught.value.remedy


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    """Listen where no question may ever knock."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        yield listener


SPELLINGS = [
    "SELECT * { SERVICE <U> { ?s ?p ?o } }",
    "ASK { SERVICE SILENT <U> { ?s ?p ?o } }",
    "SELECT * { sErViCeSILENT<U>{ ?s ?p ?o } }",
    "SELECT * { ?s ?p 'SERVICE' . { SELECT * { OPTIONAL { service ?s {} } } } }",
    "PREFIX : <U> SELECT * { SERVICE:x { ?s ?p ?o } }",
    "PREFIX SERVICE: <U> PREFIX : <U> SELECT * { ?s ?p 1 . SERVICE:x { ?s ?p ?o } }",
    "PREFIX a: <U> SELECT * { ?s ?p ?o ; SERVICEa:x { ?s ?p ?o } }",
    "SELECT * { SERVICE#>\n<U> { ?s ?p ?o } }",
    "SELECT * { VALUES ?x { 1 } FILTER(?x<?x)SERVICE#>\n<U> { ?s ?p ?o } }",
    "SELECT * { FILTER EXISTS { SERVICE <U> { ?s ?p ?o } } }",
    "SELECT * { VALUES ?u { <U> } SERVICE ?u { ?s ?p ?o } }",
    "CONSTRUCT { ?s ?p ?o } WHERE { { { { SERVICE <U> { ?s ?p ?o } } } } }",
    "SELECT (1 AS ?service) { {} MINUS { SERVICE <U> { ?s ?p ?o } } } # service",
    "SELECT * { \\u0053ERVICE <U> { ?s ?p ?o } }",
    "SELECT * { \u017fERVICE <U> { ?s ?p ?o } }",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_another_service_is_never_asked_however_it_is_spelt(
    sandbox: Sandbox, listener: socket.socket, text: str
) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(BadQuestion) as caught:
        sandbox.run(text.replace("<U>", f"<{address}>"))
    assert caught.value.place is not None
    if "\\" not in text and "\u017f" not in text:
        assert "another service" in caught.value.message
        assert caught.value.place.line == 1


def test_nobody_knocked(listener: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_process_of_the_sandbox_has_given_up_network_programs_and_children(path: Path) -> None:
    script = """
import errno, os, socket
from graph.cell import seal
assert seal()
def refused(act):
    try: act()
    except OSError as fault: return fault.errno == errno.EPERM
    return False
print(refused(socket.socket), refused(os.fork), refused(lambda: os.execv('/bin/true', ['true'])))
import pyoxigraph as ox
try: list(ox.Store().query('SELECT * { SERVICE <http://127.0.0.1:8000/> { ?s ?p ?o } }'))
except PermissionError: print('closed')
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["True", "True", "True", "closed"]


# --- hostile --------------------------------------------------------------------------------------------------------

ALL = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i ."
HOSTILE = {
    "cartesian-order-by": f"SELECT * {{ {ALL} }} ORDER BY ?a",
    "cartesian-distinct": f"SELECT DISTINCT ?a ?d ?g {{ {ALL} FILTER(?c = ?g) }}",
    "count-of-a-cross-product": f"SELECT (COUNT(*) AS ?n) {{ {ALL} }}",
    "group-concat": f"SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) {{ {ALL} }}",
    "growing-text": "SELECT ?z { VALUES ?a { 'xxxxxxxxxx' } "
    + " ".join(
        f"BIND(CONCAT({', '.join(['?' + one] * 10)}) AS ?{two})"
        for one, two in zip("abcdefghi", "bcdefghiz", strict=True)
    )
    + "}",
    "deep-path": f"SELECT (COUNT(*) AS ?n) {{ ?a (<{X}next>+/<{X}next>*)+ ?b . ?c (<{X}next>|^<{X}next>)* ?d }}",
    "regex-bomb": f"SELECT * {{ {ALL} FILTER REGEX(CONCAT(STR(?a), STR(?d), STR(?g)), '((a{{1,100}}){{1,100}})$') }}",
    "endless-construct": f"CONSTRUCT {{ ?a <{X}p> [ <{X}q> ?d ] }} WHERE {{ {ALL} }}",
    "endless-rows": f"SELECT * {{ {ALL} }}",
    "wide-values": "SELECT * { " + "".join(f"VALUES ?v{n} {{ {'1 ' * 500}}} " for n in range(6)) + "} ORDER BY ?v1",
    "exists-of-exists": f"SELECT * {{ {ALL} FILTER NOT EXISTS {{ ?x ?y ?z . ?z ?u ?v . FILTER(?v = ?nothing) }} }}",
    "deep-groups": "SELECT * " + "{" * 60_000 + "}" * 60_000,
    "deep-brackets": "SELECT * { FILTER(" + "(" * 60_000 + "1" + ")" * 60_000 + ") }",
    "deep-negation": "SELECT * { FILTER(" + "!" * 200_000 + "true) }",
    "many-unions": "SELECT * { " + "{ ?s ?p ?o } UNION " * 20_000 + "{} }",
    "megabytes-of-values": "SELECT * { VALUES ?v { " + "'abcdefgh' " * 150_000 + "} } ORDER BY ?v",
    "megabytes-of-service": "SELECT * { # " + "service " * 200_000 + "\n ?s ?p ?o }",
    "megabytes-of-dots": "a." * 500_000,
    "megabytes-of-comment": "#" * 2_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_question_ends_within_its_limits(path: Path, hostile: Sandbox, name: str) -> None:
    begun = time.monotonic()
    try:
        result: Result | None = hostile.run(HOSTILE[name], limits=TIGHT, format=["json", "ntriples"])
    except BadQuestion:
        result = None
    assert time.monotonic() - begun < TIGHT.seconds + LATE
    if result is None or result.status is Status.complete:
        return
    assert "stopped at the limit" in result.remark
    assert result.rows <= TIGHT.rows
    assert len(result.body) <= TIGHT.size + 64 * 1024
    if result.form == "rows":
        assert len(json.loads(result.body)["results"]["bindings"]) == result.rows
    elif result.form == "graph":
        assert sum(1 for _ in ox.parse(result.body, format=ox.RdfFormat.N_TRIPLES)) <= result.rows


@pytest.fixture(scope="module")
def hostile(path: Path) -> Iterator[Sandbox]:
    """Give a pool of its own, and look whether the whole set left this process as small as it was."""
    with Sandbox(at(path), 2, waiting=4, patience=30.0) as sandbox:
        sandbox.wait_ready()
        before = _resident()
        yield sandbox
        assert _resident() - before < 64 * 1024 * 1024
        sandbox.wait_ready()
        left = sandbox.processes()
        assert len(left) == 2
    assert not any(alive(one) for one in left)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("cartesian-order-by", {Status.memory, Status.time}),
        ("growing-text", {Status.memory, Status.time}),
        ("count-of-a-cross-product", {Status.time}),
        ("endless-rows", {Status.size}),
        ("endless-construct", {Status.rows}),
    ],
)
def test_the_limit_that_was_hit_is_named(hostile: Sandbox, name: str, status: set[Status]) -> None:
    assert hostile.run(HOSTILE[name], limits=TIGHT, format=["json", "ntriples"]).status in status


def test_rows_found_before_the_time_was_up_are_given(sandbox: Sandbox) -> None:
    slow = f"SELECT ?a {{ {{ VALUES ?a {{ 1 2 3 }} }} UNION {{ SELECT (COUNT(*) AS ?a) {{ {ALL} }} }} }}"
    result = sandbox.run(slow, limits=Limits(seconds=1.0))
    assert (result.status, result.form) == (Status.time, "rows")
    assert json.loads(result.body)["results"]["bindings"] == [] or result.rows == 3


def test_a_full_answer_of_exactly_the_limit_is_complete(sandbox: Sandbox) -> None:
    text = "SELECT * { VALUES ?a { 1 2 3 } }"
    assert sandbox.run(text, limits=Limits(rows=3)).status is Status.complete
    cut = sandbox.run(text, limits=Limits(rows=2), format="xml")
    assert (cut.status, cut.rows) == (Status.rows, 2)
    assert len(list(ox.parse_query_results(cut.body, format=ox.QueryResultsFormat.XML))) == 2


def test_an_answer_too_large_is_cut_between_two_rows(sandbox: Sandbox) -> None:
    cut = sandbox.run(f"SELECT ?l {{ ?s <{X}label> ?l }}", format="csv", limits=Limits(size=1000))
    assert cut.status is Status.size
    assert len(cut.body) < 1100
    assert cut.body.count(b"\r\n") == cut.rows + 1 > 10


def test_a_text_too_long_is_refused_unread(sandbox: Sandbox) -> None:
    with pytest.raises(BadQuestion, match="KiB is the most"):
        sandbox.run("#" * 300_000)


# --- processes ------------------------------------------------------------------------------------------------------


def test_a_process_killed_from_outside_is_told_and_replaced(path: Path) -> None:
    with Sandbox(at(path), 1) as sandbox:
        sandbox.wait_ready()
        victim = sandbox.processes()[0]
        threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
        with pytest.raises(StoreFault, match="ended from outside"):
            sandbox.run(HOSTILE["count-of-a-cross-product"])
        assert sandbox.run("ASK {}").rows == 1
        assert not alive(victim)
        # and of one that was idle nobody notices anything
        os.kill(sandbox.processes()[0], signal.SIGKILL)
        time.sleep(0.1)
        assert sandbox.run("ASK {}").rows == 1


def test_a_stopped_process_is_killed_when_the_time_is_up(path: Path) -> None:
    with Sandbox(at(path), 1) as sandbox:
        sandbox.wait_ready()
        os.kill(sandbox.processes()[0], signal.SIGSTOP)
        assert sandbox.run("ASK {}", limits=Limits(seconds=0.2)).status is Status.time


def test_nothing_is_left_when_the_sandbox_closes_in_the_midst_of_a_question(path: Path) -> None:
    sandbox = Sandbox(at(path), 2)
    sandbox.wait_ready()
    processes = sandbox.processes()
    told: list[Fault] = []

    def ask() -> None:
        try:
            sandbox.run(HOSTILE["count-of-a-cross-product"])
        except Fault as fault:
            told.append(fault)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.2)
    sandbox.close()
    asking.join(5)
    assert len(told) == 1
    assert not any(alive(one) for one in processes)
    assert not children() & set(processes)
    with pytest.raises(StoreFault, match="stopping"):
        sandbox.run("ASK {}")


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_is_left_when_the_parent_is_killed(path: Path, busy: bool) -> None:
    script = f"""
import sys, threading
from pathlib import Path
from graph.sandbox import Sandbox, at
sandbox = Sandbox(at(Path({str(path)!r})), 2)
sandbox.wait_ready()
if {busy}:
    threading.Thread(target=sandbox.run, args=({HOSTILE["count-of-a-cross-product"]!r},)).start()
print(*sandbox.processes(), flush=True)
threading.Event().wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        processes = [int(one) for one in parent.stdout.readline().split()]
        assert len(processes) == 2
        time.sleep(0.1)
        parent.kill()
    assert until(lambda: not any(alive(one) for one in processes))


def test_too_many_questions_are_told_that_it_is_busy(path: Path) -> None:
    with Sandbox(at(path), 1, waiting=1, patience=0.5) as sandbox:
        sandbox.wait_ready()
        long = threading.Thread(
            target=sandbox.run, args=(HOSTILE["count-of-a-cross-product"],), kwargs={"limits": Limits(seconds=2.0)}
        )
        long.start()
        time.sleep(0.2)
        outcomes: list[str] = []

        def ask() -> None:
            try:
                sandbox.run("ASK {}")
            except Busy as fault:
                outcomes.append(fault.message)

        waiting = [threading.Thread(target=ask) for _ in range(3)]
        for one in waiting:
            one.start()
        for one in waiting:
            one.join()
        assert sorted(outcomes) == ["All processes for queries are busy", *["Too many queries are waiting"] * 2]
        long.join()
        assert sandbox.run("ASK {}").rows == 1


def test_many_threads_are_answered_each_its_own(sandbox: Sandbox) -> None:
    wrong: list[str] = []

    def ask(number: int) -> None:
        for turn in range(10):
            value = number * 100 + turn
            body = sandbox.run(f"SELECT ({value} AS ?n) {{}}", format="csv").body
            if body != f"n\r\n{value}\r\n".encode():
                wrong.append(body.decode())

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert not wrong


def test_a_process_that_has_grown_is_replaced(path: Path) -> None:
    with Sandbox(at(path), 1) as sandbox:
        sandbox.wait_ready()
        for _ in range(3):
            sandbox.run("SELECT * { " + "".join(f"VALUES ?v{n} {{ {'1 ' * 90}}} " for n in range(3)) + "} ORDER BY ?v1")
        sandbox.wait_ready()
        status = Path(f"/proc/{sandbox.processes()[0]}/statm").read_text().split()
        assert int(status[1]) * os.sysconf("SC_PAGE_SIZE") < 160 * 1024 * 1024


# --- what is read ---------------------------------------------------------------------------------------------------


def test_questions_move_to_the_newest_checkpoint_and_let_the_old_one_go(tmp_path: Path) -> None:
    live = OxigraphStore(tmp_path / "live")
    live.load(quads(3), 1)
    folder = tmp_path / "checkpoints"
    checkpoints = Checkpoints(folder, live)
    first = checkpoints.take()
    with Sandbox(newest_of(folder), 2, every=0.1) as sandbox:
        sandbox.wait_ready()
        assert sandbox.run("ASK {}").revision == 1
        more = ox.Quad(ox.NamedNode(X + "new"), ox.NamedNode(X + "p"), ox.Literal(1), ox.NamedNode(X + "g0"))
        live.apply((), [more], 2)
        checkpoints.take(anew=True)
        assert sandbox.run(f"ASK {{ <{X}new> ?p ?o }}", at_least=2).body == b'{"head":{},"boolean":true}'
        assert until(lambda: not first.path.exists())
        with pytest.raises(Busy, match="Change 3 cannot be read yet"):
            Sandbox(newest_of(folder), 1, patience=0.2).run("ASK {}", at_least=3)


def test_without_anything_to_read_that_is_said(tmp_path: Path) -> None:
    with Sandbox(newest_of(tmp_path), 1) as sandbox, pytest.raises(StoreFault, match="no checkpoint"):
        sandbox.run("ASK {}")
