"""Say which changed quads can alter what a root finds, and for which focus nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from graph.shacl.core import CLOSED, Bodies, Place
from graph.shacl.paths import SH, Inverse, Path, Sequence, Step, back, edges
from graph.shacl.shapes import Constraint, Kind, Shape, Shapes, SparqlConstraint, Trigger
from graph.shacl.values import CLASS
from graph.terms import RDF, RDFS

_SUBCLASS: Final = RDFS.NS + "subClassOf"
#: from a class to the instances of all below it
_INSTANCES: Final = (Step(_SUBCLASS, inverse=True, repeated=True), Step(RDF.type, inverse=True))
_PAIRED: Final = {f"{SH}{word}ConstraintComponent" for word in ("Equals", "Disjoint", "LessThan", "LessThanOrEquals")}

_Ways = tuple[tuple[Step, ...], ...]


class _Unsaid(Exception):
    """Steps cannot say it: any change can matter."""


def triggers_of(shapes: Shapes, bodies: Bodies, root: Shape, places: Iterable[Place]) -> tuple[Trigger, ...] | None:
    """Return the triggers of a root, ``None`` where any change can matter to any focus node."""
    try:
        found = [
            trigger
            for place in places
            for trigger in (
                *_of_targets(root, place.paths),
                *_of_place(shapes, bodies, place),
            )
        ]
    except _Unsaid:
        return None
    return tuple(dict.fromkeys(found))


def _of_targets(root: Shape, paths: tuple[Path, ...]) -> Iterator[Trigger]:
    """Yield what alters whether a node is a focus node: targets, and the paths that lead on from them."""
    onwards: _Ways = ((),)
    if paths:
        whole = paths[0] if len(paths) == 1 else Sequence(paths)
        crossed, ways = edges(Inverse(whole)), back(Inverse(whole))
        if crossed is None or ways is None:
            raise _Unsaid
        for edge in crossed:
            yield Trigger(edge.predicate, None, edge.way)
        onwards = ways
    for way in onwards:
        for target in root.targets:
            match target.kind:
                case Kind.class_:
                    yield Trigger(RDF.type, None, way)
                    yield Trigger(_SUBCLASS, None, _INSTANCES + way)
                case Kind.subjects_of:
                    yield Trigger(target.term.value, None, way)
                case Kind.objects_of:
                    yield Trigger(target.term.value, None, (Step(target.term.value), *way))
                case Kind.node:
                    pass


def _of_place(shapes: Shapes, bodies: Bodies, place: Place) -> Iterator[Trigger]:
    yield from _of_shape(shapes, bodies, place.shape, ((),), place.constraints)


def _of_shape(
    shapes: Shapes,
    bodies: Bodies,
    shape: Shape,
    homes: _Ways,
    constraints: tuple[Constraint | SparqlConstraint, ...],
) -> Iterator[Trigger]:
    """Yield the triggers of some constraints of a shape; ``homes`` lead from its focus nodes to those of the place."""
    if shape.deactivated:
        return
    from_values = homes
    if shape.path is not None:
        crossed, ways = edges(shape.path), back(shape.path)
        if crossed is None or ways is None:
            raise _Unsaid
        for edge in crossed:
            for home in homes:
                yield Trigger(edge.predicate, None, edge.way + home)
        from_values = tuple(way + home for way in ways for home in homes)
    for constraint in constraints:
        if isinstance(constraint, SparqlConstraint):
            found = bodies[shape.node, constraint].triggers()
            if found is None:
                raise _Unsaid
            for one in found:
                for home in homes:
                    yield Trigger(one.predicate, one.object, one.way + home)
        else:
            yield from _of_constraint(shapes, bodies, constraint, homes, from_values)


def _of_constraint(
    shapes: Shapes, bodies: Bodies, constraint: Constraint, homes: _Ways, from_values: _Ways
) -> Iterator[Trigger]:
    if constraint.component in _PAIRED:
        for home in homes:
            yield Trigger(constraint.terms[0].value, None, home)
    elif constraint.component == CLASS:
        for way in from_values:
            yield Trigger(RDF.type, None, way)
            yield Trigger(_SUBCLASS, None, _INSTANCES + way)
    elif constraint.component == CLOSED:
        for way in from_values:
            yield Trigger(None, None, way)
    for nested in dict.fromkeys((*constraint.shapes, *constraint.siblings)):
        yield from _of_shape(shapes, bodies, shapes[nested], from_values, shapes[nested].constraints)
