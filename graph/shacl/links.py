"""Find the way back from what a SPARQL body reads to the nodes it judges.

The patterns of a body are a graph whose nodes are its variables. From the subject of each pattern the cheapest way
along patterns that hold together with it leads to ``$this``; constants are never passed, since every node may lie
behind one.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count, product
from typing import Final, cast

import pyoxigraph as ox

from graph.shacl.paths import Inverse, Predicate, Step, back, edges
from graph.shacl.query import Bind, Exists, Filter, Graph, Group, Optional, Pattern, Select, Union
from graph.shacl.shapes import Term, Trigger

_Way = tuple[Step, ...]
_THIS: Final = "?this"
#: ways of choosing branches, and ways to go, beyond which any change counts
_MOST: Final = 64
#: going against a statement may lead to many nodes, along it seldom
_COSTS: Final = {False: 2, True: 3}


class _Unsaid(Exception):
    """Steps cannot say it."""


def links_of(where: Group) -> tuple[Trigger, ...] | None:
    """Return what can alter the outcome of a body, ``None`` where that can be any change to any node."""
    try:
        return tuple(dict.fromkeys(_of_group(where, ())))
    except _Unsaid:
        return None


def _of_group(group: Group, around: tuple[Pattern, ...]) -> Iterator[Trigger]:
    """Yield the triggers of a group; ``around`` are the patterns that hold where the group is asked."""
    for patterns, inner in _worlds(group):
        ways = _Ways((*around, *patterns))
        for pattern in patterns:
            yield from _of_pattern(pattern, ways)
        for one in inner:
            yield from _of_group(one, (*around, *patterns))


def _worlds(group: Group) -> list[tuple[tuple[Pattern, ...], tuple[Group, ...]]]:
    """Return every choice of branches of a group: the patterns that hold then, and the groups that may hold beside."""
    choices: list[list[tuple[tuple[Pattern, ...], tuple[Group, ...]]]] = []
    for one in group.elements:
        match one:
            case Pattern():
                choices.append([((one,), ())])
            case Group():
                choices.append(_worlds(one))
            case Graph(_, inner):
                choices.append(_worlds(inner))
            case Select():
                asked = tuple(
                    found
                    for expression in (*(column.expression for column in one.columns),
                                       *(having.expression for having in one.having),
                                       *(key.expression for key in one.keys))
                    if expression is not None
                    for found in expression.groups
                )  # fmt: skip
                choices.append([(patterns, (*inner, *asked)) for patterns, inner in _worlds(one.where)])
            case Union(groups):
                choices.append([world for branch in groups for world in _worlds(branch)])
            case Exists(inner) | Optional(inner):
                choices.append([((), (inner,))])
            case Filter(expression) | Bind(expression):
                choices.append([((), expression.groups)])
    number = 1
    for choice in choices:
        number *= max(1, len(choice))
    if number > _MOST:
        raise _Unsaid
    return [
        (
            tuple(pattern for patterns, _ in world for pattern in patterns),
            tuple(inner for _, groups in world for inner in groups),
        )
        for world in product(*choices)
    ]


def _of_pattern(pattern: Pattern, ways: _Ways) -> Iterator[Trigger]:
    if isinstance(pattern.path, str):
        if pattern.subject not in ways:
            raise _Unsaid
        for way in ways[pattern.subject]:
            yield Trigger(None, term_of(pattern.object), way)
        return
    if isinstance(pattern.path, Predicate):
        if pattern.subject in ways:
            for way in ways[pattern.subject]:
                yield Trigger(pattern.path.iri, term_of(pattern.object), way)
            return
        if pattern.object in ways:
            for way in ways[pattern.object]:
                yield Trigger(pattern.path.iri, None, (Step(pattern.path.iri), *way))
            return
        raise _Unsaid
    for path, end in ((pattern.path, pattern.subject), (Inverse(pattern.path), pattern.object)):
        crossed = edges(path) if end in ways else None
        if crossed is not None:
            for edge in crossed:
                for way in ways[end]:
                    yield Trigger(edge.predicate, None, (*edge.way, *way))
            return
    raise _Unsaid


class _Ways:
    """Know the ways from each variable to ``$this`` along patterns."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        crossings: dict[str, list[tuple[str, tuple[_Way, ...]]]] = defaultdict(list)
        for pattern in patterns:
            if isinstance(pattern.path, str):
                continue
            for start, end, path in (
                (pattern.subject, pattern.object, Inverse(pattern.path)),
                (pattern.object, pattern.subject, pattern.path),
            ):  # fmt: skip
                found = back(path) if start.startswith("?") and end.startswith("?") else None
                if found is not None:
                    crossings[end].append((start, found))
        self._found: dict[str, tuple[_Way, ...]] = {}
        order = count()
        waiting: list[tuple[int, int, str, tuple[_Way, ...]]] = [(0, next(order), _THIS, ((),))]
        while waiting:
            cost, _, variable, ways = heapq.heappop(waiting)
            if variable in self._found:
                continue
            self._found[variable] = ways
            for start, steps in crossings[variable]:
                longer = tuple((*first, *rest) for first in steps for rest in ways)
                if start not in self._found and len(longer) <= _MOST:
                    heapq.heappush(waiting, (cost + _cost(steps), next(order), start, longer))

    def __contains__(self, variable: str) -> bool:
        return variable in self._found

    def __getitem__(self, variable: str) -> tuple[_Way, ...]:
        return self._found[variable]


def _cost(ways: tuple[_Way, ...]) -> int:
    return max(sum(_COSTS[step.inverse] + 2 * step.repeated + 2 * len(step.ways) for step in way) for way in ways)


@lru_cache(maxsize=1024)
def term_of(text: str) -> Term | None:
    """Return the term that stands in a query as a text, as the store keeps it; ``None`` for a variable."""
    if text.startswith("?"):
        return None
    found = _EMPTY.query(f"SELECT ({text} AS ?term) {{}}")
    assert isinstance(found, ox.QuerySolutions)
    return cast(Term, next(found)[0])


_EMPTY: Final = ox.Store()
