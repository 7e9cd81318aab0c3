"""List the bodies there are on a day, and tell what became of one: the verbs ``bodies`` and ``body``."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from graph.bodies import Body, bodies, kinds_of_level, kinds_under
from graph.errors import BadQuestion, NotFound
from graph.fate import Fate, Share, fate
from graph.labels import labels, tail
from graph.store import Reader
from graph.terms import RDF, SKOS, Confidence, D, Level
from service import asking, terminal
from service.clocks import parse_day, today_in
from service.shell import WRITTEN, common, opened, print_json, wants_json, wording_of
from service.wording import Wording

LEVELS = tuple(iri.removeprefix(Level.NS) for iri in (Level.central, Level.province, Level.district, Level.commune))


@click.command("bodies")
@click.option("--level", type=click.Choice(LEVELS), help="The bodies that stand for this level.")
@click.option("--kind", "kinds", multiple=True, type=WRITTEN, metavar="KIND", help="Those of a kind; repeat it.")
@click.option("--as-of", default="", metavar="DAY", help="The day asked about, YYYY-MM-DD; today.")
@common
@click.pass_context
def list_bodies(ctx: click.Context, level: str | None, kinds: tuple[str, ...], as_of: str) -> None:
    """List the bodies of a level, or of some kinds, that exist on a day."""
    say = wording_of(ctx)
    if not level and not kinds:
        raise BadQuestion(say("bodies.nothing"), remedy=say("bodies.say"))
    with opened(ctx) as reader:
        day = parse_day(as_of, say) if as_of else today_in(reader.pack.timezone)
        languages = asking.languages_of(say, reader)
        wanted = _wanted(reader.graph, level, kinds, say)
        found = bodies(reader.graph, wanted, day, languages)
        names = labels(
            reader.graph, {node for body in found for node in (body.kind, *body.jurisdiction)}, day, languages
        )
    if wants_json(ctx):
        print_json({"as_of": day.isoformat(), "level": level, "count": len(found), "bodies": [
            _as_json(body, names) for body in found
        ]})  # fmt: skip
    elif found:
        rows = [(body.label, names[body.kind], _days(body, say)) for body in found]
        titles = [say("table.name"), say("table.kind"), say("table.days")]
        heading = terminal.heading(say("bodies.count", count=len(found)), say("bodies.on", day=say.day(day)))
        terminal.show(heading, Text(), terminal.listing(titles, rows))
    if not found:
        raise NotFound(say("bodies.none", day=say.day(day)))


def _wanted(reader: Reader, level: str | None, kinds: tuple[str, ...], say: Wording) -> list[str]:
    """Return the kinds that are meant: those named, with all narrower ones, or the principal ones of the level."""
    named = {_kind(reader, kind, say) for kind in kinds}
    if not named:
        return kinds_of_level(reader, Level.NS + (level or ""))
    under = set(kinds_under(reader, named))
    if level:
        under &= {subject.value for subject, _, _, _ in reader.incoming([Level.NS + level], (D.level,))}
    return sorted(under)


def _kind(reader: Reader, text: str, say: Wording) -> str:
    """Return the kind that a text means: its IRI, the end of it, or its name in any language."""
    used = {quad.object.value for quad in reader.query(f"CONSTRUCT WHERE {{ ?body <{D.bodyKind}> ?kind }}")}
    levels = [Level.NS + level for level in LEVELS]
    levelled = {subject.value for subject, _, _, _ in reader.incoming(levels, (D.level,))}
    concepts = reader.outgoing(sorted(levelled - used), (RDF.type,))
    used |= {subject.value for subject, _, sort, _ in concepts if sort.value == SKOS.Concept}
    wanted = text.casefold()
    for kind in sorted(used):
        if text == kind or wanted == tail(kind):
            return kind
    for subject, _, value, _ in reader.outgoing(sorted(used), (SKOS.prefLabel, SKOS.altLabel)):
        if value.value.casefold() == wanted:
            return str(subject.value)
    names = sorted(tail(kind) for kind in used)
    raise BadQuestion(say("bodies.no_kind", kind=text), remedy=say("bodies.kinds", names=", ".join(names)))


def _as_json(body: Body, names: dict[str, str]) -> dict[str, Any]:
    return {
        "iri": body.iri,
        "label": body.label,
        "kind": {"iri": body.kind, "label": names[body.kind]},
        "jurisdiction": [{"iri": area, "label": names[area]} for area in body.jurisdiction],
        "from": body.span.start and body.span.start.isoformat(),
        "until": body.span.end and body.span.end.isoformat(),
    }


def _days(body: Body, say: Wording) -> str:
    since = say("bodies.since", day=say.day(body.span.start)) if body.span.start else ""
    until = say("bodies.until", day=say.last_day(body.span.end)) if body.span.end else ""
    return ", ".join(part for part in (since, until) if part)


# --- one of them ----------------------------------------------------------------------------------------------------


@click.command("body")
@click.argument("words", nargs=-1, required=True, type=WRITTEN)
@click.option("--as-of", default="", metavar="DAY", help="The day asked about, YYYY-MM-DD; today.")
@common
@click.pass_context
def tell_body(ctx: click.Context, words: tuple[str, ...], as_of: str) -> None:
    """Say what became of a body, post or area: since when, by which act, who has what of it now."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        question = asking.read_question(reader, " ".join(words), as_of, "", say)
        day = asking.day_of(reader, question)
        iri = _meant(reader, question, say)
        found = fate(reader.graph, iri, day)
        told = fate_json(found, names_of(reader.graph, found, asking.languages_of(say, reader)), say)
    if wants_json(ctx):
        print_json(told)
        return
    lines = [told["iri"], say("bodies.on", day=say.day(day)), told["state"]]
    parts: list[Any] = [terminal.heading(told["label"], *lines)]
    for part in ("shares", "given", "origins"):
        if told[part]:
            parts += [Text(), Text(say(f"fate.{part}"), style="bold")]
            parts += [Text(f"  {one['told']}", style="" if one["verified"] else "dim") for one in told[part]]
    if told["needs_decision"]:
        parts += [Text(), Text(say("fate.several" if found.holders else "fate.undecided"))]
    terminal.show(*parts)


def _meant(reader: asking.RegisterReader, question: asking.Question, say: Wording) -> str:
    """Return the body, post or area that the words mean, whether or not it is there on the day."""
    if question.names_iri:
        if next(iter(reader.graph.outgoing([question.text], (RDF.type,))), None) is None:
            raise NotFound(say("question.no_iri", iri=question.text), remedy=say("question.iri_try"))
        return question.text
    hits = asking.find(reader, question, say, ("body", "post", "area"), 1)
    if not hits:
        raise NotFound(say("question.no_body", text=question.text), remedy=say("question.try"))
    return hits[0].iri


def names_of(reader: Reader, found: Fate, languages: tuple[str, ...]) -> dict[str, str]:
    """Return what to call everything that a fate names: what ended by the name of its last days."""
    wanted = {found.iri, *found.events, *found.basis}
    for share in (*found.shares, *found.given):
        wanted |= {*share.fields, *share.areas, *(step.event.iri for step in share.steps)}
        wanted |= {step.successor for step in share.steps}
    wanted |= {node for step in found.origins for node in (step.predecessor, step.event.iri, *step.fields, *step.areas)}
    return labels(reader, wanted, None, languages)


def fate_json(found: Fate, names: dict[str, str], say: Wording) -> dict[str, Any]:
    """Return what became of a body as plain JSON, with what is said of it in words."""

    def thing(iri: str) -> dict[str, str]:
        return {"iri": iri, "label": names.get(iri) or tail(iri)}

    def share(one: Share) -> dict[str, Any]:
        first = one.steps[0]
        return {
            "holder": one.holder and thing(one.holder),
            "fields": [thing(field) for field in one.fields],
            "areas": [thing(area) for area in one.areas],
            "steps": [
                {
                    "event": thing(step.event.iri), "day": step.event.day and step.event.day.isoformat(),
                    "to": thing(step.successor), "record": step.iri,
                }
                for step in one.steps
            ],
            "confidence": one.confidence.removeprefix(Confidence.NS),
            "verified": one.verified,
            "told": _told_share(one, names, first.event.day, say),
        }  # fmt: skip

    return {
        **thing(found.iri),
        "as_of": found.day.isoformat(),
        "from": found.span.start and found.span.start.isoformat(),
        "until": found.span.end and found.span.end.isoformat(),
        "ended": found.ended,
        "state": _state(found, names, say),
        "events": [thing(event) for event in found.events],
        "basis": [thing(act) for act in found.basis],
        "shares": [share(one) for one in found.shares],
        "given": [share(one) for one in found.given],
        "origins": [
            {
                "from": thing(step.predecessor), "event": thing(step.event.iri),
                "day": step.event.day and step.event.day.isoformat(), "record": step.iri,
                "confidence": step.confidence.removeprefix(Confidence.NS), "verified": step.verified,
                "told": _told_origin(step, names, say),
            }
            for step in found.origins
        ],
        "needs_decision": found.needs_decision,
    }  # fmt: skip


def _state(found: Fate, names: dict[str, str], say: Wording) -> str:
    if found.ended:
        acts = ", ".join(names.get(act) or tail(act) for act in found.basis) or say("card.no_basis")
        assert found.span.end is not None
        return say("fate.ended", day=say.day(found.span.end), acts=acts)
    if found.span.start is not None and found.span.start > found.day:
        return say("fate.to_come", day=say.day(found.span.start))
    since = say("bodies.since", day=say.day(found.span.start)) if found.span.start else say("fate.since_unknown")
    return say("fate.there", since=since)


def _told_share(one: Share, names: dict[str, str], day: Any, say: Wording) -> str:
    holder = say("card.nobody") if one.holder in (None, D.nobody) else names.get(one.holder or "") or ""
    what = [names.get(node) or tail(node) for node in (*one.fields, *one.areas)]
    part = f" ({', '.join(what)})" if what else ""
    mark = one.confidence.removeprefix(Confidence.NS)
    way = " → ".join(names.get(step.successor) or tail(step.successor) for step in one.steps[:-1])
    through = f", {say('fate.through', way=way)}" if way else ""
    unsure = "" if one.verified else f", {say('fate.unverified')}"
    return f"{holder}{part} · {say('bodies.since', day=say.day(day)) if day else ''}{through} · {mark}{unsure}"


def _told_origin(step: Any, names: dict[str, str], say: Wording) -> str:
    what = [names.get(node) or tail(node) for node in (*step.fields, *step.areas)]
    part = f" ({', '.join(what)})" if what else ""
    day = f" · {say.day(step.event.day)}" if step.event.day else ""
    return f"{names.get(step.predecessor) or tail(step.predecessor)}{part}{day}"
