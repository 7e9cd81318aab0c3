"""Name every IRI the code speaks of, once.

Plain strings, because the answering path compares and hashes them millions of times. The meaning of each term is in
``ontology/core.ttl``; a test holds that this file and the ontology name the same terms.
"""

from __future__ import annotations

from typing import Final

BASE: Final = "https://w3id.org/diaba/"


class D:
    """Hold the terms of the Diaba ontology, prefix ``d:``."""

    NS: Final = BASE + "ns#"

    # classes
    Record: Final = NS + "Record"
    Holder: Final = NS + "Holder"
    Agency: Final = NS + "Agency"
    Post: Final = NS + "Post"
    OutsideBody: Final = NS + "OutsideBody"
    Area: Final = NS + "Area"
    Name: Final = NS + "Name"
    Code: Final = NS + "Code"
    Placement: Final = NS + "Placement"
    LegalInstrument: Final = NS + "LegalInstrument"
    Provision: Final = NS + "Provision"
    Task: Final = NS + "Task"
    Responsibility: Final = NS + "Responsibility"
    ResourceResponsibility: Final = NS + "ResourceResponsibility"
    Transfer: Final = NS + "Transfer"
    Mandate: Final = NS + "Mandate"
    ChangeEvent: Final = NS + "ChangeEvent"
    Succession: Final = NS + "Succession"
    Flow: Final = NS + "Flow"
    Standing: Final = NS + "Standing"
    Finding: Final = NS + "Finding"
    Evaluation: Final = NS + "Evaluation"
    Plan: Final = NS + "Plan"
    State: Final = NS + "State"
    Act: Final = NS + "Act"

    # time, source, confidence
    from_: Final = NS + "from"
    until: Final = NS + "until"
    source: Final = NS + "source"
    confidence: Final = NS + "confidence"
    recordedAt: Final = NS + "recordedAt"
    withdrawnAt: Final = NS + "withdrawnAt"
    versionOf: Final = NS + "versionOf"

    # bodies, posts, areas
    bodyKind: Final = NS + "bodyKind"
    postKind: Final = NS + "postKind"
    principal: Final = NS + "principal"
    postIn: Final = NS + "postIn"
    level: Final = NS + "level"
    jurisdiction: Final = NS + "jurisdiction"
    nameOf: Final = NS + "nameOf"
    codeOf: Final = NS + "codeOf"
    placed: Final = NS + "placed"
    under: Final = NS + "under"

    # law
    issuer: Final = NS + "issuer"
    instrumentType: Final = NS + "instrumentType"
    normative: Final = NS + "normative"
    issuedOn: Final = NS + "issuedOn"
    gazettedOn: Final = NS + "gazettedOn"
    partOf: Final = NS + "partOf"
    endedBy: Final = NS + "endedBy"

    # responsibilities
    holder: Final = NS + "holder"
    holderKind: Final = NS + "holderKind"
    lead: Final = NS + "lead"
    role: Final = NS + "role"
    covers: Final = NS + "covers"
    coversMembersOf: Final = NS + "coversMembersOf"
    field: Final = NS + "field"
    area: Final = NS + "area"
    excludes: Final = NS + "excludes"
    basis: Final = NS + "basis"
    lapsesWith: Final = NS + "lapsesWith"
    condition: Final = NS + "condition"

    # transfers
    transferKind: Final = NS + "transferKind"
    transferor: Final = NS + "transferor"
    takesFrom: Final = NS + "takesFrom"
    creates: Final = NS + "creates"
    grantedOn: Final = NS + "grantedOn"

    # events and successions
    changeKind: Final = NS + "changeKind"
    effectiveOn: Final = NS + "effectiveOn"
    ends: Final = NS + "ends"
    event: Final = NS + "event"
    predecessor: Final = NS + "predecessor"
    successor: Final = NS + "successor"

    # data
    managedIn: Final = NS + "managedIn"
    recordsOf: Final = NS + "recordsOf"
    flowFrom: Final = NS + "flowFrom"
    flowTo: Final = NS + "flowTo"
    authoritativeFor: Final = NS + "authoritativeFor"
    copyOf: Final = NS + "copyOf"

    # code lists and rules
    exclusive: Final = NS + "exclusive"
    judges: Final = NS + "judges"
    appliesFrom: Final = NS + "appliesFrom"
    appliesUntil: Final = NS + "appliesUntil"
    actDate: Final = NS + "actDate"
    inferred: Final = NS + "inferred"
    asOf: Final = NS + "asOf"

    # sharing (ontology/sharing.ttl): classes
    Request: Final = NS + "Request"
    DataRequest: Final = NS + "DataRequest"
    TransferProposal: Final = NS + "TransferProposal"
    Difficulty: Final = NS + "Difficulty"
    Answer: Final = NS + "Answer"
    Report: Final = NS + "Report"
    Review: Final = NS + "Review"
    SharingAgreement: Final = NS + "SharingAgreement"
    LogEntry: Final = NS + "LogEntry"
    ProcedureChange: Final = NS + "ProcedureChange"
    CatalogueDocument: Final = NS + "CatalogueDocument"
    SharingPlatform: Final = NS + "SharingPlatform"

    # sharing: of acts
    doneOn: Final = NS + "doneOn"
    doneBy: Final = NS + "doneBy"
    addressee: Final = NS + "addressee"
    regards: Final = NS + "regards"
    answers: Final = NS + "answers"
    outcome: Final = NS + "outcome"
    reason: Final = NS + "reason"
    reportKind: Final = NS + "reportKind"
    settles: Final = NS + "settles"
    channel: Final = NS + "channel"
    madeFor: Final = NS + "madeFor"
    adds: Final = NS + "adds"

    # sharing: of documents, data, tasks and transfers
    catalogueKind: Final = NS + "catalogueKind"
    lists: Final = NS + "lists"
    transitional: Final = NS + "transitional"
    amendedBy: Final = NS + "amendedBy"
    issuedUnder: Final = NS + "issuedUnder"
    personalData: Final = NS + "personalData"
    mandatory: Final = NS + "mandatory"
    useRegulation: Final = NS + "useRegulation"
    readyOn: Final = NS + "readyOn"
    publishedOn: Final = NS + "publishedOn"
    signIn: Final = NS + "signIn"
    fee: Final = NS + "fee"
    openFormat: Final = NS + "openFormat"
    reservedFrom: Final = NS + "reservedFrom"
    manner: Final = NS + "manner"
    resources: Final = NS + "resources"
    selfFunded: Final = NS + "selfFunded"
    purpose: Final = NS + "purpose"

    # derived
    scopeKey: Final = NS + "scopeKey"
    about: Final = NS + "about"
    status: Final = NS + "status"
    premise: Final = NS + "premise"
    rule: Final = NS + "rule"
    value: Final = NS + "value"
    severity: Final = NS + "severity"
    answeredBy: Final = NS + "answeredBy"
    atLevel: Final = NS + "atLevel"
    inArea: Final = NS + "inArea"
    inField: Final = NS + "inField"
    firstSeen: Final = NS + "firstSeen"
    resolvedOn: Final = NS + "resolvedOn"
    revision: Final = NS + "revision"

    # individuals
    nobody: Final = NS + "nobody"
    devolution: Final = NS + "devolution"
    delegation: Final = NS + "delegation"
    mandate: Final = NS + "mandate"
    door: Final = NS + "door"


class Role:
    """Hold the roles of a responsibility."""

    NS: Final = BASE + "role/"
    owner: Final = NS + "owner"
    accountable: Final = NS + "accountable"
    executes: Final = NS + "executes"
    operates: Final = NS + "operates"
    provides: Final = NS + "provides"
    uses: Final = NS + "uses"
    contributes: Final = NS + "contributes"
    coordinates: Final = NS + "coordinates"
    supervises: Final = NS + "supervises"
    contact: Final = NS + "contact"
    publisher: Final = NS + "publisher"

    ALL: Final = (
        owner, accountable, executes, operates, provides, uses, contributes, coordinates, supervises, contact,
        publisher,
    )  # fmt: skip
    EXCLUSIVE: Final = frozenset({owner, accountable})


class Confidence:
    """Hold the marks of how far a record can be trusted (``facts`` README: V1 official text … R remembered)."""

    NS: Final = BASE + "confidence/"
    V1: Final = NS + "V1"
    V2: Final = NS + "V2"
    V3: Final = NS + "V3"
    V3_MOCK: Final = NS + "V3-mock"
    R: Final = NS + "R"

    VERIFIED: Final = frozenset({V1, V2, V3})
    OFFICIAL: Final = frozenset({V1, V2})
    ORDER: Final = (V1, V2, V3, V3_MOCK, R)

    @classmethod
    def weakness(cls, mark: str) -> int:
        """Rank a mark from the strongest, 0; one that is not in the list counts as the weakest."""
        return cls.ORDER.index(mark) if mark in cls.ORDER else len(cls.ORDER)


class Status:
    """Hold the eight statuses of a standing."""

    NS: Final = BASE + "status/"
    held: Final = NS + "held"
    shared: Final = NS + "shared"
    disputed: Final = NS + "disputed"
    needs_decision: Final = NS + "needs-decision"
    vacant: Final = NS + "vacant"
    expired: Final = NS + "expired"
    not_yet: Final = NS + "not-yet"
    unknown: Final = NS + "unknown"


class Level:
    """Hold the levels of government."""

    NS: Final = BASE + "level/"
    central: Final = NS + "central"
    province: Final = NS + "province"
    district: Final = NS + "district"
    commune: Final = NS + "commune"


class Graphs:
    """Hold the names of the graphs that the register itself keeps."""

    NS: Final = BASE + "graph/"
    standings: Final = NS + "standings"
    findings: Final = NS + "findings"
    scopes: Final = NS + "scopes"
    sources: Final = NS + "sources"
    projection: Final = NS + "projection"
    ends: Final = NS + "ends/"
    """How the name of a graph begins that says, for one plan each, when what the plan ends is over."""

    #: what the names of findings begin with
    FINDING: Final = BASE + "finding/"

    #: graphs that no source may write to
    RESERVED: Final = frozenset({standings, findings, scopes, sources, projection})

    @classmethod
    def is_reserved(cls, graph: str) -> bool:
        """Say whether a graph is the register's own, which no source speaks in."""
        return graph in cls.RESERVED or graph.startswith(cls.ends)


class RDF:
    NS: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    type: Final = NS + "type"
    value: Final = NS + "value"


class RDFS:
    NS: Final = "http://www.w3.org/2000/01/rdf-schema#"
    label: Final = NS + "label"


class OWL:
    NS: Final = "http://www.w3.org/2002/07/owl#"
    versionInfo: Final = NS + "versionInfo"


class XSD:
    NS: Final = "http://www.w3.org/2001/XMLSchema#"
    date: Final = NS + "date"
    dateTime: Final = NS + "dateTime"
    boolean: Final = NS + "boolean"
    integer: Final = NS + "integer"
    string: Final = NS + "string"


class SKOS:
    NS: Final = "http://www.w3.org/2004/02/skos/core#"
    Concept: Final = NS + "Concept"
    prefLabel: Final = NS + "prefLabel"
    altLabel: Final = NS + "altLabel"
    broader: Final = NS + "broader"
    inScheme: Final = NS + "inScheme"
    notation: Final = NS + "notation"


class SKOSXL:
    NS: Final = "http://www.w3.org/2008/05/skos-xl#"
    literalForm: Final = NS + "literalForm"


class DCT:
    NS: Final = "http://purl.org/dc/terms/"
    title: Final = NS + "title"
    description: Final = NS + "description"
    identifier: Final = NS + "identifier"
    publisher: Final = NS + "publisher"
    isPartOf: Final = NS + "isPartOf"
    spatial: Final = NS + "spatial"
    date: Final = NS + "date"
    accessRights: Final = NS + "accessRights"


class DCAT:
    NS: Final = "http://www.w3.org/ns/dcat#"
    Resource: Final = NS + "Resource"
    Dataset: Final = NS + "Dataset"
    DatasetSeries: Final = NS + "DatasetSeries"
    Catalog: Final = NS + "Catalog"
    DataService: Final = NS + "DataService"
    theme: Final = NS + "theme"
    inSeries: Final = NS + "inSeries"
    dataset: Final = NS + "dataset"
    service: Final = NS + "service"
    catalog: Final = NS + "catalog"
    resource: Final = NS + "resource"
    servesDataset: Final = NS + "servesDataset"
    landingPage: Final = NS + "landingPage"


class FOAF:
    NS: Final = "http://xmlns.com/foaf/0.1/"
    name: Final = NS + "name"


class PROV:
    NS: Final = "http://www.w3.org/ns/prov#"
    wasGeneratedBy: Final = NS + "wasGeneratedBy"


#: classes whose instances carry the two clocks (``d:Record`` and its subclasses; a test holds it to the ontology)
RECORD_CLASSES: Final = frozenset(
    {
        D.Record, D.Name, D.Code, D.Placement, D.Responsibility, D.ResourceResponsibility, D.Transfer, D.Mandate,
        D.ChangeEvent, D.Succession, D.Flow, D.Request, D.DataRequest, D.TransferProposal, D.Difficulty, D.Answer,
        D.Report, D.Review, D.SharingAgreement, D.LogEntry, D.ProcedureChange,
    }
)  # fmt: skip

#: classes of the catalogue whose instances can be answered for
RESOURCE_CLASSES: Final = frozenset({DCAT.Resource, DCAT.Dataset, DCAT.DatasetSeries, DCAT.Catalog, DCAT.DataService})

#: classes whose instances get standings and cards: what the catalogue describes, and tasks
ANSWERABLE_CLASSES: Final = RESOURCE_CLASSES | {D.Task}


def scope_key(field: str | None, area: str | None) -> str:
    """Return the IRI that stands for exactly this field in exactly this area; ``None`` is everything.

    Looking a key up costs the same whether ten or thirty thousand records claim the field (0.9 ms instead of 57,
    measured), where joining field and area grows with the claims on the wider of the two.
    """
    return f"{BASE}scope/{field or '*'}~{area or '*'}".replace("#", "%23")
