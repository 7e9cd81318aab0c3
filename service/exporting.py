"""Write the register out in the words of the standards, from a terminal: the verb ``diaba export``."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from graph import export
from graph.errors import BadQuestion
from service import asking
from service.clocks import parse_day, today_in
from service.shell import WRITTEN, answered, common, opened, print_json, tell, wants_json, wording_of

#: what had to be written other than it stands in the register, and the words for it
_REMARKS = {
    "catalogue-without-publisher": "export.no_publisher",
    "service-without-endpoint": "export.no_endpoint",
    "distribution-without-address": "export.no_address",
    "description-made": "export.described",
}


@click.command("export")
@click.argument("profile", type=click.Choice(["dcat", "cpov"]))
@click.option("--as-of", default="", metavar="DAY", help="The day that is written, YYYY-MM-DD; today.")
@click.option(
    "--format", "written", type=click.Choice(list(export.FORMATS)), help="As what; by the end of -o, else ttl."
)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; else it is printed.")
@click.option("--publisher", type=WRITTEN, metavar="BODY", help="Who publishes the catalogue: a body's name or IRI.")
@common
@click.pass_context
def write_out(
    ctx: click.Context, profile: str, as_of: str, written: str | None, out: Path | None, publisher: str | None
) -> None:
    """Write the catalogue as DCAT-AP (dcat) or the bodies as CPOV (cpov)."""
    say = wording_of(ctx)
    heard: Counter[str] = Counter()
    with opened(ctx) as reader:
        day = parse_day(as_of, say) if as_of else today_in(reader.pack.timezone)
        form = written or ("jsonld" if out is None and wants_json(ctx) else _form_of(out))
        if profile == "dcat":
            body = None
            if publisher:
                body, _ = asking.find_body(reader, asking.read_question(reader, publisher, as_of, "", say), say)
            head = export.head_of(reader.pack, day, body)
            triples = export.dcat(reader.graph, day, head, remark=lambda code, iri: heard.update([code]))
        elif publisher:
            raise BadQuestion(say("export.publisher"), remedy=say("export.publisher_remedy"))
        else:
            triples = export.cpov(reader.graph, day, reader.pack.timezone, reader.pack.languages)
        if out is None:
            answered(ctx)
            sys.stdout.flush()
            count = export.write(triples, form, sys.stdout.buffer)
        else:
            with _whole(out) as file:
                count = export.write(triples, form, file)
    if out is not None and wants_json(ctx):
        print_json({
            "path": str(out), "profile": profile, "as_of": day.isoformat(), "statements": count, "remarks": dict(heard),
        })  # fmt: skip
        return
    if out is not None:
        click.echo(say("data.snapshot", path=out, statements=count))
    for code, number in sorted(heard.items()):
        tell(say(_REMARKS[code], count=say.number(number)))


def _form_of(out: Path | None) -> str:
    """Return the format that the name of a file asks for."""
    ending = out.suffix.lower().removeprefix(".") if out else ""
    return {"xml": "rdf", "json": "jsonld"}.get(ending, ending if ending in export.FORMATS else "ttl")


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that is there whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
