"""Give every verb of the command line the same ground: its options, its register, its words, its way to fail.

What goes wrong is one message on standard error and an exit code, never a traceback.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from graph.errors import Fault
from graph.owner import reading
from graph.register import Register, RegisterReader
from service.faults import outcome_of
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
            complain(fault)
            ctx.exit(outcome_of(fault).exit_code)
        except BrokenPipeError:
            _silence()
            ctx.exit(_BROKEN_PIPE)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


def complain(fault: Fault) -> None:
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


def _common(ctx: click.Context) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ctx.find_root().meta.get(_COMMON, {})
    return found


def settings_of(ctx: click.Context, **arguments: Any) -> Settings:
    given = _common(ctx)
    return Settings.read(os.environ, data=given.get("data"), language=given.get("language"), **arguments)


def wording_of(ctx: click.Context) -> Wording:
    """Return the words of ``--lang`` or ``DIABA_LANG``, else of the locale, which says nothing about names."""
    if "language" in _common(ctx) or os.environ.get(VARIABLES["language"]):
        return Wording(settings_of(ctx).language, iso=True)
    return Wording(locale_language(os.environ), iso=True, own_names=True)


def wants_json(ctx: click.Context) -> bool:
    return bool(_common(ctx).get("as_json"))


def print_json(found: Any) -> None:
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def tell(text: str) -> None:
    """Say on standard error what is going on, so that standard output holds the answer alone."""
    click.echo(text, err=True)


@contextmanager
def opened(ctx: click.Context) -> Iterator[RegisterReader]:
    """Open the register to read it, as it is or, while a service holds it, as its newest checkpoint."""
    with reading(data_of(ctx)) as reader:
        yield reader


def data_of(ctx: click.Context) -> Path:
    """Return the data directory; make it from the Vietnam pack on first use."""
    data = settings_of(ctx).data
    if is_empty(data):
        make(data, "vn", wording_of(ctx))
    return data


def is_empty(data: Path) -> bool:
    """Say whether nothing is kept here yet; what begins with a dot may be left of a first use that was broken off."""
    return not data.exists() or all(path.name.startswith(".") for path in data.iterdir())


def make(data: Path, pack: str | None, say: Wording) -> int:
    if pack:
        tell(say("data.making", path=data))
    with following(say) as progress, Register.create(data, pack=pack, progress=progress) as register:
        return register.revision


@contextmanager
def following(say: Wording) -> Iterator[Callable[[str, int, int | None], None]]:
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
