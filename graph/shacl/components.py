"""Read constraint components that a shapes graph brings along (https://www.w3.org/TR/shacl/#sparql-constraint-components)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import pyoxigraph as ox

from graph.errors import Place, ShapeFault
from graph.shacl.paths import SH
from graph.shacl.shapes import SparqlConstraint, Term
from graph.shacl.triples import RDF_TYPE, Triples
from graph.terms import XSD

_OWL_IMPORTS: Final = "http://www.w3.org/2002/07/owl#imports"
_TRUE: Final = ox.Literal("true", datatype=ox.NamedNode(XSD.boolean))
#: what a parameter may not be called, since a body uses it already
_TAKEN: Final = {"this", "shapesGraph", "currentShape", "path", "PATH", "value"}


@dataclass(frozen=True, slots=True)
class Validator:
    """Hold one body of a component; ``asks`` tells an ``ASK`` about a value from a ``SELECT`` of violations."""

    node: Term
    text: str
    asks: bool
    prefixes: tuple[tuple[str, str], ...]
    messages: tuple[ox.Literal, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """Hold a component: its parameters by their predicates (name, whether it must be there), and its bodies."""

    iri: str
    parameters: tuple[tuple[str, str, bool], ...]
    for_nodes: Validator | None
    for_properties: Validator | None
    for_values: Validator | None

    def uses(self, triples: Triples, shape: Term) -> bool:
        """Say whether a shape states every parameter that must be there."""
        return all(triples.objects(shape, iri) for iri, _, needed in self.parameters if needed)

    def constraints(
        self, triples: Triples, shape: Term, is_property: bool, place: Place | None
    ) -> list[SparqlConstraint]:
        """Return the constraints that a shape makes with this component. Raises ``ShapeFault``."""
        validator = (self.for_properties if is_property else self.for_nodes) or self.for_values
        name = str(shape)
        if validator is None:
            raise ShapeFault(
                f"The component {self.iri} has no body for this shape",
                shape=name,
                remedy=f"Give it sh:{'propertyValidator' if is_property else 'nodeValidator'} or sh:validator.",
                place=place,
            )
        stated = [(word, triples.objects(shape, iri)) for iri, word, _ in self.parameters]
        stated = [(word, values) for word, values in stated if values]
        if len(stated) > 1 and any(len(values) > 1 for _, values in stated):
            raise ShapeFault(
                f"The component {self.iri} is given several values of one parameter among others",
                shape=name,
                remedy="State each combination in a shape of its own.",
                place=place,
            )
        return [
            SparqlConstraint(
                node=validator.node,
                text=validator.text,
                prefixes=validator.prefixes,
                messages=validator.messages,
                component=self.iri,
                asks=validator.asks,
                parameters=tuple(zip((word for word, _ in stated), values, strict=True)),
                place=place,
            )
            for values in product(*(values for _, values in stated))
        ]


def components_of(triples: Triples) -> tuple[Component, ...]:
    """Return every component that the graph declares. Raises ``ShapeFault`` for one that cannot be used."""
    return tuple(
        _component(triples, node)
        for node in triples.instances(SH + "ConstraintComponent")
        if isinstance(node, ox.NamedNode) and not node.value.startswith(SH)
    )


def _component(triples: Triples, node: ox.NamedNode) -> Component:
    parameters = []
    for parameter in triples.objects(node, SH + "parameter"):
        path = triples.objects(parameter, SH + "path")
        if len(path) != 1 or not isinstance(path[0], ox.NamedNode):
            raise ShapeFault(
                f"A parameter of {node.value} has no sh:path that is an IRI",
                shape=str(node),
                remedy="Name the property that carries the parameter.",
            )
        name = _local_name(path[0].value)
        if name in _TAKEN or not name.isidentifier():
            raise ShapeFault(
                f"A parameter of {node.value} cannot be called {name}",
                shape=str(node),
                remedy="Choose a property whose local name is a word of its own.",
            )
        parameters.append((path[0].value, name, _TRUE not in triples.objects(parameter, SH + "optional")))
    if not any(needed for _, _, needed in parameters):
        raise ShapeFault(
            f"The component {node.value} has no parameter that must be there",
            shape=str(node),
            remedy="Declare sh:parameter with a sh:path that is not sh:optional.",
        )
    return Component(
        node.value,
        tuple(parameters),
        _validator(triples, node, "nodeValidator"),
        _validator(triples, node, "propertyValidator"),
        _validator(triples, node, "validator"),
    )


def _local_name(iri: str) -> str:
    return iri[max(iri.rfind(mark) for mark in "#/:") + 1 :]


def _validator(triples: Triples, component: ox.NamedNode, word: str) -> Validator | None:
    for node in triples.objects(component, SH + word):
        asks, selects = triples.objects(node, SH + "ask"), triples.objects(node, SH + "select")
        body = asks or selects
        unknown = [one for one in triples.predicates(node) if one.startswith(SH + "js")]
        if len(body) != 1 or not isinstance(body[0], ox.Literal) or unknown:
            raise ShapeFault(
                f"The sh:{word} of {component.value} has no body in SPARQL",
                shape=str(component),
                remedy="Give it one sh:ask or one sh:select.",
            )
        return Validator(node, body[0].value, bool(asks), declared_prefixes(triples, node), messages_of(triples, node))
    return None


def messages_of(triples: Triples, node: Term) -> tuple[ox.Literal, ...]:
    """Return the messages of a shape, constraint or validator in the order of the file."""
    return tuple(one for one in triples.objects(node, SH + "message") if isinstance(one, ox.Literal))


def declared_prefixes(triples: Triples, node: Term) -> tuple[tuple[str, str], ...]:
    """Return what ``sh:prefixes`` of a node declares, through ``owl:imports`` too. Raises ``ShapeFault``."""
    found: dict[str, str] = {}
    seen: set[Term] = set()
    wave = list(triples.objects(node, SH + "prefixes"))
    while wave:
        owner = wave.pop()
        if owner in seen:
            continue
        seen.add(owner)
        wave.extend(triples.objects(owner, _OWL_IMPORTS))
        for declaration in triples.objects(owner, SH + "declare"):
            prefix = triples.objects(declaration, SH + "prefix")
            namespace = triples.objects(declaration, SH + "namespace")
            if len(prefix) != 1 or len(namespace) != 1:
                raise ShapeFault(
                    f"A sh:declare of {owner} lacks its prefix or its namespace",
                    shape=str(node),
                    remedy="Give it one sh:prefix and one sh:namespace.",
                )
            name, iri = prefix[0].value, namespace[0].value
            if found.setdefault(name, iri) != iri:
                raise ShapeFault(
                    f"The prefix {name}: is declared twice, as {found[name]} and as {iri}",
                    shape=str(node),
                    remedy="Declare one namespace per prefix.",
                )
    return tuple(found.items())


def is_component(triples: Triples, node: Term) -> bool:
    """Say whether a node is a component's parameter or body rather than a shape of its own."""
    return bool(triples.subjects(SH + "parameter", node)) or any(
        isinstance(one, ox.NamedNode) and one.value == SH + "Parameter" for one in triples.objects(node, RDF_TYPE)
    )
