"""Refuse a plan that leaves an area without its body or with two, or parts of an area that ended nowhere."""

from __future__ import annotations

from graph.errors import Malformed, Place
from graph.plans.saying import Saying
from graph.store import Reader
from graph.terms import D, Level


def check_territory(plan: Saying) -> None:
    """Raise ``Malformed`` where an area that had a body of its level gets none or two, or parts of it go nowhere."""
    for area, place in sorted(plan.ended_at.items()):
        if D.Area in plan.names.types[area]:
            _check_parts(plan, area, place)
    principal = _Principal(plan.reader)
    new = {plan.names.new[key]: place for key, place in plan.new_places("bodies")}
    after: dict[tuple[str, str], list[str]] = {}
    for body, said, value in plan.facts:
        if said == D.jurisdiction and body in new:
            for kind in plan.kinds_said(body) & principal.kinds:
                after.setdefault((value.value, principal.levels[kind]), []).append(body)
    for (seat, level), bodies in sorted(after.items()):
        living = [
            body for body in principal.bodies(seat, level)
            if body not in plan.ends and plan.names.span(body).contains(plan.begun.get(bodies[0], plan.effective))
        ]  # fmt: skip
        if len(bodies) + len(living) > 1:
            both = ", ".join(plan.told(body) for body in (*living, *bodies))
            raise Malformed(
                f"“{plan.told(seat)}” would have more than one body of its level: {both}",
                remedy="End one of them, or part the area.", place=new[bodies[-1]],
            )  # fmt: skip
    for body, place in sorted(plan.ended_at.items()):
        for seat, level in principal.seats(body):
            if seat in plan.ends or (seat, level) in after:
                continue
            if not any(other not in plan.ends for other in principal.bodies(seat, level) if plan.there(other)):
                raise Malformed(
                    f"“{plan.told(seat)}” would have no body of its level once “{plan.told(body)}” ends",
                    remedy="Let the area end too, or give it another body.", place=place,
                )  # fmt: skip


def _check_parts(plan: Saying, area: str, place: Place) -> None:
    """Refuse to end an area while areas under it stay there."""
    day = plan.ends[area]
    placements = sorted({subject.value for subject, _, _, _ in plan.reader.incoming([area], (D.under,))})
    parts = {
        value.value: subject.value for subject, _, value, _ in plan.reader.outgoing(placements, (D.placed,))
    }
    for part, placement in sorted(parts.items()):
        loose = part not in plan.ends and placement not in plan.ends
        if loose and D.Area in plan.types(part) and plan.names.span(part).contains(day):
            lasts = [p for p in plan.gathering.area(part).placements if p.under == area and p.span.contains(day)]
            if lasts:
                raise Malformed(
                    f"“{plan.told(part)}” lies in “{plan.told(area)}”, which ends, and goes nowhere",
                    remedy="Move it under another area, or end it too.", place=place,
                )  # fmt: skip


class _Principal:
    """Know which bodies stand for an area at its level."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        rows = reader.query(
            f"SELECT ?kind ?level {{ ?kind <{D.principal}> ?yes ; <{D.level}> ?level FILTER(?yes) "
            f"FILTER(?level != <{Level.central}>) }}"
        )
        self.levels: dict[str, str] = {row["kind"].value: row["level"].value for row in rows}  # type: ignore[union-attr]
        self.kinds = frozenset(self.levels)

    def bodies(self, area: str, level: str) -> list[str]:
        """Return the bodies of the area's level with jurisdiction over it, whenever they existed."""
        bodies = sorted({subject.value for subject, _, _, _ in self.reader.incoming([area], (D.jurisdiction,))})
        kinds = self.reader.outgoing(bodies, (D.bodyKind,))
        return sorted({body.value for body, _, kind, _ in kinds if self.levels.get(kind.value) == level})

    def seats(self, body: str) -> list[tuple[str, str]]:
        """Return the areas that a body stands for, each with the level; nothing for other bodies."""
        levels, areas = set(), set()
        for _, predicate, value, _ in self.reader.outgoing([body], (D.bodyKind, D.jurisdiction)):
            if predicate.value == D.jurisdiction:
                areas.add(value.value)
            elif value.value in self.levels:
                levels.add(self.levels[value.value])
        return [(area, level) for area in sorted(areas) for level in sorted(levels)]


