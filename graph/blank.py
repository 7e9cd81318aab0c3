"""Give blank nodes names that stay: the same statements get the same names, whatever the file called them.

Blank nodes that statements connect form a *component*; its name is a hash of its statements in canonical order, so an
edit elsewhere in the file renames nothing. Skolem IRIs as RDF 1.1 asks (https://www.w3.org/TR/rdf11-concepts/ §3.5).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import factorial
from typing import Final

import pyoxigraph as ox

from graph.errors import Malformed

WELL_KNOWN: Final = "/.well-known/genid/"

MAX_COMPONENT: Final = 100_000
"""Most blank nodes that may hang together."""

MAX_ENTANGLED: Final = 200
"""Most nodes of a component that only a search can tell apart; more is a graph built to stall (RDFC-1.0 §7.1)."""

MAX_ORDERS: Final = 100_000
"""Most orders of like neighbours that such a search may have to try."""

MAX_WORK: Final = 500_000
"""Most statements to look at while nodes are told apart; long chains of like nodes need a square of their length."""

Node = ox.NamedNode | ox.BlankNode


def name_blanks(quads: Iterable[ox.Quad], source: str) -> list[ox.Quad]:
    """Return the statements with every blank node replaced by an IRI of the source, sorted, each once.

    Like components become one: they say the same. Raises ``Malformed`` for a component that cannot be named in
    reasonable time.
    """
    quads = list(quads)
    found: set[ox.Quad] = set()
    for component in components(quads):
        labelled, count = _labelled(component)
        digest = hashlib.sha256("\n".join(sorted(map(str, set(labelled)))).encode()).hexdigest()[:32]
        start = source.rstrip("/#") + WELL_KNOWN + digest
        names = {
            ox.BlankNode(f"c14n{number}"): ox.NamedNode(f"{start}-{number}" if count > 1 else start)
            for number in range(count)
        }
        found.update(_renamed(labelled, names))
    return sorted(found, key=str)


def components(quads: Sequence[ox.Quad]) -> Iterator[list[ox.Quad]]:
    """Yield the statements of each component: those that share blank nodes, directly or through others."""
    parent: dict[ox.BlankNode, ox.BlankNode] = {}

    def root(node: ox.BlankNode) -> ox.BlankNode:
        while (up := parent.setdefault(node, node)) != node:
            parent[node] = parent[up]
            node = up
        return node

    for quad in quads:
        nodes = _blanks(quad)
        for other in nodes[1:]:
            parent[root(nodes[0])] = root(other)
        root(nodes[0])
    grouped: dict[ox.BlankNode, list[ox.Quad]] = defaultdict(list)
    for quad in quads:
        grouped[root(_blanks(quad)[0])].append(quad)
    yield from grouped.values()


def _blanks(quad: ox.Quad) -> list[ox.BlankNode]:
    return [term for term in (quad.subject, quad.object, quad.graph_name) if isinstance(term, ox.BlankNode)]


def _labelled(component: Sequence[ox.Quad]) -> tuple[list[ox.Quad], int]:
    """Return the statements with blank nodes that do not depend on the labels given, and how many nodes they hold.

    Colours by neighbourhood tell nearly all nodes apart. Nodes of one colour whose blank neighbours all differ in
    colour are interchangeable: any order gives the same statements. What is left goes to RDFC-1.0
    (https://www.w3.org/TR/rdf-canon/), whose search is bounded beforehand.
    """
    nodes = {node for quad in component for node in _blanks(quad)}
    if len(nodes) == 1:
        return _relabelled(component, list(nodes)), 1
    if len(nodes) > MAX_COMPONENT:
        raise Malformed(
            f"More than {MAX_COMPONENT} blank nodes hang together", remedy="Give the most important of them IRIs."
        )
    colours = _refined(component, nodes)
    counts = Counter(colours.values())
    twins = {node for node in nodes if counts[colours[node]] > 1}
    near = _neighbours(component) if twins else {}
    entangled = {node for node in twins if any(other in twins for _, other in near[node])}
    if not entangled:
        return _relabelled(component, sorted(nodes, key=lambda node: colours[node])), len(nodes)
    orders = 1
    for node in entangled:
        like = Counter((edge, colours[other]) for edge, other in near[node] if other in entangled)
        for count in like.values():
            orders *= factorial(min(count, 12))
    if len(entangled) > MAX_ENTANGLED or orders > MAX_ORDERS:
        raise _too_alike(len(entangled))
    dataset = ox.Dataset(component)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return list(dataset), len(nodes)


def _relabelled(component: Sequence[ox.Quad], order: Sequence[ox.BlankNode]) -> list[ox.Quad]:
    return _renamed(component, {node: ox.BlankNode(f"c14n{number}") for number, node in enumerate(order)})


def _too_alike(count: int) -> Malformed:
    return Malformed(
        f"{count} blank nodes are tied together so alike that no order can be found for them",
        remedy="Give these nodes IRIs.",
    )


def _neighbours(component: Sequence[ox.Quad]) -> dict[ox.BlankNode, list[tuple[str, ox.BlankNode]]]:
    """Return for each blank node the blank nodes it shares a statement with, and how."""
    near: dict[ox.BlankNode, list[tuple[str, ox.BlankNode]]] = defaultdict(list)
    for quad in component:
        places = [(part, term) for part, term in _parts(quad) if isinstance(term, ox.BlankNode)]
        for part, term in places:
            for other_part, other in places:
                if other != term:
                    near[term].append((f"{part}{other_part}{quad.predicate.value}", other))
    return near


def _parts(quad: ox.Quad) -> tuple[tuple[str, object], ...]:
    return ("s", quad.subject), ("o", quad.object), ("g", quad.graph_name)


def _refined(component: Sequence[ox.Quad], nodes: set[ox.BlankNode]) -> dict[ox.BlankNode, str]:
    """Colour nodes by their statements, then by the colours of their neighbours, until nothing changes."""
    colours = dict.fromkeys(nodes, "")
    touching: dict[ox.BlankNode, list[ox.Quad]] = defaultdict(list)
    for quad in component:
        for node in set(_blanks(quad)):
            touching[node].append(quad)
    kinds, work = 1, 0
    while True:
        fresh = {}
        for node in nodes:
            labels = {other: f"_:{colours[other]}" for quad in touching[node] for other in _blanks(quad)}
            labels[node] = f"_:this{colours[node]}"
            lines = sorted({_line(quad, labels) for quad in touching[node]})
            fresh[node] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        colours = fresh
        count = len(set(colours.values()))
        if count in (kinds, len(nodes)):
            return colours
        kinds = count
        work += len(component)
        if work > MAX_WORK:
            raise _too_alike(len(nodes))


def _line(quad: ox.Quad, labels: Mapping[ox.BlankNode, str]) -> str:
    return " ".join(
        labels[term] if isinstance(term, ox.BlankNode) else str(term)
        for term in (quad.subject, quad.predicate, quad.object, quad.graph_name)
    )


def _renamed(component: Iterable[ox.Quad], names: Mapping[ox.BlankNode, Node]) -> list[ox.Quad]:
    return [
        ox.Quad(
            names[quad.subject] if isinstance(quad.subject, ox.BlankNode) else quad.subject,
            quad.predicate,
            names[quad.object] if isinstance(quad.object, ox.BlankNode) else quad.object,
            names[quad.graph_name] if isinstance(quad.graph_name, ox.BlankNode) else quad.graph_name,
        )
        for quad in component
    ]
