"""Remember what records said before: versions in a store of their own, never in the union that answers read.

A version is a copy of a record's withdrawn state under ``<record>/v/<n>``, with the instants between which the register
held it to be true. Which version a change makes stands in the change's payload, so that replaying it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from graph.store import Reader
from graph.terms import XSD, D

_MARK = "/v/"


class Versions:
    """Number the versions of one load: after those the history store holds, and after each other."""

    def __init__(self, history: Reader) -> None:
        self._history = history
        self._last: dict[str, int] = {}

    def next_of(self, record: str) -> str:
        """Return the IRI of the next version of a record."""
        number = self._last.get(record)
        if number is None:
            number = max((_number(version, record) for version in versions_of(self._history, record)), default=0)
        self._last[record] = number + 1
        return f"{record}{_MARK}{number + 1}"

    def take(self, version: str, record: str) -> None:
        """Note that a load itself brings this version."""
        self._last[record] = max(self._last.get(record, 0), _number(version, record))


def versions_of(history: Reader, record: str) -> list[str]:
    """Return the versions of a record, oldest first."""
    found: set[str] = {version.value for version, _, _, _ in history.incoming((record,), (D.versionOf,))}
    return sorted(found, key=lambda version: (_number(version, record), version))


def version_lines(record: str, state: Iterable[str], version: str, withdrawn: str, graph: str) -> Iterator[str]:
    """Yield the statements of a version, as N-Quads lines without the final stop.

    ``state`` are the record's own lines, ``withdrawn`` the instant (in Z) at which it was, ``graph`` the source's.
    """
    skip = len(record) + 2
    for line in state:
        yield f"<{version}>{line[skip:]}"
    yield f"<{version}> <{D.versionOf}> <{record}> <{graph}>"
    yield f'<{version}> <{D.withdrawnAt}> "{withdrawn}"^^<{XSD.dateTime}> <{graph}>'


def linked(graph: Reader, state: Iterable[str], prefix: str) -> Iterator[ox.Quad]:
    """Yield the statements of the named blank nodes a state points to, and those they point to in turn.

    Such a name is a hash of what is said about it, so a copy in the history stays true whatever the record says next.
    """
    seen: set[str] = set()
    waiting = {node for line in state for node in _names(line, prefix)}
    while waiting:
        node = waiting.pop()
        seen.add(node)
        for quad in graph.outgoing((node,)):
            yield quad
            if isinstance(quad.object, ox.NamedNode) and quad.object.value.startswith(prefix):
                waiting |= {quad.object.value} - seen


def _names(line: str, prefix: str) -> Iterator[str]:
    for word in line.split(" ")[2:-1]:
        if word.startswith("<" + prefix):
            yield word[1:-1]


def _number(version: str, record: str) -> int:
    tail = version.removeprefix(record + _MARK)
    return int(tail) if tail.isdecimal() else 0
