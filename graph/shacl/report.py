"""Write results as the W3C's validation report, and read one (https://www.w3.org/TR/shacl/#validation-report)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from graph.shacl.paths import SH, as_rdf
from graph.shacl.reading import path_of
from graph.shacl.shapes import Result, Term
from graph.shacl.triples import RDF_TYPE, Triples
from graph.terms import XSD


def _sh(word: str) -> ox.NamedNode:
    return ox.NamedNode(SH + word)


_TYPE: Final = ox.NamedNode(RDF_TYPE)


def report_quads(
    results: Iterable[Result], shapes: Iterable[ox.Quad] = (), node: ox.NamedNode | ox.BlankNode | None = None
) -> Iterator[ox.Quad]:
    """Yield a report, one result after the other, ready to be written as they come.

    ``node`` is what the report is called. A shape without a name is described as far as ``shapes`` describe it, so
    that a reader of the report can tell which one it is. What conforms, ``sh:conforms``, comes last.
    """
    report = node or ox.BlankNode()
    described: set[Term] = set()
    triples = Triples(shapes)
    yield ox.Quad(report, _TYPE, _sh("ValidationReport"))
    any_found = False
    for result in results:
        any_found = True
        one = ox.BlankNode()
        yield ox.Quad(report, _sh("result"), one)
        yield ox.Quad(one, _TYPE, _sh("ValidationResult"))
        yield ox.Quad(one, _sh("focusNode"), result.focus)
        if result.path is not None:
            path, rest = as_rdf(result.path)
            yield ox.Quad(one, _sh("resultPath"), path)
            for triple in rest:
                yield ox.Quad(triple.subject, triple.predicate, triple.object)
        if result.value is not None:
            yield ox.Quad(one, _sh("value"), result.value)
        yield ox.Quad(one, _sh("sourceShape"), result.shape)
        yield ox.Quad(one, _sh("sourceConstraintComponent"), ox.NamedNode(result.component))
        if result.constraint is not None:
            yield ox.Quad(one, _sh("sourceConstraint"), result.constraint)
        yield ox.Quad(one, _sh("resultSeverity"), ox.NamedNode(result.severity))
        for message in result.messages:
            yield ox.Quad(one, _sh("resultMessage"), message)
        for term in (result.shape, result.constraint):
            if isinstance(term, ox.BlankNode):
                yield from _described(triples, term, described)
    conforms = ox.Literal("false" if any_found else "true", datatype=ox.NamedNode(XSD.boolean))
    yield ox.Quad(report, _sh("conforms"), conforms)


def _described(triples: Triples, node: ox.BlankNode, described: set[Term]) -> Iterator[ox.Quad]:
    if node in described:
        return
    described.add(node)
    for predicate in triples.predicates(node):
        for value in triples.objects(node, predicate):
            yield ox.Quad(node, ox.NamedNode(predicate), value)
            if isinstance(value, ox.BlankNode):
                yield from _described(triples, value, described)


def read_report(quads: Iterable[ox.Quad], root: Term) -> Iterator[Result]:
    """Yield the results of a report about one root."""
    triples = Triples(quads)
    for report in triples.subjects(RDF_TYPE, _sh("ValidationReport")):
        for result in triples.objects(report, SH + "result"):
            found = {
                word: triples.objects(result, SH + word)
                for word in (
                    "focusNode", "resultPath", "value", "sourceConstraintComponent", "sourceShape", "resultSeverity",
                    "resultMessage", "sourceConstraint",
                )
            }  # fmt: skip
            path, value, constraint = found["resultPath"], found["value"], found["sourceConstraint"]
            yield Result(
                focus=found["focusNode"][0],
                path=path_of(triples, path[0]) if path else None,
                value=value[0] if value else None,
                component=found["sourceConstraintComponent"][0].value,
                shape=found["sourceShape"][0],
                root=root,
                severity=found["resultSeverity"][0].value,
                messages=tuple(one for one in found["resultMessage"] if isinstance(one, ox.Literal)),
                constraint=constraint[0] if constraint else None,
            )
