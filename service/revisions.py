"""Answer each request from one state of the register, say which, and never from before a change the client knows of."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors import Busy, Fault
from service.asking import RegisterReader
from service.negotiation import problem, wording_of
from service.settings import Settings

REVISION = "diaba-revision"
AT_LEAST = "diaba-revision-at-least"


class States(Protocol):
    """Know the states that answers are given from, where there are several."""

    def pinned(self) -> AbstractContextManager[object]:
        """Hold the newest state for this context."""

    def catch_up(self, revision: int) -> None:
        """Wait, not for long, for a state that holds this change; raise ``Busy`` when there is none."""


class Live:
    """Answer from the register as it is in this process; a change that is not in it is not waited for."""

    def pinned(self) -> AbstractContextManager[object]:
        return nullcontext()

    def catch_up(self, revision: int) -> None:
        raise Busy(f"The register has no change {revision}", remedy="Send the number that a change was answered with.")


class Revisions:
    """Hold one state for the length of each request, and name its revision in the header ``Diaba-Revision``.

    A request with ``Diaba-Revision-At-Least`` is answered with that change in it, or with 503 and ``Retry-After``.
    """

    def __init__(self, app: ASGIApp, settings: Settings, reader: RegisterReader, states: States) -> None:
        self.app = app
        self.settings = settings
        self.reader = reader
        self.states = states

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        wanted = request.headers.get(AT_LEAST, "0")
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            say = wording_of(request, self.settings)
            refusal = problem(
                400, say.coded("fault", "bad-question"), f"'{wanted:.40}' is no revision",
                remedy="Send the number that a change was answered with.",
            )  # fmt: skip
            await refusal(scope, receive, send)
            return
        late: Fault | None = None
        if int(wanted) > self.reader.revision:
            try:
                await run_in_threadpool(self.states.catch_up, int(wanted))
            except Fault as fault:
                late = fault
        with self.states.pinned():
            revision = self.reader.revision

            async def send_with_revision(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((REVISION.encode(), str(revision).encode()))
                await send(message)

            if late is None and revision >= int(wanted):
                await self.app(scope, receive, send_with_revision)
                return
            say = wording_of(request, self.settings)
            detail, remedy = (late.message, late.remedy) if late else (f"Change {wanted} is not there yet", "")
            refusal = problem(503, say.coded("fault", "busy"), detail, remedy=remedy, revision=revision)
            refusal.headers["retry-after"] = "1"
            await refusal(scope, receive, send_with_revision)
