"""Give plans a small register: two departments, a ministry, a province with two communes, and what they answer for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.register import Register

X = "https://example.org/"

SMALL = """
@prefix : <https://example.org/> .
@prefix d: <https://w3id.org/diaba/ns#> .
@prefix role: <https://w3id.org/diaba/role/> .
@prefix level: <https://w3id.org/diaba/level/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

:kind-ministry a skos:Concept ; d:level level:central ; d:principal true ; skos:prefLabel "Ministry"@en .
:kind-department a skos:Concept ; d:level level:province ; skos:prefLabel "Department"@en .
:kind-committee a skos:Concept ; d:level level:province ; d:principal true ; skos:prefLabel "Committee"@en .
:codes a skos:ConceptScheme ; skos:prefLabel "Area codes"@en .
:land a skos:Concept ; skos:prefLabel "Land"@en .
:forest a skos:Concept ; skos:prefLabel "Forest"@en ; skos:broader :land .
:roads a skos:Concept ; skos:prefLabel "Roads"@en .

:country a d:Area ; d:level level:central ; skos:prefLabel "Country"@en .
:north a d:Area ; d:level level:province ; skos:prefLabel "North"@en .
:south a d:Area ; d:level level:province ; skos:prefLabel "South"@en .
:place-north a d:Placement ; d:placed :north ; d:under :country .
:place-south a d:Placement ; d:placed :south ; d:under :country .
:n1 a d:Area ; d:level level:commune ; skos:prefLabel "N1"@en .
:place-n1 a d:Placement ; d:placed :n1 ; d:under :north .
:code-north a d:Code ; d:codeOf :north ; skos:notation "24" ; skos:inScheme :codes .

:ministry a d:Agency ; d:bodyKind :kind-ministry ; d:jurisdiction :country ; skos:prefLabel "Ministry of Land"@en .
:works a d:Agency ; d:bodyKind :kind-ministry ; d:jurisdiction :country ; skos:prefLabel "Ministry of Works"@en .
:old a d:Agency ; d:bodyKind :kind-ministry ; skos:prefLabel "Ministry of Old"@en ;
  d:until "2020-01-01"^^xsd:date .
:later a d:Agency ; d:bodyKind :kind-ministry ; skos:prefLabel "Ministry of Later"@en ;
  d:from "2030-01-01"^^xsd:date .
:committee-north a d:Agency ; d:bodyKind :kind-committee ; d:jurisdiction :north ;
  skos:prefLabel "Committee of North"@en .
:committee-south a d:Agency ; d:bodyKind :kind-committee ; d:jurisdiction :south ;
  skos:prefLabel "Committee of South"@en .
:dep-a a d:Agency ; d:bodyKind :kind-department ; d:jurisdiction :north ; skos:prefLabel "Department A"@en .
:dep-b a d:Agency ; d:bodyKind :kind-department ; d:jurisdiction :north ; skos:prefLabel "Department B"@en .
:name-a a d:Name ; d:nameOf :dep-a ; skosxl:literalForm "Department A"@en .

:parcels a dcat:Dataset ; dct:title "Parcels"@en ; dcat:theme :land .
:trees a dcat:Dataset ; dct:title "Trees"@en ; dcat:theme :forest .
:bridges a dcat:Dataset ; dct:title "Bridges"@en ; dcat:theme :roads .
:permits a dcat:Dataset ; dct:title "Permits"@en ; d:managedIn :north .
:r-parcels a d:Responsibility ; d:role role:accountable ; d:holder :ministry ; d:covers :parcels .
:r-trees a d:Responsibility ; d:role role:accountable ; d:holder :ministry ; d:covers :trees .
:r-bridges a d:Responsibility ; d:role role:accountable ; d:holder :dep-a ; d:covers :bridges .
:r-permits a d:Responsibility ; d:role role:accountable ; d:holderKind :kind-committee ; d:area :country .
:r-office a d:Responsibility ; d:role role:executes ; d:holder :dep-b ; d:covers :bridges ;
  d:from "2026-01-01"^^xsd:date ; d:until "2028-01-01"^^xsd:date .
:mandate a d:Transfer ; d:transferKind d:mandate ; d:transferor :dep-a ; d:takesFrom :r-bridges ; d:creates :r-office ;
  d:grantedOn "2026-01-01"^^xsd:date .
"""

HEAD = """plan: try
title: {en: Try}
effective: 2027-01-01
basis: [{number: 1/2026, title: {en: The act}}]
"""


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with the small register, to copy."""
    folder = tmp_path_factory.mktemp("plans")
    file = folder / "small.ttl"
    file.write_text(SMALL, encoding="utf-8")
    with Register.create(folder / "data", pack=None) as register:
        register.load(file, source="https://example.org/small", confidence="V2")
    return folder / "data"


@pytest.fixture
def register(ready: Path, tmp_path: Path) -> Iterator[Register]:
    """Return a register of its own for the test."""
    shutil.copytree(ready, tmp_path / "data")
    with Register.open(tmp_path / "data") as register:
        yield register
