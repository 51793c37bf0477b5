"""An evaluation: tasks, texts of a model (or answers from a file), verdicts, results.

Guarantees: a text is in the folder as soon as it has come, so that a stopped run loses only what was on its way; a run
that goes on asks only for what is missing, and scores only what has no verdict. A reply that is an error is not kept:
it is asked for again at the next start. A reply with no text in it is an answer, a wrong one.
"""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Benchmark, Task, benchmark
from semcoder.core import content_id
from semcoder.core.files import write_json
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.evaluation import folder as folders
from semcoder.evaluation.compare import published, published_label
from semcoder.evaluation.config import EvalConfig
from semcoder.evaluation.folder import Journal, Key
from semcoder.evaluation.metrics import SEED, Judged, results, step_results
from semcoder.judging import Judge
from semcoder.models import Message, Model, Reply, Request, open_model
from semcoder.sandbox import Sandbox

Progress = Callable[[str], None]

#: The error of a reply that says that the model was asked, and said nothing.
NO_TEXT = "the model gave no text"
#: Texts whose claims are checked at a time: what is lost when a run is stopped there.
_TEXTS = 50
_TOLD_EVERY_S = 5.0
_STEP = ("right", "claims", "false", "true_part")


def evaluate(
    config: EvalConfig,
    *,
    progress: Progress = lambda _: None,
    model: Model | None = None,
    find: Callable[[str], Benchmark] = benchmark,
) -> dict[str, Any]:
    """Run an evaluation, or what is left of it; returns its manifest. `model`: instead of the one that is named.

    Raises `UsageError` for a folder that was begun with something else, what the benchmarks and the model raise, and
    `SemcoderError` where the model replied to nothing.
    """
    chosen = [find(name) for name in config.benchmarks]
    directions = {config.style_for(one.asks) for one in chosen}
    if config.style and config.style not in directions:
        raise UsageError(f"no benchmark named here asks for a monologue in the style {config.style}")
    asked = None if config.generations else model or open_model(config.model)
    loaded = [(one, _loaded(one, config)) for one in chosen]
    out = Path(config.out)
    with folders.held(out):
        data = {one.name: _digest(tasks) for one, tasks in loaded}
        if config.generations:
            data["generations"] = folders.file_state(Path(config.generations))
        if state := folders.model_state(config.model):
            data["model"] = state
        begun = folders.settle(out, config.document(), data)
        runs = [_Run(config, one, tasks, out / one.name, progress) for one, tasks in loaded]
        manifest = {
            "kind": "evaluation",
            "hash": begun["hash"],
            "config": begun["config"],
            "versions": {**begun["versions"], **folders.library_versions()},
            "data": data,
            "benchmarks": [run.results(asked) for run in runs],
            "published": {
                "label": published_label(),
                "benchmarks": {one.name: figures for one in chosen if (figures := published(one.name))},
            },
        }
        write_json(out / "manifest.json", manifest)
    return manifest


def _loaded(chosen: Benchmark, config: EvalConfig) -> list[Task]:
    tasks = chosen.load(config.data)
    tasks = tasks[: config.limit] if config.limit else tasks
    if not tasks:
        raise InputError(f"{config.data or chosen.name}: there are no tasks of {chosen.name}")
    return tasks


def _digest(tasks: Sequence[Task]) -> str:
    """Equal for the same tasks in the same order."""
    return content_id([[task.id, _plain(task.row)] for task in tasks])


def _plain(value: Any) -> Any:
    """A row as JSON has it, whatever else is in it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)


@dataclass(frozen=True, slots=True)
class _Run:
    """One benchmark's part of an evaluation."""

    config: EvalConfig
    benchmark: Benchmark
    tasks: list[Task]
    folder: Path
    progress: Progress

    def results(self, model: Model | None) -> dict[str, Any]:
        """All that is left to do, and the results, which are written."""
        rows = self._generations(model)
        scores = self._scores(rows)
        codes = {task.id: _code(self.benchmark, task) for task in self.tasks}
        found = {
            "benchmark": self.benchmark.name,
            **results(codes, self._judged(rows, scores)),
            "steps": self._steps(rows),
            "seeds": {"sampling": self.config.seed if self.config.model else None, "bootstrap": SEED},
        }
        write_json(self.folder / "results.json", found)
        return found

    # -- texts

    def _generations(self, model: Model | None) -> dict[Key, dict[str, Any]]:
        """Rows by task and sample."""
        journal = Journal(self.folder / "generations.jsonl", "completion")
        rows = journal.rows()
        self._check_known(rows, journal.path)
        if model is None:
            given = self.benchmark.generations(Path(self.config.generations), self.tasks)
            missing = [(id, k, text) for id, texts in given.items() for k, text in enumerate(texts)]
            journal.append(
                {"task_id": id, "sample": k, "completion": answer} for id, k, answer in missing if (id, k) not in rows
            )
            return journal.rows()
        wanted = [(task, sample) for task in self.tasks for sample in range(self.config.n)]
        left = [(task, sample) for task, sample in wanted if (task.id, sample) not in rows]
        errors = self._ask(model, left, journal)
        rows = journal.rows()
        if errors and not rows:
            raise SemcoderError(f"the model replied to none of {len(errors):,} requests: {errors[0]}")
        return rows

    def _check_known(self, rows: Mapping[Key, object], path: Path) -> None:
        """Raises `InputError` for a row of a task that there is not."""
        known = {task.id for task in self.tasks}
        stray = next((task for task, _ in rows if task not in known), None)
        if stray is not None:
            raise InputError(f"{path}: it has a row of {stray!r}, which is no task here; use another --out folder")

    def _ask(self, model: Model, left: Sequence[tuple[Task, int]], journal: Journal) -> list[str]:
        """Ask for samples and keep what comes; returns the errors of replies that were none."""
        if not left:
            return []
        errors: list[str] = []
        tell = _Teller(self.progress, f"{self.benchmark.name}: asking", len(left))
        replies = model.generate(self._request(task, sample) for task, sample in left)
        with _ending(replies):
            for place, reply in replies:
                if reply.error and not _said_nothing(reply):
                    errors.append(reply.error)
                else:
                    journal.append([self._row(*left[place], reply)])
                tell.one_more(f", {len(errors):,} without a reply" if errors else "")
        return errors

    def _request(self, task: Task, sample: int) -> Request:
        profile, sampling = self.config.profile, self.config.sampling(sample)
        instruction = self.benchmark.instruction(task, profile)
        if not profile.chat:
            return Request(text=profile.prompt(instruction), sampling=sampling)
        return Request(tuple(Message("user", turn["content"]) for turn in profile.messages(instruction)), "", sampling)

    def _row(self, task: Task, sample: int, reply: Reply) -> dict[str, Any]:
        profile = self.config.profile
        text, finish = "", "length" if "max_tokens" in reply.error else "stop"
        if reply.completions:
            text, finish = reply.completions[0].text, reply.completions[0].finish
        text = profile.closed(text) if finish == "stop" else text
        return {
            "task_id": task.id,
            "sample": sample,
            "text": text,
            "finish": finish,
            "completion": self.benchmark.answer(task, text, profile),
            "tokens": {"prompt": reply.prompt_tokens, "completion": reply.completion_tokens},
        }

    # -- verdicts

    def _scores(self, rows: Mapping[Key, Mapping[str, Any]]) -> dict[Key, dict[str, Any]]:
        """A verdict for each row. What could not be judged is tried again at each start; equal answers once."""
        journal = Journal(self.folder / "scores.jsonl", "passed", "reason")
        known = journal.rows()
        waiting: dict[tuple[str, str], list[Key]] = {}
        for key, row in rows.items():
            if known.get(key, {}).get("passed") is None:
                waiting.setdefault((row["task_id"], row["completion"]), []).append(key)
        by_id = {task.id: task for task in self.tasks}
        answers = [(by_id[name], answer) for name, answer in waiting]
        keys = list(waiting.values())
        tell = _Teller(self.progress, f"{self.benchmark.name}: scoring", len(answers))
        if answers:
            found = self.benchmark.score(answers, workers=self.config.workers, unsafe=self.config.unsafe)
            with _ending(found):
                for place, score in found:
                    verdict = {"passed": score.passed, "reason": score.reason}
                    journal.append({"task_id": name, "sample": sample, **verdict} for name, sample in keys[place])
                    tell.one_more()
        return journal.rows()

    def _steps(self, rows: Mapping[Key, Mapping[str, Any]]) -> dict[str, Any] | None:
        """How far monologues are true; None where their claims are not asked for."""
        style = self.config.style_for(self.benchmark.asks)
        if not style:
            return None
        journal = Journal(self.folder / "steps.jsonl", *_STEP)
        known = journal.rows()
        by_id = {task.id: task for task in self.tasks}
        left = [row for key, row in rows.items() if key not in known]
        if left:
            tell = _Teller(self.progress, f"{self.benchmark.name}: checking monologues", len(left))
            with Sandbox(workers=self.config.workers, unsafe=self.config.unsafe) as box:
                judge = Judge(box, self.config.profile)
                for start in range(0, len(left), _TEXTS):
                    part = left[start : start + _TEXTS]
                    journal.append(self._told(judge, part, by_id, style))
                    tell.more(len(part))
        return step_results(style, [row for key, row in journal.rows().items() if key in rows])

    def _judged(
        self, rows: Mapping[Key, Mapping[str, Any]], scores: Mapping[Key, Mapping[str, Any]]
    ) -> Iterator[Judged]:
        """Every sample that there is, or that the model was asked for, in the order of the tasks."""
        wanted = {task.id: set(range(self.config.n if self.config.model else 0)) for task in self.tasks}
        for task, sample in rows:
            wanted[task].add(sample)
        for task, samples in wanted.items():
            for sample in sorted(samples):
                row, score = rows.get((task, sample)), scores.get((task, sample))
                if row is None:
                    yield Judged(task, sample, "", None, "no reply", replied=False)
                elif score is None:
                    yield Judged(task, sample, row["completion"], None, "no verdict")
                else:
                    cut = row.get("finish") == "length"
                    yield Judged(task, sample, row["completion"], score["passed"], score["reason"], cut)

    def _told(
        self, judge: Judge, rows: Sequence[Mapping[str, Any]], tasks: Mapping[str, Task], style: str
    ) -> Iterator[dict[str, Any]]:
        pairs = []
        for row in rows:
            question = self.benchmark.question(tasks[row["task_id"]])
            assert question is not None, "tasks that ask about an execution have a question"
            pairs.append((question, row["text"]))
        for row, verdict in zip(rows, judge.judge_many(pairs, style), strict=True):
            first = verdict.first_false
            yield {
                "task_id": row["task_id"],
                "sample": row["sample"],
                "right": verdict.right,
                "claims": len(verdict.claims),
                "false": sum(claim.verdict is False for claim in verdict.claims),
                "true_part": verdict.true_part,
                "first_false": None
                if first is None
                else {"text": first.text, "line": first.line, "actual": first.actual},
            }


def _said_nothing(reply: Reply) -> bool:
    """Whether an error says that the model itself came to no text, be it for want of tokens."""
    return reply.error == NO_TEXT or reply.error.startswith(f"{NO_TEXT}: all of max_tokens")


def _ending(found: Iterator[Any]) -> AbstractContextManager[Any]:
    """At whose end an iterator is closed, and what it had under way ended, if it is of a kind that can be."""
    return closing(found) if hasattr(found, "close") else nullcontext()


def _code(chosen: Benchmark, task: Task) -> str:
    """The code that a task is about: the program of its question, or a program that solves it."""
    question = chosen.question(task)
    if question is not None:
        return question.source
    gold, prompt = chosen.gold(task), str(task.row.get("prompt", ""))
    return next(filter(_parses, (prompt + gold, gold)), "")


def _parses(code: str) -> bool:
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class _Teller:
    """Tells how far something is, every few seconds."""

    def __init__(self, progress: Progress, what: str, whole: int) -> None:
        self._progress, self._what, self._whole = progress, what, whole
        self._done, self._told = 0, time.monotonic()
        if whole:
            progress(f"{what} (0 of {whole:,})")

    def one_more(self, rest: str = "") -> None:
        self.more(1, rest)

    def more(self, number: int, rest: str = "") -> None:
        self._done += number
        if self._done == self._whole or time.monotonic() - self._told >= _TOLD_EVERY_S:
            self._progress(f"{self._what} ({self._done:,} of {self._whole:,}{rest})")
            self._told = time.monotonic()
