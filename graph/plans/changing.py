"""Make one change of a plan out of its words: what it ends, and who takes over what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from graph.errors import Malformed, Place
from graph.plans.saying import BODIES_AND_AREAS, Saying
from graph.terms import D


class Change:
    """Make one change out of its words: what it ends, and who takes over what."""

    def __init__(self, plan: Saying, event: str, day: date, path: Sequence[str | int], said: Any) -> None:
        self.plan = plan
        self.event = event
        self.day = day
        self.path = path
        self.said: Mapping[str, Any] = said
        self.successions = 0

    def make(self, kind: str, of: list[str]) -> None:
        plan, said = self.plan, self.said
        match kind:
            case "merger" | "absorption" | "new-level":
                heir = self.heir(said["into"], self.place("into"), new=kind != "absorption")
                if heir in of:
                    raise Malformed(
                        f"“{plan.told(heir)}” would {'merge into' if kind == 'merger' else 'take over'} itself",
                        remedy="Name a new body, or use absorption into a living one.", place=self.place("into"),
                    )  # fmt: skip
                for number, one in enumerate(of):
                    self.end(one, self.place("of", number))
                    self.succeed(one, heir)
            case "split" | "split-off":
                if kind == "split":
                    self.end(of[0], self.place("of"))
                for number, share in enumerate(said["into"]):
                    self.share(of[0], share, ("into", number))
            case "abolition":
                self.end(of[0], self.place("of"))
                for number, share in enumerate(said.get("to", ())):
                    self.share(of[0], share, ("to", number))
                if said.get("nobody"):
                    self.succeed(of[0], D.nobody)
            case "rename":
                for record in plan.open_records(of[0], D.nameOf, self.day):
                    plan.end_record(self.event, record, self.day)
                plan.name(of[0], self.day, said["name"])
            case "move":
                above = plan.alive(said["under"], self.place("under"), self.day + timedelta(days=1))
                if of[0] in plan.moved:
                    raise Malformed(
                        f"“{plan.told(of[0])}” is moved twice", remedy="Put it under one.", place=self.place("of")
                    )
                if above == of[0]:
                    raise Malformed(
                        f"“{plan.told(above)}” would lie in itself", remedy="Name another.", place=self.place("under")
                    )
                plan.moved[of[0]] = self.place("of")
                for record in plan.open_records(of[0], D.placed, self.day):
                    plan.end_record(self.event, record, self.day)
                plan.put_under(of[0], above, self.day)
            case "recode":
                scheme = plan.one(said["scheme"], self.place("scheme"), "scheme")
                for record in plan.open_records(of[0], D.codeOf, self.day, scheme):
                    plan.end_record(self.event, record, self.day)
                plan.code(of[0], scheme, said["code"], self.day)
            case "re-establishment":
                heir = self.heir(said["into"], self.place("into"), new=True)
                self.share(of[0], {**said, "to": said["into"]}, (), heir)
            case "transfer":
                heir = plan.alive(said["to"], self.place("to"), self.day + timedelta(days=1))
                if heir in of:
                    raise Malformed(
                        f"“{plan.told(heir)}” would give to itself", remedy="Name another.", place=self.place("to")
                    )
                self.share(of[0], said, (), heir)

    def place(self, *path: str | int) -> Place:
        return self.plan.place(*self.path, *path)

    def end(self, iri: str, place: Place) -> None:
        self.plan.end(self.event, iri, self.day, place)

    def heir(self, word: str, place: Place, *, new: bool) -> str:
        """Return who takes over: something the plan makes, which begins now, or something that goes on."""
        plan = self.plan
        iri = plan.one(word, place, *BODIES_AND_AREAS)
        plan.named.add(iri)
        if iri in plan.names.new.values():
            plan.begun.setdefault(iri, self.day)
        elif new:
            raise Malformed(
                f"“{plan.told(iri)}” exists already, and this makes a new body",
                remedy="Make the new one under new, or use absorption.", place=place,
            )  # fmt: skip
        else:
            plan.alive(word, place, self.day + timedelta(days=1))
        return iri

    def share(
        self, of: str, share: Mapping[str, Any], path: Sequence[str | int], heir: str | None = None
    ) -> None:
        plan = self.plan
        if heir is None:
            place = self.place(*path, "to")
            iri = plan.one(share["to"], place, *BODIES_AND_AREAS)
            heir = self.heir(share["to"], place, new=False) if iri not in plan.names.new.values() else iri
            plan.named.add(heir)
            if iri in plan.names.new.values():
                plan.begun.setdefault(iri, self.day)
        if heir == of:
            raise Malformed(
                f"“{plan.told(of)}” would take over from itself", remedy="Name another.", place=self.place(*path, "to")
            )
        fields = plan.many(share, "fields", (*self.path, *path), "concept")
        areas = plan.many(share, "areas", (*self.path, *path), "area")
        self.succeed(of, heir, fields, areas)

    def succeed(self, of: str, heir: str, fields: Sequence[str] = (), areas: Sequence[str] = ()) -> None:
        plan = self.plan
        one_sort = (D.Area in plan.types(of)) == (heir != D.nobody and D.Area in plan.types(heir))
        if heir != D.nobody and not one_sort:
            raise Malformed(
                f"“{plan.told(of)}” and “{plan.told(heir)}” are not of one sort",
                remedy="A body succeeds a body, an area an area.", place=self.place(),
            )  # fmt: skip
        self.successions += 1
        number = self.event.rsplit("/", 1)[1]
        succession = plan.record(f"{plan.source}/succession/{number}-{self.successions}", D.Succession)
        plan.say(succession, D.event, self.event)
        plan.say(succession, D.predecessor, of)
        plan.say(succession, D.successor, heir)
        plan.say(succession, D.field, *fields)
        plan.say(succession, D.area, *areas)
        if heir != D.nobody and heir in plan.names.new.values() and D.Area not in plan.types(of):
            taken = [area.value for _, _, area, _ in plan.reader.outgoing([of], (D.jurisdiction,))]
            plan.jurisdictions.setdefault(heir, []).extend(taken)


