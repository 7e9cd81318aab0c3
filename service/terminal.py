"""Print answers for people at a terminal: cards, rows, trees and tables that wrap well at 80 columns.

Everything becomes text first and is written in one go, so that a closed pipe is noticed in one place. Colour and
weight are used on a terminal only, and never carry meaning alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from graph.terms import Confidence, Role, Status
from service.card import Description, Entry, Section, Thing
from service.wording import Wording

#: columns: the fewest that are believed, those taken where none are known, the most that still read well
_NARROWEST, _NARROW, _WIDE = 40, 80, 110
#: what text of the register must not do to a terminal: control it, or turn its reading direction round; the escape that
#: stays is that of our own colours, for text has lost its own by then
_UNSEEN = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x0A, 0x1B}
)
_MARKS = {"held": "●", "shared": "◐", "disputed": "▲", "needs-decision": "▲", "unknown": "?"}
_STYLES = {"held": "green", "shared": "green", "disputed": "yellow", "needs-decision": "yellow"}


def show(*parts: RenderableType) -> None:
    """Write the parts to standard output, coloured on a terminal only."""
    terminal = sys.stdout.isatty()
    text = StringIO()
    console = Console(
        file=text, force_terminal=terminal, width=_width(), highlight=False, emoji=False, markup=False,
        no_color=not terminal or "NO_COLOR" in os.environ, color_system="standard" if terminal else None,
        legacy_windows=False,
    )  # fmt: skip
    for part in parts:
        console.print(part)
    lines = (line.rstrip() for line in text.getvalue().translate(_UNSEEN).splitlines())
    click.echo("\n".join(lines), color=terminal)


def lines(texts: Sequence[str], styles: Sequence[str] = ()) -> None:
    """Write each text as one line, however long: other programs read them by the line."""
    terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for number, text in enumerate(texts):
        clean = text.translate(_UNSEEN).replace("\x1b", "").replace("\n", " ")
        click.echo(click.style(clean, fg=styles[number]) if terminal and number < len(styles) else clean)


def _width() -> int:
    if sys.stdout.isatty():
        return min(shutil.get_terminal_size((_NARROW, 24)).columns, _WIDE)
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) >= _NARROWEST else _NARROW


# --- the card -------------------------------------------------------------------------------------------------------


def card(description: Description, say: Wording) -> Group:
    """Return an answer card: a line per role, the unverified below a line, then notes."""
    parts: list[RenderableType] = [
        Text(description.resource.label, style="bold"),
        Text(description.resource.iri, style="dim", overflow="fold"),
        Text(say("card.on", day=description.day)),
    ]
    parts += [Text(remark) for remark in (description.known, description.foresight) if remark]
    parts.append(Text())
    parts.append(_sections(description.sections, say))
    if description.claims:
        parts += [
            Text(),
            Rule(Text(say("card.claims").upper(), style="bold yellow"), style="yellow", align="left"),
            Text(say("card.claims_lead"), style="dim"),
            Text(),
            _sections(description.claims, say),
        ]
    if description.notes:
        parts += [Text(), Text(say("card.notes"), style="bold")]
        parts += [Padding(Text(f"· {note}"), (0, 0, 0, 2)) for note in description.notes]
    return Group(*parts)


def _sections(sections: Sequence[Section], say: Wording) -> Table:
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(no_wrap=True, min_width=11)
    grid.add_column(overflow="fold")
    for section in sections:
        grid.add_row(Text(section.heading, style="bold cyan"), Group(*_section(section, say)))
    return grid


def _section(section: Section, say: Wording) -> Iterable[RenderableType]:
    if section.status and (section.role == "accountable" or section.status != "held"):
        yield status(section.status, section.state)
    for number, entry in enumerate(section.entries):
        if number:
            yield Text()
        yield from _entry(entry, say)
    for key, entries in (("contradicted", section.contradicted), ("beaten", section.beaten)):
        for entry in entries:
            yield Text(f"{say('card.' + key)}: {_named(entry.holders, say)} · {_known(entry)}", style="dim")
    if section.remark:
        yield Text(section.remark)


def _entry(entry: Entry, say: Wording) -> Iterable[RenderableType]:
    yield Text(_named(entry.holders, say), style="bold")
    yield Text(_known(entry))
    for remark in entry.remarks:
        yield Text(remark)
    basis = "; ".join(law.label for law in entry.basis) or say("card.no_basis")
    yield Text(f"{say('card.basis')}: {basis}", style="" if entry.basis else "dim")
    for condition in entry.conditions:
        yield Text(f"{say('card.condition')}: {condition}")
    for step in entry.steps:
        yield Text(f"↳ {step}")
    yield Text(f"{say('card.source')}: {', '.join(thing.label for thing in entry.sources)}", style="dim")
    for other in entry.support:
        yield Text(f"{say('card.support')}: {' · '.join((*other.remarks, _known(other)))}", style="dim")


def _known(entry: Entry) -> str:
    trust = f"{entry.confidence} {entry.trust}" if entry.trust != entry.confidence else entry.confidence
    return " · ".join(part for part in (entry.term, entry.how, trust) if part)


def _named(holders: Sequence[Thing], say: Wording) -> str:
    names = [f"{holder.label} ({holder.remark})" if holder.remark else holder.label for holder in holders]
    return ", ".join(names) or say("card.nobody")


def status(code: str, words: str) -> Text:
    """Return a status as a mark and its words."""
    return Text(f"{_MARKS.get(code, '○')} {words}", style=_STYLES.get(code, "red" if code != "unknown" else ""))


# --- rows, tables, trees --------------------------------------------------------------------------------------------


def heading(title: str, *lines: str) -> Group:
    """Return a title with what is to be said under it."""
    return Group(Text(title, style="bold"), *(Text(line, overflow="fold") for line in lines))


def rows(found: Sequence[Mapping[str, Any]], say: Wording) -> Table:
    """Return the rows of a search: what it is and by what it was met, and who answers for it."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 1, 0))
    table.add_column(say("table.name"), ratio=3, overflow="fold")
    table.add_column(say("table.answers"), ratio=2, overflow="fold")
    for row in found:
        about = " · ".join(part for part in (row["kind_label"], row["remark"]) if part)
        table.add_row(Group(Text(row["label"]), Text(about, style="dim")), _answered(row["answer"]))
    table.expand = True
    return table


def _answered(answer: Mapping[str, Any] | None) -> RenderableType:
    if answer is None:
        return Text("")
    names = ", ".join(holder["label"] for holder in answer["holders"])
    parts = [Text(names)] if names else []
    return Group(*parts, status(answer["status"], answer["state"]))


def portfolio(found: Sequence[Mapping[str, Any]], say: Wording) -> Table:
    """Return a body's data: title, which unit holds it, status."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(say("table.data"), ratio=3, overflow="fold")
    table.add_column(say("table.holder"), ratio=2, overflow="fold")
    table.add_column(say("table.status"), overflow="fold")
    for row in found:
        table.add_row(Text(row["label"]), Text(row["holder"]["label"]), status(row["status"], row["state"]))
    table.expand = True
    return table


def listing(headings: Sequence[str], found: Sequence[Sequence[str | None]]) -> RenderableType:
    """Return any rows: as a table where every word fits in its column, else one under the other."""
    words = [
        max((cell_len(word) for cell in (heading, *cells) for word in (cell or "").split()), default=0)
        for heading, *cells in zip(headings, *found, strict=True)
    ]
    if sum(words) + 2 * len(words) > _width():
        return _records(headings, found)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title, width in zip(headings, words, strict=True):
        table.add_column(title, overflow="fold", min_width=width)
    for row in found:
        table.add_row(*(Text(cell or "") for cell in row))
    return table


def counted(headings: Sequence[str], found: Sequence[tuple[str, str, Sequence[str]]]) -> Table:
    """Return things with a remark under each, and numbers or short words in columns beside them."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(headings[0], ratio=1, overflow="fold")
    for title in headings[1:]:
        table.add_column(title, justify="right", no_wrap=True)
    for label, note, cells in found:
        about = Group(Text(label), Text(note, style="dim")) if note else Text(label)
        table.add_row(about, *(Text(cell) for cell in cells))
    table.expand = True
    return table


def worded(cell: str | None, say: Wording) -> str | None:
    """Return the words for a code of ours, such as a status, and any other value as it is."""
    for family, namespace in (("status", Status.NS), ("role", Role.NS), ("confidence", Confidence.NS)):
        if cell and cell.startswith(namespace):
            return say.coded(family, cell.removeprefix(namespace))
    return cell


def _records(headings: Sequence[str], found: Sequence[Sequence[str | None]]) -> Group:
    parts: list[RenderableType] = []
    for number, row in enumerate(found):
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for title, cell in zip(headings, row, strict=True):
            if cell:
                grid.add_row(Text(title, style="bold"), Text(cell))
        parts += [Text(), grid] if number else [grid]
    return Group(*parts)


def tree(title: str, start: str, onward: Mapping[str, Sequence[str]], names: Mapping[str, str], say: Wording) -> Tree:
    """Return what is reached from ``start`` as a tree; what was shown before is named again but not opened."""
    root = Tree(Text(title, style="bold"), guide_style="dim")
    if start not in onward:
        root.add(Text(say("lineage.nothing"), style="dim"))
    shown = {start}
    waiting = [(root, there) for there in reversed(onward.get(start, ()))]
    while waiting:  # no recursion: a chain of flows may be longer than Python's stack
        branch, node = waiting.pop()
        if node in shown:
            branch.add(Text(f"{names[node]} ({say('lineage.again')})", style="dim"))
            continue
        shown.add(node)
        grown = branch.add(Text(names[node]))
        waiting += [(grown, there) for there in reversed(onward.get(node, ()))]
    return root
