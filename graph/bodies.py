"""List the bodies there are on a day: those of a level, or of some kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from graph.evidence import Gathering
from graph.labels import labels
from graph.model import Interval
from graph.store import Edges, Reader
from graph.terms import SKOS, D

_TRUE = frozenset(("true", "1"))


@dataclass(frozen=True, slots=True)
class Body:
    """Describe a body on a day: what it is called then, its kind, what it has jurisdiction over, when it exists."""

    iri: str
    label: str
    kind: str
    jurisdiction: tuple[str, ...]
    span: Interval


def kinds_of_level(reader: Edges, level: str) -> list[str]:
    """Return the kinds whose bodies a list of the level shows (IRIs), sorted."""
    kinds = sorted({subject.value for subject, _, _, _ in reader.incoming([level], (D.level,))})
    said = reader.outgoing(kinds, (D.principal,))
    return sorted({subject.value for subject, _, value, _ in said if value.value in _TRUE})


def kinds_under(reader: Edges, kinds: Iterable[str]) -> list[str]:
    """Return the kinds and every narrower one, sorted."""
    found = set(kinds)
    frontier = sorted(found)
    while frontier:
        narrower = {subject.value for subject, _, _, _ in reader.incoming(frontier, (SKOS.broader,))} - found
        found |= narrower
        frontier = sorted(narrower)
    return sorted(found)


def bodies(reader: Reader, kinds: Iterable[str], day: date, languages: Sequence[str] = ("vi", "en")) -> list[Body]:
    """Return the bodies of these kinds that exist on a day, by name.

    When a body exists is what its keeper says of it, as in every answer.
    """
    of_kind: dict[str, str] = {}
    for subject, _, kind, _ in reader.incoming(sorted(kinds), (D.bodyKind,)):
        of_kind.setdefault(subject.value, kind.value)
    spans = Gathering(reader).existence(of_kind)
    there = [iri for iri in of_kind if spans[iri].contains(day)]
    names = labels(reader, there, day, languages)
    jurisdictions: dict[str, set[str]] = {}
    for subject, _, area, _ in reader.outgoing(sorted(there), (D.jurisdiction,)):
        jurisdictions.setdefault(subject.value, set()).add(area.value)
    found = [
        Body(iri, names[iri], of_kind[iri], tuple(sorted(jurisdictions.get(iri, ()))), spans[iri]) for iri in there
    ]
    return sorted(found, key=lambda body: (body.kind, body.label, body.iri))
