"""Take a SPARQL body apart into pieces that a store answers fast for many nodes at once, where that says the same.

SHACL puts the focus node in place of ``$this`` everywhere (https://www.w3.org/TR/shacl/#pre-binding); SPARQL evaluates
what stands in inner braces before it knows it. ``told`` says where the two are the same. ``pieces_of`` undoes UNION
into worlds that are joins alone, and splits EXISTS off as a question of its own: measured on the embedded store, a body
with UNION or NOT EXISTS over a join is a thousand times slower whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from graph.shacl.paths import Alternative, Path, Predicate, Sequence, stays
from graph.shacl.query import (
    Bind,
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
    certain,
    mentioned,
    scope,
    stretched,
    write,
)

#: worlds that a body may fall into
_MOST: Final = 24


@dataclass(frozen=True, slots=True)
class Condition:
    """Ask whether one of ``worlds`` has a solution for the values of ``keys``, or has none where ``negated``.

    ``minus`` is the inside of a MINUS that says the same, "" where none does, or where it could be large for itself.
    """

    keys: tuple[str, ...]
    worlds: tuple[World, ...]
    negated: bool
    minus: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Hold a join: the inside of a group as text, its variables, and what its solutions must still fulfil."""

    text: str
    variables: frozenset[str]
    conditions: tuple[Condition, ...] = ()
    plain: bool = True

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the variables that conditions ask about."""
        return tuple(sorted({key for condition in self.conditions for key in condition.keys}))


# --- where a value that is known beforehand is the same everywhere ---------------------------------------------------


def told(group: Group, variable: str, *, before: bool = True, judged: bool = False) -> bool:
    """Say whether a group gives the same when a value for a variable joins it as when it is written in its place.

    ``before``: the value stands in front within the same braces. ``judged``: conditions of the group see what is
    around it, as those of OPTIONAL do. Says no where it is not sure.
    """
    if variable not in mentioned(group):
        return True
    seen = before
    somewhere = before or variable in certain(group)
    for element in group.elements:
        if variable in mentioned(element) and not _told(element, variable, seen, somewhere, judged):
            return False
        seen = seen or variable in certain(element)
    return _grounded(group, variable)


def _told(element: Element, variable: str, seen: bool, somewhere: bool, judged: bool) -> bool:
    match element:
        case Pattern():
            return True
        case Filter(expression):
            return (somewhere or judged) and _outside(expression, variable)
        case Exists(group):
            return (somewhere or judged) and told(group, variable)
        case Optional(group):
            return seen and told(group, variable, before=False, judged=True)
        case Union(groups):
            return all(told(group, variable, before=False) for group in groups)
        case Bind(expression, name):
            return seen and name != variable and _outside(expression, variable)
        case Graph(graph, group):
            return graph != f"?{variable}" and told(group, variable, before=False)
        case Group():
            return told(element, variable, before=False)
        case Select():
            return told_select(element, variable, before=False)


def told_select(select: Select, variable: str, *, before: bool = True) -> bool:
    """Do as ``told`` for a query or a sub-SELECT."""
    if variable not in mentioned(select):
        return True
    if select.limit or not told(select.where, variable, before=before):
        return False
    if any(variable == column.variable and column.expression is not None for column in select.columns):
        return False
    if not before and (variable not in certain(select.where) or variable not in scope(select)):
        return False
    expressions = [column.expression for column in select.columns if column.expression is not None]
    expressions += [one.expression for one in select.having]
    if select.grouped:
        if not before and variable not in {key.variable for key in select.keys}:
            return False
        expressions += [key.expression for key in select.keys]
    return all(_outside(one, variable) for one in expressions)


def _outside(expression: Expression, variable: str) -> bool:
    """Say whether no group in an expression speaks of a variable: how engines see it there is not sure."""
    return not any(variable in mentioned(group) for group in expression.groups)


def _grounded(group: Group, variable: str) -> bool:
    """Say whether a variable that a path may stay at stands in some statement too."""
    staying = [
        one for one in group.elements
        if isinstance(one, Pattern) and variable in one.variables and not isinstance(one.path, str) and stays(one.path)
    ]  # fmt: skip
    return not staying or any(
        isinstance(one, Pattern) and variable in one.variables and one not in staying for one in group.elements
    )


# --- pieces ----------------------------------------------------------------------------------------------------------


def pieces_of(group: Group, known: frozenset[str], outside: frozenset[str]) -> tuple[World, ...] | None:
    """Return the worlds of a group, ``None`` where it cannot be taken apart.

    ``known`` are variables that have values beforehand, ``outside`` those used elsewhere (``known`` among them). Each
    solution of the group is one of a world that fulfils its conditions, and the other way round.
    """
    found = []
    for elements in _worlds(group.elements, known, outside):
        whole = Group(tuple(one for one in elements if not isinstance(one, Exists)))
        variables = scope(whole)
        conditions = []
        for one in elements:
            if isinstance(one, Exists):
                condition = _condition(one, variables | known, certain(whole) | known)
                if condition is None:
                    return None
                conditions.append(condition)
            elif _hides_groups(one):
                return None
        found.append(World(joined(whole), variables, tuple(conditions), _plain(whole)))
    return tuple(found)


def joined(group: Group) -> str:
    """Write the inside of a group so that something may stand before it."""
    alone = len(group.elements) == 1 and isinstance(group.elements[0], Select)
    return f"{{ {write(group)} }}" if alone else write(group)


def _condition(one: Exists, variables: frozenset[str], sure: frozenset[str]) -> Condition | None:
    keys = mentioned(one.group) & variables
    if not all(told(one.group, key) for key in keys):
        return None
    worlds = pieces_of(one.group, keys, keys)
    if worlds is None:
        return None
    apart = one.negated and keys and keys <= sure & certain(one.group) and _is_chain(one.group)
    return Condition(tuple(sorted(keys)), worlds, one.negated, write(one.group) if apart else "")


def _is_chain(group: Group) -> bool:
    """Say whether a group for itself has about as many solutions as there are statements of one predicate."""
    ends: list[str] = []
    for one in group.elements:
        match one:
            case Pattern(_, Predicate(), value):
                ends.append(value)
            case Filter(expression) if not expression.groups:
                pass
            case Optional(inner) if all(isinstance(part, Pattern | Filter) for part in inner.elements):
                pass
            case _:
                return False
    named = [end for end in ends if end.startswith("?")]
    return len(named) == len(set(named))


def _hides_groups(element: Element) -> bool:
    """Say whether an element holds an EXISTS deeper than the worlds reach: engines do not order those well."""
    match element:
        case Pattern():
            return False
        case Exists():
            return True
        case Filter(expression) | Bind(expression):
            return bool(expression.groups)
        case Optional(group) | Graph(_, group):
            return any(_hides_groups(inner) for inner in group.elements)
        case Union(groups):
            return any(_hides_groups(inner) for group in groups for inner in group.elements)
        case Group(elements):
            return any(_hides_groups(inner) for inner in elements)
        case Select():
            return _hides_groups(element.where)


def _plain(group: Group) -> bool:
    """Say whether a join has no inner parts but single optional ones, so that it can be asked of the whole store."""
    for one in group.elements:
        match one:
            case Pattern():
                if not isinstance(one.path, str) and _closes(one):
                    return False
            case Filter() | Bind():
                pass
            case Optional(inner):
                if not all(isinstance(part, Pattern | Filter) for part in inner.elements):
                    return False
            case _:
                return False
    return True


def _closes(pattern: Pattern) -> bool:
    text = "" if isinstance(pattern.path, str) else pattern.path.sparql
    return text.endswith(("*", "+", "?")) or ")*" in text or ")+" in text


def _worlds(
    elements: Iterable[Element], known: frozenset[str], outside: frozenset[str]
) -> list[tuple[Element, ...]]:
    """Undo UNION and inner braces, where that says the same: each world is a list of elements that hold together."""
    elements = tuple(elements)
    choices: list[list[tuple[Element, ...]]] = []
    for at, element in enumerate(elements):
        around = outside.union(*(mentioned(one) for number, one in enumerate(elements) if number != at))
        match element:
            case Group():
                choices.append(_inner(element, known, around))
            case Union(groups):
                branches = [world for group in groups for world in _inner(group, known, around)]
                choices.append(branches)
            case Pattern(subject, Alternative(parts), value) if _walked(element, known):
                # The engine puts paths behind everything else, and walks them again for every row.
                choices.append([tuple(stretched(subject, part, value, f"way{at}_")) for part in _flat(parts)])
            case _:
                choices.append([(element,)])
    number = 1
    for choice in choices:
        number *= len(choice)
    if number > _MOST:
        return [elements]
    return [tuple(one for part in parts for one in part) for parts in product(*choices)]


def _walked(pattern: Pattern, known: frozenset[str]) -> bool:
    """Say whether a path goes several steps from what is known beforehand: only then it saves more than it costs."""
    path = pattern.path
    return (
        isinstance(path, Alternative)
        and bool(pattern.variables & known)
        and not all(isinstance(part, Predicate) for part in path.parts)
    )


def _flat(parts: Iterable[Path]) -> Iterator[Path]:
    """Yield the ways that an alternative path can go, each without alternatives at its beginning or end."""
    for part in parts:
        if isinstance(part, Alternative):
            yield from _flat(part.parts)
        elif isinstance(part, Sequence) and isinstance(part.parts[-1], Alternative):
            for last in _flat(part.parts[-1].parts):
                yield Sequence((*part.parts[:-1], last))
        else:
            yield part


def _inner(group: Group, known: frozenset[str], around: frozenset[str]) -> list[tuple[Element, ...]]:
    return [
        world if _level(world, around) else (Group(world),) for world in _worlds(group.elements, known, around)
    ]  # fmt: skip


def _level(elements: Collection[Element], around: frozenset[str]) -> bool:
    """Say whether the braces around elements can be left out; ``around`` are the variables used outside of them."""
    sure = certain(Group(tuple(elements)))
    seen: frozenset[str] = frozenset()
    for one in elements:
        match one:
            case Filter() | Exists():
                if not mentioned(one) & around <= sure:
                    return False
            case Optional():
                if not mentioned(one) & around <= seen:
                    return False
            case Bind(expression, name):
                if name in around or not mentioned(Filter(expression)) & around <= seen:
                    return False
            case _:
                pass
        seen |= certain(one)
    return True
