"""Gather what bears on a resource: a walk along a few edges, the same on every store, whatever the day.

Each round asks the store for the edges of the nodes the last one found, and only for the predicates that count, so an
embedded store answers from its indexes and a remote one needs a query per round. What a record says is fetched whole,
never joined: a claim that lacks an attribute is a claim all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from datetime import date

import pyoxigraph as ox

from graph.model import (
    ALWAYS,
    Area,
    Event,
    Evidence,
    Holder,
    Interval,
    Law,
    Placement,
    Responsibility,
    Succession,
    Transfer,
)
from graph.scopes import keys_around
from graph.store import Edges
from graph.terms import ANSWERABLE_CLASSES, DCAT, DCT, PROV, RDF, SKOS, Confidence, D, Graphs, Level, Role

_RESOURCE = (RDF.type, DCAT.theme, DCAT.inSeries, D.managedIn)
_LISTED_BY = (DCAT.dataset, DCAT.service, DCAT.catalog, DCAT.resource)
_AREA = (RDF.type, D.from_, D.until, D.level)
_HOLDER = (RDF.type, D.from_, D.until, D.postIn)
_LAW = (RDF.type, D.from_, D.until, D.partOf)
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what the store says of one node: predicate → IRIs, predicate → texts, and the graph that says it.

    Foreign catalogues write words where a link belongs (``dcat:theme "water"``): those are texts and lead nowhere.
    """

    links: dict[str, list[str]]
    texts: dict[str, list[str]]
    graph: str

    def all(self, predicate: str) -> list[str]:
        return self.links.get(predicate, _NONE)

    def one(self, predicate: str) -> str | None:
        links = self.links.get(predicate)
        return min(links) if links else None

    def text(self, predicate: str) -> str | None:
        texts = self.texts.get(predicate)
        return min(texts) if texts else None

    def day(self, predicate: str) -> date | None:
        text = self.text(predicate)
        return date.fromisoformat(text) if text is not None else None

    def span(self) -> Interval:
        start, end = self.day(D.from_), self.day(D.until)
        return Interval(start, end) if start is not None or end is not None else ALWAYS


_NONE: list[str] = []
_NOTHING = Facts({}, {}, "")


def gather(reader: Edges, resource: str) -> Evidence:
    """Fetch the evidence on one resource.

    Returns evidence that is ``described`` only if the resource has a type of the catalogue; an IRI that nobody speaks
    of gives empty evidence, no error.
    """
    return Gathering(reader).gather(resource)


class Gathering:
    """Gather the evidence on one or many resources of one state of the graph.

    Keeps what it read of bodies, laws, areas, fields and records, which many resources share, up to a bound; so it
    must not outlive the state of the graph it reads.
    """

    def __init__(self, reader: Edges) -> None:
        self.reader = reader
        self._forget()

    def _forget(self) -> None:
        self._confidences: dict[str, str] = {"": Confidence.V3}  # of a node that no graph says anything of
        self._holders: dict[str, Holder] = {}
        self._areas: dict[str, Area] = {}
        self._laws: dict[str, Law] = {}
        self._broader: dict[str, frozenset[str]] = {}
        self._successions: dict[str, tuple[Succession, ...]] = {}
        self._bodies: dict[str, tuple[str, ...]] = {}
        self._kinds: dict[str, tuple[str, ...]] = {}
        self._scoped: dict[str, tuple[str, ...]] = {}
        self._records: dict[str, Responsibility] = {}
        self._created_by: dict[str, tuple[Transfer, ...]] = {}
        self._exclusive: dict[str, bool] = {}
        self._sources: dict[str, str] = {}
        self._plans: dict[str, bool] = {}
        self._held_by: dict[str, tuple[str, ...]] = {}
        self._for_members: dict[str, tuple[str, ...]] = {}
        self._countries: frozenset[str] | None = None

    def gather(self, resource: str) -> Evidence:
        """Fetch the evidence on one resource; see the function of the same name."""
        kept: tuple[Sized, ...] = (self._records, self._scoped, self._holders, self._areas, self._held_by)
        if any(len(one) > _MOST_KEPT for one in kept):
            self._forget()
        about = self._facts([resource], _RESOURCE).get(resource, _NOTHING)
        containers = self._containers(resource, about.all(DCAT.inSeries))
        themes = frozenset(about.all(DCAT.theme))
        managed_in = frozenset(about.all(D.managedIn))
        fields = _closure(themes, self._load_fields, self._broader.__getitem__)
        areas = _closure(managed_in, self._load_areas, self._area_edges)
        candidates = frozenset(
            {
                *_flat(self._pointing([resource], (D.covers,))),
                *(record for container in containers for record in self._for_members[container]),
                *self._in_scope(fields, areas or self._country_areas()),
            }
        )
        chain = _closure(candidates, self._load_records, self._chain_edges)
        records = {iri: self._records[iri] for iri in chain}
        created_by = {iri: self._created_by[iri] for iri in chain if self._created_by[iri]}
        transfers = [transfer for made in created_by.values() for transfer in made]
        parties = {holder for record in records.values() for holder in record.holders}
        parties.update(giver for transfer in transfers for giver in transfer.transferors)
        parties.discard(D.nobody)
        holders = _closure(parties, self._load_holders, self._holder_edges)
        bodies_in = self._bodies_in(areas, frozenset(_present(record.holder_kind for record in records.values())))
        if not areas:
            claimed = {area for record in records.values() for area in record.areas}
            areas = _closure(claimed, self._load_areas, self._area_edges)
        laws = {law for record in records.values() for law in record.lapses_with}
        laws.update(law for transfer in transfers for law in transfer.lapses_with)
        known_laws = _closure(laws, self._load_laws, lambda law: self._laws[law].part_of)
        known_holders = holders.union(*bodies_in.values())
        return Evidence(
            resource=resource,
            described=not ANSWERABLE_CLASSES.isdisjoint(about.all(RDF.type)),
            themes=themes,
            managed_in=managed_in,
            containers=containers,
            broader={field: self._broader[field] for field in fields},
            areas={area: self._areas[area] for area in areas},
            candidates=candidates,
            responsibilities=records,
            created_by=created_by,
            holders={holder: self._holders[holder] for holder in known_holders},
            successions={node: found for node in (*holders, *areas) if (found := self._successions.get(node))},
            laws={law: self._laws[law] for law in known_laws},
            bodies_in=bodies_in,
            exclusive=self._exclusive_roles(records.values()),
        )

    def area(self, iri: str) -> Area:
        """Return what is known of an area, whole of time."""
        self._load_areas([iri])
        return self._areas[iri]

    def successions(self, iri: str) -> tuple[Succession, ...]:
        """Return the successions by which a body, post or area has heirs, verified or not."""
        self._load_successions([iri])
        return self._successions[iri]

    def origins(self, iri: str) -> list[Succession]:
        """Return the successions by which a body, post or area took over from others."""
        found = self._pointing([iri], (D.successor,)).get(iri, _NONE)
        facts = self._kept_facts(sorted(found)) if found else {}
        before = sorted({node for said in facts.values() for node in said.all(D.predecessor)})
        self._load_successions(before)
        return [step for node in before for step in self._successions[node] if step.successor == iri]

    def ending_events(self, nodes: Iterable[str]) -> dict[str, list[str]]:
        """Return the events that are said to end things, thing → events."""
        return self._pointing(nodes, (D.ends,))

    def basis_of(self, events: Iterable[str]) -> set[str]:
        """Return the acts that events stand on."""
        return {act for said in self._kept_facts(sorted(events)).values() for act in said.all(D.basis)}

    def span_of(self, iri: str) -> Interval:
        """Return when a body, post or area is there; a post only while its body is."""
        span, seen, node = ALWAYS, set[str](), iri
        while node and node not in seen:
            seen.add(node)
            self._load_holders([node])
            span &= self._holders[node].span
            node = self._holders[node].body or ""
        return span

    def existence(self, holders: Iterable[str]) -> dict[str, Interval]:
        """Return when each holder exists, as its keeper says; of a post, as far as its own days go."""
        nodes = sorted(set(holders))
        self._load_holders(nodes)
        return {node: self._holders[node].span for node in nodes}

    # --- reading the store ------------------------------------------------------------------------------------------

    def _facts(self, nodes: Iterable[str], predicates: tuple[str, ...]) -> dict[str, Facts]:
        """Read what is said of nodes by these predicates, by anybody."""
        found: dict[str, Facts] = {}
        for subject, predicate, value, graph in self.reader.outgoing(nodes, predicates):
            facts = found.get(subject.value)
            if facts is None:
                facts = found[subject.value] = Facts({}, {}, graph.value)
            said = facts.links if isinstance(value, ox.NamedNode) else facts.texts
            said.setdefault(predicate.value, []).append(value.value)
        return found

    def _kept_facts(self, nodes: Iterable[str], predicates: tuple[str, ...] | None = None) -> dict[str, Facts]:
        """Read things each as its keeper has it, whole or by predicates: what other sources say of it is not heard.

        The keeper is the source whose graph says what the thing is, the best trusted of several; of a thing that
        nobody types it is the best trusted graph that speaks of it.
        """
        said: dict[str, dict[str, Facts]] = {}
        for subject, predicate, value, graph in self.reader.outgoing(nodes, predicates):
            by_graph = said.setdefault(subject.value, {})
            facts = by_graph.get(graph.value)
            if facts is None:
                facts = by_graph[graph.value] = Facts({}, {}, graph.value)
            words = facts.links if isinstance(value, ox.NamedNode) else facts.texts
            words.setdefault(predicate.value, []).append(value.value)
        return {node: self._kept(by_graph) for node, by_graph in said.items()}

    def _kept(self, by_graph: dict[str, Facts]) -> Facts:
        if len(by_graph) == 1:
            return next(iter(by_graph.values()))
        sources = {graph: facts for graph, facts in by_graph.items() if not Graphs.is_reserved(graph)}
        typing = [graph for graph, facts in sources.items() if facts.all(RDF.type)]
        if not sources:
            return _NOTHING
        keeper = min(typing or sources, key=self._trust)
        home = self._source_of(keeper)
        kept = Facts({}, {}, keeper)
        for graph in sorted(sources):
            if self._source_of(graph) == home:
                for mine, theirs in ((kept.links, sources[graph].links), (kept.texts, sources[graph].texts)):
                    for predicate, values in theirs.items():
                        mine.setdefault(predicate, []).extend(values)
        return kept

    def _trust(self, graph: str) -> tuple[int, str]:
        return Confidence.weakness(self._confidence_of_graph(graph)), graph

    def _source_of(self, graph: str) -> str:
        """Return the source that a graph is part of, the graph itself where it is one."""
        known = self._sources.get(graph)
        if known is None:
            rows = self.reader.outgoing([graph], (DCT.isPartOf,))
            known = min((whole.value for _, _, whole, home in rows if home.value == Graphs.sources), default=graph)
            self._sources[graph] = known
        return known

    def _ends(self, facts: Mapping[str, Facts]) -> dict[str, date]:
        """Find which of the things an event ends, and when, as far as it may be heard.

        The event must be verified, and kept by the source that keeps the thing, or by a plan that was applied: the
        register takes a plan's word for what it ends, as it takes nobody else's.
        """
        ending = self._pointing(facts, (D.ends,))
        if not ending:
            return {}
        events = self._kept_facts(sorted(_flat(ending)))
        found: dict[str, date] = {}
        for node, iris in ending.items():
            home = self._source_of(facts[node].graph)
            for event in iris:
                said = events.get(event, _NOTHING)
                day = said.day(D.effectiveOn)
                if day is None or node not in said.all(D.ends) or self._confidence(said) not in Confidence.VERIFIED:
                    continue
                if self._source_of(said.graph) == home or self._is_plan(self._source_of(said.graph)):
                    found[node] = min(day, found.get(node, day))
        return found

    def _is_plan(self, source: str) -> bool:
        known = self._plans.get(source)
        if known is None:
            rows = self.reader.outgoing([source], (RDF.type,))
            known = any(kind.value == D.Plan and home.value == Graphs.sources for _, _, kind, home in rows)
            self._plans[source] = known
        return known

    def _spans(self, facts: Mapping[str, Facts]) -> dict[str, Interval]:
        """Return when each thing is there: from its own days, and to the day an event ends it."""
        ends = self._ends(facts)
        return {
            node: about.span() & Interval(None, ends[node]) if node in ends else about.span()
            for node, about in facts.items()
        }

    def _pointing(self, nodes: Iterable[str], predicates: tuple[str, ...]) -> dict[str, list[str]]:
        """Find who points at the nodes: node → subjects."""
        found: dict[str, list[str]] = {}
        for subject, _, value, _ in self.reader.incoming(nodes, predicates):
            found.setdefault(value.value, []).append(subject.value)
        return found

    def _confidence(self, facts: Facts) -> str:
        """Return a record's own mark, else its graph's, else that of the source the graph is part of."""
        return facts.one(D.confidence) or self._confidence_of_graph(facts.graph)

    def _confidence_of_graph(self, graph: str) -> str:
        known = self._confidences.get(graph)
        if known is None:
            # only the register's own graph says how far a source is trusted, never the source itself
            rows = self.reader.outgoing([graph], (D.confidence, DCT.isPartOf))
            about = {said.value: value.value for _, said, value, home in rows if home.value == Graphs.sources}
            source = about.get(DCT.isPartOf)
            known = about.get(D.confidence)
            if known is None:
                known = self._confidence_of_graph(source) if source and source != graph else Confidence.V3
            self._confidences[graph] = known
        return known

    # --- the resource: containers, fields, areas, scopes ------------------------------------------------------------

    def _containers(self, resource: str, series: list[str]) -> dict[str, frozenset[str]]:
        """Find the series and catalogues that hold the resource: each with all that hold it in turn."""
        direct = {*series, *self._pointing([resource], _LISTED_BY).get(resource, _NONE)}
        found = _closure(direct, self._load_containers, self._held_by.__getitem__) - {resource}
        holding = {node: self._held_by[node] for node in found}
        return {node: frozenset(_reachable(node, holding)) for node in holding}

    def _load_containers(self, nodes: list[str]) -> None:
        """Learn of series and catalogues what holds them, and the records on their members."""
        new = [node for node in nodes if node not in self._held_by]
        if not new:
            return
        listed = self._pointing(new, _LISTED_BY)
        facts = self._facts(new, (DCAT.inSeries,))
        records = self._pointing(new, (D.coversMembersOf,))
        for node in new:
            self._held_by[node] = (*facts.get(node, _NOTHING).all(DCAT.inSeries), *listed.get(node, _NONE))
            self._for_members[node] = tuple(records.get(node, _NONE))

    def _load_fields(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._broader]
        facts = self._facts(new, (SKOS.broader,)) if new else {}
        for node in new:
            self._broader[node] = frozenset(facts.get(node, _NOTHING).all(SKOS.broader))

    def _load_areas(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._areas]
        if not new:
            return
        facts = self._kept_facts(new, _AREA)
        placed = self._pointing(new, (D.placed,))
        placements = self._kept_facts(sorted(_flat(placed)))
        spans = self._spans({**facts, **placements})
        for node in new:
            about = facts.get(node, _NOTHING)
            span = spans.get(node, ALWAYS)
            self._areas[node] = Area(
                node,
                span,
                about.one(D.level),
                tuple(
                    Placement(iri, under, spans.get(iri, ALWAYS))
                    for iri in sorted(placed.get(node, _NONE))
                    if self._confidence(said := placements.get(iri, _NOTHING)) in Confidence.VERIFIED
                    for under in sorted(said.all(D.under))
                ),
            )
        self._load_successions(new)

    def _area_edges(self, node: str) -> list[str]:
        successors = [
            succession.successor for succession in self._successions.get(node, ()) if succession.successor != D.nobody
        ]
        return [*(placement.under for placement in self._areas[node].placements), *successors]

    def _country_areas(self) -> frozenset[str]:
        """Return the areas of central level, where no area of the resource is known."""
        if self._countries is None:
            central = _flat(self._pointing([Level.central], (D.level,)))
            types = self._facts(sorted(central), (RDF.type,))
            self._countries = frozenset(node for node, facts in types.items() if D.Area in facts.all(RDF.type))
        return self._countries

    def _in_scope(self, fields: Iterable[str], areas: Iterable[str]) -> set[str]:
        keys = keys_around(fields, areas)
        new = [key for key in keys if key not in self._scoped]
        if new:
            found = self._pointing(new, (D.scopeKey,))
            for key in new:
                self._scoped[key] = tuple(found.get(key, ()))
        return {record for key in keys for record in self._scoped[key]}

    def _bodies_in(self, areas: Iterable[str], kinds: frozenset[str]) -> dict[str, tuple[str, ...]]:
        """Find the bodies of the named kinds that have jurisdiction over the areas."""
        if not kinds:
            return {}
        nodes = sorted(areas)
        new = [area for area in nodes if area not in self._bodies]
        if new:
            found = self._pointing(new, (D.jurisdiction,))
            for area in new:
                self._bodies[area] = tuple(found.get(area, ()))
        bodies = {body for area in nodes for body in self._bodies[area]}
        unknown = sorted(bodies - self._kinds.keys())
        facts = self._facts(unknown, (D.bodyKind,)) if unknown else {}
        for body in unknown:
            self._kinds[body] = tuple(sorted(facts.get(body, _NOTHING).all(D.bodyKind)))
        meant = {body for body in bodies if not kinds.isdisjoint(self._kinds[body])}
        self._load_holders(sorted(meant))
        for body in meant:
            self._holders[body] = replace(self._holders[body], kinds=self._kinds[body])
        return {area: tuple(sorted(meant.intersection(self._bodies[area]))) for area in nodes}

    # --- records, transfers, holders, events, laws ------------------------------------------------------------------

    def _load_records(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._records]
        if not new:
            return
        facts = self._kept_facts(new)
        creating = self._pointing(new, (D.creates,))
        transfers = self._kept_facts(sorted(_flat(creating)))
        spans = self._spans({**facts, **transfers})
        for node in new:
            self._records[node] = self._responsibility(node, facts.get(node, _NOTHING), spans.get(node, ALWAYS))
            self._created_by[node] = tuple(
                self._transfer(iri, said, spans.get(iri, ALWAYS))
                for iri in sorted(creating.get(node, _NONE))
                if node in (said := transfers.get(iri, _NOTHING)).all(D.creates)
            )

    def _chain_edges(self, node: str) -> list[str]:
        return [parent for transfer in self._created_by[node] for parent in transfer.takes_from]

    def _responsibility(self, iri: str, facts: Facts, span: Interval) -> Responsibility:
        confidence = self._confidence(facts)
        return Responsibility(
            iri=iri,
            roles=tuple(sorted(facts.all(D.role))),
            holders=tuple(sorted(facts.all(D.holder))),
            holder_kind=facts.one(D.holderKind),
            lead=facts.one(D.lead),
            covers=frozenset(facts.all(D.covers)),
            members_of=frozenset(facts.all(D.coversMembersOf)),
            fields=frozenset(facts.all(D.field)),
            areas=frozenset(facts.all(D.area)),
            excludes=frozenset(facts.all(D.excludes)),
            basis=tuple(sorted({*facts.all(D.basis), *facts.all(D.lapsesWith)})),
            lapses_with=tuple(sorted(facts.all(D.lapsesWith))),
            conditions=tuple(sorted(facts.texts.get(D.condition, ()))),
            span=span,
            sources=tuple(sorted(facts.all(D.source))) or (facts.graph,),
            confidence=confidence,
            verified=confidence in Confidence.VERIFIED,
            at_the_door=D.door in facts.all(PROV.wasGeneratedBy),
        )

    def _transfer(self, iri: str, facts: Facts, span: Interval) -> Transfer:
        return Transfer(
            iri=iri,
            kind=facts.one(D.transferKind),
            transferors=tuple(sorted(facts.all(D.transferor))),
            takes_from=tuple(sorted(facts.all(D.takesFrom))),
            creates=tuple(sorted(facts.all(D.creates))),
            basis=tuple(sorted({*facts.all(D.basis), *facts.all(D.lapsesWith)})),
            lapses_with=tuple(sorted(facts.all(D.lapsesWith))),
            granted_on=facts.day(D.grantedOn),
            span=span,
            verified=self._confidence(facts) in Confidence.VERIFIED,
        )

    def _load_holders(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._holders]
        if not new:
            return
        facts = self._kept_facts(new, _HOLDER)
        spans = self._spans(facts)
        for node in new:
            body = facts.get(node, _NOTHING).one(D.postIn)
            self._holders[node] = Holder(node, spans.get(node, ALWAYS), body=body)
        self._load_successions(new)

    def _holder_edges(self, node: str) -> list[str]:
        body = self._holders[node].body
        heirs = [succession.successor for succession in self._successions[node] if succession.successor != D.nobody]
        return [*heirs, body] if body is not None else heirs

    def _load_successions(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._successions]
        if not new:
            return
        found = self._pointing(new, (D.predecessor,))
        facts = self._kept_facts(sorted(_flat(found))) if found else {}
        events = self._kept_facts(sorted({e for said in facts.values() for e in said.all(D.event)})) if facts else {}
        for node in new:
            self._successions[node] = tuple(
                self._succession(iri, node, said, event, events.get(event, _NOTHING))
                for iri in sorted(found.get(node, _NONE))
                for said in (facts.get(iri, _NOTHING),)
                for event in sorted(said.all(D.event))
                if said.all(D.successor) and node in said.all(D.predecessor)
            )

    def _succession(self, iri: str, predecessor: str, said: Facts, event: str, happened: Facts) -> Succession:
        confidence = self._confidence(said)
        return Succession(
            iri=iri,
            event=Event(
                event,
                happened.day(D.effectiveOn),
                tuple(sorted(happened.all(D.basis))),
                self._confidence(happened) in Confidence.VERIFIED,
            ),
            predecessor=predecessor,
            successor=min(said.all(D.successor)),
            fields=frozenset(said.all(D.field)),
            areas=frozenset(said.all(D.area)),
            confidence=confidence,
            verified=confidence in Confidence.VERIFIED,
            sources=tuple(sorted(said.all(D.source))) or (said.graph,),
        )

    def _load_laws(self, nodes: list[str]) -> None:
        new = [node for node in nodes if node not in self._laws]
        facts = self._kept_facts(new, _LAW) if new else {}
        for node in new:
            about = facts.get(node, _NOTHING)
            self._laws[node] = Law(node, about.span(), tuple(sorted(about.all(D.partOf))))

    def _exclusive_roles(self, records: Iterable[Responsibility]) -> frozenset[str]:
        """Tell which of the roles only one may hold: of our own roles by the ontology, of others as is said of them."""
        roles = {role for record in records for role in record.roles} | {Role.accountable}
        new = sorted(roles - self._exclusive.keys())
        if new:
            facts = self._facts([role for role in new if role not in Role.ALL], (D.exclusive,))
            for role in new:
                said = facts.get(role, _NOTHING).text(D.exclusive)
                self._exclusive[role] = role in Role.EXCLUSIVE or said in ("true", "1")
        return frozenset(role for role in roles if self._exclusive[role])


def _closure(
    start: Iterable[str], load: Callable[[list[str]], None], edges: Callable[[str], Iterable[str]]
) -> set[str]:
    """Collect what can be reached from the start; each round loads all its new nodes at once."""
    found = set(start)
    frontier = sorted(found)
    while frontier:
        load(frontier)
        reached = {edge for node in frontier for edge in edges(node)} - found
        found |= reached
        frontier = sorted(reached)
    return found


def _reachable(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    queue = [start]
    while queue:
        for node in edges.get(queue.pop(), ()):
            if node not in found:
                found.add(node)
                queue.append(node)
    return found - {start}


def _flat(found: Mapping[str, Iterable[str]]) -> set[str]:
    return {value for values in found.values() for value in values}


def _present(values: Iterable[str | None]) -> Iterator[str]:
    return (value for value in values if value is not None)
