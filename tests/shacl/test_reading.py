"""Show that shapes are read as SHACL says, and that nothing that is not understood passes."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.errors import ShapeFault
from graph.shacl.paths import Alternative, Inverse, OneOrMore, Predicate, Sequence, ZeroOrMore, ZeroOrOne
from graph.shacl.reading import read_shapes, shapes_of
from graph.shacl.shapes import VIOLATION, Constraint, Kind, Shapes, SparqlConstraint, Target

PREFIXES = """@prefix e: <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
"""
SH = "http://www.w3.org/ns/shacl#"


def e(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"https://example.org/{name}")


def read(text: str) -> Shapes:
    return shapes_of(ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE))


P, Q = Predicate(e("p").value), Predicate(e("q").value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("e:p", P),
        ("[ sh:inversePath e:p ]", Inverse(P)),
        ("( e:p e:q )", Sequence((P, Q))),
        ("[ sh:alternativePath ( e:p e:q ) ]", Alternative((P, Q))),
        ("[ sh:zeroOrMorePath e:p ]", ZeroOrMore(P)),
        ("[ sh:oneOrMorePath ( e:p [ sh:inversePath e:q ] ) ]", OneOrMore(Sequence((P, Inverse(Q))))),
        ("[ sh:zeroOrOnePath e:p ]", ZeroOrOne(P)),
    ],
)
def test_every_kind_of_path_is_read(text: str, path: object) -> None:
    shapes = read(f"e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path {text} ; sh:minCount 1 .")
    assert shapes[e("s")].path == path


def test_every_kind_of_target_is_read() -> None:
    shapes = read(
        'e:s a sh:NodeShape ; sh:targetNode e:n, "x" ; sh:targetClass e:C ; sh:targetSubjectsOf e:p ; '
        "sh:targetObjectsOf e:q . e:t a sh:NodeShape, rdfs:Class ."
    )
    assert set(shapes[e("s")].targets) == {
        Target(Kind.node, e("n")), Target(Kind.node, ox.Literal("x")), Target(Kind.class_, e("C")),
        Target(Kind.subjects_of, e("p")), Target(Kind.objects_of, e("q")),
    }  # fmt: skip
    assert shapes[e("t")].targets == (Target(Kind.class_, e("t")),)


def test_a_shape_says_how_grave_it_is_and_why_in_its_languages() -> None:
    shapes = read(
        'e:s a sh:NodeShape ; sh:targetClass e:C ; sh:severity sh:Info ; sh:message "Sai."@vi, "Wrong."@en ; '
        "sh:property [ sh:path e:p ; sh:minCount 1 ] ."
    )
    shape = shapes[e("s")]
    assert shape.severity == SH + "Info"
    assert {(one.language, one.value) for one in shape.messages} == {("vi", "Sai."), ("en", "Wrong.")}
    (constraint,) = shape.constraints
    assert isinstance(constraint, Constraint)
    assert shapes[constraint.shapes[0]].severity == VIOLATION


def test_a_shape_that_is_switched_off_is_no_root() -> None:
    assert not read("e:s a sh:NodeShape ; sh:targetClass e:C ; sh:deactivated true ; sh:nodeKind sh:IRI .").targeted()


def test_what_no_shape_uses_need_not_be_well_formed() -> None:
    assert not read("_:path sh:inversePath ( _:path ) . e:q sh:alternativePath ( e:p ) .").by_node


def test_prefixes_come_through_imports() -> None:
    shapes = read(
        'e:a owl:imports e:b ; sh:declare [ sh:prefix "a" ; sh:namespace "https://example.org/a#"^^xsd:anyURI ] . '
        'e:b sh:declare [ sh:prefix "b" ; sh:namespace "https://example.org/b#"^^xsd:anyURI ] . '
        'e:s a sh:NodeShape ; sh:targetClass e:C ; sh:sparql [ sh:prefixes e:a ; sh:select "SELECT $this {}" ] .'
    )
    (constraint,) = shapes[e("s")].constraints
    assert isinstance(constraint, SparqlConstraint)
    assert dict(constraint.prefixes) == {"a": "https://example.org/a#", "b": "https://example.org/b#"}


def test_the_line_of_a_shape_is_known(tmp_path: Path) -> None:
    file = tmp_path / "own.ttl"
    file.write_text(PREFIXES + "\ne:s a sh:NodeShape ; sh:targetClass e:C ;\n  sh:minCuont 1 .\n", encoding="utf-8")
    with pytest.raises(ShapeFault) as caught:
        read_shapes([file])
    place = caught.value.place
    assert place is not None
    assert (place.file, place.line) == (str(file), 8)
    assert "minCuont" in caught.value.message
    assert "https://example.org/s" in caught.value.message


def test_blank_nodes_of_two_files_stay_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        text = (
            f"e:{name} a sh:NodeShape ; sh:targetClass e:C ; sh:property _:p . _:p sh:path e:{name} ; sh:minCount 1 ."
        )
        (tmp_path / f"{name}.ttl").write_text(PREFIXES + text, encoding="utf-8")
    shapes = read_shapes([tmp_path])
    assert {shape.path for shape in shapes if shape.path} == {Predicate(e("a").value), Predicate(e("b").value)}


C = "e:s a sh:NodeShape ; sh:targetClass e:C ; "
D = "e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path e:p ; "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (C + "sh:minCuont 1 .", "minCuont"),
        (C + "sh:rule [ ] .", "rule"),
        (C + "sh:js [ ] .", "js"),
        (C + "sh:target [ a sh:SPARQLTarget ] .", "target"),
        (C + "sh:property [ sh:minCount 1 ] .", "no path"),
        (C + "sh:minCount 1 .", "without a path"),
        (C + "sh:uniqueLang true .", "without a path"),
        (C + "sh:lessThan e:p .", "without a path"),
        (C + "sh:path e:p .", "node shape has a path"),
        ("e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:minCount 1 .", "no path"),
        (D + "sh:path e:q .", "several paths"),
        (D + "sh:minCount 1, 2 .", "2 times"),
        (D + 'sh:minCount "many" .', "no whole number"),
        (D + "sh:minCount 1.5 .", "no whole number"),
        (D + 'sh:datatype "integer" .', "sh:datatype"),
        (D + "sh:datatype xsd:integer, xsd:date .", "2 times"),
        (D + "sh:nodeKind sh:Thing .", "sh:nodeKind"),
        (D + "sh:pattern e:p .", "no literal"),
        (D + "sh:in e:p .", "list"),
        (D + "sh:in [ rdf:first 1 ] .", "list"),
        (D + "sh:languageIn ( e:vi ) .", "languageIn"),
        (D + "sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] .", "count"),
        (D + "sh:node [ sh:path e:q ; sh:minCount 1 ] .", "sh:node"),
        (D + 'sh:not "shape" .', "where a shape must be"),
        (D + 'sh:severity "high" .', "severity"),
        (C + "sh:closed true ; sh:ignoredProperties ( 1 ) .", "ignoredProperties"),
        (C + "sh:targetNode [ ] .", "targetNode"),
        (C + 'sh:targetClass "C" .', "targetClass"),
        (C + "sh:sparql [ sh:ask \"ASK {}\" ] .", "no body"),
        (C + "sh:sparql [ sh:select \"SELECT $this {}\" ; sh:jsFunctionName \"f\" ] .", "js"),
        ("e:o sh:entailment e:rdfs . " + C + "sh:nodeKind sh:IRI .", "entailment"),
        ("e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path [ ] ; sh:minCount 1 .", "path"),
        ("e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path ( e:p ) ; sh:minCount 1 .", "fewer than two"),
        ("e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path \"p\" ; sh:minCount 1 .", "path"),
        ("_:x sh:zeroOrMorePath _:x . e:s a sh:PropertyShape ; sh:targetClass e:C ; sh:path _:x .", "path"),
        (C + "sh:node e:s .", "refers to itself"),
        (C + "sh:or ( e:t [ sh:nodeKind sh:IRI ] ) . e:t a sh:NodeShape ; sh:not e:s .", "refers to itself"),
        (C + "sh:property [ sh:path e:p ; sh:node e:s ] .", "refers to itself"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_a_fault_that_names_the_shape(text: str, says: str) -> None:
    with pytest.raises(ShapeFault, match=says) as caught:
        read(text)
    assert caught.value.remedy
    assert caught.value.shape


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ("", "no parameter"),
        ("sh:parameter [ sh:path e:own ; sh:optional true ] ;", "no parameter"),
        ("sh:parameter [ sh:path ( e:own e:p ) ] ;", "sh:path"),
        ("sh:parameter [ sh:path e:value ] ;", "cannot be called"),
        ("sh:parameter [ sh:path e:own ] ; sh:validator [ sh:js e:f ] ;", "no body"),
    ],
)
def test_a_component_that_cannot_be_used_is_a_fault(parameters: str, says: str) -> None:
    with pytest.raises(ShapeFault, match=says):
        read(f'e:c a sh:ConstraintComponent ; {parameters} rdfs:label "c" . e:s a sh:NodeShape ; e:own 1 .')


def test_a_component_without_a_body_for_a_shape_is_a_fault() -> None:
    component = 'sh:parameter [ sh:path e:own ] ; sh:propertyValidator [ sh:select "SELECT $this {}" ]'
    with pytest.raises(ShapeFault, match="no body for this shape"):
        read(f"e:c a sh:ConstraintComponent ; {component} . e:s a sh:NodeShape ; sh:targetClass e:C ; e:own 1 .")
