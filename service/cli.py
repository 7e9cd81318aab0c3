"""Ask and keep the register from a terminal: the command ``diaba`` and its verbs.

Every verb takes ``--data``, ``--lang`` and ``--json``, before or after its name. What goes wrong is one message on
standard error and an exit code; ``service/docs/command-line.md`` lists the codes and a test holds it to the verbs.
"""

from __future__ import annotations

import difflib
import json
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from graph.errors import BadQuestion, BadSetting, DataDirectory, Fault, NotFound, Place
from graph.flows import lineage as walk_flows
from graph.labels import labels
from graph.lineage import Direction, Kind, Lineage
from graph.queries import CannedQuery, Sort, load_queries, run
from graph.register import Register
from graph.resources import folder
from service import asking, terminal
from service.card import describe
from service.clocks import parse_day, today_in
from service.faults import NOTHING, outcome_of
from service.settings import LANGUAGES, VARIABLES, Settings
from service.wording import Wording, locale_language

#: what a shell itself reports for a process that a closed pipe or Ctrl-C has ended
_BROKEN_PIPE, _INTERRUPTED = 141, 130
_COMMON = "diaba.common"


class Verbs(click.Group):
    """Run a verb and turn what goes wrong into one message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Fault as fault:
            _complain(fault)
            ctx.exit(outcome_of(fault).exit_code)
        except BrokenPipeError:
            _silence()
            ctx.exit(_BROKEN_PIPE)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


def _complain(fault: Fault) -> None:
    place = f"{fault.place}: " if fault.place else ""
    lines = [f"diaba: {place}{fault.message}."] + ([fault.remedy] if fault.remedy else [])
    click.echo("\n".join(lines), err=True)


def _silence() -> None:
    """Point standard output nowhere, so that the flush at exit does not complain of the closed pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Remember a common option wherever it was given; what stands after the verb wins."""
    if value not in (None, False):
        ctx.find_root().meta.setdefault(_COMMON, {})[parameter.name] = value


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that all of them take."""
    for option in (
        click.option(
            "--json", "as_json", is_flag=True, expose_value=False, callback=_keep, help="Answer as JSON, for programs."
        ),
        click.option(
            "--lang", "language", type=click.Choice(LANGUAGES), expose_value=False, callback=_keep,
            help="Language of names and headings; the locale's when not given.",
        ),
        click.option(
            "--data", "data", metavar="DIR", expose_value=False, callback=_keep,
            help="Data directory; DIABA_DATA, else ./data, when not given.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


as_of_option = click.option("--as-of", default="", metavar="DAY", help="The day asked about, YYYY-MM-DD; today.")


def _common(ctx: click.Context) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ctx.find_root().meta.get(_COMMON, {})
    return found


def _settings(ctx: click.Context, **arguments: Any) -> Settings:
    given = _common(ctx)
    return Settings.read(os.environ, data=given.get("data"), language=given.get("language"), **arguments)


def _wording(ctx: click.Context) -> Wording:
    """Return the words of ``--lang`` or ``DIABA_LANG``, else of the locale."""
    if "language" in _common(ctx) or os.environ.get(VARIABLES["language"]):
        return Wording(_settings(ctx).language, iso=True)
    return Wording(locale_language(os.environ), iso=True)


def _wants_json(ctx: click.Context) -> bool:
    return bool(_common(ctx).get("as_json"))


def _print_json(found: Any) -> None:
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _tell(text: str) -> None:
    """Say on standard error what is going on, so that standard output holds the answer alone."""
    click.echo(text, err=True)


@contextmanager
def opened(ctx: click.Context) -> Iterator[Register]:
    """Open the register of the data directory; make it from the Vietnam pack on first use."""
    data = _settings(ctx).data
    if _is_empty(data):
        _make(data, "vn", _wording(ctx))
    with Register.open(data) as register:
        yield register


def _is_empty(data: Path) -> bool:
    """Say whether nothing is kept here yet; what begins with a dot may be left of a first use that was broken off."""
    return not data.exists() or all(path.name.startswith(".") for path in data.iterdir())


def _make(data: Path, pack: str | None, say: Wording) -> int:
    if pack:
        _tell(say("data.making", path=data))
    with _progress(say) as progress, Register.create(data, pack=pack, progress=progress) as register:
        return register.revision


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="diaba", prog_name="diaba")
@common
def main() -> None:
    """Ask who answers for public data: which body, since when, on what legal basis."""


# --- asking ---------------------------------------------------------------------------------------------------------


@main.command()
@click.argument("words", nargs=-1, required=True)
@as_of_option
@click.option("--known-at", default="", metavar="INSTANT", help="As known then: an instant with its zone, or a day.")
@common
@click.pass_context
def who(ctx: click.Context, words: tuple[str, ...], as_of: str, known_at: str) -> None:
    """Say who answers for the data that WORDS (or an IRI) mean, and why."""
    say = _wording(ctx)
    with opened(ctx) as register:
        reader = register.reader
        question = asking.read_question(reader, " ".join(words), as_of, known_at, say)
        try:
            answer = asking.answer(reader, question, say)
        except NotFound as fault:
            near = asking.search(reader, question, say)
            if _wants_json(ctx):
                _print_json({"question": question.text, "card": None, "near": near})
            _complain(fault)
            if near and near[0]["kind"] == "body":
                _tell(say("ask.body", label=near[0]["label"]))
            if near and not _wants_json(ctx):
                terminal.show(Text(), Text(say("search.near"), style="bold"), terminal.rows(near, say))
            ctx.exit(NOTHING)
        if _wants_json(ctx):
            _print_json(answer.as_json())
            return
        terminal.show(terminal.card(describe(answer.card, say, reader.pack.timezone), say))
        if answer.others:
            terminal.show(Text(), Text(say("card.others"), style="bold"), terminal.rows(answer.others, say))


@main.command()
@click.argument("words", nargs=-1, required=True)
@as_of_option
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many results at most.")
@common
@click.pass_context
def search(ctx: click.Context, words: tuple[str, ...], as_of: str, limit: int) -> None:
    """Find data, bodies, areas and more by WORDS, old names, abbreviations or codes."""
    say = _wording(ctx)
    with opened(ctx) as register:
        question = asking.read_question(register.reader, " ".join(words), as_of, "", say)
        found = asking.search(register.reader, question, say, limit=limit)
    if _wants_json(ctx):
        _print_json({"question": question.text, "rows": found})
    elif found:
        terminal.show(terminal.rows(found, say))
    if not found:
        raise NotFound(say("search.none"), remedy=say("question.try"))


@main.command("datasets-of")
@click.argument("body", nargs=-1, required=True)
@as_of_option
@common
@click.pass_context
def datasets_of(ctx: click.Context, body: tuple[str, ...], as_of: str) -> None:
    """List the data that a BODY, its units and posts answer for."""
    say = _wording(ctx)
    with opened(ctx) as register:
        reader = register.reader
        question = asking.read_question(reader, " ".join(body), as_of, "", say)
        day = asking.day_of(reader, question).isoformat()
        named, found = asking.portfolio(reader, _queries()["datasets-of-agency"], question, say)
    if _wants_json(ctx):
        _print_json({"question": question.text, "as_of": day, "body": named, "datasets": found})
    else:
        lines = [named["iri"], say("body.on", day=say.day(day))]
        terminal.show(terminal.heading(named["label"], *lines))
        if found:
            terminal.show(Text(say("body.count", count=len(found))), Text(), terminal.portfolio(found, say))
    if not found:
        raise NotFound(say("body.none").removesuffix("."))


@main.command()
@click.argument("dataset", nargs=-1, required=True)
@click.option("--up", "only", flag_value="up", help="Only where the data come from.")
@click.option("--down", "only", flag_value="down", help="Only where the data go.")
@as_of_option
@common
@click.pass_context
def lineage(ctx: click.Context, dataset: tuple[str, ...], only: str | None, as_of: str) -> None:
    """Show where the data of a DATASET come from and where they go."""
    say = _wording(ctx)
    directions = [Direction(only)] if only else [Direction.up, Direction.down]
    with opened(ctx) as register:
        reader = register.reader
        question = asking.read_question(reader, " ".join(dataset), as_of, "", say)
        iri, label = asking.find_data(reader, question, say)
        day = asking.day_of(reader, question)
        walks = [walk_flows(reader.graph, iri, direction, day) for direction in directions]
        reached = {node.iri for walk in walks for node in walk.nodes}
        names = labels(reader.graph, reached, day, asking.languages_of(say))
    found = any(walk.edges for walk in walks)
    if _wants_json(ctx):
        written = {walk.direction.value: _lineage_json(walk, names) for walk in walks}
        _print_json({"dataset": {"iri": iri, "label": label}, "as_of": day.isoformat(), **written})
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
@click.argument("query", required=False)
@click.option("--param", "given", multiple=True, metavar="NAME=VALUE", help="A value the query takes; repeat it.")
@click.option("--list", "listing", is_flag=True, help="List the queries and what they take.")
@common
@click.pass_context
def ask(ctx: click.Context, query: str | None, given: tuple[str, ...], listing: bool) -> None:
    """Ask one of the canned queries, by its name."""
    say = _wording(ctx)
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
    values = dict(_value(text, say) for text in given)
    for parameter in chosen.parameters:
        if parameter.sort is Sort.date and parameter.name in values:
            values[parameter.name] = parse_day(values[parameter.name], say).isoformat()
    with opened(ctx) as register:
        today = today_in(register.reader.pack.timezone)
        table = run(register.reader.graph, chosen, values, today=today, language=say.language)
    if _wants_json(ctx):
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        _print_json({"query": query, "columns": table.columns, "rows": rows})
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


def _spoken(texts: Mapping[str, str], say: Wording) -> str:
    return texts.get(say.language) or texts["en"]


def _list_queries(ctx: click.Context, queries: Iterable[CannedQuery], say: Wording) -> None:
    if _wants_json(ctx):
        _print_json(
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


# --- keeping --------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--empty", is_flag=True, help="Make it without the Vietnam pack.")
@common
@click.pass_context
def init(ctx: click.Context, empty: bool) -> None:
    """Make the data directory, with the Vietnam pack in it."""
    say = _wording(ctx)
    data = _settings(ctx).data
    if not _is_empty(data):
        raise DataDirectory(say("data.exists", path=data), remedy=say("data.exists_remedy"), place=Place(str(data)))
    revision = _make(data, None if empty else "vn", say)
    if _wants_json(ctx):
        _print_json({"data": str(data), "revision": revision})
    else:
        click.echo(say("data.made_empty" if empty else "data.made", path=data, revision=revision))


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL|DIR...")
@click.option("--source", metavar="IRI", help="The source these files state; the file's address when not given.")
@click.option(
    "--confidence", type=click.Choice(["V1", "V2", "V3", "V3-mock", "R"]), help="How far the source can be trusted; V3."
)
@click.option("--partial", is_flag=True, help="Add only: what the files leave out is not withdrawn.")
@click.option("--history", is_flag=True, help="The files carry past versions with their own recording times.")
@click.option("--mapping", metavar="FILE", help="What turns a table or foreign RDF into statements of the register.")
@click.option("--message", default="", metavar="TEXT", help="Why, for the journal.")
@common
@click.pass_context
def load(ctx: click.Context, files: tuple[str, ...], **options: Any) -> None:
    """Load RDF files or tables into the register: all of them, or nothing and the reason."""
    say = _wording(ctx)
    with opened(ctx) as register, _progress(say) as progress:
        report = register.load(files, **options, progress=progress)
    if _wants_json(ctx):
        _print_json(report.as_json())
    else:
        terminal.show(*(Text(line) for line in report.lines()))


@main.command()
@common
@click.pass_context
def rebuild(ctx: click.Context) -> None:
    """Make the graph, its standings, the history and the search index anew from the journal."""
    say = _wording(ctx)
    with _progress(say) as progress, Register.open(_settings(ctx).data, rebuild=True, progress=progress) as register:
        revision = register.revision
    if _wants_json(ctx):
        _print_json({"revision": revision})
    else:
        click.echo(say("data.rebuilt", revision=revision))


@main.command()
@click.option("--host", help="Address to listen on; DIABA_HOST, else 127.0.0.1.")
@click.option("--port", help="Port to listen on; DIABA_PORT, else 8000. 0 takes a free one.")
@click.option("--base-path", help="Prefix under which a proxy publishes the service; DIABA_BASE_PATH, else none.")
@common
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: str | None, base_path: str | None) -> None:
    """Serve the pages and the JSON until stopped."""
    import uvicorn  # here, because no other verb needs the half second that the web framework takes to import

    from service.app import create_app

    settings = _settings(ctx, host=host, port=port, base_path=base_path)
    say = _wording(ctx)
    with _listening(settings, say) as listener, opened(ctx) as register:
        app = create_app(settings, register.reader, register)
        named_host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{named_host}:{listener.getsockname()[1]}{settings.base_path}/"
        _tell(say("serve.on", address=address))
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _listening(settings: Settings, say: Wording) -> Iterator[socket.socket]:
    """Take the address before anything slow is done, so that a taken port is said at once."""
    address = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        raise _no_address(address, error, say) from error
    with listener:
        try:
            listener.bind(where)
        except OSError as error:
            raise _no_address(address, error, say) from error
        yield listener


def _no_address(address: str, error: OSError, say: Wording) -> BadSetting:
    reason = error.strerror or str(error)
    return BadSetting(say("serve.port_taken", address=address, reason=reason), remedy=say("serve.port_remedy"))


@contextmanager
def _progress(say: Wording) -> Iterator[Callable[[str, int, int | None], None]]:
    """Draw a bar per step on standard error, on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def follow(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(say.coded("step", step), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield follow
