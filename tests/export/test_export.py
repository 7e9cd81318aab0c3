"""Hold what an export says to the register, and its form to the shapes of DCAT-AP 3.0.1 and CPOV 2.1.2."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib

from graph import export, standards
from graph.checking import Checker
from graph.register import Register
from graph.shacl.paths import Predicate
from graph.shacl.reading import read_shapes
from graph.shacl.written import WrittenStore
from graph.terms import D, Role

HERE = Path(__file__).parent
X = "https://example.org/"
DCAT, DCT, PROV, ORG = standards.DCAT, standards.DCT, standards.PROV, standards.ORG
DAY = date(2026, 6, 1)
SH = rdflib.SH


def dcat_of(register: Register, day: date = DAY, remarks: Counter[tuple[str, str]] | None = None) -> list[ox.Triple]:
    heard = remarks if remarks is not None else Counter()
    head = export.head_of(register.pack, day)
    return list(export.dcat(register.reader.graph, day, head, remark=lambda code, iri: heard.update([(code, iri)])))


def cpov_of(register: Register, day: date = DAY) -> list[ox.Triple]:
    return list(export.cpov(register.reader.graph, day, register.pack.timezone))


def values(triples: Iterable[ox.Triple], subject: str, predicate: str) -> list[str]:
    found = {
        triple.object
        for triple in triples
        if triple.subject == ox.NamedNode(subject) and triple.predicate == ox.NamedNode(predicate)
    }
    return sorted(value.value for value in found if isinstance(value, ox.NamedNode | ox.Literal))


def violations(triples: Iterable[ox.Triple], shapes: Sequence[Path], engine: str) -> Counter[tuple[str, str]]:
    """Return (path, component) → how many results of any severity there are, the vocabularies loaded beside."""
    return by_us(triples, shapes) if engine == "ours" else by_pyshacl(triples, shapes)


def by_us(triples: Iterable[ox.Triple], shapes: Sequence[Path]) -> Counter[tuple[str, str]]:
    beside = ox.parse(path=HERE / "vocabularies.ttl")
    store = WrittenStore([*beside, *(ox.Quad(one.subject, one.predicate, one.object) for one in triples)])
    found = Checker(read_shapes(shapes)).check(store, DAY)
    return Counter(
        (one.path.iri if isinstance(one.path, Predicate) else "", one.component) for one in found
    )


def by_pyshacl(triples: Iterable[ox.Triple], shapes: Sequence[Path]) -> Counter[tuple[str, str]]:
    data = rdflib.Graph().parse(data=export.text_of(triples, "nt"), format="nt")
    data.parse(HERE / "vocabularies.ttl")
    graph = rdflib.Graph()
    for path in shapes:
        graph.parse(path)
    _, report, _ = pyshacl.validate(data, shacl_graph=graph, inference="none")
    assert isinstance(report, rdflib.Graph)
    return Counter(
        (str(report.value(result, SH.resultPath)), str(report.value(result, SH.sourceConstraintComponent)))
        for result in report.subjects(rdflib.RDF.type, SH.ValidationResult)
    )


@pytest.fixture(scope="session")
def dcat_shapes(shared: Path) -> list[Path]:
    folder = shared / "suites" / "dcat-ap-3.0.1" / "shacl"
    return [folder / "shapes.ttl", folder / "range.ttl"]


@pytest.fixture(scope="session")
def cpov_shapes(shared: Path) -> list[Path]:
    return [shared / "suites" / "cpov-2.1.2" / "shacl" / "core-public-organisation-ap-SHACL.ttl"]


# --- the shapes -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["pySHACL", "ours"])
def engine(request: pytest.FixtureRequest) -> str:
    """Name who checks."""
    return str(request.param)


@pytest.mark.parametrize("day", [date(2025, 2, 28), date(2026, 11, 23)])
def test_the_catalogue_of_vietnam_conforms_to_dcat_ap(
    vietnam: Register, dcat_shapes: list[Path], day: date, engine: str
) -> None:
    assert violations(dcat_of(vietnam, day), dcat_shapes, engine) == {}


def test_the_bodies_of_vietnam_conform_to_cpov(vietnam: Register, cpov_shapes: list[Path], engine: str) -> None:
    reader, zone = vietnam.reader.graph, vietnam.pack.timezone
    assert len(export.bodies_of(reader, DAY)) > 3000
    assert violations(export.cpov(reader, DAY, zone), cpov_shapes, engine) == {}


def test_a_portal_with_faults_conforms_to_dcat_ap_all_the_same(
    portal: Register, dcat_shapes: list[Path], engine: str
) -> None:
    assert violations(dcat_of(portal), dcat_shapes, engine) == {}


def test_its_bodies_conform_to_cpov(portal: Register, cpov_shapes: list[Path], engine: str) -> None:
    assert violations(cpov_of(portal), cpov_shapes, engine) == {}


def test_the_shapes_do_find_what_is_missing(portal: Register, dcat_shapes: list[Path], engine: str) -> None:
    title = (ox.NamedNode(X + "roads"), ox.NamedNode(DCT + "title"))
    untitled = [one for one in dcat_of(portal) if (one.subject, one.predicate) != title]
    assert violations(untitled, dcat_shapes, engine) == {(DCT + "title", str(SH.MinCountConstraintComponent)): 1}


def test_a_real_catalogue_conforms_once_it_has_gone_through_the_register(
    shared: Path, tmp_path: Path, dcat_shapes: list[Path], engine: str
) -> None:
    with Register.create(tmp_path / "data", pack=None) as register:
        register.load([shared / "real" / "belgium" / "page_1.trig"], source="https://data.gov.be/")
        written = dcat_of(register)
    assert len({one.subject for one in written if one.object == ox.NamedNode(DCAT + "Dataset")}) > 50
    assert violations(written, dcat_shapes, engine) == {}


# --- the catalogue --------------------------------------------------------------------------------------------------


def test_the_publisher_is_whoever_is_accountable_on_the_day(portal: Register) -> None:
    assert values(dcat_of(portal), X + "roads", DCT + "publisher") == [X + "dept"]
    assert values(dcat_of(portal, date(2025, 2, 28)), X + "roads", DCT + "publisher") == [X + "old"]


def test_of_several_that_share_the_one_that_leads_is_the_publisher(portal: Register) -> None:
    assert values(dcat_of(portal), X + "series", DCT + "publisher") == [X + "dept"]


def test_what_is_disputed_has_neither_publisher_nor_accountable(portal: Register) -> None:
    written = dcat_of(portal)
    assert values(written, X + "bridges", DCT + "publisher") == []
    roles = {
        role
        for attribution in values(written, X + "bridges", PROV + "qualifiedAttribution")
        for role in values(written, attribution, DCAT + "hadRole")
    }
    assert Role.accountable not in roles
    assert Role.contact in roles


def test_every_role_is_an_attribution_with_our_word_and_that_of_inspire(portal: Register) -> None:
    written = dcat_of(portal)
    (attribution,) = values(written, X + "roads", PROV + "qualifiedAttribution")
    assert values(written, attribution, PROV + "agent") == [X + "dept"]
    assert values(written, attribution, DCAT + "hadRole") == [standards.PARTY_ROLE + "custodian", Role.accountable]
    assert values(written, attribution, D.from_) == ["2025-03-01"]


def test_the_law_in_force_on_the_day_is_named_and_the_ended_one_is_not(portal: Register) -> None:
    written = dcat_of(portal)
    assert values(written, X + "roads", standards.DCATAP + "applicableLegislation") == [X + "article"]
    assert values(written, X + "article", standards.ELI + "is_part_of") == [X + "law"]
    assert values(written, X + "law", DCT + "identifier") == ["1/2025/L"]


def test_lineage_is_that_of_the_day(portal: Register) -> None:
    written = dcat_of(portal)
    assert values(written, X + "bridges", DCT + "source") == [X + "roads"]
    assert values(written, X + "copy", PROV + "wasDerivedFrom") == [X + "roads"]
    assert values(written, X + "roads", DCT + "source") == []
    assert values(dcat_of(portal, date(2024, 6, 1)), X + "bridges", DCT + "source") == [X + "copy"]


def test_a_theme_brings_that_of_the_eu_with_it_even_from_above(portal: Register) -> None:
    themes = values(dcat_of(portal), X + "roads", DCAT + "theme")
    assert themes == [standards.AUTHORITY + "data-theme/TRAN", X + "lanes"]


def test_values_go_out_in_the_datatype_that_the_profile_asks(portal: Register) -> None:
    written = dcat_of(portal)
    size = next(one.object for one in written if one.predicate == ox.NamedNode(DCAT + "byteSize"))
    assert size == ox.Literal("1024", datatype=ox.NamedNode(standards.XSD + "nonNegativeInteger"))
    assert values(written, X + "roads", DCT + "modified") == ["2026-01-02"]
    assert values(written, X + "csv", DCAT + "accessURL") == [X + "roads.csv"]
    assert values(written, X + "csv", DCAT + "accessService") == [X + "api"]


def test_what_the_profile_demands_and_nobody_knows_is_told_and_not_invented(portal: Register) -> None:
    remarks: Counter[tuple[str, str]] = Counter()
    written = dcat_of(portal, remarks=remarks)
    assert set(remarks) >= {
        ("catalogue-without-publisher", X + "orphan"),
        ("service-without-endpoint", X + "bus"),
        ("distribution-without-address", X + "nowhere"),
        ("description-made", X + "bridges"),
    }
    types = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    assert DCAT + "Catalog" not in values(written, X + "orphan", types)
    assert DCAT + "Catalog" in values(written, X + "open", types)
    assert DCAT + "DataService" not in values(written, X + "bus", types)
    assert values(written, X + "open", DCAT + "dataset") == [X + "orphan", X + "roads"]
    assert values(written, X + "open", DCAT + "service") == [X + "api"]


def test_a_description_is_made_of_field_area_and_holder(portal: Register) -> None:
    assert values(dcat_of(portal), X + "series", DCT + "description") == [
        "Accountable: Department of Roads, Phòng Đường.",
        "Chủ quản: Sở Đường, Phòng Đường.",
    ]


def test_part_of_a_catalogue_can_be_written_alone(portal: Register) -> None:
    head = export.head_of(portal.pack, DAY)
    written = list(export.dcat(portal.reader.graph, DAY, head, [X + "roads"]))
    assert values(written, head.iri, DCAT + "dataset") == [X + "roads"]
    assert values(written, X + "bridges", DCT + "title") == []
    assert values(written, X + "dept", standards.FOAF + "name")


def test_a_named_body_publishes_the_catalogue_and_else_the_register_does(portal: Register) -> None:
    head = export.head_of(portal.pack, DAY, X + "dept")
    assert values(export.dcat(portal.reader.graph, DAY, head), head.iri, DCT + "publisher") == [X + "dept"]
    assert values(dcat_of(portal), export.CATALOGUE, DCT + "publisher") == [export.REGISTER]


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_a_body_goes_out_with_posts_codes_area_contact_and_what_made_it(portal: Register) -> None:
    written = cpov_of(portal)
    dept = X + "dept"
    assert values(written, dept, ORG + "hasPost") == [X + "director"]
    assert values(written, dept, DCT + "spatial") == [X + "area"]
    assert values(written, dept, ORG + "classification") == [X + "kind"]
    assert values(written, dept, standards.ADMS + "identifier") == [X + "code-dept"]
    assert values(written, dept, ORG + "resultedFrom") == [X + "event"]
    assert values(written, dept, standards.SKOS + "altLabel") == ["SĐ"]
    assert values(written, X + "office", ORG + "subOrganizationOf") == [dept]
    (point,) = values(written, dept, standards.CV + "contactPoint")
    assert values(written, point, standards.CV + "email") == ["roads@example.org"]
    assert values(written, point, standards.CV + "telephone") == ["0123"]
    begins = datetime(2025, 3, 1, tzinfo=portal.pack.timezone).isoformat()
    assert values(written, X + "event", PROV + "startedAtTime") == [begins]
    assert values(written, X + "event", standards.CV + "hasFormalFramework") == [X + "law"]
    assert values(written, X + "event", ORG + "originalOrganization") == [X + "old"]
    assert values(written, dept, standards.XHV + "prev") == [X + "old"]


def test_an_ended_body_goes_out_only_as_what_a_change_names(portal: Register) -> None:
    written = cpov_of(portal)
    assert values(written, X + "old", standards.SKOS + "prefLabel") == ["Department of Bridges", "Sở Cầu"]
    assert values(written, X + "old", DCT + "spatial") == []
    before = cpov_of(portal, date(2025, 2, 28))
    assert values(before, X + "old", DCT + "spatial") == [X + "area"]
    assert values(before, X + "dept", standards.SKOS + "prefLabel") == []
    assert values(before, X + "event", DCT + "description") == []


def test_names_are_those_of_the_day(portal: Register) -> None:
    label = standards.SKOS + "prefLabel"
    assert "Sở Đường cũ" in values(cpov_of(portal, date(2025, 6, 1)), X + "dept", label)
    assert "Sở Đường" in values(cpov_of(portal), X + "dept", label)


# --- writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(export.FORMATS))
def test_every_format_says_the_same(portal: Register, name: str) -> None:
    written = dcat_of(portal)
    out = io.BytesIO()
    count = export.write(written, name, out)
    read = ox.parse(out.getvalue(), format=export.FORMATS[name])
    back = {ox.Triple(quad.subject, quad.predicate, quad.object) for quad in read}
    assert back == set(written)
    assert count == len(back)


def test_the_same_register_is_written_the_same(portal: Register) -> None:
    assert export.text_of(dcat_of(portal), "ttl") == export.text_of(dcat_of(portal), "ttl")
