"""Turn a question in words into the thing it means, and ask the register about it.

The terminal, the pages and the JSON all ask through here, so they cannot answer differently.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Protocol

import pyoxigraph as ox

from graph.answering import Desk, write
from graph.errors import BadQuestion, NotFound
from graph.labels import labels, tail
from graph.queries import CannedQuery, run
from graph.search import Hit, SearchIndex
from graph.store import Reader
from graph.terms import RDF, RESOURCE_CLASSES, D, Role, Status
from service.clocks import parse_day, parse_instant, today_in
from service.settings import LANGUAGES
from service.wording import Wording

#: longest question that is looked up, in characters; more than this is no name
LONGEST = 500

#: kinds of things that somebody can answer for
DATA = ("dataset", "series", "service", "catalog", "task")

#: how a hit was met that is weaker than by one of its names
WEAK = frozenset({"context", "similar", "partly"})
BODY_CLASSES = frozenset({D.Agency, D.OutsideBody, D.Holder})
DATA_CLASSES = RESOURCE_CLASSES | {D.Task}
_KINDS = {
    "dataset": RESOURCE_CLASSES,
    "task": {D.Task},
    "post": {D.Post},
    "body": BODY_CLASSES,
    "area": {D.Area},
    "law": {D.LegalInstrument, D.Provision},
}
_STANDING = (D.role, D.status, D.holder, D.from_, D.until)


class Pack(Protocol):
    """Know the register's own zone, in which *today* is told."""

    @property
    def timezone(self) -> tzinfo: ...


class RegisterReader(Protocol):
    """Read the register: the graph and its history, the search index, the pack's settings."""

    @property
    def graph(self) -> Reader: ...

    @property
    def history(self) -> Reader: ...

    @property
    def search(self) -> SearchIndex: ...

    @property
    def pack(self) -> Pack: ...

    @property
    def revision(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Question:
    """Hold what was asked: words or an IRI, the day (today when ``None``), the moment of knowledge (now)."""

    text: str
    as_of: date | None = None
    known_at: datetime | None = None

    @property
    def names_iri(self) -> bool:
        return self.text.startswith(("http://", "https://", "urn:"))


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the card of the best hit, as plain JSON, and the rows of the next ones."""

    question: Question
    card: dict[str, Any]
    others: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        return {"question": self.question.text, "card": self.card, "others": list(self.others)}


def read_question(reader: RegisterReader, text: str, as_of: str, known_at: str, say: Wording) -> Question:
    """Return the question with its two clocks read; raise ``BadQuestion`` for what is none."""
    text = " ".join(text.split())
    if not text:
        raise BadQuestion(say("question.empty"), remedy=say("question.write"))
    if len(text) > LONGEST:
        raise BadQuestion(say("question.long", longest=LONGEST), remedy=say("question.write"))
    if Question(text).names_iri and not _is_iri(text):
        raise BadQuestion(say("question.bad_iri", iri=text), remedy=say("question.iri_try"))
    return Question(
        text,
        parse_day(as_of, say) if as_of else None,
        parse_instant(known_at, reader.pack.timezone, say) if known_at else None,
    )


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


def day_of(reader: RegisterReader, question: Question) -> date:
    """Return the day asked about: today in the register's zone where none is named."""
    return question.as_of or today_in(reader.pack.timezone)


def answer(reader: RegisterReader, desk: Desk, question: Question, say: Wording, limit: int = 6) -> Answer:
    """Answer for the best hit and list the next ones; ``desk`` answers from the same reader, all the while it is open.

    Raises ``NotFound`` when no data is meant: nothing matches, or the words are the name of something else.
    """
    if question.names_iri:
        iri, others = question.text, []
        if is_body(reader, iri):
            raise _not_data(labels(reader.graph, [iri], question.as_of, languages_of(say, reader))[iri], "body", say)
    else:
        hits = find(reader, question, say, DATA, limit)
        if not hits or hits[0].note in WEAK:
            for best in find(reader, question, say, None, 1):
                if best.kind not in DATA and best.note not in WEAK:
                    raise _not_data(best.label, best.kind, say)
        if not hits:
            raise NotFound(say("question.none", text=question.text), remedy=say("question.try"))
        iri, others = hits[0].iri, hits[1:]
    try:
        card = desk.who(iri, question.as_of, question.known_at)
    except NotFound:
        if not _types(reader, iri):
            if _was_known(reader, iri):
                raise NotFound(say("question.forgotten", iri=iri), remedy=say("question.known_at")) from None
            raise NotFound(say("question.no_iri", iri=iri), remedy=say("question.iri_try")) from None
        raise _not_data(labels(reader.graph, [iri], question.as_of, languages_of(say, reader))[iri], "", say) from None
    return Answer(
        question,
        write(reader, card, languages_of(say, reader)),
        tuple(rows_of(reader, others, day_of(reader, question), say)),
    )


def search(
    reader: RegisterReader, question: Question, say: Wording, kinds: Collection[str] | None = None, limit: int = 8
) -> list[dict[str, Any]]:
    """Return the rows for these words, best first: what was found, and who answers for it on the day."""
    if question.names_iri:
        row = _row_of_iri(reader, question, say)
        return [row] if row else []
    return rows_of(reader, find(reader, question, say, kinds, limit), day_of(reader, question), say)


def find(
    reader: RegisterReader, question: Question, say: Wording, kinds: Collection[str] | None, limit: int
) -> list[Hit]:
    """Return what the words mean, best first, by the names and codes of the day."""
    day = day_of(reader, question)
    return reader.search.search(question.text, kinds, as_of=day, limit=limit, language=languages_of(say, reader)[0])


def find_body(reader: RegisterReader, question: Question, say: Wording) -> tuple[str, str]:
    """Return the IRI and the label of the body that the words mean; raise ``NotFound`` when they mean none."""
    if question.names_iri:
        if not is_body(reader, question.text):
            raise NotFound(say("question.no_iri", iri=question.text), remedy=say("question.iri_try"))
        iri = question.text
        return iri, labels(reader.graph, [iri], question.as_of, languages_of(say, reader))[iri]
    hits = find(reader, question, say, ("body", "post"), 1)
    if not hits:
        raise NotFound(say("question.no_body", text=question.text), remedy=say("question.try"))
    return hits[0].iri, hits[0].label


def find_data(reader: RegisterReader, question: Question, say: Wording) -> tuple[str, str]:
    """Return the IRI and the label of the data that the words mean; raise ``NotFound`` when they mean none."""
    if question.names_iri:
        iri = question.text
        if not _types(reader, iri):
            raise NotFound(say("question.no_iri", iri=iri), remedy=say("question.iri_try"))
        return iri, labels(reader.graph, [iri], question.as_of, languages_of(say, reader))[iri]
    hits = find(reader, question, say, DATA, 1)
    if not hits:
        raise NotFound(say("question.none", text=question.text), remedy=say("question.try"))
    return hits[0].iri, hits[0].label


def portfolio(
    reader: RegisterReader, query: CannedQuery, question: Question, say: Wording
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the body that the words mean, and a row per dataset that it or a unit of it answers for on the day."""
    iri, label = find_body(reader, question, say)
    values = {"agency": iri, "day": day_of(reader, question).isoformat(), "language": languages_of(say, reader)[0]}
    table = run(reader.graph, query, values)
    rows = []
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        status = (row["status"] or "").removeprefix(Status.NS)
        rows.append(
            {
                "iri": row["dataset"],
                "label": row["title"] or tail(row["dataset"] or ""),
                "holder": {"iri": row["holder"], "label": row["name"] or tail(row["holder"] or "")},
                "status": status,
                "state": say.coded("status", status),
            }
        )
    return {"iri": iri, "label": label}, rows


def is_body(reader: RegisterReader, iri: str) -> bool:
    """Say whether the IRI is a body of the register."""
    return not BODY_CLASSES.isdisjoint(_types(reader, iri))


def _types(reader: RegisterReader, iri: str) -> set[str]:
    return {quad.object.value for quad in reader.graph.outgoing([iri], (RDF.type,))}


def _was_known(reader: RegisterReader, iri: str) -> bool:
    """Say whether a record that the register no longer holds spoke of the IRI, or was it."""
    spoken = (D.covers, D.coversMembersOf, D.holder, D.versionOf)
    return next(iter(reader.history.incoming([iri], spoken)), None) is not None


def languages_of(say: Wording, reader: RegisterReader) -> tuple[str, ...]:
    """Return the languages of names in order: the reader's first, or the register's where the reader named none."""
    first = reader.pack.languages if say.own_names else (say.language,)
    return (*first, *(language for language in LANGUAGES if language not in first))


def _not_data(label: str, kind: str, say: Wording) -> NotFound:
    remedy = say("question.body_instead") if kind in ("body", "post") else say("question.name_data")
    return NotFound(say("question.not_data", label=label), remedy=remedy)


# --- rows -----------------------------------------------------------------------------------------------------------


def rows_of(reader: RegisterReader, hits: Sequence[Hit], day: date, say: Wording) -> list[dict[str, Any]]:
    """Return hits as rows: label, kind, how it was met, and the standing of the accountable on the day."""
    standing = standings_on(reader.graph, [hit.iri for hit in hits if hit.kind in DATA], Role.accountable, day)
    holders = {holder for _, named in standing.values() for holder in named}
    names = labels(reader.graph, holders, day, languages_of(say, reader))
    rows = []
    for hit in hits:
        row: dict[str, Any] = {
            "iri": hit.iri,
            "label": hit.label,
            "kind": hit.kind,
            "kind_label": say.coded("kind", hit.kind),
            "note": hit.note,
            "remark": _remark(hit, say),
            "score": hit.score,
            "path": "/who" if hit.kind in DATA else "/datasets-of" if hit.kind in ("body", "post") else None,
            "answer": None,
        }
        if hit.iri in standing:
            status, named = standing[hit.iri]
            row["answer"] = {
                "status": status,
                "state": say.coded("status", status),
                "holders": [{"iri": holder, "label": names[holder]} for holder in named if holder != D.nobody],
            }
        rows.append(row)
    return rows


def standings_on(
    graph: Reader, resources: Iterable[str], role: str, day: date
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return resource → status (last part of its IRI) and holders, as the standings say for the day."""
    about: dict[str, str] = {
        quad.subject.value: quad.object.value for quad in graph.incoming(list(resources), (D.about,))
    }
    facts: dict[str, dict[str, list[str]]] = {}
    for quad in graph.outgoing(sorted(about), _STANDING):
        facts.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, []).append(quad.object.value)
    written = day.isoformat()
    found = {}
    for node, said in facts.items():
        start, end = said.get(D.from_, [""])[0], said.get(D.until, ["9999-99-99"])[0]
        if role in said.get(D.role, ()) and start <= written < end:
            status = said[D.status][0].removeprefix(Status.NS)
            found[about[node]] = (status, tuple(sorted(said.get(D.holder, ()))))
    return found


def _row_of_iri(reader: RegisterReader, question: Question, say: Wording) -> dict[str, Any] | None:
    iri = question.text
    types = _types(reader, iri)
    if not types:
        return None
    label = labels(reader.graph, [iri], question.as_of, languages_of(say, reader))[iri]
    kind = next((kind for kind, classes in _KINDS.items() if types & classes), "field")
    hit = Hit(iri, kind, label, label, "", 1.0)
    return rows_of(reader, [hit], day_of(reader, question), say)[0]


def _remark(hit: Hit, say: Wording) -> str:
    """Say by what the hit was met where it is not its name, and what to mind."""
    if not hit.note:
        return "" if hit.matched == hit.label else say("hit.name", text=hit.matched)
    return say(
        f"hit.{hit.note}",
        text=hit.matched,
        last=say.last_day(hit.until) if hit.until else "",
        first=say.day(hit.since) if hit.since else "",
    )


# --- what is in the register ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Example:
    """Hold a question to try: the words, the day (empty: today) and the page that answers it."""

    text: str
    day: str = ""
    path: str = "/who"


#: examples that show the range: no accents, two days, an abbreviation, a body that has ended, a code
EXAMPLES = (
    Example("dat dai"),
    Example("đăng ký doanh nghiệp", "2025-02-28"),
    Example("đăng ký doanh nghiệp", "2025-03-01"),
    Example("CSDLQG dân cư"),
    Example("bo ke hoach va dau tu", "2025-02-28", "/datasets-of"),
    Example("G01", "", "/datasets-of"),
)

_COUNTED = {
    "datasets": "<http://www.w3.org/ns/dcat#Dataset>",
    "bodies": f"<{D.Agency}>",
    "areas": f"<{D.Area}>",
    "responsibilities": f"<{D.Responsibility}>",
    "laws": f"<{D.LegalInstrument}>",
}


class Contents:
    """Tell what is in the register: counts, and which example questions it can answer; looked up once per revision."""

    def __init__(self, reader: RegisterReader) -> None:
        self._reader = reader
        self._known: tuple[int, dict[str, int], tuple[Example, ...]] = (-1, {}, ())

    def counts(self) -> dict[str, int]:
        """Return how many there are of each sort, in the order of the home page."""
        return self._now()[1]

    def examples(self) -> tuple[Example, ...]:
        """Return the examples that find something here: another country's register has none of Vietnam's."""
        return self._now()[2]

    def _now(self) -> tuple[int, dict[str, int], tuple[Example, ...]]:
        known, revision = self._known, self._reader.revision
        if known[0] != revision:
            counts = {name: self._count(kind) for name, kind in _COUNTED.items()}
            known = (revision, counts, tuple(example for example in EXAMPLES if self._finds(example)))
            self._known = known
        return known

    def _count(self, kind: str) -> int:
        rows = self._reader.graph.query(f"SELECT (COUNT(DISTINCT ?thing) AS ?number) WHERE {{ ?thing a {kind} }}")
        return int(next(iter(rows))["number"].value)

    def _finds(self, example: Example) -> bool:
        kinds = DATA if example.path == "/who" else ("body", "post")
        hits = self._reader.search.search(example.text, kinds, limit=1)
        return bool(hits) and hits[0].note not in WEAK
