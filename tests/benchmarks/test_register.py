"""Hold the generated register to what is said of it: its bytes, its size, its faults and its answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox
import pytest

from graph import loading
from graph.answering import Card, Desk, who
from graph.register import Register
from graph.resources import folder
from graph.scopes import keys_of
from graph.store import OxigraphStore
from graph.terms import RDF, RECORD_CLASSES, XSD, D, Graphs, Role
from tests.benchmarks.datasets import Plans
from tests.benchmarks.register import SOURCE, generate, main, write
from tests.benchmarks.truth import Truth
from tests.benchmarks.world import NS, World

PREFIXES = f"""PREFIX d: <{D.NS}> PREFIX role: <{Role.NS}> PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dct: <http://purl.org/dc/terms/> PREFIX vcard: <http://www.w3.org/2006/vcard/ns#>
"""

#: each fault by a query of its own, written without a look at how the generator puts it in
FAULTS = {
    "mandate-without-end": """SELECT ?x { ?t d:transferKind d:mandate ; d:creates ?r . ?r d:covers ?x
        FILTER NOT EXISTS { ?r d:until ?end } FILTER NOT EXISTS { ?t d:lapsesWith ?law } }""",
    "delegation-passed-on": """SELECT ?x { ?t d:transferKind d:delegation ; d:takesFrom ?r .
        ?before d:transferKind d:delegation ; d:creates ?r . ?r d:covers ?x
        FILTER NOT EXISTS { ?t (d:takesFrom/^d:creates)+ ?t } }""",
    "mandate-passed-on": """SELECT ?x { ?t d:transferKind d:mandate ; d:takesFrom ?r .
        ?before d:transferKind d:mandate ; d:creates ?r . ?r d:covers ?x }""",
    "transfer-cycle": "SELECT ?x { ?t (d:takesFrom/^d:creates)+ ?t . ?t d:creates/d:covers ?x }",
    "lineage-cycle": """SELECT ?x { ?f d:flowTo ?x ; d:flowFrom ?y . ?g d:flowTo ?y ; d:flowFrom ?z .
        ?h d:flowTo ?z ; d:flowFrom ?x }""",
    "basis-missing": """SELECT ?x { ?r a d:Responsibility ; d:role role:accountable ; d:covers ?x
        FILTER NOT EXISTS { ?r d:basis ?law } }""",
    "basis-not-in-force": """SELECT ?x { ?r d:basis ?law ; d:covers ?x ; d:from ?start . ?law d:until ?end
        FILTER(?end <= ?start) }""",
    "title-missing": """SELECT ?x { ?x a dcat:Dataset
        FILTER NOT EXISTS { ?x dct:title ?title FILTER(LANG(?title) = 'vi') } }""",
    "post-without-contact": "SELECT ?x { ?x a d:Post FILTER NOT EXISTS { ?x vcard:hasEmail ?mail } }",
}


class Made(NamedTuple):
    """A generated register of 1,000 datasets, as text, as a store, and what is true in it."""

    text: str
    store: OxigraphStore
    truth: dict[str, Any]


def text_of(datasets: int, seed: int, **options: Any) -> str:
    return "".join(generate(datasets, seed, **options))


def store_of(text: str) -> OxigraphStore:
    """Return a store in memory with the text, the code lists and the keys of the scopes, but no register around it."""
    store = OxigraphStore()
    store.raw.bulk_load(text.encode(), ox.RdfFormat.N_QUADS)
    lists = folder("ontology") / "schemes.ttl"
    store.raw.load(path=str(lists), format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode("https://w3id.org/diaba/ns"))
    parts: dict[str, tuple[list[str], list[str]]] = {}
    for quad in store.incoming([D.Responsibility], (RDF.type,)):
        record = quad.subject.value
        for found in store.outgoing([record], (D.field, D.area)):
            parts.setdefault(record, ([], []))[found.predicate.value == D.area].append(found.object.value)
    store.raw.extend(
        ox.Quad(ox.NamedNode(record), ox.NamedNode(D.scopeKey), ox.NamedNode(key), ox.NamedNode(Graphs.scopes))
        for record, (fields, areas) in parts.items()
        for key in keys_of(fields, areas)
    )
    return store


@pytest.fixture(scope="module")
def made() -> Made:
    truth = Truth(1000)
    text = text_of(1000, 1, truth=truth)
    return Made(text, store_of(text), truth.as_json())


class Sources:
    """Stand in for a register that has no past and lives in UTC."""

    class pack:
        timezone = UTC

    def __init__(self, store: OxigraphStore) -> None:
        self.graph = store
        self.history = OxigraphStore()


def outcomes(answer: dict[str, Any], card: Card) -> tuple[object, object]:
    """Return what is expected and what the card says: status and holders of accountable, and of executes if claimed."""
    roles = {Role.accountable: answer, **({Role.executes: answer["executes"]} if "executes" in answer else {})}
    return (
        [(role, said["status"], said["holders"]) for role, said in roles.items()],
        [(role, card.decisions[role].status, sorted(set(card.decisions[role].holders))) for role in roles],
    )


def asked(store: OxigraphStore, sample: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Return where the answers differ from the expected: dataset, case, day, expected, found."""
    sources = Sources(store)
    differing: list[tuple[object, ...]] = []
    for entry in sample:
        for answer in entry["answers"]:
            card = who(sources, entry["dataset"], date.fromisoformat(answer["as_of"]))
            expected, answered = outcomes(answer, card)
            if expected != answered:
                differing.append((entry["dataset"], entry["case"], answer["as_of"], expected, answered))
    return differing


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(made: Made) -> None:
    assert text_of(1000, 1) == made.text
    assert text_of(1000, 2) != made.text


def test_a_dataset_depends_on_nothing_but_the_seed_and_its_number() -> None:
    world = World(1000, 1)
    alone = Plans(world).dataset(777)
    plans = Plans(world)
    for index in range(777):
        plans.dataset(index)
    after = plans.dataset(777)
    assert (after.title, after.case, [claim.iri for claim in after.claims], [flow.origin for flow in after.flows]) == (
        alone.title, alone.case, [claim.iri for claim in alone.claims], [flow.origin for flow in alone.flows],
    )  # fmt: skip


def test_about_forty_statements_per_dataset(made: Made) -> None:
    assert 35 <= made.text.count("\n") / 1000 <= 45
    assert 35 <= text_of(4000, 1).count("\n") / 4000 <= 45


def test_no_line_is_written_twice(made: Made) -> None:
    repeated = [line for line, count in Counter(made.text.splitlines()).items() if count > 1]
    assert repeated == []


def test_a_hundred_sources_have_a_graph_each(made: Made) -> None:
    graphs = {name.value for name in made.store.raw.named_graphs()}
    assert len({graph for graph in graphs if graph.startswith(NS)}) == 100


def test_every_term_of_ours_is_known_and_every_day_is_a_plain_date(made: Made) -> None:
    known = {value for name, value in vars(D).items() if not name.startswith("_")}
    spoken = set(re.findall(rf"<({re.escape(D.NS)}[^>]*)>", made.text))
    assert spoken <= known
    days = re.findall(rf'"([^"]*)"\^\^<{re.escape(XSD.date)}>', made.text)
    assert days
    assert all(date.fromisoformat(day).isoformat() == day for day in set(days))


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_the_faults_are_in_the_data(made: Made, fault: str) -> None:
    found = {str(row[0].value) for row in made.store.query(PREFIXES + FAULTS[fault])}  # type: ignore[union-attr]
    assert sorted(found) == made.truth["faults"].get(fault, [])
    assert found


def test_each_fault_comes_about_once_in_a_hundred_datasets() -> None:
    truth = Truth(5000)
    for _ in generate(5000, 3, truth=truth):
        pass
    counts = {fault: len(iris) for fault, iris in truth.as_json()["faults"].items()}  # type: ignore[attr-defined]
    rare = {"lineage-cycle", "post-without-contact"}
    assert {fault for fault, count in counts.items() if not 20 <= count <= 250} <= rare
    assert {"no-accountable", "no-claim", "more-than-one-accountable", "succession-undecided"} <= set(counts)


def test_who_answers_as_the_generator_expects(made: Made) -> None:
    assert len(made.truth["sample"]) == 1000
    assert asked(made.store, made.truth["sample"]) == []


def test_who_answers_as_expected_where_every_commune_has_scopes_of_its_own() -> None:
    truth = Truth(500)
    text = text_of(500, 5, dense=True, truth=truth)
    assert asked(store_of(text), truth.as_json()["sample"]) == []  # type: ignore[arg-type]


class Loaded(NamedTuple):
    """A generated register with history, loaded through the door."""

    register: Register
    truth: dict[str, Any]
    file: Path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("register")
    file, truth = folder / "register.nq", folder / "truth.json"
    write(file, 400, 4, truth_file=truth, history=True)
    with Register.create(folder / "data", pack=None) as register:
        register.load([file], source=SOURCE, confidence="V3", history=True)
        yield Loaded(register, json.loads(truth.read_text(encoding="utf-8")), file)


def test_a_generated_register_passes_the_door_once_and_for_all(loaded: Loaded) -> None:
    report = loaded.register.load([loaded.file], source=SOURCE, confidence="V3", history=True)
    assert report.unchanged


def test_who_answers_as_expected_now_and_as_known_then(loaded: Loaded) -> None:
    desk = Desk(loaded.register.reader)
    differing, then = [], 0
    for entry in loaded.truth["sample"]:
        for answer in entry["answers"]:
            known = datetime.fromisoformat(answer["known_at"]) if "known_at" in answer else None
            expected, answered = outcomes(
                answer, desk.who(entry["dataset"], date.fromisoformat(answer["as_of"]), known)
            )
            then += known is not None
            if expected != answered:
                differing.append((entry["dataset"], entry["case"], answer["as_of"], known, expected, answered))
    assert differing == []
    assert then == 400


def test_standings_say_of_every_dataset_what_is_expected(loaded: Loaded) -> None:
    reader, day = loaded.register.reader.graph, loaded.truth["days"][1]
    statuses: Counter[str] = Counter()
    for index in range(400):
        nodes = [quad.subject.value for quad in reader.incoming([f"{NS}dataset/{index}"], (D.about,))]
        for node in nodes:
            said = {quad.predicate.value: quad.object.value for quad in reader.outgoing([node])}
            inside = said.get(D.from_, "") <= day < said.get(D.until, "9999-12-31")
            if said.get(D.role) == Role.accountable and inside:
                statuses[said[D.status]] += 1
    assert statuses == loaded.truth["statuses"]


def test_a_large_first_load_says_what_a_small_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "register.nq"
    write(file, 200, 6)
    contents = []
    for streamed in (10**9, 1000):
        monkeypatch.setattr(loading, "STREAMED", streamed)
        with Register.create(tmp_path / str(streamed), pack=None) as register:
            register.load([file], source=SOURCE, confidence="V3")
            store = register.reader.graph
            nodes = sorted({line.split(" ", 1)[0][1:-1] for line in file.read_text(encoding="utf-8").splitlines()})
            contents.append({quad for quad in store.outgoing(nodes) if quad.predicate.value != D.recordedAt})
    assert contents[0] == contents[1]
    assert len(contents[0]) >= file.read_text(encoding="utf-8").count("\n")


def test_history_gives_every_record_one_instant_and_some_a_past() -> None:
    store = OxigraphStore()
    store.raw.bulk_load(text_of(500, 1, history=True).encode(), ox.RdfFormat.N_QUADS)
    records = {quad.subject.value for quad in store.incoming(sorted(RECORD_CLASSES), (RDF.type,))}
    instants = Counter(
        quad.subject.value for quad in store.raw.quads_for_pattern(None, ox.NamedNode(D.recordedAt), None, None)
    )
    assert set(instants) == records
    assert set(instants.values()) == {1}
    versions = list(store.raw.quads_for_pattern(None, ox.NamedNode(D.versionOf), None, None))
    assert versions
    for version in versions:
        clock = {
            quad.predicate.value: datetime.fromisoformat(quad.object.value)
            for quad in store.outgoing([version.subject.value], (D.recordedAt, D.withdrawnAt))
        }
        assert clock[D.recordedAt] < clock[D.withdrawnAt]


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, truth = tmp_path / "register.nq", tmp_path / "truth.json"
    assert main(["--datasets", "200", "--seed", "9", "--out", str(out), "--truth", str(truth)]) == 0
    assert "per dataset" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8") == text_of(200, 9)
    assert '"more-than-one-accountable"' in truth.read_text(encoding="utf-8")
