"""Write findings, of the register or of files, as the W3C's validation report in Turtle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

import pyoxigraph as ox

from graph.findings import Finding
from graph.inspecting import Found
from graph.rules import Rules
from graph.shacl.paths import SH, Path
from graph.shacl.report import report_quads
from graph.shacl.shapes import SPARQL_COMPONENT, Result, Term
from graph.standards import XSD
from graph.terms import BASE, D

_PREFIXES: Final = {"sh": SH, "s": f"{BASE}shapes#", "d": D.NS, "xsd": XSD}


def write_report(found: Iterable[Finding | Found], rules: Rules) -> bytes:
    """Return the report (https://www.w3.org/TR/shacl/#validation-report), a result per finding.

    The source shape is the one that carries the constraint where it has a name, else the rule.
    """
    paths = {shape.path.sparql: shape.path for shape in rules.shapes if shape.path is not None}
    quads = report_quads((_result(one, rules, paths) for one in found), rules.shapes.quads, ox.BlankNode("report"))
    triples = [ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads]
    return cast(bytes, ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=_PREFIXES))


def _result(one: Finding | Found, rules: Rules, paths: Mapping[str, Path]) -> Result:
    rule = rules.by_iri.get(one.rule)
    node: Term = rule.node if rule else ox.NamedNode(one.rule)
    if isinstance(one, Finding):
        messages = one.messages
    else:
        messages = tuple(
            ox.Literal(words, language=language) if language else ox.Literal(words)
            for language, words in sorted(one.messages.items())
        )
    return Result(
        focus=one.about or ox.NamedNode(one.rule),
        path=paths.get(one.path),
        value=one.value,
        component=one.component or SPARQL_COMPONENT,
        shape=ox.NamedNode(one.shape) if one.shape else node,
        root=node,
        severity=one.severity,
        messages=messages,
    )
