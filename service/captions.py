"""Name anything on screen: by its label of the day or, for a record that has none, by what it joins.

A record is nobody's to name, and its IRI tells a reader nothing: a responsibility is shown as who, in which role, for
what; a transfer, a flow or a succession as from whom to whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pyoxigraph as ox

from graph.labels import labels, tail
from graph.store import Reader
from graph.terms import RDF, SKOS, D, Role
from service.wording import Wording

_RECORDS = {
    D.Responsibility: (D.holder, D.holderKind, D.role, D.covers, D.coversMembersOf, D.field, D.area),
    D.Transfer: (D.transferKind, D.transferor, D.creates),
    D.Mandate: (D.transferKind, D.transferor, D.creates),
    D.Flow: (D.flowFrom, D.flowTo),
    D.Succession: (D.predecessor, D.successor),
    D.Placement: (D.placed, D.under),
    D.Code: (D.codeOf, SKOS.notation),
    D.Name: (D.nameOf,),
}
_READ = tuple(dict.fromkeys((RDF.type, *(predicate for several in _RECORDS.values() for predicate in several))))
_MOST = 3
#: how messages name a thing, and a day
_NAMED = re.compile(r"<([a-z][a-z0-9+.-]*:[^<>\s]+)>", re.I)
_DAY = re.compile(r"(?<![\d-])(\d{4}-\d{2}-\d{2})(?![\d-])")

Said = dict[str, dict[str, list[str]]]


def captions(
    reader: Reader, nodes: Iterable[str], day: date | None, languages: Sequence[str], say: Wording
) -> dict[str, str]:
    """Return what to call each node."""
    wanted = sorted(set(nodes))
    named = labels(reader, wanted, day, languages)
    bare = [node for node in wanted if named[node] == tail(node)]
    said = _said(reader, bare)
    made = {value for facts in said.values() for value in facts.get(D.creates, ())}
    created = _said(reader, made)
    inside = {
        value
        for facts in (*said.values(), *created.values())
        for predicate, values in facts.items()
        if predicate not in (RDF.type, SKOS.notation)
        for value in values
    }
    names = labels(reader, inside, day, languages)
    for node in bare:
        caption = _caption(said[node], created, names, say)
        if caption:
            named[node] = caption
    return named


def _said(reader: Reader, nodes: Iterable[str]) -> Said:
    found: Said = {node: {} for node in nodes}
    for subject, predicate, value, _ in reader.outgoing(sorted(found), _READ):
        if isinstance(value, ox.NamedNode | ox.Literal):
            values = found[subject.value].setdefault(predicate.value, [])
            if value.value not in values:
                values.append(value.value)
    return found


def _caption(facts: Mapping[str, Sequence[str]], created: Said, names: Mapping[str, str], say: Wording) -> str:
    def of(*predicates: str) -> str:
        values = sorted(value for predicate in predicates for value in facts.get(predicate, ()))
        shown = ", ".join(names.get(value, value) for value in values[:_MOST])
        return shown + (", …" if len(values) > _MOST else "")

    kinds = set(facts.get(RDF.type, ()))
    if D.Responsibility in kinds:
        roles = [say.coded("role", tail(role)) for role in facts.get(D.role, ()) if role.startswith(Role.NS)]
        return _joined(" · ", of(D.holder, D.holderKind), ", ".join(roles).lower(),
                       of(D.covers, D.coversMembersOf) or of(D.field, D.area))  # fmt: skip
    if kinds & {D.Transfer, D.Mandate}:
        kind = next(iter(facts.get(D.transferKind, ())), "")
        made = [created[value] for value in facts.get(D.creates, ()) if value in created]
        takers = sorted({names[holder] for one in made for holder in one.get(D.holder, ()) if holder in names})
        way = _joined(" → ", of(D.transferor), ", ".join(takers[:_MOST]))
        return _joined(": ", say.coded("transfer", tail(kind)) if kind else say("transfer.transfer"), way)
    if D.Flow in kinds:
        return _joined(" → ", of(D.flowFrom), of(D.flowTo))
    if D.Succession in kinds:
        return _joined(" → ", of(D.predecessor), of(D.successor))
    if D.Placement in kinds:
        return _joined(" · ", of(D.placed), of(D.under))
    if D.Code in kinds:
        return _joined(" · ", ", ".join(facts.get(SKOS.notation, ())), of(D.codeOf))
    return of(D.nameOf) if D.Name in kinds else ""


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def mentioned(text: str) -> list[str]:
    """Return the IRIs that a message names."""
    return _NAMED.findall(text)


def spoken(text: str, names: Mapping[str, str], say: Wording) -> str:
    """Return a message with things called by their names and days written as the language writes them."""
    named = _NAMED.sub(lambda found: f"“{names[found[1]]}”" if found[1] in names else found[1], text)
    return _DAY.sub(lambda found: _written(found[1], say), named)


def _written(text: str, say: Wording) -> str:
    try:
        return say.day(date.fromisoformat(text))
    except ValueError:
        return text
