"""Make small random graphs and random shapes of SHACL Core, as Turtle, and hold two readings of SHACL to them."""

from __future__ import annotations

from datetime import date
from random import Random

import pyoxigraph as ox

from graph.checking import Checker
from graph.shacl.independent import Refused
from graph.shacl.reading import shapes_of
from graph.shacl.written import WrittenStore

from .second import ours, theirs, told

DAY = date(2026, 1, 1)

PREFIXES = """@prefix e: <https://example.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
NODES = [f"e:n{number}" for number in range(5)]
BLANKS = ["_:b0", "_:b1"]
CLASSES = ["e:A", "e:B", "e:C"]
PREDICATES = ["e:p", "e:q", "e:r"]
LITERALS = [
    '"a"', '"b"', '"abc"', '"a"@vi', '"b"@vi', '"a"@en', '"ab"@en-GB', '""', "1", "2", "3", "1.0", "2.5", "1e0",
    '"2024-01-01"^^xsd:date', '"2025-06-16"^^xsd:date', '"2024-01-01T00:00:00Z"^^xsd:dateTime', '"x"^^xsd:integer',
    '"2024-13-01"^^xsd:date', '"300"^^xsd:byte', '"7"^^xsd:byte', '"a"^^e:own',
]  # fmt: skip
#: values that can be put in order, all of one sort in one graph, of the predicates e:x and e:y
ORDERED = [["1", "2", "2.5", "3", "0.5e0"], [f'"2024-0{month}-01"^^xsd:date' for month in range(1, 6)]]
DATATYPES = ["xsd:string", "xsd:integer", "xsd:decimal", "xsd:date", "xsd:boolean", "xsd:byte", "e:own"]
KINDS = ["IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral"]


def a_graph(random: Random, ordered: list[str]) -> str:
    """Return some statements, with blank nodes, types, a small hierarchy of classes, and values in order."""
    lines = [PREFIXES]
    if random.random() < 0.5:
        lines.append("e:B rdfs:subClassOf e:A .")
    if random.random() < 0.3:
        lines.append("e:C rdfs:subClassOf e:B .")
    for node in NODES + BLANKS:
        if random.random() < 0.6:
            lines.append(f"{node} a {random.choice(CLASSES)} .")
    for _ in range(random.randint(4, 18)):
        value = random.choice(NODES + BLANKS if random.random() < 0.5 else LITERALS)
        lines.append(f"{random.choice(NODES + BLANKS)} {random.choice(PREDICATES)} {value} .")
    for _ in range(random.randint(0, 8)):
        lines.append(f"{random.choice(NODES + BLANKS)} e:{random.choice('xy')} {random.choice(ordered)} .")
    return "\n".join(lines)


def some_shapes(random: Random, ordered: list[str]) -> str:
    """Return one to three shapes with targets, and what they refer to."""
    writer = _Writer(random, ordered)
    return PREFIXES + "\n".join(writer.root(number) for number in range(random.randint(1, 3)))


class _Writer:
    """Write shapes; ``random`` decides everything."""

    def __init__(self, random: Random, ordered: list[str]) -> None:
        self.random = random
        self.ordered = ordered

    def root(self, number: int) -> str:
        kind = self.random.choice(["NodeShape", "NodeShape", "PropertyShape"])
        parts = [f"a sh:{kind}", *self.targets()]
        if kind == "PropertyShape":
            parts.append(f"sh:path {self.path(2)}")
        if self.random.random() < 0.2:
            parts.append(f"sh:severity sh:{self.random.choice(['Warning', 'Info'])}")
        parts.extend(self.constraints(kind == "PropertyShape", 3))
        return f"e:s{number} " + " ;\n  ".join(parts) + " ."

    def targets(self) -> list[str]:
        choices = [
            f"sh:targetClass {self.random.choice(CLASSES)}",
            f"sh:targetSubjectsOf {self.random.choice(PREDICATES)}",
            f"sh:targetObjectsOf {self.random.choice(PREDICATES)}",
            f"sh:targetNode {self.random.choice([*NODES, 'e:absent', *LITERALS])}",
        ]
        return self.random.sample(choices, self.random.randint(1, 2))

    def path(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.6:
            return self.random.choice(PREDICATES)
        inner = self.path(depth - 1)
        other = self.path(depth - 1)
        return self.random.choice(
            [
                f"[ sh:inversePath {self.random.choice(PREDICATES)} ]",
                f"( {inner} {other} )",
                f"[ sh:alternativePath ( {inner} {other} ) ]",
                f"[ sh:zeroOrMorePath {inner} ]",
                f"[ sh:oneOrMorePath {inner} ]",
                f"[ sh:zeroOrOnePath {inner} ]",
            ]
        )

    def shape(self, depth: int) -> str:
        """Return a nested shape without a name."""
        with_path = self.random.random() < 0.4
        parts = [f"sh:path {self.path(1)}"] if with_path else []
        return "[ " + " ; ".join(parts + self.constraints(with_path, depth - 1)) + " ]"

    def node_shape(self, depth: int) -> str:
        return "[ a sh:NodeShape ; " + " ; ".join(self.constraints(False, depth - 1)) + " ]"

    def property_shape(self, depth: int) -> str:
        return f"[ sh:path {self.path(2)} ; " + " ; ".join(self.constraints(True, depth - 1)) + " ]"

    def constraints(self, with_path: bool, depth: int) -> list[str]:
        """Return one to three constraints, each parameter once."""
        random = self.random
        languages = random.choice(['"vi"', '"en"', '"vi" "en"'])
        pattern = random.choice(["^a", "b$", "A", "[0-9]+"])
        limit, term = random.choice(self.ordered), random.choice([*NODES, *LITERALS])
        choices = [
            f"sh:class {random.choice(CLASSES)}",
            f"sh:datatype {random.choice(DATATYPES)}",
            f"sh:nodeKind sh:{random.choice(KINDS)}",
            f"sh:minLength {random.randint(1, 3)}",
            f"sh:maxLength {random.randint(0, 3)}",
            f'sh:pattern "{pattern}"' + random.choice(["", ' ; sh:flags "i"']),
            f"sh:languageIn ( {languages} )",
            f"sh:in ( {' '.join(random.sample(NODES + LITERALS, 3))} )",
            f"sh:hasValue {term}",
            f"sh:equals {random.choice(PREDICATES)}",
            f"sh:disjoint {random.choice(PREDICATES)}",
            "sh:closed true" + random.choice(["", f" ; sh:ignoredProperties ( {random.choice(PREDICATES)} )"]),
        ]
        if with_path:
            choices += [
                f"sh:minCount {random.randint(0, 3)}",
                f"sh:maxCount {random.randint(0, 2)}",
                "sh:uniqueLang true",
            ]
        else:
            bound = random.choice(["minInclusive", "maxInclusive", "minExclusive", "maxExclusive"])
            choices += [
                f"sh:property [ sh:path e:x ; sh:{random.choice(['lessThan', 'lessThanOrEquals'])} e:y ]",
                f"sh:property [ sh:path e:y ; sh:{bound} {limit} ]",
            ]
        if depth > 0:
            choices += [
                f"sh:not {self.shape(depth)}",
                f"sh:and ( {self.shape(depth)} {self.shape(depth)} )",
                f"sh:or ( {self.shape(depth)} {self.shape(depth)} )",
                f"sh:xone ( {self.shape(depth)} {self.shape(depth)} )",
                f"sh:node {self.node_shape(depth)}",
                f"sh:property {self.property_shape(depth)}",
                f"sh:property {self.property_shape(depth)}",
            ]
            if with_path:
                choices.append(
                    f"sh:qualifiedValueShape {self.shape(depth)} ; "
                    f"sh:qualified{random.choice(['Min', 'Max'])}Count {random.randint(0, 2)}"
                )
            else:
                choices.append(
                    f"sh:property [ sh:path e:p ; sh:qualifiedValueShapesDisjoint true ; sh:qualifiedMinCount 1 ; "
                    f"sh:qualifiedValueShape {self.shape(depth)} ] , [ sh:path e:p ; sh:qualifiedMinCount 1 ; "
                    f"sh:qualifiedValueShapesDisjoint true ; sh:qualifiedValueShape {self.shape(depth)} ]"
                )
        return random.sample(choices, random.randint(1, 3))


def compared(seed: int) -> str:
    """Return where our check and pySHACL differ about a random graph and random shapes, "" where they agree.

    What pySHACL refuses is no difference.
    """
    random = Random(seed)
    ordered = random.choice(ORDERED)
    texts = a_graph(random, ordered), some_shapes(random, ordered)
    graph, written = (tuple(ox.parse(text, format=ox.RdfFormat.TURTLE)) for text in texts)
    shapes = shapes_of(written)
    found = ours(Checker(shapes), WrittenStore(graph), DAY)
    try:
        expected = theirs(graph, shapes, DAY)
    except Refused:
        return ""
    if found == expected:
        return ""
    only = f"only ours:\n{told(found - expected)}\nonly pySHACL:\n{told(expected - found)}"
    return "\n".join([*(text.removeprefix(PREFIXES) for text in texts), only])
