"""Write statements for the tests of the search as Turtle."""

from __future__ import annotations

import pyoxigraph as ox

SOURCE = "https://example.org/source"
PREFIXES = """
@prefix d: <https://w3id.org/diaba/ns#> .
@prefix x: <https://example.org/> .
@prefix conf: <https://w3id.org/diaba/confidence/> .
@prefix level: <https://w3id.org/diaba/level/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def parse(text: str, graph: str = SOURCE) -> list[ox.Quad]:
    """Return the statements of a Turtle text, the prefixes of which are known, in one named graph."""
    quads = ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE)
    return [ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(graph)) for quad in quads]
