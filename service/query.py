"""Ask the register in SPARQL from a terminal: the verb ``diaba query``.

The query runs in a process of its own on a checkpoint, within limits that the answer declares; see
``service/docs/sandbox.md``. Beside a running service it reads the service's newest checkpoint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from graph.errors import BadQuestion, NotFound, Place, Unreadable
from graph.register import CHECKPOINTS
from graph.sandbox import FORMATS, Limits, Result, Sandbox, Status, need_checkpoints, newest_of, passing
from graph.view import View
from service import terminal
from service.faults import PARTIAL
from service.shell import answered, common, opened, settings_of, tell, wants_json, wording_of
from service.wording import Wording

#: which words name the limit that ended a query
_REACHED = {
    Status.time: "query.time",
    Status.memory: "query.memory",
    Status.rows: "query.rows",
    Status.size: "query.size",
}
_MIB = 1024 * 1024


@click.command()
@click.argument("file", metavar="FILE|-")
@click.option(
    "--format", "written", type=click.Choice(FORMATS), help="Write the answer as this, as it comes; a table."
)
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="How long it may take.")
@click.option("--memory", type=click.IntRange(16), default=1024, show_default=True, help="MiB it may take.")
@click.option("--rows", type=click.IntRange(1), default=100_000, show_default=True, help="How many rows at most.")
@common
@click.pass_context
def query(ctx: click.Context, file: str, written: str | None, seconds: float, memory: int, rows: int) -> None:
    """Ask in SPARQL: the query in FILE, or on standard input."""
    say = wording_of(ctx)
    text = _read(file, say)
    limits = Limits(seconds=seconds, memory=memory * _MIB, rows=rows, size=256 * _MIB, text=16 * _MIB)
    formats = [written] if written else ["json", "turtle" if not wants_json(ctx) else "jsonld"]
    with _sandbox(ctx, limits) as sandbox:
        try:
            result = sandbox.run(text, format=formats)
        except BadQuestion as fault:
            # the engine's side knows no file: it says "query" for it
            if fault.place is not None and file != "-":
                fault.place = Place(file, fault.place.line, fault.place.column)
            raise
    if written or wants_json(ctx) or result.form == "graph":
        answered(ctx)
        click.echo(result.body, nl=not result.body.endswith(b"\n"))
    else:
        _show(result, say)
    if result.status is not Status.complete:
        tell(_limited(result, say))
        ctx.exit(PARTIAL)
    if not result.rows:
        raise NotFound(say("ask.none"))


def _read(file: str, say: Wording) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8")
    except OSError as fault:
        raise Unreadable(
            say("query.unreadable", reason=fault.strerror or fault), remedy=say("query.name"), place=Place(file)
        ) from fault
    except UnicodeDecodeError as fault:
        raise Unreadable(
            say("query.unreadable", reason=fault), remedy=say("query.encoding"), place=Place(file)
        ) from fault


@contextmanager
def _sandbox(ctx: click.Context, limits: Limits) -> Iterator[Sandbox]:
    """Open a sandbox on the register as it stands; where another process owns it, on that one's newest checkpoint."""
    with ExitStack() as stack:
        reader = stack.enter_context(opened(ctx))
        folder = settings_of(ctx).data / CHECKPOINTS
        need_checkpoints(reader.graph)
        if isinstance(reader, View):
            yield stack.enter_context(Sandbox(newest_of(folder), 1, limits, sealed=False))
        else:
            yield stack.enter_context(passing(folder, reader.graph, limits))


def _show(result: Result, say: Wording) -> None:
    found: dict[str, Any] = json.loads(result.body) if result.body else {}
    if result.form == "boolean":
        click.echo(say("query.yes") if found["boolean"] else say("query.no"))
    elif result.rows:
        cells = [[_cell(row.get(name)) for name in result.columns] for row in found["results"]["bindings"]]
        terminal.show(terminal.listing(result.columns, cells))


def _cell(term: dict[str, Any] | None) -> str | None:
    if term is None:
        return None
    if term["type"] == "triple":
        return f"<<( {' '.join(_cell(part) or '' for part in term['value'].values())} )>>"
    return f"_:{term['value']}" if term["type"] == "bnode" else str(term["value"])


def _limited(result: Result, say: Wording) -> str:
    limits = result.limits
    limit = say(
        _REACHED[result.status],
        seconds=f"{limits.seconds:g}", memory=limits.memory // _MIB, rows=limits.rows, size=limits.size // _MIB,
    )  # fmt: skip
    return say("query.stopped", limit=limit, count=result.rows)
