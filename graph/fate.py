"""Say what became of a body, post or area by a day, and where it came from: since when, by which act, who has what now.

Unlike an answer about data, this has no field and no area to choose heirs by: all are told, each with its part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from graph.evidence import Gathering
from graph.model import Interval, Succession
from graph.store import Edges
from graph.terms import Confidence, D


@dataclass(frozen=True, slots=True)
class Share:
    """Say who has a part of what a body had, on the day asked, and by which successions, in order.

    ``fields`` and ``areas`` are the conditions met on the way; a share without any is of all that no other has.
    ``holder`` is ``d:nobody`` where that is stated, ``None`` where the last one on the way ended without a known heir.
    """

    holder: str | None
    fields: tuple[str, ...]
    areas: tuple[str, ...]
    steps: tuple[Succession, ...]

    @property
    def verified(self) -> bool:
        return all(step.verified and step.event.verified for step in self.steps)

    @property
    def confidence(self) -> str:
        """Return the weakest mark on the way."""
        return max((step.confidence for step in self.steps), key=Confidence.weakness)


@dataclass(frozen=True, slots=True)
class Fate:
    """Tell when a body, post or area is there, what ended it, who has what of it, and what it came from.

    ``basis`` are the acts of the events on its last day, which ``events`` names; ``given`` are shares that it gave away
    while it went on. ``needs_decision`` says that it ended and nobody verified who has all of it.
    """

    iri: str
    day: date
    span: Interval
    events: tuple[str, ...]
    basis: tuple[str, ...]
    shares: tuple[Share, ...]
    given: tuple[Share, ...]
    origins: tuple[Succession, ...]

    @property
    def ended(self) -> bool:
        return self.span.ended_by(self.day)

    @property
    def holders(self) -> frozenset[str]:
        """Return everybody who has a verified share of it on the day; itself while it is there."""
        if not self.ended:
            return frozenset((self.iri,))
        return frozenset(share.holder for share in self.shares if share.holder is not None and share.verified)

    @property
    def needs_decision(self) -> bool:
        """Say whether it ended and what nobody else has by a condition has no one heir, or several."""
        if not self.ended:
            return False
        rest = {share.holder for share in self.shares if share.verified and not share.fields and not share.areas}
        return len(rest) != 1 or None in rest


def fate(reader: Edges, iri: str, day: date) -> Fate:
    """Return what became of a body, post or area by ``day``."""
    gathering = Gathering(reader)
    walk = _Walk(gathering, day)
    span = walk.span(iri)
    last = span.end if span.ended_by(day) else None
    leaving = [step for step in gathering.successions(iri) if step.event.day is not None and step.event.day <= day]
    closing = [step for step in leaving if last is not None and step.event.day == last]
    if last is not None and not closing:  # an heir recorded for another day than the last one is one all the same
        closing = leaving
    parting = [step for step in leaving if step not in closing]
    events = sorted({step.event.iri for step in closing} | set(gathering.ending_events([iri]).get(iri, ())))
    return Fate(
        iri, day, span, tuple(events), tuple(sorted(gathering.basis_of(events))),
        tuple(share for step in closing for share in walk.shares(step)),
        tuple(share for step in parting for share in walk.shares(step)),
        tuple(sorted(gathering.origins(iri), key=lambda step: (step.event.day or date.min, step.iri))),
    )  # fmt: skip


class _Walk:
    """Follow successions to whoever is there on the day."""

    def __init__(self, gathering: Gathering, day: date) -> None:
        self.gathering = gathering
        self.day = day

    def span(self, iri: str) -> Interval:
        """Return when something is there; a post only while its body is."""
        return self.gathering.span_of(iri)

    def shares(self, first: Succession) -> Iterable[Share]:
        """Yield the shares that one succession leads to; days strictly grow, so it ends."""
        waiting: list[tuple[Succession, ...]] = [(first,)]
        while waiting:
            steps = waiting.pop()
            heir, since = steps[-1].successor, steps[-1].event.day
            assert since is not None
            if heir == D.nobody:
                yield _share(heir, steps)
                continue
            ended, way = self.span(heir).ended_by(self.day), {step.predecessor for step in steps}
            onward = [
                step for step in self.gathering.successions(heir)
                if step.event.day is not None and since < step.event.day <= self.day and step.verified
                if ended or not way.isdisjoint(step.areas)  # what goes on gave back only what it had taken in
            ]  # fmt: skip
            if not onward:
                yield _share(None if ended else heir, steps)
            waiting += [(*steps, step) for step in sorted(onward, key=lambda step: step.iri, reverse=True)]


def _share(holder: str | None, steps: tuple[Succession, ...]) -> Share:
    fields = sorted({field for step in steps for field in step.fields})
    areas = sorted({area for step in steps for area in step.areas})
    return Share(holder, tuple(fields), tuple(areas), steps)

