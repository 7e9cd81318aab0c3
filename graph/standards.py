"""Name the terms of the standards that exports are written in, once; ``terms`` has those the register itself speaks.

DCAT 3, DCAT-AP 3.0.1, DCMI, PROV, ORG, CPOV 2.1.2, ELI, ADMS, vCard, SPDX, XHTML, and the authority tables of the
Publications Office of the European Union.
"""

from __future__ import annotations

from typing import Final

DCT: Final = "http://purl.org/dc/terms/"
DCAT: Final = "http://www.w3.org/ns/dcat#"
DCATAP: Final = "http://data.europa.eu/r5r/"
PROV: Final = "http://www.w3.org/ns/prov#"
FOAF: Final = "http://xmlns.com/foaf/0.1/"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
ORG: Final = "http://www.w3.org/ns/org#"
CV: Final = "http://data.europa.eu/m8g/"
CPSV: Final = "http://purl.org/vocab/cpsv#"
ELI: Final = "http://data.europa.eu/eli/ontology#"
ADMS: Final = "http://www.w3.org/ns/adms#"
VCARD: Final = "http://www.w3.org/2006/vcard/ns#"
SPDX: Final = "http://spdx.org/rdf/terms#"
ODRL: Final = "http://www.w3.org/ns/odrl/2/"
LOCN: Final = "http://www.w3.org/ns/locn#"
XHV: Final = "http://www.w3.org/1999/xhtml/vocab#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

#: the authority tables of the European Union, whose concepts their own files describe
AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
LANGUAGE: Final = AUTHORITY + "language/"
#: kinds of publishers (ADMS), by level of government
PUBLISHER_TYPE: Final = "http://purl.org/adms/publishertype/"
#: roles of parties (INSPIRE, after ISO 19115)
PARTY_ROLE: Final = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/"

#: what such files are written with
PREFIXES: Final = {
    "d": "https://w3id.org/diaba/ns#", "dct": DCT, "dcat": DCAT, "dcatap": DCATAP, "prov": PROV, "foaf": FOAF,
    "skos": SKOS, "org": ORG, "cv": CV, "cpsv": CPSV, "eli": ELI, "adms": ADMS, "vcard": VCARD, "spdx": SPDX,
    "odrl": ODRL, "locn": LOCN, "xhv": XHV, "xsd": XSD, "rdf": RDF,
}  # fmt: skip
