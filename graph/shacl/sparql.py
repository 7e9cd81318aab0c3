"""Run constraints that are written in SPARQL (https://www.w3.org/TR/shacl/#sparql-constraints) where the data is.

A body is read once. Where the focus node may as well join it as be written in its place (``graph.shacl.pieces``), it is
asked about many nodes at once: first what must hold, then, of the solutions of that, each EXISTS, with the values it
needs in a ``VALUES`` line, so that every question is anchored. Otherwise each node is written into the text by itself.
The day is never in the store: ``?evaluation d:asOf ?asOf`` is taken out, and the day put in place of its variable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Final, TypeVar, cast

import pyoxigraph as ox

from graph.errors import ShapeFault
from graph.shacl.boundaries import Boundaries, boundaries_of
from graph.shacl.circles import circles_of, nodes_on
from graph.shacl.days import day_of, without_day
from graph.shacl.focus import Body, Focus
from graph.shacl.links import links_of
from graph.shacl.paths import Alternative, Path, Predicate
from graph.shacl.pieces import Condition, World, pieces_of, told_select
from graph.shacl.query import (
    Bind,
    Column,
    Element,
    Exists,
    Filter,
    Group,
    Pattern,
    Select,
    Union,
    groups_in,
    mentioned,
    scope,
    with_terms,
    write_column,
    write_grouping,
    write_select,
)
from graph.shacl.select import read
from graph.shacl.shapes import Route, Row, Shape, SparqlConstraint, Term, Trigger, Way
from graph.shacl.text import Text
from graph.store import OxigraphStore, Reader

#: nodes that are asked about at once: the embedded store joins from a VALUES line as long as that is short
_CHUNK: Final = 500
#: solutions from which on what must not be is taken out by the engine
_MANY: Final = 5_000
#: nodes of which each is asked by itself whether it lies on a circle
_FEW: Final = 8
#: variables of ours; no body can have them, since names that end so are made only by reading
_AT: Final = "at__"
_KEPT: Final = "_kept__"

_Solution = dict[str, Term]
_Mark = tuple[Term | None, ...]
_Thing = TypeVar("_Thing")


def compile_body(shape: Shape, constraint: SparqlConstraint) -> Body:
    """Return a constraint ready to run; raises ``ShapeFault`` where it is no SPARQL or asks what a shape may not."""
    text = Text(constraint.text, dict(constraint.prefixes), shape.path, constraint.place, shape.name)
    select = read(text)
    if select.ask != constraint.asks:
        raise text.fault("The body is of the wrong form", "Write SELECT for sh:select and ASK for sh:ask.", 0)
    known = {"this", "currentShape", "shapesGraph", *(name for name, _ in constraint.parameters)}
    _refuse(select, frozenset(known | ({"value"} if constraint.asks else set())), text)
    terms: dict[str, str] = {}
    for name, term in (*constraint.parameters, ("currentShape", shape.node)):
        if name in mentioned(select):
            if isinstance(term, ox.BlankNode):
                return _Reference(f"?{name} has no name that a query could use")
            terms[name] = str(term)
    if "shapesGraph" in mentioned(select):
        return _Reference("the body asks the shapes graph")
    select, day = without_day(with_terms(select, terms), text)
    if constraint.asks:
        return _Asked(shape, select, day)
    return _Compiled(shape, _all_columns(select), day, text)


def _refuse(select: Select, known: frozenset[str], text: Text) -> None:
    """Raise ``ShapeFault`` where a body gives a variable that is known beforehand another value, or hides ``$this``."""
    stack: list[Element] = [select]
    while stack:
        element = stack.pop()
        made = {element.variable} if isinstance(element, Bind) else set()
        if isinstance(element, Select):
            made = {column.variable for column in element.columns if column.expression is not None}
            if element is not select and "this" not in scope(element):
                raise text.fault("A sub-SELECT does not give $this", "Project $this in every sub-SELECT.")
        for name in made & known:
            raise text.fault(f"The body computes ${name}", "Choose another name for what is computed.")
        if isinstance(element, Group):
            stack.extend(element.elements)
        else:
            stack.extend(groups_in(element))


def _all_columns(select: Select) -> Select:
    """Write ``*`` out."""
    if select.columns or select.ask:
        return select
    shown = sorted(name for name in scope(select.where) if not name.endswith("_"))
    return replace(select, columns=tuple(Column(name) for name in shown))


def _counted_once(select: Select) -> Select:
    """Have solutions counted once that several graphs give: the union of all graphs shows a statement in each.

    Where a body is free to give a solution twice by itself (UNION, paths with branches) it is left as it is.
    """
    where = _once_within(select.where)
    if _countable(select):
        columns = tuple(Column(name) for name in sorted(scope(where)))
        where = Group((Select(columns, where, distinct=True),))
    return replace(select, where=where)


def _countable(select: Select) -> bool:
    """Say whether every solution of a query that puts them together is another one, seen in one graph."""
    return select.grouped and bool(scope(select.where)) and all(
        isinstance(one, Filter | Exists | Bind)
        or (isinstance(one, Pattern) and (isinstance(one.path, str) or not isinstance(one.path, Alternative)))
        for one in select.where.elements
    )


def _once_within(group: Group) -> Group:
    return Group(tuple(
        _counted_once(one) if isinstance(one, Select) else _once_within(one) if isinstance(one, Group)
        else Union(tuple(_once_within(inner) for inner in one.groups)) if isinstance(one, Union) else one
        for one in group.elements
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reference:
    """Stand for a body that only pySHACL can run."""

    why: str

    @property
    def route(self) -> Route:
        return Route(Way.reference, self.why)

    @property
    def depends_on_day(self) -> bool:
        return False

    def of_all(self, reader: Reader, focus: Focus, day: date) -> Iterator[Row]:
        raise NotImplementedError(self.why)

    def of_node(self, reader: Reader, node: ox.NamedNode | ox.Literal, day: date) -> Iterator[Row]:
        raise NotImplementedError(self.why)

    def of_nodes(self, reader: Reader, nodes: Iterable[Term], day: date) -> Iterator[Row]:
        raise NotImplementedError(self.why)

    def on_days(self, reader: Reader, pairs: Iterable[tuple[Term, date]]) -> Iterator[tuple[date, Row]]:
        raise NotImplementedError(self.why)

    def days(self, reader: Reader, focus: Focus, nodes: Collection[Term] | None) -> Iterator[tuple[Term, date]]:
        return iter(())

    def triggers(self) -> tuple[Trigger, ...] | None:
        return None


# --- anchors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Anchor:
    """Bind the variables that a world starts from: ``text`` stands first in its group.

    A solution is known by ``marks``, which the text binds too: the number of a row, or copies of the values, since what
    follows may bind a variable that had no value.
    """

    text: str
    marks: tuple[str, ...]


def _rows(names: Sequence[str], rows: Iterable[Sequence[Term | None]]) -> _Anchor:
    """Return an anchor with a row for each of these."""
    lines = (
        f"({number} {' '.join('UNDEF' if term is None else str(term) for term in row)})"
        for number, row in enumerate(rows)
    )
    columns = " ".join(f"?{name}" for name in (_AT, *names))
    return _Anchor(f"VALUES ({columns}) {{ {' '.join(lines)} }}", (_AT,))


def _solutions(text: str, names: Sequence[str]) -> _Anchor:
    """Return an anchor with a row for each solution of the inside of a group, as these variables tell them apart."""
    columns = " ".join(f"?{name}" for name in names)
    copies = " ".join(f"BIND (?{name} AS ?{name}{_KEPT})" for name in names)
    return _Anchor(f"{{ SELECT DISTINCT {columns} {{ {text} }} }} {copies}", tuple(f"{name}{_KEPT}" for name in names))


def _solve(
    reader: Reader, world: World, anchor: _Anchor, wanted: Sequence[str]
) -> Iterator[tuple[_Mark, _Solution]]:
    """Yield what tells a row of the anchor, and a solution of the world for it with the variables of the columns."""
    keys = (f"?{key}" for key in world.keys if key not in anchor.marks)
    names = tuple(dict.fromkeys((*wanted, *keys)))
    marks = " ".join(f"?{mark}" for mark in anchor.marks)
    found = _asked(reader, f"SELECT DISTINCT {marks} {' '.join(names)} {{ {anchor.text} {world.text} }}")
    if not world.conditions:
        yield from _marked(found, len(anchor.marks))
        return
    # Read to the end before the next question, so that a few solutions are never asked about one by one.
    whole = anchor.marks != (_AT,)
    rows = list(islice(_marked(found, len(anchor.marks)), _MANY if whole else None))
    conditions = world.conditions
    if whole and len(rows) == _MANY:
        # So many are quicker judged by the engine itself, where that can be done in one go.
        left = " ".join(f"MINUS {{ {condition.minus} }}" for condition in conditions if condition.minus)
        conditions = tuple(condition for condition in conditions if not condition.minus)
        text = f"SELECT DISTINCT {marks} {' '.join(names)} {{ {anchor.text} {world.text} {left} }}"
        rows = list(_marked(_asked(reader, text), len(anchor.marks)))
    for condition in conditions:
        if not rows:
            return
        known = [{**dict(zip(anchor.marks, mark, strict=True)), **solution} for mark, solution in rows]
        asked = [tuple(values.get(key) for key in condition.keys) for values in known]
        holds = _holding(reader, condition, asked, f"{anchor.text} {world.text}")
        rows = [row for row, key in zip(rows, asked, strict=True) if (key in holds) is not condition.negated]
    yield from rows


def _marked(found: ox.QuerySolutions, marks: int) -> Iterator[tuple[_Mark, _Solution]]:
    """Yield solutions, the first so many values of each apart."""
    names = [variable.value for variable in found.variables][marks:]
    for solution in found:
        values = cast(_Mark, tuple(solution))
        yield values[:marks], {
            name: value for name, value in zip(names, values[marks:], strict=True) if value is not None
        }


def _holding(
    reader: Reader, condition: Condition, keys: Iterable[_Mark], text: str
) -> set[_Mark]:
    """Return those of the keys for which the group of an EXISTS has a solution; ``text`` is what the keys come from."""
    found: set[_Mark] = set()
    rest = list(dict.fromkeys(keys))
    if any(isinstance(term, ox.BlankNode) for key in rest for term in key):
        # A query cannot name them: they are found anew.
        anchor = _solutions(text, condition.keys)
        for world in condition.worlds:
            found.update(mark for mark, _ in _solve(reader, world, anchor, ()))
        return found
    for world in condition.worlds:
        rest = [key for key in rest if key not in found]
        for start in range(0, len(rest), _CHUNK):
            chunk = rest[start : start + _CHUNK]
            for mark, _ in _solve(reader, world, _rows(condition.keys, chunk), ()):
                found.add(chunk[_number(mark[0])])
    return found


def _number(mark: Term | None) -> int:
    assert isinstance(mark, ox.Literal)
    return int(mark.value)


def _asked(reader: Reader, text: str) -> ox.QuerySolutions:
    found = reader.query(text)
    assert isinstance(found, ox.QuerySolutions)
    return found


def _chunks(things: Iterable[_Thing]) -> Iterator[list[_Thing]]:
    rest = iter(things)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


# --- a body ----------------------------------------------------------------------------------------------------------


class _Compiled:
    """Run a SELECT body."""

    def __init__(self, shape: Shape, select: Select, day: str, text: Text) -> None:
        self._shape = shape
        self._select = replace(select, where=_once_within(select.where))
        self._text = text
        #: the variable of the day, "" where there is none
        self._day = day
        self._worlds = self._apart(("this",), self._select)
        #: for nodes each on days of its own
        self._dated = self._apart(("this", day), self._select) if day else self._worlds
        self._on_day: tuple[date, tuple[World, ...] | None] | None = None
        #: paths that must lead from a focus node back to it
        self._circles = () if select.grouped else circles_of(self._select.where)

    @property
    def depends_on_day(self) -> bool:
        return bool(self._day)

    def _apart(self, known: Sequence[str], select: Select) -> tuple[World, ...] | None:
        """Return the pieces of a body for which these variables have values beforehand, ``None`` where it has none."""
        if not all(told_select(select, name) for name in known):
            return None
        if select.grouped:
            if not select.keys:
                return None
            worlds = pieces_of(select.where, frozenset(known), _shown(select) | set(known))
            return worlds if worlds is not None and len(worlds) == 1 and not worlds[0].conditions else None
        return pieces_of(select.where, frozenset(known), _shown(select) | set(known))

    @property
    def route(self) -> Route:
        if self._worlds is None:
            return Route(Way.by_node, "its inner parts need to know $this beforehand")
        return Route(Way.compiled)

    # running

    def of_all(self, reader: Reader, focus: Focus, day: date) -> Iterator[Row]:
        """Yield the violations of every focus node."""
        seen: set[Row] = set()
        pattern = focus.pattern()
        worlds = self._on(day)
        whole = worlds is not None and "UNION" not in pattern and all(world.plain for world in worlds)
        whole = whole and not self._circles
        if worlds is not None and whole:
            yield from _new(self._of_text(reader, worlds, _Anchor(pattern, ("this",)), day), seen)
            return
        nodes = (solution[0] for solution in _asked(reader, f"SELECT DISTINCT ?this {{ {pattern} }}"))
        if self._circles:
            circling = nodes_on(reader, self._circles)
            nodes = (node for node in nodes if node in circling)
        blank = False
        for chunk in _chunks(cast(Iterator[Term], nodes)):
            named = [node for node in chunk if not isinstance(node, ox.BlankNode)]
            blank = blank or len(named) < len(chunk)
            yield from _new(self.of_nodes(reader, named, day), seen)
        if blank:
            anchor = _Anchor(f"{{ SELECT DISTINCT ?this {{ {pattern} }} }}", ("this",))
            if worlds is not None:
                yield from _new(self._of_text(reader, worlds, anchor, day), seen)
            else:
                for solution in _asked(reader, f"SELECT DISTINCT ?this {{ {pattern} }}"):
                    if isinstance(solution[0], ox.BlankNode):
                        yield from _new(self._of_blank(reader, solution[0], day), seen)

    def _of_text(self, reader: Reader, worlds: Sequence[World], anchor: _Anchor, day: date) -> Iterator[Row]:
        select = self._at(day)
        for world in worlds:
            for mark, solution in self._solutions(reader, select, world, anchor):
                yield self._row(cast(Term, mark[0]), solution)

    def _solutions(
        self, reader: Reader, select: Select, world: World, anchor: _Anchor
    ) -> Iterator[tuple[_Mark, _Solution]]:
        marks = [f"?{mark}" for mark in anchor.marks]
        columns = [write_column(column) for column in select.columns if column.variable not in ("this", *anchor.marks)]
        if not select.grouped:
            return _solve(reader, world, anchor, columns)
        keys = tuple(key for key in select.keys if key.variable not in anchor.marks)
        inside = f"{anchor.text} {world.text}"
        if _countable(select):
            names = " ".join(f"?{name}" for name in sorted((world.variables | {"this"}) - set(anchor.marks)))
            inside = f"{{ SELECT DISTINCT {' '.join(marks)} {names} {{ {inside} }} }}"
        grouping = write_grouping(replace(select, keys=keys), *marks)
        text = f"SELECT {' '.join([*marks, *columns])} {{ {inside} }} {grouping}"
        return _marked(_asked(reader, text), len(marks))

    def of_node(self, reader: Reader, node: ox.NamedNode | ox.Literal, day: date) -> Iterator[Row]:
        """Yield the violations of one focus node."""
        return self.of_nodes(reader, (node,), day)

    def of_nodes(self, reader: Reader, nodes: Iterable[Term], day: date) -> Iterator[Row]:
        """Yield the violations of several focus nodes (IRIs and literals)."""
        worlds = self._on(day)
        if worlds is None:
            for node in nodes:
                yield from self._of_one(reader, node, day)
            return
        select = self._at(day)
        for chunk in _chunks(self._circling(reader, nodes, lambda node: node)):
            anchor = _rows(("this",), [(node,) for node in chunk])
            for world in worlds:
                seen: set[Row] = set()
                for mark, solution in self._solutions(reader, select, world, anchor):
                    row = self._row(chunk[_number(mark[0])], solution)
                    if row not in seen:
                        seen.add(row)
                        yield row

    def _circling(
        self, reader: Reader, things: Iterable[_Thing], node_of: Callable[[_Thing], Term]
    ) -> Iterable[_Thing]:
        """Leave out, of many nodes, those from which no path leads back: to ask each of them apart would take long."""
        if not self._circles:
            return things
        things = list(things)
        nodes = {node_of(thing) for thing in things}
        if len(nodes) <= _FEW:
            return things
        circling = nodes_on(reader, self._circles, nodes)
        return [thing for thing in things if node_of(thing) in circling]

    def _of_one(self, reader: Reader, node: Term, day: date) -> Iterator[Row]:
        """Yield the violations of one node, written into the text."""
        select = with_terms(self._at(day), {"this": str(node)})
        seen: set[Row] = set()
        for solution in _named(_asked(reader, write_select(_once(select)))):
            yield from _new([self._row(node, solution)], seen)

    def _of_blank(self, reader: Reader, node: ox.BlankNode, day: date) -> Iterator[Row]:
        """Yield the violations of one node that no text can name."""
        store = getattr(reader, "plain", reader)
        if not isinstance(store, OxigraphStore):
            raise ShapeFault(
                "A focus node without a name cannot be judged by this body in this store",
                shape=self._shape.name, remedy="Give it an IRI.", place=self._text.place,
            )  # fmt: skip
        found = store.raw.query(
            write_select(_once(self._at(day))),
            use_default_graph_as_union=True, substitutions={ox.Variable("this"): node},
        )  # fmt: skip
        assert isinstance(found, ox.QuerySolutions)
        for solution in _named(found):
            yield self._row(node, solution)

    def on_days(self, reader: Reader, pairs: Iterable[tuple[Term, date]]) -> Iterator[tuple[date, Row]]:
        """Yield the violations of each node on each of its days."""
        if not self._day:
            days: dict[Term, list[date]] = defaultdict(list)
            for node, day in pairs:
                days[node].append(day)
            for row in self.of_nodes(reader, days, date.min):
                for day in days[row.focus]:
                    yield day, row
            return
        if self._dated is None:
            for node, day in pairs:
                for row in self.of_nodes(reader, (node,), day):
                    yield day, row
            return
        for chunk in _chunks(self._circling(reader, pairs, lambda pair: pair[0])):
            anchor = _rows(("this", self._day), [(node, day_of(day)) for node, day in chunk])
            seen: set[tuple[date, Row]] = set()
            for world in self._dated:
                for mark, solution in self._solutions(reader, self._select, world, anchor):
                    node, day = chunk[_number(mark[0])]
                    found = day, self._row(node, solution)
                    if found not in seen:
                        seen.add(found)
                        yield found

    def _at(self, day: date) -> Select:
        return with_terms(self._select, {self._day: str(day_of(day))}) if self._day else self._select

    def _on(self, day: date) -> tuple[World, ...] | None:
        """Return the pieces with a day put in."""
        if not self._day or self._worlds is None:
            return self._worlds
        if self._on_day is None or self._on_day[0] != day:
            self._on_day = day, self._apart(("this",), self._at(day))
        return self._on_day[1]

    def _row(self, focus: Term, solution: _Solution) -> Row:
        path: Path | None = None
        stated = solution.get("path")
        if isinstance(stated, ox.NamedNode):
            path = Predicate(stated.value)
        value = solution.get("value", focus if self._shape.path is None else None)
        said = solution.get("message")
        messages = (said,) if isinstance(said, ox.Literal) else ()
        shown = {column.variable for column in self._select.columns} - {"this"}
        bindings = tuple((name, term) for name, term in solution.items() if name in shown)
        return Row(focus, value, path, bindings, messages)

    # beforehand

    @cached_property
    def _boundaries(self) -> Boundaries:
        return boundaries_of(self._select, self._day, self._text)

    def days(self, reader: Reader, focus: Focus, nodes: Collection[Term] | None) -> Iterator[tuple[Term, date]]:
        """Yield the days on which the outcome can change; raises ``ShapeFault`` where a body hides them."""
        if self.depends_on_day:
            if self._circles and (nodes is None or len(nodes) > _FEW):
                nodes = nodes_on(reader, self._circles, nodes)
            yield from self._boundaries.days(reader, focus.pattern(), nodes)

    def triggers(self) -> tuple[Trigger, ...] | None:
        """Name the changed quads that can alter the outcome, ``None`` for any."""
        return self._links

    @cached_property
    def _links(self) -> tuple[Trigger, ...] | None:
        return links_of(self._select.where)


class _Asked:
    """Run an ASK body about each value of the shape's path, or about the focus node; false is a violation."""

    def __init__(self, shape: Shape, select: Select, day: str) -> None:
        self._shape = shape
        self._select = select
        self._day = day
        self.depends_on_day = bool(day)
        self.route = Route(Way.by_node, "it asks about each value by itself")

    def of_all(self, reader: Reader, focus: Focus, day: date) -> Iterator[Row]:
        """Yield the violations of every focus node."""
        values = focus.through(self._shape.path) if self._shape.path else focus
        text = values.pattern("value")
        if self._shape.path is None:
            text = f"{text} BIND (?value AS ?this)"
        else:
            text = f"{focus.pattern()} ?this {self._shape.path.sparql} ?value ."
        for node, value in _asked(reader, f"SELECT DISTINCT ?this ?value {{ {text} }}"):
            yield from self._judged(reader, cast(Term, node), cast(Term, value), day)

    def of_node(self, reader: Reader, node: ox.NamedNode | ox.Literal, day: date) -> Iterator[Row]:
        """Yield the violations of one focus node."""
        return self.of_nodes(reader, (node,), day)

    def of_nodes(self, reader: Reader, nodes: Iterable[Term], day: date) -> Iterator[Row]:
        """Yield the violations of several focus nodes (IRIs and literals)."""
        for node in nodes:
            values: list[Term] = [node]
            if self._shape.path is not None:
                text = f"SELECT DISTINCT ?value {{ {node} {self._shape.path.sparql} ?value }}"
                values = [cast(Term, solution[0]) for solution in _asked(reader, text)]
            for value in values:
                yield from self._judged(reader, node, value, day)

    def on_days(self, reader: Reader, pairs: Iterable[tuple[Term, date]]) -> Iterator[tuple[date, Row]]:
        """Yield the violations of each node on each of its days."""
        for node, day in pairs:
            for row in self.of_nodes(reader, (node,), day):
                yield day, row

    def _judged(self, reader: Reader, node: Term, value: Term, day: date) -> Iterator[Row]:
        blank = {name: term for name, term in (("this", node), ("value", value)) if isinstance(term, ox.BlankNode)}
        terms = {name: str(term) for name, term in (("this", node), ("value", value)) if name not in blank}
        if self._day:
            terms[self._day] = str(day_of(day))
        text = write_select(with_terms(self._select, terms))
        if blank:
            store = getattr(reader, "plain", reader)
            if not isinstance(store, OxigraphStore):
                raise ShapeFault("A node without a name cannot be judged in this store", remedy="Give it an IRI.")
            columns = " ".join(f"?{name}" for name in blank)
            held = any(
                True
                for _ in cast(
                    ox.QuerySolutions,
                    store.raw.query(
                        text.replace("ASK", f"SELECT {columns}", 1), use_default_graph_as_union=True,
                        substitutions={ox.Variable(name): term for name, term in blank.items()},
                    ),
                )
            )  # fmt: skip
        else:
            held = bool(reader.query(text))
        if not held:
            yield Row(node, value, None, (("value", value),))

    def days(self, reader: Reader, focus: Focus, nodes: Collection[Term] | None) -> Iterator[tuple[Term, date]]:
        """Yield nothing, or raise ``ShapeFault``: such a body has no solutions to take days from."""
        if self.depends_on_day:
            raise ShapeFault(
                "A body that asks about single values must not depend on the day",
                shape=self._shape.name, remedy="Write it as sh:sparql with a sh:select.",
            )  # fmt: skip
        return iter(())

    def triggers(self) -> tuple[Trigger, ...] | None:
        """Say that any change can matter: what leads from the value to the focus node is not in the body."""
        return None


def _once(select: Select) -> Select:
    """Take each solution once, where that makes no difference to what is counted or cut off."""
    return _counted_once(select) if select.limit or select.grouped else replace(_counted_once(select), distinct=True)


def _shown(select: Select) -> frozenset[str]:
    """Return the variables that a query uses outside of its braces."""
    return mentioned(replace(select, where=Group(())))


def _named(found: ox.QuerySolutions) -> Iterator[_Solution]:
    names = [variable.value for variable in found.variables]
    for solution in found:
        yield {name: cast(Term, term) for name, term in zip(names, solution, strict=True) if term is not None}


def _new(rows: Iterable[Row], seen: set[Row]) -> Iterator[Row]:
    for row in rows:
        if row not in seen:
            seen.add(row)
            yield row
