"""Read shapes out of RDF (https://www.w3.org/TR/shacl/): what is not understood is a fault, never passed over.

A shape is read when it is typed as one, has a target, or is named by a shape that is read. Every property of a shape in
the namespace of SHACL must be one that this module knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path as FilePath
from typing import Final

import pyoxigraph as ox

from graph.errors import Place, ShapeFault
from graph.files import open_inputs, parse
from graph.shacl import paths
from graph.shacl.components import components_of, declared_prefixes, is_component, messages_of
from graph.shacl.paths import SH, Path
from graph.shacl.shapes import VIOLATION, Constraint, Kind, Shape, Shapes, SparqlConstraint, Target, Term
from graph.shacl.triples import FIRST, RDF_TYPE, Triples
from graph.terms import RDFS, XSD

_TARGETS: Final = {
    SH + "targetNode": Kind.node,
    SH + "targetClass": Kind.class_,
    SH + "targetSubjectsOf": Kind.subjects_of,
    SH + "targetObjectsOf": Kind.objects_of,
}
#: what a shape may say about itself beside constraints, targets, severity and message
_ABOUT: Final = {
    "path", "name", "description", "order", "group", "defaultValue", "flags", "ignoredProperties", "severity",
    "message", "deactivated", "qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint", "declare",
    "prefixes", "select", "ask", "labelTemplate", "optional", "targetNode", "targetClass", "targetSubjectsOf",
    "targetObjectsOf",
}  # fmt: skip
_COUNTS: Final = {"minCount", "maxCount", "minLength", "maxLength"}
_NAMES: Final = {"class", "datatype", "equals", "disjoint", "lessThan", "lessThanOrEquals", "nodeKind"}
_LITERALS: Final = {"minExclusive", "minInclusive", "maxExclusive", "maxInclusive", "pattern"}
_LISTS: Final = {"in", "languageIn"}
_SHAPE_LISTS: Final = {"and", "or", "xone"}
_SHAPE_NAMES: Final = {"node", "not", "property"}
_FLAGS: Final = {"uniqueLang", "closed"}
_OTHERS: Final = {"hasValue", "qualifiedValueShape", "sparql"}
_PARAMETERS: Final = _COUNTS | _NAMES | _LITERALS | _LISTS | _SHAPE_LISTS | _SHAPE_NAMES | _FLAGS | _OTHERS
#: parameters that a shape has once
_ONCE: Final = (
    _COUNTS | _LITERALS | _LISTS | _FLAGS | {"datatype", "nodeKind", "qualifiedValueShape", "flags", "severity",
    "deactivated", "ignoredProperties", "qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint"}
)  # fmt: skip
#: parameters that judge all values of a path together
_OF_PROPERTIES: Final = {"minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualifiedValueShape"}
_KINDS: Final = {
    SH + name for name in ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
}
_DRAFT: Final = ox.NamedNode(SH + "shape")
_NODE: Final = ox.NamedNode(SH + "node")
_TRUE: Final = ox.Literal("true", datatype=ox.NamedNode(XSD.boolean))

_CLASS: Final = RDFS.NS + "Class"
_BODIES: Final = {SH + "select", SH + "ask"}


def shapes_of(quads: Iterable[ox.Quad], places: Mapping[Term, Place] | None = None) -> Shapes:
    """Return the shapes of a graph; ``places`` says where named ones stand. Raises ``ShapeFault``."""
    return _Reading(Triples(map(_of_today, quads)), places or {}).read()


def read_shapes(targets: Iterable[str | FilePath]) -> Shapes:
    """Return the shapes of files and of all files below folders, together one graph.

    Raises ``ShapeFault``, and ``Unreadable`` or ``Malformed`` for what is no RDF.
    """
    quads: list[ox.Quad] = []
    places: dict[Term, Place] = {}
    with open_inputs(targets) as found:
        for number, source in enumerate(one for inputs in found for one in inputs):
            here = [_apart(quad, number) for quad in parse(source, source.address)]
            quads.extend(here)
            subjects = list(dict.fromkeys(quad.subject for quad in here))
            if not source.gzipped:
                places.update(_places(source.path, source.name, subjects))
                places.update(_bodies(source.path, source.name, here))
    return shapes_of(quads, places)


def read_path(quads: Iterable[ox.Quad], node: Term, shape: Shape) -> Path:
    """Return the path that a node of a shapes graph describes; ``shape`` is named where it is none (``ShapeFault``)."""
    reading = _Reading(Triples(quads), {})
    reading.node, reading.place = shape.node, shape.place
    return reading.path(node, ())


def path_of(triples: Triples, node: Term) -> Path:
    """Return the path that a node of a report describes. Raises ``ShapeFault``."""
    return _Reading(triples, {}).path(node, ())


def _of_today(quad: ox.Quad) -> ox.Quad:
    """Read ``sh:shape`` as what it became: drafts of 2016 called ``sh:node`` so, and published profiles still do."""
    if quad.predicate != _DRAFT:
        return quad
    return ox.Quad(quad.subject, _NODE, quad.object, quad.graph_name)


def _apart(quad: ox.Quad, number: int) -> ox.Quad:
    """Keep the blank nodes of a file apart from those of the others."""
    terms = [
        ox.BlankNode(f"f{number}x{term.value}") if isinstance(term, ox.BlankNode) else term
        for term in (quad.subject, quad.object)
    ]
    return ox.Quad(terms[0], quad.predicate, terms[1])  # type: ignore[arg-type]


def _places(path: FilePath, name: str, subjects: Iterable[Term | ox.Triple]) -> Mapping[Term, Place]:
    """Find the line on which each named subject is written first at the beginning of a line."""
    wanted = {subject.value: subject for subject in subjects if isinstance(subject, ox.NamedNode)}
    locals_: dict[str, ox.NamedNode] = {}
    for iri, subject in wanted.items():
        locals_.setdefault(re.split(r"[#/]", iri)[-1], subject)
    found: dict[Term, Place] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            start = re.match(r"<([^<>]*)>|[\w.-]*:([\w.-]+)", line)
            if start:
                subject_ = wanted.get(start[1] or "") or locals_.get(start[2] or "")
                if subject_ is not None:
                    found.setdefault(subject_, Place(name, number))
    return found or {subject: Place(name) for subject in wanted.values()}


def _bodies(path: FilePath, name: str, quads: Iterable[ox.Quad]) -> Mapping[Term, Place]:
    """Find where the text of each query begins: it stands in its file as it is, up to what must be escaped."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found: dict[Term, Place] = {}
    after = 0
    for subject, predicate, body, _ in quads:
        if predicate.value not in _BODIES or not isinstance(body, ox.Literal) or isinstance(subject, ox.Triple):
            continue
        begins = re.split(r'[\\"\r]', body.value)[0] or body.value
        at = text.find(body.value, after)
        at = at if at >= 0 else text.find(begins, after)
        if at >= 0:
            found[subject] = Place(name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
            after = at + len(begins)
    return found


class _Reading:
    """Read one shapes graph."""

    def __init__(self, triples: Triples, places: Mapping[Term, Place]) -> None:
        self.triples = triples
        self.places = places
        self.components = components_of(triples)
        self.own_parameters = {iri for one in self.components for iri, _, _ in one.parameters}
        self.shapes: dict[Term, Shape] = {}
        self.place: Place | None = None
        self.node: Term | None = None

    def read(self) -> Shapes:
        entailments = [quad for quad in self.triples.quads if quad.predicate.value == SH + "entailment"]
        if entailments:
            raise ShapeFault(
                f"The shapes ask for the entailment {entailments[0].object}",
                shape=str(entailments[0].subject),
                remedy="Leave sh:entailment out: shapes judge what is stated.",
            )
        typed = {*self.triples.instances(SH + "NodeShape"), *self.triples.instances(SH + "PropertyShape")}
        for node in self.triples.nodes():
            if is_component(self.triples, node):
                continue
            if node in typed or any(self.triples.objects(node, target) for target in _TARGETS):
                self._shape(node, self.places.get(node), ())
        return Shapes(self.shapes, self.triples.quads)

    def _fault(self, message: str, remedy: str) -> ShapeFault:
        return ShapeFault(f"{message}, in {self._name()}", shape=str(self.node), remedy=remedy, place=self.place)

    def _name(self) -> str:
        return self.node.value if isinstance(self.node, ox.NamedNode) else "a shape without a name"

    def _shape(self, node: Term, place: Place | None, above: tuple[Term, ...]) -> None:
        """Read a shape and those it names; ``above`` are the shapes that led here."""
        place = self.places.get(node, place)
        before = self.place, self.node
        self.place, self.node = place, node
        if node in above:
            chain = " → ".join(str(one) for one in (*above[above.index(node) :], node))
            raise self._fault(
                f"The shape refers to itself ({chain})", "Write the rule without a shape that comes back to itself."
            )
        if node not in self.shapes:
            self.shapes[node] = self._one(node)
        for nested in self._named(self.shapes[node]):
            self._shape(nested, place, (*above, node))
        self.place, self.node = before

    def _named(self, shape: Shape) -> list[Term]:
        found: list[Term] = []
        for one in shape.constraints:
            if isinstance(one, Constraint):
                found.extend(one.shapes)
                found.extend(one.siblings)
        return list(dict.fromkeys(found))

    def _one(self, node: Term) -> Shape:
        triples = self.triples
        if isinstance(node, ox.Literal):
            raise self._fault(f"The text {node} stands where a shape must be", "Name a shape, by IRI or in brackets.")
        for predicate in triples.predicates(node):
            if predicate.startswith(SH):
                self._known(predicate.removeprefix(SH), len(triples.objects(node, predicate)))
        stated = triples.objects(node, SH + "path")
        types = {one.value for one in triples.objects(node, RDF_TYPE) if isinstance(one, ox.NamedNode)}
        if len(stated) > 1:
            raise self._fault("The shape has several paths", "Keep one sh:path.")
        if stated and SH + "NodeShape" in types:
            raise self._fault("A node shape has a path", "Make it a sh:PropertyShape, or take sh:path out.")
        if not stated and SH + "PropertyShape" in types:
            raise self._fault("A property shape has no path", "Give it one sh:path.")
        path = self.path(stated[0], ()) if stated else None
        return Shape(
            node=node,
            path=path,
            targets=self._targets(node, types),
            constraints=tuple(self._constraints(node, path)),
            severity=self._iri(node, "severity") or VIOLATION,
            messages=messages_of(triples, node),
            deactivated=_TRUE in triples.objects(node, SH + "deactivated"),
            place=self.place,
        )

    def _known(self, word: str, times: int) -> None:
        if word not in _ABOUT | _PARAMETERS:
            raise self._fault(
                f"The word sh:{word} is not known to this check",
                "Look for a slip of the pen; rules, functions, JavaScript and targets in SPARQL are not supported.",
            )
        if word in _ONCE and times > 1:
            raise self._fault(f"The shape has sh:{word} {times} times", f"Keep one sh:{word}.")

    def _targets(self, node: Term, types: set[str]) -> tuple[Target, ...]:
        found = []
        for iri, kind in _TARGETS.items():
            for term in self.triples.objects(node, iri):
                if not isinstance(term, ox.NamedNode) and (kind is not Kind.node or isinstance(term, ox.BlankNode)):
                    raise self._fault(
                        f"The value {term} of sh:{iri.removeprefix(SH)} is no IRI", "Name the target by its IRI."
                    )
                found.append(Target(kind, term))
        classes = {one.value for one in self.triples.below(_CLASS) if isinstance(one, ox.NamedNode)}
        shaped = {SH + "NodeShape", SH + "PropertyShape"}
        below = {one.value for kind in shaped for one in self.triples.below(kind) if isinstance(one, ox.NamedNode)}
        if types & classes and types & below:
            found.append(Target(Kind.class_, node))
        return tuple(dict.fromkeys(found))

    # --- paths

    def path(self, node: Term, above: tuple[Term, ...]) -> Path:
        if isinstance(node, ox.NamedNode):
            return paths.Predicate(node.value)
        if isinstance(node, ox.Literal) or node in above:
            raise self._fault("The path is not well formed", "Name a property, or describe one path in brackets.")
        above = (*above, node)
        if self.triples.objects(node, FIRST):
            return paths.Sequence(self._parts(node, above))
        stated = [one for one in self.triples.predicates(node) if one in _PATHS]
        if len(stated) != 1 or len(self.triples.objects(node, stated[0])) != 1:
            raise self._fault("The path is not well formed", "Name a property, or describe one path in brackets.")
        inner = self.triples.objects(node, stated[0])[0]
        if stated[0] == SH + "alternativePath":
            return paths.Alternative(self._parts(inner, above))
        return _ONE_PART[stated[0]](self.path(inner, above))

    def _parts(self, head: Term, above: tuple[Term, ...]) -> tuple[Path, ...]:
        parts = tuple(self.path(one, above) for one in self._list(head, "a path"))
        if len(parts) < 2:
            raise self._fault("A path lists fewer than two parts", "Write a single part without the list.")
        return parts

    def _list(self, head: Term, what: str) -> tuple[Term, ...]:
        try:
            return self.triples.members(head)
        except ValueError as fault:
            raise self._fault(f"The list of {what} is not well formed", "Write it as ( … ).") from fault

    # --- constraints

    def _constraints(self, node: Term, path: Path | None) -> Iterable[Constraint | SparqlConstraint]:
        for predicate in self.triples.predicates(node):
            word = predicate.removeprefix(SH)
            if not predicate.startswith(SH) or word not in _PARAMETERS:
                continue
            if path is None and word in _OF_PROPERTIES:
                raise self._fault(f"A shape without a path has sh:{word}", "Put it into a sh:property with a path.")
            for value in self.triples.objects(node, predicate):
                yield from self._constraint(node, word, value)
        for component in self.components:
            if component.uses(self.triples, node):
                yield from component.constraints(self.triples, node, path is not None, self.place)

    def _constraint(self, node: Term, word: str, value: Term) -> Iterable[Constraint | SparqlConstraint]:
        component = SH + word[0].upper() + word[1:] + "ConstraintComponent"
        if word in _COUNTS:
            yield Constraint(component, count=self._count(word, value))
        elif word in _NAMES:
            if not isinstance(value, ox.NamedNode) or (word == "nodeKind" and value.value not in _KINDS):
                raise self._fault(f"The value {value} of sh:{word} cannot be one", "Name it by its IRI.")
            yield Constraint(component, (value,))
        elif word in _LITERALS:
            if not isinstance(value, ox.Literal):
                raise self._fault(f"The value {value} of sh:{word} is no literal", "Write it as a literal.")
            flags = self._text(node, "flags") if word == "pattern" else ""
            yield Constraint(component, (value,), flags=flags)
        elif word in _LISTS:
            members = self._list(value, f"sh:{word}")
            if word == "languageIn" and not all(isinstance(one, ox.Literal) for one in members):
                raise self._fault("A member of sh:languageIn is no text", 'Write the tags as texts: ( "vi" "en" ).')
            yield Constraint(component, members)
        elif word in _SHAPE_LISTS:
            yield Constraint(component, shapes=self._list(value, f"sh:{word}"))
        elif word in _SHAPE_NAMES:
            if word == "property" and not self.triples.objects(value, SH + "path"):
                raise self._fault("A sh:property has no path", "Give it one sh:path.")
            if word == "node" and self.triples.objects(value, SH + "path"):
                raise self._fault("A sh:node names a shape with a path", "Use sh:property for it.")
            yield Constraint(component, shapes=(value,))
        elif word in _FLAGS:
            # Only "true" switches it on: "1" is another literal (W3C test uniqueLang-002).
            if value == _TRUE:
                yield Constraint(component, terms=self._allowed(node) if word == "closed" else ())
        elif word == "hasValue":
            yield Constraint(component, (value,))
        elif word == "qualifiedValueShape":
            yield from self._qualified(node, value)
        else:
            yield from self._sparql(value)

    def _count(self, word: str, value: Term) -> int:
        if not isinstance(value, ox.Literal) or not re.fullmatch(r"[+-]?[0-9]{1,18}", value.value):
            raise self._fault(f"The value {value} of sh:{word} is no whole number", "Write a whole number.")
        return int(value.value)

    def _text(self, node: Term, word: str) -> str:
        for value in self.triples.objects(node, SH + word):
            if isinstance(value, ox.Literal):
                return value.value
            raise self._fault(f"The value {value} of sh:{word} is no text", "Write it as a text.")
        return ""

    def _iri(self, node: Term, word: str) -> str | None:
        for value in self.triples.objects(node, SH + word):
            if isinstance(value, ox.NamedNode):
                return value.value
            raise self._fault(f"The value {value} of sh:{word} is no IRI", "Name it by its IRI.")
        return None

    def _allowed(self, node: Term) -> tuple[Term, ...]:
        """Return the properties that a closed shape allows."""
        found: list[Term] = []
        for nested in self.triples.objects(node, SH + "property"):
            found.extend(one for one in self.triples.objects(nested, SH + "path") if isinstance(one, ox.NamedNode))
        for ignored in self.triples.objects(node, SH + "ignoredProperties"):
            found.extend(self._list(ignored, "sh:ignoredProperties"))
        if not all(isinstance(one, ox.NamedNode) for one in found):
            raise self._fault("A member of sh:ignoredProperties is no property", "Name properties by their IRIs.")
        return tuple(dict.fromkeys(found))

    def _qualified(self, node: Term, value: Term) -> Iterable[Constraint]:
        siblings: list[Term] = []
        if _TRUE in self.triples.objects(node, SH + "qualifiedValueShapesDisjoint"):
            for parent in self.triples.subjects(SH + "property", node):
                for nested in self.triples.objects(parent, SH + "property"):
                    siblings.extend(self.triples.objects(nested, SH + "qualifiedValueShape"))
        others = tuple(dict.fromkeys(one for one in siblings if one != value))
        stated = False
        for word, name in (("qualifiedMinCount", "QualifiedMinCount"), ("qualifiedMaxCount", "QualifiedMaxCount")):
            for number in self.triples.objects(node, SH + word):
                stated = True
                yield Constraint(
                    f"{SH}{name}ConstraintComponent",
                    shapes=(value,),
                    count=self._count(word, number),
                    siblings=others,
                )
        if not stated:
            raise self._fault(
                "A qualified value shape has no count", "Give sh:qualifiedMinCount, sh:qualifiedMaxCount, or both."
            )

    def _sparql(self, value: Term) -> Iterable[SparqlConstraint]:
        triples = self.triples
        if _TRUE in triples.objects(value, SH + "deactivated"):
            return
        body = triples.objects(value, SH + "select")
        if len(body) != 1 or not isinstance(body[0], ox.Literal):
            raise self._fault("A sh:sparql has no body", "Give it one sh:select with the text of the query.")
        unknown = [one for one in triples.predicates(value) if one.startswith(SH + "js") or one == SH + "ask"]
        if unknown:
            raise self._fault(f"A sh:sparql has {unknown[0]}", "Give it one sh:select only.")
        try:
            prefixes = declared_prefixes(triples, value)
        except ShapeFault as fault:
            raise self._fault(fault.message, fault.remedy) from fault
        yield SparqlConstraint(
            node=value,
            text=body[0].value,
            prefixes=prefixes,
            messages=messages_of(triples, value),
            place=self.places.get(value, self.place),
        )


_ONE_PART: Final[Mapping[str, Callable[[Path], Path]]] = {
    SH + "inversePath": paths.Inverse,
    SH + "zeroOrMorePath": paths.ZeroOrMore,
    SH + "oneOrMorePath": paths.OneOrMore,
    SH + "zeroOrOnePath": paths.ZeroOrOne,
}
_PATHS: Final = {*_ONE_PART, SH + "alternativePath"}
