"""Find what violates SHACL Core at one focus node, by walking from it: the form for re-checks.

It says the same as ``core`` to the letter: both judge values by ``values``, and both let the engine compare. A node
without a name cannot be asked about, since no query can name it: ``Nameless`` tells the checker to look everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, cast

import pyoxigraph as ox

from graph.shacl.core import CLOSED, NODE, PROPERTY, UNIQUE_LANGUAGE, Bodies, Place, subclasses
from graph.shacl.forms import Forms
from graph.shacl.paths import SH, Inverse, Path, Predicate, Sequence, stays
from graph.shacl.shapes import Constraint, Kind, Row, Shape, Shapes, SparqlConstraint, Target, Term
from graph.shacl.values import CLASS, OF_VALUES, less, violates
from graph.shacl.written import plain_of, row_of
from graph.store import Reader, normal_form
from graph.terms import RDF

_SUFFIX: Final = "ConstraintComponent"


class Nameless(Exception):
    """A blank node stands where the walk must go on."""


class Walk:
    """Run shapes on single nodes of one state of a graph."""

    def __init__(self, shapes: Shapes, bodies: Bodies, reader: Reader, forms: Forms) -> None:
        self.shapes = shapes
        self.bodies = bodies
        self.reader = reader
        self.forms = forms
        self._subclasses: dict[Term, frozenset[str]] = {}
        self._members: dict[Constraint, frozenset[Term]] = {}

    def below(self, class_: Term) -> frozenset[str]:
        if class_ not in self._subclasses:
            self._subclasses[class_] = frozenset(subclasses(self.reader, class_))
        return self._subclasses[class_]

    def targets(self, root: Shape, place: Place, node: Term) -> bool:
        """Say whether a node is a focus node of a place under a root. Raises ``Nameless``."""
        starts = self.values(node, _backwards(place.paths)) if place.paths else (node,)
        return any(self._chooses(target, start) for start in starts for target in root.targets)

    def _chooses(self, target: Target, node: Term) -> bool:
        match target.kind:
            case Kind.node:
                return self.forms.kept(target.term) == node
            case Kind.class_:
                return self._typed(node, target.term)
            case Kind.subjects_of:
                return bool(self.values(node, Predicate(target.term.value)))
            case Kind.objects_of:
                return bool(self.values(node, Inverse(Predicate(target.term.value))))

    def _typed(self, node: Term, class_: Term) -> bool:
        below = self.below(class_)
        return any(type_.value in below for type_ in self.values(node, _TYPE) if isinstance(type_, ox.NamedNode))

    def values(self, node: Term, path: Path | None) -> tuple[Term, ...]:
        """Return the nodes that a path leads to from a node, each once."""
        if path is None:
            return (node,)
        if isinstance(node, ox.BlankNode):
            raise Nameless
        if isinstance(node, ox.NamedNode):
            match path:
                case Predicate(iri):
                    quads = self.reader.outgoing((node.value,), (iri,))
                    return tuple(dict.fromkeys(self.forms.read(cast(Term, quad.object)) for quad in quads))
                case Inverse(Predicate(iri)):
                    quads = self.reader.incoming((node.value,), (iri,))
                    return tuple(dict.fromkeys(cast(Term, quad.subject) for quad in quads))
        elif isinstance(path, Predicate):
            return ()
        text = f"SELECT DISTINCT ?value WHERE {{ {self.forms.write(node)} {path.sparql} ?value }}"
        found = [self.forms.read(cast(Term, row[0])) for row in cast(ox.QuerySolutions, self.reader.query(text))]
        return tuple(dict.fromkeys([node, *found] if stays(path) else found))

    def rows(self, place: Place, node: Term, day: date) -> Iterator[tuple[Constraint | SparqlConstraint, Row]]:
        """Yield what is wrong at a focus node of a place, with the constraint that says so.

        Raises ``Nameless``; what was yielded before that must be given up.
        """
        at = _At(self, day)
        shape = place.shape
        values = self.values(node, shape.path)
        for constraint in place.constraints:
            for row in at.violations(shape, constraint, node, values):
                yield constraint, row

    def asked(self, shape: Shape, constraint: SparqlConstraint, nodes: Iterable[Term], day: date) -> Iterator[Row]:
        """Yield what a SPARQL constraint finds at some nodes. Raises ``Nameless``."""
        asked: dict[Term, list[Term]] = {}
        for node in nodes:
            if isinstance(node, ox.BlankNode):
                raise Nameless
            plain = normal_form(node) if isinstance(node, ox.Literal) else node
            asked.setdefault(plain, []).append(node)
        for row in self.bodies[shape.node, constraint].of_nodes(plain_of(self.reader), asked, day):
            written = row_of(self.reader, row)
            for node in asked[row.focus]:
                # A value that is the focus node itself is written as that is.
                value = node if row.value == row.focus else written.value
                yield replace(written, focus=node, value=value)

    def members(self, constraint: Constraint) -> frozenset[Term]:
        """Return the members of a list as the store gives them back."""
        if constraint not in self._members:
            self._members[constraint] = frozenset(self.forms.kept(term) for term in constraint.terms)
        return self._members[constraint]


_TYPE: Final = Predicate(RDF.type)


def _backwards(paths: tuple[Path, ...]) -> Path:
    return Inverse(paths[0] if len(paths) == 1 else Sequence(paths))


class _At:
    """Judge nodes on one day, each by each shape once."""

    def __init__(self, walk: Walk, day: date) -> None:
        self.walk = walk
        self.day = day
        self._fails: dict[tuple[Term, Term], bool] = {}

    def fails(self, name: Term, node: Term) -> bool:
        """Say whether a node does not conform to a shape."""
        if (name, node) not in self._fails:
            shape = self.walk.shapes[name]
            found = False
            if not shape.deactivated:
                values = self.walk.values(node, shape.path)
                found = any(True for one in shape.constraints for _ in self.violations(shape, one, node, values))
            self._fails[name, node] = found
        return self._fails[name, node]

    def violations(
        self, shape: Shape, constraint: Constraint | SparqlConstraint, node: Term, values: tuple[Term, ...]
    ) -> Iterator[Row]:
        if isinstance(constraint, SparqlConstraint):
            yield from self.walk.asked(shape, constraint, (node,), self.day)
        elif constraint.component in OF_VALUES:
            members, widened = self.walk.members(constraint), self.walk.forms.widened
            for value in values:
                if violates(constraint, value, widened=widened, members=members):
                    yield Row(node, value)
        elif constraint.component in _OF_VALUE:
            judge = _OF_VALUE[constraint.component]
            for value in values:
                if judge(self, constraint, value):
                    yield Row(node, value)
        elif constraint.component == CLOSED:
            yield from self._closed(constraint, node, values)
        elif constraint.component == UNIQUE_LANGUAGE:
            languages = Counter(one.language.lower() for one in values if isinstance(one, ox.Literal) and one.language)
            for language, count in languages.items():
                if count > 1:
                    yield Row(node, None, bindings=(("language", ox.Literal(language)),))
        elif constraint.component in _OF_PAIRS:
            others = self.walk.values(node, Predicate(constraint.terms[0].value))
            for value in _OF_PAIRS[constraint.component](values, others):
                yield Row(node, value)
        elif _OF_SETS[constraint.component](self, constraint, values):
            yield Row(node, None)

    def _closed(self, constraint: Constraint, node: Term, values: tuple[Term, ...]) -> Iterator[Row]:
        allowed = {term.value for term in constraint.terms}
        for value in values:
            if isinstance(value, ox.BlankNode):
                raise Nameless
            if isinstance(value, ox.Literal):
                continue
            found = {
                (quad.predicate.value, cast(Term, quad.object))
                for quad in self.walk.reader.outgoing((value.value,))
                if quad.predicate.value not in allowed
            }
            for predicate, term in found:
                yield Row(node, self.walk.forms.read(term), Predicate(predicate))

    # --- one value

    def _of_no_class(self, constraint: Constraint, value: Term) -> bool:
        return isinstance(value, ox.Literal) or not self.walk._typed(value, constraint.terms[0])

    def _fails_any(self, constraint: Constraint, value: Term) -> bool:
        return any(self.fails(one, value) for one in constraint.shapes)

    def _fails_all(self, constraint: Constraint, value: Term) -> bool:
        return all(self.fails(one, value) for one in constraint.shapes)

    def _fails_not(self, constraint: Constraint, value: Term) -> bool:
        return not self.fails(constraint.shapes[0], value)

    def _fails_xone(self, constraint: Constraint, value: Term) -> bool:
        return sum(not self.fails(one, value) for one in constraint.shapes) != 1

    # --- all values together

    def _too_few(self, constraint: Constraint, values: tuple[Term, ...]) -> bool:
        return len(values) < constraint.count

    def _too_many(self, constraint: Constraint, values: tuple[Term, ...]) -> bool:
        return len(values) > constraint.count

    def _lacks(self, constraint: Constraint, values: tuple[Term, ...]) -> bool:
        return self.walk.forms.kept(constraint.terms[0]) not in values

    def _qualified(self, constraint: Constraint, values: tuple[Term, ...]) -> int:
        return sum(
            not self.fails(constraint.shapes[0], value)
            and all(self.fails(sibling, value) for sibling in constraint.siblings)
            for value in values
        )

    def _too_few_qualified(self, constraint: Constraint, values: tuple[Term, ...]) -> bool:
        return self._qualified(constraint, values) < constraint.count

    def _too_many_qualified(self, constraint: Constraint, values: tuple[Term, ...]) -> bool:
        return self._qualified(constraint, values) > constraint.count


def _unequal(values: tuple[Term, ...], others: tuple[Term, ...]) -> Iterator[Term]:
    yield from set(values) ^ set(others)


def _common(values: tuple[Term, ...], others: tuple[Term, ...]) -> Iterator[Term]:
    yield from set(values) & set(others)


def _not_less(values: tuple[Term, ...], others: tuple[Term, ...]) -> Iterator[Term]:
    return (value for value in values if not all(less(value, other) for other in others))


def _more(values: tuple[Term, ...], others: tuple[Term, ...]) -> Iterator[Term]:
    return (value for value in values if not all(less(value, other, "<=") for other in others))


_OF_VALUE: Final[Mapping[str, Callable[[_At, Constraint, Term], bool]]] = {
    CLASS: _At._of_no_class,
    NODE: _At._fails_any,
    PROPERTY: _At._fails_any,
    f"{SH}And{_SUFFIX}": _At._fails_any,
    f"{SH}Or{_SUFFIX}": _At._fails_all,
    f"{SH}Not{_SUFFIX}": _At._fails_not,
    f"{SH}Xone{_SUFFIX}": _At._fails_xone,
}
_OF_PAIRS: Final[Mapping[str, Callable[[tuple[Term, ...], tuple[Term, ...]], Iterator[Term]]]] = {
    f"{SH}Equals{_SUFFIX}": _unequal,
    f"{SH}Disjoint{_SUFFIX}": _common,
    f"{SH}LessThan{_SUFFIX}": _not_less,
    f"{SH}LessThanOrEquals{_SUFFIX}": _more,
}
_OF_SETS: Final[Mapping[str, Callable[[_At, Constraint, tuple[Term, ...]], bool]]] = {
    f"{SH}MinCount{_SUFFIX}": _At._too_few,
    f"{SH}MaxCount{_SUFFIX}": _At._too_many,
    f"{SH}HasValue{_SUFFIX}": _At._lacks,
    f"{SH}QualifiedMinCount{_SUFFIX}": _At._too_few_qualified,
    f"{SH}QualifiedMaxCount{_SUFFIX}": _At._too_many_qualified,
}
