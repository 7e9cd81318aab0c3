"""Check a store against shapes: every focus node at once, or a few of them, on any day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from itertools import product

import pyoxigraph as ox

from graph.errors import ShapeFault
from graph.shacl.core import Everywhere, Place, places_of
from graph.shacl.focus import Body, Focus
from graph.shacl.forms import REGISTER, Forms
from graph.shacl.nodes import Nameless, Walk
from graph.shacl.reference import DEFAULT, Limits, judge
from graph.shacl.saying import messages_for
from graph.shacl.shapes import Constraint, Result, Route, Row, Shape, Shapes, SparqlConstraint, Term, Trigger, Way
from graph.shacl.sparql import compile_body
from graph.shacl.triggers import triggers_of
from graph.shacl.values import PATTERN, engine_knows
from graph.shacl.written import WrittenStore, plain_of, row_of
from graph.store import Reader


class Checker:
    """Run shapes on a store. Everything that depends on the shapes alone is prepared once."""

    def __init__(self, shapes: Shapes, limits: Limits = DEFAULT) -> None:
        """Prepare shapes; ``limits`` bound what goes to pySHACL. Raises ``ShapeFault``."""
        self.shapes = shapes
        self.limits = limits
        self.roots = {shape.node: shape for shape in shapes.targeted()}
        self._bodies: Mapping[tuple[Term, SparqlConstraint], Body] = {
            (shape.node, constraint): compile_body(shape, constraint)
            for shape in shapes
            for constraint in shape.constraints
            if isinstance(constraint, SparqlConstraint)
        }
        self._places = {node: tuple(places_of(shapes, shape)) for node, shape in self.roots.items()}
        self._under = {node: tuple(_reached(shapes, shape)) for node, shape in self.roots.items()}
        self._routes = {node: dict(self._ways(node)) for node in self.roots}
        self._outside = {
            node for node, ways in self._routes.items() if any(one.way is Way.reference for one in ways.values())
        }

    def check(
        self,
        reader: Reader,
        day: date,
        *,
        roots: Collection[Term] | None = None,
        nodes: Collection[Term] | None = None,
    ) -> Iterator[Result]:
        """Yield the violations of every focus node, or of those among ``nodes``; the order says nothing.

        ``roots`` are nodes of targeted shapes (default: all). With ``nodes``, what is yielded are the results of a
        check of everything whose focus node is among these, those of nested property shapes included.
        """
        chosen = [shape for node, shape in self.roots.items() if roots is None or node in roots]
        if nodes is None:
            yield from self._everywhere(reader, day, chosen)
            return
        wanted = dict.fromkeys(_forms(reader).kept(node) for node in nodes)
        walk = self._walk(reader)
        for root in chosen:
            yield from self._at(walk, reader, day, root, wanted)

    def _everywhere(self, reader: Reader, day: date, roots: Iterable[Shape]) -> Iterator[Result]:
        run = self._run(reader, day)
        for root in roots:
            if root.node in self._outside:
                reached = self._under[root.node]
                yield from judge(reader, _forms(reader), self.shapes, root, reached, day, self.limits)
                continue
            for place in self._places[root.node]:
                for constraint, row in run.rows(place, root):
                    yield _result(root, place.shape, constraint, row)
            run.forget()

    def _at(self, walk: Walk, reader: Reader, day: date, root: Shape, nodes: Collection[Term]) -> Iterator[Result]:
        nameless = {node for node in nodes if isinstance(node, ox.BlankNode) or root.node in self._outside}
        for place in () if root.node in self._outside else self._places[root.node]:
            chosen: dict[Term, list[Result]] = {}
            own = [one for one in place.constraints if isinstance(one, SparqlConstraint)]
            rest = replace(place.shape, constraints=tuple(one for one in place.constraints if one not in own))
            for node in nodes:
                if node in nameless:
                    continue
                try:
                    if walk.targets(root, place, node):
                        chosen[node] = [
                            _result(root, place.shape, constraint, row)
                            for constraint, row in walk.rows(Place(rest, place.paths), node, day)
                        ]
                except Nameless:
                    nameless.add(node)
            for constraint in own if chosen else ():
                for row in walk.asked(place.shape, constraint, chosen, day):
                    chosen[row.focus].append(_result(root, place.shape, constraint, row))
            for node, results in chosen.items():
                if node not in nameless:
                    yield from results
        if nameless:
            for result in self._everywhere(reader, day, (root,)):
                if result.focus in nameless:
                    yield result

    def _run(self, reader: Reader, day: date) -> Everywhere:
        return Everywhere(self.shapes, self._bodies, reader, _forms(reader), day)

    def _walk(self, reader: Reader) -> Walk:
        return Walk(self.shapes, self._bodies, reader, _forms(reader))

    def focus_nodes(self, reader: Reader, root: Term) -> set[Term]:
        """Return the nodes that a root targets."""
        run = self._run(reader, date.min)
        return run.nodes(run.focus_of(self.roots[root]))

    # --- what is known of a root beforehand

    def routes(self) -> dict[Term, Route]:
        """Say how each root, and each SPARQL constraint under one, is run."""
        found: dict[Term, Route] = {}
        for node, ways in self._routes.items():
            found.update(ways)
            found[node] = max(ways.values(), key=lambda route: list(Way).index(route.way), default=Route(Way.compiled))
        return found

    def _ways(self, root: Term) -> Iterator[tuple[Term, Route]]:
        """Yield how the constraints under a root are run, save those that every root runs compiled."""
        for shape in self._under[root]:
            for constraint in shape.constraints:
                if isinstance(constraint, SparqlConstraint):
                    yield constraint.node, self._bodies[shape.node, constraint].route
                elif constraint.component == PATTERN and not engine_knows(constraint):
                    _require_pattern(shape, constraint)
                    yield shape.node, Route(Way.reference, "the engine does not know this regular expression")

    def _sparql_under(self, root: Term) -> Iterator[tuple[Shape, SparqlConstraint]]:
        for shape in self._under[root]:
            for constraint in shape.constraints:
                if isinstance(constraint, SparqlConstraint):
                    yield shape, constraint

    def triggers(self, root: Term) -> tuple[Trigger, ...] | None:
        """Name the changed quads that can alter what a root finds for which focus nodes, ``None`` for any and all."""
        return None if root in self._outside else self._triggers[root]

    @cached_property
    def _triggers(self) -> dict[Term, tuple[Trigger, ...] | None]:
        return {
            node: triggers_of(self.shapes, self._bodies, shape, self._places[node])
            for node, shape in self.roots.items()
            if node not in self._outside
        }

    def depends_on_day(self, root: Term) -> bool:
        """Say whether what a root finds can differ from day to day in the same graph."""
        return any(self._bodies[shape.node, one].depends_on_day for shape, one in self._sparql_under(root))

    # --- days

    def days(self, reader: Reader, root: Term, nodes: Collection[Term] | None = None) -> Iterator[tuple[Term, date]]:
        """Yield for each focus node the days on which what a root finds there can change; more is allowed."""
        if not self.depends_on_day(root):
            return
        run, walk, shape = self._run(reader, date.min), self._walk(reader), self.roots[root]
        if root in self._outside:
            places = self._places[root]
            chosen = (
                set().union(*(run.nodes(run.focus_of(shape, place.paths)) for place in places))
                if nodes is None
                else set(nodes)
            )
            yield from product(chosen, run.dates())
            return
        for place in self._places[root]:
            focus = run.focus_of(shape, place.paths)
            some = None if nodes is None else [node for node in nodes if walk.targets(shape, place, node)]
            yield from self._days(run, walk, place.shape, place.constraints, focus, some)

    def _days(
        self,
        run: Everywhere,
        walk: Walk,
        shape: Shape,
        constraints: Iterable[Constraint | SparqlConstraint],
        focus: Focus,
        nodes: Collection[Term] | None,
    ) -> Iterator[tuple[Term, date]]:
        """Do as ``days`` for some constraints of a shape whose focus nodes are ``focus`` or, among these, ``nodes``."""
        nested: list[Term] = []
        for constraint in constraints:
            if isinstance(constraint, SparqlConstraint):
                body = self._bodies[shape.node, constraint]
                if body.depends_on_day:
                    yield from body.days(plain_of(run.reader), run.sparql_focus(focus), nodes)
            else:
                nested.extend((*constraint.shapes, *constraint.siblings))
        for name in dict.fromkeys(nested):
            inner = self.shapes[name]
            if inner.deactivated or not self._asks_for_day(inner):
                continue
            if shape.path is None:
                yield from self._days(run, walk, inner, inner.constraints, focus, nodes)
                continue
            owners: dict[Term, set[Term]] = defaultdict(set)
            pairs = (
                run.pairs(shape, focus)
                if nodes is None
                else ((node, value) for node in nodes for value in walk.values(node, shape.path))
            )
            for node, value in pairs:
                owners[value].add(node)
            values = None if nodes is None else owners.keys()
            for value, day in self._days(run, walk, inner, inner.constraints, focus.through(shape.path), values):
                for node in owners[value]:
                    yield node, day

    def _asks_for_day(self, shape: Shape) -> bool:
        return any(
            isinstance(one, SparqlConstraint) and self._bodies[within.node, one].depends_on_day
            for within in _reached(self.shapes, shape)
            for one in within.constraints
        )

    def on_days(self, reader: Reader, root: Term, pairs: Iterable[tuple[Term, date]]) -> Iterator[tuple[date, Result]]:
        """Yield what a root finds at each focus node on each of its days."""
        shape, walk = self.roots[root], self._walk(reader)
        wanted: dict[Term, set[date]] = defaultdict(set)
        for node, day in pairs:
            wanted[node].add(day)
        if root in self._outside:
            for day in sorted(set().union(*wanted.values())):
                for result in self._everywhere(reader, day, (shape,)):
                    if day in wanted.get(result.focus, ()):
                        yield day, result
            return
        for place in self._places[root]:
            # What no constraint asks the day for is judged once per node, SPARQL that does all at once.
            timeless = Place(
                replace(
                    place.shape, constraints=tuple(one for one in place.constraints if not self._dated(place, one))
                ),
                place.paths,
            )
            chosen = {node: days for node, days in wanted.items() if walk.targets(shape, place, node)}
            for node, days in chosen.items():
                for constraint, row in walk.rows(timeless, node, date.min):
                    result = _result(shape, place.shape, constraint, row)
                    yield from ((day, result) for day in days)
            asked = [(node, day) for node, days in chosen.items() for day in sorted(days)]
            for constraint in place.constraints:
                if not self._dated(place, constraint):
                    continue
                if isinstance(constraint, SparqlConstraint):
                    for day, row in self._bodies[place.shape.node, constraint].on_days(plain_of(reader), asked):
                        yield day, _result(shape, place.shape, constraint, row_of(reader, row))
                    continue
                alone = Place(replace(place.shape, constraints=(constraint,)), place.paths)
                for node, day in asked:
                    for _, row in walk.rows(alone, node, day):
                        yield day, _result(shape, place.shape, constraint, row)

    def _dated(self, place: Place, constraint: Constraint | SparqlConstraint) -> bool:
        """Say whether the outcome of a constraint of a place can differ from day to day."""
        if isinstance(constraint, SparqlConstraint):
            return self._bodies[place.shape.node, constraint].depends_on_day
        return any(self._asks_for_day(self.shapes[one]) for one in (*constraint.shapes, *constraint.siblings))


def _result(root: Shape, shape: Shape, constraint: Constraint | SparqlConstraint, row: Row) -> Result:
    return Result(
        focus=row.focus,
        path=row.path or shape.path,
        value=row.value,
        component=constraint.component,
        shape=shape.node,
        root=root.node,
        severity=shape.severity,
        messages=messages_for(shape, constraint, row),
        constraint=constraint.node if isinstance(constraint, SparqlConstraint) else None,
    )


def _require_pattern(shape: Shape, constraint: Constraint) -> None:
    """Raise ``ShapeFault`` for a regular expression that pySHACL cannot run either."""
    try:
        re.compile(constraint.terms[0].value)
    except re.error as fault:
        raise ShapeFault(
            f"The sh:pattern {constraint.terms[0]} is no regular expression ({fault}), in {shape.name}",
            shape=str(shape.node),
            remedy="Correct it; https://www.w3.org/TR/xpath-functions/#regex-syntax has the syntax.",
            place=shape.place,
        ) from fault


def _forms(reader: Reader) -> Forms:
    return reader.forms if isinstance(reader, WrittenStore) else REGISTER


def _reached(shapes: Shapes, shape: Shape) -> Iterator[Shape]:
    """Yield a shape and every shape that it comes to, each once."""
    seen, wave = {shape.node: shape}, [shape]
    while wave:
        named = [
            shapes[name]
            for one in wave
            if not one.deactivated
            for constraint in one.constraints
            if isinstance(constraint, Constraint)
            for name in (*constraint.shapes, *constraint.siblings)
        ]
        wave = [one for one in named if one.node not in seen]
        seen.update((one.node, one) for one in wave)
    yield from seen.values()
