"""Let pySHACL judge statements: another reading of SHACL, for what we do not compile and for holding ours against it.

Run as ``python -m graph.shacl.independent`` by ``graph.shacl.reference``: shapes and data come in as N-Triples, the
report goes out as N-Triples. Blank nodes keep their labels both ways, literals the form in which they are written.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox
import rdflib
from pyshacl import validate
from rdflib.term import Node

from graph.shacl.paths import SH
from graph.shacl.shapes import Term
from graph.terms import RDF, RDFS

_TARGETS: Final = {SH + word for word in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")}


class Refused(Exception):
    """pySHACL cannot run these shapes, and says why."""


def report(data: Iterable[ox.Quad], shapes: Iterable[ox.Quad], roots: Iterable[Term] | None = None) -> list[ox.Quad]:
    """Return pySHACL's validation report as quads. Only ``roots`` keep their targets, where they are given.

    Raises ``Refused``.
    """
    kept = None if roots is None else set(roots)
    return judged(graph_of(data), graph_of(shapes if kept is None else targeting(list(shapes), kept)))


def judged(data: rdflib.Graph, shapes: rdflib.Graph, nodes: list[str] | None = None) -> list[ox.Quad]:
    """Do as ``report`` for graphs; ``nodes`` are the only ones judged, where they are given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _, found, text = validate(
                data, shacl_graph=shapes, inplace=True, do_owl_imports=False, focus_nodes=list(nodes or ()) or None
            )
        except RuntimeError as fault:  # the root of all that pySHACL raises on purpose
            raise Refused(str(fault)) from fault
    if not isinstance(found, rdflib.Graph):
        raise Refused(str(text).strip() or str(found))
    return [
        ox.Quad(_term(subject), _term(predicate), _term(value))  # type: ignore[arg-type]
        for subject, predicate, value in found
    ]


def targeting(quads: list[ox.Quad], roots: set[Term]) -> Iterator[ox.Quad]:
    """Take their targets from all shapes but some."""
    shaped = {
        quad.subject
        for quad in quads
        if quad.predicate.value == RDF.type
        and isinstance(quad.object, ox.NamedNode)
        and quad.object.value in (SH + "NodeShape", SH + "PropertyShape")
    }
    for quad in quads:
        targets = quad.predicate.value in _TARGETS
        implied = (
            quad.predicate.value == RDF.type
            and quad.subject in shaped
            and isinstance(quad.object, ox.NamedNode)
            and quad.object.value == RDFS.NS + "Class"
        )
        if quad.subject in roots or not (targets or implied):
            yield quad


def graph_of(quads: Iterable[ox.Quad]) -> rdflib.Graph:
    graph = rdflib.Graph()
    for quad in quads:
        graph.add((_node(quad.subject), _node(quad.predicate), _node(quad.object)))
    return graph


def _node(term: Term | ox.Triple) -> Node:
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    if isinstance(term, ox.Triple):
        raise Refused("A statement about a statement is beyond pySHACL")
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = rdflib.URIRef(term.datatype.value)
    if datatype == rdflib.XSD.string:
        return rdflib.Literal(term.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)


def _term(node: Node) -> Term:
    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.BNode):
        return ox.BlankNode(str(node))
    assert isinstance(node, rdflib.Literal)
    if node.language:
        return ox.Literal(str(node), language=node.language)
    return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))


def main() -> None:
    """Read one question from standard input and write the answer, within the memory that it allows."""
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory"], asked["memory"]))
    data, shapes, roots = (
        list(ox.parse(asked[name], format=ox.RdfFormat.N_TRIPLES)) for name in ("data", "shapes", "roots")
    )
    try:
        found = report(data, shapes, [quad.object for quad in roots])
    except Refused as refused:
        json.dump({"refused": str(refused)}, sys.stdout)
    except MemoryError:
        json.dump({"memory": True}, sys.stdout)
    else:
        lines = ox.serialize((quad.triple for quad in found), format=ox.RdfFormat.N_TRIPLES)
        json.dump({"report": (lines or b"").decode()}, sys.stdout)


if __name__ == "__main__":
    main()
