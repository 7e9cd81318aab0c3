"""Answer each request from one state of the register, say which, and never from before a change the client knows of."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors import Busy, Fault, StoreFault
from service.asking import RegisterReader
from service.faults import outcome_of
from service.negotiation import problem, wording_of
from service.settings import Settings

#: how often an answer is begun that the graph moves away from under
TRIES = 4
#: where pages begin that do not rest on the graph
STILL = ("/static/", "/docs", "/health", "/openapi.json")

REVISION = "diaba-revision"
AT_LEAST = "diaba-revision-at-least"


class States(Protocol):
    """Know the states that answers are given from, where there are several."""

    def pinned(self) -> AbstractContextManager[object]:
        """Hold the newest state for this context."""

    def catch_up(self, revision: int) -> None:
        """Wait, not for long, for a state that holds this change; raise ``Busy`` when there is none."""

    @property
    def moving(self) -> bool:
        """Tell whether a state may move on while it is read: a graph in a service does, a checkpoint does not."""

    def state(self) -> str | None:
        """Name the state that it is in now; raise ``StoreFault`` while a change stands half."""


class Live:
    """Answer from the register as it is in this process; a change that is not in it is not waited for."""

    def pinned(self) -> AbstractContextManager[object]:
        return nullcontext()

    moving = False

    def state(self) -> str | None:
        return None

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
        if self.states.moving and scope["method"] == "GET" and not _is_still(request):
            await self._answer_steadily(request, int(wanted), receive, send)
        else:
            await self._answer(request, int(wanted), receive, send)

    async def _answer_steadily(self, request: Request, wanted: int, receive: Receive, send: Send) -> None:
        """Answer again where the graph has moved on meanwhile, so that no answer mixes two states of it."""
        why: Fault = Busy("The register changes faster than it can be read", remedy="Try again in a moment.")
        for _ in range(TRIES):
            said: list[Message] = []

            async def keep(message: Message, said: list[Message] = said) -> None:
                said.append(message)

            try:
                before = await run_in_threadpool(self.states.state)
                await self._answer(Request(dict(request.scope)), wanted, receive, keep)
                after = await run_in_threadpool(self.states.state)
            except StoreFault as fault:
                why = fault
                break
            if before == after:
                for message in said:
                    await send(message)
                return
        await self._refuse(request, why, self.reader.revision)(request.scope, receive, send)

    async def _answer(self, request: Request, wanted: int, receive: Receive, send: Send) -> None:
        late: Fault | None = None
        if wanted > self.reader.revision:
            try:
                await run_in_threadpool(self.states.catch_up, wanted)
            except Fault as fault:
                late = fault
        with self.states.pinned():
            revision = self.reader.revision

            async def send_with_revision(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((REVISION.encode(), str(revision).encode()))
                await send(message)

            if late is None and revision >= wanted:
                await self.app(request.scope, receive, send_with_revision)
                return
            why = late or Busy(f"Change {wanted} is not there yet")
            await self._refuse(request, why, revision)(request.scope, receive, send_with_revision)

    def _refuse(self, request: Request, why: Fault, revision: int) -> Response:
        say = wording_of(request, self.settings)
        name = outcome_of(why).name
        refusal = problem(503, say.coded("fault", name), why.message, remedy=why.remedy, revision=revision)
        refusal.headers["retry-after"] = "1"
        return refusal


def _is_still(request: Request) -> bool:
    """Tell whether what is asked for does not rest on the graph."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path.startswith(STILL)
