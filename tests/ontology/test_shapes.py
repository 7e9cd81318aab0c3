"""Show that the shapes over the ontology pass what we wrote and catch what a term may lack."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import RDF, SH, SKOS, Graph, Literal, URIRef
from rdflib.term import Node

from graph.inference import CLASSIFIED, SOURCES
from graph.resources import folder
from graph.terms import BASE

EXAMPLES = Path(__file__).parent / "examples"
SHAPES = BASE + "shapes#"

#: bad example → the shape that catches it, and no other does
CAUGHT = {
    "bad-term-without-vietnamese-label": "TermLabelInVietnamese",
    "bad-term-without-english-label": "TermLabelInEnglish",
    "bad-term-with-two-vietnamese-labels": "TermLabelInVietnamese",
    "bad-term-without-vietnamese-definition": "TermDefinitionInVietnamese",
    "bad-term-without-english-definition": "TermDefinitionInEnglish",
    "bad-definition-cut-short": "TermDefinitionIsASentence",
    "bad-term-without-example": "TermExample",
    "bad-term-without-home": "TermOfTheNamespace",
    "bad-term-defined-elsewhere": "TermDefinedHere",
    "bad-property-of-two-sorts": "PropertyOfOneSort",
    "bad-class-equated-with-a-standard-one": "EquivalentOnlyToADefinition",
    "bad-property-equated-with-a-standard-one": "NoEquivalentProperty",
    "bad-concept-without-vietnamese-name": "ConceptNameInVietnamese",
    "bad-concept-without-english-name": "ConceptNameInEnglish",
    "bad-concept-without-vietnamese-definition": "ConceptDefinitionInVietnamese",
    "bad-concept-without-english-definition": "ConceptDefinitionInEnglish",
    "bad-concept-without-scheme": "ConceptScheme",
    "bad-concept-without-notation": "ConceptNotation",
    "bad-role-not-said-exclusive-or-not": "RoleSaysWhetherExclusive",
    "bad-header-without-vietnamese-title": "HeaderTitleInVietnamese",
    "bad-header-without-english-title": "HeaderTitleInEnglish",
    "bad-header-without-licence": "HeaderLicence",
}


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(folder("shapes") / "ontology.ttl")


def violated(data: Graph, shapes: Graph) -> set[str]:
    conforms, report, _ = validate(data, shacl_graph=shapes)
    assert isinstance(report, Graph)
    found = {
        str(shape) for result in report.objects(None, SH.result) for shape in report.objects(result, SH.sourceShape)
    }
    assert conforms is not bool(found)
    return found


def in_languages(graph: Graph, node: Node, relation: URIRef) -> dict[str | None, str]:
    return {one.language: str(one) for one in graph.objects(node, relation) if isinstance(one, Literal)}


def test_the_ontology_has_what_it_must_have(shapes: Graph) -> None:
    ontology = Graph()
    for name in (*SOURCES, CLASSIFIED):
        ontology.parse(folder("ontology") / name)
    assert violated(ontology, shapes) == set()


def test_the_shapes_are_shapes(shapes: Graph) -> None:
    validate(Graph(), shacl_graph=shapes, meta_shacl=True)


@pytest.mark.parametrize("name", CAUGHT)
def test_the_shapes_catch_a(name: str, shapes: Graph) -> None:
    lists = Graph().parse(folder("ontology") / "schemes.ttl")
    data = Graph().parse(EXAMPLES / f"{name}.ttl")
    for scheme in lists.subjects(RDF.type, SKOS.ConceptScheme):
        data += lists.triples((scheme, None, None))
    assert violated(data, shapes) == {SHAPES + CAUGHT[name]}


def test_every_shape_that_judges_is_shown_to_catch_something(shapes: Graph) -> None:
    judging = {str(one) for one in shapes.subjects(SH.severity)}
    assert judging == {SHAPES + name for name in CAUGHT.values()}


def test_every_bad_example_is_used() -> None:
    from_reasoning = {
        path.stem
        for path in EXAMPLES.glob("bad-*.ttl")
        if path.stem in (EXAMPLES.parent / "test_reasoning.py").read_text()
    }
    assert {path.stem for path in EXAMPLES.glob("bad-*.ttl")} == {*CAUGHT, *from_reasoning}


def test_every_shape_has_a_name_and_says_in_two_languages_what_to_do(shapes: Graph) -> None:
    for shape in {*shapes.subjects(RDF.type, SH.NodeShape), *shapes.subjects(RDF.type, SH.PropertyShape)}:
        if not isinstance(shape, URIRef):
            continue
        assert str(shape).startswith(SHAPES)
        assert set(in_languages(shapes, shape, SH.name)) == {"vi", "en"}, shape
    for shape in shapes.subjects(SH.severity):
        messages = in_languages(shapes, shape, SH.message)
        assert set(messages) == {"vi", "en"}, shape
        assert all(": " in text and text.endswith(".") for text in messages.values()), shape


def test_a_report_says_what_is_wrong_in_both_languages(shapes: Graph) -> None:
    data = Graph().parse(EXAMPLES / "bad-term-without-vietnamese-label.ttl")
    _, report, _ = validate(data, shacl_graph=shapes)
    assert isinstance(report, Graph)
    (result,) = report.objects(None, SH.result)
    assert set(in_languages(report, result, SH.resultMessage)) == {"vi", "en"}
