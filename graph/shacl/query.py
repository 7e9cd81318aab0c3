"""Say what a SPARQL query consists of, as far as it decides how a body can be run; write it, and put terms into it.

Patterns are single steps where they can be: ``;``, ``,``, brackets, lists and sequences of a path are undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from graph.shacl.paths import Inverse, Path, Sequence
from graph.shacl.text import Token, Tokens


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hold one triple pattern: ends are variables (``?x``) or terms as text; ``path`` is a variable where that is."""

    subject: str
    path: Path | str
    object: str

    @property
    def text(self) -> str:
        path = self.path if isinstance(self.path, str) else self.path.sparql
        return f"{self.subject} {path} {self.object} ."

    @property
    def variables(self) -> frozenset[str]:
        ends = (self.subject, self.object, self.path if isinstance(self.path, str) else "")
        return frozenset(end[1:] for end in ends if end.startswith("?"))


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold the words of an expression; a word of kind ``group`` stands for the group of that number in ``groups``."""

    tokens: Tokens
    groups: tuple[Group, ...] = ()

    @property
    def variables(self) -> frozenset[str]:
        """Return the variables that stand in it, but for those in its groups."""
        return frozenset(token.name for token in self.tokens if token.kind == "variable")

    @property
    def aggregates(self) -> bool:
        """Say whether it puts several solutions together."""
        return any(token.kind == "word" and token.text.upper() in _AGGREGATES for token in self.tokens)

    def part(self, tokens: Tokens) -> Expression:
        """Return some of the words as an expression."""
        numbers = [int(token.text) for token in tokens if token.kind == "group"]
        renumbered = iter(range(len(numbers)))
        return Expression(
            tuple(replace(one, text=str(next(renumbered))) if one.kind == "group" else one for one in tokens),
            tuple(self.groups[number] for number in numbers),
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Hold a condition, in brackets."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Exists:
    """Hold a condition that is nothing but EXISTS, or NOT EXISTS where ``negated``."""

    group: Group
    negated: bool


@dataclass(frozen=True, slots=True)
class Optional:
    """Hold what may be there."""

    group: Group


@dataclass(frozen=True, slots=True)
class Union:
    """Hold branches of which any may match."""

    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """Hold a computed variable (its name), and how it is computed."""

    expression: Expression
    variable: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Hold a group that is asked of one named graph (a term or a variable, as text)."""

    graph: str
    group: Group


@dataclass(frozen=True, slots=True)
class Group:
    """Hold the elements of one pair of braces, in their order."""

    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Hold one projected variable, with its expression where it has one."""

    variable: str
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """Hold one term of GROUP BY: an expression, and its variable where it is named or is nothing but one."""

    expression: Expression
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Select:
    """Hold a query: ``columns`` are empty for ``*``; ``order`` is kept only where ``limit`` makes it matter."""

    columns: tuple[Column, ...]
    where: Group
    distinct: bool = False
    keys: tuple[Key, ...] = ()
    having: tuple[Filter, ...] = ()
    order: Expression | None = None
    limit: Tokens = ()
    ask: bool = False

    @property
    def grouped(self) -> bool:
        """Say whether solutions are put together before they are given."""
        columns = (column.expression for column in self.columns)
        return bool(self.keys or self.having) or any(one is not None and one.aggregates for one in columns)


Element = Pattern | Filter | Exists | Optional | Union | Bind | Graph | Group | Select
_AGGREGATES: Final = frozenset(["COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"])


def stretched(subject: str, path: Path, value: str, fresh: str) -> Iterator[Pattern]:
    """Yield a path as the patterns that it stands for, one one for each step; ``fresh`` begins their variables."""
    if isinstance(path, Inverse):
        yield from stretched(value, path.path, subject, fresh)
    elif isinstance(path, Sequence):
        ends = [subject, *(f"?{fresh}{number}_" for number in range(1, len(path.parts))), value]
        for number, part in enumerate(path.parts):
            yield from stretched(ends[number], part, ends[number + 1], f"{fresh}{number}_")
    else:
        yield Pattern(subject, path, value)


# --- variables ------------------------------------------------------------------------------------------------------


def mentioned(element: Element | Expression) -> frozenset[str]:
    """Return every variable that stands anywhere in an element."""
    found: set[str] = set()
    match element:
        case Pattern():
            return element.variables
        case Expression():
            found |= element.variables
            for group in element.groups:
                found |= mentioned(group)
        case Filter(expression):
            return mentioned(expression)
        case Exists(group) | Optional(group):
            return mentioned(group)
        case Union(groups):
            for group in groups:
                found |= mentioned(group)
        case Bind(expression, variable):
            return mentioned(expression) | {variable}
        case Graph(graph, group):
            return mentioned(group) | ({graph[1:]} if graph.startswith("?") else set())
        case Group(elements):
            for one in elements:
                found |= mentioned(one)
        case Select():
            found |= mentioned(element.where)
            for part in _expressions(element):
                found |= mentioned(part)
            found |= {column.variable for column in element.columns} | {key.variable for key in element.keys}
            found.discard("")
    return frozenset(found)


def _expressions(select: Select) -> Iterator[Expression]:
    for column in select.columns:
        if column.expression is not None:
            yield column.expression
    for key in select.keys:
        yield key.expression
    for one in select.having:
        yield one.expression
    if select.order is not None:
        yield select.order


def scope(element: Element) -> frozenset[str]:
    """Return the variables that an element can bind for what stands around it."""
    match element:
        case Pattern():
            return element.variables
        case Filter() | Exists():
            return frozenset()
        case Optional(group):
            return scope(group)
        case Bind():
            return frozenset([element.variable])
        case Graph(graph, group):
            return scope(group) | ({graph[1:]} if graph.startswith("?") else set())
        case Union(groups):
            return frozenset().union(*(scope(group) for group in groups))
        case Group(elements):
            return frozenset().union(*(scope(one) for one in elements))
        case Select():
            if element.columns:
                return frozenset(column.variable for column in element.columns)
            return scope(element.where)


def certain(element: Element) -> frozenset[str]:
    """Return the variables that have a value in every solution of an element."""
    match element:
        case Pattern():
            return element.variables
        case Filter() | Exists() | Optional() | Bind():
            return frozenset()
        case Graph(graph, group):
            return certain(group) | ({graph[1:]} if graph.startswith("?") else set())
        case Union(groups):
            return frozenset.intersection(*(certain(group) for group in groups))
        case Group(elements):
            return frozenset().union(*(certain(one) for one in elements))
        case Select():
            inner = certain(element.where)
            if not element.columns:
                return inner
            if element.grouped:
                inner &= {key.variable for key in element.keys}
            return inner & {column.variable for column in element.columns if column.expression is None}


def groups_in(element: Element) -> Iterator[Group]:
    """Yield the groups that stand directly in an element."""
    match element:
        case Exists(group) | Optional(group) | Graph(_, group):
            yield group
        case Union(groups):
            yield from groups
        case Filter(expression) | Bind(expression):
            yield from expression.groups
        case Group():
            yield element
        case Select():
            yield element.where
        case Pattern():
            pass


# --- writing --------------------------------------------------------------------------------------------------------

def write_expression(expression: Expression) -> str:
    """Write an expression."""
    words = (
        f"{{ {write(expression.groups[int(token.text)])} }}" if token.kind == "group" else token.text
        for token in expression.tokens
    )
    return _joined(words)


def _joined(words: Iterable[str]) -> str:
    """Put words side by side; a datatype and a language stay at their text, and a bracket at its function."""
    text = ""
    before = ""
    for word in words:
        close = word in ("(", "^^") and before not in ("", "&&", "||") or before == "^^" or word.startswith("@")
        text += word if close or not text else f" {word}"
        before = word
    return text


def write(element: Element) -> str:
    """Write an element as SPARQL; a group without its own braces."""
    match element:
        case Pattern():
            return element.text
        case Filter(expression):
            return f"FILTER {write_expression(expression)}"
        case Exists(group, negated):
            return f"FILTER {'NOT ' if negated else ''}EXISTS {{ {write(group)} }}"
        case Optional(group):
            return f"OPTIONAL {{ {write(group)} }}"
        case Union(groups):
            return " UNION ".join(f"{{ {write(group)} }}" for group in groups)
        case Bind(expression, variable):
            return f"BIND ({write_expression(expression)} AS ?{variable})"
        case Graph(graph, group):
            return f"GRAPH {graph} {{ {write(group)} }}"
        case Group(elements):
            alone = len(elements) == 1
            return " ".join(
                f"{{ {write(one)} }}" if isinstance(one, Group if alone else Group | Select) else write(one)
                for one in elements
            )
        case Select():
            return write_select(element)


def write_select(select: Select) -> str:
    """Write a query."""
    where = write(select.where)
    if select.ask:
        return f"ASK {{ {where} }}"
    chosen = " ".join(write_column(column) for column in select.columns) or "*"
    text = f"SELECT {'DISTINCT ' if select.distinct else ''}{chosen} {{ {where} }} {write_grouping(select)}"
    if select.order is not None:
        text += f" ORDER BY {write_expression(select.order)}"
    return f"{text} {_joined(token.text for token in select.limit)}".rstrip()


def write_grouping(select: Select, *more: str) -> str:
    """Write GROUP BY, with more variables (``?x``) than the query has, and HAVING."""
    text = ""
    if select.keys or more:
        text = " ".join(["GROUP BY", *more, *(write_key(key) for key in select.keys)])
    if select.having:
        text += " HAVING " + " ".join(write_expression(one.expression) for one in select.having)
    return text


def write_column(column: Column) -> str:
    """Write one projected variable."""
    if column.expression is None:
        return f"?{column.variable}"
    return f"({write_expression(column.expression)} AS ?{column.variable})"


def write_key(key: Key) -> str:
    """Write one term of GROUP BY."""
    written = write_expression(key.expression)
    if not key.variable:
        return f"({written})"
    return written if written == f"?{key.variable}" else f"({written} AS ?{key.variable})"


# --- putting other names or terms in place of variables -------------------------------------------------------------


def with_terms(select: Select, terms: Mapping[str, str]) -> Select:
    """Put terms, as text, in place of variables, in every part of a query."""
    return _Rewriting(terms, None).select(select)


def apart(select: Select) -> Select:
    """Give every variable that a sub-SELECT keeps to itself a name of its own."""
    return _Rewriting({}, count(1)).select(select)


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """Write a query anew: ``put`` says what to put in place of variables; ``numbers`` make inner names new."""

    put: Mapping[str, str]
    numbers: Iterator[int] | None

    def term(self, text: str) -> str:
        return self.put.get(text[1:], text) if text.startswith("?") else text

    def variable(self, name: str) -> str:
        text = self.term(f"?{name}")
        return text[1:] if text.startswith("?") else name

    def expression(self, one: Expression) -> Expression:
        tokens: list[Token] = []
        for token in one.tokens:
            text = self.term(token.text) if token.kind == "variable" else token.text
            tokens.append(replace(token, text=text, kind=token.kind if text.startswith("?") else "term")
                          if token.kind == "variable" else token)  # fmt: skip
            if token.text == ")" and len(tokens) >= 4 and _bound_term(tokens[-4:]):
                tokens[-4:] = [Token("word", "true", token.offset)]
        return Expression(tuple(tokens), tuple(self.group(inner) for inner in one.groups))

    def element(self, one: Element) -> Element:
        match one:
            case Pattern(subject, path, value):
                return Pattern(self.term(subject), self.term(path) if isinstance(path, str) else path, self.term(value))
            case Filter(inner):
                return Filter(self.expression(inner))
            case Exists(inner_group, negated):
                return Exists(self.group(inner_group), negated)
            case Optional(inner_group):
                return Optional(self.group(inner_group))
            case Union(groups):
                return Union(tuple(self.group(inner) for inner in groups))
            case Bind(inner, variable):
                return Bind(self.expression(inner), self.variable(variable))
            case Graph(graph, inner_group):
                return Graph(self.term(graph), self.group(inner_group))
            case Group():
                return self.group(one)
            case Select():
                return self._inner(one).select(one, inner=True)

    def _inner(self, select: Select) -> _Rewriting:
        if self.numbers is None or not select.columns:
            return self
        hidden = mentioned(select) - {column.variable for column in select.columns}
        own = {name: f"?{name}_{next(self.numbers)}_" for name in sorted(hidden)}
        return replace(self, put={**self.put, **own})

    def group(self, one: Group) -> Group:
        return Group(tuple(self.element(inner) for inner in one.elements))

    def column(self, one: Column) -> Column:
        if one.expression is not None:
            return Column(self.variable(one.variable), self.expression(one.expression))
        text = self.term(f"?{one.variable}")
        return Column(text[1:]) if text.startswith("?") else Column(one.variable, Expression((Token("term", text),)))

    def key(self, one: Key) -> Key:
        known = not self.term(f"?{one.variable}").startswith("?")
        return Key(self.expression(one.expression), "" if known else self.variable(one.variable))

    def select(self, one: Select, inner: bool = False) -> Select:
        columns = [self.column(column) for column in one.columns]
        if inner:
            # What stands around knows these as well, and may not be given them a second time.
            columns = [new for new, old in zip(columns, one.columns, strict=True)
                       if new.expression is None or old.expression is not None]  # fmt: skip
            columns = columns or [Column("given_", Expression((Token("number", "1"),)))][: len(one.columns)]
        return replace(
            one,
            columns=tuple(columns),
            where=self.group(one.where),
            keys=tuple(self.key(key) for key in one.keys),
            having=tuple(Filter(self.expression(having.expression)) for having in one.having),
            order=None if one.order is None else self._ordered(one.order),
        )

    def _ordered(self, order: Expression) -> Expression:
        # ORDER BY takes a bare variable, but a term only in brackets.
        written = self.expression(order)
        return replace(
            written, tokens=tuple(replace(t, text=f"({t.text})") if t.kind == "term" else t for t in written.tokens)
        )


def _bound_term(tokens: list[Token]) -> bool:
    """Say whether these words ask whether a term, put in place of a variable, has a value."""
    return tokens[0].text.upper() == "BOUND" and tokens[1].text == "(" and tokens[2].kind == "term"
