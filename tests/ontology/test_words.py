"""Hold the ontology to the code that speaks its words, and to the habits of a good dictionary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from rdflib import OWL, RDF, RDFS, SKOS, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from graph import terms
from graph.inference import SOURCES, classified
from graph.resources import folder
from graph.terms import BASE, DCAT, RECORD_CLASSES, RESOURCE_CLASSES, Confidence, D, Level, Role, Status

ONTOLOGY = folder("ontology")
STANDARD_PREFIXES = {
    "prov": "http://www.w3.org/ns/prov#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "cv": "http://data.europa.eu/m8g/",
    "org": "http://www.w3.org/ns/org#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": DCAT.NS,
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
    "adms": "http://www.w3.org/ns/adms#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "d": D.NS,
}


@pytest.fixture(scope="module")
def core() -> Graph:
    """Return the files that define words, without the code lists and the standards."""
    return Graph().parse(ONTOLOGY / "core.ttl").parse(ONTOLOGY / "sharing.ttl")


@pytest.fixture(scope="module")
def ontology() -> Graph:
    merged = Graph()
    for name in SOURCES:
        merged.parse(ONTOLOGY / name)
    return merged


def named_in_code(holder: type) -> set[str]:
    namespace: str = holder.NS  # type: ignore[attr-defined]
    return {
        value for key, value in vars(holder).items() if isinstance(value, str) and key != "NS" and key[0] != "_"
    } & {value for value in vars(holder).values() if isinstance(value, str) and value.startswith(namespace)}


def defined_under(graph: Graph, namespace: str) -> set[str]:
    return {str(one) for one in graph.subjects(RDF.type) if str(one).startswith(namespace)}


@pytest.mark.parametrize("holder", [D, Role, Confidence, Status, Level], ids=lambda holder: holder.__name__)
def test_code_and_ontology_name_the_same_terms(holder: Any, ontology: Graph) -> None:
    assert named_in_code(holder) == defined_under(ontology, holder.NS)


def test_every_term_of_the_namespace_is_in_a_file_of_words(core: Graph, ontology: Graph) -> None:
    assert defined_under(core, D.NS) == {str(one) for one in set(ontology.subjects()) if str(one).startswith(D.NS)}


def test_record_classes_are_the_classes_under_record() -> None:
    below = {iri for iri, above in classified().classes.items() if D.Record in above}
    assert {D.Record, *below} == RECORD_CLASSES


def test_resource_classes_are_the_classes_under_resource() -> None:
    below = {iri for iri, above in classified().classes.items() if DCAT.Resource in above}
    assert {DCAT.Resource, *below} == RESOURCE_CLASSES


def test_roles_held_by_one_only_are_those_the_list_says(ontology: Graph) -> None:
    exclusive = {str(one) for one in ontology.subjects(URIRef(D.exclusive), Literal(True))}
    assert exclusive == Role.EXCLUSIVE
    assert set(Role.ALL) == named_in_code(Role)


def test_the_namespaces_of_the_code_are_those_of_the_standards(ontology: Graph) -> None:
    prefixes = {prefix: str(iri) for prefix, iri in ontology.namespaces()}
    for holder in (terms.DCAT, terms.DCT, terms.SKOS, terms.SKOSXL, terms.FOAF, terms.PROV):
        assert prefixes[holder.__name__.lower()] == holder.NS


def test_kinds_of_change_are_thirteen(ontology: Graph) -> None:
    kinds = defined_under(ontology, BASE + "change/")
    assert {kind.rsplit("/", 1)[1] for kind in kinds} == {
        "merger", "absorption", "split", "split-off", "rename", "change-of-parent", "change-of-level", "change-of-code",
        "change-of-territory", "abolition", "establishment", "re-establishment", "transfer-of-field",
    }  # fmt: skip


def test_concepts_are_named_by_their_notation(ontology: Graph) -> None:
    for concept in ontology.subjects(RDF.type, SKOS.Concept):
        assert re.split("[/#]", str(concept))[-1] == str(ontology.value(concept, SKOS.notation))


def test_dates_have_no_range_because_shapes_judge_them(core: Graph) -> None:
    dates = (
        D.from_, D.until, D.issuedOn, D.gazettedOn, D.grantedOn, D.effectiveOn, D.appliesFrom, D.appliesUntil, D.asOf,
        D.firstSeen, D.resolvedOn, D.doneOn, D.readyOn, D.publishedOn,
    )  # fmt: skip
    for name in dates:
        assert (URIRef(name), RDF.type, OWL.DatatypeProperty) in core
        assert not list(core.objects(URIRef(name), RDFS.range))


def test_nobody_is_said_to_be_in_no_class(core: Graph) -> None:
    named = {one for one in core.objects(URIRef(D.nobody), RDF.type) if not isinstance(one, BNode)}
    assert named == {OWL.NamedIndividual}


def test_ours_are_never_equated_with_theirs(ontology: Graph) -> None:
    for relation in (OWL.equivalentClass, OWL.equivalentProperty, OWL.sameAs):
        for subject, other in ontology.subject_objects(relation):
            assert isinstance(other, BNode), f"{subject} is equated with {other}"


def test_standards_never_stand_under_ours() -> None:
    for table in (classified().classes, classified().properties):
        for iri, above in table.items():
            if not iri.startswith(D.NS):
                assert not [one for one in above if one.startswith(D.NS)], iri


# --- the examples -----------------------------------------------------------------------------------------------------


def snippets(core: Graph) -> list[tuple[str, str]]:
    found = core.subject_objects(SKOS.example)
    return sorted((str(term), str(text)) for term, text in found if isinstance(text, Literal) and not text.language)


def parsed_examples(core: Graph) -> Graph:
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in core.namespaces() if prefix)
    merged = Graph()
    for term, text in snippets(core):
        part = Graph().parse(data=prefixes + text, format="turtle")
        assert len(part), term
        merged += part
    return merged


def test_every_example_in_turtle_reads_and_shows_its_term(core: Graph) -> None:
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in core.namespaces() if prefix)
    for term, text in snippets(core):
        part = Graph().parse(data=prefixes + text, format="turtle")
        assert URIRef(term) in {node for triple in part for node in triple}, f"{term} is not in its own example"


def test_examples_speak_only_words_that_exist(core: Graph, ontology: Graph) -> None:
    known = {str(one) for one in set(ontology.subjects())}
    used = {str(node) for triple in parsed_examples(core) for node in triple if isinstance(node, URIRef)}
    ours = {iri for iri in used if iri.startswith(BASE) and not iri.startswith((BASE + "example/", BASE + "graph/"))}
    assert ours <= known


# --- the page that explains the words ---------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "service" / "docs" / "ontology.md"


def in_language(graph: Graph, node: Node, relation: URIRef, language: str) -> str:
    (text,) = {
        str(one) for one in graph.objects(node, relation) if isinstance(one, Literal) and one.language == language
    }
    return text


def test_the_page_tells_every_term_as_it_is_defined(core: Graph) -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()
    for term in {one for one in core.subjects(RDF.type) if str(one).startswith(D.NS)}:
        name = "d:" + str(term).removeprefix(D.NS)
        label, meaning = in_language(core, term, RDFS.label, "vi"), in_language(core, term, SKOS.definition, "en")
        assert f"| `{name}` | {label} | {meaning} |" in page


def test_the_page_tells_every_concept_as_it_is_defined(ontology: Graph) -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()
    for concept in set(ontology.subjects(RDF.type, SKOS.Concept)):
        label = in_language(ontology, concept, SKOS.prefLabel, "vi")
        meaning = in_language(ontology, concept, SKOS.definition, "en")
        assert f"| `{ontology.value(concept, SKOS.notation)}` | {label} | {meaning} |" in page


def test_the_example_on_the_page_reads_and_speaks_only_words_that_exist(core: Graph, ontology: Graph) -> None:
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in core.namespaces() if prefix)
    (example,) = re.findall(r"^```turtle\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    used = {str(node) for triple in Graph().parse(data=prefixes + example, format="turtle") for node in triple}
    known = {str(one) for one in set(ontology.subjects())}
    assert {iri for iri in used if iri.startswith((D.NS, Role.NS))} <= known


# --- the table the words were agreed in -------------------------------------------------------------------------------

ROW = re.compile(r"^\| (\d+) \| (d:\w+)([^|]*)\| ([^|]*)\| ([^|]*)\| ([^|]*)\| ([^|]*) / ([^|]*) \|$", re.MULTILINE)


def expanded(curie: str) -> str:
    prefix, name = curie.split(":")
    return STANDARD_PREFIXES[prefix] + name


def test_words_are_those_agreed_in_the_model(shared: Path, core: Graph) -> None:
    rows = [row for row in ROW.findall((shared / "model.md").read_text(encoding="utf-8")) if "d:" not in row[2]]
    assert len(rows) > 60
    for _, term, _, _, _, stands_on, vietnamese, english in rows:
        labels = {str(label) for label in core.objects(URIRef(expanded(term)), RDFS.label)}
        assert labels == {vietnamese.strip(), english.strip()}, term
        above = {**classified().classes, **classified().properties}.get(expanded(term), ())
        for curie in re.findall(r"\b[a-z]+:\w+", stands_on):
            assert (expanded(curie) in above) is ("on export" not in stands_on), f"{term} and {curie}"
