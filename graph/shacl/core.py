"""Find what violates SHACL Core among all focus nodes at once: one query per constraint, and sets above them.

A query joins targets and path and leaves out what conforms by ``MINUS`` or ``GROUP BY`` (``NOT EXISTS`` over a join is
quadratic in the engine, measured). Shapes within shapes are no queries within queries: each is judged on all nodes that
it is asked about, and what fails is a set, so that ``sh:or`` is an intersection and ``sh:not`` a difference.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, cast

import pyoxigraph as ox

from graph.shacl.focus import Body, Focus, followed
from graph.shacl.forms import Forms
from graph.shacl.paths import SH, Inverse, Path, Predicate, Sequence, stays
from graph.shacl.shapes import Constraint, Row, Shape, Shapes, SparqlConstraint, Term
from graph.shacl.values import CLASS, OF_VALUES, doubtful, less, violates
from graph.shacl.written import WrittenStore, plain_of, row_of
from graph.store import Reader
from graph.terms import RDF, XSD

_SUFFIX: Final = "ConstraintComponent"
PROPERTY: Final = f"{SH}Property{_SUFFIX}"
NODE: Final = f"{SH}Node{_SUFFIX}"
CLOSED: Final = f"{SH}Closed{_SUFFIX}"
UNIQUE_LANGUAGE: Final = f"{SH}UniqueLang{_SUFFIX}"

#: what runs each SPARQL constraint, by the shape that carries it and the constraint
Bodies = Mapping[tuple[Term, SparqlConstraint], Body]


def subclasses(reader: Reader, class_: Term) -> tuple[str, ...]:
    """Return a class and all classes below it in the data."""
    found = {class_.value: None}
    wave = [class_.value]
    while wave:
        wave = [
            quad.subject.value
            for quad in reader.incoming(wave, (_SUBCLASS,))
            if isinstance(quad.subject, ox.NamedNode) and quad.subject.value not in found
        ]
        found.update(dict.fromkeys(wave))
    return tuple(found)


_SUBCLASS: Final = "http://www.w3.org/2000/01/rdf-schema#subClassOf"


@dataclass(frozen=True, slots=True)
class Place:
    """Name a shape whose results a root reports, and the paths from the root's targets to its focus nodes.

    It is the root itself, or a property shape that ``sh:property`` leads to: the one way in which a shape within
    another reports results of its own, about focus nodes of its own.
    """

    shape: Shape
    paths: tuple[Path, ...] = ()

    @property
    def constraints(self) -> tuple[Constraint | SparqlConstraint, ...]:
        """Return the constraints whose violations are results of this place."""
        return tuple(one for one in self.shape.constraints if one.component != PROPERTY)


def places_of(shapes: Shapes, shape: Shape, paths: tuple[Path, ...] = ()) -> Iterator[Place]:
    """Yield every place whose results a root reports."""
    if shape.deactivated:
        return
    yield Place(shape, paths)
    within = paths if shape.path is None else (*paths, shape.path)
    for constraint in shape.constraints:
        if isinstance(constraint, Constraint) and constraint.component == PROPERTY:
            yield from places_of(shapes, shapes[constraint.shapes[0]], within)


class Everywhere:
    """Run shapes on every focus node of one state of a graph, on one day."""

    def __init__(self, shapes: Shapes, bodies: Bodies, reader: Reader, forms: Forms, day: date) -> None:
        self.shapes = shapes
        self.bodies = bodies
        self.reader = reader
        self.forms = forms
        self.day = day
        self._subclasses: dict[Term, tuple[str, ...]] = {}
        self._failing: dict[tuple[Term, object], frozenset[Term]] = {}

    def focus_of(self, root: Shape, paths: tuple[Path, ...] = ()) -> Focus:
        """Return the nodes that a root targets, or those that ``paths`` lead to from these."""
        return Focus(
            tuple(self.forms.target(target) for target in root.targets),
            {target.term: self.below(target.term) for target in root.targets},
            paths,
        )

    def sparql_focus(self, focus: Focus) -> Focus:
        """Return a focus as SPARQL constraints must name it."""
        if not isinstance(self.reader, WrittenStore):
            return focus
        return replace(focus, targets=tuple(replace(one, term=self.forms.read(one.term)) for one in focus.targets))

    def below(self, class_: Term) -> tuple[str, ...]:
        if class_ not in self._subclasses:
            self._subclasses[class_] = subclasses(self.reader, class_) if isinstance(class_, ox.NamedNode) else ()
        return self._subclasses[class_]

    def rows(self, place: Place, root: Shape) -> Iterator[tuple[Constraint | SparqlConstraint, Row]]:
        """Yield what is wrong at one place under a root, with the constraint that says so."""
        focus = self.focus_of(root, place.paths)
        for constraint in place.constraints:
            for row in self.violations(place.shape, constraint, focus):
                yield constraint, row

    # --- conforming

    def failing(self, node: Term, focus: Focus) -> frozenset[Term]:
        """Return the nodes in ``focus`` that do not conform to a shape."""
        shape = self.shapes[node]
        key = (node, (focus.targets, focus.paths))
        if key not in self._failing:
            found: set[Term] = set()
            if not shape.deactivated:
                for constraint in shape.constraints:
                    found.update(row.focus for row in self.violations(shape, constraint, focus))
            self._failing[key] = frozenset(found)
        return self._failing[key]

    def forget(self) -> None:
        """Let go of what failed, which no other root is likely to ask for."""
        self._failing.clear()

    def nodes(self, focus: Focus) -> set[Term]:
        return {row[0] for row in self._select(f"SELECT DISTINCT ?this WHERE {{ {focus.pattern()} }}")}

    def dates(self) -> set[date]:
        """Return every day that the graph speaks of."""
        found = set()
        text = f"SELECT DISTINCT ?day WHERE {{ ?s ?p ?day FILTER(datatype(?day) = <{XSD.date}>) }}"
        for (day,) in self._select(text):
            with contextlib.suppress(ValueError):
                found.add(date.fromisoformat(day.value[:10]))
        return found

    def _select(self, text: str) -> Iterator[tuple[Term, ...]]:
        read = self.forms.read
        for solution in cast(ox.QuerySolutions, self.reader.query(text)):
            yield tuple(read(term) for term in solution)

    def pairs(self, shape: Shape, focus: Focus) -> Iterator[tuple[Term, Term]]:
        """Yield each focus node with each of its value nodes."""
        if shape.path is None:
            for node in self.nodes(focus):
                yield node, node
        else:
            for node, value in self._select(f"SELECT DISTINCT ?this ?value WHERE {{ {_valued(shape, focus)} }}"):
                yield node, value

    # --- violations

    def violations(self, shape: Shape, constraint: Constraint | SparqlConstraint, focus: Focus) -> Iterator[Row]:
        """Yield what violates one constraint of a shape among the nodes in ``focus``."""
        if isinstance(constraint, SparqlConstraint):
            body = self.bodies[shape.node, constraint]
            for row in body.of_all(plain_of(self.reader), self.sparql_focus(focus), self.day):
                yield row_of(self.reader, row)
        elif constraint.component in OF_VALUES:
            yield from self._of_values(shape, constraint, focus)
        elif constraint.component in _QUERIES:
            yield from _QUERIES[constraint.component](self, shape, constraint, focus)
        else:
            bad = _SETS[constraint.component](self, shape, constraint, focus)
            if bad:
                for node, value in self.pairs(shape, focus) if shape.path is not None else zip(bad, bad, strict=True):
                    if value in bad:
                        yield Row(node, value)

    def _of_values(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        value, chosen = _names(shape)
        kept = self.forms.constraint(constraint)
        members = frozenset(self.forms.kept(term) for term in constraint.terms)
        condition = doubtful(kept, value, widened=self.forms.widened)
        text = f"SELECT DISTINCT {chosen} WHERE {{ {_valued(shape, focus)} FILTER({condition}) }}"
        for row in self._select(text):
            if violates(constraint, row[-1], widened=self.forms.widened, members=members):
                yield Row(row[0], row[-1])

    def _class(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        value, chosen = _names(shape)
        typed = " UNION ".join(f"{{ {value} <{RDF.type}> <{one}> }}" for one in self.below(constraint.terms[0]))
        text = f"SELECT DISTINCT {chosen} WHERE {{ {{ {_valued(shape, focus)} }} MINUS {{ {typed} }} }}"
        for row in self._select(text):
            yield Row(row[0], row[-1])

    def _min_count(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        path, least = cast(Path, shape.path), constraint.count
        if least < 1 or (least == 1 and stays(path)):
            return
        # What is left out is looked for everywhere where that is cheap, else from the focus nodes only.
        valued = f"?this {path.sparql} ?value ." if _cheap(path) else _valued(shape, focus)
        enough = valued
        if least > 1:
            enough = f"SELECT ?this WHERE {{ {valued} }} GROUP BY ?this HAVING (COUNT(DISTINCT ?value) >= {least})"
        text = f"SELECT DISTINCT ?this WHERE {{ {{ {focus.pattern()} }} MINUS {{ {enough} }} }}"
        for (node,) in self._select(text):
            yield Row(node, None)

    def _max_count(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        valued = _valued(shape, focus)
        if constraint.count < 1:
            text = f"SELECT DISTINCT ?this WHERE {{ {valued} }}"
        else:
            text = (
                f"SELECT ?this WHERE {{ {valued} }} GROUP BY ?this HAVING (COUNT(DISTINCT ?value) > {constraint.count})"
            )
        for (node,) in self._select(text):
            yield Row(node, None)

    def _has_value(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        wanted = self.forms.write(constraint.terms[0])
        if shape.path is None:
            rest = f"{focus.pattern()} FILTER(!sameTerm(?this, {wanted}))"
        else:
            valued = f"?this {shape.path.sparql} ?value ." if _cheap(shape.path) else _valued(shape, focus)
            has = (
                f"?this {shape.path.sparql} {wanted} ."
                if isinstance(shape.path, Predicate)
                else f"{valued} FILTER(sameTerm(?value, {wanted}))"
            )
            rest = f"{{ {focus.pattern()} }} MINUS {{ {has} }}"
        for (node,) in self._select(f"SELECT DISTINCT ?this WHERE {{ {rest} }}"):
            yield Row(node, None)

    def _unique_language(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        text = (
            f"SELECT ?this ?language WHERE {{ {{ SELECT DISTINCT ?this ?value WHERE {{ {_valued(shape, focus)} }} }} "
            'BIND(LCASE(LANG(?value)) AS ?language) FILTER(?language != "") } '
            "GROUP BY ?this ?language HAVING (COUNT(?value) > 1)"
        )
        for node, language in self._select(text):
            yield Row(node, None, bindings=(("language", language),))

    def _equals(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        other = constraint.terms[0]
        values = f"SELECT DISTINCT ?this ?value WHERE {{ {_with_value(shape, focus)} }}"
        others = f"SELECT DISTINCT ?this ?value WHERE {{ {focus.pattern()} ?this {other} ?value . }}"
        for text in (
            f"{{ {values} }} MINUS {{ ?this {other} ?value }}",
            f"{{ {others} }} MINUS {{ {values} }}",
        ):
            for node, value in self._select(f"SELECT ?this ?value WHERE {{ {text} }}"):
                yield Row(node, value)

    def _disjoint(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        text = f"{_with_value(shape, focus)} ?this {constraint.terms[0]} ?value ."
        for node, value in self._select(f"SELECT DISTINCT ?this ?value WHERE {{ {{ {text} }} }}"):
            yield Row(node, value)

    def _less_than(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        operator = "<" if constraint.component.endswith(f"LessThan{_SUFFIX}") else "<="
        text = (
            f"SELECT DISTINCT ?this ?value ?other WHERE {{ {_valued(shape, focus)} "
            # The engine finds an IRI no greater than itself, which SPARQL has no order for.
            f"?this {constraint.terms[0]} ?other . "
            f"FILTER(isIRI(?value) || isBlank(?value) || !COALESCE(?value {operator} ?other, false)) }}"
        )
        found = set()
        for node, value, other in self._select(text):
            if (node, value) not in found and not less(value, other, operator):
                found.add((node, value))
                yield Row(node, value)

    def _closed(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        subject, _ = _names(shape)
        allowed = ", ".join(str(term) for term in constraint.terms)
        condition = f"FILTER(?property NOT IN ({allowed}))" if allowed else ""
        text = (
            "SELECT DISTINCT ?this ?property ?object "
            f"WHERE {{ {{ {_valued(shape, focus)} }} {subject} ?property ?object . {condition} }}"
        )
        for node, property_, value in self._select(text):
            yield Row(node, value, Predicate(property_.value))

    def _qualified(self, shape: Shape, constraint: Constraint, focus: Focus) -> Iterator[Row]:
        values = focus.through(shape.path)
        failing = self.failing(constraint.shapes[0], values)
        others = [self.failing(sibling, values) for sibling in constraint.siblings]
        counts: Counter[Term] = Counter(
            node
            for node, value in self.pairs(shape, focus)
            if value not in failing and all(value in other for other in others)
        )
        if constraint.component.startswith(f"{SH}QualifiedMax"):
            wrong = (node for node, count in counts.items() if count > constraint.count)
        else:
            wrong = (node for node in self.nodes(focus) if counts[node] < constraint.count)
        for node in wrong:
            yield Row(node, None)

    # --- sets of value nodes that fail

    def _fails_node(self, shape: Shape, constraint: Constraint, focus: Focus) -> frozenset[Term]:
        values = focus.through(shape.path)
        return frozenset().union(*(self.failing(one, values) for one in constraint.shapes))

    def _fails_or(self, shape: Shape, constraint: Constraint, focus: Focus) -> frozenset[Term]:
        values = focus.through(shape.path)
        if not constraint.shapes:
            return frozenset(self.nodes(values))
        failing = self.failing(constraint.shapes[0], values)
        for one in constraint.shapes[1:]:
            if not failing:
                break
            failing &= self.failing(one, values)
        return failing

    def _fails_not(self, shape: Shape, constraint: Constraint, focus: Focus) -> frozenset[Term]:
        values = focus.through(shape.path)
        return frozenset(self.nodes(values) - self.failing(constraint.shapes[0], values))

    def _fails_xone(self, shape: Shape, constraint: Constraint, focus: Focus) -> frozenset[Term]:
        values = focus.through(shape.path)
        counts: Counter[Term] = Counter()
        for one in constraint.shapes:
            counts.update(self.failing(one, values))
        # Exactly one conforms where all but one fail.
        return frozenset(node for node in self.nodes(values) if counts[node] != len(constraint.shapes) - 1)


def _cheap(path: Path) -> bool:
    """Say whether a path can be followed from everywhere at about the price of reading its edges."""
    match path:
        case Predicate():
            return True
        case Inverse(inner):
            return _cheap(inner)
        case Sequence(parts):
            return all(_cheap(part) for part in parts)
        case _:
            return False


def _valued(shape: Shape, focus: Focus) -> str:
    """Return a pattern that binds ``?this``, and ``?value`` to its value nodes where the shape has a path."""
    return focus.pattern() if shape.path is None else followed(focus.pattern(), "this", shape.path, "value")


def _names(shape: Shape) -> tuple[str, str]:
    """Return the variable of the value nodes of ``_valued``, and what to select."""
    return ("?this", "?this") if shape.path is None else ("?value", "?this ?value")


def _with_value(shape: Shape, focus: Focus) -> str:
    """Do as ``_valued``, and bind ``?value`` to the focus node where the shape has no path."""
    return f"{focus.pattern()} BIND(?this AS ?value)" if shape.path is None else _valued(shape, focus)


_Query = Callable[[Everywhere, Shape, Constraint, Focus], Iterator[Row]]
_Set = Callable[[Everywhere, Shape, Constraint, Focus], frozenset[Term]]

_QUERIES: Final[Mapping[str, _Query]] = {
    CLASS: Everywhere._class,
    CLOSED: Everywhere._closed,
    f"{SH}MinCount{_SUFFIX}": Everywhere._min_count,
    f"{SH}MaxCount{_SUFFIX}": Everywhere._max_count,
    f"{SH}HasValue{_SUFFIX}": Everywhere._has_value,
    UNIQUE_LANGUAGE: Everywhere._unique_language,
    f"{SH}Equals{_SUFFIX}": Everywhere._equals,
    f"{SH}Disjoint{_SUFFIX}": Everywhere._disjoint,
    f"{SH}LessThan{_SUFFIX}": Everywhere._less_than,
    f"{SH}LessThanOrEquals{_SUFFIX}": Everywhere._less_than,
    f"{SH}QualifiedMinCount{_SUFFIX}": Everywhere._qualified,
    f"{SH}QualifiedMaxCount{_SUFFIX}": Everywhere._qualified,
}
_SETS: Final[Mapping[str, _Set]] = {
    NODE: Everywhere._fails_node,
    PROPERTY: Everywhere._fails_node,
    f"{SH}And{_SUFFIX}": Everywhere._fails_node,
    f"{SH}Or{_SUFFIX}": Everywhere._fails_or,
    f"{SH}Not{_SUFFIX}": Everywhere._fails_not,
    f"{SH}Xone{_SUFFIX}": Everywhere._fails_xone,
}
