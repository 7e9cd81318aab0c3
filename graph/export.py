"""Write the register out in the words of the standards: its catalogue as DCAT-AP, its bodies as CPOV.

Pure generators of statements over a reader, on a day: the command writes them to a file, the service serves them a page
at a time by handing in part of what is to be written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from itertools import islice
from typing import IO, Final

import pyoxigraph as ox

from graph import standards as std
from graph.cpov import Organisations, bodies_of
from graph.dcatap import CATALOGUE, REGISTER, Catalogue, Head, Remark
from graph.pack import Pack
from graph.portrait import pointing
from graph.store import Edges
from graph.terms import RDF, RESOURCE_CLASSES

__all__ = ["CATALOGUE", "FORMATS", "REGISTER", "Head", "bodies_of", "cpov", "dcat", "head_of", "resources_of", "write"]

FORMATS: Final = {
    "ttl": ox.RdfFormat.TURTLE,
    "rdf": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
    "nt": ox.RdfFormat.N_TRIPLES,
}
"""What an export can be written as, by the ending of such a file."""

_TITLE: Final = {"vi": "Danh mục dữ liệu của sổ Diaba", "en": "Catalogue of the Diaba register"}
_DESCRIPTION: Final = {
    "vi": "Dữ liệu, dịch vụ dữ liệu và bên chịu trách nhiệm, tính đến ngày {:%d/%m/%Y}.",
    "en": "Data, data services and who answers for them, as of {:%Y-%m-%d}.",
}
_AT_ONCE: Final = 2_000


def head_of(pack: Pack, day: date, publisher: str | None = None) -> Head:
    """Return what the catalogue of a register says of itself."""
    title = {
        language: f"{words}: {pack.title[language]}" if language in pack.title else words
        for language, words in _TITLE.items()
    }
    languages = tuple(dict.fromkeys((*pack.languages, "en")))
    return Head(title, {language: words.format(day) for language, words in _DESCRIPTION.items()}, languages, publisher)


def resources_of(reader: Edges) -> list[str]:
    """Return every dataset, series, service and catalogue the register describes, sorted."""
    return sorted({subject for subject, _ in pointing(reader, RESOURCE_CLASSES, RDF.type)})


def dcat(
    reader: Edges, day: date, head: Head, resources: Iterable[str] | None = None, remark: Remark | None = None
) -> Iterator[ox.Triple]:
    """Yield the catalogue as of the day in DCAT-AP 3.0.1; of these resources only, or of all.

    ``remark`` hears what had to be written other than it stands in the register.
    """
    catalogue = Catalogue(reader, day, head, remark or (lambda code, iri: None))
    yield from catalogue.heading()
    yield from catalogue.resources(resources_of(reader) if resources is None else resources)


def cpov(
    reader: Edges,
    day: date,
    zone: tzinfo,
    languages: tuple[str, ...] = ("vi", "en"),
    bodies: Iterable[str] | None = None,
) -> Iterator[ox.Triple]:
    """Yield the bodies that exist on the day in CPOV 2.1.2, with the changes that led to them; these only, or all.

    ``zone`` is the register's own, in which a day begins.
    """
    yield from Organisations(reader, day, zone, languages).bodies(bodies_of(reader, day) if bodies is None else bodies)


def write(triples: Iterable[ox.Triple], name: str, out: IO[bytes]) -> int:
    """Write statements in one of ``FORMATS``, each once; return how many there were.

    N-Triples are written as they come; the others are put in order first, all that is said of one thing together.
    """
    form = FORMATS[name]
    seen: set[ox.Triple] = set()
    if form is ox.RdfFormat.N_TRIPLES:
        waiting = _once(triples, seen)
        while piece := list(islice(waiting, _AT_ONCE)):
            ox.serialize(piece, out, format=form)
    else:
        grouped: dict[object, dict[ox.NamedNode, list[ox.Triple]]] = {}
        for triple in _once(triples, seen):
            grouped.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple)
        ordered = (triple for said in grouped.values() for several in said.values() for triple in several)
        ox.serialize(ordered, out, format=form, prefixes=None if form is ox.RdfFormat.JSON_LD else std.PREFIXES)
    return len(seen)


def text_of(triples: Iterable[ox.Triple], name: str) -> bytes:
    """Return statements written in one of ``FORMATS``."""
    out = io.BytesIO()
    write(triples, name, out)
    return out.getvalue()


def _once(triples: Iterable[ox.Triple], seen: set[ox.Triple]) -> Iterator[ox.Triple]:
    for triple in triples:
        if triple not in seen:
            seen.add(triple)
            yield triple
