"""Read from the graph what each thing can be found by: its names, labels and codes with their days, and its context.

One thing, one document; ``graph.search`` keeps them in its index. ``touched`` tells which documents a change of the
graph concerns, so that the index follows the journal without being built anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

import pyoxigraph as ox

from graph.store import Reader
from graph.terms import DCAT, DCT, FOAF, RDF, RDFS, SKOS, SKOSXL, Confidence, D, Level

#: kinds of things that are found, best first when a question fits several equally well
KINDS: Final = ("dataset", "series", "service", "catalog", "body", "area", "task", "law", "post", "field")

_CLASS_KINDS: Final = {
    DCAT.DatasetSeries: "series",
    DCAT.Catalog: "catalog",
    DCAT.DataService: "service",
    DCAT.Dataset: "dataset",
    DCAT.Resource: "dataset",
    D.Agency: "body",
    D.OutsideBody: "body",
    D.Holder: "body",
    D.Area: "area",
    D.Task: "task",
    D.LegalInstrument: "law",
    D.Post: "post",
    SKOS.Concept: "field",
}

#: how wide a level of government is, the widest first; unknown between the nation and a part of it
WIDTH: Final = {Level.central: 0, "": 1, Level.province: 2, Level.district: 3, Level.commune: 4}


@dataclass(frozen=True, slots=True)
class Naming:
    """Hold one name or code of a thing: ``sort`` is ``name`` (a dated one), ``label``, ``other`` or ``code``.

    ``since`` and ``until`` (exclusive) bound the days on which it is one; ``scheme`` names the code list.
    """

    text: str
    language: str = ""
    sort: str = "label"
    since: date | None = None
    until: date | None = None
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Hold what the index knows of one thing; ``context`` are words it may be found by that are no name of it.

    ``level`` is the IRI of a level of government or empty; ``verified`` is false for what a mock or a memory told.
    """

    iri: str
    kind: str
    namings: tuple[Naming, ...]
    context: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    level: str = ""
    verified: bool = True


_Values = dict[str, list[ox.Quad]]

_KEYWORD: Final = DCAT.NS + "keyword"
_OWN: Final = (
    RDF.type, SKOS.prefLabel, DCT.title, FOAF.name, RDFS.label, SKOS.altLabel, SKOSXL.literalForm, DCT.identifier,
    SKOS.notation, D.from_, D.until, D.level, D.confidence, DCAT.theme, _KEYWORD, D.managedIn, D.bodyKind,
)  # fmt: skip
_OWN_WORDS: Final = frozenset(_OWN)
#: statements of one node from which on it is read by predicate
_MANY: Final = 100
_LABELS: Final = (SKOS.prefLabel, DCT.title, FOAF.name, RDFS.label)
_RECORD: Final = (SKOSXL.literalForm, SKOS.notation, SKOS.inScheme, D.from_, D.until)
#: what makes a concept a field rather than an entry of some other code list
_FIELD_USES: Final = (DCAT.theme, D.field, D.authoritativeFor)
#: statements about whose object something changes as well: what is named, and a concept that becomes a field
_POINTS: Final = frozenset({D.nameOf, D.codeOf, *_FIELD_USES})
#: statements by which others than the subject are found or ranked
_SPREADS: Final = frozenset({*_LABELS, D.level})
_CONCERNED: Final = frozenset({*_OWN, *_RECORD, *_POINTS})
_DOUBTED: Final = frozenset({Confidence.V3_MOCK, Confidence.R})


def documents_of(reader: Reader, nodes: Iterable[str], languages: Sequence[str] = ()) -> Iterator[Document]:
    """Yield the document of each node that can be found; others (records, code lists, what is gone) yield none.

    ``languages`` says whose labels come first. A node that is given twice may yield twice, which the index minds not.
    """
    neighbours = _Neighbours(reader)
    preference = {language: number for number, language in enumerate(languages)}
    for node in nodes:
        document = _document(reader, node, neighbours, preference)
        if document is not None:
            yield document


def _document(reader: Reader, node: str, neighbours: _Neighbours, preference: dict[str, int]) -> Document | None:
    values = _read_own(reader, node)
    types = set(_iris(values, RDF.type))
    kind = next((kind for cls, kind in _CLASS_KINDS.items() if cls in types), None)
    if kind is None or (kind == "field" and next(iter(reader.incoming((node,), _FIELD_USES)), None) is None):
        return None

    def spoken(naming: Naming) -> tuple[int, str]:
        return preference.get(naming.language, len(preference)), naming.language

    # Of labels the wanted language comes first; within one the order of the predicates stands.
    labels = sorted(_literals(values, _LABELS, "label"), key=spoken)
    dated = _dated_namings(reader, node, neighbours)
    dated.sort(key=lambda one: (_by_days(one), spoken(one), _by_length(one)))
    others = sorted(_literals(values, (SKOS.altLabel, SKOSXL.literalForm), "other"), key=_by_text)
    codes = sorted(_literals(values, (DCT.identifier, SKOS.notation), "code"), key=_by_text)
    namings = tuple(dict.fromkeys([*dated, *labels, *others, *codes]))
    if not namings:
        return None
    context = {
        label for predicate in (DCAT.theme, D.managedIn) for near in _iris(values, predicate)
        for label in neighbours.labels(near)
    }  # fmt: skip
    context.update(one.text for one in _literals(values, (_KEYWORD,), "other"))
    return Document(
        iri=node,
        kind=kind,
        namings=namings,
        context=tuple(sorted(context)),
        since=min(_days(values, D.from_), default=None),
        until=max(_days(values, D.until), default=None),
        level=_level(values, neighbours),
        verified=not _is_doubted(values, neighbours),
    )


def _level(values: _Values, neighbours: _Neighbours) -> str:
    """Return the widest level of the thing itself, else of its kind of body, else of where its data are managed."""
    stated = _iris(values, D.level)
    for predicate in (D.bodyKind, D.managedIn):
        if not stated:
            stated = [level for near in _iris(values, predicate) for level in neighbours.levels(near)]
    return min(stated, key=lambda level: (WIDTH.get(level, len(WIDTH)), level), default="")


def _is_doubted(values: _Values, neighbours: _Neighbours) -> bool:
    """Tell whether the thing, or every graph that describes it, is marked as a mock or as remembered."""
    if not _DOUBTED.isdisjoint(_iris(values, D.confidence)):
        return True
    return all(neighbours.doubted(quad.graph_name) for quad in values[RDF.type])


def _dated_namings(reader: Reader, node: str, neighbours: _Neighbours) -> list[Naming]:
    """Return what the name and code records say."""
    namings: list[Naming] = []
    quads = reader.incoming((node,), (D.nameOf, D.codeOf))
    for record in sorted({quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}):
        values = _values(reader, record, _RECORD)
        since = min(_days(values, D.from_), default=None)
        until = max(_days(values, D.until), default=None)
        scheme = " ".join(label for near in _iris(values, SKOS.inScheme) for label in neighbours.labels(near))
        names = _literals(values, (SKOSXL.literalForm,), "name")
        codes = _literals(values, (SKOS.notation,), "code")
        namings.extend(replace(one, since=since, until=until) for one in names)
        namings.extend(replace(one, since=since, until=until, scheme=scheme) for one in codes)
    return namings


def _by_days(naming: Naming) -> tuple[bool, int, int]:
    """Order names before codes and the latest first."""
    return naming.sort != "name", -(naming.until or date.max).toordinal(), -(naming.since or date.min).toordinal()


def _by_length(naming: Naming) -> tuple[int, str]:
    """Order the longest first: the forms of one record are its name and the abbreviations of it."""
    return -len(naming.text), naming.text


def _read_own(reader: Reader, node: str) -> _Values:
    """Return what a node says of itself.

    Read whole, which costs one move instead of one per predicate; a catalogue lists its members by the thousand, so
    there only what counts is asked for.
    """
    values: _Values = {}
    for count, quad in enumerate(reader.outgoing((node,))):
        if count == _MANY:
            return _values(reader, node, _OWN)
        if (predicate := quad.predicate.value) in _OWN_WORDS:
            values.setdefault(predicate, []).append(quad)
    return values


def _values(reader: Reader, node: str, predicates: Sequence[str]) -> _Values:
    values: _Values = {}
    for quad in reader.outgoing((node,), predicates):
        values.setdefault(quad.predicate.value, []).append(quad)
    return values


def _literals(values: _Values, predicates: Sequence[str], sort: str) -> list[Naming]:
    return [
        Naming(quad.object.value.strip(), quad.object.language or "", sort)
        for predicate in predicates for quad in values.get(predicate, ())
        if isinstance(quad.object, ox.Literal) and quad.object.value.strip()
    ]  # fmt: skip


def _iris(values: _Values, predicate: str) -> list[str]:
    return [quad.object.value for quad in values.get(predicate, ()) if isinstance(quad.object, ox.NamedNode)]


def _days(values: _Values, predicate: str) -> Iterator[date]:
    for quad in values.get(predicate, ()):
        if isinstance(quad.object, ox.Literal):
            # what is no day is refused when it is loaded; a store of other people's may hold it all the same
            with suppress(ValueError):
                yield date.fromisoformat(quad.object.value)


def _by_text(naming: Naming) -> tuple[str, str]:
    return naming.text, naming.language


class _Neighbours:
    """Remember labels and levels of what many documents point to: fields, areas, kinds, schemes, graphs."""

    def __init__(self, reader: Reader) -> None:
        self.labels = lru_cache(maxsize=50_000)(lambda node: _labels(reader, node))
        self.levels = lru_cache(maxsize=50_000)(lambda node: _objects(reader, node, D.level))
        self._confidences = lru_cache(maxsize=10_000)(lambda node: _objects(reader, node, D.confidence))

    def doubted(self, graph: object) -> bool:
        """Tell whether nobody vouches for a graph."""
        return isinstance(graph, ox.NamedNode) and bool(_DOUBTED.intersection(self._confidences(graph.value)))


def _labels(reader: Reader, node: str) -> tuple[str, ...]:
    return tuple(sorted({one.text for one in _literals(_values(reader, node, _LABELS), _LABELS, "label")}))


def _objects(reader: Reader, node: str, predicate: str) -> tuple[str, ...]:
    return tuple(sorted(set(_iris(_values(reader, node, (predicate,)), predicate))))


def all_nodes(reader: Reader) -> Iterator[str]:
    """Yield every node that may have a document, for building the index anew; one of two classes comes twice."""
    for cls in _CLASS_KINDS:
        for quad in reader.incoming((cls,), (RDF.type,)):
            if isinstance(quad.subject, ox.NamedNode):
                yield quad.subject.value


def touched(reader: Reader, changed: Iterable[ox.Quad]) -> Iterator[str]:
    """Yield the nodes, each once, whose documents a change concerns; more than needed may come, never fewer.

    ``changed`` are the quads removed and added; ``reader`` holds the state after the change. Both together tell what a
    withdrawn name record named. (The mark of a whole source is read when a document is made: a source that is marked
    anew without being stated anew keeps its places until the next rebuild.)
    """
    seen: set[str] = set()
    for node in _concerned(reader, changed):
        if node not in seen:
            seen.add(node)
            yield node


def _concerned(reader: Reader, changed: Iterable[ox.Quad]) -> Iterator[str]:
    spread: set[str] = set()
    asked = ""
    for quad in changed:
        predicate = quad.predicate.value
        if predicate not in _CONCERNED or not isinstance(quad.subject, ox.NamedNode):
            continue
        node = quad.subject.value
        if predicate in _POINTS and isinstance(quad.object, ox.NamedNode):
            yield quad.object.value
        if predicate in _RECORD:
            # Statements of one subject mostly come together: ask the store once for all of them.
            if node != asked:
                asked = node
                yield from _named_by(reader, node)
        elif predicate in _OWN:
            yield node
        if predicate in _SPREADS and node not in spread:
            spread.add(node)
            yield from _pointing(reader, node)


def _named_by(reader: Reader, node: str) -> Iterator[str]:
    """Yield what a record names, or the node itself where it is no record of a name or code."""
    named = [
        quad.object.value
        for quad in reader.outgoing((node,), (D.nameOf, D.codeOf)) if isinstance(quad.object, ox.NamedNode)
    ]  # fmt: skip
    yield from named or (node,)


def _pointing(reader: Reader, node: str) -> Iterator[str]:
    """Yield what is found by the label or ranked by the level of a node: described data, bodies, bearers of codes."""
    for quad in reader.incoming((node,), (DCAT.theme, D.managedIn, D.bodyKind)):
        if isinstance(quad.subject, ox.NamedNode):
            yield quad.subject.value
    for quad in reader.incoming((node,), (SKOS.inScheme,)):
        if isinstance(quad.subject, ox.NamedNode):
            yield from _iris(_values(reader, quad.subject.value, (D.codeOf,)), D.codeOf)
