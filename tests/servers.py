"""A real HTTP server on this machine that answers as a test tells it to: wrongly, slowly, by halves, or as a model would."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What goes over the wire. `cut`: the connection ends before the announced length; `reset`: before anything.

    `delay`: seconds before it begins; `drip`: seconds between its bytes.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    cut: bool = False
    reset: bool = False


@dataclass(frozen=True)
class Asked:
    """A call as it arrived."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def said(self) -> str:
        """The last message's text, or the prompt."""
        return str(self.body["messages"][-1]["content"] if "messages" in self.body else self.body["prompt"])


def said(*texts: str | None, finish: str = "stop", tokens: tuple[int, int] | None = (7, 3), **more: Any) -> Answer:
    """An answer with these texts, in the form of both endpoints."""
    choices = [
        {"index": k, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        for k, text in enumerate(texts)
    ]
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}}
    return Answer(json.dumps({"object": "chat.completion", "choices": choices, **usage}).encode(), **more)


def refused(status: int, message: str = "no", code: str = "", **headers: str) -> Answer:
    body = json.dumps({"error": {"message": message, "code": code, "type": "test"}}).encode()
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def echo(asked: Asked) -> Answer:
    """A model that repeats what it is told, `n` times, numbered."""
    texts = [f"{asked.said}#{k}" for k in range(asked.body.get("n", 1))]
    return said(*texts)


class Scripted:
    """Serves at `url` while it is entered. The script is a function of the call, or answers to give in order.

    After the last of these, the last is repeated. `seen`: all calls; `at_once`: the most that were open at a time.
    """

    def __init__(self, script: Callable[[Asked], Answer] | Answer | Iterable[Answer]) -> None:
        self._script = script if callable(script) else _in_order([script] if isinstance(script, Answer) else script)
        self.seen: list[Asked] = []
        self.at_once = 0
        self._open = 0
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self) -> Scripted:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.seen.append(asked)
            self._open += 1
            self.at_once = max(self.at_once, self._open)
        try:
            answer = self._script(asked)
            self.closing.wait(answer.delay)
        finally:
            with self._lock:
                self._open -= 1
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what some tests are about."""


def _in_order(answers: Iterable[Answer]) -> Callable[[Asked], Answer]:
    rest = list(answers)
    return lambda _: rest.pop(0) if len(rest) > 1 else rest[0]


def _handler(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = scripted.answer(Asked(self.path, json.loads(content), headers))
            if answer.reset:
                # Lingering for no time, the kernel resets the connection instead of ending it.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body) + 100 * answer.cut))
            self.end_headers()
            self._write(answer)
            self.close_connection = answer.cut

        def _write(self, answer: Answer) -> None:
            if not answer.drip:
                self.wfile.write(answer.body)
                return
            for byte in answer.body:
                self.wfile.write(bytes([byte]))
                if scripted.closing.wait(answer.drip):
                    return

        def log_message(self, *_: object) -> None:
            pass

    return Handler
