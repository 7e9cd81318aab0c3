"""Keep the graph in any SPARQL 1.1 service: the contract of ``graph.store`` over query, update and graph store.

Two things are hard over HTTP. A question that is lost can be put again; an order that is lost may have been carried
out, or be under way still. So every update names the *turn* it finds and leaves another, in the same operation as what
it changes: sent twice it does nothing the second time, and one that arrives late, after others, does nothing at all.
And a change too large for one update is not seen at once: it stands between two marks, *begun* and *done*, so that
whoever opens the store next sees a change that was begun only, and the journal does it again.

Not every service keeps updates that run at the same time apart (Oxigraph does in memory, not on disk: measured). One
given up for lost that ends after the next one leaves its turn beside the new one. A turn names its change, so whoever
writes next sees two, steps back before the older change, and the journal does it and what came after it again.

The marks stand in the graph ``…/diaba/graph/projection``: ``<…/projection> d:revision 7`` (done),
``<…/projection/begun> d:revision 8`` and ``<…/projection/turn> dct:identifier "<session>.<number>@8"``. A store that a
register has taken for its own says whose it is: ``<…/projection/of> dct:identifier "<register> <making>"``, a name for
the register and one for this making of its graph. While it is being made anew ``<…/projection/anew>`` says the same,
and what it holds counts for nothing.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import pyoxigraph as ox

from graph.addresses import read_addresses
from graph.errors import BadQuestion, Place, StoreFault
from graph.orders import (
    ANEW,
    BEGUN,
    BEGUN_MARK,
    DONE_MARK,
    OF,
    PROJECTION,
    TURN,
    Marks,
    Piece,
    batches,
    change_of,
    groups,
    pieces_of,
    write_step_back,
    write_update,
)
from graph.store import Capabilities
from graph.terms import DCT, D
from graph.wire import RESULTS, Answer, Credentials, Misread, Patience, Unsettled, Wire, credentials_for, shown_address

AT_ONCE: Final = 5_000
"""Statements that travel in one update; Oxigraph takes 5,000 in about 0.15 s (measured)."""

ASKED_AT_ONCE: Final = 1_000
"""Edges that are asked for in one query."""

class RemoteStore:
    """Keep the graph behind one address, or one each for ``query``, ``update`` and, for loading, ``graph_store``.

    Takes a revision for granted that it read when it opened, as the one process that writes; ``read_only`` asks anew
    each time and waits while a change stands half. With ``register`` and ``making`` it is that register's own, and is
    refused where it is another's, or another making. Raises ``StoreFault`` for whatever goes wrong on the way: after
    one, a change is in whole, in part or not at all, and applying it again makes it whole.
    """

    def __init__(
        self,
        endpoint: str = "",
        *,
        query: str = "",
        update: str = "",
        graph_store: str | None = None,
        credentials: Credentials | None = None,
        patience: Patience | None = None,
        at_once: int = AT_ONCE,
        read_only: bool = False,
        register: str = "",
        making: str = "",
    ) -> None:
        credentials, patience = credentials or Credentials(), patience or Patience()
        self.wire = Wire(query or endpoint, update or endpoint, graph_store, credentials, patience)
        self.at_once = at_once
        self.read_only = read_only
        self._place = Place(shown_address(self.wire.query))
        self._lock = threading.RLock()
        self._session = uuid.uuid4().hex
        self._updates = 0
        self._turn: str | None = None
        self._union: bool | None = None
        self.of = f"{register} {making}" if register else ""
        """Whose graph it is, and which making of it."""
        self.anew = False
        """Whether its graph is being made anew: see ``make_anew``."""
        self._dropping = False
        try:
            marks = self._marks()
            self._revision = self._attempted = marks.done
            if register and not read_only and not marks.of:
                self._refuse_what_is_not_ours()
            if marks.anew and not read_only:
                self.make_anew()
        except StoreFault:
            self.close()
            raise

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Declare what the service can do; whether its default graph is the union is found out by asking."""
        return Capabilities(
            "The remote store",
            bulk=self.wire.graphs is not None,
            union_default_graph=self._shows_union() is not False,
            marks=True,
        )

    @property
    def revision(self) -> int:
        return self._whole().done if self.read_only else self._revision

    def state(self) -> tuple[str, int]:
        """Name the state that the store is in, no other like it, and the change it stands at.

        Waits a moment while a change stands half, then raises ``StoreFault``.
        """
        marks = self._whole()
        return " ".join(marks.turns), marks.done

    def _whole(self) -> Marks:
        """Wait until no change stands half."""
        marks = self._marks()
        for pause in self.wire.patience.pauses():
            if marks.whole:
                return marks
            time.sleep(max(pause, 0.01))
            marks = self._marks()
        if marks.whole:
            return marks
        if marks.anew:
            raise StoreFault(
                f"The graph in the store is being made anew and has come to change {marks.done}",
                remedy="Wait, or start the process that writes: it goes on with it.", place=self._place,
            )  # fmt: skip
        raise StoreFault(
            f"Change {marks.begun} was begun in the store and is not done",
            remedy="Wait, or start the process that writes: it does the change again.", place=self._place,
        )  # fmt: skip

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        if predicates is None:
            for subjects in batches((str(ox.NamedNode(node)) for node in nodes), ASKED_AT_ONCE):
                yield from self._edges(f"VALUES ?s {{ {' '.join(subjects)} }}")
        else:
            yield from self._pairs("?s", nodes, predicates)

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        yield from self._pairs("?o", nodes, predicates)

    def _pairs(self, end: str, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        # One list of pairs, not two lists of nodes and predicates: joining the lists to the graph one after the other
        # takes seconds for ten nodes where the pairs take milliseconds (measured on Oxigraph).
        edges = [str(ox.NamedNode(predicate)) for predicate in predicates]
        pairs = (f"({ox.NamedNode(node)} {edge})" for node in nodes for edge in edges)
        for some in batches(pairs, ASKED_AT_ONCE):
            yield from self._edges(f"VALUES ({end} ?p) {{ {' '.join(some)} }}")

    def _edges(self, values: str) -> Iterator[ox.Quad]:
        text = f"SELECT ?s ?p ?o ?g WHERE {{ {values} GRAPH ?g {{ ?s ?p ?o }} }}"
        for row in self.wire.ask(text, self.wire.rows):
            yield ox.Quad(row["s"], row["p"], row["o"], row["g"])

    def query(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        """Run a query where the service shows it the union of all graphs, and refuse it where it does not.

        Rewriting a query by somebody else to see the union would need all of its grammar, and naming every graph makes
        it slower by a factor of 26 and more (measured).
        """
        if self._shows_union() is False:
            self.capabilities.require(
                "union_default_graph",
                "Set it up so that a query sees all graphs (oxigraph serve --union-default-graph; see the page on "
                "remote stores for others).",
            )
        try:
            return self.wire.ask(text, self._result)
        except Misread as fault:
            raise BadQuestion(
                f"This is no SPARQL query: {fault.told}", remedy="Correct the query.", place=Place("query")
            ) from fault

    def _result(self, answer: Answer) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        if answer.kind in (RESULTS, "application/json"):
            return self.wire.results(answer)
        held = ox.Store()
        held.extend(ox.Quad(*triple) for triple in self.wire.triples(answer))
        found = held.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
        assert isinstance(found, ox.QueryTriples)
        return found

    def _shows_union(self) -> bool | None:
        """Find out whether the default graph of a query is the union of all; ``None`` while the store is empty."""
        if self._union is None:
            text = (
                "SELECT ?seen WHERE { { SELECT ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } } LIMIT 1 } "
                "BIND(EXISTS { ?s ?p ?o } AS ?seen) }"
            )
            for row in self.wire.ask(text, self.wire.rows):
                self._union = row["seen"] == ox.Literal(True)
        return self._union

    def contents(self, graph: str) -> Iterator[ox.Quad]:
        name = ox.NamedNode(graph)
        for row in self.wire.stream(f"SELECT ?s ?p ?o WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }}"):
            yield ox.Quad(row["s"], row["p"], row["o"], name)

    def noted(self, part: str) -> int:
        return max((int(quad.object.value) for quad in self._noted(part)), default=0)  # type: ignore[union-attr]

    def _noted(self, part: str) -> list[ox.Quad]:
        return [quad for quad in self.outgoing((part,), (D.revision,)) if quad.graph_name.value == PROJECTION]  # type: ignore[union-attr]

    def _marks(self) -> Marks:
        text = (
            f"SELECT ?part ?mark WHERE {{ VALUES (?part ?says) {{ (<{PROJECTION}> <{D.revision}>) "
            f"(<{BEGUN}> <{D.revision}>) (<{TURN}> <{DCT.identifier}>) "
            f"(<{OF}> <{DCT.identifier}>) (<{ANEW}> <{DCT.identifier}>) }} "
            f"GRAPH <{PROJECTION}> {{ ?part ?says ?mark }} }}"
        )
        found: dict[str, list[str]] = {PROJECTION: [], BEGUN: [], TURN: [], ANEW: [], OF: []}
        for row in self.wire.ask(text, self.wire.rows):
            found[row["part"].value].append(row["mark"].value)
        turns = tuple(sorted(found[TURN]))
        done = min(map(int, found[PROJECTION]), default=0)
        if len(turns) > 1:
            done = min(done, max(min(map(change_of, turns)) - 1, 0))
        of = " | ".join(sorted({*found[OF], *found[ANEW]}))
        if self.of and of not in ("", self.of):
            raise self._anothers(of)
        return Marks(done, max(map(int, found[BEGUN]), default=done), turns, of, bool(found[ANEW]))

    def _anothers(self, of: str) -> StoreFault:
        if of.partition(" ")[0] == self.of.partition(" ")[0]:
            return StoreFault(
                "The graph in the store was made anew for another data directory of this register, or for this one"
                " at another time",
                remedy="Name the store that this directory follows, or put its graph there with diaba rebuild.",
                place=self._place,
            )
        return StoreFault(
            "The store holds the graph of another register",
            remedy="Name another store; if nobody needs what is in this one, empty it first.", place=self._place,
        )  # fmt: skip

    def _refuse_what_is_not_ours(self) -> None:
        ours = f"GRAPH <{PROJECTION}> {{ ?s ?p ?o }}"
        if self._holds(f"{{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} FILTER NOT EXISTS {{ {ours} }}"):
            raise StoreFault(
                "The store holds statements that no register has put there",
                remedy="Name a store that is empty: a register needs one for itself.", place=self._place,
            )  # fmt: skip

    # --- writing ------------------------------------------------------------------------------------------------------

    def apply(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad], revision: int) -> None:
        with self._writing(revision) as hand:
            pieces = pieces_of(removed, added, self.at_once)
            piece = next(pieces, Piece())
            first = True
            while True:
                following = next(pieces, None)
                last = following is None
                hand.step(piece.removed, piece.added, begin=first, end=last)
                if following is None:
                    break
                piece, first = following, False

    def load(self, added: Iterable[ox.Quad], revision: int) -> None:
        if self.wire.graphs is None:
            self.apply((), added, revision)
            return
        with self._writing(revision) as hand:
            hand.step({}, {}, begin=True)
            for piece in pieces_of((), added, self.at_once):
                for graph, lines in piece.added.items():
                    self.wire.post_graph(graph[1:-1], "\n".join(lines).encode())
            hand.step({}, {}, end=True)

    def clear(self, graph: str) -> None:
        with self._writing() as hand:
            self._drop(hand, graph)

    def note(self, part: str, revision: int) -> None:
        noted = self._noted(part)
        mark = ox.Quad(ox.NamedNode(part), ox.NamedNode(D.revision), ox.Literal(revision), ox.NamedNode(PROJECTION))
        if noted == [mark]:
            return
        with self._writing() as hand:
            subject = f"{mark.subject} {mark.predicate}"
            hand.send(
                f"GRAPH <{PROJECTION}> {{ {subject} ?noted }}",
                f"GRAPH <{PROJECTION}> {{ {subject} {mark.object} }}",
                f"OPTIONAL {{ GRAPH <{PROJECTION}> {{ {subject} ?noted }} }}",
            )

    def flush(self) -> None:
        """Do nothing: when a service writes to its disk is its own matter, and the journal mends what it forgets."""

    def close(self) -> None:
        self.wire.close()

    def take_over(self, register: str, making: str) -> None:
        """Take the store for this making of a register's graph, and drop what it holds: see ``make_anew``.

        Raises ``StoreFault``, with nothing changed, where it holds the graph of another register, or anything else.
        """
        before, self.of = self.of, ""
        try:
            marks = self._marks()
            self.of = f"{register} {making}"
            if not marks.of:
                self._refuse_what_is_not_ours()
            elif any(one.partition(" ")[0] != register for one in marks.of.split(" | ")):
                raise self._anothers(marks.of)
        except StoreFault:
            self.of = before
            raise
        self.make_anew()

    def make_anew(self) -> None:
        """Drop all there is and stand at change 0; until ``made`` is called, what is in it counts for nothing.

        Whoever opens it before that begins again from here, and who reads is told to wait.
        """
        with self._lock:
            self.anew = self._dropping = True
            self._turn = None
            of, self.of = self.of, ""  # what another making left is what is to go
            try:
                self._attempted = self._marks().done
                with self._writing(0) as hand:
                    self._forget(hand, of)
                    for graph in self._graphs():
                        self._drop(hand, graph)
                self._dropping = False
            finally:
                self.of, self._revision = of, 0

    def _forget(self, hand: _Hand, of: str) -> None:
        """Take all marks back but the turn, and leave the one that says that what is here counts for nothing."""
        says = f"<{DCT.identifier}>"
        marks = (f"?part <{D.revision}> ?number", f"<{OF}> {says} ?of", f"<{ANEW}> {says} ?was")
        old = [f"GRAPH <{PROJECTION}> {{ {mark} }}" for mark in marks]
        new = f"GRAPH <{PROJECTION}> {{ <{ANEW}> {says} {ox.Literal(of)} }}"
        hand.send("\n".join(old), new, " ".join(f"OPTIONAL {{ {one} }}" for one in old))

    def made(self) -> None:
        """Say that what ``make_anew`` began is there; does nothing where it was not called."""
        if not self.anew:
            return
        mark = f"GRAPH <{PROJECTION}> {{ <{ANEW}> <{DCT.identifier}> ?of }}"
        with self._writing() as hand:
            hand.send(mark, "", f"OPTIONAL {{ {mark} }}")
        self.anew = False

    def _graphs(self) -> list[str]:
        """Return the names of all graphs but the one of the marks."""
        text = f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{PROJECTION}>) }}"
        return [row["g"].value for row in self.wire.ask(text, self.wire.rows)]

    def _drop(self, hand: _Hand, graph: str) -> None:
        name = ox.NamedNode(graph)
        some = f"SELECT ?s ?p ?o WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }} LIMIT {self.at_once}"
        while self._holds(f"GRAPH {name} {{ ?s ?p ?o }}"):
            hand.send(f"GRAPH {name} {{ ?s ?p ?o }}", "", f"OPTIONAL {{ {{ {some} }} }}")

    def _holds(self, pattern: str) -> bool:
        found = self.wire.ask(f"ASK {{ {pattern} }}", self.wire.results)
        return isinstance(found, ox.QueryBoolean) and bool(found)

    @contextmanager
    def _writing(self, revision: int | None = None) -> Iterator[_Hand]:
        """Take the turn, give a hand to write with, and make sure that all it did has arrived, the mark too."""
        if self.read_only:
            raise StoreFault("The store was opened for reading only", remedy="Open it for writing.", place=self._place)
        with self._lock:
            if self._dropping and revision != 0:
                self.make_anew()  # it broke off, and what is left must not be built on
            turn = self._turn if self._turn is not None else self._take()
            expected = self._attempted = self._revision if revision is None else revision
            # Whatever goes wrong from here on, the next change starts by finding out how things stand.
            self._turn = None
            hand = _Hand(self, turn, expected)
            yield hand
            marks = self._marks()
            if marks.turn != hand.turn or marks.done != expected:
                raise self._moved()
            self._turn, self._revision = hand.turn, expected

    def _take(self) -> str:
        """Take the turn from whoever had it, so that nothing sent before can change the store any more."""
        for pause in (*self.wire.patience.pauses(), None):
            before = self._marks()
            fresh = self.fresh_turn(before.done)
            text = write_update(before.turn, fresh) if len(before.turns) < 2 else write_step_back(before, fresh)
            try:
                self.wire.order(text)
            except Unsettled as fault:
                if fault.slow or pause is None:
                    raise
            marks = self._marks()
            if marks.turn == fresh:
                return self._taken(marks, fresh)
            time.sleep(pause or 0.0)
        raise self._moved()

    def _taken(self, marks: Marks, turn: str) -> str:
        """Go on from where the store stands, which is where this process left it or was about to bring it."""
        known = (self._revision, self._attempted)
        self._revision = self._attempted = marks.done
        if marks.done in known:
            return turn
        raise StoreFault(
            f"The store stands at change {marks.done}, not at {known[0]}, where this process left it",
            remedy="Go on from there, the journal knows what is missing; if another process writes to it, stop that.",
            place=self._place,
        )

    def fresh_turn(self, revision: int) -> str:
        """Return a name for the next turn, never used before, that tells which change it belongs to."""
        self._updates += 1
        return f"{self._session}.{self._updates}@{revision}"

    def step_back(self, revision: int) -> None:
        """Know the store to be at an earlier change until what is under way is done."""
        self._revision = revision

    def _moved(self) -> StoreFault:
        return StoreFault(
            "The store is not as this process left it: another one writes to it, or it lost what it had taken",
            remedy="See that only one process writes to it, then apply the change again.",
            place=self._place,
        )


class _Hand:
    """Write updates one after the other, each on the turn that the one before it left."""

    def __init__(self, store: RemoteStore, turn: str, revision: int) -> None:
        self.store = store
        self.turn = turn
        self.revision = revision

    def step(
        self,
        removed: Mapping[str, Sequence[str]],
        added: Mapping[str, Sequence[str]],
        *,
        begin: bool = False,
        end: bool = False,
    ) -> None:
        """Write one piece of a change: the first leaves the mark *begun*, the last *done*."""
        marks = [(*BEGUN_MARK, self.revision)] if begin else []
        if end:
            marks.append((*DONE_MARK, self.revision))
        elif begin and self.store.revision >= self.revision:
            # Done before and now once more, in pieces: until the last of them it is not done.
            self.store.step_back(max(self.revision - 1, 0))
            marks.append((*DONE_MARK, self.store.revision))
        out = [f"GRAPH <{PROJECTION}> {{ {mark} {old} }}" for mark, old, _ in marks]
        into = [f"GRAPH <{PROJECTION}> {{ {mark} {number} }}" for mark, _, number in marks]
        if begin and self.store.of:
            into.append(f"GRAPH <{PROJECTION}> {{ <{OF}> <{DCT.identifier}> {ox.Literal(self.store.of)} }}")
        self.send(
            "\n".join([*out, *groups(removed)]),
            "\n".join([*into, *groups(added)]),
            " ".join(f"OPTIONAL {{ {old} }}" for old in out),
        )

    def send(self, removed: str, added: str, where: str) -> None:
        """Send one update until it is known to be carried out; the turn it leaves tells whether it was."""
        wire = self.store.wire
        before, after = self.turn, self.store.fresh_turn(self.revision)
        text = write_update(before, after, removed, added, where)
        pauses = wire.patience.pauses()
        while True:
            try:
                wire.order(text)
                break
            except Unsettled as fault:
                found = self.store._marks().turn
                if found == after:
                    break
                if found != before:
                    raise self.store._moved() from fault
                pause = next(pauses, None)
                if pause is None:
                    raise
                # What was given up for lost may be under way: give it time to end before it meets its like.
                time.sleep(max(pause, fault.pause, wire.patience.pause))
        self.turn = after


# --- the setting ------------------------------------------------------------------------------------------------------


def open_store(
    setting: str,
    environment: Mapping[str, str] | None = None,
    *,
    register: str = "",
    making: str = "",
    read_only: bool = False,
) -> RemoteStore:
    """Open the store that ``DIABA_STORE`` names; credentials come from the environment or the netrc file.

    Raises ``BadSetting`` for a setting that cannot work, ``StoreFault`` where nobody answers or the store is another's.
    """
    found = read_addresses(setting)
    host = urlsplit(found.query).hostname or ""
    return RemoteStore(
        query=found.query,
        update=found.update,
        graph_store=found.graph_store,
        credentials=credentials_for(host, os.environ if environment is None else environment),
        patience=Patience(timeout=found.timeout),
        at_once=AT_ONCE if found.at_once is None else found.at_once,
        read_only=read_only,
        register=register,
        making=making,
    )
