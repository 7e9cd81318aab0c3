"""Let blocks of plain lines through the door without a parser: what a large load spends its time on.

A line is plain where it is N-Quads or N-Triples as any tool writes it, and everything in it is certainly right: what is
only possibly wrong is left to the parser and the door, which say what and where. A property test holds that no line
passes here that they would refuse, and that it comes to the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import pyoxigraph as ox

from graph.documents import CLASS_KINDS, CONCERNED
from graph.door import BOOLEANS, DAYS, DERIVED, HISTORY, LINKS, OWN, TERMS, TEXTS, Door, read_day
from graph.terms import DCT, RDF, RECORD_CLASSES, RESOURCE_CLASSES, XSD, Confidence, D

# UTF-8 as RFC 3629 §4 has it, without what stands for ASCII
_BEYOND_ASCII: Final = (
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_LITERAL: Final = (
    rb'"(?:[ !#-\[\]-~]++|' + _BEYOND_ASCII + rb'|\\[tnr"\\])*+"'
    rb"(?:@[a-z]{2,3}+(?:-[a-z]{4})?+(?:-[a-z]{2})?+|\^\^<" + re.escape(XSD.NS).encode() + rb"[A-Za-z]++>)?+"
)
_IN_PATH: Final = rb"!$&-;=?-Z_a-z~"
# letters of alphabets from Latin to Vietnamese, which an IRI may hold as they are
_LETTERS: Final = rb"[\xc3-\xdf][\x80-\xbf]|\xe1[\x80-\xbf]{2}"


def _shape(text: bytes, *, graph: bool) -> re.Pattern[bytes]:
    """Return the shape of a plain line in four groups, the last one empty where it names no graph.

    ``text`` matches what an IRI may hold between its host and its fragment.
    """
    tail = rb"(?:#" + text + rb")?+"
    local = rb"/" + text + tail
    iri = (
        rb"<(?:https?://[0-9A-Za-z._~-]++(?:" + local + rb"|:[0-9]{1,5}+(?:" + local + rb")?+)?+"
        rb"|(?:urn|mailto|tel):[0-9A-Za-z]" + text + rb")>"
    )
    triple = rb"(" + iri + rb") (" + iri + rb") (" + iri + rb"|" + _LITERAL + rb")"
    return re.compile(rb"(?m)^" + triple + (rb" (" + iri + rb")" if graph else rb"()") + rb" \.\n")


_NARROW: Final = rb"[" + _IN_PATH + rb"]*+"
_WIDE: Final = rb"(?:[" + _IN_PATH + rb"]++|%[0-9A-Fa-f]{2}|" + _LETTERS + rb")*+"
_QUADS: Final = tuple(_shape(text, graph=True) for text in (_NARROW, _WIDE))
_TRIPLES: Final = tuple(_shape(text, graph=False) for text in (_NARROW, _WIDE))

# What there is to do about a statement, by its predicate.
_PASS, _LINK, _TEXT, _TYPE, _FROM, _UNTIL, _DAY, _TRUTH, _MARK, _PUBLISHER, _REFUSE = range(11)
#: added where a statement is one that things are found by
_TELLS: Final = 16

_OWN_TERM: Final = b"<" + D.NS.encode()
_OWN_SUBJECTS: Final = tuple(b"<" + prefix.encode() for prefix in OWN)


def _token(iri: str) -> bytes:
    return f"<{iri}>".encode()


def _node(token: bytes) -> ox.NamedNode:
    return ox.NamedNode(token[1:-1].decode())


_GOOD: Final = frozenset(map(_token, TERMS - DERIVED - HISTORY))
_FOUND: Final = frozenset(map(_token, CLASS_KINDS))
_RECORDS: Final = frozenset(map(_token, RECORD_CLASSES))
_RESOURCES: Final = frozenset(map(_token, RESOURCE_CLASSES))
_MARKS: Final = frozenset(map(_token, Confidence.ORDER))
_TRUTHS: Final = frozenset(f'"{text}"^^<{XSD.boolean}>'.encode() for text in ("true", "false", "1", "0"))
_DAY_SHAPE: Final = re.compile(rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})"\^\^' + re.escape(_token(XSD.date)))


def _way_of(term: str) -> int:
    """Tell what there is to do about a predicate: as the door has it, and nothing that it might refuse."""
    if term in (RDF.type, DCT.publisher):
        return _TYPE if term == RDF.type else _PUBLISHER
    if not term.startswith(D.NS):
        return _PASS
    if term in HISTORY:  # the door knows whether this load may carry it
        return _REFUSE
    if term in LINKS or term in TEXTS:
        return _LINK if term in LINKS else _TEXT
    if term in DAYS:
        return {D.from_: _FROM, D.until: _UNTIL}.get(term, _DAY)
    return _TRUTH if term in BOOLEANS else _MARK if term == D.confidence else _REFUSE


@dataclass(slots=True)
class Passed:
    """Hold what a block comes to that passed: its lines, each with a graph, and what others depend on.

    ``added`` are lines that come to them, ``count`` counts both, ``records`` the records among them. ``types`` are
    hashes of the catalogue resources, ``graphs`` the IRIs of the graphs that are named, ``told`` the statements that
    things are found by, in their four parts.
    """

    lines: bytes
    added: bytes = b""
    count: int = 0
    records: int = 0
    types: set[int] = field(default_factory=set)
    publishers: list[tuple[ox.NamedNode, ox.NamedNode]] = field(default_factory=list)
    graphs: set[str] = field(default_factory=set)
    told: list[tuple[bytes, bytes, bytes, bytes]] = field(default_factory=list)


class Turnstile:
    """Stand before the door: let pass what is plainly right, and send everything else to it.

    ``home`` is the graph of statements that name none, ``at`` the instant that records get, ``kept`` are hashes of the
    records that other sources keep, ``tells`` whether what things are found by is wanted apart.
    """

    def __init__(
        self, door: Door, home: str, at: str, kept: Collection[int] = (), *, tells: bool = False
    ) -> None:
        self._door = door
        self._home = _token(home)
        self._recorded = _token(D.recordedAt) + f' "{at}"^^'.encode() + _token(XSD.dateTime)
        self._kept = kept
        self._tells = tells
        self._ways: dict[bytes, int] = {}
        self._days: dict[bytes, int] = {}

    def passes(self, block: bytes, count: int, *, graphs: bool) -> Passed | None:
        """Check ``count`` whole lines, which name graphs or do not; nothing where parser and door have to look."""
        lines = _lines(block, count, _QUADS if graphs else _TRIPLES)
        if lines is None or self._door.own:
            return None
        passed = Passed(block if graphs else block.replace(b" .\n", b" " + self._home + b" .\n"))
        added: list[bytes] = []
        named: set[bytes] = set()
        ways, kept, recorded, tell = self._ways, self._kept, self._recorded, passed.told.append
        last, home = b"", self._home
        for subject, predicate, target, graph in lines:
            if subject != last:
                if subject.startswith(_OWN_SUBJECTS) or (kept and hash(_node(subject)) in kept):
                    return None
                last = subject
            if graph != home and graphs:
                home = graph
                named.add(graph)
            try:
                way = ways[predicate]
            except KeyError:
                way = ways[predicate] = self._learn(predicate[1:-1].decode())
            if way >= _TELLS:
                tell((subject, predicate, target, home))
                way -= _TELLS
            if not way:
                continue
            if way <= _TYPE:
                if target.startswith(_OWN_TERM) and target not in _GOOD:
                    return None
                if way == _TYPE:
                    if target in _FOUND and self._tells:
                        tell((subject, predicate, target, home))
                    if target in _RESOURCES:
                        passed.types.add(hash(_node(subject)))
                    elif target in _RECORDS:
                        added.append(b"%s %s %s .\n" % (subject, recorded, home))
                elif way == _LINK and target.startswith(b'"'):
                    return None
            elif not self._passes(way, subject, target, passed):
                return None
        passed.added = b"".join(added)
        passed.count = count + len(added)
        passed.records = len(added)
        passed.graphs = {token[1:-1].decode() for token in named}
        return passed

    def _learn(self, term: str) -> int:
        way = _way_of(term)
        return way + _TELLS if self._tells and term in CONCERNED and way != _TYPE else way

    def _passes(self, way: int, subject: bytes, target: bytes, passed: Passed) -> bool:
        if way <= _DAY:
            day = self._days.get(target)
            if day is None:
                day = self._days[target] = _day_of(target)
            if not day:
                return False
            if way != _DAY:
                self._door.note_bound(_node(subject), day, starts=way == _FROM)
            return True
        if way == _PUBLISHER:
            if target.startswith(b'"'):
                return False
            passed.publishers.append((_node(subject), _node(target)))
            return True
        return target in (_TRUTHS if way == _TRUTH else _MARKS) and way != _REFUSE


def _lines(
    block: bytes, count: int, shapes: tuple[re.Pattern[bytes], ...]
) -> list[tuple[bytes, bytes, bytes, bytes]] | None:
    """Take a block apart, all of it or nothing: a line that has none of the shapes is left out, and so one is short."""
    for shape in shapes:
        lines: list[tuple[bytes, bytes, bytes, bytes]] = shape.findall(block)
        if len(lines) == count and block.endswith(b"\n"):
            return lines
    return None


def _day_of(target: bytes) -> int:
    """Return the number of a day of the calendar, 0 for anything else."""
    found = _DAY_SHAPE.fullmatch(target)
    day = read_day(ox.Literal(found[1].decode(), datatype=ox.NamedNode(XSD.date))) if found else None
    return 0 if day is None else day.toordinal()
