"""Show the gaps and the rules: as pages, as JSON, as tables to download, and as the W3C's validation report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, Response

from graph.errors import NotFound
from graph.gaps import gaps as read_gaps
from graph.labels import tail
from graph.reporting import write_report
from graph.rules import Rules
from graph.terms import RDF, D
from service import asking, writing
from service import gaps as asked
from service.api import PROBLEM, Day, Format, Language
from service.clocks import parse_day, today_in
from service.gaps import BYS, LEVELS, Question
from service.negotiation import offered, wording_of
from service.pages import PAGE, Desk
from service.reporting import SEVERITIES, Row
from service.rulebook import page_of, rules_of
from service.wording import Wording

Since = Annotated[str, Query(description="Compare with this day, YYYY-MM-DD: what opened and closed since")]
Rule = Annotated[tuple[str, ...], Query(description="Only findings of these rules, by name; repeat it")]
Body = Annotated[tuple[str, ...], Query(description="Only of what these bodies answer for: words or IRIs; repeat it")]
Level = Annotated[tuple[str, ...], Query(description="Only of these levels: central, province, district or commune")]
Area = Annotated[tuple[str, ...], Query(description="Only in these areas: words, codes or IRIs; repeat it")]
Field = Annotated[tuple[str, ...], Query(description="Only in these fields: words or IRIs; repeat it")]
Severity = Annotated[tuple[str, ...], Query(description="Only of these severities: error, warning or info; repeat it")]
About = Annotated[tuple[str, ...], Query(description="Only about these things, by IRI; repeat it")]
Counted = Annotated[str, Query(description="What to count by: rule, body, level, area or field")]
Number = Annotated[int, Query(ge=1, le=100_000, description="Which page of the list")]
Ending = Annotated[str, PathParameter(description="What to have it as: csv, xlsx, ttl or json")]
Name = Annotated[str, PathParameter(description="The rule's name, as /rules lists it")]
Size = Annotated[int, Query(ge=1, le=1000, description="How many findings on a page")]

#: what /gaps can be had as → its media types
FORMATS: dict[str, tuple[str, ...]] = {
    "html": ("text/html", "application/xhtml+xml"),
    "json": ("application/json",),
    "csv": ("text/csv",),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    "ttl": ("text/turtle",),
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The findings", "content": {kind: {} for kinds in FORMATS.values() for kind in kinds[:1]}}
}
_KEPT = ("rule", "body", "level", "area", "field", "severity", "about")


def routes(desk: Desk) -> APIRouter:
    """Return the routes of gaps and rules."""
    router = APIRouter(responses=PROBLEM | PAGE)
    reader, settings = desk.reader, desk.settings

    def rules() -> Rules:
        return rules_of(reader.pack.name)

    def answer(request: Request, form: str, given: Mapping[str, Any], by: str, page: int, limit: int) -> Response:
        say = wording_of(request, settings)
        if by not in BYS:
            raise asked.no_way(by, say)
        book = rules()
        question = asked.read_question(reader, book, say, **given)
        if form in ("csv", "xlsx", "ttl"):
            return _download(reader, book, question, form, say)
        rows, total = asked.page(reader, book, question, say, offset=(page - 1) * limit, limit=limit)
        numbers = asked.numbers(reader, book, question, by, say)
        totals = asked.severities(reader, question)
        moved = asked.moves(reader, book, question, say)
        links = _links(desk, request, page, limit, total)
        headers = {"vary": "Accept, Accept-Language"}
        if links:
            headers["link"] = ", ".join(f'<{address}>; rel="{name}"' for name, address in links.items())
        if form == "json":
            told: dict[str, Any] = {
                "as_of": question.day.isoformat(), "revision": reader.revision, "total": total, **totals, "by": by,
                "counts": [number.as_json() for number in numbers], "page": page, "limit": limit,
                "findings": [row.as_json() for row in rows],
            }  # fmt: skip
            if question.since:
                told["since"] = question.since.isoformat()
                told |= {way: [row.as_json() for row in several] for way, several in moved.items()}
            return JSONResponse(told, headers=headers)
        course = asked.course(reader, question)
        response = desk.page(
            request, "gaps.html", question=question, day=question.day.isoformat(), since=given["since"], by=by, bys=BYS,
            rows=rows, total=total, totals=totals, numbers=numbers, moved=moved, page=page, limit=limit, links=links,
            kept=_kept(given, numbers, rows), chosen=given["severity"], course=course, levels=LEVELS,
            paths=_paths(reader, [*rows, *_all(moved)]),
            severities=tuple(SEVERITIES.values()), narrow=_narrowing(desk, request, by),
            without=_without(desk, request), change=_changing(desk, request),
            peak=max((sum(split.values()) for _, split in course), default=0),
        )  # fmt: skip
        response.headers.update(headers)
        return response

    @router.get("/gaps", tags=["gaps"], summary="What the rules find on any day", responses=_ANSWERS)
    def gaps(
        request: Request, as_of: Day = "", since: Since = "", by: Counted = "rule", rule: Rule = (), body: Body = (),
        level: Level = (), area: Area = (), field: Field = (), severity: Severity = (), about: About = (),
        page: Number = 1, limit: Size = 50, lang: Language = "", format: Format = "",
    ) -> Response:  # fmt: skip
        """Return the findings of a day, the gravest first, counted by rule, body, level, area or field.

        As a page, JSON (a page at a time, with Link), CSV or XLSX (all of them), or a SHACL validation report in
        Turtle; by Accept, or ``format=``: html, json, csv, xlsx, ttl.
        """
        given = {
            "as_of": as_of, "since": since, "rule": rule, "body": body, "level": level, "area": area, "field": field,
            "severity": severity, "about": about,
        }  # fmt: skip
        return answer(request, offered(request, FORMATS, "json"), given, by, page, limit)

    @router.get("/gaps.{ending}", tags=["gaps"], summary="The same as a file", responses=_ANSWERS)
    def file(
        request: Request, ending: Ending, as_of: Day = "", since: Since = "", by: Counted = "rule", rule: Rule = (),
        body: Body = (), level: Level = (), area: Area = (), field: Field = (), severity: Severity = (),
        about: About = (), page: Number = 1, limit: Size = 50, lang: Language = "",
    ) -> Response:  # fmt: skip
        """Return the findings as the ending says: csv, xlsx, ttl or json; a stable address for other programs."""
        if ending not in FORMATS or ending == "html":
            say = wording_of(request, settings)
            raise NotFound(say("fault.no-page.detail"), remedy=say("fault.no-page.remedy"))
        given = {
            "as_of": as_of, "since": since, "rule": rule, "body": body, "level": level, "area": area, "field": field,
            "severity": severity, "about": about,
        }  # fmt: skip
        return answer(request, ending, given, by, page, limit)

    @router.get("/rules", tags=["gaps"], summary="Every rule, with its law and what it finds today")
    def all_rules(request: Request, as_of: Day = "", lang: Language = "", format: Format = "") -> Response:
        """Return the rules: fault, article, days, severity, and how many findings each has on the day."""
        say = wording_of(request, settings)
        day = parse_day(as_of, say) if as_of else today_in(reader.pack.timezone)
        found = asked.found_by_rule(reader, day)
        languages = asking.languages_of(say, reader)
        pages = [page_of(rule, reader.graph, day, found, languages, say) for rule in rules()]
        if offered(request, {"html": FORMATS["html"], "json": FORMATS["json"]}, "json") == "json":
            told = {"as_of": day.isoformat(), "revision": reader.revision, "rules": [one.as_json() for one in pages]}
            return JSONResponse(told, headers={"vary": "Accept, Accept-Language"})
        return desk.page(request, "rules.html", pages=pages, day=day.isoformat(), as_of=as_of)

    @router.get("/rules/{name}", tags=["gaps"], summary="All about one rule")
    def one_rule(
        request: Request, name: Name, as_of: Day = "", lang: Language = "", format: Format = ""
    ) -> Response:
        """Return a rule: why, by which article, on which days, what to do, examples, and what it finds on the day."""
        say = wording_of(request, settings)
        book = rules()
        if name not in book.by_name:
            raise NotFound(say("rules.unknown", name=name), remedy=say("rules.see"))
        rule = book.by_name[name]
        question = asked.read_question(reader, book, say, as_of=as_of, rule=[name])
        found = {rule.iri: read_gaps(reader.graph, question.day, question.wanted, limit=1).total}
        page = page_of(rule, reader.graph, question.day, found, asking.languages_of(say, reader), say)
        if offered(request, {"html": FORMATS["html"], "json": FORMATS["json"]}, "json") == "json":
            told = {"as_of": question.day.isoformat(), "revision": reader.revision, **page.as_json()}
            return JSONResponse(told, headers={"vary": "Accept, Accept-Language"})
        rows, _ = asked.page(reader, book, question, say, limit=_FEW)
        return desk.page(
            request, "rule.html", rule=page, day=question.day.isoformat(), as_of=as_of, rows=rows,
            paths=_paths(reader, rows),
        )  # fmt: skip

    return router


#: how many findings the page of a rule shows
_FEW = 5


def _download(reader: asking.RegisterReader, rules: Rules, question: Question, form: str, say: Wording) -> Response:
    day = question.day.isoformat()
    if form == "ttl":
        found = [gap.finding for gap in read_gaps(reader.graph, question.day, question.wanted, limit=None).gaps]
        body: bytes | str = write_report(found, rules)
    else:
        rows, _ = asked.page(reader, rules, question, say, limit=None)
        headings, cells = writing.table_of(rows, say, files=False)
        if form == "csv":
            body = writing.write_csv(headings, cells)
        else:
            found_by = {number.key.iri: number.total for number in asked.numbers(reader, rules, question, "rule", say)}
            body = writing.write_xlsx({
                say("gaps.findings"): (headings, cells), say("gaps.rules"): writing.rules_table(rules, found_by, say),
            })  # fmt: skip
    headers = {
        "vary": "Accept, Accept-Language",
        "content-disposition": f'{"inline" if form == "ttl" else "attachment"}; filename="gaps-{day}.{form}"',
    }
    return Response(body, media_type=FORMATS[form][0], headers=headers)


def _all(moved: Mapping[str, Sequence[Row]]) -> list[Row]:
    return [row for several in moved.values() for row in several]


def _paths(reader: asking.RegisterReader, rows: Iterable[Row]) -> dict[str, tuple[str, str]]:
    """Return thing → (page of ours that tells of it, what it is asked about): the card of data, of a body its data.

    A record leads to the card of what it is a record of.
    """
    wanted = sorted({row.about.iri for row in rows if row.about and row.about.iri})
    ways = (RDF.type, D.covers, D.coversMembersOf, D.creates, D.flowTo)
    said: dict[str, dict[str, list[str]]] = {iri: {} for iri in wanted}
    made: dict[str, list[str]] = {}
    for subject, predicate, value, _ in reader.graph.outgoing(wanted, ways):
        said[subject.value].setdefault(predicate.value, []).append(value.value)
    created = sorted({iri for facts in said.values() for iri in facts.get(D.creates, ())})
    for subject, _, value, _ in reader.graph.outgoing(created, (D.covers,)):
        made.setdefault(subject.value, []).append(value.value)
    found: dict[str, tuple[str, str]] = {}
    for iri, facts in said.items():
        kinds = set(facts.get(RDF.type, ()))
        covered = [*facts.get(D.covers, ()), *facts.get(D.coversMembersOf, ()), *facts.get(D.flowTo, ())]
        covered += [one for way in facts.get(D.creates, ()) for one in made.get(way, ())]
        if kinds & asking.DATA_CLASSES:
            found[iri] = ("/who", iri)
        elif kinds & asking.BODY_CLASSES:
            found[iri] = ("/datasets-of", iri)
        elif covered:
            found[iri] = ("/who", min(covered))
    return found


def _kept(given: Mapping[str, Any], numbers: Iterable[Any], rows: Iterable[Row]) -> list[tuple[str, str, str]]:
    """Return what the list is kept to: the parameter, its value as it stands in the address, and what it is called."""
    names = {number.key.iri: number.key.label for number in numbers}
    for row in rows:
        names.setdefault(row.rule.iri, row.rule.label)
        names.setdefault(row.name, row.rule.label)
        for one in (*row.bodies, *row.levels, *row.areas, *row.fields, *([row.about] if row.about else [])):
            names.setdefault(one.iri, one.label)
    return [(name, value, names.get(value, value)) for name in _KEPT for value in given[name] if value]


def _query(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if value and name != "format"]


def _narrowing(desk: Desk, request: Request, by: str) -> Any:
    """Return what makes the address of the list kept to one thing of what is counted."""

    def narrow(iri: str) -> str:
        name = tail(iri) if by in ("rule", "level") else iri
        pairs = [pair for pair in _query(request) if pair[0] not in (by, "page", "by")]
        return desk.settings.base_path + "/gaps?" + urlencode([*pairs, (by, name)])

    return narrow


def _without(desk: Desk, request: Request) -> Any:
    """Return what makes the address of the same list without one of the things it is kept to."""

    def without(name: str, value: str) -> str:
        pairs = [pair for pair in _query(request) if pair != (name, value) and pair[0] != "page"]
        return desk.settings.base_path + "/gaps" + ("?" + urlencode(pairs) if pairs else "")

    return without


def _changing(desk: Desk, request: Request) -> Any:
    """Return what makes the address of the same list with other values of some parameters; empty takes one away."""

    def change(path: str = "/gaps", **values: str) -> str:
        pairs = [pair for pair in _query(request) if pair[0] not in values and pair[0] != "page"]
        pairs += [(name, value) for name, value in values.items() if value]
        return desk.settings.base_path + path + ("?" + urlencode(pairs) if pairs else "")

    return change


def _links(desk: Desk, request: Request, page: int, limit: int, total: int) -> dict[str, str]:
    """Return the addresses of the pages before and after, and of the first and last (RFC 8288)."""
    last = max((total + limit - 1) // limit, 1)
    wanted = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "page" and pair[1]]
    here = desk.settings.base_path + request.url.path.removeprefix(desk.settings.base_path)
    return {
        name: here + "?" + urlencode([*pairs, ("page", number)])
        for name, number in wanted.items()
        if 1 <= number <= last and number != page
    }
