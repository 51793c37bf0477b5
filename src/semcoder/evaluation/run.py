"""An evaluation: tasks, texts of a model (or answers from a file), verdicts, results.

Guarantees: a text is in the folder as soon as it has come, so that a stopped run loses only what was on its way; a run
that goes on asks only for what is missing, and scores only what has no verdict. A reply that is an error is not kept:
it is asked for again at the next start. A reply with no text in it is an answer, a wrong one.

Its folder, beside what `semcoder.judging.folder` says:

    BENCHMARK/generations.jsonl      a row a sample, as it came: the model's text and the answer in it
    BENCHMARK/scores.jsonl           a row a sample: the verdict
    BENCHMARK/steps.jsonl            a row a sample: how far its monologue is true (only with a style)
    BENCHMARK/results.json           what `semcoder.evaluation.metrics` makes of them
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Benchmark, Task, benchmark, digest, first_tasks, score_rows
from semcoder.core.files import write_json
from semcoder.errors import InputError, SemcoderError, UsageError
from semcoder.evaluation.compare import published, published_label
from semcoder.evaluation.config import EvalConfig
from semcoder.evaluation.metrics import SEED, Judged, results, step_results
from semcoder.judging import Judge
from semcoder.judging import folder as folders
from semcoder.judging.asking import Progress, Teller, ask, request, said
from semcoder.judging.folder import Journal, Key
from semcoder.models import Model, Reply, Request, open_model
from semcoder.sandbox import Sandbox

#: Texts whose claims are checked at a time: what is lost when a run is stopped there.
_TEXTS = 50
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
    loaded = [(one, first_tasks(one, config.data, config.limit)) for one in chosen]
    out = Path(config.out)
    with folders.held(out, "evaluation"):
        data = {one.name: digest(tasks) for one, tasks in loaded}
        if config.generations:
            data["generations"] = folders.file_state(Path(config.generations))
        if state := folders.model_state(config.model):
            data["model"] = state
        begun = folders.settle(out, config.document(), data, "an evaluation")
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
        tell = Teller(self.progress, f"{self.benchmark.name}: asking", len(left))
        requests = (self._request(task, sample) for task, sample in left)
        return ask(model, requests, lambda place, reply: journal.append([self._row(*left[place], reply)]), tell)

    def _request(self, task: Task, sample: int) -> Request:
        profile = self.config.profile
        return request(profile, self.benchmark.instruction(task, profile), self.config.sampling(sample))

    def _row(self, task: Task, sample: int, reply: Reply) -> dict[str, Any]:
        profile = self.config.profile
        text, finish = said(profile, reply)
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
        return score_rows(
            self.benchmark,
            {task.id: task for task in self.tasks},
            rows,
            Journal(self.folder / "scores.jsonl", "passed", "reason"),
            self.progress,
            workers=self.config.workers,
            unsafe=self.config.unsafe,
        )

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
            tell = Teller(self.progress, f"{self.benchmark.name}: checking monologues", len(left))
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
