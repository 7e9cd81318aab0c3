"""Preview a plan as a page and as JSON; nothing is recorded. Applying is for the command line until keys exist.

The preview runs in a process of its own, on a checkpoint, under limits, one at a time in each process that answers.
"""

from __future__ import annotations

import json
import tempfile
import threading
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from graph.errors import BadQuestion, Busy, Fault, Malformed, NotFound, Place, StoreFault
from graph.judging import Limits, limited
from graph.planning import plans, schema
from service import foresight
from service.api import PROBLEM, Format, Language
from service.negotiation import wants_page, wording_of
from service.pages import PAGE, Desk
from service.wording import Wording

#: bytes of the largest plan that is taken here; larger ones are for the command line
LARGEST: Final = 2 * 1024 * 1024
LIMITS: Final = Limits(seconds=120.0, memory=4 << 30)

_KINDS: Final[dict[str, type[Fault]]] = {
    "malformed": Malformed, "bad-question": BadQuestion, "not-found": NotFound, "busy": Busy,
}  # fmt: skip
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string"}} for kind in ("application/yaml", "text/yaml", "text/plain")
        } | {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": {"plan": {"type": "string"}}, "required": ["plan"]}
            },
        },
    }
}  # fmt: skip


def routes(desk: Desk) -> APIRouter:
    """Return the routes of plans."""
    router = APIRouter(responses=PROBLEM | PAGE)
    turn = threading.Lock()

    def example() -> str:
        return (Path(__file__).with_name("docs") / "plan-example.yaml").read_text(encoding="utf-8")

    @router.get("/plan", tags=["plans"], summary="The plans that were applied, and a form to try one")
    def show(request: Request, lang: Language = "", format: Format = "") -> Response:
        """Return the plans that the register heard; as a page, with a form to write one and see what it would do."""
        found = plans(desk.reader.graph)
        if wants_page(request):
            return desk.page(request, "plan.html", text=example(), told=None, fault=None, plans=found)
        listed = [
            {
                "iri": one.source, "name": one.slug, "title": one.title, "stands": one.stands,
                "days": [day.isoformat() for day in one.days],
            }
            for one in found
        ]  # fmt: skip
        return JSONResponse({"plans": listed}, headers={"vary": "Accept, Accept-Language"})

    @router.get("/plan/schema.json", tags=["plans"], summary="The JSON Schema that plans are held to")
    def show_schema() -> JSONResponse:
        """Return the schema."""
        return JSONResponse(schema(), media_type="application/schema+json")

    @router.post("/plan", tags=["plans"], summary="What a plan would do to the register", openapi_extra=_BODY)
    async def preview(request: Request, lang: Language = "", format: Format = "") -> Response:
        """Return what the plan in the body would do; nothing is recorded.

        The body is the plan as YAML or JSON, or a form with the field ``plan``.
        """
        say = wording_of(request, desk.settings)
        text = await _read(request, say)
        page = wants_page(request)
        try:
            told = await run_in_threadpool(_foresee, desk, text, say, turn)
        except Fault as fault:
            if not page or isinstance(fault, Busy | StoreFault):
                raise
            found = plans(desk.reader.graph)
            return desk.page(request, "plan.html", 422, text=text, told=None, fault=fault, plans=found)
        if not page:
            return JSONResponse(told, headers={"vary": "Accept, Accept-Language"})
        parts = [(title, headings, rows) for title, headings, rows in foresight.tables(told, say) if rows]
        return desk.page(
            request, "plan.html", text=text, fault=None, plans=[], told=told, notes=foresight.notes(told, say),
            summary=foresight.summary(told, say), parts=parts,
        )  # fmt: skip

    return router


async def _read(request: Request, say: Wording) -> str:
    """Return the plan of a request's body; raise ``BadQuestion`` where it is too large or no text."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise BadQuestion(say("plan.too_large", most=LARGEST >> 20), remedy=say("plan.by_command"))
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise BadQuestion(say("plan.no_text"), remedy=say("plan.write")) from fault
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            given = parse_qs(text, max_num_fields=10)
        except ValueError as fault:
            raise BadQuestion(say("plan.no_text"), remedy=say("plan.write")) from fault
        text = given.get("plan", [""])[0].replace("\r\n", "\n")
    if not text.strip():
        raise BadQuestion(say("plan.empty"), remedy=say("plan.write"))
    return text


def _foresee(desk: Desk, text: str, say: Wording, turn: threading.Lock) -> dict[str, Any]:
    """Run the preview in a process of its own; raise the fault that it met, with places in the plan."""
    if not turn.acquire(timeout=10):
        raise Busy(say("plan.busy"), remedy=say("plan.again"))
    try:
        with tempfile.TemporaryDirectory(prefix="diaba-") as folder:
            path = Path(folder) / "plan.yaml"
            path.write_text(text, encoding="utf-8")
            common = ["--json", "--lang", say.language, "--data", str(desk.settings.data)]
            code, out, _ = limited("service", [*common, "plan", "check", str(path)], LIMITS, capture=True)
    finally:
        turn.release()
    try:
        told: dict[str, Any] = json.loads(out)
    except ValueError as fault:
        raise StoreFault(say("plan.broken", code=code), remedy=say("plan.again")) from fault
    if "fault" in told:
        raise _fault(told["fault"])
    return told


def _fault(written: dict[str, Any]) -> Fault:
    place = written["place"] and Place("plan", written["place"]["line"], written["place"]["column"])
    return _KINDS.get(written["name"], StoreFault)(written["message"], remedy=written["remedy"], place=place)
