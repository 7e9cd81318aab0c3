"""A register whose graph is kept in a service says what an embedded one says, whatever becomes of the connection."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from graph import archive, remote
from graph import register as register_module
from graph.answering import who
from graph.errors import DataDirectory, StoreFault
from graph.journal import read_instant
from graph.register import Register
from graph.remote import open_store
from graph.terms import D, Graphs
from graph.wire import Patience
from tests.store.breaking import Breaking, Fate, at_random
from tests.store.serving import Oxigraph

X = "https://example.org/"
HURRIED = Patience(timeout=10.0, tries=4, pause=0.002)

STATED = """
@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix x: <https://example.org/> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix role: <https://w3id.org/diaba/role/> .
"""


def stated(folder: Path, name: str, holder: str, count: int = 1) -> Path:
    """Write a source with so many datasets that one body answers for."""
    lines = [STATED, f"x:{name}-office a d:Agency ."]
    for number in range(count):
        lines.append(
            f'x:{name}-{number} a dcat:Dataset ; dct:title "{name} {number}"@en . '
            f"x:on-{name}-{number} a d:Responsibility ; d:holder x:{holder} ; d:role role:accountable ; "
            f"d:covers x:{name}-{number} ."
        )
    path = folder / f"{name}.ttl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def everything(register: Register) -> set[str]:
    """Return all that the register holds, save the marks of its graph."""
    found = set()
    for reader in (register.reader.graph, register.reader.history):
        rows = reader.query(f"SELECT ?g ?s ?p ?o {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{Graphs.projection}>) }}")
        found |= {" ".join(map(str, row)) for row in rows}  # type: ignore[union-attr]
    return found


def anew(register: Register, folder: Path) -> set[str]:
    """Return what an embedded register holds that is made of the same journal."""
    archive.backup(register.data, folder / "copy")
    archive.restore(folder / "copy", folder / "embedded")
    with Register.open(folder / "embedded") as embedded:
        found = everything(embedded)
    for name in ("copy", "embedded"):
        shutil.rmtree(folder / name)
    return found


@pytest.fixture(autouse=True)
def no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


@pytest.fixture
def data(server: Oxigraph, tmp_path: Path) -> Path:
    """Return a data directory whose graph is on the server."""
    Register.create(tmp_path / "data", pack=None, store=server.address).close()
    return tmp_path / "data"


def test_a_register_is_made_filled_asked_and_made_anew_on_a_service(
    data: Path, server: Oxigraph, tmp_path: Path
) -> None:
    assert not (data / "graph").exists()
    with Register.open(data, store=server.address) as register:
        assert register.passport.store == f"{server.address}/update"
        register.load(stated(tmp_path, "wells", "moc", 3), X + "wells")
        register.load(stated(tmp_path, "wells", "mae", 3), X + "wells")
        register.load(stated(tmp_path, "roads", "mot", 0), X + "roads")
        before = everything(register)
        assert before == anew(register, tmp_path)
        assert who(register.reader, X + "wells-1").accountable.holders == (X + "mae",)
        moment = read_instant(next(iter(register.journal.changes(1))).at)
        assert who(register.reader, X + "wells-1", known_at=moment).accountable.holders == (X + "moc",)
        assert [hit.iri for hit in register.reader.search.search("wells 2")][:1] == [X + "wells-2"]
        register.rebuild()
        assert register.settled
        assert everything(register) == before
        assert register.load(stated(tmp_path, "wells", "mae", 3), X + "wells").unchanged
    assert not (data / "graph").exists()
    with Register.open(data, store=server.address) as register:
        assert everything(register) == before
    with Register.open(data, store=server.address, rebuild=True) as register:
        assert everything(register) == before
        assert register.settled


def test_another_setting_is_refused_with_what_to_do(data: Path, server: Oxigraph) -> None:
    for setting, says in (("", "the data directory itself"), ("http://127.0.0.1:9/sparql", "http://127.0.0.1:9/sparql")):
        with pytest.raises(DataDirectory) as told:
            Register.open(data, store=setting)
        assert told.value.message.endswith(f"kept in {server.address}/update, and DIABA_STORE says {says}")
        assert told.value.remedy == (
            f"Set DIABA_STORE to {server.address}/update, or move the graph there with diaba rebuild."
        )
    query, update = f"query={server.address}/query", f"update={server.address}/update"
    Register.open(data, store=f"{query} {update} timeout=20").close()  # the same store in other words


def test_a_graph_is_moved_by_a_rebuild_there_and_back(data: Path, server: Oxigraph, tmp_path: Path) -> None:
    with Register.open(data, store=server.address) as register:
        register.load(stated(tmp_path, "wells", "moc", 3), X + "wells")
        before = everything(register)
    with Register.open(data, rebuild=True) as register:
        assert everything(register) == before
        assert register.passport.store == ""
        register.load(stated(tmp_path, "roads", "mot"), X + "roads")
        after = everything(register)
    with pytest.raises(DataDirectory, match="Unset DIABA_STORE"):
        Register.open(data, store=server.address)
    with Register.open(data, store=server.address, rebuild=True) as register:
        assert everything(register) == after
    assert not (data / "graph").exists()


class TestWhose:
    """A store belongs to one register, and to one making of its graph."""

    def test_a_store_with_statements_of_nobody_is_left_alone(self, server: Oxigraph, tmp_path: Path) -> None:
        server.update("INSERT DATA { GRAPH <https://example.org/theirs> { <http://a/s> <http://a/p> 1 } }")
        with pytest.raises(StoreFault, match="statements that no register has put there") as told:
            Register.create(tmp_path / "data", pack=None, store=server.address)
        assert "empty" in told.value.remedy
        assert list(tmp_path.iterdir()) == []
        Register.create(tmp_path / "data", pack=None).close()
        with pytest.raises(StoreFault, match="statements that no register has put there"):
            Register.open(tmp_path / "data", store=server.address, rebuild=True)
        Register.open(tmp_path / "data").close()
        with closing(open_store(server.address)) as store:
            assert len(list(store.contents(X + "theirs"))) == 1

    def test_the_store_of_another_register_is_left_alone(self, data: Path, server: Oxigraph, tmp_path: Path) -> None:
        with pytest.raises(StoreFault, match="holds the graph of another register"):
            Register.create(tmp_path / "other", pack=None, store=server.address)
        Register.create(tmp_path / "other", pack=None).close()
        with pytest.raises(StoreFault, match="holds the graph of another register"):
            Register.open(tmp_path / "other", store=server.address, rebuild=True)
        Register.open(data, store=server.address).close()

    def test_a_restored_copy_does_not_take_the_store_of_the_one_at_work(
        self, data: Path, server: Oxigraph, tmp_path: Path
    ) -> None:
        archive.backup(data, tmp_path / "copy")
        with pytest.raises(StoreFault, match="holds the graph of another register"):
            archive.restore(tmp_path / "copy", tmp_path / "restored", store=server.address)
        assert not (tmp_path / "restored").exists()
        archive.restore(tmp_path / "copy", tmp_path / "restored")
        with Register.open(tmp_path / "restored") as register:
            assert register.passport.store == ""
        Register.open(data, store=server.address).close()

    def test_a_directory_whose_store_another_copy_took_over_is_told_so(
        self, data: Path, server: Oxigraph, tmp_path: Path
    ) -> None:
        shutil.copytree(data, tmp_path / "twin")
        Register.open(tmp_path / "twin", store=server.address, rebuild=True).close()
        with pytest.raises(StoreFault, match="made anew for another data directory of this register") as told:
            Register.open(data, store=server.address)
        assert "diaba rebuild" in told.value.remedy
        Register.open(data, store=server.address, rebuild=True).close()
        Register.open(data, store=server.address).close()

    def test_a_store_that_lost_everything_is_filled_again(self, data: Path, server: Oxigraph, tmp_path: Path) -> None:
        with Register.open(data, store=server.address) as register:
            register.load(stated(tmp_path, "wells", "moc"), X + "wells")
            before = everything(register)
        server.update("DROP ALL")
        with Register.open(data, store=server.address) as register:
            assert everything(register) == before
            server.update("DROP ALL")  # as a service in memory that restarts
            for _ in range(2):  # once it is noticed, once it is found how much is lost
                with suppress(StoreFault):
                    register.load(stated(tmp_path, "roads", "mot"), X + "roads")
            register.load(stated(tmp_path, "roads", "mot"), X + "roads")
            assert everything(register) == anew(register, tmp_path)


class TestMakingAnew:
    """A graph that is made anew where it is counts for nothing until all of it is there."""

    @pytest.mark.parametrize("where", ["taken", "emptied", "followed", "swapped"])
    def test_a_rebuild_that_broke_off_is_gone_on_with_by_whoever_opens_it(
        self, data: Path, server: Oxigraph, tmp_path: Path, where: str
    ) -> None:
        with Register.open(data, store=server.address) as register:
            register.load(stated(tmp_path, "wells", "moc", 3), X + "wells")
            register.load(stated(tmp_path, "wells", "mae", 3), X + "wells")
            before = everything(register)

        def stop(*_: object, **__: object) -> None:
            raise StoreFault("The connection to the store was lost")

        with pytest.MonkeyPatch.context() as patch:
            {
                "taken": lambda: patch.setattr(remote.RemoteStore, "_graphs", stop),
                "emptied": lambda: patch.setattr(register_module, "make_anew", stop),
                "followed": lambda: patch.setattr(remote.RemoteStore, "made", stop),
                "swapped": lambda: patch.setattr(register_module, "finish_swap", stop),
            }[where]()
            with pytest.raises(StoreFault), Register.open(data, store=server.address, rebuild=True):
                pass
        if where in ("taken", "emptied", "followed"):
            with closing(open_store(server.address, read_only=True)) as reader:
                reader.wire.patience = Patience(tries=2, pause=0.01)
                with pytest.raises(StoreFault, match="is being made anew"):
                    assert reader.revision
        if where == "taken":
            with pytest.raises(StoreFault, match="at another time"):
                Register.open(data, store=server.address)
            Register.open(data, store=server.address, rebuild=True).close()
        with Register.open(data, store=server.address) as register:
            assert register.settled
            assert everything(register) == before
        with closing(open_store(server.address, read_only=True)) as reader:
            assert reader.revision == 3

    def test_a_register_at_work_goes_on_after_a_rebuild_that_broke_off(
        self, data: Path, server: Oxigraph, tmp_path: Path
    ) -> None:
        with Register.open(data, store=server.address) as register:
            register.load(stated(tmp_path, "wells", "moc", 3), X + "wells")
            before = everything(register)
            with pytest.MonkeyPatch.context() as patch:
                left = [3]

                def order(wire: object, text: str) -> None:
                    left[0] -= 1
                    if left[0] < 0:
                        raise StoreFault("The store has gone")
                    kept(wire, text)

                kept = remote.Wire.order
                patch.setattr(remote.Wire, "order", order)
                with pytest.raises(StoreFault, match="has gone"):
                    register.rebuild()
                assert not register.settled
            register.settle()
            assert register.settled
            assert everything(register) == before


@pytest.fixture
def breaking(server: Oxigraph) -> Iterator[Breaking]:
    proxy = Breaking(server.port, iter(()))
    try:
        yield proxy
    finally:
        proxy.stop()


@pytest.mark.parametrize("seed", range(2))
def test_no_change_of_a_register_is_lost_or_doubled_whatever_becomes_of_the_requests(
    breaking: Breaking, server: Oxigraph, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loads, rebuilds and restarts through a proxy that breaks connections; in the end all is as if none had broken."""
    monkeypatch.setattr(remote, "Patience", lambda timeout: HURRIED)
    monkeypatch.setattr("graph.addresses.Patience", lambda: HURRIED)
    chance = Random(seed)
    data, setting = tmp_path / "data", f"{breaking.address} at-once={chance.choice([40, 5000])}"
    Register.create(data, pack=None, store=setting).close()
    register: Register | None = Register.open(data, store=setting)
    register.load(stated(tmp_path, "d", "moc", 4), X + "d")
    # a load asks hundreds of questions, which are put again where that helps, and gives some twenty orders
    breaking.fates, breaking.questions = at_random(chance, (0.05, 0.15)[seed % 2]), at_random(chance, 0.005)
    faults = loads = 0
    accepted: dict[str, tuple[str, int]] = {}
    try:
        for _ in range(60):
            if loads == 6:
                break
            try:
                if register is None:
                    register = Register.open(data, store=setting)
                name, holder = chance.choice("abc"), chance.choice(["moc", "mae", "mot"])
                count = chance.choice([0, 1, 4])
                register.load(stated(tmp_path, name, holder, count), X + name)
                accepted[name] = (holder, count)
                loads += 1
                if chance.random() < 0.1:
                    register.rebuild()
            except StoreFault:
                faults += 1
                if chance.random() < 0.4 and register is not None:
                    register.close()
                    register = None
        breaking.calm()
        if register is None:
            register = Register.open(data, store=setting)
        for name, (holder, count) in sorted(accepted.items()):
            register.load(stated(tmp_path, name, holder, count), X + name)
        register.settle()
        assert register.settled
        assert register.journal.verify() == register.revision
        assert everything(register) == anew(register, tmp_path)
        for name, (holder, count) in accepted.items():
            for number in range(count):
                assert who(register.reader, f"{X}{name}-{number}").accountable.holders == (X + holder,)
    finally:
        if register is not None:
            register.close()
    assert loads >= 4
    assert any(fate is not Fate.passes for fate in breaking.met)
    with closing(open_store(server.address)) as store:
        noted = {part: store.noted(part) for part in (Graphs.projection, Graphs.scopes, Graphs.standings)}
        assert set(noted.values()) == {store.revision}
        assert not list(store.outgoing((Graphs.projection + "/anew",), (D.revision,)))
