"""Hold a shapes graph in memory, by subject and predicate, and read RDF lists out of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from graph.terms import RDF, RDFS

Term = ox.NamedNode | ox.BlankNode | ox.Literal

RDF_TYPE: Final = RDF.type
FIRST: Final = RDF.NS + "first"
REST: Final = RDF.NS + "rest"
NIL: Final = RDF.NS + "nil"
_SUBCLASS: Final = RDFS.NS + "subClassOf"


class Triples:
    """Look up the objects of a subject and predicate, and the subjects of an object, in the order of the file."""

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        self.quads = tuple(quads)
        self._forwards: dict[tuple[Term, str], list[Term]] = defaultdict(list)
        self._backwards: dict[tuple[str, Term], list[Term]] = defaultdict(list)
        self._predicates: dict[Term, list[str]] = defaultdict(list)
        for subject, predicate, value, _ in self.quads:
            if isinstance(subject, ox.Triple) or isinstance(value, ox.Triple):
                continue
            iri = predicate.value
            known = self._forwards[subject, iri]
            if value in known:
                continue
            if not known:
                self._predicates[subject].append(iri)
            known.append(value)
            self._backwards[iri, value].append(subject)

    def objects(self, subject: Term, predicate: str) -> list[Term]:
        return self._forwards.get((subject, predicate), [])

    def subjects(self, predicate: str, value: Term) -> list[Term]:
        return self._backwards.get((predicate, value), [])

    def predicates(self, subject: Term) -> list[str]:
        return self._predicates.get(subject, [])

    def nodes(self) -> Iterator[Term]:
        """Yield every subject once."""
        return iter(list(self._predicates))

    def below(self, class_: str) -> set[Term]:
        """Return a class and all that are said to be below it."""
        found: set[Term] = {ox.NamedNode(class_)}
        wave = list(found)
        while wave:
            wave = [one for above in wave for one in self.subjects(_SUBCLASS, above) if one not in found]
            found.update(wave)
        return found

    def instances(self, class_: str) -> list[Term]:
        """Return the instances of a class and of those below it, each once."""
        found = [node for one in self.below(class_) for node in self.subjects(RDF_TYPE, one)]
        return list(dict.fromkeys(found))

    def members(self, head: Term) -> tuple[Term, ...]:
        """Return the members of a list; raises ``ValueError`` for what is no well-formed one."""
        found: list[Term] = []
        seen: set[Term] = set()
        while not (isinstance(head, ox.NamedNode) and head.value == NIL):
            first, rest = self.objects(head, FIRST), self.objects(head, REST)
            if len(first) != 1 or len(rest) != 1 or head in seen:
                raise ValueError
            seen.add(head)
            found.append(first[0])
            head = rest[0]
        return tuple(found)
