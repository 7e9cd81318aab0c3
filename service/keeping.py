"""Keep the register from a terminal: the verbs that make it, load it, make its projections anew, and serve it."""

from __future__ import annotations

import errno
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import click

from graph.errors import BadSetting, DataDirectory, Place
from graph.owner import hold, owning
from service.settings import Settings
from service.shell import (
    WRITTEN,
    changing,
    common,
    data_of,
    following,
    is_empty,
    make,
    print_json,
    settings_of,
    tell,
    wants_json,
    wording_of,
)
from service.wording import Wording
from service.workers import Workers

#: connections that wait while all workers are busy or none is there yet
BACKLOG = 2048
#: seconds that an address may still be taken by what is about to go
MOMENT = 1.0


@click.command()
@click.option("--empty", is_flag=True, help="Make it without a country's pack.")
@click.option("--pack", metavar="NAME", default="vn", show_default=True, help="The pack: a folder of ontology/.")
@common
@click.pass_context
def init(ctx: click.Context, empty: bool, pack: str) -> None:
    """Make the data directory, with a country's pack in it."""
    say = wording_of(ctx)
    settings = settings_of(ctx)
    data = settings.data
    if not is_empty(data):
        raise DataDirectory(say("data.exists", path=data), remedy=say("data.exists_remedy"), place=Place(str(data)))
    revision = make(settings, None if empty else pack, say)
    if wants_json(ctx):
        print_json({"data": str(data), "revision": revision})
    else:
        click.echo(say("data.made_empty" if empty else "data.made", path=data, revision=revision))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE|URL|DIR...")
@click.option(
    "--source", type=WRITTEN, metavar="IRI", help="The source these files state; the file's address when not given."
)
@click.option(
    "--confidence", type=click.Choice(["V1", "V2", "V3", "V3-mock", "R"]), help="How far the source can be trusted; V3."
)
@click.option("--partial", is_flag=True, help="Add only: what the files leave out is not withdrawn.")
@click.option("--history", is_flag=True, help="The files carry past versions with their own recording times.")
@click.option("--mapping", metavar="FILE", help="What turns a table or foreign RDF into statements of the register.")
@click.option("--message", default="", type=WRITTEN, metavar="TEXT", help="Why, for the journal.")
@common
@click.pass_context
def load(ctx: click.Context, files: tuple[str, ...], **options: Any) -> None:
    """Load RDF files or tables into the register: all of them, or nothing and the reason."""
    say = wording_of(ctx)
    with changing(ctx) as register, following(say) as progress:
        report = register.load(files, **options, progress=progress)
    if wants_json(ctx):
        print_json(report.as_json())
    else:
        for line in report.lines():
            click.echo(line)  # a line per source, however narrow the terminal: programs read it too


@click.command()
@common
@click.pass_context
def rebuild(ctx: click.Context) -> None:
    """Make the graph, its standings, the history and the search index anew from the journal."""
    say = wording_of(ctx)
    with following(say) as progress, changing(ctx, rebuild=True, progress=progress) as register:
        revision = register.revision
    if wants_json(ctx):
        print_json({"revision": revision})
    else:
        click.echo(say("data.rebuilt", revision=revision))


@click.command()
@click.option("--host", help="Address to listen on; DIABA_HOST, else 127.0.0.1.")
@click.option("--port", help="Port to listen on; DIABA_PORT, else 8000. 0 takes a free one.")
@click.option("--base-path", help="Prefix under which a proxy publishes the service; DIABA_BASE_PATH, else none.")
@click.option("--workers", help="Processes that answer; DIABA_WORKERS, else 1.")
@common
@click.pass_context
def serve(ctx: click.Context, **options: str | None) -> None:
    """Serve the pages and the JSON until stopped.

    This process owns the register, lets changes in and takes checkpoints; its workers answer from them.
    """
    settings = settings_of(ctx, **options)
    say = wording_of(ctx)
    stop = Event()
    with (
        _listening(settings, say) as listener,
        owning(hold(data_of(ctx), store=settings.store), stop=stop.set, drain=False) as owner,
    ):
        workers = Workers(settings, listener)
        try:
            owner.checkpoint()
            _stop_on_signals(stop)
            workers.start(stop)
            tell(say("serve.on", address=_address(settings, listener)))
            workers.watch(stop, lambda process: tell(say("serve.replaced", process=process)))
        finally:
            workers.stop()


def _stop_on_signals(stop: Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())


def _address(settings: Settings, listener: socket.socket) -> str:
    named_host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{named_host}:{listener.getsockname()[1]}{settings.base_path}/"


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
            _bind(listener, where)
        except OSError as error:
            raise _no_address(address, error, say) from error
        yield listener


def _bind(listener: socket.socket, where: Any) -> None:
    """Take the address; the workers of a service that was just killed may have it for a moment longer."""
    until = time.monotonic() + MOMENT
    while True:
        try:
            listener.bind(where)
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
            time.sleep(0.05)
    listener.listen(BACKLOG)


def _no_address(address: str, error: OSError, say: Wording) -> BadSetting:
    reason = error.strerror or str(error)
    return BadSetting(say("serve.port_taken", address=address, reason=reason), remedy=say("serve.port_remedy"))
