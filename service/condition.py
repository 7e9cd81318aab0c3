"""Tell from a terminal how the register stands: the verb ``diaba status``, beside a running service and without one."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import RenderableType
from rich.text import Text

from graph.status import Condition, condition_of
from service import terminal
from service.shell import common, print_json, settings_of, wants_json, wording_of
from service.wording import Wording

_MIB = 1024 * 1024


@click.command()
@common
@click.pass_context
def status(ctx: click.Context) -> None:
    """Show the revision, how far each part follows, who owns the register, and what it takes on the disk."""
    say = wording_of(ctx)
    settings = settings_of(ctx)
    found = condition_of(settings.data, store=settings.store)
    if wants_json(ctx):
        print_json(found.as_json())
        return
    head = terminal.heading(str(found.data), *_lines(found, say))
    terminal.show(head, Text(), *_parts(found, say), _disk(found, say))


def _lines(found: Condition, say: Wording) -> Iterator[str]:
    if found.at is None:
        yield say("state.new")
    else:
        yield say("state.revision", revision=found.revision, at=found.at)
    passport = found.passport
    if passport.pack:
        yield say("state.pack", name=passport.pack, version=passport.pack_version)
    if passport.store:
        yield say("state.store", store=passport.store)
    yield say("state.formats", **found.formats)
    yield from _owner(found, say)


def _owner(found: Condition, say: Wording) -> Iterator[str]:
    owner = found.owner
    if owner is None:
        yield say("state.nobody")
        return
    if not owner["answers"]:
        yield say("state.silent", process=owner["process"] or "–")
        return
    yield say("state.owner", process=owner["process"], since=owner["since"])
    if running := owner["running"]:
        yield say("state.running", what=running["what"], who=running["who"] or "–", since=running["since"])
    if owner["waiting"]:
        yield say("state.waiting", count=len(owner["waiting"]))
    if taken := owner["checkpoint"]:
        yield say(
            "state.checkpoint", revision=taken["revision"], at=taken["taken_at"], count=owner["checkpoints"]
        )
    if owner["held_back"]:
        yield say("state.held_back", why=owner["held_back"])


def _parts(found: Condition, say: Wording) -> Iterator[RenderableType]:
    """Yield the table of the parts, with reasons only where there are some; nothing where nobody tells of them."""
    if not found.parts:
        return
    headings = [say("state.part"), say("state.reached")]
    rows = [[say.coded("step", one.name), "–" if one.revision is None else str(one.revision)] for one in found.parts]
    if any(one.why for one in found.parts):
        headings.append(say("state.why"))
        for row, one in zip(rows, found.parts, strict=True):
            row.append(say.coded("behind", one.why) if one.why else "")
    yield terminal.listing(headings, rows)
    yield Text()


def _disk(found: Condition, say: Wording) -> RenderableType:
    sizes = [[say.coded("disk", name), f"{size / _MIB:,.1f} MiB"] for name, size in found.disk.items() if size]
    return terminal.listing([say("state.disk"), say("state.size")], sizes)
