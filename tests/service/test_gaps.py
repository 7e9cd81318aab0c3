"""Hold the pages of gaps and rules, and what programs get at the same addresses."""

from __future__ import annotations

import csv
import io
import json
import re

import httpx
import openpyxl
import pyoxigraph as ox
import pytest

from tests.service.test_pages import BROWSER, page

SH = "http://www.w3.org/ns/shacl#"
DAY = "2026-11-23"


@pytest.fixture(scope="module")
def found(client: httpx.Client) -> dict:
    """Return all findings of the day."""
    return client.get("/gaps", params={"as_of": DAY, "limit": 1000}).json()


def test_the_page_counts_and_lists_what_the_rules_find(client: httpx.Client, found: dict) -> None:
    shown = client.get("/gaps", params={"as_of": DAY, "lang": "en"}, headers=BROWSER)
    assert shown.status_code == 200
    assert found["total"] == len(found["findings"]) > 0
    for finding in found["findings"][:50]:
        assert finding["rule"]["iri"]
    assert f"{found['total']} gaps" in shown.text


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("path", ["/gaps", "/gaps?since=2020-01-01&by=body", "/rules", "/rules/no-accountable"])
def test_no_page_shows_an_iri_where_a_name_is(client: httpx.Client, path: str, lang: str) -> None:
    text = client.get(path + ("&" if "?" in path else "?") + f"lang={lang}", headers=BROWSER).text
    words = re.sub(r"<(script|style|pre)[^>]*>.*?</\1>|<code>.*?</code>|<[^>]*>", " ", text, flags=re.DOTALL)
    assert "https://w3id.org/" not in words


def test_counts_by_rule_add_up_and_each_leads_to_its_findings(client: httpx.Client, found: dict) -> None:
    assert sum(one["total"] for one in found["counts"]) == found["total"]
    for one in [one for one in found["counts"] if one["total"]][:3]:
        name = one["iri"].rpartition("#")[2]
        assert client.get("/gaps", params={"as_of": DAY, "rule": name}).json()["total"] == one["total"]


@pytest.mark.parametrize("by", ["rule", "body", "level", "area", "field"])
def test_whatever_is_counted_by_has_a_page(client: httpx.Client, by: str) -> None:
    assert client.get("/gaps", params={"by": by}, headers=BROWSER).status_code == 200
    assert client.get("/gaps", params={"by": by}).json()["by"] == by


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "colour"}, {"rule": "no-such-rule"}, {"level": "village"}, {"severity": "fatal"}, {"as_of": "today"},
        {"since": "2027-01-01", "as_of": "2026-01-01"}, {"page": "0"}, {"limit": "5000"}, {"format": "pdf"},
        {"about": "not an iri"},
    ],
)  # fmt: skip
def test_a_wrong_question_is_told_so(client: httpx.Client, wrong: dict) -> None:
    answer = client.get("/gaps", params=wrong)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_pages_follow_one_another(client: httpx.Client, found: dict) -> None:
    seen: list[str] = []
    address: str | None = f"/gaps?as_of={DAY}&limit=3"
    while address:
        answer = client.get(address)
        seen += [one["finding"] for one in answer.json()["findings"]]
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("link", ""))
        address = following[1] if following else None
    assert seen == [one["finding"] for one in found["findings"]]


def test_tables_hold_everything(client: httpx.Client, found: dict) -> None:
    table = client.get(f"/gaps.csv?as_of={DAY}&lang=en")
    assert table.headers["content-type"].startswith("text/csv")
    assert f"gaps-{DAY}.csv" in table.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == found["total"]
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/gaps.xlsx?as_of={DAY}&lang=en").content))
    assert book["Findings"].max_row == found["total"] + 1
    assert client.get(f"/gaps?as_of={DAY}&format=csv").status_code == 200
    assert client.get("/gaps.pdf").status_code == 404


def test_the_report_of_the_w3c_is_negotiated(client: httpx.Client, found: dict) -> None:
    for answer in (
        client.get(f"/gaps.ttl?as_of={DAY}"),
        client.get(f"/gaps?as_of={DAY}", headers={"accept": "text/turtle;q=0.9, text/html;q=0.5"}),
    ):
        assert answer.headers["content-type"].startswith("text/turtle")
        quads = list(ox.parse(answer.content, format=ox.RdfFormat.TURTLE))
        assert sum(quad.predicate.value == SH + "result" for quad in quads) == found["total"]
        foci = {quad.object.value for quad in quads if quad.predicate.value == SH + "focusNode"}
        assert foci == {one["about"]["iri"] for one in found["findings"]}


def test_conditions_are_joined_and_can_be_dropped(client: httpx.Client, found: dict) -> None:
    first = found["findings"][0]
    asked = {"as_of": DAY, "rule": first["name"], "severity": first["severity"], "lang": "en"}
    assert 0 < client.get("/gaps", params=asked).json()["total"] <= found["total"]
    shown = page(client, f"/gaps?as_of={DAY}&rule={first['name']}&severity={first['severity']}")
    chips = [link for link in shown.all("a") if "title" in link and "rule=" not in link["href"]]
    assert chips


def test_two_days_are_compared(client: httpx.Client) -> None:
    answer = client.get("/gaps", params={"as_of": DAY, "since": "2020-01-01", "limit": 1000}).json()
    before = client.get("/gaps", params={"as_of": "2020-01-01"}).json()["total"]
    assert answer["total"] == before + len(answer["opened"]) - len(answer["closed"])


def test_every_rule_has_its_page_with_examples(client: httpx.Client) -> None:
    rules = client.get("/rules").json()["rules"]
    assert len(rules) >= 30
    for rule in rules:
        shown = client.get(f"/rules/{rule['name']}", params={"lang": "en"}, headers=BROWSER)
        assert shown.status_code == 200
        assert rule["examples"], rule["name"]
        assert {example["good"] for example in rule["examples"]} == {True, False}, rule["name"]
    assert client.get("/rules/no-such-rule").status_code == 404


def test_names_of_rules_in_the_documentation_lead_to_their_pages(client: httpx.Client) -> None:
    hrefs = {link.get("href") for link in page(client, "/docs/rules").all("a")}
    assert "/rules/no-accountable" in hrefs


def test_hostile_words_in_a_condition_do_nothing(client: httpx.Client) -> None:
    for words in ('"><script>alert(1)</script>', "x> } DROP ALL", "' OR 1=1"):
        for name in ("body", "area", "field", "rule", "about", "level"):
            answer = client.get("/gaps", params={name: words}, headers=BROWSER)
            assert answer.status_code in (400, 404)
            assert "<script>alert" not in answer.text


def test_json_is_the_twin_of_the_page(client: httpx.Client) -> None:
    shown = page(client, f"/gaps?as_of={DAY}&by=level")
    twin = next(link["href"] for link in shown.all("a") if "format=json" in link["href"])
    assert json.loads(client.get(twin).text)["by"] == "level"
