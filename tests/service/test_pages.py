"""Hold what the service answers: pages for people, JSON for programs, and nothing that data could smuggle in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.errors import StoreFault
from graph.register import Register
from service import app as app_module
from service.app import create_app
from service.pages import safe_link
from service.settings import Settings
from tests.service.serving import client_of

TEST = "https://w3id.org/diaba/test/"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DOCUMENTS = sorted(path.stem for path in (Path(app_module.__file__).parent / "docs").glob("*.md"))
PAGES = [
    "/",
    "/who?q=dang+ky+doanh+nghiep",
    "/who?q=dang+ky+doanh+nghiep&as_of=2025-02-28&known_at=2026-11-20",
    f"/who?q={TEST}torn",
    f"/who?q={TEST}joint",
    f"/who?q={TEST}gone",
    f"/who?q={TEST}rumour",
    f"/who?q={TEST}hostile",
    "/who?q=khong+co+gi+nhu+vay+xyz",
    "/who?q=viet+nam",
    "/who?q=",
    "/who?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "/who?q=dat+dai&as_of=2025-02-30",
    "/datasets-of?q=bo+tai+chinh",
    "/datasets-of?q=bo+noi+vu&as_of=2010-01-01",
    "/nowhere",
    "/docs",
    "/api",
    *(f"/docs/{name}" for name in DOCUMENTS),
]


class Elements(HTMLParser):
    """Collect the elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def page(client: httpx.Client, address: str, status: int = 200, **headers: str) -> Elements:
    answer = client.get(address, headers={**BROWSER, **headers})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    return Elements(answer.text)


def said(elements: Elements) -> str:
    return " ".join(" ".join(elements.text).split())


# --- what is answered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "holder"), [("2025-02-28", "Bộ Kế hoạch và Đầu tư"), ("2025-03-01", "Bộ Tài chính"), ("", "Bộ Tài chính")]
)
def test_the_card_answers_for_the_day_asked(client: httpx.Client, day: str, holder: str) -> None:
    address = f"/who?q=dang+ky+doanh+nghiep&as_of={day}"
    card = client.get(address).json()["card"]
    assert [one["label"] for one in card["lines"]["accountable"]["holders"]] == [holder]
    assert holder in said(page(client, address))


def test_a_card_says_since_when_on_what_basis_how_and_how_sure(client: httpx.Client) -> None:
    text = said(page(client, "/who?q=dang+ky+doanh+nghiep&as_of=2025-03-01&lang=en"))
    for words in (
        "Ministry of Finance", "since 1 March 2025", "followed", "Decree 47/2024/ND-CP, article 3",
        "V2 excerpt of the text", "Ministry of Planning and Investment → Ministry of Finance",
        "Business Registration Department", "start not known", "V3 third-party source", "decree-47",
    ):  # fmt: skip
        assert words in text


def test_a_mandated_line_names_the_act_with_its_giver_its_day_and_its_basis(client: httpx.Client) -> None:
    text = said(page(client, f"/who?q={TEST}permits&as_of=2025-07-01&lang=en"))
    executes = text.partition("Executes")[2]
    assert "Ministry of Health since 1 June 2025 through 31 May 2026" in executes
    assert "mandate of 1 June 2025 by Ministry of Agriculture and Environment" in executes
    assert "Basis Decree 47/2024/ND-CP" in executes
    after = said(page(client, f"/who?q={TEST}permits&as_of=2026-06-01&lang=en")).partition("Executes")[2]
    assert "the accountable itself" in after


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("joint", "nhiều bên cùng chịu trách nhiệm"),
        ("gone", "được nêu rõ là không có bên nào"),
        ("torn", "mâu thuẫn: hơn một bên được nêu"),
        ("titles", "chưa có thông tin"),
    ],
)
def test_a_status_is_said_in_words(client: httpx.Client, name: str, words: str) -> None:
    assert words in said(page(client, f"/who?q={TEST}{name}"))


def test_the_lead_of_a_shared_responsibility_is_marked(client: httpx.Client) -> None:
    assert "Bộ Tài chính (chủ trì)" in said(page(client, f"/who?q={TEST}joint"))


def test_what_nobody_verified_stands_below_the_line_and_is_not_the_answer(client: httpx.Client) -> None:
    text = said(page(client, f"/who?q={TEST}rumour"))
    above, line, below = text.partition("Chưa kiểm chứng")
    assert "Bộ Y tế" not in above
    assert line
    assert "Bộ Y tế" in below
    assert client.get(f"/who?q={TEST}rumour").json()["card"]["lines"]["accountable"]["holders"] == []


def test_a_day_to_come_is_answered_as_recorded_today(client: httpx.Client) -> None:
    assert "The answer is as recorded today" not in said(page(client, "/who?q=dat+dai&lang=en"))
    assert "the answer is as recorded today" in said(page(client, "/who?q=dat+dai&as_of=2099-01-01&lang=en"))


def test_what_was_known_before_the_record_came_is_nothing(client: httpx.Client) -> None:
    then = client.get("/who?q=dat+dai&known_at=2001-01-01")
    assert then.json()["card"]["lines"]["accountable"]["status"] == "unknown"


def test_nothing_found_is_404_and_helps(client: httpx.Client) -> None:
    answer = client.get("/who?q=khong+co+gi+nhu+vay+xyz&lang=en")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"] == "Try fewer words, the full name, or no accents."
    assert "Try fewer words" in said(page(client, "/who?q=khong+co+gi+nhu+vay+xyz&lang=en", 404))


def test_the_name_of_a_body_leads_people_to_what_it_answers_for_and_tells_programs(client: httpx.Client) -> None:
    led = client.get("/who?q=bo+tai+chinh&as_of=2025-03-01&lang=vi", headers=BROWSER)
    assert led.status_code == 303
    assert "Báo cáo chung" in client.get(led.headers["location"], headers=BROWSER).text
    assert "as_of=2025-03-01" in led.headers["location"]
    told = client.get("/who?q=bo+tai+chinh")
    assert told.status_code == 404
    assert told.json()["near"][0]["path"] == "/datasets-of"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mof", "is not data"),
        ("vn", "is not data"),
        ("law", "is not data"),
        ("no-such-thing", "Nothing in the register"),
    ],
)
def test_an_iri_that_is_no_data_is_said_to_be_none(client: httpx.Client, name: str, told: str) -> None:
    answer = client.get(f"/who?q={TEST}{name}&lang=en")
    assert answer.status_code == 404
    assert told in answer.json()["detail"]


def test_a_body_lists_what_it_and_its_units_answer_for(client: httpx.Client) -> None:
    found = client.get("/datasets-of?q=bo+tai+chinh").json()
    assert found["body"]["label"] == "Bộ Tài chính"
    assert {row["label"] for row in found["datasets"]} == {
        "Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp", "Báo cáo chung",
    }  # fmt: skip
    text = said(page(client, "/datasets-of?q=bo+tai+chinh"))
    assert "Báo cáo chung" in text
    assert "sổ không ghi" in said(page(client, "/datasets-of?q=bo+tai+chinh&as_of=2001-01-01"))


def test_a_row_of_the_search_shows_who_answers(client: httpx.Client) -> None:
    rows = client.get("/search?q=dang+ky+doanh+nghi&as_of=2025-02-28").json()["rows"]
    assert rows[0]["label"] == "Cơ sở dữ liệu quốc gia về đăng ký doanh nghiệp"
    assert rows[0]["answer"]["status"] == "held"
    assert [holder["label"] for holder in rows[0]["answer"]["holders"]] == ["Bộ Kế hoạch và Đầu tư"]


def test_a_row_and_the_card_name_the_same_holder_on_any_day(client: httpx.Client) -> None:
    for name in ("companies", "parcels", "joint", "gone", "torn", "rumour", "titles"):
        for day in ("2019-12-31", "2024-05-08", "2024-05-09", "2025-02-28", "2025-03-01", "2026-01-01"):
            row = client.get(f"/search?q={TEST}{name}&as_of={day}").json()["rows"][0]["answer"]
            line = client.get(f"/who?q={TEST}{name}&as_of={day}").json()["card"]["lines"]["accountable"]
            assert row["status"] == line["status"]
            assert {one["iri"] for one in row["holders"]} == {
                one["iri"] for one in line["holders"] if not one["iri"].endswith("nobody")
            }


def test_a_body_that_ended_says_so_in_its_row(client: httpx.Client) -> None:
    rows = client.get("/search?q=ke+hoach+dau+tu&lang=en").json()["rows"]
    assert rows[0]["kind"] == "body"
    assert rows[0]["remark"] == "ended, through 28 February 2025"


def test_health_tells_revision_and_version(client: httpx.Client, register: Register) -> None:
    version = client.get("/openapi.json").json()["info"]["version"]
    health = {"status": "ok", "revision": register.reader.revision, "version": version}
    assert client.get("/health").json() == health


# --- which form, which language -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (BROWSER["accept"], "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json;q=0.9, text/html;q=0.1", "application/json"),
        ("text/html;q=0", "application/json"),
        ("", "application/json"),
    ],
)
def test_accept_decides_between_page_and_json(client: httpx.Client, accept: str, form: str) -> None:
    assert client.get("/who?q=dat+dai", headers={"accept": accept}).headers["content-type"].startswith(form)


def test_format_decides_before_accept(client: httpx.Client) -> None:
    assert client.get("/who?q=dat+dai&format=json", headers=BROWSER).json()["card"]
    assert "<h1>" in client.get("/who?q=dat+dai&format=html").text
    assert client.get("/who?q=dat+dai&format=xml").status_code == 400


@pytest.mark.parametrize(
    ("address", "accepted", "language"),
    [("/", "", "vi"), ("/", "en-GB,en", "en"), ("/?lang=vi", "en", "vi"), ("/?lang=en", "vi", "en"), ("/", "fr", "vi")],
)
def test_the_page_speaks_the_readers_language(client: httpx.Client, address: str, accepted: str, language: str) -> None:
    elements = page(client, address, **{"accept-language": accepted})
    assert elements.all("html") == [{"lang": language}]


def test_switching_the_language_keeps_the_question(client: httpx.Client) -> None:
    elements = page(client, "/who?q=dat+dai&as_of=2025-03-01&lang=en")
    switch = next(link["href"] for link in elements.all("a") if link.get("hreflang") == "vi")
    assert "dat dai" in client.get(switch, headers=BROWSER).text
    assert "01/03/2025" in client.get(switch, headers=BROWSER).text
    ours = [link["href"] for link in elements.all("a") if link["href"].startswith("/") and link is not switch]
    assert all("lang=" in address for address in ours)


@pytest.mark.parametrize(
    ("query", "detail", "remedy"),
    [
        ("q=dat+dai&as_of=2025-02-30", "2025-02-30", "2025-02-28"),
        ("q=dat+dai&as_of=28/02/2025", "28/02/2025", "2025-02-28"),
        ("q=dat+dai&known_at=2026-11-20T12:00:00", "2026-11-20T12:00:00", "2026-11-20T12:00:00Z"),
        ("q=", "The question is empty", "Write a few words"),
        ("q=" + "a" * 501, "500", "Write a few words"),
    ],
)
def test_a_wrong_question_is_400_and_says_what_to_write(
    client: httpx.Client, query: str, detail: str, remedy: str
) -> None:
    problem = client.get(f"/who?{query}&lang=en")
    assert problem.status_code == 400
    assert problem.headers["content-type"] == "application/problem+json"
    assert detail in problem.json()["detail"]
    assert remedy in problem.json()["remedy"]
    assert remedy in said(page(client, f"/who?{query}&lang=en", 400))


@pytest.mark.parametrize("text", ["http://[", "http://a b", "https://a{b}", "https://w3id.org/diaba/test/parcels>"])
def test_what_only_looks_like_an_iri_is_400(client: httpx.Client, text: str) -> None:
    for path in ("/who", "/search", "/datasets-of"):
        assert client.get(path, params={"q": text}).status_code == 400


@given(
    text=st.text(min_size=1, max_size=80), path=st.sampled_from(["/who", "/search", "/datasets-of"]), page=st.booleans()
)
@example(text="AND OR NOT (", path="/search", page=False)
@example(text='"', path="/who", page=True)
@example(text="a:b^2~ [c TO d]", path="/search", page=False)
@example(text="\x00", path="/who", page=True)
@example(text="{{7*7}}", path="/datasets-of", page=True)
def test_no_question_breaks_the_service(client: httpx.Client, text: str, path: str, page: bool) -> None:
    answer = client.get(path, params={"q": text}, headers=BROWSER if page else {})
    assert answer.status_code in (200, 303, 400, 404)


@given(text=st.text(min_size=1, max_size=30), name=st.sampled_from(["as_of", "known_at", "lang", "format"]))
def test_no_other_parameter_breaks_the_service(client: httpx.Client, text: str, name: str) -> None:
    assert client.get("/who", params={"q": "dat dai", name: text}).status_code in (200, 400)


def test_a_wrong_limit_is_400_not_422(client: httpx.Client) -> None:
    answer = client.get("/search?q=a&limit=0")
    assert answer.status_code == 400
    assert "limit" in answer.json()["detail"]


def test_a_store_that_fails_is_503(register: Register) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreFault("The store went away", remedy="Start it again.")

    reader = SimpleNamespace(
        graph=register.reader.graph, history=register.reader.history, pack=register.reader.pack, revision=1,
        search=SimpleNamespace(search=broken),
    )  # fmt: skip
    with client_of(create_app(Settings(), reader, register)) as client:
        answer = client.get("/who?q=dat+dai")
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "Start it again."


# --- nothing that should not be there -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole_and_speaks_to_no_other_host(client: httpx.Client, address: str, language: str) -> None:
    joint = "&" if "?" in address else "?"
    answer = client.get(f"{address}{joint}lang={language}", headers=BROWSER)
    assert answer.status_code in (200, 400, 404)
    elements = Elements(answer.text)
    assert elements.all("html") == [{"lang": language}]
    assert len(elements.all("h1")) == 1
    assert len(elements.all("main")) == 1
    for tag, attributes in elements.found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        loaded = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
        assert loaded is None or not urlsplit(loaded).netloc
        if tag == "script":
            assert attributes["src"].startswith("/static/")
        assert urlsplit(attributes.get("href", "").strip()).scheme in ("", "http", "https", "mailto")
    named = {attributes["for"] for attributes in elements.all("label")}
    for field in elements.all("input"):
        assert field.get("type") == "hidden" or field["id"] in named
    identifiers = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes in elements.found:
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            assert set(attributes.get(name, "").split()) <= set(identifiers)


def test_what_data_say_is_shown_as_text_and_never_run(client: httpx.Client) -> None:
    answer = client.get(f"/who?q={TEST}hostile", headers=BROWSER)
    assert "&lt;script&gt;document.title=" in answer.text
    assert "<script>document" not in answer.text
    elements = Elements(answer.text)
    assert "alert(1)" in said(elements)
    assert not [link for link in elements.all("a") if "javascript" in link["href"]]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/a?b", True),
        ("mailto:a@example.org", True),
        (f"{TEST}parcels", False),
        ("javascript:alert(1)", False),
        (" JaVaScRiPt:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("//example.org", False),
        ("http://[", False),
    ],
)
def test_only_addresses_of_pages_and_mailboxes_become_links(address: str, kept: bool) -> None:
    assert bool(safe_link(address)) is kept


@pytest.mark.parametrize(
    "address", ["/", "/who?q=dat+dai", "/nowhere", "/static/style.css", "/static/none.css", "/health"]
)
def test_every_response_carries_the_security_headers(client: httpx.Client, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("address", ["/", "/health", "/who?q=dat+dai", "/static/style.css"])
def test_head_gives_the_headers_of_get_without_a_body(client: httpx.Client, address: str) -> None:
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == client.get(address).headers["content-type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written_over_http(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/who?q=dat+dai").status_code == 405


def test_the_service_sets_no_cookie_and_names_no_server(client: httpx.Client) -> None:
    headers = client.get("/", headers=BROWSER).headers
    assert "set-cookie" not in headers
    assert "server" not in headers


def test_what_nobody_foresaw_is_a_problem_document_or_a_page_and_a_line_in_the_log(
    register: Register, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the inside of it")

    monkeypatch.setattr("service.asking.answer", stumble)
    with client_of(create_app(Settings(language="en"), register.reader, register)) as client:
        answer = client.get("/who?q=dat+dai")
        shown = client.get("/who?q=dat+dai", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["title"] == "Something is wrong"
    assert (shown.status_code, shown.headers["content-type"]) == (500, "text/html; charset=utf-8")
    for response in (answer, shown):
        assert "Try again" in response.text
        assert "the inside of it" not in response.text
        assert "Traceback" not in response.text
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "the inside of it" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../settings", "..%2fapp", "INDEX", "index.md", "nothing", "%00"])
def test_only_documentation_is_served_as_documentation(client: httpx.Client, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_links_of_the_documentation_lead_somewhere(client: httpx.Client, name: str) -> None:
    for link in page(client, f"/docs/{name}").all("a"):
        if link["href"].startswith("/"):
            assert client.get(link["href"], headers=BROWSER).status_code == 200
        else:
            assert not link["href"].endswith(".md")


def test_the_index_leads_to_every_page_of_the_documentation(client: httpx.Client) -> None:
    linked = {link["href"].removeprefix("/docs/") for link in page(client, "/docs").all("a")}
    assert not set(DOCUMENTS) - linked - {"index"}


def test_every_operation_of_the_interface_is_documented(client: httpx.Client) -> None:
    text = (Path(app_module.__file__).parent / "docs" / "api.md").read_text("utf-8")
    described = client.get("/openapi.json").json()["paths"]
    assert described
    for path, operations in described.items():
        assert f"`{path}" in text
        for operation in operations.values():
            assert operation["summary"]
            assert set(operation["responses"]) == {"200", "400", "404", "default"}
            for parameter in operation.get("parameters", ()):
                assert parameter["description"]
                assert re.search(rf"\b{parameter['name']}\b", text)


def test_a_base_path_stands_before_every_address(register: Register) -> None:
    with client_of(create_app(Settings(base_path="/so"), register.reader, register)) as client:
        for prefix in ("", "/so"):  # a proxy may cut the prefix off, or leave it
            elements = page(client, f"{prefix}/who?q=dat+dai")
            addresses = [link["href"] for tag in ("a", "link") for link in elements.all(tag)]
            addresses += [form["action"] for form in elements.all("form")]
            addresses += [script["src"] for script in elements.all("script")]
            assert not [one for one in addresses if not one.startswith(("/so/", "https://", "#"))]
            style = next(link["href"] for link in elements.all("link") if link["rel"] == "stylesheet")
            assert client.get(style).status_code == 200
            assert client.get(style.removeprefix("/so")).status_code == 200


def test_an_app_is_a_function_of_its_parts(register: Register) -> None:
    one = create_app(Settings(), register.reader, register)
    other = create_app(Settings(language="en"), register.reader, register)
    with client_of(one) as first, client_of(other) as second:
        assert page(first, "/").all("html") == [{"lang": "vi"}]
        assert page(second, "/").all("html") == [{"lang": "en"}]
