"""Take the day out of a SPARQL body: ``?evaluation d:asOf ?asOf`` binds it, and it is never in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

import pyoxigraph as ox

from graph.shacl.paths import Predicate
from graph.shacl.pieces import told, told_select
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
    groups_in,
    mentioned,
)
from graph.shacl.text import Text
from graph.terms import RDF, XSD, D

_DATE: Final = ox.NamedNode(XSD.date)
_AS_OF: Final = Predicate(D.asOf)
_EVALUATION: Final = f"<{D.Evaluation}>"


def day_of(day: date) -> ox.Literal:
    """Return a day as the term that stands for it in a query."""
    return ox.Literal(day.isoformat(), datatype=_DATE)


def without_day(select: Select, text: Text) -> tuple[Select, str]:
    """Return a body without the patterns that bind the day, and the name of its variable, "" where it has none.

    Raises ``ShapeFault`` where the day is bound to several variables, or where it is not seen the same way everywhere.
    """
    patterns = [one for one in _patterns(select.where) if one.path == _AS_OF]
    if not patterns:
        return select, ""
    names = {one.object for one in patterns}
    holders = {one.subject for one in patterns}
    (name, *more) = sorted(names)
    if more or not name.startswith("?") or not all(holder.startswith("?") for holder in holders):
        raise text.fault(
            "The body does not bind the day to one variable", "Write ?evaluation d:asOf ?asOf, and use ?asOf for it."
        )
    everywhere = any(one.path == _AS_OF for one in select.where.elements if isinstance(one, Pattern))
    if not (told_select(select, name[1:]) if everywhere else _kept_inside(select, name[1:])):
        raise text.fault(
            f"The body uses {name} in inner braces where SPARQL does not see it",
            "Write the condition on the day in the outermost braces, or in the braces of an EXISTS or OPTIONAL.",
        )
    bare = replace(select, where=_without(select.where, holders))
    if {holder[1:] for holder in holders} & mentioned(bare):
        raise text.fault(
            "The body uses the node that holds the day for something else",
            "Write ?evaluation d:asOf ?asOf, and use ?asOf only.",
        )
    return bare, name[1:]


def _kept_inside(select: Select, name: str) -> bool:
    """Say whether the day is spoken of only in braces that bind it themselves."""
    stack: list[Element] = [select.where]
    own = replace(select, where=Group(()))
    if name in mentioned(own):
        return False
    while stack:
        one = stack.pop()
        if isinstance(one, Group):
            if any(part.path == _AS_OF for part in one.elements if isinstance(part, Pattern)):
                if not told(one, name):
                    return False
            else:
                stack.extend(part for part in one.elements if name in mentioned(part))
        elif isinstance(one, Exists | Optional | Union | Graph):
            stack.extend(groups_in(one))
        else:
            return False
    return True


def _patterns(element: Element) -> Iterator[Pattern]:
    if isinstance(element, Pattern):
        yield element
    elif isinstance(element, Group):
        for one in element.elements:
            yield from _patterns(one)
    else:
        for group in groups_in(element):
            yield from _patterns(group)


def _without(group: Group, holders: set[str]) -> Group:
    return Group(tuple(_left(one, holders) for one in group.elements if not _of_day(one, holders)))


def _of_day(element: Element, holders: set[str]) -> bool:
    if not isinstance(element, Pattern):
        return False
    typed = element.path == Predicate(RDF.type) and element.object == _EVALUATION and element.subject in holders
    return typed or element.path == _AS_OF


def _left(element: Element, holders: set[str]) -> Element:
    match element:
        case Exists(group, negated):
            return Exists(_without(group, holders), negated)
        case Optional(group):
            return Optional(_without(group, holders))
        case Graph(graph, group):
            return Graph(graph, _without(group, holders))
        case Union(groups):
            return Union(tuple(_without(group, holders) for group in groups))
        case Filter(expression):
            return Filter(_bare(expression, holders))
        case Bind(expression, variable):
            return Bind(_bare(expression, holders), variable)
        case Group():
            return _without(element, holders)
        case Select():
            return replace(element, where=_without(element.where, holders))
        case Pattern():
            return element


def _bare(expression: Expression, holders: set[str]) -> Expression:
    return replace(expression, groups=tuple(_without(group, holders) for group in expression.groups))
