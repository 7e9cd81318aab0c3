"""Give every verb of the command line the same ground: its options, its register, its words, its way to fail.

What goes wrong is one message on standard error and an exit code, never a traceback; with ``--json`` it is also the
answer: ``{"fault": {…}}`` on standard output, unless an answer that found nothing stands there already.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from graph.errors import DataDirectory, Fault, Place, StoreFault
from graph.owner import Client, Owner, reading, writing
from graph.register import Register, RegisterReader
from service.faults import BROKEN, FOUND, NOTHING, outcome_of
from service.settings import LANGUAGES, VARIABLES, Settings
from service.wording import Wording, locale_language

#: what a shell itself reports for a process that a closed pipe or Ctrl-C has ended
_BROKEN_PIPE, _INTERRUPTED = 141, 130
_COMMON, _ANSWERED = "diaba.common", "diaba.answered"


ARGUMENTS = "service.shell.arguments"
"""Under this name the ``meta`` of a context has the whole line that was given."""


class Verbs(click.Group):
    """Run a verb and turn what goes wrong into one message and an exit code."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command line; a stream that cannot be written ends it with a message too, and wrong usage as JSON."""
        given = list(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal without our letters shows a mark instead of failing
        try:
            code = super().main(given, *others, **{**options, "standalone_mode": False})
        except click.ClickException as error:
            if _asks_for_json(given):
                print_json({"fault": {"name": "usage", "message": error.format_message(), "remedy": "", "place": None}})
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            tell("Aborted!")
            sys.exit(NOTHING)
        except OSError as error:
            if error.filename is None:
                _silence()
            complain(_unwritable(error))
            sys.exit(BROKEN)
        sys.exit(code if isinstance(code, int) else FOUND)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Fault as fault:
            _tell_as_json(ctx, fault)
            complain(fault)
            ctx.exit(outcome_of(fault).exit_code)
        except BrokenPipeError:
            _silence()
            ctx.exit(_BROKEN_PIPE)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


def _asks_for_json(given: Sequence[str]) -> bool:
    """Say whether JSON was asked for by a line that could not be read to its end."""
    return "--json" in given[: given.index("--")] if "--" in given else "--json" in given


def _tell_as_json(ctx: click.Context, fault: Fault) -> None:
    """Answer with the fault, where JSON is wanted and no answer was given yet."""
    if wants_json(ctx) and not ctx.meta.get(_ANSWERED):
        place = fault.place and {"file": fault.place.file, "line": fault.place.line, "column": fault.place.column}
        told = {"name": outcome_of(fault).name, "message": fault.message, "remedy": fault.remedy, "place": place}
        print_json({"fault": told})


def complain(fault: Fault) -> None:
    place = f"{fault.place}: " if fault.place else ""
    lines = [f"diaba: {place}{fault.message}."] + ([fault.remedy] if fault.remedy else [])
    click.echo("\n".join(lines), err=True)


def _unwritable(error: OSError) -> Fault:
    """Tell what the system refused: a file that it names, or else the output."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return StoreFault(f"The output cannot be written: {reason}", remedy="Look for room where it goes to.")
    place = Place(os.fsdecode(error.filename))
    return StoreFault(reason, remedy="Check the path, your rights and the room on the disk.", place=place)


def _silence() -> None:
    """Point standard output nowhere, so that the flush at exit does not complain of the closed pipe again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Written(click.ParamType):
    """Take text that was written in UTF-8, whatever the locale of the process made of it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = in_utf8(value)
        if not _is_whole(text):
            self.fail("This is no text in UTF-8.", param, ctx)
        return text


WRITTEN = Written()


def in_utf8(text: str) -> str:
    """Return an argument as it was typed: a locale such as C or ISO-8859-1 takes letters of UTF-8 apart into bytes."""
    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeError:
        return text  # it was typed in that locale's own letters, or in none


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


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
    """Answer in JSON; letters that the output cannot take are escaped, so that nothing is lost."""
    context = click.get_current_context(silent=True)
    if context is not None:
        answered(context)
    text = json.dumps(found, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(found, indent=2)
    click.echo(text)


def answered(ctx: click.Context) -> None:
    """Note that standard output has its answer, so that a fault is told on standard error alone."""
    ctx.meta[_ANSWERED] = True


def tell(text: str) -> None:
    """Say on standard error what is going on, so that standard output holds the answer alone."""
    click.echo(text, err=True)


@contextmanager
def opened(ctx: click.Context) -> Iterator[RegisterReader]:
    """Open the register to read it, as it is or, while a service holds it, as its newest checkpoint."""
    with reading(data_of(ctx), store=settings_of(ctx).store) as reader:
        if reader.behind is not None:
            complain(reader.behind)
        yield reader


def data_of(ctx: click.Context) -> Path:
    """Return the data directory; make it from the Vietnam pack on first use."""
    settings = settings_of(ctx)
    if is_empty(settings.data):
        make(settings, "vn", wording_of(ctx))
    return settings.data


@contextmanager
def changing(ctx: click.Context, *, rebuild: bool = False, progress: Any = None) -> Iterator[Owner | Client]:
    """Open the register to change it, or turn to the service that holds it; make it on first use."""
    data = settings_of(ctx).data if rebuild else data_of(ctx)
    with writing(data, store=settings_of(ctx).store, rebuild=rebuild, progress=progress) as register:
        yield register


def is_empty(data: Path) -> bool:
    """Say whether nothing is kept here yet; what begins with a dot may be left of a first use that was broken off."""
    try:
        return not data.exists() or all(path.name.startswith(".") for path in data.iterdir())
    except OSError as error:
        raise DataDirectory(
            f"The data directory cannot be looked into: {error.strerror or error}",
            remedy="Check the path and your rights.", place=Place(str(data)),
        ) from error  # fmt: skip


def make(settings: Settings, pack: str | None, say: Wording) -> int:
    data, store = settings.data, settings.store
    if pack:
        tell(say("data.making", path=data, pack=pack))
    with following(say) as progress, Register.create(data, pack=pack, store=store, progress=progress) as register:
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
