"""Check files as they are, before anything lands: what a load would refuse, and what the rules would find.

The files stand beside the ontology and a pack, in the form in which they are written; the standings are derived from
all of it. Only what the files bring about is told: faults of things they describe, and faults of other things that are
not there without them.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from graph.checking import Checker
from graph.concern import Concern, Concerns
from graph.door import Door, intervals
from graph.errors import Malformed, Place
from graph.files import Input, input_of, lines_of, open_inputs, parse
from graph.findings import read_result
from graph.model import Interval
from graph.pack import Pack, quads_of
from graph.projections import scope_keys
from graph.resources import folder
from graph.rules import Rules
from graph.shacl.shapes import VIOLATION, Result, Route, Term
from graph.shacl.written import WrittenStore
from graph.standing import derive, described
from graph.store import OxigraphStore, Reader
from graph.terms import BASE, Confidence, D, Graphs

MALFORMED: Final = BASE + "malformed"
"""What stands as the rule of what no load would take: broken syntax, a day that is none, a term that does not exist."""

_SKOLEM: Final = "urn:diaba:blank:"
_DERIVED: Final = (Graphs.scopes, Graphs.standings)
_SOURCES: Final = ox.NamedNode(Graphs.sources)
_CONFIDENCE: Final = ox.NamedNode(D.confidence)
_ONTOLOGY: Final = ox.NamedNode(BASE + "ns")

_Fault = tuple[Term, str, str, Term | None, str]
_Key = tuple[Term, Term, str, str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one fault in files; ``place`` is where what it is about is first described, as far as it is known.

    ``path`` is written as in SPARQL, "" for none; ``messages`` are by language; ``rule`` is the IRI of the rule.
    """

    rule: str
    severity: str
    about: Term | None = None
    path: str = ""
    value: Term | None = None
    component: str = ""
    shape: str = ""
    messages: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None
    concern: Concern | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Hold what a check of files found, and what it was held against.

    ``reader`` shows the files in their context, for the names of things; ``unread`` are the files that could not be
    parsed, of which nothing else was checked.
    """

    found: tuple[Found, ...]
    files: tuple[str, ...]
    unread: tuple[str, ...]
    statements: int
    day: date
    rules: Rules
    reader: Reader
    routes: Mapping[Term, Route]


@dataclass(slots=True)
class _File:
    """Hold a file that was read: its statements, and of each thing it describes the first one, by number and line."""

    source: Input
    quads: list[ox.Quad]
    first: dict[Term, int]
    lines: dict[Term, int] = field(default_factory=dict)


class Inspector:
    """Check any number of files against the same rules in the same context, which is made once."""

    def __init__(self, rules: Rules, pack: Pack | None = None, beside: Sequence[str | Path] = ()) -> None:
        self.rules = rules
        self._checker = Checker(rules.shapes)
        self._context = context_of(pack, beside)

    def inspect(self, targets: Iterable[str | Path], day: date) -> Inspection:
        """Check files (or folders, or addresses) on a day. Raises ``Unreadable`` for what cannot be read at all."""
        found: list[Found] = []
        files: list[_File] = []
        names: list[str] = []
        unread: list[str] = []
        with open_inputs(targets) as groups:
            for number, source in enumerate(dict.fromkeys(one for group in groups for one in group)):
                names.append(source.name)
                try:
                    file = _read(source, number)
                except Malformed as fault:
                    unread.append(source.name)
                    found.append(_malformed(fault, source))
                    continue
                files.append(file)
                found.extend(_at_the_door(file))
            quads = [quad for file in files for quad in file.quads]
            store = self._context.store()
            before = {_key(result) for result in self._checker.check(store, day)}
            reader = _filled(store, quads)
            judged = list(self._judged(reader, before, files, day))
            self._locate(files, judged)
            found.extend(_told(self.rules, judged, files, reader, day))
        return Inspection(
            tuple(found), tuple(names), tuple(unread), len(quads), day, self.rules, reader.plain, self._checker.routes()
        )

    def _judged(
        self, reader: WrittenStore, before: Collection[_Key], files: Sequence[_File], day: date
    ) -> Iterator[Result]:
        """Yield what counts on the day and is the files' doing: new with them, or about things that they describe."""
        described_here = {subject for file in files for subject in file.first}
        for _, result in self.rules.in_force(reader, self._checker.check(reader, day), day):
            if result.focus in described_here or _key(result) not in before:
                yield result

    def _locate(self, files: Sequence[_File], results: Iterable[Result]) -> None:
        """Find the lines of what was found, each file read once more at most."""
        foci = {result.focus for result in results}
        for file in files:
            numbers = {file.first[focus]: focus for focus in foci if focus in file.first}
            lines = lines_of(file.source, file.source.address, numbers)
            file.lines = {numbers[number]: line for number, line in lines.items()}


def judge(rules: Rules, reader: Reader, day: date) -> tuple[list[Found], Mapping[Term, Route]]:
    """Judge a register by rules that it does not keep findings of, such as somebody's own; say how each was run."""
    checker = Checker(rules.shapes)
    results = [result for _, result in rules.in_force(reader, checker.check(reader, day), day)]
    return list(_told(rules, results, (), reader, day)), checker.routes()


def _told(
    rules: Rules, results: Iterable[Result], files: Sequence[_File], reader: Reader, day: date
) -> Iterator[Found]:
    """Yield what was found: results that differ in their words alone are one fault with all of these."""
    concerns = Concerns(reader)
    span = Interval(day, day + timedelta(days=1)) if day < date.max else Interval(day)
    merged: dict[_Fault, tuple[str, str, dict[str, list[str]]]] = {}
    for result in results:
        fault, severity, messages, shape = read_result(rules, result)
        words = merged.setdefault(fault, (severity, shape, {}))[2]
        for message in messages:
            said = words.setdefault(message.language or "", [])
            if message.value not in said:
                said.append(message.value)
    for (focus, rule, path, value, component), (severity, shape, words) in merged.items():
        named = isinstance(focus, ox.NamedNode)
        yield Found(
            rule, severity, focus, path, value, component, shape,
            {language: " ".join(sorted(said)) for language, said in words.items()},
            _place(focus, files),
            concerns.of(focus.value, span) if named else None,
        )  # fmt: skip


def _place(focus: Term, files: Sequence[_File]) -> Place | None:
    """Return where a thing is first described, else the file that describes or names it, if one does."""
    for file in files:
        if focus in file.first:
            return Place(file.source.name, file.lines.get(focus))
    naming = [file for file in files if any(quad.object == focus for quad in file.quads)] or files
    return Place(naming[0].source.name) if len(naming) == 1 else None


def _filled(store: OxigraphStore, quads: Sequence[ox.Quad]) -> WrittenStore:
    """Put the statements of files into a context as they are written, and derive anew what follows from all of it.

    What is derived walks from name to name, so blank nodes have one as long as that is done, as in a register.
    """
    for graph in _DERIVED:
        store.clear(graph)
    named = list(dict.fromkeys(map(_named, quads)))
    known = {quad for quad in named if quad in store.raw}
    store.raw.bulk_extend(named)
    derived = list(_derived(store))
    for quad in named:
        if quad not in known:
            store.raw.remove(quad)
    return WrittenStore([*quads, *map(_unnamed, derived)], store)


def _derived(store: OxigraphStore) -> Iterator[ox.Quad]:
    """Yield the scope keys and the standings, which follow from them."""
    keys = list(scope_keys(store))
    store.raw.extend(keys)
    yield from keys
    yield from derive(store, described(store))
    for quad in keys:
        store.raw.remove(quad)


def _key(result: Result) -> _Key:
    return result.focus, result.root, str(result.path), str(result.value), str(result.constraint or result.component)


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(source: Input, number: int) -> _File:
    """Read a file, its blank nodes kept apart from those of the others. Raises ``Malformed``."""
    graph = ox.NamedNode(source.address)

    def kept(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Term:
        if isinstance(term, ox.Triple):
            raise Malformed("A statement about a statement cannot be recorded", remedy="Name what it is about.")
        return ox.BlankNode(f"f{number}x{term.value}") if isinstance(term, ox.BlankNode) else term

    quads: list[ox.Quad] = []
    first: dict[Term, int] = {}
    for place, quad in enumerate(parse(source, source.address), 1):
        subject, value = kept(quad.subject), kept(quad.object)
        assert not isinstance(subject, ox.Literal)
        first.setdefault(subject, place)
        quads.append(ox.Quad(subject, quad.predicate, value, graph))
    return _File(source, quads, first)


def _at_the_door(file: _File) -> Iterator[Found]:
    """Yield what a load would refuse, each kind of fault of a predicate at each place."""
    door = Door()
    faults: list[tuple[int, Malformed, Term]] = []
    checked: dict[ox.NamedNode, Malformed] = {}
    for number, quad in enumerate(file.quads, 1):
        subject = quad.subject
        assert not isinstance(subject, ox.Triple)
        try:
            door.check_subject(subject)
            if quad.predicate in checked:
                raise checked[quad.predicate]
            check = door.checks.get(quad.predicate)
            if quad.predicate not in door.checks:
                try:
                    check = door.learn(quad.predicate)
                except Malformed as fault:
                    checked[quad.predicate] = fault
                    raise
            if check is not None:
                check(subject, quad.object)
        except Malformed as fault:
            faults.append((number, fault, subject))
    inverted = door.inverted()
    if inverted:
        for number, _, start, end in intervals(iter(file.quads), inverted):
            told = Malformed(f"It ends on {end}, before it starts on {start}", remedy="Check d:from and d:until.")
            subject = file.quads[number - 1].subject
            assert not isinstance(subject, ox.Triple)
            faults.append((number, told, subject))
    lines = lines_of(file.source, file.source.address, {number for number, _, _ in faults})
    for number, told, about in faults:
        place = Place(file.source.name, lines.get(number))
        yield Found(MALFORMED, VIOLATION, about, messages=_malformed(told, file.source).messages, place=place)


def _malformed(fault: Malformed, source: Input) -> Found:
    words = f"{fault.message}. {fault.remedy}".strip()
    return Found(MALFORMED, VIOLATION, messages={"": words}, place=fault.place or Place(source.name))


# --- the context ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Context:
    """Hold what files are held against, as N-Quads: the ontology, a pack, and what is derived from them."""

    lines: bytes

    def store(self) -> OxigraphStore:
        """Return a store of its own with all of it."""
        store = OxigraphStore()
        store.raw.bulk_load(self.lines, format=ox.RdfFormat.N_QUADS)
        return store


def context_of(pack: Pack | None, beside: Sequence[str | Path] = ()) -> Context:
    """Return the ontology, a pack and further files as a context.

    Without further files it is kept for the next time in the user's folder for caches (``XDG_CACHE_HOME``), under the
    digest of all it is made from and by: reading the tables of a pack takes longer than most checks.
    """
    kept = None if beside or pack is None else _kept_in(pack)
    if kept is not None:
        with contextlib.suppress(OSError, EOFError, zlib.error):
            return Context(gzip.decompress(kept.read_bytes()))
    store = OxigraphStore()
    store.raw.bulk_extend(_stated(pack, beside))
    store.raw.bulk_extend(list(_derived(store)))
    lines = b"".join(f"{quad} .\n".encode() for quad in store.raw)
    if kept is not None:
        with contextlib.suppress(OSError):  # a folder that cannot be written costs time only
            kept.parent.mkdir(parents=True, exist_ok=True)
            for older in kept.parent.glob(f"context-{pack.name if pack else ''}-*"):
                older.unlink()
            part = kept.with_suffix(f".{os.getpid()}")
            part.write_bytes(gzip.compress(lines, 1))
            part.replace(kept)
    return Context(lines)


def _kept_in(pack: Pack) -> Path | None:
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    digest = hashlib.sha256()
    made_from = [*folder("ontology").glob("*.ttl"), *pack.folder.rglob("*"), *Path(__file__).parent.glob("*.py")]
    for path in sorted(path for path in made_from if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return home / "diaba" / f"context-{pack.name}-{digest.hexdigest()[:32]}.nq.gz"


def _stated(pack: Pack | None, beside: Sequence[str | Path]) -> Iterator[ox.Quad]:
    """Yield the ontology, the pack and what lies beside, each in its graph with how far it is trusted."""
    for path in sorted(folder("ontology").glob("*.ttl")):
        yield from map(_named, _in_graph(parse(input_of(path), _ONTOLOGY.value), _ONTOLOGY))
    yield ox.Quad(_ONTOLOGY, _CONFIDENCE, ox.NamedNode(Confidence.V1), _SOURCES)
    for part in pack.parts if pack else ():
        graph = ox.NamedNode(part.source)
        yield from map(_named, _in_graph(quads_of(part), graph))
        yield ox.Quad(graph, _CONFIDENCE, ox.NamedNode(part.confidence), _SOURCES)
    if beside:
        with open_inputs(beside) as groups:
            for number, source in enumerate(one for group in groups for one in group):
                yield from map(_named, _read(source, -1 - number).quads)


def _in_graph(quads: Iterable[ox.Quad], graph: ox.NamedNode) -> Iterator[ox.Quad]:
    return (ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in quads)


def _named(quad: ox.Quad) -> ox.Quad:
    """Give blank nodes names, as a register does."""
    if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode):
        terms = [
            ox.NamedNode(_SKOLEM + term.value) if isinstance(term, ox.BlankNode) else term
            for term in (quad.subject, quad.object)
        ]
        return ox.Quad(terms[0], quad.predicate, terms[1], quad.graph_name)  # type: ignore[arg-type]
    return quad


def _unnamed(quad: ox.Quad) -> ox.Quad:
    """Take the names of blank nodes back out of what was derived."""
    terms = [
        ox.BlankNode(term.value.removeprefix(_SKOLEM))
        if isinstance(term, ox.NamedNode) and term.value.startswith(_SKOLEM)
        else term
        for term in (quad.subject, quad.object)
    ]
    return ox.Quad(terms[0], quad.predicate, terms[1], quad.graph_name)  # type: ignore[arg-type]


def routes_by_rule(rules: Rules, routes: Mapping[Term, Route], among: Collection[str] = ()) -> dict[str, list[Route]]:
    """Return rule → the ways in which what it asks is run, the slowest last."""
    found: dict[str, list[Route]] = {}
    for root in rules.shapes.targeted():
        for rule in rules.of_root(root.node):
            if not among or rule.iri in among:
                route = routes.get(root.node)
                if route is not None and route not in found.setdefault(rule.iri, []):
                    found[rule.iri].append(route)
    return found
