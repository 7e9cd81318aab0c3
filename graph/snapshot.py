"""Show the register as it was known at an instant: the graph of now, with the records of then.

Records have a second clock. One recorded after the instant is hidden; a version that was current then is read from
the history store under the record's own IRI. Descriptions (titles, themes …) have one clock, the journal's, and are
shown as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

import pyoxigraph as ox

from graph.store import Edges
from graph.terms import DCAT, RDF, SKOS, D

_CLOCK = (D.recordedAt, D.withdrawnAt, D.versionOf)

_DESCRIBING: Final = frozenset(
    {
        DCAT.dataset, DCAT.service, DCAT.catalog, DCAT.resource, DCAT.inSeries, DCAT.theme, D.managedIn, SKOS.broader,
        D.level, D.bodyKind, D.jurisdiction, D.postIn, D.partOf, RDF.type,
    }
)  # fmt: skip
"""Predicates that say something of things, not of records: what points by one of these has no second clock."""


class Snapshot:
    """Walk the edges of one past state of knowledge; ``known_at`` is an aware instant.

    Which nodes have a second clock: instances of ``terms.RECORD_CLASSES``, which the register stamps with
    ``d:recordedAt``, and only they have versions in the history store. So a clock is looked at where a record can be:

    * ``outgoing`` without predicates reads nodes whole, as records are: the instant is among what is read, and the
      version of then is looked up.
    * ``outgoing`` with predicates reads descriptions (of resources, areas, bodies, laws, graphs): no clock. Records
      must be read whole, as ``evidence`` does; of a node that is a record *and* a thing, what is read so is of now.
    * ``incoming`` looks at the clocks of the subjects, unless all the predicates are among those that only things have.
    """

    def __init__(self, graph: Edges, history: Edges, known_at: datetime) -> None:
        self.graph = graph
        self.history = history
        self.known_at = known_at
        self._shown: dict[str, bool] = {}
        self._versions: dict[str, str | None] = {}

    @property
    def revision(self) -> int:
        return self.graph.revision

    def outgoing(self, nodes: Iterable[str], predicates: Sequence[str] | None = None) -> Iterator[ox.Quad]:
        if predicates is not None:
            yield from self.graph.outgoing(nodes, predicates)
            return
        wanted = list(nodes)
        current = list(self.graph.outgoing(wanted))
        for subject, predicate, value, _ in current:
            if predicate.value == D.recordedAt:
                self._shown[subject.value] = instant(value.value) <= self.known_at
        for subject, predicate, value, graph in current:
            if self._shown.get(subject.value, True):
                yield ox.Quad(subject, predicate, value, graph)
        of = self._versions_of(wanted)
        for version, predicate, value, graph in self.history.outgoing(sorted(of)) if of else ():
            yield ox.Quad(ox.NamedNode(of[version.value]), predicate, value, graph)

    def incoming(self, nodes: Iterable[str], predicates: Sequence[str]) -> Iterator[ox.Quad]:
        if _DESCRIBING.issuperset(predicates):
            yield from self.graph.incoming(nodes, predicates)
            return
        wanted = list(nodes)
        current = list(self.graph.incoming(wanted, predicates))
        self._look_up([subject.value for subject, _, _, _ in current])
        for subject, predicate, value, graph in current:
            if self._shown[subject.value]:
                yield ox.Quad(subject, predicate, value, graph)
        past = list(self.history.incoming(wanted, predicates))
        self._look_up_versions([subject.value for subject, _, _, _ in past])
        for subject, predicate, value, graph in past:
            record = self._versions[subject.value]
            if record is not None:
                yield ox.Quad(ox.NamedNode(record), predicate, value, graph)

    def _look_up(self, nodes: Iterable[str]) -> None:
        """Learn which nodes of the current graph were already recorded."""
        new = [node for node in nodes if node not in self._shown]
        self._shown.update(dict.fromkeys(new, True))
        for subject, _, value, _ in self.graph.outgoing(new, (D.recordedAt,)):
            self._shown[subject.value] = instant(value.value) <= self.known_at

    def _versions_of(self, records: list[str]) -> dict[str, str]:
        """Return the versions that were current then: version → record."""
        found = {s.value: record.value for s, _, record, _ in self.history.incoming(records, (D.versionOf,))}
        self._look_up_versions(found)
        return {version: record for version, record in found.items() if self._versions[version] == record}

    def _look_up_versions(self, versions: Iterable[str]) -> None:
        """Learn for each version whose it is, or ``None`` if it was not current then."""
        new = sorted({version for version in versions if version not in self._versions})
        clocks: dict[str, dict[str, str]] = {version: {} for version in new}
        for subject, predicate, value, _ in self.history.outgoing(new, _CLOCK):
            clocks[subject.value][predicate.value] = value.value
        for version, clock in clocks.items():
            recorded, withdrawn = clock.get(D.recordedAt), clock.get(D.withdrawnAt)
            was_current = (recorded is None or instant(recorded) <= self.known_at) and (
                withdrawn is None or self.known_at < instant(withdrawn)
            )
            self._versions[version] = clock.get(D.versionOf) if was_current else None


def instant(text: str) -> datetime:
    """Read an ``xsd:dateTime`` in Z as an aware instant."""
    return datetime.fromisoformat(text)
