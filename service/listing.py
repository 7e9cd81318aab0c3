"""List the bodies there are on a day: the verb ``bodies``."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from graph.bodies import Body, bodies, kinds_of_level, kinds_under
from graph.errors import BadQuestion, NotFound
from graph.labels import labels, tail
from graph.store import Reader
from graph.terms import RDF, SKOS, D, Level
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
