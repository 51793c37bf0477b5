"""`hf:NAME-or-PATH`: models run here, by `transformers`, on the GPU if there is one.

Guarantees: a request with a seed has the same texts again on the same machine; at most `batch_size` texts are drawn at
a time, and requests are taken a batch at a time. One process uses one device.
It does not spread a model over several GPUs, and is no fast server: for much work start one and use `openai:`.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from semcoder.errors import MissingExtra, UsageError
from semcoder.models._engine import Drawn, Engine, Row
from semcoder.models._protocol import Completion, Reply, Request
from semcoder.models._text import NO_TEXT, problem


class HFModel:
    """The model in a folder, or of a name on the hub (in its cache, or fetched). Loaded at the first request.

    Options: `batch_size`, texts drawn at a time; `device` and `dtype` in torch's names; `revision` on the hub;
    `template`, what the chat template is told besides (`template={"enable_thinking": False}`). Raises `MissingExtra`,
    and `UsageError`.
    """

    name = "hf"

    def __init__(
        self,
        rest: str,
        *,
        batch_size: int = 8,
        device: str = "",
        dtype: str = "",
        revision: str | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> None:
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise MissingExtra(package, "model")
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, not {batch_size}")
        path = Path(rest).expanduser()
        if not rest or (rest.startswith(("/", ".", "~")) and not path.is_dir()):
            raise UsageError(f"no folder {rest!r}: write hf:PATH of a model's folder, or hf:NAME of one on the hub")
        self.folder = path.resolve() if path.is_dir() else None
        self.model = str(self.folder or rest)
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.template = dict(template or {})
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """Model and options; for a folder the state of its files too, since training writes to it again."""
        files = sorted(filter(Path.is_file, self.folder.iterdir())) if self.folder else []
        state = [(file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
        options = [self.device, self.dtype, self.revision, self.template]
        return json.dumps(["hf", self.model, options, state], sort_keys=True, default=str)

    def __repr__(self) -> str:
        return f"HFModel({self.model!r})"

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """As `Model.generate`, in the order of the requests. Raises `UsageError` for a model that cannot be loaded."""
        rows = self._rows(requests)
        while batch := list(islice(rows, self.batch_size)):
            drawn = self._draw([row for _, row in batch if row is not None])
            for task, row in batch:
                if row is not None:
                    task.drawn.append(next(drawn))
                if row is None or len(task.drawn) == task.wanted:
                    yield task.place, task.reply()

    def _rows(self, requests: Iterable[Request]) -> Iterator[tuple[_Task, Row | None]]:
        """A row for each text of each request; None for a request that cannot be answered."""
        for place, request in enumerate(requests):
            engine = self._loaded()
            task = _Task(place, request.sampling.n)
            prompt = problem(request) or engine.prompt(request, self.template)
            if isinstance(prompt, str):
                task.error = prompt
                yield task, None
                continue
            task.prompt_tokens = len(prompt)
            for number in range(task.wanted):
                yield task, engine.row(prompt, request.sampling, number)

    def _draw(self, rows: list[Row]) -> Iterator[Drawn]:
        with self._lock:
            return iter(self._engine.draw(rows) if rows and self._engine else [])

    def _loaded(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = Engine(self.model, self.device, self.dtype, self.revision)
            return self._engine


@dataclass(slots=True)
class _Task:
    """A request and what was drawn for it."""

    place: int
    wanted: int
    prompt_tokens: int = 0
    error: str = ""
    drawn: list[Drawn] = field(default_factory=list)

    def reply(self) -> Reply:
        tokens = sum(one.tokens for one in self.drawn)
        errors = [self.error, *(one.error or ("" if one.completion.text.strip() else NO_TEXT) for one in self.drawn)]
        if error := next(filter(None, errors), ""):
            return Reply(prompt_tokens=self.prompt_tokens, completion_tokens=tokens, error=error)
        texts: tuple[Completion, ...] = tuple(one.completion for one in self.drawn)
        return Reply(texts, self.prompt_tokens, tokens)
