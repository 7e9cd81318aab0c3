"""Every verb and the service work on a graph that a service keeps as on one kept here, or say what that lacks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from graph.journal import Journal
from graph.owner import Client
from service.cli import main
from tests.owner.records import EXAMPLE, source_of, write_record
from tests.owner.serving import diaba, serving
from tests.service.small import HERE, SOURCE, make_small
from tests.store.serving import Oxigraph

MOMENTS = ("recorded_at", "first_seen", "resolved_on")
VARIABLES = ("DIABA_DATA", "DIABA_LANG", "DIABA_PORT", "DIABA_HOST", "DIABA_BASE_PATH", "COLUMNS", "LC_ALL")
ASKED = ["who dat dai", "who dat dai --as-of 2025-01-01", "search dat dai", "lineage dat dai", "ask --list"]
ASKED += ["bodies --level central", "gaps", "check --fail-on never", "rules", "plan list"]
ASKED += ["ask datasets-without-owner", "ask bodies-that-changed", "ask mandates-expiring", "ask disputed-datasets"]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small(tmp_path_factory.mktemp("embedded") / "data")


@pytest.fixture
def run(server: Oxigraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs ``diaba`` on a data directory whose graph is on the server."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("DIABA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DIABA_STORE", server.address)

    def run(*words: str, store: str | None = None) -> Ran:
        environment = {} if store is None else {"DIABA_STORE": store}
        done = CliRunner(env=environment).invoke(main, list(words), catch_exceptions=False)
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def small(run: Run, tmp_path: Path) -> Path:
    """Make the small register on the server by the verbs alone."""
    made = run("init", "--empty", "--json")
    assert (made.code, made.json["revision"]) == (0, 1), made.err
    loaded = run("load", str(HERE / "small.ttl"), "--source", SOURCE, "--json")
    assert (loaded.code, loaded.json["revision"]) == (0, 2), loaded.err
    return tmp_path / "data"


def without_moments(found: Any) -> Any:
    """Return an answer without when the register heard of what it says, which two registers never share."""
    if isinstance(found, dict):
        return {key: without_moments(value) for key, value in found.items() if key not in MOMENTS}
    return [without_moments(one) for one in found] if isinstance(found, list) else found


def test_every_verb_that_asks_answers_as_on_an_embedded_graph(run: Run, small: Path, embedded: Path) -> None:
    for words in ASKED:
        there = run(*words.split(), "--json")
        here = run(*words.split(), "--json", "--data", str(embedded), store="")
        assert (there.code, there.err) == (here.code, here.err), words
        assert without_moments(there.json) == without_moments(here.json), words
    body = run("search", "bo", "--json").json["rows"][0]["iri"]
    there = run("datasets-of", body, "--json")
    here = run("datasets-of", body, "--json", "--data", str(embedded), store="")
    assert (there.code, there.json) == (here.code, here.json)


def test_every_verb_that_keeps_works(run: Run, small: Path, tmp_path: Path) -> None:
    before = run("who", "dat dai", "--json").json["card"]
    rebuilt = run("rebuild", "--json")
    assert (rebuilt.code, rebuilt.json) == (0, {"revision": 2}), rebuilt.err
    assert run("who", "dat dai", "--json").json["card"] == before
    assert run("journal", "verify", "--json").json["verified"] == 2
    assert run("backup", str(tmp_path / "copy"), "--json").json["revision"] == 2
    with closing(Journal(small, read_only=True)) as journal:
        moment = next(journal.changes(1)).at
    written = run("snapshot", "--known-at", moment, "--out", str(tmp_path / "then.nq"), "--json")
    assert (written.code, written.json["statements"] > 1000) == (0, True)
    refused = run("restore", str(tmp_path / "copy"), "--data", str(tmp_path / "restored"))
    assert refused.code == 4
    assert "holds the graph of another register" in refused.err
    assert run("restore", str(tmp_path / "copy"), "--data", str(tmp_path / "restored"), store="").code == 0
    assert run("who", "dat dai", "--json", "--data", str(tmp_path / "restored"), store="").json["card"] == before
    redacted = run("journal", "redact", "2", "--why", "a name", "--yes", "--json")
    assert redacted.code == 0, redacted.err
    assert run("who", "dat dai", "--json").json["card"]["lines"] == before["lines"]


def test_what_a_service_lacks_is_said_with_what_to_do(run: Run, small: Path, tmp_path: Path) -> None:
    (tmp_path / "all.rq").write_text("SELECT * { ?s ?p ?o } LIMIT 1")
    asked = run("query", str(tmp_path / "all.rq"))
    assert asked.code == 4
    assert "has no checkpoints" in asked.err
    assert "Send the query to the SPARQL address of that service" in asked.err


def test_another_setting_is_told_until_the_graph_is_moved(run: Run, small: Path, server: Oxigraph) -> None:
    other = run("who", "dat dai", store="")
    assert other.code == 4
    assert f"is kept in {server.address}/update, and DIABA_STORE says the data directory itself" in other.err
    assert "diaba rebuild" in other.err
    assert run("rebuild", store="").code == 0
    assert run("who", "dat dai", store="").code == 0
    assert run("who", "dat dai").code == 4
    assert run("rebuild").code == 0
    assert run("who", "dat dai").code == 0


@pytest.mark.parametrize("setting", ["gopher://x", "query=https://x", "https://me:secret@host/x"])
def test_a_setting_that_cannot_work_is_refused(run: Run, setting: str) -> None:
    refused = run("who", "dat dai", store=setting)
    assert refused.code == 2
    assert "secret" not in refused.err


def test_a_service_that_does_not_answer_is_told(run: Run, small: Path, server: Oxigraph, tmp_path: Path) -> None:
    lone = Oxigraph()
    made = run("init", "--empty", "--data", str(tmp_path / "other"), store=lone.address)
    assert made.code == 0, made.err
    told = run("status", "--json", "--data", str(tmp_path / "other"), store=lone.address).json
    assert (told["store"], {part["revision"] for part in told["parts"]}) == (f"{lone.address}/update", {1})
    lone.stop()
    refused = run("who", "dat dai", "--data", str(tmp_path / "other"), store=lone.address)
    assert refused.code == 4
    assert "Start the store, or check its address in DIABA_STORE" in refused.err
    parts = run("status", "--json", "--data", str(tmp_path / "other"), store=lone.address).json["parts"]
    told = {part["name"]: (part["revision"], part["why"]) for part in parts}
    assert told["search"] == told["history"] == (1, "")
    assert told["graph"] == told["standings"] == (None, "The connection to the store was lost: Connection refused")


class TestService:
    """``diaba serve`` on a graph in a service: workers read it there, beside checkpoints of all else."""

    @pytest.fixture
    def service(self, run: Run, small: Path) -> Iterator[Any]:
        with serving(small, workers=2) as service:
            yield service

    def test_it_answers_takes_changes_and_shows_them(self, service: Any, tmp_path: Path) -> None:
        assert service.get("/health").json() | {"version": ""} == {"status": "ok", "revision": 2, "version": ""}
        card = service.get("/who", q="dat dai", format="json").json()["card"]
        assert card["lines"]["accountable"]["answers"]
        owner = Client(service.data)
        for number in range(3):
            revision = owner.load(write_record(tmp_path, "wells", f"body{number}"), source_of("wells")).revision
            for _ in range(3):
                answer = service.get("/who", revision, q=f"{EXAMPLE}wells/0", format="json")
                assert answer.status_code == 200, answer.text
                assert int(answer.headers["Diaba-Revision"]) == answer.json()["revision"] == revision
                [holder] = answer.json()["card"]["lines"]["accountable"]["answers"][0]["holders"]
                assert holder["iri"] == f"{EXAMPLE}body{number}"
        assert service.get("/search", revision, q="wells").json()["rows"][0]["label"] == "wells 0"
        assert service.get("/", revision).status_code == 200

    def test_verbs_work_beside_it(self, service: Any, tmp_path: Path) -> None:
        where = ("--data", str(service.data))
        file = str(write_record(tmp_path, "roads", "mot"))
        loaded = diaba("load", file, "--source", source_of("roads"), "--json", *where)
        assert loaded.returncode == 0, loaded.stderr
        answer = diaba("who", f"{EXAMPLE}roads/0", "--json", *where)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["card"]["revision"] == json.loads(loaded.stdout)["revision"]
        assert diaba("ask", "datasets-without-owner", "--json", *where).returncode in (0, 1)
        rebuilt = diaba("rebuild", *where)
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert "roads 0" in diaba("search", "roads", *where).stdout
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DIABA_STORE")
            moved = diaba("rebuild", *where)
            assert moved.returncode == 4
            assert "Stop the process that holds the data directory first" in moved.stderr
        (tmp_path / "all.rq").write_text("SELECT * { ?s ?p ?o } LIMIT 1")
        assert "has no checkpoints" in diaba("query", str(tmp_path / "all.rq"), *where).stderr

    def test_no_answer_mixes_two_states_while_changes_are_made(self, service: Any, tmp_path: Path) -> None:
        """Each change names another body, numbered as the change is, so what an answer says must fit its revision."""
        owner, wrong, seen = Client(service.data), [], set()
        first = owner.load(write_record(tmp_path, "wells", "body0"), source_of("wells")).revision
        ended = threading.Event()

        def ask() -> None:
            while not ended.is_set():
                answer = service.get("/who", first, q=f"{EXAMPLE}wells/0", format="json")
                if answer.status_code == 200:
                    card = answer.json()["card"]
                    [holder] = card["lines"]["accountable"]["answers"][0]["holders"]
                    seen.add(card["revision"])
                    if holder["iri"] != f"{EXAMPLE}body{card['revision'] - first}":
                        wrong.append((card["revision"], holder["iri"]))
                elif answer.status_code != 503:
                    wrong.append(answer.text)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(1, 9):
            owner.load(write_record(tmp_path, "wells", f"body{number}"), source_of("wells"))
            time.sleep(0.1)
        ended.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(seen) > 2
        with closing(Journal(service.data, read_only=True)) as journal:
            assert journal.verify() == owner.revision == first + 8
