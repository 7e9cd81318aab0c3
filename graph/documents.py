"""Read from the graph what each thing can be found by: its names, labels and codes with their days, and its context.

One thing, one document; ``graph.search`` keeps them in its index. ``touched`` tells which documents a change of the
graph concerns, so that the index follows the journal without being built anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final, Protocol

import pyoxigraph as ox

from graph.store import Reader
from graph.terms import DCAT, DCT, FOAF, RDF, RDFS, SKOS, SKOSXL, Confidence, D, Level

#: kinds of things that are found, best first when a question fits several equally well
KINDS: Final = ("dataset", "series", "service", "catalog", "body", "area", "task", "law", "post", "field")

CLASS_KINDS: Final = {
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


Said = tuple[str, str | None, str]
"""What a statement says of a node: a text with its language (none is ""), or an IRI (``None``), and the graph."""

Values = dict[str, list[Said]]
"""What is said of one node, by predicate."""


class Sayings(Protocol):
    """Tell about other nodes what the document of one needs."""

    def records(self, node: str) -> Iterable[Values]:
        """Return what each name and code record of a node says, in the order of their IRIs."""

    def is_used(self, node: str) -> bool:
        """Tell whether a concept is the field of anything."""

    def labels(self, node: str) -> tuple[str, ...]:
        """Return the labels of a node, sorted."""

    def levels(self, node: str) -> tuple[str, ...]:
        """Return the levels of government of a node, sorted."""

    def doubted(self, graph: str) -> bool:
        """Tell whether nobody vouches for a graph."""


_KEYWORD: Final = DCAT.NS + "keyword"
_OWN: Final = (
    RDF.type, SKOS.prefLabel, DCT.title, FOAF.name, RDFS.label, SKOS.altLabel, SKOSXL.literalForm, DCT.identifier,
    SKOS.notation, D.from_, D.until, D.level, D.confidence, DCAT.theme, _KEYWORD, D.managedIn, D.bodyKind,
)  # fmt: skip
_OWN_WORDS: Final = frozenset(_OWN)
#: statements of one node from which on it is read by predicate
_MANY: Final = 100
#: by what others than the thing itself it is found: what it is about, and where its data are managed
CONTEXTS: Final = (DCAT.theme, D.managedIn)
LABELS: Final = (SKOS.prefLabel, DCT.title, FOAF.name, RDFS.label)
RECORD: Final = (SKOSXL.literalForm, SKOS.notation, SKOS.inScheme, D.from_, D.until)
#: what makes a concept a field rather than an entry of some other code list
FIELD_USES: Final = (DCAT.theme, D.field, D.authoritativeFor)
#: statements about whose object something changes as well: what is named, and a concept that becomes a field
_POINTS: Final = frozenset({D.nameOf, D.codeOf, *FIELD_USES})
#: statements by which others than the subject are found or ranked
_SPREADS: Final = frozenset({*LABELS, D.level})
CONCERNED: Final = frozenset({*_OWN, *RECORD, *_POINTS})
DOUBTED: Final = frozenset({Confidence.V3_MOCK, Confidence.R})


def documents_of(reader: Reader, nodes: Iterable[str], languages: Sequence[str] = ()) -> Iterator[Document]:
    """Yield the document of each node that can be found; others (records, code lists, what is gone) yield none.

    ``languages`` says whose labels come first. A node that is given twice may yield twice, which the index minds not.
    """
    sayings = _Reading(reader)
    preference = preference_of(languages)
    for node in nodes:
        document = document_of(node, _read_own(reader, node), sayings, preference)
        if document is not None:
            yield document


def preference_of(languages: Sequence[str]) -> dict[str, int]:
    """Number the languages, the one whose labels come first with 0."""
    return {language: number for number, language in enumerate(languages)}


def document_of(node: str, values: Values, sayings: Sayings, preference: Mapping[str, int]) -> Document | None:
    """Make the document of a node out of what is said of it, ``None`` where it cannot be found."""
    types = {value for value, _, _ in values.get(RDF.type, ())}
    kind = next((kind for cls, kind in CLASS_KINDS.items() if cls in types), None)
    if kind is None or (kind == "field" and not sayings.is_used(node)):
        return None

    def spoken(naming: Naming) -> tuple[int, str]:
        return preference.get(naming.language, len(preference)), naming.language

    # Of labels the wanted language comes first; within one the order of the predicates stands, then of the words.
    labels = sorted(_literals(values, LABELS, "label"), key=spoken)
    dated = _dated_namings(node, sayings)
    dated.sort(key=lambda one: (_by_days(one), spoken(one), _by_length(one)))
    others = sorted(_literals(values, (SKOS.altLabel, SKOSXL.literalForm), "other"), key=_by_text)
    codes = sorted(_literals(values, (DCT.identifier, SKOS.notation), "code"), key=_by_text)
    namings = tuple(dict.fromkeys([*dated, *labels, *others, *codes]))
    if not namings:
        return None
    context = {label for predicate in CONTEXTS for near in iris(values, predicate) for label in sayings.labels(near)}
    context.update(one.text for one in _literals(values, (_KEYWORD,), "other"))
    return Document(
        iri=node,
        kind=kind,
        namings=namings,
        context=tuple(sorted(context)),
        since=min(_days(values, D.from_), default=None),
        until=max(_days(values, D.until), default=None),
        level=_level(values, sayings),
        verified=not _is_doubted(values, sayings),
    )


def _level(values: Values, sayings: Sayings) -> str:
    """Return the widest level of the thing itself, else of its kind of body, else of where its data are managed."""
    stated = iris(values, D.level)
    for predicate in (D.bodyKind, D.managedIn):
        if not stated:
            stated = [level for near in iris(values, predicate) for level in sayings.levels(near)]
    return min(stated, key=lambda level: (WIDTH.get(level, len(WIDTH)), level), default="")


def _is_doubted(values: Values, sayings: Sayings) -> bool:
    """Tell whether the thing, or every graph that says what it is, is marked as a mock or as remembered."""
    if not DOUBTED.isdisjoint(iris(values, D.confidence)):
        return True
    return all(sayings.doubted(graph) for value, _, graph in values[RDF.type] if value in CLASS_KINDS)


def _dated_namings(node: str, sayings: Sayings) -> list[Naming]:
    """Return what the name and code records say."""
    namings: list[Naming] = []
    for values in sayings.records(node):
        since = min(_days(values, D.from_), default=None)
        until = max(_days(values, D.until), default=None)
        scheme = " ".join(label for near in iris(values, SKOS.inScheme) for label in sayings.labels(near))
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


def _read_own(reader: Reader, node: str) -> Values:
    """Return what a node says of itself.

    Read whole, which costs one move instead of one per predicate; a catalogue lists its members by the thousand, so
    there only what counts is asked for.
    """
    values: Values = {}
    for count, quad in enumerate(reader.outgoing((node,))):
        if count == _MANY:
            return _values(reader, node, _OWN)
        if (predicate := quad.predicate.value) in _OWN_WORDS:
            _take(values, predicate, quad)
    return values


def _values(reader: Reader, node: str, predicates: Sequence[str]) -> Values:
    values: Values = {}
    for quad in reader.outgoing((node,), predicates):
        _take(values, quad.predicate.value, quad)
    return values


def _take(values: Values, predicate: str, quad: ox.Quad) -> None:
    target = quad.object
    if isinstance(target, ox.Literal | ox.NamedNode):
        language = (target.language or "") if isinstance(target, ox.Literal) else None
        graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
        values.setdefault(predicate, []).append((target.value, language, graph))


def _literals(values: Values, predicates: Sequence[str], sort: str) -> list[Naming]:
    """Return the texts that a node has by each of the predicates in turn."""
    found: list[Naming] = []
    for predicate in predicates:
        said = values.get(predicate)
        if said:
            texts = [(text.strip(), language) for text, language, _ in said if language is not None]
            found.extend(Naming(text, language, sort) for text, language in sorted(texts) if text)
    return found


def iris(values: Values, predicate: str) -> list[str]:
    """Return the things that a node names by a predicate."""
    return [value for value, language, _ in values.get(predicate, ()) if language is None]


def _days(values: Values, predicate: str) -> Iterator[date]:
    for value, language, _ in values.get(predicate, ()):
        if language is not None:
            # what is no day is refused when it is loaded; a store of other people's may hold it all the same
            with suppress(ValueError):
                yield date.fromisoformat(value)


def _by_text(naming: Naming) -> tuple[str, str]:
    return naming.text, naming.language


class _Reading:
    """Read what documents need about others, and remember what many point to: fields, areas, kinds, schemes, graphs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.labels = lru_cache(maxsize=50_000)(lambda node: labels_in(_values(reader, node, LABELS)))
        self.levels = lru_cache(maxsize=50_000)(lambda node: self._objects(node, D.level))
        self._confidences = lru_cache(maxsize=10_000)(lambda node: self._objects(node, D.confidence))

    def records(self, node: str) -> Iterator[Values]:
        quads = self._reader.incoming((node,), (D.nameOf, D.codeOf))
        for record in sorted({quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}):
            yield _values(self._reader, record, RECORD)

    def is_used(self, node: str) -> bool:
        return next(iter(self._reader.incoming((node,), FIELD_USES)), None) is not None

    def doubted(self, graph: str) -> bool:
        return bool(graph) and not DOUBTED.isdisjoint(self._confidences(graph))

    def _objects(self, node: str, predicate: str) -> tuple[str, ...]:
        return tuple(sorted(set(iris(_values(self._reader, node, (predicate,)), predicate))))


def labels_in(values: Values) -> tuple[str, ...]:
    """Return the labels among what is said of a node, sorted."""
    return tuple(sorted({one.text for one in _literals(values, LABELS, "label")}))


def all_nodes(reader: Reader) -> Iterator[str]:
    """Yield every node that may have a document, for building the index anew; one of two classes comes twice."""
    for cls in CLASS_KINDS:
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
        if predicate not in CONCERNED or not isinstance(quad.subject, ox.NamedNode):
            continue
        node = quad.subject.value
        if predicate in _POINTS and isinstance(quad.object, ox.NamedNode):
            yield quad.object.value
        if predicate in RECORD:
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
            yield from iris(_values(reader, quad.subject.value, (D.codeOf,)), D.codeOf)
