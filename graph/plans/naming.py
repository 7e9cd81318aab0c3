"""Find what the words of a plan mean in the register, on the eve of the change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import pyoxigraph as ox

from graph.errors import Malformed, Place
from graph.evidence import Gathering
from graph.labels import labels
from graph.model import Interval
from graph.store import Reader
from graph.terms import DCAT, DCT, RDF, SKOS, SKOSXL, D

#: what the words of a plan can name → the classes of it
SORTS: Mapping[str, frozenset[str]] = {
    "body": frozenset({D.Agency, D.OutsideBody, D.Post, D.Holder}),
    "area": frozenset({D.Area}),
    "concept": frozenset({SKOS.Concept}),
    "scheme": frozenset({SKOS.NS + "ConceptScheme"}),
    "data": frozenset({DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService, DCAT.Catalog, D.Task}),
    "act": frozenset({D.LegalInstrument, D.Provision}),
    "responsibility": frozenset({D.Responsibility, D.ResourceResponsibility}),
}
_TOLD = {
    "body": "body or post", "area": "area", "concept": "concept", "scheme": "scheme of codes",
    "data": "dataset or task", "act": "legal instrument", "responsibility": "responsibility",
}  # fmt: skip
_LABELS = (SKOS.prefLabel, SKOS.altLabel, DCT.title, DCT.identifier)


class Names:
    """Resolve the words of one plan. ``eve`` is the last day of the old state."""

    def __init__(self, reader: Reader, eve: date, words: Iterable[str]) -> None:
        self.reader = reader
        self.eve = eve
        self.new: dict[str, str] = {}
        self.types: dict[str, set[str]] = {}
        self._meaning: dict[str, set[str]] = {}
        self._gathering = Gathering(reader)
        self._look_up(sorted(set(words)))

    def introduce(self, key: str, iri: str, kind: str, place: Place) -> None:
        """Give a key of the plan to a thing that it makes; raise ``Malformed`` where the IRI is taken."""
        if self._types_of([iri])[iri]:
            raise Malformed(
                f"The register has {iri} already", remedy="Choose another key or another plan name.", place=place
            )
        self.new[key] = iri
        self.types[iri] = {kind}

    def span(self, iri: str) -> Interval:
        """Return when a body or area is there, as the register has it before the plan."""
        if D.Area in self.types.get(iri, ()):
            return self._gathering.area(iri).span
        return self._gathering.existence([iri])[iri]

    def label(self, iri: str) -> str:
        """Return what a thing is called on the eve."""
        return labels(self.reader, [iri], self.eve)[iri]

    def known(self, word: str, sort: str) -> str | None:
        """Return the one thing of a sort that a word means, ``None`` where the register has none or several."""
        found = [iri for iri in self._meaning.get(_key(word), ()) if self._is(iri, (sort,))]
        return found[0] if len(found) == 1 else None

    def resolve(self, word: str, place: Place, *sorts: str) -> str:
        """Return the IRI that a word means: a thing of one of these sorts, alive on the eve where it can be.

        Raises ``Malformed`` where it means nothing, several things, or something that is gone by then.
        """
        if word in self.new:
            return self._fitting(self.new[word], place, sorts)
        if word.startswith(("http://", "https://", "urn:")):
            if not self.types.get(word):
                raise Malformed(
                    f"The register has no {word}", remedy="Check the IRI, or make it under new.", place=place
                )
            return self._fitting(word, place, sorts)
        found = sorted(iri for iri in self._meaning.get(_key(word), ()) if self._is(iri, sorts))
        told = " or ".join(_TOLD[sort] for sort in sorts)
        if not found:
            raise Malformed(
                f"No {told} is called “{word}”",
                remedy="Write its IRI or its name as the register has it (diaba search), or make it under new.",
                place=place,
            )
        living = [iri for iri in found if self._lives(iri)]
        if len(living) == 1:
            return living[0]
        if not living:
            ended = self.span(found[0])
            gone = ended.end is not None and ended.end <= self.eve
            when = f"ended on {ended.end}" if gone else f"does not exist before {ended.start}"
            raise Malformed(f"“{word}” {when}", remedy="Name the body that is there on the eve.", place=place)
        raise Malformed(
            f"“{word}” is the name of {len(living)}: {', '.join(living[:5])}", remedy="Write the IRI of the one meant.",
            place=place,
        )  # fmt: skip

    def _fitting(self, iri: str, place: Place, sorts: tuple[str, ...]) -> str:
        if not self._is(iri, sorts):
            told = " or ".join(_TOLD[sort] for sort in sorts)
            raise Malformed(f"{iri} is no {told}", remedy=f"Name a {told}.", place=place)
        return iri

    def _is(self, iri: str, sorts: Collection[str]) -> bool:
        types = self.types.get(iri, set())
        return any(not SORTS[sort].isdisjoint(types) for sort in sorts)

    def _lives(self, iri: str) -> bool:
        types = self.types.get(iri, set())
        dated = D.Area in types or not SORTS["body"].isdisjoint(types)
        return not dated or self.span(iri).contains(self.eve)

    def _look_up(self, words: list[str]) -> None:
        iris = [word for word in words if word.startswith(("http://", "https://", "urn:"))]
        texts = [word for word in words if word not in iris]
        for start in range(0, len(texts), 500):
            for word, iri in self._named(texts[start : start + 500]):
                self._meaning.setdefault(_key(word), set()).add(iri)
        self._types_of([*iris, *(iri for found in self._meaning.values() for iri in found)])

    def _named(self, texts: list[str]) -> Iterable[tuple[str, str]]:
        forms = " ".join(
            str(ox.Literal(text, language=tag) if tag else ox.Literal(text))
            for text in texts for tag in ("vi", "en", None)
        )  # fmt: skip
        ways = " UNION ".join(f"{{ ?thing <{label}> ?text }}" for label in _LABELS)
        rows = self.reader.query(
            f"SELECT ?text ?thing {{ VALUES ?text {{ {forms} }} "
            f"{{ ?name <{SKOSXL.literalForm}> ?text ; <{D.nameOf}> ?thing }} UNION {ways} }}"
        )
        for row in rows:  # type: ignore[union-attr]
            yield row["text"].value, row["thing"].value

    def _types_of(self, iris: Iterable[str]) -> Mapping[str, set[str]]:
        new = sorted({iri for iri in iris if iri not in self.types})
        for iri in new:
            self.types[iri] = set()
        for subject, _, kind, _ in self.reader.outgoing(new, (RDF.type,)):
            self.types[subject.value].add(kind.value)
        return self.types


def _key(word: str) -> str:
    return " ".join(word.split())

