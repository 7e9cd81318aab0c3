"""Keep a register for good, from a terminal: its journal, backups, earlier states and redactions.

What only reads works beside a running service; ``restore`` makes a directory of its own; ``redact`` is handed to the
process that owns the register.
"""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from graph import archive
from graph.archive import read_time
from graph.errors import NotFound
from graph.journal import SECTIONS, Change
from service import terminal
from service.clocks import parse_instant
from service.shell import WRITTEN, changing, common, following, opened, print_json, settings_of, wants_json, wording_of


@click.group()
def journal() -> None:
    """Read, verify, export and redact the journal of accepted changes."""


@journal.command("log")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many changes, newest first.")
@click.option("--source", metavar="IRI", help="Only changes of this source.")
@common
@click.pass_context
def log(ctx: click.Context, last: int, source: str | None) -> None:
    """List the latest changes: when, who, which source, how much, why."""
    with archive.journal_of(settings_of(ctx).data) as rows:
        found = [change for change in rows.changes() if source in (None, change.source)][-last:][::-1]
    if wants_json(ctx):
        print_json([asdict(change) for change in found])
        return
    if not found:
        raise NotFound(wording_of(ctx)("journal.none"))
    terminal.show(*(line for change in found for line in _lines(ctx, change)))


@journal.command("show")
@click.argument("number", type=int)
@common
@click.pass_context
def show(ctx: click.Context, number: int) -> None:
    """Show one change: its row, and the statements it removed, added and kept as versions."""
    with archive.journal_of(settings_of(ctx).data) as rows:
        change = next((change for change in rows.changes(number - 1) if change.number == number), None)
        if change is None:
            raise NotFound(wording_of(ctx)("journal.no_change", number=number), remedy=wording_of(ctx)("journal.see"))
        if wants_json(ctx):
            payload = {name: [f"{quad} ." for quad in rows.quads(change, name)] for name in SECTIONS}
            print_json(asdict(change) | {"payload": None if change.redacted else payload})
            return
        terminal.show(*_lines(ctx, change))
        for sign, section in (("-", "removed"), ("+", "added"), ("v", "versions")):
            for quad in rows.quads(change, section):  # type: ignore[arg-type]
                click.echo(f"{sign} {quad} .")


@journal.command("verify")
@common
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Check every number, hash and payload of the journal."""
    with archive.journal_of(settings_of(ctx).data) as rows:
        count = rows.verify()
        last = rows.last()
    if wants_json(ctx):
        print_json({"verified": count, "hash": last.hash if last else None})
    else:
        click.echo(wording_of(ctx)("journal.verified", count=count, hash=last.hash if last else "–"))


@journal.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@common
@click.pass_context
def export(ctx: click.Context, file: Path) -> None:
    """Write the whole journal to FILE, a ZIP that any tool can open and check."""
    count = archive.export(settings_of(ctx).data, file)
    if wants_json(ctx):
        print_json({"file": str(file), "changes": count})
    else:
        click.echo(wording_of(ctx)("journal.exported", count=count, file=file))


@journal.command("redact")
@click.argument("numbers", nargs=-1, required=True, type=int, metavar="NUMBER...")
@click.option("--why", required=True, type=WRITTEN, help="The reason; it stays in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask: the payloads are destroyed for good.")
@common
@click.pass_context
def redact(ctx: click.Context, numbers: tuple[int, ...], why: str, yes: bool) -> None:
    """Destroy what the changes NUMBER… carried; their rows, hashes and the reason stay."""
    say = wording_of(ctx)
    listed = ", ".join(map(str, numbers))
    if not yes:
        click.confirm(say("journal.destroy", numbers=listed), abort=True, err=True)
    with changing(ctx) as register, following(say) as progress:
        revision = register.redact(numbers, why, getpass.getuser(), progress)
    if wants_json(ctx):
        print_json({"redacted": list(numbers), "revision": revision})
    else:
        click.echo(say("journal.redacted", numbers=listed, revision=revision))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@common
@click.pass_context
def backup(ctx: click.Context, folder: Path) -> None:
    """Copy the register to a new FOLDER, also while it is being served."""
    copied = archive.backup(settings_of(ctx).data, folder)
    _told(ctx, "data.backed_up", copied.as_json())


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "to", metavar="REVISION|TIME", help="As after this change, or as at this instant; all of it.")
@common
@click.pass_context
def restore(ctx: click.Context, folder: Path, to: str | None) -> None:
    """Make the data directory anew from a backup (or another data directory) in FOLDER."""
    say = wording_of(ctx)
    moment = None if to is None else read_time(to)
    with following(say) as progress:
        copied = archive.restore(folder, settings_of(ctx).data, moment, progress, settings_of(ctx).store)
    _told(ctx, "data.restored", copied.as_json())


@click.command()
@click.option("--known-at", required=True, metavar="INSTANT", help="The instant, with its zone, or a day.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The N-Quads file to write; .gz packs it.")
@common
@click.pass_context
def snapshot(ctx: click.Context, known_at: str, out: Path) -> None:
    """Write every statement as it was known at an instant."""
    say = wording_of(ctx)
    with opened(ctx) as reader:
        moment = parse_instant(known_at, reader.pack.timezone, say)
        count = archive.write_snapshot(reader, moment, out)
    _told(ctx, "data.snapshot", {"path": str(out), "statements": count})


def _told(ctx: click.Context, key: str, what: dict[str, Any]) -> None:
    if wants_json(ctx):
        print_json(what)
    else:
        click.echo(wording_of(ctx)(key, **what))


def _lines(ctx: click.Context, change: Change) -> list[Text]:
    say = wording_of(ctx)
    head = Text(f"{change.number}  {change.at}  {change.who}", style="bold")
    counts = say("journal.counts", added=change.added, removed=change.removed, versions=change.versions)
    lines = [head, Text(f"   {change.source}"), Text(f"   {counts}")]
    if change.message:
        lines.append(Text(f"   {change.message}"))
    if change.redacted:
        gone = say("journal.gone", at=change.redacted_at, who=change.redacted_by, why=change.redacted_why)
        lines.append(Text(f"   {gone}"))
    return lines
