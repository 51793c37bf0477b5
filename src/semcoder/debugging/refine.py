"""Self-refinement: a model answers, the answer is tested, and the model is asked again with the first test that fails
and what happened then, for a number of rounds.

    begun.json                    configuration, its hash, versions and data, written when the run begins
    round-N/generations.jsonl     a row a sample: the model's text and the answer in it; what it was asked about
    round-N/tests.jsonl           a row a sample: the verdicts of the tests that the run may see, one by one
    round-N/scores.jsonl          a row a sample: the benchmark's own verdict
    samples.jsonl                 a row a sample: why it ended, and the round of the answer that it has
    solutions.jsonl               a row a sample: that answer, in the form that `semcoder eval --generations` reads
    manifest.json                 written last

Guarantees: scores are the benchmark's own verdicts. Unless a run is told to be oracle-assisted, nothing that a prompt
does not show reaches the model, and no verdict of the benchmark's decides anything: it is taken when all rounds are
over. A stopped run goes on where it was, sample by sample; a reply that is an error is asked for again at the next
start. Nothing that a model wrote is run but in the sandbox.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semcoder.benchmarks import Benchmark, Case, Task, WithCases, benchmark, digest, first_tasks, score_rows
from semcoder.core.files import write_json, write_jsonl
from semcoder.debugging.curves import SEED, Attempt, Mode, Rules, results, sample_rows, subject
from semcoder.debugging.feedback import LIMITS, clipped, sentence, told_lines, what_happened
from semcoder.errors import SemcoderError, UsageError
from semcoder.judging import folder as folders
from semcoder.judging.asking import Progress, Teller, ask, ending, request, said
from semcoder.judging.folder import Journal, Key
from semcoder.judging.runs import Run, Runs
from semcoder.models import Model, Reply, Request, Sampling, open_model, without_address
from semcoder.prompts import Profile, profile_document, profile_for
from semcoder.sandbox import Check, Checkers, Sandbox

#: Events of an execution that is told line by line; characters of a test.
MAX_EVENTS = 20_000
MAX_TEST = 1_000
#: Between the seeds of rounds, so that no two requests share one.
_LANE = 1_000
_PLACE = re.compile(r"^line \d+ of the tests: ")


@dataclass(frozen=True, slots=True)
class RefineConfig:
    """One refinement. `oracle`: the model may see the benchmark's own tests; else those in its prompt alone.

    `rounds`: how often it may try again. `explain`: it is told the failing run line by line. `limit`: so many tasks,
    the first ones; 0: all. `data`: as in `Benchmark.load`. Raises `UsageError` for what makes no sense.
    """

    benchmark: str
    profile: Profile
    model: str
    data: str = ""
    oracle: bool = False
    explain: bool = False
    rounds: int = 5
    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int = 0
    limit: int = 0
    out: str = "runs/refine"
    workers: int = 2
    unsafe: bool = False

    def __post_init__(self) -> None:
        if not self.benchmark:
            raise UsageError("name a benchmark with --benchmark, as in --benchmark humaneval")
        if not self.model:
            raise UsageError("name a model with --model: hf:NAME-or-PATH or openai:NAME@BASE_URL (docs/models.md)")
        for name, value, least, most in (
            ("rounds", self.rounds, 0, 100),
            ("n", self.n, 1, _LANE),
            ("limit", self.limit, 0, None),
            ("workers", self.workers, 1, None),
            ("seed", self.seed, 0, None),
        ):
            if value < least or (most is not None and value > most):
                allowed = f"at least {least}" if most is None else f"from {least} to {most:,}"
                raise UsageError(f"{name} must be {allowed}, not {value}")
        self.sampling(0, 0)
        if self.n > 1 and not self.temperature:
            raise UsageError(f"{self.n} samples at temperature 0 would all be the same; raise --temperature")

    @property
    def mode(self) -> Mode:
        return "oracle" if self.oracle else "shown"

    @property
    def rules(self) -> Rules:
        return Rules(self.rounds, self.mode, greedy=not self.temperature)

    def sampling(self, number: int, sample: int) -> Sampling:
        """How to draw a sample's answer in a round; in round 0 as an evaluation draws it."""
        seed = Sampling(seed=self.seed).seed_of(_LANE * number + sample)
        stops = self.profile.repairing.stops if number else self.profile.stops
        return Sampling(self.max_tokens, self.temperature, self.top_p, stops, seed)

    def document(self) -> dict[str, Any]:
        """All that results depend on, by the names of the fields, and the data that was asked for."""
        names = (
            "benchmark", "rounds", "explain", "n", "temperature", "top_p", "max_tokens", "seed", "limit",
        )  # fmt: skip
        return {
            **{name: getattr(self, name) for name in names},
            "mode": self.mode,
            "model": without_address(self.model),
            "profile": profile_document(self.profile),
        }


def refinement(benchmark: str, model: str, profile: str | Path | None = None, **rest: Any) -> RefineConfig:
    """A configuration; the profile as the model's folder says where none is given. Raises as `profile_for`."""
    return RefineConfig(benchmark, profile_for(model, profile)[0], model, **rest)


def refine(
    config: RefineConfig,
    *,
    progress: Progress = lambda _: None,
    model: Model | None = None,
    find: Callable[[str], Benchmark] = benchmark,
) -> dict[str, Any]:
    """Run a refinement, or what is left of it; returns its manifest. `model`: instead of the one that is named.

    Raises `UsageError` for a benchmark whose tests cannot be told, and for a folder that was begun with something else,
    what benchmark, model and sandbox raise, and `SemcoderError` where the model replied to nothing.
    """
    chosen = find(config.benchmark)
    if not isinstance(chosen, WithCases):
        raise UsageError(
            f"{config.benchmark} does not ask for code that is judged by tests: there is nothing to refine"
        )
    asked = model or open_model(config.model, writes_code=True)
    tasks = first_tasks(chosen, config.data, config.limit)
    cases = {task.id: chosen.own(task) if config.oracle else chosen.shown(task) for task in tasks}
    if config.oracle and not any(cases.values()):
        raise UsageError(
            f"{chosen.name} cannot tell its tests one by one; leave out --oracle, or refine on the benchmark that it "
            "extends and score the solutions.jsonl of that run with semcoder eval --generations"
        )
    out = Path(config.out)
    with folders.held(out, "refinement"):
        data = {chosen.name: digest(tasks)}
        if state := folders.model_state(config.model):
            data["model"] = state
        begun = folders.settle(out, config.document(), data, "a refinement")
        with (
            Checkers(config.workers, unsafe=config.unsafe) as checkers,
            Sandbox(workers=config.workers, unsafe=config.unsafe) as box,
        ):
            found = _Run(config, chosen, tasks, cases, checkers, box, progress).refine(asked)
        manifest = {
            "kind": "refinement",
            "hash": begun["hash"],
            "config": begun["config"],
            "versions": {**begun["versions"], **folders.library_versions()},
            "data": data,
            "results": found,
        }
        write_json(out / "manifest.json", manifest)
    return manifest


class _Run:
    """A refinement under way: what is known of each sample, in the order of the tasks."""

    def __init__(
        self,
        config: RefineConfig,
        chosen: WithCases,
        tasks: Sequence[Task],
        cases: Mapping[str, Sequence[Case]],
        checkers: Checkers,
        box: Sandbox,
        progress: Progress,
    ) -> None:
        self._config, self._rules, self._benchmark = config, config.rules, chosen
        self._tasks = {task.id: task for task in tasks}
        self._cases, self._out, self._progress = cases, Path(config.out), progress
        self._checkers, self._ran = checkers, Runs(box, LIMITS, MAX_EVENTS)
        #: By sample its rows of `generations.jsonl`, tests and verdicts, one a round.
        self._rows: dict[Key, list[dict[str, Any]]] = {}
        self._tests: dict[Key, list[dict[str, Any]]] = {}
        self._scores: dict[Key, list[dict[str, Any] | None]] = {}
        for task in tasks:
            for sample in range(config.n):
                key = (task.id, sample)
                self._rows[key], self._tests[key], self._scores[key] = [], [], []

    def refine(self, model: Model) -> dict[str, Any]:
        """All rounds that are left, and the results."""
        for number in range(self._config.rounds + 1):
            going = [key for key in self._rows if self._goes_on(key, number)]
            if not going:
                break
            self._answer(number, going, model)
            there = [key for key in going if len(self._rows[key]) > number]
            self._test(number, there)
            self._score(number, there if self._config.oracle else [])
        for number in range(self._config.rounds + 1):
            self._score(number, [key for key in self._rows if number in self._ever_kept(key)])
        return self._results()

    # -- what is known

    def _attempts(self, key: Key) -> list[Attempt]:
        return [
            Attempt(_normal(self._program(key, number)), tuple(tests["verdicts"]), (score or {}).get("passed"))
            for number, (tests, score) in enumerate(zip(self._tests[key], self._scores[key], strict=True))
        ]

    def _goes_on(self, key: Key, number: int) -> bool:
        """Whether a sample is asked in a round."""
        if number == 0:
            return True
        attempts = self._attempts(key)
        return len(attempts) == number and self._rules.end(attempts) is None

    def _ever_kept(self, key: Key) -> set[int]:
        attempts = self._attempts(key)
        return {self._rules.kept(attempts[: number + 1]) for number in range(len(attempts))}

    def _program(self, key: Key, number: int) -> str:
        """The program of an answer as the model is shown it, and as it is run to be told of; empty for none."""
        answer = self._rows[key][number]["completion"]
        return self._benchmark.program(self._tasks[key[0]], answer).strip()

    def _folder(self, number: int) -> Path:
        return self._out / f"round-{number}"

    # -- a round

    def _answer(self, number: int, going: Sequence[Key], model: Model) -> None:
        """Ask what is not in the folder yet."""
        journal = Journal(self._folder(number) / "generations.jsonl", "completion")
        known = journal.rows()
        left = [key for key in going if key not in known]
        errors: list[str] = []
        if left:
            questions = [self._first(key) for key in left] if number == 0 else self._again(left)
            tell = Teller(self._progress, f"{self._benchmark.name}: asking, round {number}", len(left))
            requests = (self._request(number, key, question) for key, question in zip(left, questions, strict=True))
            errors = ask(
                model,
                requests,
                lambda place, reply: journal.append([self._row(number, left[place], questions[place], reply)]),
                tell,
            )
            known = journal.rows()
        if errors and not known and number == 0:
            raise SemcoderError(f"the model replied to none of {len(errors):,} requests: {errors[0]}")
        for key in going:
            if key in known:
                self._rows[key].append(known[key])

    def _request(self, number: int, key: Key, question: _Question) -> Request:
        return request(self._config.profile, question.instruction, self._config.sampling(number, key[1]))

    def _row(self, number: int, key: Key, question: _Question, reply: Reply) -> dict[str, Any]:
        profile = self._config.profile.repairing if number else self._config.profile
        text, finish = said(profile, reply)
        return {
            "task_id": key[0],
            "sample": key[1],
            "about": question.about,
            "test": question.test,
            "told": question.told,
            "text": text,
            "finish": finish,
            "completion": self._benchmark.answer(self._tasks[key[0]], text, profile),
            "tokens": {"prompt": reply.prompt_tokens, "completion": reply.completion_tokens},
        }

    def _test(self, number: int, there: Sequence[Key]) -> None:
        """The tests that the run may see on answers; equal answers of a task are tested once."""
        journal = Journal(self._folder(number) / "tests.jsonl", "verdicts", "reasons")
        known = journal.rows()
        waiting: dict[tuple[str, str], list[Key]] = {}
        for key in there:
            if key not in known:
                waiting.setdefault((key[0], self._rows[key][number]["completion"]), []).append(key)
        for keys, found in self._tested(number, list(waiting.values())):
            journal.append({"task_id": task, "sample": sample, **found} for task, sample in keys)
        known = journal.rows()
        for key in there:
            self._tests[key].append(known[key])
            self._scores[key].append(None)

    def _tested(self, number: int, groups: Sequence[list[Key]]) -> Iterator[tuple[list[Key], dict[str, Any]]]:
        """The verdicts of each case on the one answer of each group, as they are complete."""
        units: list[tuple[int, int]] = []
        found: list[list[tuple[bool | None, str] | None]] = []
        for group, keys in enumerate(groups):
            runs = bool(self._program(keys[0], number))
            cases = self._cases[keys[0][0]]
            found.append([None if runs else (False, "the answer holds no program")] * len(cases))
            units += [(group, place) for place in range(len(cases)) if runs]
            if not runs or not cases:
                yield keys, _verdicts(found[group])
        tell = Teller(self._progress, f"{self._benchmark.name}: testing, round {number}", len(units))
        verdicts = self._checkers.run(self._check(number, groups[group][0], place) for group, place in units)
        with ending(verdicts):
            for unit, score in verdicts:
                group, place = units[unit]
                found[group][place] = (score.passed, score.reason)
                if None not in found[group]:
                    yield groups[group], _verdicts(found[group])
                tell.one_more()

    def _check(self, number: int, key: Key, place: int) -> Check:
        answer = self._rows[key][number]["completion"]
        return self._benchmark.check(self._tasks[key[0]], answer, self._cases[key[0]][place])

    def _score(self, number: int, keys: Sequence[Key]) -> None:
        """The benchmark's own verdicts on answers of a round."""
        if not keys:
            return
        found = score_rows(
            self._benchmark,
            self._tasks,
            {key: self._rows[key][number] for key in keys},
            Journal(self._folder(number) / "scores.jsonl", "passed", "reason"),
            self._progress,
            workers=self._config.workers,
            unsafe=self._config.unsafe,
        )
        for key in keys:
            self._scores[key][number] = found.get(key)

    # -- questions

    def _first(self, key: Key) -> _Question:
        return _Question(self._benchmark.instruction(self._tasks[key[0]], self._config.profile))

    def _again(self, keys: Sequence[Key]) -> list[_Question]:
        """What is asked of samples whose last answer failed; the failing runs are executed for that."""
        abouts = {key: subject(self._attempts(key)) for key in keys}
        failing = {key: self._failing(key, about) for key, about in abouts.items()}
        runs = {
            key: Run(f"{self._program(key, about)}\n", case.call, case.setup)
            for key, about in abouts.items()
            if about is not None and (case := failing[key][0]).call
        }
        told = self._told(runs)
        return [self._question(key, abouts[key], *failing[key], told.get(key, "")) for key in keys]

    def _failing(self, key: Key, about: int | None) -> tuple[Case, str]:
        """The first test that fails, and why. The first of all where there is no program that it could fail on."""
        tests = self._tests[key][-1 if about is None else about]
        place = tests["verdicts"].index(False)
        return self._cases[key[0]][place], tests["reasons"][place]

    def _told(self, runs: Mapping[Key, Run]) -> dict[Key, str]:
        """What happens in each run, line by line where that is wanted and can be had."""
        outcomes = self._ran.outcomes(runs.values())
        traces = self._ran.traces(runs.values()) if self._config.explain else {}
        lines = {run: told_lines(trace) for run, trace in traces.items() if trace is not None and len(trace)}
        return {key: "\n".join(lines.get(run) or [what_happened(outcomes[run])]) for key, run in runs.items()}

    def _question(self, key: Key, about: int | None, case: Case, reason: str, told: str) -> _Question:
        profile, task = self._config.profile, self._tasks[key[0]]
        problem = self._benchmark.instruction(task, _untitled(profile))
        code = "" if about is None else self._program(key, about)
        test = clipped(case.text, MAX_TEST)
        told = told or sentence(_PLACE.sub("", reason))
        return _Question(profile.repair(problem, code, test, told), about, test, told)

    # -- the end

    def _results(self) -> dict[str, Any]:
        samples = {key: self._attempts(key) for key in self._rows}
        rows = sample_rows(samples, self._rules)
        write_jsonl(self._out / "samples.jsonl", rows)
        write_jsonl(
            self._out / "solutions.jsonl",
            (
                {
                    "task_id": row["task_id"],
                    "sample": row["sample"],
                    "completion": self._rows[row["task_id"], row["sample"]][row["kept"]]["completion"],
                }
                for row in rows
                if row["kept"] is not None
            ),
        )
        return {
            "benchmark": self._benchmark.name,
            "mode": self._config.mode,
            "explain": self._config.explain,
            "model": without_address(self._config.model),
            "rounds": self._config.rounds,
            **results(samples, self._rules, [task for task, cases in self._cases.items() if cases]),
            "seeds": {"sampling": self._config.seed, "bootstrap": SEED},
        }


@dataclass(frozen=True, slots=True)
class _Question:
    """What a sample is asked in a round: about which round's program, with which failing test, and what it is told."""

    instruction: str
    about: int | None = None
    test: str = ""
    told: str = ""


def _untitled(profile: Profile) -> Profile:
    """The same wording without the first line of the task that asks for a program."""
    return replace(profile, tasks=replace(profile.tasks, nl=""))


def _verdicts(found: Sequence[tuple[bool | None, str] | None]) -> dict[str, Any]:
    done = [pair for pair in found if pair is not None]
    return {"verdicts": [passed for passed, _ in done], "reasons": [reason for _, reason in done]}


def _normal(program: str) -> str:
    """A form that texts of one program share: layout, quotes and comments aside."""
    try:
        return ast.unparse(ast.parse(program))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return program.strip()
