"""Say what a property path is, and write it as SPARQL and as RDF (https://www.w3.org/TR/shacl/#property-paths)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

SH: Final = "http://www.w3.org/ns/shacl#"
_FIRST = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#first")
_REST = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#rest")
_NIL = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#nil")


@dataclass(frozen=True, slots=True)
class Step:
    """Go from a node along one predicate, against its direction when ``inverse``, any number of times (none among
    them) when ``repeated``; or, any number of times, along any of ``ways``: then there is no predicate.
    """

    predicate: str
    inverse: bool = False
    repeated: bool = False
    ways: tuple[tuple[Step, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Predicate:
    """Follow one predicate."""

    iri: str

    @property
    def sparql(self) -> str:
        return f"<{self.iri}>"


@dataclass(frozen=True, slots=True)
class Inverse:
    """Follow a path against its direction."""

    path: Path

    @property
    def sparql(self) -> str:
        return f"^({self.path.sparql})"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Follow paths one after the other."""

    parts: tuple[Path, ...]

    @property
    def sparql(self) -> str:
        return "(" + "/".join(part.sparql for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Follow any one of several paths."""

    parts: tuple[Path, ...]

    @property
    def sparql(self) -> str:
        return "(" + "|".join(part.sparql for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class ZeroOrMore:
    """Follow a path any number of times, or stay."""

    path: Path

    @property
    def sparql(self) -> str:
        return f"({self.path.sparql})*"


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """Follow a path at least once."""

    path: Path

    @property
    def sparql(self) -> str:
        return f"({self.path.sparql})+"


@dataclass(frozen=True, slots=True)
class ZeroOrOne:
    """Follow a path once, or stay."""

    path: Path

    @property
    def sparql(self) -> str:
        return f"({self.path.sparql})?"


Path = Predicate | Inverse | Sequence | Alternative | ZeroOrMore | OneOrMore | ZeroOrOne

_CLOSURES: Final = {
    Inverse: "inversePath",
    ZeroOrMore: "zeroOrMorePath",
    OneOrMore: "oneOrMorePath",
    ZeroOrOne: "zeroOrOnePath",
}


def stays(path: Path) -> bool:
    """Say whether a path leads from every node to that node itself, even from one that no triple speaks of."""
    match path:
        case ZeroOrMore() | ZeroOrOne():
            return True
        case Predicate():
            return False
        case Inverse(inner) | OneOrMore(inner):
            return stays(inner)
        case Sequence(parts):
            return all(stays(part) for part in parts)
        case Alternative(parts):
            return any(stays(part) for part in parts)


def predicates(path: Path) -> Iterator[str]:
    """Yield the predicates that a path follows, again where it names one twice."""
    match path:
        case Predicate(iri):
            yield iri
        case Inverse(inner) | ZeroOrMore(inner) | OneOrMore(inner) | ZeroOrOne(inner):
            yield from predicates(inner)
        case Sequence(parts) | Alternative(parts):
            for part in parts:
                yield from predicates(part)


def as_rdf(path: Path) -> tuple[ox.NamedNode | ox.BlankNode, list[ox.Triple]]:
    """Write a path as RDF, with new blank nodes: its node, and the triples that describe it."""
    match path:
        case Predicate(iri):
            return ox.NamedNode(iri), []
        case Sequence(parts):
            return _as_list(parts)
        case Alternative(parts):
            members, triples = _as_list(parts)
            node = ox.BlankNode()
            return node, [ox.Triple(node, ox.NamedNode(SH + "alternativePath"), members), *triples]
        case Inverse(once) | ZeroOrMore(once) | OneOrMore(once) | ZeroOrOne(once):
            inner, triples = as_rdf(once)
            node = ox.BlankNode()
            return node, [ox.Triple(node, ox.NamedNode(SH + _CLOSURES[type(path)]), inner), *triples]


def _as_list(parts: tuple[Path, ...]) -> tuple[ox.BlankNode, list[ox.Triple]]:
    cells = [ox.BlankNode() for _ in parts]
    triples: list[ox.Triple] = []
    for at, part in enumerate(parts):
        node, inner = as_rdf(part)
        triples.append(ox.Triple(cells[at], _FIRST, node))
        triples.append(ox.Triple(cells[at], _REST, cells[at + 1] if at + 1 < len(cells) else _NIL))
        triples.extend(inner)
    return cells[0], triples


@dataclass(frozen=True, slots=True)
class Edge:
    """Say that a path crosses quads of ``predicate`` in places from whose subject ``way`` leads back to its start."""

    predicate: str
    way: tuple[Step, ...]


def edges(path: Path) -> tuple[Edge, ...] | None:
    """Name every quad that a path can cross, and how to come from the quad's subject back to where the path starts.

    ``None`` where steps cannot say it: a path with parts that is repeated.
    """
    found = _edges(path, (), False)
    return None if found is None else tuple(found)


def back(path: Path) -> tuple[tuple[Step, ...], ...] | None:
    """Return the ways from the end of a path back to its start; ``None`` where steps cannot say it."""
    return _ways(path, True)


def _ways(path: Path, backwards: bool) -> tuple[tuple[Step, ...], ...] | None:
    """Return the ways along a path as steps, from its start to its end or backwards."""
    match path:
        case Predicate(iri):
            return ((Step(iri, inverse=backwards),),)
        case Inverse(inner):
            return _ways(inner, not backwards)
        case ZeroOrOne(inner):
            inner_ways = _ways(inner, backwards)
            return None if inner_ways is None else ((), *inner_ways)
        case ZeroOrMore(inner) | OneOrMore(inner):
            inner_ways = _ways(inner, backwards)
            if inner_ways is None:
                return None
            # Staying is among the repeated steps: for one or more that is a way too many, never one too few.
            if len(inner_ways) == 1 and len(inner_ways[0]) == 1 and not inner_ways[0][0].repeated:
                return ((Step(inner_ways[0][0].predicate, inner_ways[0][0].inverse, repeated=True),),)
            return ((Step("", repeated=True, ways=inner_ways),),)
        case Alternative(parts):
            found: list[tuple[Step, ...]] = []
            for part in parts:
                ways = _ways(part, backwards)
                if ways is None:
                    return None
                found.extend(ways)
            return tuple(found)
        case Sequence(parts):
            whole: tuple[tuple[Step, ...], ...] = ((),)
            for part in reversed(parts) if backwards else parts:
                ways = _ways(part, backwards)
                if ways is None:
                    return None
                whole = tuple(before + way for before in whole for way in ways)
            return whole


def _edges(path: Path, home: tuple[Step, ...], inverted: bool) -> list[Edge] | None:
    """Do as ``edges``; ``home`` leads on from the path's start, and ``inverted`` walks it from its end."""
    match path:
        case Predicate(iri):
            # Forwards the subject is the start; against the direction the start is the object.
            return [Edge(iri, ((Step(iri), *home) if inverted else home))]
        case Inverse(inner):
            return _edges(inner, home, not inverted)
        case ZeroOrOne(inner):
            return _edges(inner, home, inverted)
        case ZeroOrMore(inner) | OneOrMore(inner):
            ways = _ways(path, not inverted)
            if ways is None:
                return None
            return _edges(inner, ways[0] + home, inverted)
        case Alternative(parts):
            found: list[Edge] = []
            for part in parts:
                more = _edges(part, home, inverted)
                if more is None:
                    return None
                found.extend(more)
            return found
        case Sequence(parts):
            found = []
            homes: tuple[tuple[Step, ...], ...] = (home,)
            for part in reversed(parts) if inverted else parts:
                for one in homes:
                    more = _edges(part, one, inverted)
                    if more is None:
                        return None
                    found.extend(more)
                ways = _ways(part, not inverted)
                if ways is None:
                    return None
                homes = tuple(way + before for way in ways for before in homes)
            return found
