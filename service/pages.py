"""Show the register as pages, rendered here and useful without script; the pages with a JSON twin share one address."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from starlette.exceptions import HTTPException

from graph import answering
from graph.errors import NotFound
from graph.queries import CannedQuery
from graph.terms import BASE
from service import asking
from service.api import PROBLEM, Day, Format, Known, Language, Words
from service.asking import RegisterReader
from service.card import describe
from service.clocks import today_in
from service.negotiation import chosen_language, problem, wants_page, wording_of
from service.rulebook import rules_of
from service.settings import LANGUAGES, Settings

_HERE = Path(__file__).parent
_DOCUMENT = re.compile(r"[a-z][a-z0-9-]*")
#: what an address on a page may begin with: never a script
_SCHEMES = ("http", "https", "mailto")


#: what a page with a JSON twin declares beside the JSON
PAGE: dict[int | str, dict[str, Any]] = {200: {"description": "The answer", "content": {"text/html": {}}}}


@dataclass(frozen=True, slots=True)
class Desk:
    """Hold what every page needs: settings, reader, canned queries, templates."""

    settings: Settings
    reader: RegisterReader
    version: str
    queries: Mapping[str, CannedQuery]
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters["safe_link"] = safe_link
        object.__setattr__(self, "templates", templates)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a template in the request's language, with the links of this address."""
        say = wording_of(request, self.settings)
        kept = chosen_language(request)
        other = next(language for language in LANGUAGES if language != say.language)
        query = {key: value for key, value in request.query_params.items() if key not in ("lang", "format")}
        here = self.settings.base_path + request.url.path.removeprefix(self.settings.base_path)
        text = self.templates.get_template(template).render(
            t=say,
            url=partial(self.address, request),
            kept_language=kept,
            other_language=other,
            other_address=here + "?" + urlencode({**query, "lang": other}),
            json_address=here + "?" + urlencode({**query, **({"lang": kept} if kept else {}), "format": "json"}),
            version=self.version,
            revision=self.reader.revision,
            **values,
        )
        headers = {"vary": "Accept, Accept-Language", "content-language": say.language}
        return HTMLResponse(text, status, headers)

    def address(self, request: Request, path: str, **query: str) -> str:
        """Return the address of a page of ours; it keeps the language that this request's address names."""
        given = {key: value for key, value in query.items() if value}
        kept = chosen_language(request)
        if kept and not path.startswith("/static/"):
            given.setdefault("lang", kept)
        return self.settings.base_path + path + ("?" + urlencode(given) if given else "")


def safe_link(address: str) -> str:
    """Return the address if it leads to a page or a mailbox of somebody else, else nothing.

    Data may say ``javascript:``; and the names of our own things lead nowhere until they are served.
    """
    if address.startswith(BASE):
        return ""
    try:
        return address if urlsplit(address.strip()).scheme.lower() in _SCHEMES else ""
    except ValueError:
        return ""


def routes(desk: Desk, app: FastAPI) -> APIRouter:
    """Return the routes of the pages; ``app`` is asked for its own description on ``/api``.

    The parameters ``lang`` and ``format`` are declared for the description of the interface; negotiation reads them.
    """
    router = APIRouter(responses=PROBLEM | PAGE)
    reader, settings = desk.reader, desk.settings
    contents = asking.Contents(reader)
    answers = answering.Desk(reader)

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    def home(request: Request, as_of: str = "") -> Response:
        say = wording_of(request, settings)
        if as_of:
            asking.read_question(reader, "-", as_of, "", say)
        return desk.page(request, "home.html", counts=contents.counts(), examples=contents.examples(), as_of=as_of)

    @router.get(
        "/who", tags=["answers"], summary="Who answers for this data, on any day, and why", response_class=JSONResponse
    )
    def who(
        request: Request,
        q: Words = "",
        as_of: Day = "",
        known_at: Known = "",
        lang: Language = "",
        format: Format = "",
    ) -> Response:
        """Return the answer card of the best hit and the next hits; 404 with what came near when nothing is found.

        A person who names a body instead of data is led to what that body answers for.
        """
        say = wording_of(request, settings)
        page = wants_page(request)
        question = asking.read_question(reader, q, as_of, known_at, say)
        try:
            answer = asking.answer(reader, answers, question, say)
        except NotFound as fault:
            near = asking.search(reader, question, say)
            if not page:
                return problem(404, say("fault.not-found"), fault.message, remedy=fault.remedy, near=near)
            if near and near[0]["path"] == "/datasets-of" and near[0]["note"] not in asking.WEAK:
                return RedirectResponse(desk.address(request, "/datasets-of", q=near[0]["iri"], as_of=as_of), 303)
            return desk.page(
                request, "none.html", 404, question=question, near=near, detail=fault.message, remedy=fault.remedy,
                as_of=as_of, known_at=known_at,
            )  # fmt: skip
        if not page:
            found = {**answer.as_json(), "revision": reader.revision}
            return JSONResponse(found, headers={"vary": "Accept, Accept-Language"})
        zone = reader.pack.timezone
        return desk.page(
            request, "who.html", question=question, card=describe(answer.card, say, zone), others=answer.others,
            as_of=as_of, known_at=known_at, today=today_in(zone).isoformat(),
        )  # fmt: skip

    @router.get(
        "/datasets-of", tags=["answers"], summary="What a body answers for, its units included",
        response_class=JSONResponse,
    )  # fmt: skip
    def datasets_of(
        request: Request, q: Words = "", as_of: Day = "", lang: Language = "", format: Format = ""
    ) -> Response:
        """Return the data for which the best matching body, its units and posts are accountable on the day."""
        say = wording_of(request, settings)
        page = wants_page(request)
        question = asking.read_question(reader, q, as_of, "", say)
        day = asking.day_of(reader, question).isoformat()
        body, rows = asking.portfolio(reader, desk.queries["datasets-of-agency"], question, say)
        if not page:
            found = {
                "question": question.text, "revision": reader.revision, "as_of": day, "body": body, "datasets": rows,
            }  # fmt: skip
            return JSONResponse(found, headers={"vary": "Accept, Accept-Language"})
        return desk.page(request, "body.html", body=body, rows=rows, day=day, as_of=as_of)

    @router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    def documentation(request: Request) -> Response:
        return document(request, "index")

    @router.get("/docs/{name}", response_class=HTMLResponse, include_in_schema=False)
    def document(request: Request, name: str) -> Response:
        path = _HERE / "docs" / f"{name}.md"
        if not _DOCUMENT.fullmatch(name) or not path.is_file():
            raise HTTPException(404)
        text = path.read_text(encoding="utf-8")
        body = _render(text, settings, rules_of(reader.pack.name).by_name)
        return desk.page(request, "document.html", title=_title(text, name), body=body, name=name)

    @router.get("/api", response_class=HTMLResponse, include_in_schema=False)
    def interface(request: Request) -> Response:
        return desk.page(request, "api.html", paths=app.openapi()["paths"])

    return router


def _title(text: str, name: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() if first.startswith("#") else name


def _render(text: str, settings: Settings, rules: Collection[str] = ()) -> str:
    """Render our own Markdown; links to ``other.md`` lead to the page of that name, names of rules to theirs."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for token in tokens:
        for child in token.children or ():
            address = child.attrGet("href")
            if child.type == "link_open" and isinstance(address, str):
                child.attrSet("href", re.sub(r"^([a-z0-9-]+)\.md", rf"{settings.base_path}/docs/\1", address))
    html = str(markdown.renderer.render(tokens, markdown.options, {}))
    return re.sub(r"""(?<!">)<code>([a-z][a-z0-9-]+)</code>""", partial(_linked, settings=settings, rules=rules), html)


def _linked(found: re.Match[str], settings: Settings, rules: Collection[str]) -> str:
    """Let the name of a rule lead to the page of the rule."""
    if found[1] not in rules:
        return found[0]
    return f'<a href="{settings.base_path}/rules/{found[1]}">{found[0]}</a>'
