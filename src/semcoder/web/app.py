"""The application: the page's files, and its interface under `/api`.

Guarantees: every answer under `/api` is JSON (one document, or one a line for a model's text as it comes), errors too;
an error is `{error, where?, hint?}` with a fitting status; what was not foreseen is one line and status 500.
The interface is documented in docs/ui.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semcoder import __version__
from semcoder.errors import SemcoderError
from semcoder.web.asking import Refusal, answer, document
from semcoder.web.corpus import FILTERS, Corpus
from semcoder.web.gate import Gate
from semcoder.web.guard import Guard
from semcoder.web.settings import Settings
from semcoder.web.work import DETAILS, Work

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}
#: What the report's page and this one share.
_SHARED = ("stepper.js", "page.css")
_BUG = "this is a bug in semcoder, please report it"

Endpoint = Callable[["Pages", Request], Awaitable[Response]]


def create_app(settings: Settings | None = None) -> Starlette:
    """The application. Raises `UsageError` for a corpus folder that is none."""
    pages = Pages(settings or Settings())
    guard = Middleware(Guard, host=pages.settings.host)
    return Starlette(
        routes=[
            Route("/", pages.home),
            Route("/static/{name}", pages.static),
            Route("/api/about", pages.about),
            *(Route(f"/api/{name}", pages.working(name), methods=["POST"]) for name in _WORKS),
            Route("/api/predict", pages.predict, methods=["POST"]),
            Route("/api/repair", pages.repair, methods=["POST"]),
            Route("/api/corpus/{number:int}", pages.corpus),
            Route("/api/corpus/{number:int}/rows", pages.rows),
            Route("/api/corpus/{number:int}/programs/{program}", pages.program),
            Route("/api/corpus/{number:int}/drops", pages.drops),
        ],
        middleware=[guard, Middleware(Unforeseen)],
        exception_handlers={
            SemcoderError: _refused,
            HTTPException: _missed,
        },
        lifespan=pages.lifespan,
    )


_WORKS = ("trace", "explain", "verify", "debug")


class Pages:
    """The endpoints, and what they share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.work = Work(settings)
        self.corpora = [Corpus(folder) for folder in settings.corpora]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        settings = self.settings
        self.programs = Gate("the server is busy with programs", settings.workers, settings.queue, settings.patience)
        slots = 1 if self.work.talker.is_local else 4
        self.model = Gate("the model is busy", slots, settings.queue, settings.patience)
        self.questions = Gate("the server is busy with questions", 2, settings.queue, settings.patience)
        # One each: who waits for one folder to be indexed holds up nobody who reads another.
        self.reading = [
            Gate("the server is busy with reading", 2, settings.queue, settings.patience) for _ in self.corpora
        ]
        with self.work:
            warming = asyncio.create_task(self._warm_up())
            yield
            await warming

    async def _warm_up(self) -> None:
        try:
            await self.programs.run(self.work.warm_up)
        except SemcoderError as error:
            log.warning("programs cannot be run here: %s", error)

    # -- files

    async def home(self, _: Request) -> Response:
        return _file("index.html")

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == "index.html" or name not in _names():
            raise HTTPException(404)
        return _file(name)

    # -- programs

    async def about(self, _: Request) -> Response:
        settings = self.settings
        return sent(
            {
                "version": __version__,
                "model": self.work.talker.described(),
                "corpora": [str(corpus.folder) for corpus in self.corpora],
                "details": DETAILS,
                "limits": {
                    "seconds": settings.limits.cpu_s,
                    "memory": settings.limits.memory,
                    "characters": settings.max_source,
                },
            }
        )

    def working(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of one of the things that can be done with a program."""
        do = getattr(self.work, name)

        async def endpoint(request: Request) -> Response:
            doc = await document(request, self.settings.max_body)
            return sent(await self.programs.run(lambda: do(doc)))

        return endpoint

    async def repair(self, request: Request) -> Response:
        doc = await document(request, self.settings.max_body)
        loop = asyncio.get_running_loop()

        def run(work: Callable[[], Result]) -> Result:
            """A program of the patch's, behind the gate of all programs, from the model's thread."""
            return asyncio.run_coroutine_threadsafe(self.programs.run(work), loop).result()

        return sent(await self.model.run(lambda: self.work.repair(doc, run)))

    async def predict(self, request: Request) -> Response:
        """What is wrong with the request is told by the status; from then on there is a line for everything."""
        doc = await document(request, self.settings.max_body)
        ask = await self.questions.run(lambda: self.work.ask_for(doc))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.model.place())
            if await request.is_disconnected():
                raise Refusal("who asked has left", status=499)
            talk = Talk(self.model, ask, stack.pop_all())
        first = not self.work.talker.asked.is_set()
        return StreamingResponse(talk.lines(first), media_type="application/x-ndjson")

    # -- corpora

    async def corpus(self, request: Request) -> Response:
        return await self._read(request, lambda corpus, _: corpus.summary())

    async def rows(self, request: Request) -> Response:
        asked, page = request.query_params, _page(request)
        wanted = {name: asked.get(name, "")[:300] for name in (*FILTERS, "q")}
        return await self._read(request, lambda corpus, left: corpus.search(wanted, page, left))

    async def program(self, request: Request) -> Response:
        name = request.path_params["program"]
        return await self._read(request, lambda corpus, _: corpus.program(name))

    async def drops(self, request: Request) -> Response:
        reason, page = request.query_params.get("reason", "")[:300], _page(request)
        return await self._read(request, lambda corpus, _: corpus.dropped(reason, page))

    async def _read(self, request: Request, read: Callable[[Corpus, Callable[[], bool]], dict[str, Any]]) -> Response:
        """What is read from the corpus that is asked for. `read` gets it, and what says whether who asked has left."""
        number = int(request.path_params["number"])
        if number >= len(self.corpora):
            raise Refusal("there is no such corpus", "corpus", status=404)
        corpus, left = self.corpora[number], threading.Event()
        watching = asyncio.create_task(_watch(request, left))
        try:
            return sent(await self.reading[number].run(lambda: read(corpus, left.is_set)))
        finally:
            watching.cancel()


async def _watch(request: Request, left: threading.Event) -> None:
    """Says so when who asked is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


class _Left(Exception):
    """Nobody reads any more."""


class Talk:
    """One question to a model, which has its place already: sentences as they come, then the verdict.

    The place is free when the model is done, whatever becomes of who asked. When nobody reads any more, the model is
    stopped at its next sentence.
    """

    def __init__(
        self, gate: Gate, ask: Callable[[Callable[[list[str]], None]], dict[str, Any]], place: AsyncExitStack
    ) -> None:
        self._gate = gate
        self._ask = ask
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._said = asyncio.Queue[dict[str, Any] | None]()
        self._left = False
        # A task of its own: the one that answers is cancelled when the visitor leaves, at whatever it waits for.
        task = self._loop.create_task(self._talk())
        _TALKS.add(task)
        task.add_done_callback(_TALKS.discard)

    async def lines(self, first: bool) -> AsyncIterator[bytes]:
        """`first`: whether the model has to be loaded."""
        try:
            if first:
                yield _line({"event": "status", "text": "The model is being loaded, which it is but once."})
            while (doc := await self._said.get()) is not None:
                yield _line(doc)
        finally:
            self._left = True

    async def _talk(self) -> None:
        async with self._place:
            try:
                found = await self._gate.thread(self._answer)
                self._said.put_nowait({"event": "verdict", **found})
            except SemcoderError as error:
                self._said.put_nowait({"event": "error", **answer(error)[1]})
            except _Left:
                pass
            except Exception as error:
                self._said.put_nowait({"event": "error", "error": _noted(error)})
            finally:
                self._said.put_nowait(None)

    def _answer(self) -> dict[str, Any]:
        if self._left:
            raise _Left
        return self._ask(self._tell)

    def _tell(self, row: list[str]) -> None:
        if self._left:
            raise _Left
        self._loop.call_soon_threadsafe(self._said.put_nowait, {"event": "sentence", "pieces": row})


#: The loop itself keeps no hold of its tasks.
_TALKS: set[asyncio.Task[None]] = set()


def _page(request: Request) -> int:
    value = request.query_params.get("page", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 9):
        raise Refusal(f"page must be a number from 0, not {value[:60]!r}", "page")
    return int(value)


# Answers -----------------------------------------------------------------------------------------------------------


def sent(doc: Any, status: int = 200) -> Response:
    """A JSON answer, in ASCII: values of programs may hold what UTF-8 cannot."""
    return Response(json.dumps(doc, ensure_ascii=True, allow_nan=False), status, media_type="application/json")


def _line(doc: Any) -> bytes:
    return json.dumps(doc, ensure_ascii=True, allow_nan=False).encode() + b"\n"


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SemcoderError)
    status, doc = answer(error)
    response = sent(doc, status)
    if status == 503:
        response.headers["retry-after"] = "2"
    return response


async def _missed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: "there is nothing at this address", 405: "this address does not take that method"}
    response = JSONResponse({"error": said.get(error.status_code, error.detail)}, error.status_code)
    response.headers.update(error.headers or {})
    return response


class Unforeseen:
    """The middleware that makes an answer of an exception that nobody foresaw. It stands below `Guard`, which seals
    that answer too; Starlette's own place for it is above, and hands the exception on to the server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            pass  # before all of the request was here: there is nobody to answer
        except Exception as error:
            response = _failed(error)
            if not begun:
                await response(scope, receive, send)


def _failed(error: Exception) -> Response:
    if isinstance(error, (RecursionError, MemoryError)):
        return sent({"error": "the program is nested too deeply, or too large, to be told"}, 422)
    return sent({"error": _noted(error)}, 500)


def _noted(error: Exception) -> str:
    """Says to the host what went wrong, and to the visitor that something did."""
    log.error("%s: %s: %s", _BUG, type(error).__name__, str(error)[:500])
    if os.environ.get("SEMCODER_DEBUG"):
        log.error("where it was", exc_info=error)
    return _BUG


@cache
def _names() -> frozenset[str]:
    own = (each.name for each in resources.files("semcoder.web").joinpath("static").iterdir())
    return frozenset([*(name for name in own if name.rpartition(".")[2] in _TYPES), *_SHARED])


def _file(name: str) -> Response:
    room = "semcoder.report" if name in _SHARED else "semcoder.web"
    content = resources.files(room).joinpath("static", name).read_bytes()
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]])
