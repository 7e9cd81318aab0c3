"""Decide from a request what the reader wants: a page or JSON, and in which language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.responses import JSONResponse

from graph.errors import BadQuestion
from service.settings import LANGUAGES, Settings
from service.wording import Wording, prefer_language


def wants_page(request: Request) -> bool:
    """Say whether to answer with a page: ``format=`` decides, else ``Accept`` (RFC 9110 §12.5.1), else JSON.

    A browser names ``text/html``; a program that takes anything gets JSON.
    """
    asked = request.query_params.get("format", "")
    if asked:
        if asked not in ("html", "json"):
            raise BadQuestion(f"'{asked}' is no format of this page", remedy="Ask for format=html or format=json.")
        return asked == "html"
    page, data = 0.0, 0.0
    for part in request.headers.get("accept", "").split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if kind in ("text/html", "application/xhtml+xml"):
            page = max(page, weight)
        elif kind in ("application/json", "application/problem+json", "application/*"):
            data = max(data, weight)
    return page > 0 and page >= data


def offered(request: Request, formats: Mapping[str, Sequence[str]], otherwise: str) -> str:
    """Return which of some formats to answer in: ``format=`` decides, else the best of ``Accept``, else ``otherwise``.

    ``formats`` maps a name to its media types; of equals the first is taken. What names none gets ``otherwise``.
    """
    asked = request.query_params.get("format", "")
    if asked:
        if asked not in formats:
            raise BadQuestion(f"'{asked}' is no format of this page", remedy=f"Ask for one of {', '.join(formats)}.")
        return asked
    best, weight = otherwise, 0.0
    for part in request.headers.get("accept", "").split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        name = next((name for name, kinds in formats.items() if kind in kinds), None)
        if name is not None and _weight(parameters) > weight:
            best, weight = name, _weight(parameters)
    return best


def language_of(request: Request, settings: Settings) -> str:
    """Return the language: ``lang=``, else ``Accept-Language``, else the setting."""
    asked = request.query_params.get("lang")
    return prefer_language(asked, request.headers.get("accept-language", ""), settings.language)


def wording_of(request: Request, settings: Settings) -> Wording:
    """Return the words of the request's language."""
    return Wording(language_of(request, settings))


def chosen_language(request: Request) -> str | None:
    """Return the language that the address itself names, which links on the page then keep."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None


def problem(status: int, title: str, detail: str, **more: object) -> JSONResponse:
    """Answer with a problem document (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
