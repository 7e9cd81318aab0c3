"""Find what things are called on a day, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from urllib.parse import unquote

import pyoxigraph as ox

from graph.model import ALWAYS, Interval
from graph.store import Edges
from graph.terms import DCT, FOAF, RDFS, SKOS, SKOSXL, D

_LABELS = (SKOS.prefLabel, DCT.title, FOAF.name, RDFS.label)
_NAME = (SKOSXL.literalForm, D.from_, D.until)


def labels(
    reader: Edges, nodes: Iterable[str], day: date | None = None, languages: Sequence[str] = ("vi", "en")
) -> dict[str, str]:
    """Return a label for each node: the dated name valid on the day, else a label, else the end of the IRI.

    ``languages`` are tried in order, then text without a language, then any; of several equal ones the first in
    alphabetical order is taken, so that the same question always gets the same words.
    """
    wanted = sorted(set(nodes))
    dated = _dated_names(reader, wanted, day, languages)
    said: dict[str, list[tuple[tuple[int, int, str], str]]] = {}
    for subject, predicate, value, _ in reader.outgoing([n for n in wanted if n not in dated], _LABELS):
        if isinstance(value, ox.Literal):
            rank = (_rank(value.language, languages), _LABELS.index(predicate.value), value.value)
            said.setdefault(subject.value, []).append((rank, value.value))
    return {node: dated.get(node) or (min(said[node])[1] if node in said else tail(node)) for node in wanted}


def named(reader: Edges, nodes: Iterable[str], day: date) -> dict[str, dict[str, str]]:
    """Return what each node is called on the day, by language (``""`` for text without one), for whoever writes all.

    A language that no dated name has on the day is taken from the labels; a node that has neither is not returned.
    """
    wanted = sorted(set(nodes))
    found: dict[str, dict[str, str]] = {}
    for node, forms in _dated_forms(reader, wanted, day).items():
        for _, text, language in sorted((-len(form.value), form.value, form.language or "") for form in forms):
            found.setdefault(node, {}).setdefault(language, text)
    said = [
        (subject.value, _LABELS.index(predicate.value), value.value, value.language or "")
        for subject, predicate, value, _ in reader.outgoing(wanted, _LABELS)
        if isinstance(value, ox.Literal)
    ]
    for node, _, text, language in sorted(said):
        found.setdefault(node, {}).setdefault(language, text)
    return found


def _dated_names(reader: Edges, nodes: list[str], day: date | None, languages: Sequence[str]) -> dict[str, str]:
    if day is None:
        return {}
    found: dict[str, str] = {}
    for node, forms in _dated_forms(reader, nodes, day).items():
        ranked = [(_rank(form.language, languages), -len(form.value), form.value) for form in forms]
        wanted = [entry for entry in ranked if entry[0] <= len(languages)]
        if wanted:
            found[node] = min(wanted)[2]
    return found


def _dated_forms(reader: Edges, nodes: list[str], day: date) -> dict[str, list[ox.Literal]]:
    """Return the forms of the dated names that are valid on the day."""
    names: dict[str, list[str]] = {}
    for subject, _, value, _ in reader.incoming(nodes, (D.nameOf,)):
        names.setdefault(value.value, []).append(subject.value)
    forms: dict[str, list[ox.Literal]] = {}
    days: dict[str, dict[str, date]] = {}
    for subject, predicate, value, _ in reader.outgoing(sorted({n for ns in names.values() for n in ns}), _NAME):
        if not isinstance(value, ox.Literal):
            continue
        if predicate.value == SKOSXL.literalForm:
            forms.setdefault(subject.value, []).append(value)
        else:
            days.setdefault(subject.value, {})[predicate.value] = date.fromisoformat(value.value)
    return {
        node: [form for record in records if _span(days.get(record)).contains(day) for form in forms.get(record, ())]
        for node, records in names.items()
    }


def _span(days: dict[str, date] | None) -> Interval:
    return Interval(days.get(D.from_), days.get(D.until)) if days else ALWAYS


def _rank(language: str | None, languages: Sequence[str]) -> int:
    if language is None:
        return len(languages)
    return languages.index(language) if language in languages else len(languages) + 1


def tail(iri: str) -> str:
    """Return the last part of an IRI, to show where nothing has a name.

    >>> tail("https://w3id.org/diaba/example/mof-2")
    'mof-2'
    """
    return unquote(iri.rstrip("/#").rsplit("#", 1)[-1].rsplit("/", 1)[-1]) or iri
