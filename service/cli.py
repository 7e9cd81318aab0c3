"""Ask the register from a terminal: the command ``diaba`` and the verbs that ask; ``keeping`` has the others.

Every verb takes ``--data``, ``--lang`` and ``--json``, before or after its name. ``service/docs/command-line.md`` lists
the verbs and the exit codes, and a test holds the two together.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.text import Text

from graph.answering import Desk
from graph.errors import BadQuestion, NotFound
from graph.flows import lineage as walk_flows
from graph.labels import labels
from graph.lineage import Direction, Kind, Lineage
from graph.queries import CannedQuery, Sort, load_queries, run
from graph.resources import folder
from service import archiving, asking, keeping, terminal
from service.card import describe
from service.checking import check, gaps, rules
from service.clocks import parse_day, today_in
from service.condition import status
from service.exporting import write_out
from service.faults import NOTHING
from service.listing import list_bodies, tell_body
from service.planning import plan
from service.query import query as sparql
from service.shell import WRITTEN, Verbs, common, complain, opened, print_json, tell, wants_json, wording_of
from service.wording import Wording

as_of_option = click.option("--as-of", default="", metavar="DAY", help="The day asked about, YYYY-MM-DD; today.")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="diaba", prog_name="diaba")
@common
def main() -> None:
    """Ask who answers for public data: which body, since when, on what legal basis."""


# --- asking ---------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("words", nargs=-1, required=True, type=WRITTEN)
@as_of_option
@click.option("--known-at", default="", metavar="INSTANT", help="As known then: an instant with its zone, or a day.")
@common
@click.pass_context
def who(ctx: click.Context, words: tuple[str, ...], as_of: str, known_at: str) -> None:
    """Say who answers for the data that WORDS (or an IRI) mean, and why."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        question = asking.read_question(reader, " ".join(words), as_of, known_at, say)
        try:
            answer = asking.answer(reader, Desk(reader), question, say)
        except NotFound as fault:
            near = asking.search(reader, question, say)
            if wants_json(ctx):
                print_json({"question": question.text, "card": None, "near": near})
            complain(fault)
            if near and near[0]["kind"] == "body":
                tell(say("ask.body", label=near[0]["label"]))
            if near and not wants_json(ctx):
                terminal.show(Text(), Text(say("search.near"), style="bold"), terminal.rows(near, say))
            ctx.exit(NOTHING)
        if wants_json(ctx):
            print_json(answer.as_json())
            return
        terminal.show(terminal.card(describe(answer.card, say, reader.pack.timezone), say))
        if answer.others:
            terminal.show(Text(), Text(say("card.others"), style="bold"), terminal.rows(answer.others, say))


@main.command()
@click.argument("words", nargs=-1, required=True, type=WRITTEN)
@as_of_option
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many results at most.")
@common
@click.pass_context
def search(ctx: click.Context, words: tuple[str, ...], as_of: str, limit: int) -> None:
    """Find data, bodies, areas and more by WORDS, old names, abbreviations or codes."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        question = asking.read_question(reader, " ".join(words), as_of, "", say)
        found = asking.search(reader, question, say, limit=limit)
    if wants_json(ctx):
        print_json({"question": question.text, "rows": found})
    elif found:
        terminal.show(terminal.rows(found, say))
    if not found:
        raise NotFound(say("search.none"), remedy=say("question.try"))


@main.command("datasets-of")
@click.argument("body", nargs=-1, required=True, type=WRITTEN)
@as_of_option
@common
@click.pass_context
def datasets_of(ctx: click.Context, body: tuple[str, ...], as_of: str) -> None:
    """List the data that a BODY, its units and posts answer for."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        question = asking.read_question(reader, " ".join(body), as_of, "", say)
        day = asking.day_of(reader, question).isoformat()
        named, found = asking.portfolio(reader, _queries()["datasets-of-agency"], question, say)
    if wants_json(ctx):
        print_json({"question": question.text, "as_of": day, "body": named, "datasets": found})
    else:
        lines = [named["iri"], say("body.on", day=say.day(day))]
        terminal.show(terminal.heading(named["label"], *lines))
        if found:
            terminal.show(Text(say("body.count", count=len(found))), Text(), terminal.portfolio(found, say))
    if not found:
        raise NotFound(say("body.none").removesuffix("."))


@main.command()
@click.argument("dataset", nargs=-1, required=True, type=WRITTEN)
@click.option("--up", "only", flag_value="up", help="Only where the data come from.")
@click.option("--down", "only", flag_value="down", help="Only where the data go.")
@as_of_option
@common
@click.pass_context
def lineage(ctx: click.Context, dataset: tuple[str, ...], only: str | None, as_of: str) -> None:
    """Show where the data of a DATASET come from and where they go."""
    say = wording_of(ctx)
    directions = [Direction(only)] if only else [Direction.up, Direction.down]
    with opened(ctx) as reader:
        question = asking.read_question(reader, " ".join(dataset), as_of, "", say)
        iri, label = asking.find_data(reader, question, say)
        day = asking.day_of(reader, question)
        walks = [walk_flows(reader.graph, iri, direction, day) for direction in directions]
        reached = {node.iri for walk in walks for node in walk.nodes}
        names = labels(reader.graph, reached, day, asking.languages_of(say, reader))
    found = any(walk.edges for walk in walks)
    if wants_json(ctx):
        written = {walk.direction.value: _lineage_json(walk, names) for walk in walks}
        print_json({"dataset": {"iri": iri, "label": label}, "as_of": day.isoformat(), **written})
    elif found:
        terminal.show(terminal.heading(label, iri, say("card.on", day=say.day(day))))
        for walk in walks:
            terminal.show(Text(), terminal.tree(say(f"lineage.{walk.direction}"), iri, _onward(walk), names, say))
            for cycle in walk.cycles:
                path = " → ".join(names[node] for node in (*cycle, cycle[0]))
                terminal.show(Text(say("lineage.circle", path=path)))
    if not found:
        raise NotFound(say("lineage.none", day=say.day(day)))


def _onward(walk: Lineage) -> dict[str, list[str]]:
    """Return node → the nodes one step further, each once, in a stable order."""
    onward: dict[str, list[str]] = {}
    for edge in walk.edges:
        here, there = (edge.target, edge.source) if walk.direction is Direction.up else (edge.source, edge.target)
        if there not in onward.setdefault(here, []):
            onward[here].append(there)
    return onward


def _lineage_json(walk: Lineage, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "nodes": [{"iri": node.iri, "label": names[node.iri], "depth": node.depth} for node in walk.nodes],
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "kind": edge.kind.value,
                "record": edge.record if edge.kind is Kind.flow else None,
            }
            for edge in walk.edges
        ],
        "cycles": [list(cycle) for cycle in walk.cycles],
    }


@main.command()
@click.argument("query", required=False, type=WRITTEN)
@click.option(
    "--param", "given", multiple=True, type=WRITTEN, metavar="NAME=VALUE", help="A value the query takes; repeat it."
)
@click.option("--list", "listing", is_flag=True, help="List the queries and what they take.")
@common
@click.pass_context
def ask(ctx: click.Context, query: str | None, given: tuple[str, ...], listing: bool) -> None:
    """Ask one of the canned queries, by its name."""
    say = wording_of(ctx)
    queries = _queries()
    if listing:
        _list_queries(ctx, queries.values(), say)
        return
    if not query:
        raise BadQuestion(say("ask.no_name"), remedy=say("ask.list"))
    if query not in queries:
        near = difflib.get_close_matches(query, queries, n=3, cutoff=0.4)
        remedy = say("ask.did_you_mean", names=", ".join(near)) if near else say("ask.list")
        raise BadQuestion(say("ask.unknown", name=query), remedy=remedy)
    chosen = queries[query]
    values = _values(given, say)
    for parameter in chosen.parameters:
        if parameter.sort is Sort.date and parameter.name in values:
            values[parameter.name] = parse_day(values[parameter.name], say).isoformat()
    with opened(ctx) as reader:
        today = today_in(reader.pack.timezone)
        table = run(
            reader.graph, chosen, values, today=today, language=asking.languages_of(say, reader)[0]
        )
    if wants_json(ctx):
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        print_json({"query": query, "columns": table.columns, "rows": rows})
    elif table.rows:
        named = {column.name: _spoken(column.label, say) for column in chosen.columns}
        titles = [named.get(column, column) for column in table.columns]
        worded = [[terminal.worded(cell, say) for cell in row] for row in table.rows]
        terminal.show(terminal.heading(_spoken(chosen.title, say)), Text(), terminal.listing(titles, worded))
    if not table.rows:
        raise NotFound(say("ask.none"))


def _queries() -> dict[str, CannedQuery]:
    return load_queries([folder("queries")])


def _value(text: str, say: Wording) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadQuestion(say("ask.no_value", text=text), remedy=say("ask.write"))
    return name.strip(), value


def _values(given: Iterable[str], say: Wording) -> dict[str, str]:
    """Return the values by their names; raise ``BadQuestion`` where one has two."""
    values: dict[str, str] = {}
    for name, value in (_value(text, say) for text in given):
        if name in values:
            raise BadQuestion(say("ask.twice", name=name), remedy=say("ask.once"))
        values[name] = value
    return values


def _spoken(texts: Mapping[str, str], say: Wording) -> str:
    return texts.get(say.language) or texts["en"]


def _list_queries(ctx: click.Context, queries: Iterable[CannedQuery], say: Wording) -> None:
    if wants_json(ctx):
        print_json(
            [
                {
                    "name": query.name,
                    "title": _spoken(query.title, say),
                    "description": _spoken(query.description, say),
                    "parameters": [
                        {
                            "name": parameter.name,
                            "sort": parameter.sort.value,
                            "default": parameter.default,
                            "sample": parameter.sample,
                            "meaning": _spoken(parameter.meaning, say),
                        }
                        for parameter in query.parameters
                    ],
                }
                for query in queries
            ]
        )
        return
    rows = []
    for query in queries:
        takes = ", ".join(f"[{one.name}]" if one.default else one.name for one in query.parameters)
        rows.append((query.name, takes, _spoken(query.title, say)))
    terminal.show(terminal.listing([say("table.query"), say("table.parameters"), say("table.meaning")], rows))


for verb in (
    list_bodies, tell_body, check, gaps, rules, plan, sparql, keeping.init, keeping.load, keeping.rebuild,
    keeping.serve, status, archiving.journal, archiving.backup, archiving.restore, archiving.snapshot, write_out,
):  # fmt: skip
    main.add_command(verb)
