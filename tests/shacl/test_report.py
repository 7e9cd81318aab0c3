"""Show that results are written as the W3C's validation report, and read back as they were."""

from __future__ import annotations

from datetime import date

import pyoxigraph as ox
from rdflib import RDF, SH, Graph

from graph.checking import Checker
from graph.shacl.reading import shapes_of
from graph.shacl.report import read_report, report_quads
from graph.shacl.shapes import Result
from graph.shacl.written import WrittenStore

from .w3c import rows_of_results

DAY = date(2026, 1, 1)
PREFIXES = """@prefix e: <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
"""
SHAPES = """e:s a sh:NodeShape ; sh:targetClass e:C ; sh:severity sh:Warning ; sh:nodeKind sh:BlankNode ;
  sh:property [ sh:path ( e:p [ sh:inversePath e:q ] ) ; sh:minCount 1 ; sh:message "Thiếu."@vi, "Missing."@en ] ;
  sh:sparql e:body .
e:body sh:message "Has {?value}."@en ; sh:select "SELECT $this ?value { $this <https://example.org/r> ?value }" ."""


def results(data: str) -> tuple[list[Result], tuple[ox.Quad, ...]]:
    shapes = shapes_of(ox.parse(PREFIXES + SHAPES, format=ox.RdfFormat.TURTLE))
    quads = ox.parse(PREFIXES + data, format=ox.RdfFormat.TURTLE)
    return list(Checker(shapes).check(WrittenStore(quads), DAY)), shapes.quads


def test_a_report_read_back_holds_the_same_results() -> None:
    found, shapes = results("e:n a e:C ; e:r 1 .")
    assert {result.component.rpartition("#")[2] for result in found} == {
        "NodeKindConstraintComponent", "MinCountConstraintComponent", "SPARQLConstraintComponent",
    }  # fmt: skip
    read = list(read_report(report_quads(found, shapes), ox.NamedNode("https://example.org/s")))
    assert set(rows_of_results(read)) == set(rows_of_results(found))
    assert {(one.messages, one.constraint) for one in read} == {(one.messages, one.constraint) for one in found}


def test_a_report_is_one_that_another_reader_of_rdf_understands() -> None:
    found, shapes = results("e:n a e:C ; e:r 1 .")
    text = ox.serialize((quad.triple for quad in report_quads(found, shapes)), format=ox.RdfFormat.TURTLE)
    graph = Graph().parse(data=text or b"", format="turtle")
    (report,) = graph.subjects(RDF.type, SH.ValidationReport)
    assert str(graph.value(report, SH.conforms)) == "false"
    assert len(set(graph.objects(report, SH.result))) == 3
    for result in graph.objects(report, SH.result):
        assert (result, RDF.type, SH.ValidationResult) in graph
        shape = graph.value(result, SH.sourceShape)
        assert graph.value(shape, SH.path) is not None or str(shape) == "https://example.org/s"


def test_a_report_of_nothing_conforms() -> None:
    found, shapes = results("e:n e:r 1 .")
    assert not found
    quads = list(report_quads(found, shapes, ox.NamedNode("https://example.org/report")))
    assert [quad.object.value for quad in quads if quad.predicate.value.endswith("#conforms")] == ["true"]


def test_messages_say_what_was_found_and_ours_stand_in_where_a_shape_is_silent() -> None:
    found, _ = results("e:n a e:C ; e:r 1 .")
    said = {result.component.rpartition("#")[2]: [str(one) for one in result.messages] for result in found}
    assert said["SPARQLConstraintComponent"] == ['"Has 1."@en']
    assert said["MinCountConstraintComponent"] == ['"Thiếu."@vi', '"Missing."@en']
    assert [one.partition("@")[2] for one in said["NodeKindConstraintComponent"]] == ["vi", "en"]
