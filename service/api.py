"""Answer programs: the search box's rows and the state of the service, as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from service import asking
from service.asking import RegisterReader
from service.negotiation import wording_of
from service.settings import Settings

Words = Annotated[str, Query(description="Words, an old name, an abbreviation, a code, or an IRI")]
Day = Annotated[str, Query(description="The day asked about, YYYY-MM-DD; today in the register's zone when empty")]
Known = Annotated[str, Query(description="Answer as known then: an instant with its zone, or a day; now when empty")]
Language = Annotated[str, Query(description="Language of names and messages: vi or en")]
Format = Annotated[str, Query(description="html or json; the Accept header decides when empty")]
Limit = Annotated[int, Query(ge=1, le=50, description="How many rows at most")]

#: how every operation tells what is wrong (RFC 9457)
PROBLEM: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    for status, words in (
        (400, "The question is wrong; the remedy says what to write"),
        (404, "Nothing is found"),
        ("default", "What is wrong, as a problem document"),
    )
}


def routes(settings: Settings, reader: RegisterReader, version: str) -> APIRouter:
    """Return the routes that speak JSON only. Their ``lang`` is declared for the description; negotiation reads it."""
    router = APIRouter(responses=PROBLEM)

    @router.get("/search", tags=["search"], summary="Find data, bodies and areas as you type")
    def search(
        request: Request, q: Words = "", as_of: Day = "", lang: Language = "", limit: Limit = 8
    ) -> dict[str, Any]:
        """Return the rows for the search box, best first, each with who answers for it on the day."""
        say = wording_of(request, settings)
        question = asking.read_question(reader, q, as_of, "", say)
        rows = asking.search(reader, question, say, limit=limit)
        return {"question": question.text, "revision": reader.revision, "rows": rows}

    @router.get("/health", tags=["operation"], summary="Tell that the service answers, and from which state")
    def health() -> dict[str, Any]:
        """Return the number of the last change that answers rest on, and the version of the software."""
        return {"status": "ok", "revision": reader.revision, "version": version}

    return router
