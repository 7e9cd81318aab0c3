"""Try, record and withdraw reorganisations from a terminal: the verbs of ``diaba plan``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from graph import planning
from graph.errors import NotFound, Place, StoreFault
from graph.findings import Findings
from graph.planning import read_plan, template
from graph.rules import read_rules
from service import asking, foresight, terminal
from service.shell import WRITTEN, changing, common, data_of, following, opened, print_json, wants_json, wording_of

FORMATS = ("text", "json", "html", "xlsx")


@click.group()
def plan() -> None:
    """Try a reorganisation before it is signed, record it, or withdraw it."""


@plan.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to tell it.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it here.")
@common
@click.pass_context
def check(ctx: click.Context, file: Path, form: str, output: Path | None) -> None:
    """Say what the plan in FILE would do to the register; nothing is recorded."""
    say = wording_of(ctx)
    document = read_plan(file)
    data = data_of(ctx)
    with opened(ctx) as reader, following(say) as progress:
        rules = read_rules(reader.pack.name or None)
        seen = planning.preview(reader, data, document, Findings(rules), progress)
        told = foresight.describe(seen, reader.graph, rules, asking.languages_of(say, reader), say)
    if wants_json(ctx) or (form == "json" and output is None):
        print_json(told)
    elif form == "text" and output is None:
        terminal.show(foresight.as_text(told, say))
    else:
        _write(_written(told, form, say), output, say)


def _written(told: dict[str, object], form: str, say: object) -> bytes:
    import json

    if form == "json":
        return json.dumps(told, ensure_ascii=False, indent=2).encode()
    if form == "xlsx":
        return foresight.as_xlsx(told, say)  # type: ignore[arg-type]
    return foresight.as_html(told, say).encode()  # type: ignore[arg-type]


def _write(content: bytes, output: Path | None, say: object) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise StoreFault(
            f"It cannot be written: {error.strerror or error}", remedy="Check the path and your rights.",
            place=Place(str(output)),
        ) from error  # fmt: skip


@plan.command("apply")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--message", default="", type=WRITTEN, metavar="TEXT", help="Why, for the journal.")
@common
@click.pass_context
def apply(ctx: click.Context, file: Path, message: str) -> None:
    """Record the plan in FILE, all of it or nothing, after checking it against the register as it is now."""
    say = wording_of(ctx)
    read_plan(file)
    with changing(ctx) as register, following(say) as progress:
        report = register.plan(file, message, progress=progress)
    if wants_json(ctx):
        print_json(report.as_json())
    else:
        for line in report.lines():
            click.echo(line)


@plan.command("undo")
@click.argument("name", type=WRITTEN)
@click.option("--message", default="", type=WRITTEN, metavar="TEXT", help="Why, for the journal.")
@common
@click.pass_context
def undo(ctx: click.Context, name: str, message: str) -> None:
    """Withdraw the plan of this NAME; refused while something recorded later stands on it."""
    say = wording_of(ctx)
    with changing(ctx) as register, following(say) as progress:
        report = register.unplan(name, message, progress=progress)
    if wants_json(ctx):
        print_json(report.as_json())
    else:
        click.echo(say("plan.undone", name=name, revision=report.revision))


@plan.command("list")
@common
@click.pass_context
def list_plans(ctx: click.Context) -> None:
    """List the plans that were applied, those that stand and those withdrawn."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        found = planning.plans(reader.graph)
    if wants_json(ctx):
        print_json(
            [
                {
                    "iri": one.source, "name": one.slug, "title": one.title, "stands": one.stands,
                    "days": [day.isoformat() for day in one.days],
                }
                for one in found
            ]
        )  # fmt: skip
    elif found:
        rows = [
            (one.slug, one.title, ", ".join(map(say.day, one.days)), say("plan.stands" if one.stands else "plan.gone"))
            for one in found
        ]
        titles = [say(f"plan.column.{name}") for name in ("name", "title", "day", "state")]
        terminal.show(terminal.listing(titles, rows))
    if not found:
        raise NotFound(say("plan.none"))


@plan.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common
@click.pass_context
def write_template(ctx: click.Context, file: Path) -> None:
    """Write an empty plan to FILE, a spreadsheet (.xlsx) to fill in."""
    say = wording_of(ctx)
    if file.exists():
        raise StoreFault(say("plan.exists", file=file), remedy=say("plan.other_file"), place=Place(str(file)))
    _write(template(), file, say)
    click.echo(say("plan.written", file=file))
