"""Put an answer card into words: one description that the terminal prints and the pages show.

The input is the plain JSON of ``graph.answering``; the output says it in the reader's language, in the order in which
people read it. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from graph.terms import D
from service.wording import Wording

#: notes that the lines themselves already tell
_TOLD = frozenset({"start-not-known", "next-holder"})


@dataclass(frozen=True, slots=True)
class Thing:
    """Name something of the register: its IRI, what people call it, and a remark such as an article."""

    iri: str
    label: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe one way a line is answered: by whom, since when, on what basis, and how it is known."""

    holders: tuple[Thing, ...]
    term: str
    how: str
    remarks: tuple[str, ...]
    steps: tuple[str, ...]
    basis: tuple[Thing, ...]
    conditions: tuple[str, ...]
    confidence: str
    trust: str
    sources: tuple[Thing, ...]
    record: Thing
    support: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Describe one role: its heading, its status in words, the entries, and what they beat or contradict."""

    role: str
    heading: str
    status: str
    state: str
    entries: tuple[Entry, ...]
    contradicted: tuple[Entry, ...] = ()
    beaten: tuple[Entry, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """Describe the whole card; ``claims`` are the unverified ones, by role."""

    resource: Thing
    day: str
    known: str
    foresight: str
    sections: tuple[Section, ...]
    claims: tuple[Section, ...]
    notes: tuple[str, ...]


def describe(card: Mapping[str, Any], say: Wording, zone: tzinfo) -> Description:
    """Put the card (``graph.answering.write``'s JSON) into the words of one language, instants in ``zone``."""
    sections = [_section(role, line, say) for role, line in card["lines"].items()]
    if card["lines"]["accountable"]["status"] in ("held", "shared"):
        sections = _with_executes(sections, say)
    claims: dict[str, list[Entry]] = {}
    for claim in card["claims"]:
        claims.setdefault(claim["role"], []).append(_entry(claim, say))
    known = datetime.fromisoformat(card["known_at"]).astimezone(zone) if card["known_at"] else None
    return Description(
        resource=_thing(card["resource"]),
        day=say.day(card["as_of"]),
        known=say("card.known", instant=say.instant(known)) if known else "",
        foresight=say("card.as_recorded_today") if card["as_recorded_today"] else "",
        sections=tuple(sections),
        claims=tuple(
            Section(role, say.coded("role", role), "", "", tuple(entries)) for role, entries in claims.items()
        ),
        notes=tuple(_note(note, say) for note in card["notes"] if note["code"] not in _TOLD),
    )


def _with_executes(sections: Sequence[Section], say: Wording) -> list[Section]:
    """Say that the accountable executes itself where nobody else does (step 12 of the algorithm)."""
    found = next((section for section in sections if section.role == "executes"), None)
    if found and found.entries:
        return list(sections)
    found = found or Section("executes", say("role.executes"), "", "", ())
    rest = [section for section in sections if section.role != "executes"]
    after = [section.role for section in rest].index("accountable") + 1
    return [*rest[:after], replace(found, remark=say("card.executes_itself")), *rest[after:]]


def _section(role: str, line: Mapping[str, Any], say: Wording) -> Section:
    nexts = [holder for holder in line["next"] if holder["iri"] != D.nobody]
    return Section(
        role=role,
        heading=say(f"role.{role}") if say.has(f"role.{role}") else line["role"]["label"],
        status=line["status"],
        state=say.coded("status", line["status"]),
        entries=tuple(_entry(answer, say) for answer in line["answers"]),
        contradicted=tuple(_entry(answer, say) for answer in line["contradicted"]),
        beaten=tuple(_entry(answer, say) for answer in line["beaten"]),
        remark=say("card.next", holder=_listed(nexts)) if nexts else "",
    )


def _entry(answer: Mapping[str, Any], say: Wording) -> Entry:
    confidence = answer["confidence"]
    return Entry(
        holders=tuple(
            _thing(holder, say("card.lead") if answer["lead"] == holder["iri"] else "")
            for holder in answer["holders"]
            if holder["iri"] != D.nobody
        ),
        term=_term(answer, say),
        how=_how(answer, say),
        remarks=_remarks(answer, say),
        steps=tuple(_step(step, say) for step in answer["steps"]),
        basis=tuple(dict.fromkeys(_basis(basis, say) for basis in _bases(answer))),
        conditions=tuple(answer["conditions"]),
        confidence=confidence,
        trust=say.coded("confidence", confidence) if confidence else "",
        sources=tuple(_thing(source) for source in answer["source"]),
        record=Thing(answer["record"], answer["record"]),
        support=tuple(_entry(other, say) for other in answer.get("support", ())),
    )


def _bases(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the record's own basis and that of the acts that made it: a mandate's basis stands on the act."""
    return [*answer["basis"], *(basis for transfer in answer["transfers"] for basis in transfer["basis"])]


def _basis(basis: Mapping[str, Any], say: Wording) -> Thing:
    """Name a legal basis: the article in its instrument, each once."""
    article, law = basis["article"], basis["label"]
    if not article or law in article["label"]:
        return _thing(article or basis)
    return Thing(article["iri"], say("card.article", article=article["label"], law=law))


def _term(answer: Mapping[str, Any], say: Wording) -> str:
    """Say since when and, where it is known, until which day included."""
    since, until = answer["since"], answer["until"]
    words = say("card.since", day=say.day(since)) if since else say("card.start_unknown")
    return f"{words} {say('card.through', day=say.last_day(until))}" if until else words


def _step(step: Mapping[str, Any], say: Wording) -> str:
    told = say("card.step", day=say.day(step["day"]), before=step["from"]["label"], after=step["to"]["label"])
    laws = "; ".join(dict.fromkeys(_spoken(_basis(basis, say)) for basis in step["basis"]))
    return f"{told} ({laws})" if laws else told


def _spoken(thing: Thing) -> str:
    return f"{thing.label}, {thing.remark}" if thing.remark else thing.label


def _how(answer: Mapping[str, Any], say: Wording) -> str:
    """Say whether the line is asserted, derived or followed, and through what it reaches the data."""
    words, via = say(f"how.{answer['how']}"), answer["via"]
    if via["kind"] == "members":
        return f"{words} {say('via.members', container=via['container']['label'])}"
    if via["kind"] == "scope":
        scope = " × ".join(part for part in (_listed(via["fields"]), _listed(via["areas"])) if part)
        scope = scope or say("via.everything")
        if answer["holder_kind"]:
            scope = say("via.kind", scope=scope, kind=answer["holder_kind"]["label"])
        return f"{words} {say('via.scope', scope=scope)}"
    return words


def _remarks(answer: Mapping[str, Any], say: Wording) -> tuple[str, ...]:
    remarks = [_given(transfer, say) for transfer in answer["transfers"]]
    if answer["imported"]:
        remarks.append(say("card.imported"))
    if answer["steps"] and answer["recorded_holders"]:
        remarks.append(say("card.recorded_holder", holder=_listed(answer["recorded_holders"])))
    left = {step["from"]["iri"] for step in answer["steps"]}
    lost = [holder for holder in answer["lost"] if holder["iri"] not in left]
    if lost:
        remarks.append(say("card.lost", holder=_listed(lost)))
    return tuple(remarks)


def _given(transfer: Mapping[str, Any], say: Wording) -> str:
    """Say by which act, of whom and when, a record was made."""
    kind = say.coded("transfer", transfer["kind"] or "transfer")
    by, day = _listed(transfer["by"]), transfer["granted_on"]
    return say("card.given_on", kind=kind, by=by, day=say.day(day)) if day else say("card.given", kind=kind, by=by)


def _note(note: Mapping[str, Any], say: Wording) -> str:
    key = f"note.{note['code']}"
    things = _listed(note["about"])
    return say(key, things=things) if say.has(key) else f"{note['code']}: {things}"


def _listed(things: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(thing["label"] for thing in things)


def _thing(thing: Mapping[str, Any], remark: str = "") -> Thing:
    return Thing(thing["iri"], thing["label"], remark)
