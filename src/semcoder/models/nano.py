"""`nano`: the built-in model, a small transformer that executes Python in its head, told in our own English.

It reads a program of one function and what is asked of it from between the marks of the profile `nano`, as instructions
(`semcoder.nano.flatten`), and what it writes is told by `semcoder.nano.telling`.

Guarantees: nothing is executed; what is no such question, or is beyond its language, is answered with one line that
says so and the finish `refused`; the same request has the same texts, but for rounding. A question back from an output
is answered with a call that the model proposes and simulates itself (`semcoder.nano.inverting`), whatever the
temperature.
It knows no conversations, and draws from the whole distribution, whatever `top_p` says.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import threading
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from semcoder.core import literal_text
from semcoder.core.calling import call_entry
from semcoder.errors import MissingExtra, UsageError
from semcoder.models._protocol import Completion, Finish, Reply, Request, Sampling
from semcoder.models._text import problem, tidied
from semcoder.nano.flatten import Flat, flatten
from semcoder.nano.inverting import Decoding, Inversion, invert_all
from semcoder.nano.notation import EOS, IDS, VOCABULARY, Unsupported
from semcoder.nano.rows import ask_forward, ask_inverse
from semcoder.nano.telling import CUT, Telling, call_arguments
from semcoder.prompts import GAP, Profile, assertion, load_profile

#: Where the weights are that ship with the package.
FOLDER = Path(__file__).parents[1] / "assets" / "nano"
#: How every refusal begins.
BEYOND = "beyond the built-in model"
_FITS = "A call that should give this output, and what it does:"
_FITS_NOT = "No call was found that gives this output. The one whose output looks most like it, and what it does:"
_STOP = IDS[EOS]

Tell = Callable[[str], None]


class Streaming(Decoding, Protocol):
    """A decoder that gives an answer's tokens one by one, too: what `semcoder.nano.decoding.Decoder` does."""

    def stream(self, prompt: Sequence[int], *, max_new: int, stop: Collection[int] = ()) -> Iterator[int]: ...


class NanoModel:
    """The built-in model (`nano`), or one of its kind in a folder (`nano:PATH`). Loaded at the first request.

    Options: `batch_size`, questions answered at a time; `tries`, calls that are tried for an output; `decoder`, what
    writes the tokens in place of the weights. Raises `MissingExtra`, and `UsageError` where there are no weights.
    """

    name = "nano"
    writes_code = False

    def __init__(
        self, rest: str = "", *, batch_size: int = 32, tries: int = 15, decoder: Streaming | None = None
    ) -> None:
        if batch_size < 1 or tries < 1:
            raise UsageError(f"batch_size and tries must be at least 1, not {batch_size} and {tries}")
        self.folder = Path(rest).expanduser() if rest else FOLDER
        if decoder is None:
            _check_there(self.folder, rest)
        self.batch_size = batch_size
        self.tries = tries
        self._decoder = decoder
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """The options that texts depend on, and the state of the weights' files."""
        files = sorted(filter(Path.is_file, self.folder.iterdir())) if self.folder.is_dir() else []
        state = [(file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
        return json.dumps(["nano", str(self.folder), self.tries, state])

    def __repr__(self) -> str:
        return f"NanoModel({str(self.folder)!r})"

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """As `Model.generate`, in the order of the requests."""
        places = enumerate(requests)
        while batch := list(islice(places, self.batch_size)):
            with self._lock:
                tasks = [self._task(request) for _, request in batch]
                self._answer(tasks)
            for (place, _), task in zip(batch, tasks, strict=True):
                yield place, task.reply()

    def stream(self, request: Request, tell: Tell) -> Reply:
        """The reply to one request. `tell` gets the sentences of its first text, each as soon as the model is done with
        it, where it is a greedy answer to a forward question; else all at once; never what stands after the last."""
        with self._lock:
            task = self._task(request)
            if isinstance(task.asked, _Forward) and not request.sampling.temperature and request.sampling.n == 1:
                task.take(self._decoding().stream(task.ids, max_new=task.room, stop={_STOP}), tell)
            else:
                self._answer([task])
                if task.texts and not task.refusal:
                    tell(task.texts[0].told)
        return task.reply()

    # -- answering

    def _task(self, request: Request) -> _Task:
        task = _Task(request)
        if task.asked is not None:
            task.fit(self._decoding().context)
        return task

    def _answer(self, tasks: Sequence[_Task]) -> None:
        forward = [task for task in tasks if isinstance(task.asked, _Forward)]
        greedy = [task for task in forward if not task.sampling.temperature]
        if greedy:
            room = max(task.room for task in greedy)
            answers = self._decoding().batch([task.ids for task in greedy], max_new=room, stop={_STOP})
            for task, ids in zip(greedy, answers, strict=True):
                for _ in range(task.sampling.n):
                    task.take(ids)
        for task in forward:
            for number in range(task.sampling.n if task.sampling.temperature else 0):
                seed, heat = task.sampling.seed_of(number) or number, task.sampling.temperature
                # Each alone: what is drawn in a batch hangs on the place in it.
                drawn = self._decoding().batch([task.ids], max_new=task.room, stop={_STOP}, temperature=heat, seed=seed)
                task.take(drawn[0])
        self._invert([task for task in tasks if isinstance(task.asked, _Backward)])

    def _invert(self, tasks: Sequence[_Task]) -> None:
        by_seed: dict[int, list[_Task]] = {}
        for task in tasks:
            for number in range(task.sampling.n):
                by_seed.setdefault(task.sampling.seed_of(number) or number, []).append(task)
        for seed, some in by_seed.items():
            questions = [(task.asked.flat, task.asked.result) for task in some if isinstance(task.asked, _Backward)]
            found = invert_all(self._decoding(), questions, tries=self.tries, seed=seed)
            for task, inversion in zip(some, found, strict=True):
                task.propose(inversion)

    def _decoding(self) -> Streaming:
        if self._decoder is None:
            from semcoder.nano.decoding import Decoder

            self._decoder = Decoder(self.folder)
        return self._decoder


def _check_there(folder: Path, rest: str) -> None:
    """Raises where the weights cannot be used."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("torch", "model")
    if (folder / "config.json").is_file():
        return
    if rest:
        raise UsageError(f"no model in {rest!r}: write nano alone, or nano:PATH of a folder with its config.json")
    raise UsageError(
        f"the built-in model is not in this installation ({folder} has no config.json); name another model"
    )


# Questions -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Forward:
    """What a call gives."""

    flat: Flat
    source: str
    call: str
    prompt: list[str]


@dataclass(frozen=True, slots=True)
class _Backward:
    """Which call of `entry` gives `result`, whose text is `output`."""

    flat: Flat
    source: str
    entry: str
    output: str
    result: Any
    prompt: list[str]


@cache
def _profile() -> tuple[Profile, re.Pattern[str]]:
    """The wording, and what reads a question in it."""
    profile = load_profile("nano")
    marks = re.escape(profile.question).replace(r"\{source\}", "(?P<source>.*)")
    gap = re.escape(GAP)
    asked = rf"assert (?:(?P<call>.*) == {gap}|(?P<entry>\w+)\({gap}\) == (?P<output>.*))"
    return profile, re.compile(marks.replace(r"\{assertion\}", asked), re.DOTALL)


def _question(request: Request) -> _Forward | _Backward:
    """What a request asks. Raises `Unsupported` for what is no question of the profile, or beyond the language."""
    text = request.text or (request.messages[-1].content if len(request.messages) == 1 else "")
    match = _profile()[1].fullmatch(text.strip())
    if match is None:
        raise Unsupported("it reads questions in the wording of the profile nano alone")
    source, call = match["source"].strip() + "\n", match["call"]
    try:
        entry = call_entry(call) if call is not None else match["entry"]
        with warnings.catch_warnings():  # of the compiler, on invalid escapes
            warnings.simplefilter("ignore")
            # much of what is no Python is found by no parser, just here; the code is thrown away
            compile(source, "<asked>", "exec", dont_inherit=True)
            flat = flatten(source, entry)
        if call is not None:
            return _Forward(flat, source, call, ask_forward(flat, call_arguments(flat, call)))
        result = ast.literal_eval(match["output"])
        return _Backward(flat, source, entry, match["output"], result, ask_inverse(flat, result))
    except (SyntaxError, ValueError, TypeError, UsageError, RecursionError, MemoryError) as error:
        raise Unsupported("the program, the call or the output cannot be read as Python") from error


@dataclass(frozen=True, slots=True)
class _Text:
    """What is told, and the completed assert; empty where nothing was stated."""

    told: str
    answer: str
    finish: Finish = "stop"


@dataclass(slots=True)
class _Task:
    """A request, what it asks (None: nothing that can be answered, and `refusal` says why), and texts so far."""

    request: Request
    asked: _Forward | _Backward | None = None
    ids: list[int] = field(default_factory=list)
    refusal: str = ""
    error: str = ""
    texts: list[_Text] = field(default_factory=list)
    tokens: int = 0
    context: int = 0

    def __post_init__(self) -> None:
        self.error = problem(self.request)
        try:
            self.asked = None if self.error else _question(self.request)
            self.ids = [IDS[token] for token in self.asked.prompt] if self.asked is not None else []
        except Unsupported as reason:
            self.asked, self.refusal = None, f"{BEYOND}: {reason}"
        except KeyError as token:
            self.asked, self.refusal = None, f"{BEYOND}: it has no word for {token}"

    def fit(self, context: int) -> None:
        """Refuses a question that leaves no room for an answer in so many tokens."""
        self.context = context
        if len(self.ids) >= context:
            self.asked, self.refusal = None, f"{BEYOND}: the program and what is asked of it are too long"

    @property
    def sampling(self) -> Sampling:
        return self.request.sampling

    @property
    def room(self) -> int:
        """The most tokens of an answer."""
        return min(self.sampling.max_tokens, self.context - len(self.ids))

    def take(self, ids: Iterable[int], tell: Tell = lambda _: None) -> None:
        """An answer to a forward question: what it tells is told as far as it has come."""
        asked = self.asked
        assert isinstance(asked, _Forward)
        telling = Telling(asked.flat, asked.source, asked.call, self._words(ids))
        told = []
        for sentence in telling:
            told.append(sentence)
            tell(sentence)
        answer = "" if telling.answer is None else assertion(asked.call, telling.answer)
        self.texts.append(_Text("\n".join(told), answer, "length" if telling.is_cut else "stop"))

    def _words(self, ids: Iterable[int]) -> Iterator[str]:
        """The tokens of an answer; one more where it was cut."""
        for number, each in enumerate(islice(ids, self.room), 1):
            self.tokens += 1
            # The network's vocabulary is filled up: what is beyond ours has no meaning.
            yield VOCABULARY[each] if each < len(VOCABULARY) else "<unused>"
            if number == self.room:
                yield CUT

    def propose(self, inversion: Inversion) -> None:
        """An answer to a backward question: the call, and the model's own simulation of it."""
        asked = self.asked
        assert isinstance(asked, _Backward)
        self.tokens += len(inversion.simulation)
        if inversion.arguments is None:
            self.texts.append(_Text(_FITS_NOT.partition(".")[0] + ".", ""))
            return
        call = f"{asked.entry}({', '.join(map(literal_text, inversion.arguments))})"
        try:
            told = list(Telling(asked.flat, asked.source, call, inversion.simulation))
        except Unsupported:
            told = []
        lead = _FITS if inversion.agreed else _FITS_NOT
        self.texts.append(_Text("\n".join([lead, *told]), assertion(call, asked.output)))

    def reply(self) -> Reply:
        if self.error:
            return Reply(error=self.error)
        if self.refusal:
            return Reply((Completion(self.refusal, "refused"),) * self.sampling.n)
        return Reply(tuple(map(self._completion, self.texts)), len(self.ids), self.tokens)

    def _completion(self, text: _Text) -> Completion:
        profile, _ = _profile()
        whole = profile.response(text.told, text.answer) if text.answer else text.told
        return Completion(tidied(whole, self.sampling.stop)[0], text.finish)
