"""Break the connection to a remote store in every way: each failure is a fault, no change is lost, none is doubled."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyoxigraph as ox
import pytest

from graph.errors import BadSetting, StoreFault
from graph.remote import RemoteStore, open_store
from graph.store import OxigraphStore
from graph.terms import DCT, D, Graphs
from graph.wire import Credentials, Patience, Unsettled
from tests.answering.registers import X
from tests.store.breaking import LATE, Breaking, Fate, Scripted, at_random
from tests.store.serving import Oxigraph
from tests.store.test_contract import G1, G2, P, Q, held, said

HURRIED = Patience(timeout=LATE * 0.7, tries=4, pause=0.002)
RESULTS = {"Content-Type": "application/sparql-results+json"}
NOTHING = b'{"head":{"vars":["part","mark"]},"results":{"bindings":[]}}'


def reached(at: str, **options: object) -> RemoteStore:
    """Open the store behind an address as impatiently as a test must be."""
    return RemoteStore(query=f"{at}/query", update=f"{at}/update", **{"patience": HURRIED, **options})  # type: ignore[arg-type]


@dataclass
class Journal:
    """Hold numbered changes, as the register's journal does, and the embedded store they lead to."""

    changes: list[tuple[list[ox.Quad], list[ox.Quad]]]

    def state(self, revision: int) -> set[ox.Quad]:
        store = OxigraphStore()
        for number, (removed, added) in enumerate(self.changes[:revision], 1):
            store.apply(removed, added, number)
        return held(store)


def journal(chance: Random, length: int) -> Journal:
    """Make changes that undo one another as often as not, small ones and ones of several updates."""
    everything = [
        said(X + f"n{number % 6}", (P, Q)[number % 2], ox.Literal(number), (G1, G2)[number % 3 == 0])
        for number in range(36)
    ]
    sizes = [1, 3, 16]
    return Journal(
        [
            (chance.sample(everything, chance.choice(sizes)), chance.sample(everything, chance.choice(sizes)))
            for _ in range(length)
        ]
    )


def follow(told: Journal, at: str, chance: Random, direct: RemoteStore, attempts: int = 400) -> list[StoreFault]:
    """Bring the store up to the journal's last change, through whatever happens; return the faults on the way.

    After each change that was acknowledged, the server (asked past the proxy) must hold it, whole and once.
    """
    faults: list[StoreFault] = []
    store: RemoteStore | None = None
    try:
        for _ in range(attempts):
            try:
                if store is None:
                    store = reached(at, at_once=5)
                revision = store.revision
                if revision == len(told.changes):
                    return faults
                removed, added = told.changes[revision]
                store.apply(removed, added, revision + 1)
                assert held(direct) == told.state(revision + 1)
            except StoreFault as fault:
                faults.append(fault)
                if store is not None and chance.randrange(2):
                    store.close()
                    store = None
    finally:
        if store is not None:
            store.close()
    raise AssertionError("the store never got there")


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oxigraph]:
    server = Oxigraph(tmp_path_factory.mktemp("lasting"))
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("seed", range(8))
def test_no_change_is_lost_or_doubled_whatever_becomes_of_the_requests(
    running: Oxigraph, lasting: Oxigraph, seed: int
) -> None:
    server = lasting if seed % 2 else running
    server.update("DROP ALL")
    chance = Random(seed)
    told = journal(chance, 8)
    proxy = Breaking(server.port, at_random(chance, (0.15, 0.3, 0.45)[seed % 3]))
    with closing(reached(server.address, patience=Patience())) as direct:
        try:
            faults = follow(told, proxy.address, chance, direct)
            # What was held back on the way arrives now, after everything else: it must not change anything.
            proxy.calm()
            assert held(direct) == told.state(len(told.changes))
            with closing(reached(proxy.address)) as again:
                assert again.revision == len(told.changes)
                removed, added = told.changes[-1]
                again.apply(removed, added, again.revision)
                assert held(again) == told.state(len(told.changes))
        finally:
            proxy.stop()
    assert all(fault.message and fault.remedy for fault in faults)
    assert len(set(proxy.met)) > 4


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.passes], ids=lambda fate: fate.name)
@pytest.mark.parametrize("size", [1, 14], ids=["in one update", "in several"])
def test_each_mishap_on_the_way_of_a_change_is_survived(server: Oxigraph, fate: Fate, size: int) -> None:
    """Let each request of a change meet the mishap in turn: the marks, the turn, the pieces, the last look."""
    with closing(reached(server.address, patience=Patience())) as direct:
        for place in range(3, 6) if fate in (Fate.late, Fate.slow) else range(9):
            server.update("DROP ALL")
            proxy = Breaking(server.port, iter([*[Fate.passes] * place, fate]))
            old = [said(X + f"old{number}", P, X + "b") for number in range(size)]
            new = [said(X + f"new{number}", P, X + "b") for number in range(size)]
            told = Journal([((), old), (old, new)])  # type: ignore[list-item]
            try:
                follow(told, proxy.address, Random(place), direct)
                proxy.calm()
                assert held(direct) == set(new)
            finally:
                proxy.stop()
            if fate not in proxy.met:
                break


def test_loading_clearing_and_noting_survive_as_well(server: Oxigraph) -> None:
    quads = [said(X + f"n{number}", P, ox.Literal(number), (G1, G2)[number % 2]) for number in range(40)]
    chance = Random(5)
    proxy = Breaking(server.port, at_random(chance, 0.35))

    def surely(step: str, *arguments: object) -> None:
        for _ in range(200):
            try:
                with closing(reached(proxy.address, at_once=9)) as store:
                    getattr(store, step)(*arguments)
                    return
            except StoreFault:
                pass
        raise AssertionError(step)

    try:
        surely("load", quads, 1)
        surely("clear", G1.value)
        surely("note", Graphs.standings, 1)
    finally:
        proxy.stop()
    with closing(reached(server.address)) as direct:
        assert held(direct) == {quad for quad in quads if quad.graph_name == G2}
        assert (direct.revision, direct.noted(Graphs.standings)) == (1, 1)


def test_what_is_read_through_a_breaking_connection_is_right_or_a_fault(server: Oxigraph) -> None:
    quads = {said(X + f"n{number}", P, ox.Literal(f"số {number}")) for number in range(60)}
    with closing(reached(server.address)) as direct:
        direct.load(quads, 1)
    nodes = sorted({quad.subject.value for quad in quads})
    proxy = Breaking(server.port, at_random(Random(11), 0.5))
    right = faults = 0
    try:
        for _ in range(40):
            try:
                with closing(reached(proxy.address)) as store:
                    assert set(store.outgoing(nodes)) == quads
                    assert set(store.contents(G1.value)) == quads
                    assert held(store) == quads
                    right += 1
            except StoreFault:
                faults += 1
    finally:
        proxy.stop()
    assert right > 5
    assert faults > 0


def test_a_server_killed_in_the_middle_of_changes_loses_none_that_it_acknowledged(tmp_path: Path) -> None:
    server = Oxigraph(tmp_path / "graph")
    chance = Random(3)
    told = journal(chance, 60)
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.15):
            server.stop()
            server.start()

    killer = threading.Thread(target=kill)
    killer.start()
    store: RemoteStore | None = None
    acknowledged = 0
    try:
        for _ in range(2_000):
            try:
                store = store or reached(server.address, at_once=5)
                if store.revision == len(told.changes):
                    break
                removed, added = told.changes[store.revision]
                store.apply(removed, added, store.revision + 1)
                acknowledged = store.revision
            except StoreFault:
                if store is not None:
                    store.close()
                store = None
                time.sleep(0.01)
        assert acknowledged == len(told.changes)
    finally:
        done.set()
        killer.join()
        if store is not None:
            store.close()
        with closing(reached(server.address)) as direct:
            found, revision = held(direct), direct.revision
        server.stop()
    assert revision == len(told.changes)
    assert found == told.state(len(told.changes))


def test_a_server_that_forgot_everything_is_noticed_and_filled_again() -> None:
    server = Oxigraph()
    try:
        told = journal(Random(4), 6)
        with closing(reached(server.address)) as store:
            for number, (removed, added) in enumerate(told.changes[:4], 1):
                store.apply(removed, added, number)
            server.stop()
            server.start()
            with pytest.raises(StoreFault):
                store.apply(*told.changes[4], 5)
            with pytest.raises(StoreFault, match="stands at change 0, not at 4"):
                store.apply(*told.changes[4], 5)
            while store.revision < len(told.changes):
                store.apply(*told.changes[store.revision], store.revision + 1)
            assert held(store) == told.state(6)
    finally:
        server.stop()


def test_a_change_begun_and_not_done_is_seen_and_done_again(server: Oxigraph) -> None:
    big = [said(X + f"n{number}", P, X + "b") for number in range(12)]
    opening, turn, pieces = 1, 3, 2
    fates = [*[Fate.passes] * (opening + turn + pieces), *[Fate.dropped_before] * 20]
    proxy = Breaking(server.port, iter(fates))
    try:
        with closing(reached(proxy.address, at_once=5)) as store, pytest.raises(StoreFault):
            store.apply((), big, 1)
        proxy.calm()
        with closing(reached(proxy.address, read_only=True)) as reader:
            assert 0 < len(held(reader)) < 12
            with pytest.raises(StoreFault, match="Change 1 was begun in the store and is not done"):
                _ = reader.revision
            with closing(reached(proxy.address, at_once=5)) as store:
                assert store.revision == 0
                store.apply((), big, 1)
            assert reader.revision == 1
            assert held(reader) == set(big)
    finally:
        proxy.stop()


def test_a_change_done_again_in_pieces_and_interrupted_does_not_count_as_done(server: Oxigraph) -> None:
    old = [said(X + f"old{number}", P, X + "b") for number in range(8)]
    new = [said(X + f"new{number}", P, X + "b") for number in range(8)]
    proxy = Breaking(server.port, iter(()))
    try:
        with closing(reached(proxy.address, at_once=5)) as store:
            store.apply((), old, 1)
            store.apply(old, [*old, *new], 2)
            proxy.fates = iter([Fate.passes, *[Fate.dropped_before] * 20])
            with pytest.raises(StoreFault):
                store.apply(old, [*old, *new], 2)
            proxy.calm()
            assert store.revision == 1
            with closing(reached(proxy.address, at_once=5)) as again:
                assert again.revision == 1
                again.apply(old, [*old, *new], 2)
                assert held(again) == {*old, *new}
    finally:
        proxy.stop()


def test_an_update_that_ran_beside_later_ones_is_noticed_and_what_it_spoiled_is_done_again(server: Oxigraph) -> None:
    """Let the second change end once more after the fourth, as a service may that does not keep updates apart."""
    told = journal(Random(8), 4)
    with closing(reached(server.address)) as store:
        for number, (removed, added) in enumerate(told.changes, 1):
            store.apply(removed, added, number)
            store.note(Graphs.standings, number)
        removed, added = told.changes[1]
        lines = [
            " ".join(f"GRAPH {one.graph_name} {{ {one.subject} {one.predicate} {one.object} }}" for one in quads)
            for quads in (removed, added)
        ]
        server.update(f"DELETE DATA {{ {lines[0]} }} ; INSERT DATA {{ {lines[1]} }}")
        mark = f'<{Graphs.projection}/turn> <{DCT.identifier}> "an-earlier-session.7@2"'
        server.update(f"INSERT DATA {{ GRAPH <{Graphs.projection}> {{ {mark} }} }}")
        assert held(store) != told.state(4)
        with closing(reached(server.address)) as other:
            assert other.revision == 1
        with pytest.raises(StoreFault, match="not as this process left it"):
            store.apply((), (), 5)
        with pytest.raises(StoreFault, match="stands at change 1, not at 4"):
            store.apply((), (), 5)
        assert (store.revision, store.noted(Graphs.standings)) == (1, 1)
        for number in (2, 3, 4):
            store.apply(*told.changes[number - 1], number)
        assert held(store) == told.state(4)


def test_only_one_process_at_a_time_writes_and_the_other_is_told(server: Oxigraph) -> None:
    with closing(reached(server.address)) as first, closing(reached(server.address)) as second:
        first.apply((), [said(X + "a", P, X + "b")], 1)
        with pytest.raises(StoreFault, match="stands at change 1, not at 0"):
            second.apply((), [said(X + "a", P, X + "c")], 1)
        second.apply((), [said(X + "a", P, X + "c")], 2)
        with pytest.raises(StoreFault, match="another one writes to it"):
            first.apply((), [said(X + "a", P, X + "d")], 2)
        assert held(second) == {said(X + "a", P, X + "b"), said(X + "a", P, X + "c")}


def test_a_store_opened_for_reading_writes_nothing(server: Oxigraph) -> None:
    with closing(reached(server.address, read_only=True)) as reader:
        with pytest.raises(StoreFault, match="for reading only"):
            reader.apply((), (), 1)
        with pytest.raises(StoreFault, match="for reading only"):
            reader.clear(G1.value)
        assert reader.revision == 0


def test_what_a_remote_store_cannot_keep_is_refused_before_anything_is_sent(server: Oxigraph) -> None:
    blank = ox.Quad(ox.BlankNode("x"), ox.NamedNode(P), ox.NamedNode(Q), G1)
    unnamed = ox.Quad(ox.NamedNode(X + "a"), ox.NamedNode(P), ox.NamedNode(Q))
    with closing(reached(server.address)) as store:
        for wrong, words in ((blank, "cannot keep"), (unnamed, "no named graph")):
            with pytest.raises(StoreFault, match=words):
                store.apply((), [said(X + "a", P, X + "b"), wrong], 1)
        assert held(store) == set()
        assert not store.capabilities.blank_nodes


# --- what a reader is told --------------------------------------------------------------------------------------------


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted([(200, RESULTS, NOTHING)])
    try:
        yield server
    finally:
        server.stop()


def fault_of(scripted: Scripted, *answers: tuple[int, dict[str, str], bytes], **options: object) -> StoreFault:
    """Open the store and ask for edges, for which these answers are given; return the fault."""
    with closing(RemoteStore(scripted.address + "/sparql?key=hush", patience=HURRIED, **options)) as store:  # type: ignore[arg-type]
        scripted.answers = list(answers)
        with pytest.raises(StoreFault) as found:
            list(store.outgoing([X + "a"]))
    fault = found.value
    assert str(fault.place) == scripted.address + "/sparql"
    assert fault.remedy
    return fault


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, RESULTS, b'{"head":{"vars":["s","p","o","g"]},"results":{"bindings":[{"s":{"ty'), "half an answer"),
        ((200, RESULTS, NOTHING + b"The operation was cancelled"), "half an answer"),
        ((200, RESULTS, b""), "half an answer"),
        ((200, RESULTS, b'{"head":{},"boolean":true}'), "half an answer"),
        ((200, {**RESULTS, "Content-Length": "999"}, NOTHING), "connection to the store was lost|did not answer|broke"),
        ((200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), "answered with text/html: <html>Log in"),
        ((200, {"Content-Type": "application/sparql-results+xml"}, b"<sparql/>"), "answered with application/sparql"),
        ((200, {}, NOTHING), "answered with an unnamed kind of text"),
        ((400, {}, b"error at 1:39: expected {"), "400 Bad Request: error at 1:39"),
        ((401, {}, b""), "401 Unauthorized"),
        ((404, {}, b"no such repository"), "404 Not Found: no such repository"),
        (
            (500, {}, b"java.lang.OutOfMemoryError\n\tat x"),
            "500 Internal Server Error: java.lang.OutOfMemoryError at x",
        ),
        ((503, {"Retry-After": "0"}, b""), "503 Service Unavailable"),
        ((302, {"Location": "https://elsewhere.example.org/"}, b""), "sends elsewhere, which is not followed"),
        ((200, {**RESULTS, "X-SPARQL-MaxRows": "0"}, NOTHING), "cut its answer off after 0 rows"),
        ((200, {**RESULTS, "X-SQL-State": "S1TAT"}, NOTHING), "cut its answer off"),
    ],
)
def test_every_wrong_answer_is_a_fault_that_says_what_came(
    scripted: Scripted, answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    fault = fault_of(scripted, answer)
    assert re.search(words, fault.message), fault.message


def test_a_question_is_put_again_until_it_is_answered(scripted: Scripted) -> None:
    with closing(RemoteStore(scripted.address, patience=HURRIED)) as store:
        good = (200, RESULTS, NOTHING.replace(b'"part","mark"', b'"s","p","o","g"'))
        scripted.answers = [(503, {}, b""), (200, RESULTS, b'{"head"'), (500, {}, b""), good]
        scripted.asked.clear()
        assert list(store.outgoing([X + "a"])) == []
        assert len(scripted.asked) == 4


def test_what_the_store_refuses_is_not_put_again(scripted: Scripted) -> None:
    with closing(RemoteStore(scripted.address, patience=HURRIED)) as store:
        scripted.answers = [(400, {}, b"no")]
        scripted.asked.clear()
        with pytest.raises(StoreFault):
            store.query("SELECT nonsense")
        assert len(scripted.asked) == 1


def test_a_slow_answer_is_given_up_in_time_and_not_asked_for_again(server: Oxigraph) -> None:
    proxy = Breaking(server.port, iter([Fate.passes, *[Fate.slow] * 9]))
    try:
        with closing(reached(proxy.address)) as store:
            started = time.monotonic()
            with pytest.raises(Unsettled, match=f"did not answer within {HURRIED.timeout:g} seconds") as fault:
                list(store.outgoing([X + "a"]))
            assert time.monotonic() - started < 2 * LATE
            assert fault.value.slow
            assert proxy.met.count(Fate.slow) == 1
    finally:
        proxy.stop()


def test_nobody_at_the_address_is_a_fault_at_once() -> None:
    server = Oxigraph()
    server.stop()
    with pytest.raises(StoreFault, match="Connection refused") as fault:
        reached(server.address)
    assert "Start the store" in fault.value.remedy


# --- secrets and the setting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credentials", [Credentials("ngân", "pass-phrase"), Credentials(token="to-ken-42")])
def test_what_proves_who_asks_travels_and_is_never_told(scripted: Scripted, credentials: Credentials) -> None:
    authorization = credentials.authorization()
    told = " ".join([authorization, credentials.password, credentials.token])
    fault = fault_of(scripted, (403, {}, told.encode()), credentials=credentials)
    assert all(dict(headers)["Authorization"] == authorization for _, headers, _ in scripted.asked)
    assert all("key=hush" in path for path, _, _ in scripted.asked)
    shown = f"{fault} {fault!r} {credentials!r} {fault.place}"
    assert "***" in fault.message
    assert not [secret for secret in (*credentials.secrets(), "hush") if secret in shown]


def test_credentials_come_from_the_environment_or_the_netrc_file(scripted: Scripted, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login lan password tre\n")
    netrc.chmod(0o600)
    for environment, expected in (
        ({"NETRC": str(netrc)}, Credentials("lan", "tre")),
        ({"NETRC": str(netrc), "DIABA_STORE_TOKEN": "t"}, Credentials(token="t")),
        ({"DIABA_STORE_USER": "mai", "DIABA_STORE_PASSWORD": "x"}, Credentials("mai", "x")),
        ({"NETRC": str(tmp_path / "none")}, Credentials()),
    ):
        with closing(open_store(scripted.address + "/sparql", environment)) as store:
            assert store.wire.credentials == expected
    netrc.write_text("machine what\nis this\n")
    with pytest.raises(BadSetting, match="netrc"):
        open_store(scripted.address, {"NETRC": str(netrc)})
    with pytest.raises(BadSetting, match="Only one of"):
        open_store(scripted.address, {"DIABA_STORE_USER": "mai"})


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("", "It needs one address"),
        ("query=https://a.example.org/q", "It needs one address"),
        ("https://a.example.org update=https://a.example.org/u", "one address for all"),
        ("https://a.example.org https://b.example.org", "twice"),
        ("ftp://a.example.org/", "no address"),
        ("https://", "no address"),
        ("https://a.example.org:port/", "no address"),
        ("https://lan:tre@a.example.org/sparql", "holds a name or a password"),
        ("https://a.example.org timeout=soon", "no number for timeout"),
        ("https://a.example.org at-once=0", "no number for at-once"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(setting: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=words) as fault:
        open_store(setting, {"NETRC": str(tmp_path / "none")})
    assert "tre" not in str(fault.value).replace("store", "")


def test_a_password_does_not_travel_without_encryption() -> None:
    with pytest.raises(BadSetting, match="without encryption"):
        open_store("http://store.example.org/sparql", {"DIABA_STORE_TOKEN": "t"})


def test_one_address_stands_for_an_oxigraph_server_or_for_one_service(scripted: Scripted, tmp_path: Path) -> None:
    nobody = {"NETRC": str(tmp_path / "none")}
    at = scripted.address
    for setting, query, update, graphs in (
        (at, "/query", "/update", None),
        (at + "/", "/query", "/update", None),
        (at + "/sparql", "/sparql", "/sparql", None),
        (f"query={at}/repositories/r update={at}/repositories/r/statements graph-store={at}/g",
         "/repositories/r", "/repositories/r/statements", at + "/g"),
    ):  # fmt: skip
        with closing(open_store(setting, nobody)) as store:
            assert (store.wire.query, store.wire.update, store.wire.graphs) == (at + query, at + update, graphs)


def test_the_marks_stand_where_the_page_says(server: Oxigraph) -> None:
    with closing(reached(server.address)) as store:
        store.apply((), (), 7)
        marks = {(quad.subject.value, quad.predicate.value) for quad in store.contents(Graphs.projection)}
    assert marks == {
        (Graphs.projection, D.revision),
        (Graphs.projection + "/begun", D.revision),
        (Graphs.projection + "/turn", DCT.identifier),
    }
