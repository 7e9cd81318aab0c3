"""A data directory is made whole or not at all, held by one process, and mends itself from its journal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graph import register as register_module
from graph.errors import BadSetting, DataDirectory
from graph.register import ONTOLOGY, Register
from graph.terms import RDF, D, Graphs

RECORD = """
<https://example.org/r> a <https://w3id.org/diaba/ns#Responsibility> ;
  <https://w3id.org/diaba/ns#holder> <https://example.org/HOLDER> ;
  <https://w3id.org/diaba/ns#role> <https://w3id.org/diaba/role/accountable> ;
  <https://w3id.org/diaba/ns#covers> <https://example.org/ds> .
<https://example.org/ds> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "Đất đai"@vi .
"""


def record(folder: Path, holder: str) -> Path:
    path = folder / "record.ttl"
    path.write_text(RECORD.replace("HOLDER", holder), "utf-8")
    return path


def holders(register: Register) -> set[str]:
    """Return who the standings say is accountable for the one dataset."""
    graph = register.reader.graph
    standings = [s.value for s, _, _, _ in graph.incoming(("https://example.org/ds",), (D.about,))]
    return {o.value.rpartition("/")[2] for _, _, o, _ in graph.outgoing(standings, (D.holder,))}


def everything(register: Register) -> set[str]:
    """Return all the register holds, save how far each part noted that it came."""
    found = set()
    for reader in (register.reader.graph, register.reader.history):
        rows = reader.query(
            f"SELECT ?g ?s ?p ?o {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{Graphs.projection}>) }}"
        )
        found |= {" ".join(map(str, row)) for row in rows}  # type: ignore[union-attr]
    return found


def revisions(register: Register) -> set[int]:
    return {projection.revision for projection in register._projections} | {register.revision}


def test_a_new_register_holds_the_ontology(data: Path) -> None:
    with Register.open(data) as register:
        kinds = {o.value for _, _, o, _ in register.reader.graph.outgoing((D.Responsibility,), (RDF.type,))}
        assert "http://www.w3.org/2002/07/owl#Class" in kinds
        assert revisions(register) == {1}
        assert register.reader.revision == 1


def test_what_was_loaded_is_there_on_the_next_day(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "mae"), message="why", who="somebody")
        before = everything(register)
    with Register.open(data) as register:
        assert everything(register) == before
        assert holders(register) == {"mae"}
        assert register.reader.search.search("dat dai")
        last = register.journal.last()
        assert last is not None
        assert (last.message, last.who) == ("why", "somebody")
        assert register.journal.verify() == 2


def test_a_rebuild_makes_the_same_again(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "moc"))
        register.load(record(tmp_path, "mae"))
        before = everything(register)
        reader = register.reader
        register.rebuild()
        assert everything(register) == before
        assert reader.revision == register.revision == 3
        assert reader.search.search("dat dai")
        register.load(record(tmp_path, "mpi"))
        assert holders(register) == {"mpi"}
    assert not (data / "rebuild").exists()


@pytest.mark.parametrize("part", ["graph", "history", "search"])
def test_a_lost_projection_is_made_again(data: Path, tmp_path: Path, part: str) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "moc"))
        register.load(record(tmp_path, "mae"))
        before = everything(register)
    shutil.rmtree(data / part)
    with Register.open(data) as register:
        assert everything(register) == before
        assert register.reader.search.search("dat dai")


def test_a_damaged_projection_says_to_rebuild(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "mae"))
        before = everything(register)
    for path in (data / "graph").glob("MANIFEST-*"):
        path.write_bytes(b"damaged")
    with pytest.raises(DataDirectory, match="cannot be opened") as told:
        Register.open(data)
    assert told.value.remedy == "Run diaba rebuild."
    with Register.open(data, rebuild=True) as register:
        assert everything(register) == before


def test_a_projection_ahead_of_its_journal_says_to_rebuild(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / "journal.sqlite", tmp_path / "older.sqlite")
    with Register.open(data) as register:
        register.load(record(tmp_path, "mae"))
    for path in data.glob("journal.sqlite*"):
        path.unlink()
    shutil.copy(tmp_path / "older.sqlite", data / "journal.sqlite")
    with pytest.raises(DataDirectory, match="ahead of the journal") as told:
        Register.open(data)
    assert told.value.remedy == "Run diaba rebuild."
    with Register.open(data, rebuild=True) as register:
        assert revisions(register) == {1}


def test_a_swap_that_was_cut_off_is_finished(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "mae"))
        before = everything(register)
    (data / "rebuild").mkdir()
    shutil.move(data / "graph", data / "rebuild" / "graph")  # rebuilt, not yet moved; history and search are
    (data / "rebuild" / "complete").touch()
    with Register.open(data) as register:
        assert everything(register) == before
    assert not (data / "rebuild").exists()


def test_a_rebuild_that_was_cut_off_is_forgotten(data: Path) -> None:
    (data / "rebuild" / "graph").mkdir(parents=True)
    Register.open(data).close()
    assert not (data / "rebuild").exists()


class TestLock:
    def test_one_process_at_a_time(self, data: Path) -> None:
        with Register.open(data):
            code = (
                "import sys; from graph.register import Register\n"
                "from graph.errors import DataDirectory\n"
                "try: Register.open(sys.argv[1])\n"
                "except DataDirectory as fault: print(fault)"
            )
            told = subprocess.run(
                [sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True, timeout=60
            ).stdout
            assert f"process {os.getpid()}" in told
            assert "Stop it" in told
        Register.open(data).close()

    def test_a_file_that_a_dead_process_left_locks_nothing(self, data: Path) -> None:
        (data / "lock").write_text("999999\n")
        Register.open(data).close()


class TestCreate:
    def test_a_directory_in_use_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("dear reader")
        with pytest.raises(DataDirectory, match="something here already"):
            Register.create(tmp_path, pack=None)
        assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]

    def test_an_empty_directory_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        Register.create(tmp_path / "data", pack=None).close()
        assert (tmp_path / "data" / "register.json").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["data"]

    def test_a_creation_that_was_killed_leaves_nothing_in_the_way(self, tmp_path: Path) -> None:
        killed = run_killed("create", tmp_path / "data", tmp_path, "_write_passport")
        assert killed == -9
        assert not (tmp_path / "data").exists()
        Register.create(tmp_path / "data", pack=None).close()
        assert [path.name for path in tmp_path.iterdir()] == ["data"]

    def test_an_unknown_pack_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(BadSetting, match="no pack named"):
            Register.create(tmp_path / "data", pack="../x")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "cannot be read"),
        ('{"format": 99, "created": "", "sources": []}', "format 99"),
        ('{"unknown": 1, "sources": []}', "cannot be read"),
    ],
)
def test_a_passport_that_is_not_ours_is_told(data: Path, text: str, what: str) -> None:
    (data / "register.json").write_text(text)
    with pytest.raises(DataDirectory, match=what):
        Register.open(data)


@pytest.mark.parametrize("name", ["none", "file", "folder"])
def test_what_is_no_data_directory_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataDirectory, match="no data directory"):
        Register.open(tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


class TestUpgrade:
    """Ontology and pack follow the installed version, as ordinary changes."""

    def test_an_older_ontology_is_loaded_anew(self, data: Path) -> None:
        passport = json.loads((data / "register.json").read_text())
        (data / "register.json").write_text(json.dumps({**passport, "ontology": "older"}))
        with Register.open(data) as register:
            assert register.revision == 1  # the statements were the same
            assert register.passport.ontology == passport["ontology"]

    def test_a_newer_pack_changes_what_it_changes_and_withdraws_what_it_drops(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pack = tmp_path / "ontology" / "zz"
        pack.mkdir(parents=True)
        shutil.copy(Path(__file__).parents[2] / "ontology" / "core.ttl", tmp_path / "ontology")
        monkeypatch.setattr(register_module, "folder", lambda _: tmp_path / "ontology")

        def write(version: str, *parts: str) -> None:
            manifest = f'name = "zz"\nversion = "{version}"\ntitle = {{}}\ntimezone = "UTC"\nlanguages = ["en"]\n'
            for part in parts:
                manifest += f'[[part]]\nfile = "{part}.ttl"\nsource = "https://example.org/{part}"\n'
                manifest += 'title = { en = "x" }\nconfidence = "V1"\n'
                (pack / f"{part}.ttl").write_text(f"<#a> <http://a/p> '{part} {version}' .")
            (pack / "pack.toml").write_text(manifest)

        def said(register: Register) -> set[str]:
            rows = register.reader.graph.query("SELECT ?o { ?s <http://a/p> ?o }")
            return {row["o"].value for row in rows}  # type: ignore[index, union-attr]

        write("1", "one", "two")
        with Register.create(tmp_path / "data", pack="zz") as register:
            assert said(register) == {"one 1", "two 1"}
        write("1.1", "one", "three")
        with Register.open(tmp_path / "data") as register:
            assert said(register) == {"one 1.1", "three 1.1"}
            assert register.passport.pack_version == "1.1"
            assert ONTOLOGY in register.passport.sources
            revision = register.revision
        with Register.open(tmp_path / "data") as register:
            assert register.revision == revision
        write("1", "one")
        with pytest.raises(DataDirectory, match=r"version 1\.1 of the pack zz"):
            Register.open(tmp_path / "data")


# --- crashes --------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from graph import journal, ledger, parts, projections, register, store, upkeep
from graph.search import SearchIndex

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name, calls=1):
    kept, left = getattr(owner, name), [calls]
    def call(*arguments, **options):
        result = kept(*arguments, **options)
        left[0] -= 1
        if not left[0]:
            die()
        return result
    setattr(owner, name, call)

what, data, file, where = sys.argv[1:]
if what == "create":
    register.Register._write_passport = die
    register.Register.create(data, pack=None)
opened = register.Register.open(data)
if what == "rebuild":
    {"made": lambda: after(register, "make_anew"), "moved": lambda: after(parts, "_put_in_place")}[where]()
    opened.rebuild()
else:
    {
        "sealed": lambda: after(journal.Draft, "seal"),
        "accepted": lambda: after(journal.Journal, "append"),
        "graph": lambda: after(store.OxigraphStore, "apply"),
        "history": lambda: after(projections.HistoryProjection, "follow"),
        "scopes": lambda: after(projections.ScopesProjection, "follow"),
        "standings": lambda: after(projections.StandingsProjection, "follow"),
        "ledger": lambda: after(ledger.Ledger, "sync"),
        "findings": lambda: after(upkeep.FindingsProjection, "follow"),
        "search": lambda: after(SearchIndex, "update"),
    }[where]()
    opened.load(file)
"""


def run_killed(what: str, data: Path, file: Path, where: str) -> int:
    """Do something in a process that kills itself at a certain point; return its exit code."""
    arguments = [sys.executable, "-c", KILLED, what, str(data), str(file), where]
    return subprocess.run(arguments, timeout=120, check=False, cwd=Path(__file__).parents[2]).returncode


@pytest.mark.parametrize(
    ("where", "accepted"),
    [("sealed", False), ("accepted", True), ("graph", True), ("history", True), ("scopes", True), ("standings", True),
     ("search", True), ("ledger", True), ("findings", True)],
)  # fmt: skip
def test_a_killed_load_is_in_or_out(data: Path, tmp_path: Path, where: str, accepted: bool) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "moc"))
    assert run_killed("load", data, record(tmp_path, "mae"), where) == -9
    with Register.open(data) as register:
        assert register.revision == (3 if accepted else 2)
        assert revisions(register) == {register.revision}
        assert holders(register) == {"mae" if accepted else "moc"}
        assert register.journal.verify() == register.revision
        before = everything(register)
        register.rebuild()
        assert everything(register) == before
        assert register.load(record(tmp_path, "mae")).unchanged == accepted


@pytest.mark.parametrize("where", ["made", "moved"])
def test_a_killed_rebuild_loses_nothing(data: Path, tmp_path: Path, where: str) -> None:
    with Register.open(data) as register:
        register.load(record(tmp_path, "mae"))
        before = everything(register)
    assert run_killed("rebuild", data, tmp_path, where) == -9
    with Register.open(data) as register:
        assert everything(register) == before
        assert revisions(register) == {2}


def test_a_gateway_changes_the_register_and_shows_no_more(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        report = register.gateway.load(record(tmp_path, "mae"), message="why")
        assert register.gateway.revision == report.revision == register.reader.revision == 2
        assert not hasattr(register.gateway, "journal")
