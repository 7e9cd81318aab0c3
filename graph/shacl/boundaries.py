"""Find the days on which the outcome of a SPARQL body can change: the dates that it compares with the day.

For each comparison a query gives the focus nodes with what is compared: the patterns that hold where the comparison
stands, and those that give its variables their values; conditions are left out, so there may be more days than needed
and never fewer. Between two such days every comparison gives the same, and so does the body.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, product
from typing import Final

import pyoxigraph as ox

from graph.shacl.query import (
    Bind,
    Column,
    Element,
    Exists,
    Expression,
    Filter,
    Graph,
    Group,
    Optional,
    Pattern,
    Select,
    Union,
    mentioned,
    scope,
    write,
    write_expression,
)
from graph.shacl.shapes import Term
from graph.shacl.text import Text, Tokens
from graph.store import Reader
from graph.terms import XSD

_FOUND: Final = "date__"
_CHUNK: Final = 500
_FEW: Final = 50
_THIS: Final = re.compile(r"\?this\b")
#: where a variable must stand
_ASKS: Final = re.compile(r"(?i)bound\s*\(\s*\?this\b|\bas\s+\?this\b|\bselect\b|[\"'].*\?this")
_MOST: Final = 128
#: from which day on the outcome is another, counted from the date that is compared: itself, or the next day
_FLIPS: Final[Mapping[str, tuple[int, ...]]] = {
    "<": (0,), ">=": (0,), "<=": (1,), ">": (1,), "=": (0, 1), "!=": (0, 1),
}  # fmt: skip
_TURNED: Final[Mapping[str, str]] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
#: aggregates that give one of the values they are given
_CHOOSING: Final = frozenset(["MIN", "MAX", "SAMPLE"])
_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?")
_REMEDY: Final = (
    "Compare it by itself: ?asOf < ?until, or ?asOf < ?due after BIND (… AS ?due); "
    "count from the date that is compared, never from the day."
)

#: patterns and computations, in an order in which they can be written
_Given = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Hold the inside of a group for each comparison, and on which days after the date the outcome is another."""

    parts: tuple[tuple[str, tuple[int, ...]], ...]

    def days(self, reader: Reader, pattern: str, nodes: Collection[Term] | None) -> Iterator[tuple[Term, date]]:
        """Yield node and day, for these nodes or for those of a pattern that binds ``?this``."""
        seen: set[tuple[Term, date]] = set()
        for text, flips in self.parts:
            for node, value in _values(reader, text, pattern, nodes):
                for day in _days(value, flips):
                    if (node, day) not in seen:
                        seen.add((node, day))
                        yield node, day


def boundaries_of(select: Select, name: str, text: Text) -> Boundaries:
    """Return the comparisons of a body with the day, ``?name``; raises ``ShapeFault`` where it does more with it."""
    finding = _Finding(name, text)
    finding.of_select(select, (), ())
    return Boundaries(tuple(dict.fromkeys(finding.parts)))


def _values(
    reader: Reader, text: str, pattern: str, nodes: Collection[Term] | None
) -> Iterator[tuple[Term, ox.Literal]]:
    if nodes is not None and len(nodes) <= _FEW and not _ASKS.search(text):
        yield from _values_of_few(reader, text, nodes)
        return
    anchors: Iterable[str]
    if nodes is None or any(isinstance(node, ox.BlankNode) for node in nodes):
        anchors = (pattern if "UNION" not in pattern else f"{{ {pattern} }}",)
    else:
        anchors = (f"VALUES ?this {{ {' '.join(map(str, chunk))} }}" for chunk in _chunks(nodes))
    wanted = None if nodes is None else set(nodes)
    for anchor in anchors:
        found = reader.query(f"SELECT DISTINCT ?this ?{_FOUND} {{ {anchor} {text} }}")
        assert isinstance(found, ox.QuerySolutions)
        for node, value in found:
            if isinstance(value, ox.Literal) and (wanted is None or node in wanted):
                yield node, value


def _values_of_few(reader: Reader, text: str, nodes: Iterable[Term]) -> Iterator[tuple[Term, ox.Literal]]:
    """Ask about one node after the other, written in its place: that is looked up where a ``VALUES`` line is joined."""
    for node in nodes:
        if not isinstance(node, ox.BlankNode):
            written = str(node)
            here = _THIS.sub(lambda _, written=written: written, text)  # type: ignore[misc]
            found = reader.query(f"SELECT DISTINCT ?{_FOUND} {{ {here} }}")
            assert isinstance(found, ox.QuerySolutions)
            for row in found:
                if isinstance(row[0], ox.Literal):
                    yield node, row[0]


def _chunks(nodes: Iterable[Term]) -> Iterator[list[Term]]:
    rest = iter(nodes)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _days(value: ox.Literal, flips: tuple[int, ...]) -> Iterator[date]:
    found = _DATE.fullmatch(value.value) if value.datatype.value == XSD.date else None
    if found is None:
        return
    # A date with a zone begins some hours before or after the day of the same name.
    shifts = set(flips) if found[2] is None else {-1, 0, 1, 2}
    for shift in sorted(shifts):
        try:
            yield date.fromisoformat(found[1]) + timedelta(days=shift)
        except (ValueError, OverflowError):  # no day of the calendar that days are counted in
            continue


class _Finding:
    """Walk over a body, and write down each comparison with the day."""

    def __init__(self, name: str, text: Text) -> None:
        self.name = name
        self.text = text
        self.parts: list[tuple[str, tuple[int, ...]]] = []

    def of_select(self, select: Select, held: _Given, levels: tuple[Group, ...]) -> None:
        here = (*levels, select.where)
        sure = (*held, *_sure(select.where))
        for expression in _expressions(select):
            self.of_expression(expression, sure, here)
        if any(column.variable == self.name and column.expression is None for column in select.columns):
            raise self.text.fault(f"The body gives ?{self.name} as a result", "Leave it out of SELECT.")
        self.of_group(select.where, held, levels)

    def of_group(self, group: Group, held: _Given, levels: tuple[Group, ...]) -> None:
        if self.name not in mentioned(group):
            return
        here = (*levels, group)
        sure = (*held, *_sure(group))
        for one in group.elements:
            if self.name not in mentioned(one):
                continue
            match one:
                case Pattern():
                    raise self.text.fault(f"The body looks for ?{self.name} in the data", _REMEDY)
                case Filter(expression) | Bind(expression):
                    self.of_expression(expression, sure, here)
                case Exists(inner) | Optional(inner) | Graph(_, inner):
                    self.of_group(inner, sure, here)
                case Union(groups):
                    for inner in groups:
                        self.of_group(inner, sure, here)
                case Group():
                    self.of_group(one, sure, here)
                case Select():
                    self.of_select(one, sure, here)

    def of_expression(self, expression: Expression, sure: _Given, levels: tuple[Group, ...]) -> None:
        for group in expression.groups:
            self.of_group(group, sure, levels)
        for operand, flips in self.compared(expression):
            if self.name in mentioned(operand):
                raise self.text.fault(f"The body compares ?{self.name} with what is computed from it", _REMEDY)
            alone = len(operand.tokens) == 1
            for given in self.given(sorted(mentioned(operand)), sure, levels, alone):
                self.written((*sure, *given), write_expression(operand), flips)

    def written(self, elements: _Given, operand: str, flips: tuple[int, ...]) -> None:
        once = tuple(dict.fromkeys(elements))
        patterns = [one for one in once if not isinstance(one, Bind)]
        binds = [one for one in once if isinstance(one, Bind)]
        text = write(Group((*patterns, *binds)))
        self.parts.append((f"{text} BIND ({operand} AS ?{_FOUND})", flips))

    # comparisons

    def compared(self, expression: Expression) -> Iterator[tuple[Expression, tuple[int, ...]]]:
        """Yield what the day is compared with, and how the outcome flips there."""
        tokens = expression.tokens
        for at, token in enumerate(tokens):
            if token.kind != "variable" or token.name != self.name:
                continue
            before, after = _at(tokens, at - 1), _at(tokens, at + 1)
            if after in _FLIPS and before in _EDGES:
                start, end = at + 2, _end(tokens, at + 2)
                yield _chosen(expression.part(tokens[start:end])), _FLIPS[after]
            elif before in _FLIPS and after in _EDGES:
                start, end = _start(tokens, at - 2), at - 1
                yield _chosen(expression.part(tokens[start:end])), _FLIPS[_TURNED[before]]
            elif before == "(" and _at(tokens, at - 2).upper() == "BOUND":
                continue
            else:
                raise self.text.fault(f"The body computes with ?{self.name}", _REMEDY, token.offset)

    # what gives variables their values

    def given(
        self, names: Iterable[str], sure: _Given, levels: tuple[Group, ...], alone: bool
    ) -> Iterator[_Given]:
        """Yield every way in which variables get values, or stay without: but not one that is ``alone``."""
        bound = {name for one in sure for name in scope(one)}
        choices = []
        for name in names:
            ways: list[_Given] = [] if alone and name not in bound else [()]
            if name not in bound:
                ways += [way for level in levels for way in self.binding(level, name, frozenset())]
            choices.append(list(dict.fromkeys(ways)))
        for picked in islice(product(*choices), _MOST + 1):
            yield tuple(one for way in picked for one in way)

    def binding(self, group: Group, name: str, asked: frozenset[str]) -> Iterator[_Given]:
        """Yield the ways in which a group binds a variable that its sure patterns do not."""
        if name in asked:
            return
        own = _sure(group)
        if any(name in scope(one) for one in own):
            yield own
            return
        for one in group.elements:
            if name not in scope(one):
                continue
            match one:
                case Bind(expression, _):
                    if self.name in mentioned(expression):
                        raise self.text.fault(f"The body computes with ?{self.name}", _REMEDY)
                    yield from self.computed(group, own, expression, name, asked | {name})
                case Optional(inner):
                    for way in self.binding(inner, name, asked):
                        yield (*own, *way)
                case Group():
                    for way in self.binding(one, name, asked):
                        yield (*own, *way)
                case Graph(graph, inner):
                    for way in self.binding(inner, name, asked):
                        inside = (one if isinstance(one, Bind) else Graph(graph, Group((one,))) for one in way)
                        yield (*own, *inside)
                case Union(groups):
                    for inner in groups:
                        for way in self.binding(inner, name, asked):
                            yield (*own, *way)
                case Select():
                    for way in self.projected(one, name, asked):
                        yield (*own, *way)
                case _:
                    pass

    def computed(
        self, group: Group, own: _Given, expression: Expression, name: str, asked: frozenset[str]
    ) -> Iterator[_Given]:
        bound = {inner for one in own for inner in scope(one)}
        needed = sorted(mentioned(expression) - bound)
        ways = [[(), *self.binding(group, one, asked)] for one in needed]
        for picked in islice(product(*ways), _MOST):
            yield (*own, *(one for way in picked for one in way), Bind(expression, name))

    def projected(self, select: Select, name: str, asked: frozenset[str]) -> Iterator[_Given]:
        column = next((one for one in select.columns if one.variable == name), Column(name))
        if column.expression is None:
            yield from self.binding(select.where, name, asked)
            return
        expression = _chosen(column.expression)
        if expression.aggregates or self.name in mentioned(expression):
            raise self.text.fault(
                f"The body compares ?{self.name} with a date put together from several",
                "Compare it with a date of one record, or with MIN or MAX of such dates.",
            )
        yield from self.computed(select.where, _sure(select.where), expression, name, asked | {name})


_EDGES: Final = frozenset(["", "(", ")", "&&", "||", ",", "!"])


def _at(tokens: Tokens, at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""


def _end(tokens: Tokens, at: int) -> int:
    depth = 0
    while at < len(tokens):
        sign = tokens[at].text if tokens[at].kind == "sign" else ""
        if depth == 0 and sign in (")", "&&", "||", ","):
            break
        depth += {"(": 1, ")": -1}.get(sign, 0)
        at += 1
    return at


def _start(tokens: Tokens, at: int) -> int:
    depth = 0
    while at >= 0:
        sign = tokens[at].text if tokens[at].kind == "sign" else ""
        if depth == 0 and sign in ("(", "&&", "||", ",", "!"):
            break
        depth += {")": 1, "(": -1}.get(sign, 0)
        at -= 1
    return at + 1


def _chosen(expression: Expression) -> Expression:
    """Return what MIN, MAX or SAMPLE choose from, any other expression as it is."""
    tokens = expression.tokens
    if len(tokens) < 4 or tokens[0].text.upper() not in _CHOOSING or _end(tokens, 2) != len(tokens) - 1:
        return expression
    inside = tokens[2:-1]
    return expression.part(inside[1:] if inside[0].text.upper() == "DISTINCT" else inside)


def _sure(group: Group) -> _Given:
    """Return the patterns that hold whenever a group does, with the conditions that need no more than these."""
    found: list[Element] = []
    for one in group.elements:
        match one:
            case Pattern():
                found.append(one)
            case Group():
                found.extend(_sure(one))
            case Graph(graph, inner):
                held = _sure(inner)
                if held:
                    found.append(Graph(graph, Group(held)))
            case _:
                pass
    bound = {name for one in found for name in scope(one)}
    conditions = [one for one in group.elements if isinstance(one, Filter) and not one.expression.groups]
    return (*found, *(one for one in conditions if mentioned(one) <= bound))


def _expressions(select: Select) -> Iterator[Expression]:
    yield from (column.expression for column in select.columns if column.expression is not None)
    yield from (one.expression for one in select.having)
    yield from (key.expression for key in select.keys)
