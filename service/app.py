"""Put the web service together from its parts; nothing exists at module level.

The app reads through a *reader* and may change the register only through a *gateway*; it never holds the store.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors import Fault
from graph.queries import load_queries
from graph.resources import folder
from service import api, gap_pages, pages, plan_pages
from service.asking import RegisterReader
from service.faults import OTHER, outcome_of
from service.negotiation import problem, wants_page, wording_of
from service.revisions import Live, Revisions, States
from service.settings import Settings

#: nothing but our own host, and no inline script or style (CSP level 3)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}


class Gateway(Protocol):
    """Change the register: the narrow writing side that the app is given."""

    @property
    def revision(self) -> int: ...

    def load(self, *arguments: Any, **options: Any) -> Any: ...


class SecurityHeaders:
    """Add the security headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                for name, value in HEADERS.items():
                    if name.encode() not in present:
                        message["headers"].append((name.encode(), value.encode()))
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


class HeadRequests:
    """Answer HEAD as GET without its body (RFC 9110 §9.3.2), which FastAPI's routes leave to the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, send_head)
        else:
            await self.app(scope, receive, send)


class BasePath:
    """Let the app know the prefix under which a proxy publishes it, whether the proxy cuts it off or leaves it."""

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self.app = app
        self.base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.base_path and scope["type"] == "http":
            path: str = scope["path"]
            if path != self.base_path and not path.startswith(self.base_path + "/"):
                path = self.base_path + path  # what ASGI wants: the whole path, the prefix included
            scope = {**scope, "path": path, "root_path": self.base_path}
        await self.app(scope, receive, send)


def create_app(settings: Settings, reader: RegisterReader, gateway: Gateway, states: States | None = None) -> FastAPI:
    """Return the service over this reader and gateway. ``gateway`` waits for the keys that let people write.

    ``states`` are those that ``reader`` moves through, where it is not the live register.
    """
    app = FastAPI(
        title="Diaba",
        version=version("diaba"),
        summary="Who answers for public data: which body, since when, on what legal basis",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.gateway = gateway
    desk = pages.Desk(settings, reader, app.version, load_queries([folder("queries")]))
    app.include_router(api.routes(settings, reader, app.version))
    app.include_router(pages.routes(desk, app))
    app.include_router(gap_pages.routes(desk))
    app.include_router(plan_pages.routes(desk))
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    app.add_middleware(Revisions, settings=settings, reader=reader, states=states or Live())
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadRequests)
    app.add_middleware(BasePath, base_path=settings.base_path)
    _answer_faults(app, desk)
    return app


def _answer_faults(app: FastAPI, desk: pages.Desk) -> None:
    """Answer every fault with a page or a problem document, in the reader's language."""

    def tell(request: Request, status: int, name: str, detail: str, remedy: str) -> Response:
        say = wording_of(request, desk.settings)
        title = say.coded("fault", name)
        if _page_wanted(request):
            return desk.page(request, "fault.html", status, title=title, detail=detail, remedy=remedy)
        return problem(status, title, detail, remedy=remedy)

    @app.exception_handler(Fault)
    def answer_fault(request: Request, fault: Fault) -> Response:
        outcome = outcome_of(fault)
        place = f"{fault.place}: " if fault.place else ""
        return tell(request, outcome.status, outcome.name, place + fault.message, fault.remedy)

    @app.exception_handler(HTTPException)
    def answer_http(request: Request, error: HTTPException) -> Response:
        say = wording_of(request, desk.settings)
        if error.status_code == 404:
            return tell(request, 404, "no-page", say("fault.no-page.detail"), say("fault.no-page.remedy"))
        response = tell(request, error.status_code, "refused", str(error.detail), "")
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    def answer_validation(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "query")
        return tell(request, 400, "bad-question", f"{where}: {first['msg']}", "")

    @app.exception_handler(Exception)
    def answer_mishap(request: Request, error: Exception) -> Response:
        """Answer for what nobody foresaw, without its inside; the server's log gets that, for it is raised again."""
        say = wording_of(request, desk.settings)
        response = tell(request, OTHER.status, OTHER.name, say("fault.fault.detail"), say("fault.fault.remedy"))
        # this answer passes by what adds the headers, and the server closes the connection after it
        response.headers.update({**HEADERS, "connection": "close"})
        return response


def _page_wanted(request: Request) -> bool:
    try:
        return wants_page(request)
    except Fault:
        return False
