"""Find things by words: with or without accents, by old and new names, in short and in long, by code, begun, misspelt.

One entry of the index is one *name* of one thing, so that a short title that is fully covered stands before a long one
that merely contains the words, and the hit can say which name matched and from when to when it is one. A question
climbs down steps, from the whole name to a few of its words, and stops as soon as there is enough. Within a step
nothing is weighed by how often a word occurs: entries carry a fixed rank (short before long, wide before local), so the
order depends on what is in the register and never on how it came in.

The engine is tantivy, measured at one million titles: 15–26 ms where SQLite FTS5 needs 900.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, Final

import tantivy

from graph.documents import KINDS, Document, Naming, all_nodes, documents_of, touched
from graph.errors import BadQuestion, DataDirectory, Malformed, Place, Unreadable
from graph.terms import Level
from graph.words import (
    LONGEST_BEGINNING,
    NO_ABBREVIATIONS,
    Abbreviations,
    Asked,
    Spelling,
    ask,
    beginnings,
    spell,
    split,
)

__all__ = [
    "KINDS", "Document", "Hit", "Naming", "SearchIndex", "all_nodes", "distance", "documents_of", "read_abbreviations",
    "touched",
]  # fmt: skip

#: version of the layout of the index; another one means building it again
LAYOUT: Final = 1

#: words by which a kind stands behind others of the same length: who types the name of a field wants its data
_KIND_COST: Final = {"task": 2, "post": 3, "law": 4, "field": 30}
#: words by which the local stands behind the national, so that "đất đai" is the national register first
_LEVEL_COST: Final = {Level.central: 0, "": 1, Level.province: 3, Level.district: 4, Level.commune: 5}
#: words by which what nobody vouches for stands behind everything else
_UNVERIFIED_COST: Final = 12

#: seconds to wait for another process to give up writing
_PATIENCE: Final = 5.0

_OPEN: Final = 2**31
_TEXT_FIELDS: Final = ("words", "marked", "pairs", "starts", "anywhere")
_Tantivy = tantivy.Query


@dataclass(frozen=True, slots=True)
class Hit:
    """Hold one thing found: its ``label`` on the day, and ``matched``, the name or code that the words met.

    ``note`` is empty or says what to mind: ``old-name`` and ``old-code`` (no longer on that day), ``later-name`` and
    ``later-code`` (not yet), ``ended`` and ``later`` (the thing itself), ``code``, ``other-name`` (an
    abbreviation, another language), ``context`` (met by its field or area), ``similar`` (a misspelt word), ``partly``
    (some of the words only). ``since`` and ``until`` (exclusive) bound the matched name. ``score`` falls
    along the list.
    """

    iri: str
    kind: str
    label: str
    matched: str
    note: str
    score: float
    since: date | None = None
    until: date | None = None


def read_abbreviations(path: Path) -> Abbreviations:
    """Read the table of a country pack: columns ``abbreviation,meaning``, one meaning per row, several rows allowed."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as fault:
        raise Unreadable(
            f"The table of abbreviations cannot be read: {fault}", remedy="Save it as CSV in UTF-8.",
            place=Place(str(path)),
        ) from fault  # fmt: skip
    if not rows or rows[0] != ["abbreviation", "meaning"]:
        raise Malformed(
            "The table of abbreviations has other columns", remedy='Begin it with "abbreviation,meaning".',
            place=Place(str(path), 1),
        )  # fmt: skip
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2 or not row[0].strip() or not split(row[1]):
            raise Malformed(
                "A row of the table of abbreviations is not a short form and its meaning",
                remedy="Write two cells, quoted where they hold a comma.", place=Place(str(path), number),
            )  # fmt: skip
    return Abbreviations.of((row[0], row[1]) for row in rows[1:])


# --- the index ------------------------------------------------------------------------------------------------------


class SearchIndex:
    """Keep the index, on disk in the folder ``path`` or in memory without one.

    ``revision`` is the last journalled change it holds; it is noted after the commit, so that a crash in between only
    means that the change is applied again, which changes nothing. An index of another layout or another table of
    abbreviations empties itself and stands at revision 0. One process at a time may write; ``read_only`` opens what
    another keeps, such as that of a checkpoint, changes nothing and raises ``DataDirectory`` where it is another's.
    """

    def __init__(
        self, path: Path | None = None, abbreviations: Abbreviations = NO_ABBREVIATIONS, *, read_only: bool = False
    ) -> None:
        self._path = path
        self._read_only = read_only
        self.abbreviations = abbreviations
        self._schema = _schema()
        self._writer: tantivy.IndexWriter | None = None
        self._revision = 0
        self._remembered: dict[str, str] = {}
        self._open()

    @property
    def revision(self) -> int:
        """Return the number of the last change that the index holds, 0 for none."""
        return self._revision

    def __len__(self) -> int:
        """Return the number of names in the index."""
        return int(self._searcher.num_docs)

    def _open(self) -> None:
        if self._path is None:
            self._index = tantivy.Index(self._schema)
        else:
            stamp = self._read_stamp()
            known = stamp.get("layout") == LAYOUT and stamp.get("abbreviations") == self.abbreviations.mark
            folder = self._path / "entries"
            if not known and self._read_only:
                raise DataDirectory(
                    "The search index is of another version or another pack than this one",
                    remedy="Stop the process that keeps it, and start it again.", place=Place(str(self._path)),
                )  # fmt: skip
            if not known and folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._index = tantivy.Index(self._schema, str(folder))
            except (ValueError, OSError) as fault:
                raise DataDirectory(
                    f"The search index cannot be opened: {fault}", remedy="Run diaba rebuild.", place=Place(str(folder))
                ) from fault
            self._revision = int(stamp.get("revision", 0)) if known else 0
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("spaces", spaces)
        self._index.config_reader("manual")
        self._index.reload()
        self._searcher = self._index.searcher()

    def _read_stamp(self) -> dict[str, Any]:
        assert self._path is not None
        try:
            stamp = json.loads((self._path / "stamp.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # never finished, or not ours: everything is replayed
        return stamp if isinstance(stamp, dict) else {}

    def _write_stamp(self) -> None:
        if self._path is None:
            return
        stamp = {"layout": LAYOUT, "abbreviations": self.abbreviations.mark, "revision": self._revision}
        fresh = self._path / "stamp.json.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(stamp, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path / "stamp.json")

    # --- writing ---

    def update(self, documents: Iterable[Document], deleted: Iterable[str], revision: int) -> None:
        """Drop ``deleted`` (IRIs), put ``documents`` in the place of what was known of them, and note the revision.

        All or nothing; a thing may be both deleted and described anew, so every touched IRI may be passed as deleted.
        """
        writer = self._writing()
        fresh = not len(self)
        try:
            for iri in deleted:
                if not fresh:
                    writer.delete_documents_by_term("iri", iri)
            self._add(writer, documents, fresh)
        except BaseException:
            writer.rollback()
            raise
        self._commit(writer, revision)

    def rebuild(self, documents: Iterable[Document], revision: int) -> None:
        """Build the index anew from all documents, and tidy it up; all or nothing."""
        self.stage(documents)
        self.commit(revision)

    def stage(self, documents: Iterable[Document]) -> None:
        """Build the index anew without showing it, until ``commit``; what came before stays if that never comes."""
        writer = self._writing()
        try:
            writer.delete_all_documents()
            self._add(writer, documents, True)
        except BaseException:
            writer.rollback()
            raise

    def commit(self, revision: int) -> None:
        """Show what was staged, tidy up, and note the revision."""
        self._commit(self._writing(), revision)
        self.close()
        self._refresh()

    def lend(self) -> Path | None:
        """Let another process write the index; return its folder, ``None`` where it has none."""
        self.close()
        self._write_stamp()
        return self._path

    def take_back(self) -> None:
        """Show what another process committed."""
        self._refresh()
        if self._path is not None:
            self._revision = int(self._read_stamp().get("revision", 0))

    def close(self) -> None:
        """Let merges end and give up the writing lock; reading goes on working."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _writing(self) -> tantivy.IndexWriter:
        assert not self._read_only, "what is read only is not written"
        patience = time.monotonic() + _PATIENCE
        while self._writer is None:
            try:
                # one thread: 50 MB is one segment of some 200,000 names, and the order of entries is the order given
                self._writer = self._index.writer(50_000_000, 1)
            except ValueError as fault:
                if time.monotonic() < patience:  # what wrote for a process that was killed is about to end as well
                    time.sleep(0.05)
                    continue
                raise DataDirectory(
                    f"The search index is being written by another process: {fault}",
                    remedy="Stop the other process, or give the change to it.",
                    place=Place(str(self._path)) if self._path else None,
                ) from fault
        return self._writer

    def _add(self, writer: tantivy.IndexWriter, documents: Iterable[Document], fresh: bool) -> None:
        seen: set[int] = set()
        for document in documents:
            thing = _digest(document.iri)
            if not fresh or thing in seen:
                writer.delete_documents_by_term("iri", document.iri)
            seen.add(thing)
            for entry in self._entries(document, thing):
                writer.add_document(entry)

    def _commit(self, writer: tantivy.IndexWriter, revision: int) -> None:
        writer.commit()
        self._refresh()
        self._revision = revision
        self._write_stamp()

    def _refresh(self) -> None:
        self._index.reload()
        self._searcher = self._index.searcher()

    def _entries(self, document: Document, thing: int) -> Iterator[tantivy.Document]:
        cost = _KIND_COST.get(document.kind, 0) + _LEVEL_COST.get(document.level, 1)
        if not document.verified:
            cost += _UNVERIFIED_COST
        order = KINDS.index(document.kind)
        own = [self._spell(naming, document.kind) for naming in document.namings]
        starts = [" ".join(map(beginnings, spelling.words)) for spelling in own]
        around = " ".join((*starts, *map(self._starts_of, document.context)))
        level = document.level if document.verified else ""
        since, until = _first_day(document.since), _last_day(document.until)
        stored = _pack(document)
        for number, (naming, spelling) in enumerate(zip(document.namings, own, strict=True)):
            if not spelling.size or (naming.sort == "label" and _is_said(number, document.namings, own)):
                continue
            length = min(spelling.size + cost, 255)
            digest = _digest(f"{document.iri} {naming.text} {number}") >> 21
            second = naming.sort in ("other", "code")
            pairs = " ".join(spelling.pairs)
            near = f"{around} {pairs} {self._starts_of(naming.scheme)}" if naming.scheme else f"{around} {pairs}"
            entry = tantivy.Document()
            add = entry.add_text
            add("iri", document.iri)
            add("kind", document.kind)
            add("level", level)
            add("words", " ".join(spelling.words))
            add("marked", " ".join(spelling.marked))
            add("pairs", pairs)
            add("starts", starts[number])
            add("anywhere", near)
            entry.add_unsigned("rank", length << 48 | order << 44 | second << 43 | digest)
            entry.add_unsigned("thing", thing)
            entry.add_unsigned("since", max(_first_day(naming.since), since))
            entry.add_unsigned("until", min(_last_day(naming.until), until))
            entry.add_unsigned("number", number)
            entry.add_bytes("stored", stored)
            yield entry

    def _spell(self, naming: Naming, kind: str) -> Spelling:
        spelling = spell(naming.text, self.abbreviations, initials=kind == "body" and naming.sort != "code")
        if kind == "field":
            # The whole name of a field is no exact hit: the data of the field are.
            inner = tuple(pair for pair in spelling.pairs if pair[0] != "^" and pair[-1] != "$")
            spelling = replace(spelling, pairs=inner)
        return spelling

    def _starts_of(self, text: str) -> str:
        """Return all beginnings of the words of a text, remembered: themes and areas come again and again."""
        known = self._remembered.get(text)
        if known is None:
            known = " ".join(map(beginnings, spell(text, self.abbreviations).words))
            if len(self._remembered) > 20_000:
                self._remembered.clear()
            self._remembered[text] = known
        return known

    # --- reading ---

    def search(
        self, text: str, kinds: Collection[str] | None = None, as_of: date | None = None, limit: int = 10,
        language: str | None = None,
    ) -> list[Hit]:  # fmt: skip
        """Return at most ``limit`` things that the words mean, best first, each once; never raises for what was typed.

        ``kinds`` restricts to some of ``KINDS``; ``as_of`` is the day whose names and codes come first (``None``: those
        without an end); ``language`` is the label's language where there is one. Raises ``BadQuestion`` for a kind that
        does not exist.
        """
        if unknown := sorted(set(kinds or ()) - set(KINDS)):
            raise BadQuestion(f"There is no kind {', '.join(unknown)}", remedy=f"Use some of {', '.join(KINDS)}.")
        asked = ask(text, self.abbreviations)
        if not asked.words or limit < 1 or (kinds is not None and not kinds):
            return []
        view = _View(self._searcher, self._schema, self.abbreviations, kinds, as_of, limit, language)
        telling = asked.without(self.abbreviations.asking)
        if not telling.words or telling == asked:
            return _Search(view, asked).hits()
        return _Search(view, asked).hits(loosely=False) or _Search(view, telling).hits()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # Entries are found by what they hold and ordered by their rank: neither counts nor places of words are needed.
    for name in _TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name="spaces", index_option="basic")
    for name in ("iri", "kind", "level"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("rank", "thing", "since", "until", "number"):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _first_day(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


def _last_day(day: date | None) -> int:
    return _OPEN if day is None else day.toordinal()


def _day(ordinal: int) -> date | None:
    return None if ordinal in (0, _OPEN) else date.fromordinal(ordinal)


def _is_said(number: int, namings: Sequence[Naming], spellings: Sequence[Spelling]) -> bool:
    """Tell whether a dated name, or an earlier label, says the same: then the label is no entry of its own."""
    return any(
        namings[other].sort in ("name", "label") and spellings[other].pairs == spellings[number].pairs
        for other in range(number)
    )


_write_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def _pack(document: Document) -> bytes:
    namings = [
        (one.text, one.language, one.sort, _first_day(one.since), _last_day(one.until)) for one in document.namings
    ]
    bounds = (_first_day(document.since), _last_day(document.until))
    return _write_json((document.iri, document.kind, bounds, namings)).encode("utf-8", "replace")


# --- one search -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold one way to meet the question: what it is worth, what the hit is to be told, and the conditions."""

    worth: float
    note: str
    query: tantivy.Query


@dataclass(frozen=True, slots=True)
class _Candidate:
    invalid: bool
    rank: int
    thing: int
    address: tantivy.DocAddress


#: misspelt words are looked for in questions of at most so many words
_MOST_MISSPELT: Final = 24
#: one misspelt word among known ones is looked for in questions of at most so many words; more find it by themselves
_MOST_ONE_SLIP: Final = 4
#: several misspelt words are looked for in questions of at most so many words
_MOST_SLIPS: Final = 6
#: so many letters of a whole question may be wrong
_MOST_LETTERS: Final = 3
#: so many similar names are compared letter by letter
_COMPARED: Final = 40


@dataclass(frozen=True, slots=True)
class _View:
    """Hold what a question is put to, and how."""

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    abbreviations: Abbreviations
    kinds: Collection[str] | None
    as_of: date | None
    limit: int
    language: str | None


class _Search:
    """Answer one question: climb down the steps until there is enough."""

    def __init__(self, view: _View, asked: Asked) -> None:
        self._view = view
        self._searcher = view.searcher
        self._schema = view.schema
        self._limit = view.limit
        self._day = None if view.as_of is None else view.as_of.toordinal()
        self._asked = asked
        self._plain = asked.plain
        kinds = view.kinds
        self._filters = [] if kinds is None else [_Tantivy.term_set_query(view.schema, "kind", sorted(kinds))]
        self._found: dict[int, tuple[_Candidate, _Step]] = {}

    def hits(self, *, loosely: bool = True) -> list[Hit]:
        """Return the hits, best first; without ``loosely`` only those whose names hold the question."""
        # Of many words every step costs: where not even their beginnings stand in one name, no narrower step will do.
        hopeless = len(self._plain) > 2 and not self._fetch(self._all_begun("starts"), 1)
        for step in self._exact_steps():
            if step.note and not loosely:
                break
            if hopeless and not step.note:
                continue
            self._take(step, self._ranked(step.query))
            if len(self._found) >= self._limit:
                break
        if not loosely:
            return self._told()
        if all(step.note for _, step in self._found.values()) and len(self._plain) <= _MOST_MISSPELT:
            for step in self._loose_steps():
                self._take(step, self._by_distance(self._ranked(step.query)))
                if any(taken is step for _, taken in self._found.values()):
                    break
        if not self._found and len(self._plain) > 2:
            self._take_some()
        return self._told()

    def _told(self) -> list[Hit]:
        hits: list[Hit] = []
        for candidate, step in self._found.values():
            hits.append(self._hit(candidate, step, hits[-1].score if hits else 1.0))
        return hits

    # --- the steps ---

    def _exact_steps(self) -> Iterator[_Step]:
        """Yield the ways to meet all words: the whole name, the phrase, the words, with the last one whole or begun.

        Each with the accents as typed, then without: whoever types accents means them.
        """
        plain, several = self._plain, len(self._plain) > 1
        pairs = [self._term("pairs", left + right) for left, right in pairwise(plain)]
        words = [self._term("words", one) for one in plain]
        accents = [self._term("marked", one.marked) for one in self._asked.words if one.accented]
        finished = accents[:-1] if self._asked.words[-1].accented else accents
        last = self._begun("starts", plain[-1])
        exact = [self._term("pairs", "^" + plain[0]), *pairs, self._term("pairs", plain[-1] + "$")]
        for loss, typed in _in_turn(accents):
            yield _Step(1.0 - loss, "", self._all([*exact, *typed]))
        if several:
            for loss, typed in _in_turn(accents):
                yield self._phrase(0.9 - loss, [*pairs, *typed], [*words, *typed])
            next_pair = _Tantivy.fuzzy_term_query(self._schema, "pairs", plain[-2] + plain[-1], 0, prefix=True)
            begun = [*pairs[:-1], next_pair, last]
            for loss, typed in _in_turn(finished):
                yield self._phrase(0.8 - loss, [*begun, *typed], [*words[:-1], last, *typed])
        for loss, typed in _in_turn(accents):
            yield _Step(0.7 - loss, "", self._all([*words, *typed]))
        for loss, typed in _in_turn(finished):
            yield _Step(0.6 - loss, "", self._all([*words[:-1], last, *typed]))
        if several:
            yield _Step(0.5, "", self._all_begun("starts"))
        yield _Step(0.4, "context", self._all_begun("anywhere"))

    def _all_begun(self, field: str) -> tantivy.Query:
        return self._all([self._begun(field, one) for one in self._plain])

    def _phrase(self, worth: float, phrase: list[tantivy.Query], words: list[tantivy.Query]) -> _Step:
        """Return the step of a phrase, where a national thing may hold its words apart.

        Who asks for "CSDL đất đai" means the "CSDL quốc gia về đất đai" before that of a province.
        """
        national = self._all([*words, self._term("level", Level.central)])
        return _Step(worth, "", self._any([self._all(phrase), national]))

    def _loose_steps(self) -> Iterator[_Step]:
        """Yield the ways to meet misspelt words: the unknown ones, then any single one, then all of them."""
        last = len(self._plain) - 1
        exact = [self._term("words", one) for one in self._plain[:-1]]
        exact.append(self._begun("starts", self._plain[-1]))
        similar = [self._similar(one, place == last) for place, one in enumerate(self._plain)]
        unknown = [place for place in range(len(self._plain)) if not self._is_known(place)]
        if unknown:
            mended = [similar[place] if place in unknown else one for place, one in enumerate(exact)]
            yield _Step(0.3, "similar", self._all(mended))
        if last < _MOST_ONE_SLIP:
            ways = [self._all([*exact[:place], similar[place], *exact[place + 1 :]]) for place in range(last + 1)]
            yield _Step(0.25, "similar", self._any(ways))
        if last < _MOST_SLIPS:
            yield _Step(0.2, "similar", self._all(similar))

    def _is_known(self, place: int) -> bool:
        """Tell whether a word, or the beginning of the last one, stands in any name."""
        field = "starts" if place == len(self._plain) - 1 else "words"
        plain = self._plain[place][:LONGEST_BEGINNING] if field == "starts" else self._plain[place]
        count = self._searcher.doc_freq(field, plain)
        # The count remembers names that are deleted until their part of the index is merged.
        return count > 100 or (count > 0 and bool(self._searcher.search(self._term(field, plain), 1, count=False).hits))

    def _similar(self, plain: str, last: bool) -> tantivy.Query:
        ways = [self._begun("starts", plain) if last else self._term("words", plain)]
        if letters := _letters_allowed(plain):
            ways.append(_Tantivy.fuzzy_term_query(self._schema, "words", plain, letters))
            if last and len(plain) >= 5:
                ways.append(_Tantivy.fuzzy_term_query(self._schema, "words", plain, 1, prefix=True))
        return self._any(ways)

    def _term(self, field: str, value: str) -> tantivy.Query:
        return _Tantivy.term_query(self._schema, field, value, "basic")

    def _begun(self, field: str, plain: str) -> tantivy.Query:
        return self._term(field, plain[:LONGEST_BEGINNING])

    def _all(self, conditions: list[tantivy.Query]) -> tantivy.Query:
        return _Tantivy.boolean_query([(tantivy.Occur.Must, one) for one in (*conditions, *self._filters)])

    def _any(self, ways: list[tantivy.Query]) -> tantivy.Query:
        if len(ways) == 1:
            return ways[0]
        return _Tantivy.boolean_query([(tantivy.Occur.Should, one) for one in ways])

    # --- taking the best of a step ---

    def _ranked(self, query: tantivy.Query) -> list[_Candidate]:
        """Return entries by rank, those valid on the day first: all, or enough to fill what is missing."""
        need = self._limit - len(self._found)
        size = 4 * self._limit + 24
        while True:
            best = self._fetch(query, size)
            if len(best) < size:
                return sorted(best, key=_by_validity)
            valid = [one for one in best if not one.invalid]
            if self._news(valid) >= need:
                return valid
            valid = self._fetch(self._valid_only(query), size)
            if self._news(valid) >= need:
                return valid
            if len(valid) < size and self._news(best) >= need:
                return [*valid, *(one for one in best if one.invalid)]
            size *= 4

    def _valid_only(self, query: tantivy.Query) -> tantivy.Query:
        number = tantivy.FieldType.Unsigned
        if self._day is None:
            bounds = [_Tantivy.range_query(self._schema, "until", number, _OPEN, None)]
        else:
            bounds = [
                _Tantivy.range_query(self._schema, "since", number, None, self._day),
                _Tantivy.range_query(self._schema, "until", number, self._day + 1, None),
            ]
        return _Tantivy.boolean_query([(tantivy.Occur.Must, one) for one in (query, *bounds)])

    def _fetch(self, query: tantivy.Query, size: int) -> list[_Candidate]:
        result = self._searcher.search(
            query, size, count=False, order_by_field="rank", order=tantivy.Order.Asc
        )  # fmt: skip
        return self._candidates(result.hits)

    def _candidates(self, found: list[tuple[Any, tantivy.DocAddress]]) -> list[_Candidate]:
        addresses = [address for _, address in found]
        values = [self._searcher.fast_field_values(name, addresses) for name in ("thing", "since", "until")]
        return [
            _Candidate(not self._valid(since, until), rank, thing, address)
            for (rank, address), thing, since, until in zip(found, *values, strict=True)
        ]

    def _valid(self, since: int, until: int) -> bool:
        return until == _OPEN if self._day is None else since <= self._day < until

    def _news(self, candidates: Iterable[_Candidate]) -> int:
        return len({one.thing for one in candidates} - self._found.keys())

    def _take(self, step: _Step, candidates: Iterable[_Candidate]) -> None:
        for one in candidates:
            if len(self._found) >= self._limit:
                return
            if one.thing not in self._found:
                self._found[one.thing] = (one, step)

    def _by_distance(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Order similar names by the letters that differ, keeping the order among equals; drop those too far away."""
        compared = candidates[:_COMPARED]
        far = [self._distance(naming.text) for _, naming in self._read(compared)]
        near = [(letters, place) for place, letters in enumerate(far) if letters <= _MOST_LETTERS]
        return [compared[place] for _, place in sorted(near)]

    def _distance(self, text: str) -> int:
        """Count the letters by which the question differs from a name, more than can be if a word differs too much."""
        words = set(spell(text, self._view.abbreviations).words)
        begun = {one[:size] for one in words for size in range(1, len(one) + 1)}
        total = 0
        for place, plain in enumerate(self._plain):
            known = begun if place == len(self._plain) - 1 else words
            if plain not in known:
                allowed = _letters_allowed(plain)
                near = (distance(plain, one) for one in known if abs(len(plain) - len(one)) <= allowed)
                least = min(near, default=_MOST_LETTERS + 1)
                total += least if least <= allowed else _MOST_LETTERS + 1
        return total

    def _take_some(self) -> None:
        """Take names that share neighbouring words with the question: those that a few letters tell from it, then those
        that hold two thirds of what it is about. The rarer a word, the more the question is about it.
        """
        pairs = [self._term("pairs", left + right) for left, right in pairwise(self._plain)]
        filters = [_Tantivy.const_score_query(one, 0.0) for one in self._filters]
        query = _Tantivy.boolean_query([(tantivy.Occur.Must, one) for one in (self._any(pairs), *filters)])
        size = 2 * self._limit + 24
        found = self._searcher.search(query, size, count=False).hits
        if len(found) == size and found[0][0] != found[-1][0]:
            # which of the equally good last ones made it is chance: leave all of them out
            found = [one for one in found if one[0] != found[-1][0]]
        addresses = [address for _, address in found]
        ranks = self._searcher.fast_field_values("rank", addresses)
        candidates = self._candidates(list(zip(ranks, addresses, strict=True)))
        texts = [naming.text for _, naming in self._read(candidates)]
        far = [self._distance(text) for text in texts]
        places = range(len(candidates))
        similar = [(far[place], *_by_validity(candidates[place]), place) for place in places]
        near = [candidates[one[-1]] for one in sorted(similar) if one[0] <= _MOST_LETTERS]
        self._take(_Step(0.15, "similar", query), near)
        names = self._searcher.num_docs + 1
        weights = {one: log(names / (1 + self._searcher.doc_freq("words", one))) for one in self._plain}
        enough = sum(weights.values()) * 2 / 3
        held = [self._weight(text, weights) for text in texts]
        partly = [(-held[place], *_by_validity(candidates[place]), place) for place in places]
        self._take(_Step(0.1, "partly", query), (candidates[one[-1]] for one in sorted(partly) if -one[0] >= enough))

    def _weight(self, text: str, weights: Mapping[str, float]) -> float:
        words = set(spell(text, self._view.abbreviations).words)
        return round(sum(weight for one, weight in weights.items() if one in words), 3)

    # --- telling what was found ---

    def _read(self, candidates: Sequence[_Candidate]) -> list[tuple[_StoredThing, _Stored]]:
        """Return what is stored of each: the thing, and the name that was met."""
        numbers = self._searcher.fast_field_values("number", [one.address for one in candidates])
        found: list[tuple[_StoredThing, _Stored]] = []
        for candidate, number in zip(candidates, numbers, strict=True):
            stored: Any = self._searcher.doc(candidate.address).get_first("stored")
            iri, kind, (since, until), rows = json.loads(bytes(stored))
            thing = _StoredThing(iri, kind, since, until, tuple(_Stored(*row) for row in rows))
            found.append((thing, thing.namings[int(number or 0)]))
        return found

    def _hit(self, candidate: _Candidate, step: _Step, at_most: float) -> Hit:
        thing, naming = self._read([candidate])[0]
        label = self._label(thing)
        plainly = "code" if naming.sort == "code" else "" if naming.text == label else "other-name"
        score = step.worth - (0.02 if candidate.invalid else 0.0) - (candidate.rank >> 48) / 20_000
        return Hit(
            iri=thing.iri,
            kind=thing.kind,
            label=label,
            matched=naming.text,
            note=self._note(thing, naming) or step.note or plainly,
            score=min(round(score, 5), at_most),
            since=_day(max(naming.since, thing.since)),
            until=_day(min(naming.until, thing.until)),
        )

    def _note(self, thing: _StoredThing, naming: _Stored) -> str:
        day = self._day
        what = "code" if naming.sort == "code" else "name"
        if day is None:
            if naming.until != _OPEN and naming.until < thing.until:
                return "old-" + what
            return "ended" if thing.until != _OPEN else ""
        if naming.until <= day and naming.until < thing.until:
            return "old-" + what
        if naming.since > day and naming.since > thing.since:
            return "later-" + what
        if thing.until <= day:
            return "ended"
        return "later" if thing.since > day else ""

    def _label(self, thing: _StoredThing) -> str:
        """Return the name of the day: a dated name in the language, a label in the language, any dated one, any."""
        names = [one for one in thing.namings if one.sort == "name" and self._valid(one.since, one.until)]
        labels = [one for one in thing.namings if one.sort == "label"]
        language = self._view.language
        spoken = [one for one in (*names, *labels) if language is not None and one.language == language]
        for one in (*spoken, *names, *labels, *thing.namings):
            return one.text
        return thing.iri


@dataclass(frozen=True, slots=True)
class _Stored:
    text: str
    language: str
    sort: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class _StoredThing:
    iri: str
    kind: str
    since: int
    until: int
    namings: tuple[_Stored, ...]


def _letters_allowed(plain: str) -> int:
    """Return how many letters of a word may be wrong: none of a number or of a word of two letters."""
    if len(plain) < 3 or not plain.isalpha():
        return 0
    return 2 if len(plain) >= 8 else 1


def _in_turn(accents: list[tantivy.Query]) -> list[tuple[float, list[tantivy.Query]]]:
    """Return the conditions with the accents, and without at a small loss of worth."""
    return [(0.0, accents), (0.05, [])] if accents else [(0.0, [])]


def _by_validity(candidate: _Candidate) -> tuple[bool, int]:
    return candidate.invalid, candidate.rank


def distance(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with their neighbour to turn one word into the other."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        current = [row]
        for column, right in enumerate(other, 1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
