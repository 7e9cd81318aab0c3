"""Take sources in: parse, normalise, stop what is malformed, and state the change that makes the register agree.

A load states its sources anew: what a source no longer says is withdrawn, unless the load is partial. One change per
source, all or none per load. A first load of a large source streams straight into its payload; any other is compared
with what the source's graphs hold, sorted on disk where memory would not do. ``service/docs/loading.md`` is the manual.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final, Protocol, cast

import pyoxigraph as ox

from graph.blank import WELL_KNOWN, name_blanks
from graph.door import (
    DAYS,
    Door,
    check_shape,
    check_source,
    intervals,
    inverted_remedy,
)
from graph.errors import Fault, ForeignGraph, Malformed, Notice, Place, Unreadable
from graph.files import MAX_LINE, Input, Progress, blocks_of, parse, parse_block, place_of, place_where
from graph.history import Versions, linked, version_lines
from graph.journal import SECTIONS, Entry, Journal, Sealed, read_instant
from graph.sorting import RUN, Lines, Sections, groups, paired
from graph.sources import Parcel, SourceReport, ends_graph
from graph.store import Reader, Store, normal_form
from graph.terms import DCT, PROV, RDF, RECORD_CLASSES, RESOURCE_CLASSES, XSD, Confidence, D, Graphs, Role
from graph.turnstile import Passed, Turnstile

STREAMED: Final = 200_000
"""A first load of more statements than this is not sorted but streamed."""

LARGE: Final = 20_000_000
"""Bytes of N-Quads or N-Triples from which on a first load goes into its payload as it stands."""

LINE: Final = 180
"""Bytes that a statement takes in lines, about."""

AT_A_TIME: Final = 10_000
"""Statements that are written together."""

MAX_BLANK: Final = 2_000_000
"""Most statements with blank nodes in one load: they must be seen together to be named."""

_TYPE = ox.NamedNode(RDF.type)
_PUBLISHER = ox.NamedNode(DCT.publisher)
_VERSION_OF = ox.NamedNode(D.versionOf)
_FROM = ox.NamedNode(D.from_)
_UNTIL = ox.NamedNode(D.until)
_RECORDED_AT = ox.NamedNode(D.recordedAt)
_DATE_TIME = ox.NamedNode(XSD.dateTime)
_SOURCES = ox.NamedNode(Graphs.sources)
_DEFAULT = ox.DefaultGraph()
_RECORDS = frozenset(ox.NamedNode(term) for term in RECORD_CLASSES)
_RESOURCES = frozenset(ox.NamedNode(term) for term in RESOURCE_CLASSES)
_NOTED = frozenset({_TYPE, _PUBLISHER, _VERSION_OF})
_IN_LINES = frozenset({ox.RdfFormat.N_QUADS, ox.RdfFormat.N_TRIPLES})
_PLAIN = frozenset({XSD.string, XSD.date, RDF.NS + "langString"})

# How a line goes on after its subject.
_SAYS_RECORD = tuple(f"<{RDF.type}> <{term}> <" for term in sorted(RECORD_CLASSES))
_SAYS_RECORDED = f"<{D.recordedAt}> "
_SAYS_WITHDRAWN = f"<{D.withdrawnAt}> "
_SAYS_VERSION = f"<{D.versionOf}> "
_SAYS_FROM = f'<{D.from_}> "'
_SAYS_UNTIL = f'<{D.until}> "'


@dataclass(slots=True)
class _Tally:
    added: int = 0
    removed: int = 0
    versions: int = 0
    records_new: int = 0
    records_changed: int = 0
    records_withdrawn: int = 0


@dataclass(frozen=True, slots=True)
class Staged:
    """Hold what a parcel comes to: nothing to change, or a sealed payload with its counts."""

    source: str
    payload: Sealed | None
    tally: _Tally
    notices: tuple[Notice, ...]

    def entry(self, who: str, message: str) -> Entry | None:
        """Return the proposed row, ``None`` where nothing changes."""
        if self.payload is None:
            return None
        tally = self.tally
        return Entry(self.payload, who, self.source, message, tally.removed, tally.added, tally.versions)

    def report(self, revision: int | None) -> SourceReport:
        """Return the report, with the number the change got."""
        tally = self.tally
        return SourceReport(
            self.source, revision, tally.added, tally.removed, tally.records_new, tally.records_changed,
            tally.records_withdrawn, self.notices,
        )  # fmt: skip


class Listener(Protocol):
    """Hear what a load adds, before it is accepted: it may still come to nothing."""

    def tell(self, statements: Sequence[tuple[bytes, bytes, bytes, bytes]]) -> None:
        """Hear statements that things are found by (``graph.documents.CONCERNED``), in four parts each."""

    def tell_lines(self, lines: bytes) -> None:
        """Hear any statements, in whole lines of N-Quads."""


class Loading:
    """Stage the parcels of one load against one state of graph and history; nothing is written but payloads.

    ``partial`` never withdraws; ``with_history`` takes recorded times and versions from the files; ``own`` are sources
    that come with the register and no load may touch, ``None`` when they are themselves loaded. ``listening`` is asked,
    with about how many statements come, for who wants to hear of a large load while it is read. ``stage`` may raise
    ``Malformed``, ``Unreadable`` or ``ForeignGraph`` with the place.
    """

    def __init__(
        self,
        graph: Store,
        history: Reader,
        journal: Journal,
        at: str,
        *,
        partial: bool = False,
        with_history: bool = False,
        own: Collection[str] | None = None,
        listening: Callable[[int], Listener | None] = lambda _: None,
        progress: Progress | None = None,
    ) -> None:
        self.listening = listening
        self.own = own is None
        self._kept = own or ()
        self.graph = graph
        self.history = history
        self.journal = journal
        self.at = at
        self.partial = partial
        self.with_history = with_history
        self.progress = progress
        self.versions = Versions(history)
        self.claimed: dict[str, str] = {}
        self.keepers: dict[str, str] = {}

    def stage(self, parcels: Sequence[Parcel]) -> list[Staged]:
        """Work out the change of every parcel; sources must differ."""
        for parcel in parcels:
            check_source(parcel.source)
            if parcel.source in self._kept:
                raise ForeignGraph(
                    f"The source {parcel.source} comes with the register",
                    remedy="Load yours under an IRI of its own: both then speak.", place=_first_place(parcel),
                )  # fmt: skip
            owner = self.owner_of(parcel.source)
            if owner not in (None, parcel.source):
                raise ForeignGraph(
                    f"The graph {parcel.source} is part of the source {owner}",
                    remedy="Load it under that source, or choose another IRI.", place=_first_place(parcel),
                )  # fmt: skip
            self.claimed[parcel.source] = parcel.source
        if len(parcels) > 1:  # who listens hears of one
            self.listening = lambda _: None
        return [_Stage(self, parcel).run() for parcel in parcels]

    def owner_of(self, graph: str) -> str | None:
        """Return the source that a named graph belongs to, as declared or claimed in this load."""
        if graph in self.claimed:
            return self.claimed[graph]
        for _, predicate, whole, home in self.graph.outgoing((graph,), (DCT.isPartOf, D.confidence)):
            if home == _SOURCES:
                return str(whole.value) if predicate.value == DCT.isPartOf else graph
        return None


class _Stage:
    """Turn one parcel into the change it makes."""

    def __init__(self, loading: Loading, parcel: Parcel) -> None:
        self.loading = loading
        self.parcel = parcel
        self.source = parcel.source
        self.main = ox.NamedNode(parcel.source)
        self.genid = parcel.source.rstrip("/#") + WELL_KNOWN
        self.door = Door(history=loading.with_history, own=loading.own)
        # Predicates that do more than pass: their check is called, then what they say is noted.
        self.door.note(_PUBLISHER)
        self.homes: dict[ox.NamedNode | ox.BlankNode | ox.DefaultGraph, ox.NamedNode] = {
            _DEFAULT: self.main,
            self.main: self.main,
        }
        self.subgraphs: set[str] = {
            part.value
            for part, _, _, home in loading.graph.incoming((self.source,), (DCT.isPartOf,))
            if home == _SOURCES
        }
        self.used: set[str] = set()
        self.kept: frozenset[int] = frozenset()
        self.typed: set[int] = set()
        self.publishers: set[tuple[ox.NamedNode, ox.NamedNode]] = set()
        self.told_versions: set[str] = set()
        self.clocks = False
        self.tally = _Tally()
        self.notices: list[Notice] = []

    def run(self) -> Staged:
        if self.is_plain_and_large() and not any(True for _ in self.old()):
            return Staged(self.source, self.stream_lines(), self.tally, tuple(self.notices))
        statements = self.admit()
        head = list(islice(statements, STREAMED))
        if not head and self.parcel.inputs:
            raise Unreadable(
                "There is no statement in this source",
                remedy="Load a file that states something.", place=_first_place(self.parcel),
            )  # fmt: skip
        fresh = not any(True for _ in self.old())
        if fresh and len(head) == STREAMED and not self.loading.with_history:
            payload: Sealed | None = self.stream(head, statements)
        else:
            payload = self.compare(chain(head, statements))
        return Staged(self.source, payload, self.tally, tuple(self.notices))

    def old(self) -> Iterator[ox.Quad]:
        """Yield what the graphs of the source hold now."""
        for graph in sorted({self.source} | self.subgraphs):
            yield from self.loading.graph.contents(graph)

    # --- the way in -----------------------------------------------------------------------------------------------

    def admit(self) -> Iterator[ox.Quad]:
        """Yield the statements of the parcel as they will stand: checked, named, in the graphs of the source."""
        blanks: list[ox.Quad] = []
        done = 0
        for number, source in enumerate(self.parcel.inputs):
            yield from self.admit_file(source, number, blanks, self.progress_from(done))
            done += source.size
        self.check_intervals()
        yield from self.admit_blanks(blanks)
        yield from self.publishing()

    def admit_file(
        self, source: Input, number: int, blanks: list[ox.Quad], progress: Callable[[int], None] | None
    ) -> Iterator[ox.Quad]:
        yield from self.admit_quads(parse(source, self.source, progress), source, number, blanks)

    def admit_quads(
        self, quads: Iterable[ox.Quad], source: Input, number: int, blanks: list[ox.Quad], count: int = 0
    ) -> Iterator[ox.Quad]:
        """Yield statements of one file as they will stand; ``count`` of them came before these."""
        # The loop that a large load spends its time in: one look-up per statement, and nothing else where it is plain.
        checks, learn, homes, noted = self.door.checks, self.door.learn, self.homes, _NOTED
        last: object = None
        several = len(self.parcel.inputs) > 1
        blank, literal, triple, make = ox.BlankNode, ox.Literal, ox.Triple, ox.Quad
        try:
            for quad in quads:
                count += 1
                subject, predicate, target, graph = quad
                kind = type(target)
                if (kind is literal and len(target.value) > MAX_LINE) or kind is triple:
                    check_shape(subject, target)
                try:
                    check = checks[predicate]
                except KeyError:
                    check = learn(predicate)
                if subject != last:
                    self.door.check_subject(subject)
                    if self.kept and hash(subject) in self.kept:
                        self.check_keeper(cast(ox.NamedNode, subject).value)
                    last = subject
                if kind is blank or type(subject) is blank or type(graph) is blank:
                    if check is not None:
                        check(subject, target)
                    blanks.append(_apart(quad, number) if several else quad)
                    if len(blanks) > MAX_BLANK:
                        raise Malformed(
                            f"More than {MAX_BLANK} statements have blank nodes",
                            remedy="Give the nodes IRIs, or load the file in parts as sources of their own.",
                        )
                    continue
                home = homes.get(graph)
                if home is None:
                    home = self.open_graph(graph)
                if home != graph:
                    quad = make(subject, predicate, target, home)
                if check is not None:
                    check(subject, target)
                    if predicate in noted:
                        yield from self.note(quad)
                yield quad
        except Fault as fault:
            if fault.place is None:
                fault.place = place_of(source, self.source, count)
            raise

    def admit_blanks(self, blanks: list[ox.Quad]) -> Iterator[ox.Quad]:
        if not blanks:
            return
        starts: dict[object, str] = {}
        ends: dict[object, str] = {}
        try:
            for quad in name_blanks(blanks, self.source):
                home = self.homes.get(quad.graph_name) or self.open_graph(cast(ox.NamedNode, quad.graph_name))
                quad = ox.Quad(quad.subject, quad.predicate, quad.object, home)
                subject, predicate, target, _ = quad
                if predicate == _FROM:
                    starts[subject] = max(target.value, starts.get(subject, ""))
                elif predicate == _UNTIL:
                    ends[subject] = min(target.value, ends.get(subject, target.value))
                yield from self.note(quad)
                yield quad
        except Fault as fault:
            fault.place = fault.place or _first_place(self.parcel)
            raise
        for node, end in ends.items():
            if end < starts.get(node, ""):
                raise _inverted("A blank node", starts[node], end, self.place_of_value(_UNTIL, end))

    def place_of_value(self, predicate: ox.NamedNode, value: str) -> Place:
        """Find the first statement that says this of a blank node."""
        for source in self.parcel.inputs:
            place = place_where(
                source,
                self.source,
                lambda quad: (
                    quad.predicate == predicate
                    and isinstance(quad.subject, ox.BlankNode)
                    and isinstance(quad.object, ox.Literal)
                    and quad.object.value == value
                ),
            )
            if place.line is not None:
                return place
        return _first_place(self.parcel)

    def open_graph(self, graph: ox.NamedNode) -> ox.NamedNode:
        """Take a graph named in a file in as a part of the source, unless it is somebody else's."""
        name = graph.value
        owner = self.loading.owner_of(name)
        if name.startswith(Graphs.NS):
            raise ForeignGraph(
                f"The file writes to the graph {name}, which belongs to the register",
                remedy="Leave that graph out: the register works it out itself.",
            )
        if owner not in (None, self.source):
            raise ForeignGraph(
                f"The file writes to the graph {name}, which belongs to the source {owner}",
                remedy=f"Load it with --source {owner}, or leave that graph out.",
            )
        self.loading.claimed[name] = self.source
        self.used.add(name)
        self.homes[graph] = graph
        return graph

    def note(self, quad: ox.Quad) -> Iterator[ox.Quad]:
        """Remember what later statements depend on: records, catalogue resources, publishers, versions."""
        predicate, target = quad.predicate, quad.object
        if predicate == _TYPE:
            if target in _RESOURCES:
                self.typed.add(hash(quad.subject))
            elif self.clocks and target in _RECORDS:
                self.tally.records_new += 1
                yield ox.Quad(quad.subject, _RECORDED_AT, self.instant, quad.graph_name)
        elif predicate == _PUBLISHER:
            if isinstance(target, ox.NamedNode):
                self.publishers.add((cast(ox.NamedNode, quad.subject), target))
            else:
                self.notices.append(
                    Notice("A publisher is a text, not a body with an IRI: nothing is derived from it",
                           data={"resource": str(quad.subject), "publisher": str(target)[:200]})
                )  # fmt: skip
        elif predicate == _VERSION_OF and isinstance(target, ox.NamedNode):
            self.told_versions.add(target.value)
            self.loading.versions.take(cast(ox.NamedNode, quad.subject).value, target.value)

    def publishing(self) -> Iterator[ox.Quad]:
        """Derive, from what catalogues say about publishers, records that the register can weigh like any other."""
        for resource, publisher in sorted(self.publishers, key=str):
            if hash(resource) not in self.typed and not self.is_resource(resource.value):
                continue
            digest = hashlib.sha256(f"{resource.value}\n{publisher.value}".encode()).hexdigest()[:32]
            record = ox.NamedNode(f"{self.genid.removesuffix('genid/')}publisher/{digest}")
            for predicate, target in (
                (RDF.type, D.Responsibility),
                (D.covers, resource.value),
                (D.holder, publisher.value),
                (D.role, Role.publisher),
                (PROV.wasGeneratedBy, D.door),
            ):
                quad = ox.Quad(record, ox.NamedNode(predicate), ox.NamedNode(target), self.main)
                yield from self.note(quad)
                yield quad

    def is_resource(self, node: str) -> bool:
        """Tell whether the source already calls a node a catalogue resource: a part of it may say no more than that."""
        graphs = {self.source} | self.subgraphs
        return self.loading.partial and any(
            kind in _RESOURCES and home.value in graphs
            for _, _, kind, home in self.loading.graph.outgoing((node,), (RDF.type,))
        )

    def check_intervals(self) -> None:
        """Refuse an interval that ends before it starts, once all of the parcel was seen."""
        keys = self.door.inverted()
        if not keys:
            return
        for source in self.parcel.inputs:
            for place, subject, start, end in intervals(parse(source, self.source), keys):
                raise _inverted(subject, str(start), str(end), place_of(source, self.source, place))
        # Start and end stand in different files of the source.
        raise Malformed(
            "A thing of this source ends before it starts: one file has its d:from, another its d:until",
            remedy=inverted_remedy(), place=_first_place(self.parcel),
        )  # fmt: skip

    def progress_from(self, done: int) -> Callable[[int], None] | None:
        """Return what tells the bytes read of the whole parcel; the total is unknown where a file is packed."""
        progress = self.loading.progress
        if progress is None:
            return None
        packed = any(source.gzipped for source in self.parcel.inputs)
        total = None if packed else sum(source.size for source in self.parcel.inputs)
        return lambda here: progress("reading", done + here, total)

    @property
    def instant(self) -> ox.Literal:
        return ox.Literal(self.loading.at, datatype=_DATE_TIME)

    # --- a large first load ---------------------------------------------------------------------------------------

    def stream(self, head: list[ox.Quad], rest: Iterator[ox.Quad]) -> Sealed:
        """Write everything as added, as it comes."""
        self.clocks = True
        self.kept = self.kept_by_others()
        for quad in head if self.kept else ():
            if hash(quad.subject) in self.kept:
                self.check_keeper(cast(ox.NamedNode, quad.subject).value)
        with self.loading.journal.draft() as draft:
            draft.begin("removed")
            draft.begin("added")
            statements = chain(self.clocked(head), rest)
            ox.serialize(statements, output=cast(IO[bytes], draft), format=ox.RdfFormat.N_QUADS)
            for line in self.declared(set())[1]:
                draft.write(f"{line} .\n".encode())
            draft.begin("versions")
            sealed = draft.seal()
            self.tally.added = draft.counts["added"]
            return sealed

    def clocked(self, head: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        for quad in head:
            if quad.predicate == _TYPE and quad.object in _RECORDS:
                self.tally.records_new += 1
                yield ox.Quad(quad.subject, _RECORDED_AT, self.instant, quad.graph_name)
            yield quad

    def is_plain_and_large(self) -> bool:
        """Tell whether this is much in lines, which can go into the payload as it stands, block by block."""
        inputs = self.parcel.inputs
        plain = all(source.format in _IN_LINES and source.mapping is None for source in inputs)
        size = sum(source.size for source in inputs)
        return bool(inputs) and plain and size > LARGE and not self.loading.with_history and not self.loading.partial

    def stream_lines(self) -> Sealed:
        """Write everything as added, whole blocks of lines at a time where the turnstile lets them pass."""
        self.clocks = True
        self.kept = self.kept_by_others()
        heard = self.loading.listening(sum(source.size for source in self.parcel.inputs) // LINE)
        turnstile = Turnstile(self.door, self.source, self.loading.at, self.kept, tells=heard is not None)
        blanks: list[ox.Quad] = []
        done = 0
        with self.loading.journal.draft() as draft:
            draft.begin("removed")
            draft.begin("added")

            def add(lines: Iterable[object]) -> None:
                text = "".join(f"{line} .\n" for line in lines).encode()
                draft.write(text)
                if heard is not None:
                    heard.tell_lines(text)

            for number, source in enumerate(self.parcel.inputs):
                count = 0
                for block, before, lines in blocks_of(source, self.progress_from(done)):
                    passed = turnstile.passes(block, lines, graphs=source.format == ox.RdfFormat.N_QUADS)
                    if passed is not None and self.takes(passed):
                        draft.write(passed.lines, passed.count)
                        draft.write(passed.added, 0)
                        if heard is not None:
                            heard.tell(passed.told)
                        count += lines
                        continue
                    quads = list(parse_block(source, block, before))
                    add(self.admit_quads(quads, source, number, blanks, count))
                    count += len(quads)
                done += source.size
            self.check_intervals()
            late = chain(self.admit_blanks(blanks), self.publishing())
            while piece := list(islice(late, AT_A_TIME)):
                add(piece)
            add(self.declared(set())[1])  # the graphs of blank nodes among them
            draft.begin("versions")
            sealed = draft.seal()
            self.tally.added = draft.counts["added"]
            return sealed

    def takes(self, passed: Passed) -> bool:
        """Take note of a block that passed; not where it writes to a graph of others, which is told with its place."""
        try:
            for name in passed.graphs:
                graph = ox.NamedNode(name)
                if graph not in self.homes:
                    self.open_graph(graph)
        except ForeignGraph:
            return False
        self.tally.records_new += passed.records
        self.typed |= passed.types
        self.publishers.update(passed.publishers)
        return True

    # --- any other load -------------------------------------------------------------------------------------------

    def compare(self, statements: Iterable[ox.Quad]) -> Sealed | None:
        """Write what differs from what the source's graphs hold; nothing where nothing does."""
        with tempfile.TemporaryDirectory(prefix="diaba-") as folder, Sections(Path(folder)) as sections:
            new, old = Lines(Path(folder)), Lines(Path(folder))
            originals: dict[str, str] = {}
            for quad in statements:
                target = quad.object
                if type(target) is ox.Literal and target.datatype.value not in _PLAIN:
                    normal = normal_form(target)
                    if normal is not target:
                        line = str(ox.Quad(quad.subject, quad.predicate, normal, quad.graph_name))
                        if len(originals) < RUN:
                            originals[line] = str(quad)
                        new.add(line)
                        continue
                new.add(str(quad))
            if not self.loading.partial:
                for quad in self.old():
                    old.add(str(quad))
            for token, before, after in paired(groups(old), groups(new)):
                if self.loading.partial:
                    before = self.lines_of(token[1:-2])
                self.settle(token, before, after, sections, originals)
            removed, added = self.declared(self.subgraphs if self.loading.partial else set())
            sections.write("removed", removed)
            sections.write("added", added)
            tally = self.tally
            tally.removed, tally.added, tally.versions = (sections.counts[name] for name in SECTIONS)
            if not (tally.removed or tally.added or tally.versions):
                return None
            with self.loading.journal.draft() as draft:
                for name in SECTIONS:
                    draft.begin(name)
                    for piece in sections.pieces(name):
                        draft.write(piece)
                return draft.seal()

    def lines_of(self, node: str) -> set[str]:
        graphs = {self.source} | self.subgraphs
        homes = {ox.NamedNode(graph) for graph in graphs}
        return {str(quad) for quad in self.loading.graph.outgoing((node,)) if quad.graph_name in homes}

    def settle(
        self, token: str, before: set[str], after: set[str], sections: Sections, originals: Mapping[str, str]
    ) -> None:
        """Write the difference of one subject: ``token`` is how its lines begin, the sets are old and new lines."""
        skip = len(token)
        if self.loading.with_history and any(line.startswith(_SAYS_VERSION, skip) for line in after):
            self.settle_version(token, after, sections)
            return
        if not self.door.own and not after <= before:
            self.check_keeper(token[1:-2])
        if self.loading.partial:
            after = before | after
            self.check_merged(token, after)
        was_record = any(line.startswith(_SAYS_RECORD, skip) for line in before)
        is_record = any(line.startswith(_SAYS_RECORD, skip) for line in after)
        if is_record:
            self.loading.keepers[token[1:-2]] = self.source
        if was_record or is_record:
            after = self.settle_record(token, before, after, (was_record, is_record), sections)
        sections.write("removed", sorted(before - after))
        sections.write("added", (originals.get(line, line) for line in sorted(after - before)))

    def check_keeper(self, node: str) -> None:
        """Refuse to speak of a record that another source keeps: what two say of one record, neither could correct."""
        keeper = self.loading.keepers.get(node, self.source)
        if keeper != self.source:
            raise self.kept_elsewhere(node, keeper)
        own = {self.source, *self.subgraphs, *self.used}
        for _, _, kind, home in self.loading.graph.outgoing((node,), (RDF.type,)):
            if kind in _RECORDS and home.value not in own:
                raise self.kept_elsewhere(node, self.loading.owner_of(home.value) or home.value)

    def kept_elsewhere(self, node: str, keeper: str) -> ForeignGraph:
        return ForeignGraph(
            f"The record {node} is kept by the source {keeper}",
            remedy=f"Load it with --source {keeper}, or state a record of your own.",
            place=self.place_of_subject(node),
        )

    def kept_by_others(self) -> frozenset[int]:
        """Return the records that other sources keep (a hash each), for a load too large to look each one up."""
        if self.door.own:
            return frozenset()
        own = {self.source, *self.subgraphs}
        rows = self.loading.graph.incoming(sorted(RECORD_CLASSES), (RDF.type,))
        return frozenset(hash(record) for record, _, _, home in rows if home.value not in own)

    def settle_record(
        self, token: str, before: set[str], after: set[str], record: tuple[bool, bool], sections: Sections
    ) -> set[str]:
        """Set the recorded time of a record, and write its old state down as a version; return its new lines."""
        skip, record_iri = len(token), token[1:-2]
        was_record, is_record = record
        for line in after if self.loading.with_history else ():
            if line.startswith(_SAYS_RECORDED, skip) and read_instant(_instant_of(line)) > read_instant(
                self.loading.at
            ):
                raise Malformed(
                    f"The record {record_iri} was recorded at {_instant_of(line)}, which is still to come",
                    remedy="Correct the instant.", place=self.place_of_subject(record_iri),
                )  # fmt: skip
        old_times = {line for line in before if line.startswith(_SAYS_RECORDED, skip)}
        new_times = {line for line in after if line.startswith(_SAYS_RECORDED, skip)}
        told = new_times if self.loading.with_history else set()
        state_before, state_after = before - old_times, after - new_times
        if was_record and is_record and state_before == state_after and (not told or told == old_times):
            return before
        at = self.loading.at
        if is_record:
            graphs = {line.rpartition(" ")[2] for line in state_after if line.startswith(_SAYS_RECORD, skip)}
            times = told or {f'{token}{_SAYS_RECORDED}"{at}"^^<{XSD.dateTime}> {graph}' for graph in graphs}
            if not was_record:
                self.tally.records_new += 1
            else:
                self.tally.records_changed += 1
        else:
            times = set()
            self.tally.records_withdrawn += 1
        if was_record and state_before != state_after and record_iri not in self.told_versions:
            withdrawn = max([at if not told else _instant_of(line) for line in told] or [at])
            version = self.loading.versions.next_of(record_iri)
            sections.write("versions", version_lines(record_iri, sorted(before), version, withdrawn, self.source))
            sections.write("versions", sorted(map(str, linked(self.loading.graph, before, self.genid))))
        return state_after | times

    def settle_version(self, token: str, lines: set[str], sections: Sections) -> None:
        """Take a version over into the history: once, and never another under its name."""
        skip, version = len(token), token[1:-2]
        for says, term in ((_SAYS_RECORDED, "d:recordedAt"), (_SAYS_WITHDRAWN, "d:withdrawnAt")):
            if not any(line.startswith(says, skip) for line in lines):
                raise Malformed(
                    f"The version {version} has no {term}", remedy="Say from when until when it was recorded.",
                    place=self.place_of_subject(version),
                )  # fmt: skip
        for line in lines:
            if line.startswith(_SAYS_VERSION, skip):
                self.check_keeper(line[skip:].split(" ")[1][1:-1])
        recorded = max(_instant_of(line) for line in lines if line.startswith(_SAYS_RECORDED, skip))
        withdrawn = min(_instant_of(line) for line in lines if line.startswith(_SAYS_WITHDRAWN, skip))
        if read_instant(withdrawn) < read_instant(recorded):
            raise Malformed(
                f"The version {version} was withdrawn ({withdrawn}) before it was recorded ({recorded})",
                remedy="Correct one of the instants.", place=self.place_of_subject(version),
            )  # fmt: skip
        known = {str(quad) for quad in self.loading.history.outgoing((version,))}
        if known and known != lines:
            raise Malformed(
                f"The history holds another version under {version}",
                remedy="Give the version another number: what was recorded stays.",
                place=self.place_of_subject(version),
            )
        if not known:
            sections.write("versions", sorted(lines))

    def check_merged(self, token: str, lines: set[str]) -> None:
        """Refuse a part that ends something before it starts: one of the two days may be in the register already."""
        skip = len(token)
        start = [_quoted(line) for line in lines if line.startswith(_SAYS_FROM, skip)]
        end = [_quoted(line) for line in lines if line.startswith(_SAYS_UNTIL, skip)]
        if start and end and min(end) < max(start):
            raise _inverted(token.strip(), max(start), min(end), self.place_of_subject(token[1:-2], DAYS))

    def place_of_subject(self, subject: str, predicates: frozenset[str] = frozenset()) -> Place:
        """Find the first line that speaks of a subject, with one of these predicates where given."""
        node = ox.NamedNode(subject)
        for source in self.parcel.inputs:
            place = place_where(
                source,
                self.source,
                lambda quad: quad.subject == node and (not predicates or quad.predicate.value in predicates),
            )
            if place.line is not None:
                return place
        return _first_place(self.parcel)

    def declared(self, kept: set[str]) -> tuple[list[str], list[str]]:
        """Return which lines of the sources graph to remove and to add; ``kept`` sub-graphs stay whatever was used."""
        graph, declaration = self.loading.graph, self.parcel.declaration
        known = [quad for quad in graph.outgoing((self.source,)) if quad.graph_name == _SOURCES]
        before = {str(quad) for quad in known}
        before |= {f"<{part}> <{DCT.isPartOf}> <{self.source}> {_SOURCES}" for part in self.subgraphs}
        after = {f"<{part}> <{DCT.isPartOf}> <{self.source}> {_SOURCES}" for part in self.used | kept}

        def declare(predicate: str, targets: Iterable[ox.NamedNode | ox.Literal]) -> None:
            fresh = {str(ox.Quad(self.main, ox.NamedNode(predicate), target, _SOURCES)) for target in targets}
            after.update(fresh or {str(quad) for quad in known if quad.predicate.value == predicate})

        confident = any(quad.predicate.value == D.confidence for quad in known)
        confidence = declaration.confidence or (None if confident else Confidence.V3)
        declare(D.confidence, [ox.NamedNode(confidence)] if confidence else [])
        declare(DCT.title, [ox.Literal(text, language=tag) for tag, text in declaration.title.items()])
        declare(DCT.NS + "license", [ox.NamedNode(declaration.licence)] if declaration.licence else [])
        declare(RDF.type, [ox.NamedNode(D.Plan)] if declaration.ends is not None else [])
        if declaration.ends is not None:
            before |= {str(quad) for quad in graph.contents(ends_graph(self.source))}
            after |= declaration.ends_lines(self.source)
        return sorted(before - after), sorted(after - before)


def _apart(quad: ox.Quad, number: int) -> ox.Quad:
    """Keep the blank nodes of one file apart from those of another."""

    def apart(term: ox.BlankNode) -> ox.BlankNode:
        return ox.BlankNode(f"f{number}x{term.value}")

    return ox.Quad(
        apart(quad.subject) if isinstance(quad.subject, ox.BlankNode) else quad.subject,
        quad.predicate,
        apart(quad.object) if isinstance(quad.object, ox.BlankNode) else quad.object,
        apart(quad.graph_name) if isinstance(quad.graph_name, ox.BlankNode) else quad.graph_name,
    )


def _first_place(parcel: Parcel) -> Place:
    return Place(parcel.inputs[0].name if parcel.inputs else parcel.source)


def _quoted(line: str) -> str:
    return line.split('"', 2)[1]


def _instant_of(line: str) -> str:
    return _quoted(line)


def _inverted(subject: str, start: str, end: str, place: Place) -> Malformed:
    return Malformed(
        f"{subject} ends on {end}, before it starts on {start} (d:until before d:from)",
        remedy=inverted_remedy(), place=place,
    )  # fmt: skip
