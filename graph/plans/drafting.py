"""State a plan as records: events with what they end, successions, names, codes, placements and responsibilities.

What the register refuses to believe is refused here, with the line of the plan: an event on a body that is not there,
a merger into itself, a territory that two take or nobody, a body that another recorded event ends on the same day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyoxigraph as ox

from graph.errors import Malformed, Place
from graph.plans.changing import Change
from graph.plans.reading import Document
from graph.plans.saying import Saying, key_of, literals
from graph.plans.territory import check_territory
from graph.store import Reader
from graph.terms import BASE, DCT, RDF, SKOS, D, Level, Role

CHANGE: Final = BASE + "change/"

_KINDS: Final = {
    "merger": "merger", "absorption": "absorption", "split": "split", "split-off": "split-off", "rename": "rename",
    "new-level": "change-of-level", "recode": "change-of-code", "abolition": "abolition",
    "re-establishment": "re-establishment", "transfer": "transfer-of-field",
}  # fmt: skip
_HANDING: Final = {"devolution": D.devolution, "delegation": D.delegation, "mandate": D.mandate}


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold a plan as statements of its own source, and what ends by it, thing → first day without it.

    ``named`` are the bodies and areas of before and after that the plan speaks of; ``days`` those on which it does
    something, in order.
    """

    source: str
    slug: str
    title: Mapping[str, str]
    confidence: str
    days: tuple[date, ...]
    facts: tuple[tuple[str, str, ox.NamedNode | ox.Literal], ...]
    ends: Mapping[str, date]
    named: frozenset[str]

    @property
    def effective(self) -> date:
        return self.days[0]

    def lines(self) -> bytes:
        """Return the statements as N-Triples of the source."""
        return "".join(f"<{subject}> <{predicate}> {value} .\n" for subject, predicate, value in self.facts).encode()

    def quads(self) -> Iterator[ox.Quad]:
        """Yield the statements in the graph of the source."""
        graph = ox.NamedNode(self.source)
        for subject, predicate, value in self.facts:
            yield ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), value, graph)


def draft(document: Document, reader: Reader) -> Draft:
    """State the plan as records.

    Raises ``Malformed`` with the line for what cannot be on this register, and where the plan is applied already.
    """
    return _Drafting(document, reader).run()


def is_applied(reader: Reader, source: str) -> bool:
    """Say whether a plan speaks in the register now."""
    rows = reader.query(f"SELECT ?event {{ GRAPH <{source}> {{ ?event a ?kind }} }} LIMIT 1")
    return next(iter(rows), None) is not None  # type: ignore[arg-type]


class _Drafting(Saying):
    """Draft one plan."""

    def run(self) -> Draft:
        if is_applied(self.reader, self.source):
            raise Malformed(
                f"The plan {self.data['plan']} is applied already",
                remedy="Undo it first (diaba plan undo), or give this one another name.", place=self.place("plan"),
            )  # fmt: skip
        self.introduce()
        basis = self.acts(self.data["basis"], ("basis",), self.effective)
        for number, change in enumerate(self.data.get("changes", ())):
            self.change(number, change, basis)
        self.make_new()
        for number, duty in enumerate(self.data.get("responsibilities", ())):
            self.duty(number, duty, basis)
        for number, decision in enumerate(self.data.get("decisions", ())):
            self.decide(number, decision, basis)
        if not self.facts:
            raise Malformed(
                "The plan changes nothing", remedy="Add changes, responsibilities or decisions.",
                place=self.document.place(),
            )  # fmt: skip
        check_territory(self)
        title = self.data["title"]
        return Draft(
            self.source, self.data["plan"], title if isinstance(title, dict) else {"vi": title},
            BASE + "confidence/" + self.data.get("confidence", "V2"), tuple(sorted(self.days)),
            tuple(dict.fromkeys(self.facts)), dict(sorted(self.ends.items())), frozenset(self.named),
        )  # fmt: skip

    # --- acts ---------------------------------------------------------------------------------------------------------

    def acts(self, entries: Sequence[Mapping[str, Any]], path: Sequence[str | int], day: date) -> list[str]:
        return [self.act(entry, (*path, number), day) for number, entry in enumerate(entries)]

    def act(self, entry: Mapping[str, Any], path: Sequence[str | int], day: date) -> str:
        """Return the IRI of an act: one that the register has, or one described here."""
        if "iri" in entry:
            return self.one(entry["iri"], self.place(*path, "iri"), "act")
        number = entry["number"]
        known = self.names.known(number, "act")
        if known:
            return known
        iri = f"{self.source}/act/{_slug(number)}"
        in_force = date.fromisoformat(entry["in-force"]) if "in-force" in entry else day
        self.say(iri, RDF.type, D.LegalInstrument)
        self.say(iri, DCT.identifier, ox.Literal(number))
        self.say(iri, SKOS.prefLabel, *literals(entry.get("title", number)))
        self.say(iri, D.from_, in_force)
        for key, term in (("issued", D.issuedOn), ("gazetted", D.gazettedOn)):
            if key in entry:
                self.say(iri, term, date.fromisoformat(entry[key]))
        if "type" in entry:
            self.say(iri, D.instrumentType, self.one(entry["type"], self.place(*path, "type"), "concept"))
        if "issuer" in entry:
            self.say(iri, D.issuer, self.one(entry["issuer"], self.place(*path, "issuer"), "body"))
        return iri

    # --- what comes to be ---------------------------------------------------------------------------------------------

    def introduce(self) -> None:
        new = self.data.get("new", {})
        for part, kind in (("bodies", D.Agency), ("areas", D.Area)):
            for key, thing in new.get(part, {}).items():
                place = self.place("new", part, key)
                if key in self.names.new:
                    raise Malformed(f"The key “{key}” names two things", remedy="Give each its own.", place=place)
                self.names.introduce(key, thing.get("iri", f"{self.source}/{part}/{key}"), kind, place)

    def make_new(self) -> None:
        """State the new bodies and areas, each from the day of the change that makes it."""
        new = self.data.get("new", {})
        for key, thing in new.get("areas", {}).items():
            path = ("new", "areas", key)
            iri, day = self.names.new[key], self.begun.get(self.names.new[key], self.effective)
            self.say(iri, RDF.type, D.Area)
            self.say(iri, D.level, Level.NS + thing["level"])
            self.thing(iri, day, thing, path, "area")
        for key, thing in new.get("bodies", {}).items():
            path = ("new", "bodies", key)
            iri, day = self.names.new[key], self.begun.get(self.names.new[key], self.effective)
            self.say(iri, RDF.type, D.Agency)
            self.say(iri, D.bodyKind, self.one(thing["kind"], self.place(*path, "kind"), "concept"))
            areas = self.many(thing, "jurisdiction", path, "area")
            areas = areas or sorted(set(self.jurisdictions.get(iri, ())))
            self.say(iri, D.jurisdiction, *areas)
            self.thing(iri, day, thing, path, "body")

    def thing(self, iri: str, day: date, thing: Mapping[str, Any], path: Sequence[str | int], sort: str) -> None:
        self.named.add(iri)
        self.days.add(day)
        self.say(iri, D.from_, day)
        self.say(iri, SKOS.prefLabel, *literals(thing["name"]))
        self.name(iri, day, thing["name"])
        if "under" in thing:
            above = self.one(thing["under"], self.place(*path, "under"), sort)
            self.put_under(iri, above, day)
        for number, code in enumerate(thing.get("codes", ())):
            scheme = self.one(code["scheme"], self.place(*path, "codes", number, "scheme"), "scheme")
            self.code(iri, scheme, code["code"], day)

    # --- changes ------------------------------------------------------------------------------------------------------

    def change(self, number: int, entry: Mapping[str, Any], basis: list[str]) -> None:
        kind = next(key for key in entry if key not in ("effective", "basis"))
        said, path = entry[kind], ("changes", number, kind)
        day = date.fromisoformat(entry["effective"]) if "effective" in entry else self.effective
        self.days.add(day)
        event = self.record(f"{self.source}/event/{number + 1}", D.ChangeEvent)
        self.say(event, D.effectiveOn, day)
        acts = self.acts(entry["basis"], ("changes", number, "basis"), day) if "basis" in entry else basis
        self.say(event, D.basis, *acts)
        of = self.predecessors(said, path, day)
        for one in of:
            self.check_clash(one, day, self.place(*path))
        if kind == "move":
            territory = D.Area in self.names.types[of[0]]
            self.say(event, D.changeKind, CHANGE + ("change-of-territory" if territory else "change-of-parent"))
        else:
            self.say(event, D.changeKind, CHANGE + _KINDS[kind])
        Change(self, event, day, path, said).make(kind, of)

    def predecessors(self, said: Mapping[str, Any], path: Sequence[str | int], day: date) -> list[str]:
        key = "of" if "of" in said else "from"
        words = said[key] if isinstance(said[key], list) else [said[key]]
        found = []
        for number, word in enumerate(words):
            place = self.place(*path, key, number) if isinstance(said[key], list) else self.place(*path, key)
            if path[-1] == "re-establishment" and key == "of":
                continue
            found.append(self.alive(word, place, day))
        return found or [self.alive(said["from"], self.place(*path, "from"), day)]

    # --- responsibilities ---------------------------------------------------------------------------------------------

    def duty(self, number: int, entry: Mapping[str, Any], basis: list[str]) -> None:
        kind = next(key for key in entry if key not in ("effective", "basis"))
        said, path = entry[kind], ("responsibilities", number, kind)
        day = date.fromisoformat(entry["effective"]) if "effective" in entry else self.effective
        self.days.add(day)
        acts = self.acts(entry["basis"], ("responsibilities", number, "basis"), day) if "basis" in entry else basis
        if kind == "end":
            record = self.one(said["of"], self.place(*path, "of"), "responsibility")
            event = self.record(f"{self.source}/ending/{number + 1}", D.ChangeEvent)
            self.say(event, D.changeKind, CHANGE + "abolition")
            self.say(event, D.effectiveOn, day)
            self.say(event, D.basis, *acts)
            self.end_record(event, record, day)
            return
        made = self.responsibility(f"{self.source}/responsibility/{number + 1}", said, path, day, acts)
        if kind == "grant":
            return
        transfer = self.record(f"{self.source}/transfer/{number + 1}", D.Transfer)
        self.say(transfer, D.transferKind, _HANDING[kind])
        self.say(transfer, D.creates, made)
        self.say(transfer, D.grantedOn, day)
        self.say(transfer, D.from_, day)
        self.say(transfer, D.basis, *acts)
        if "until" in said:
            self.say(transfer, D.until, date.fromisoformat(said["until"]))
        giver = self.one(said["from"], self.place(*path, "from"), "responsibility", "body")
        if self.names.types[giver] & {D.Responsibility, D.ResourceResponsibility}:
            self.say(transfer, D.takesFrom, giver)
            holders = [holder.value for _, _, holder, _ in self.reader.outgoing([giver], (D.holder,))]
            if len(holders) != 1:
                raise Malformed(
                    f"{giver} has {len(holders) or 'no'} holders, so who gives is not clear",
                    remedy="Take from a responsibility of one holder.", place=self.place(*path, "from"),
                )  # fmt: skip
            self.say(transfer, D.transferor, holders[0])
        elif kind == "devolution":
            self.say(transfer, D.transferor, giver)
        else:
            raise Malformed(
                f"A {kind} takes from a recorded responsibility", remedy="Name the responsibility by its IRI.",
                place=self.place(*path, "from"),
            )  # fmt: skip

    def responsibility(
        self, iri: str, said: Mapping[str, Any], path: Sequence[str | int], day: date, acts: Iterable[str]
    ) -> str:
        self.record(iri, D.Responsibility)
        role = "executes" if path[-1] == "mandate" and "role" not in said else said.get("role", "accountable")
        self.say(iri, D.role, self.role(role, self.place(*path, "role")))
        if "kind" in said:
            self.say(iri, D.holderKind, self.one(said["kind"], self.place(*path, "kind"), "concept"))
        else:
            self.say(iri, D.holder, *self.many(said, "to", path, "body"))
        if "lead" in said:
            self.say(iri, D.lead, self.one(said["lead"], self.place(*path, "lead"), "body"))
        reach = 0
        for key, term, sort in (
            ("data", D.covers, "data"), ("members-of", D.coversMembersOf, "data"), ("fields", D.field, "concept"),
            ("areas", D.area, "area"),
        ):  # fmt: skip
            found = self.many(said, key, path, sort)
            self.say(iri, term, *found)
            reach += len(found)
        parent = said.get("from", "")
        if not reach and parent:  # what is handed on whole reaches as far as what it is taken from
            reaching = (D.covers, D.coversMembersOf, D.field, D.area, D.excludes)
            for _, predicate, value, _ in self.reader.outgoing([parent], reaching):
                self.say(iri, predicate.value, value.value)
        self.say(iri, D.from_, day)
        if "until" in said:
            self.say(iri, D.until, date.fromisoformat(said["until"]))
        if "condition" in said:
            self.say(iri, D.condition, ox.Literal(said["condition"]))
        self.say(iri, D.basis, *acts)
        return iri

    def role(self, word: str, place: Place) -> str:
        iri = word if word.startswith(Role.NS) else Role.NS + word
        if iri not in Role.ALL:
            roles = ", ".join(sorted(role.removeprefix(Role.NS) for role in Role.ALL))
            raise Malformed(f"There is no role “{word}”", remedy=f"Use one of {roles}.", place=place)
        return iri

    def decide(self, number: int, entry: Mapping[str, Any], basis: list[str]) -> None:
        """State who has what the register could not decide: a record of its own from the day of the decision."""
        path = ("decisions", number)
        day = date.fromisoformat(entry["effective"]) if "effective" in entry else self.effective
        self.days.add(day)
        acts = self.acts(entry["basis"], (*path, "basis"), day) if "basis" in entry else basis
        said = {"role": entry.get("role", "accountable"), "to": entry["to"], "data": [entry["data"]]}
        iri = f"{self.source}/decision/{number + 1}"
        self.responsibility(iri, said, path, day, acts)


def _slug(text: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in kept.split("-") if part) + "-" + key_of(text)[:6]

