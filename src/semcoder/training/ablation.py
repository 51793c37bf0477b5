"""Styles of telling an execution, compared: one small model per style, seed and amount of data, all else equal.

    plan.json        programs and positions by style, what was left out, trivial baselines; written when all is prepared
    tokenizer/       one vocabulary, learned from texts of all styles
    rows/STYLE.jsonl the training rows of a style, in the order of the stream
    questions.jsonl  held-out programs: no training program has the code of one, names of variables aside
    runs/STYLE-SEED-PROGRAMS/   an ordinary training run, and result.json with the verdict on every question
    ablation.json    the table, as far as runs are done; manifest.json is written last, so_far.json until then

Guarantees: all styles train on the same programs in the same order; "equal programs" is one number of programs for all,
"equal tokens" as many trained positions (prompt and answer) as the longest style has at equal programs, filled up with
more programs of the same stream, none twice. A program is used only if every style can tell it within `max_length`. A
run that serves both comparisons is done once; a finished run is never repeated. See docs/design/ablation.md.
"""

from __future__ import annotations

import dataclasses
import functools
import multiprocessing
import os
import shutil
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from semcoder.core import Sample, load
from semcoder.core.files import full_document, read_jsonl, read_saved, write_json, write_jsonl
from semcoder.errors import UsageError
from semcoder.prompts import Profile, load_profile, save_profile
from semcoder.stats import over_seeds, paired, wilson
from semcoder.training.folder import RunFolder, data_state
from semcoder.training.recipe import Ablation, Data, Recipe
from semcoder.training.selection import Choice, baselines, choose_questions, content, fitting
from semcoder.training.telling import GRAMMARS, told_in_all

#: How many programs the vocabulary is learned from.
_VOCABULARY_FROM = 2_000
#: How much longer than the longest answer in training an answer may get.
_ROOM = 1.1
#: Resamples of the questions for the interval of a difference.
_RESAMPLES = 5_000
#: Differences are taken to these, where they are among the styles.
_AGAINST = ("direct", "forward")
_PLAN = {
    "programs": dict,
    "positions": dict,
    "bounds": dict,
    "counts": dict,
    "dropped": dict,
    "baselines": dict,
    "dropped_questions": dict,
}
_RESULT = {"style": str, "seed": int, "programs": int, "questions": list, "seconds": dict}

Progress = Callable[[str], None]
Train = Callable[..., Mapping[str, Any]]
#: From a model's folder, questions, a style, the profile and a bound on tokens: a document per question.
Score = Callable[[Path, Sequence[Sample], str, Profile, int], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Run:
    """One model to train. `equal`: the comparisons that it serves."""

    style: str
    seed: int
    programs: int
    equal: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.style}-{self.seed}-{self.programs}"


def _train(recipe: Recipe, folder: Path, *, progress: Progress) -> Mapping[str, Any]:
    from semcoder.training.sft import train_sft

    return train_sft(recipe, folder, progress=progress)


def _score(folder: Path, questions: Sequence[Sample], style: str, profile: Profile, bound: int) -> list[dict[str, Any]]:
    from semcoder.training.scoring import answers, judged

    return judged(questions, answers(folder, [one.fwd_mnl for one in questions], profile, bound), style, profile)


def run_ablation(
    recipe: Recipe,
    out: Path,
    *,
    progress: Progress = lambda _: None,
    train: Train = _train,
    score: Score = _score,
) -> dict[str, Any]:
    """Do all runs that are not yet done, and the table; the manifest. Raises `SemcoderError`s of one line.

    `train` and `score` take the place of `train_sft` and of generating and judging.
    """
    _check(recipe)
    out = out.resolve()
    folder = RunFolder(out)
    with folder.held():
        done = folder.settle(recipe, data_state(recipe))
        if done is not None:
            return done
        plan = _plan(recipe, out, progress)
        runs = grid(recipe, plan["programs"])
        summary = _summary(recipe, plan, runs, out)
        for _ in _each(runs, recipe, plan, out, progress, train, score):
            summary = _summary(recipe, plan, runs, out)
            write_json(out / "ablation.json", summary)
            write_json(out / "so_far.json", _manifest(folder, plan, summary))
        manifest = _manifest(folder, plan, summary)
        write_json(folder.manifest, manifest)
        (out / "so_far.json").unlink(missing_ok=True)
    return manifest


def _each(
    runs: Sequence[Run], recipe: Recipe, plan: Mapping[str, Any], out: Path, tell: Progress, train: Train, score: Score
) -> Iterator[Run]:
    """Do all runs; each comes when it is done. With `workers`, so many at a time, in processes of their own."""
    if recipe.workers < 2:
        for number, run in enumerate(runs, 1):
            here = f"run {number} of {len(runs)}, {run.style}, seed {run.seed}, {run.programs:,} programs"
            _do(run, recipe, plan, out, functools.partial(_prefixed, tell, here), train, score)
            yield run
        return
    threads = max(1, len(os.sched_getaffinity(0)) // recipe.workers)
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        recipe.workers, mp_context=spawn, initializer=_begin_worker, initargs=(threads, os.getpid())
    )
    try:
        tell(f"{len(runs)} runs, {recipe.workers} at a time")
        jobs = {pool.submit(_do, run, recipe, plan, out, _silent, train, score): run for run in runs}
        for number, job in enumerate(as_completed(jobs), 1):
            job.result()
            tell(f"{number} of {len(runs)} runs done")
            yield jobs[job]
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker(threads: int, parent: int) -> None:
    """Use so many threads, and end when the parent is gone, whoever killed it: nobody would take the result."""
    import torch

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    torch.set_num_threads(threads)
    threading.Thread(target=watch, daemon=True).start()


def _silent(_: str) -> None:
    pass


def _prefixed(progress: Progress, prefix: str, text: str) -> None:
    progress(f"{prefix}: {text}")


def _check(recipe: Recipe) -> None:
    """Raises `UsageError` where the recipe asks for what cannot be compared."""
    specs = [data.rows for data in recipe.data]
    if len(specs) != 1 or specs[0].partition(":")[0] not in GRAMMARS or not specs[0].partition(":")[2]:
        given = ", ".join(specs) or "nothing"
        raise UsageError(f"an ablation needs one stream of programs, as in data: [{{rows: small:100000}}], not {given}")
    unknown = sorted(set(recipe.ablation.equal) - {"programs", "tokens"})
    if unknown or not recipe.ablation.equal:
        raise UsageError(f"ablation.equal: {unknown or 'nothing'} cannot be made equal; there are programs and tokens")
    if not recipe.ablation.styles or not recipe.ablation.seeds:
        raise UsageError("ablation: name at least one style and one seed")


def grid(recipe: Recipe, programs: Mapping[str, Mapping[str, int]]) -> list[Run]:
    """All runs, each once, seed by seed: a study that was stopped has compared all styles on as many seeds as it could.

    `programs`: by style and comparison.
    """
    runs: dict[tuple[int, str, int], list[str]] = {}
    for seed in range(recipe.seed, recipe.seed + recipe.ablation.seeds):
        for equal in recipe.ablation.equal:
            for style in recipe.ablation.styles:
                runs.setdefault((seed, style, programs[style][equal]), []).append(equal)
    return [Run(style, seed, number, tuple(equal)) for (seed, style, number), equal in runs.items()]


# Preparing: programs, vocabulary, questions --------------------------------------------------------------------------


def _plan(recipe: Recipe, out: Path, progress: Progress) -> dict[str, Any]:
    """What is trained on and asked; prepared once."""
    path = out / "plan.json"
    if path.exists():
        return read_saved(path, _PLAN, "an ablation")
    profile = load_profile(recipe.profile)
    dropped: Counter[str] = Counter()
    spec, after = _streams(recipe.data[0].rows)
    progress("telling programs in all styles")
    tokenizer = _tokenizer(recipe, out, spec, profile)
    sizes_of = functools.partial(_sizes, tokenizer=tokenizer, profile=profile)

    unseen: Counter[str] = Counter()
    told = told_in_all(after, recipe.ablation.styles, profile, unseen, bare=True, used=lambda _: False)
    asked = fitting(told, sizes_of, recipe.max_length, unseen)
    questions = choose_questions(recipe.ablation.test_programs, asked, unseen)
    write_jsonl(out / "questions.jsonl", map(full_document, questions))
    kept_out = {content(sample.program) for sample in questions if sample.program is not None}
    choice = Choice(recipe.ablation)
    told = told_in_all(
        spec,
        recipe.ablation.styles,
        profile,
        dropped,
        bare=True,
        used=choice.takes,
        held_out=lambda program: content(program) in kept_out,
    )
    chosen = choice.choose(fitting(told, sizes_of, recipe.max_length, dropped))
    for style, part in chosen.items():
        write_jsonl(out / "rows" / f"{style}.jsonl", map(full_document, part.rows))
    plan = {
        "programs": {style: part.programs for style, part in chosen.items()},
        "positions": {style: part.positions for style, part in chosen.items()},
        "bounds": {style: int(_ROOM * part.longest) for style, part in chosen.items()},
        "counts": {"questions": len(questions)},
        "dropped": dict(dropped.most_common()),
        "dropped_questions": dict(unseen.most_common()),
        "baselines": baselines(questions, next(iter(chosen.values())).rows),
    }
    write_json(path, plan)
    return plan


def _streams(spec: str) -> tuple[str, str]:
    """The stream to train on, and the one of held-out programs: the seeds after it. Raises `UsageError`."""
    name, *numbers = spec.split(":")
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise UsageError(f"{spec}: write {name}:COUNT or {name}:COUNT:FIRSTSEED")
    count, first = int(numbers[0]), int(numbers[1]) if numbers[1:] else 0
    return spec, f"{name}:{max(count, 1_000_000)}:{first + count}"


def _tokenizer(recipe: Recipe, out: Path, spec: str, profile: Profile) -> Any:
    """The vocabulary of all runs: the base model's own, or one learned from texts of all styles."""
    from semcoder.training.start import tokenizer_of

    told = islice(
        told_in_all(spec, recipe.ablation.styles, profile, bare=True), min(_VOCABULARY_FROM, recipe.ablation.programs)
    )
    texts = [text for rows in told for row in rows for text in (profile.before + row.fwd_mnl, row.response)]
    tokenizer = tokenizer_of(recipe.model, lambda: texts)
    tokenizer.save_pretrained(out / "tokenizer")
    tokenizer.model_max_length = 1 << 30  # here texts are only measured: no warnings about their length
    return tokenizer


def _sizes(rows: Sequence[Sample], tokenizer: Any, profile: Profile) -> list[tuple[int, int]]:
    """Tokens of prompt and answer, as training counts them."""
    from semcoder.training.tokens import prompt_ids

    prompts = prompt_ids([row.fwd_mnl for row in rows], tokenizer, profile)
    replies = tokenizer([row.response for row in rows], add_special_tokens=False)["input_ids"]
    return [(len(prompt), len(reply) + 1) for prompt, reply in zip(prompts, replies, strict=True)]


# Running -------------------------------------------------------------------------------------------------------------


def _do(
    run: Run, recipe: Recipe, plan: Mapping[str, Any], out: Path, tell: Progress, train: Train, score: Score
) -> None:
    """Train one model and question it, unless its result is there."""
    folder = out / "runs" / run.name
    if (folder / "result.json").exists():
        return
    begun = time.monotonic()
    profile = load_profile(recipe.profile)
    manifest = train(derived(recipe, run, out), folder, progress=tell)
    save_profile(folder, profile, run.style)
    trained = time.monotonic()
    tell("answering")
    questions = [load(Sample, row, "questions.jsonl") for row in read_jsonl(out / "questions.jsonl")]
    verdicts = score(folder, questions, run.style, profile, plan["bounds"][run.style])
    seconds = {"training": round(trained - begun, 1), "answering": round(time.monotonic() - trained, 1)}
    write_json(folder / "result.json", result(run, manifest, verdicts) | {"seconds": seconds})
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def derived(recipe: Recipe, run: Run, out: Path) -> Recipe:
    """The recipe of one run: an ordinary fine-tune on the first rows of its style."""
    new = dataclasses.replace(recipe.model.new, tokenizer="" if recipe.model.base else str(out / "tokenizer"))
    return dataclasses.replace(
        recipe,
        kind="sft",
        model=dataclasses.replace(recipe.model, new=new),
        data=(Data(str(out / "rows" / f"{run.style}.jsonl"), limit=run.programs),),
        seed=run.seed,
        held_out=0.0,
        max_steps=0,
        evaluate_every=0,
        workers=0,
        ablation=Ablation(),
    )


def result(run: Run, manifest: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What one run came to."""
    judged = [one for one in verdicts if one["right"] is not None]
    counts = manifest["counts"]
    return {
        "style": run.style,
        "seed": run.seed,
        "programs": run.programs,
        "equal": list(run.equal),
        "accuracy": _share(one["right"] for one in judged),
        "step_accuracy": _step_accuracy(verdicts),
        "unparsable": _share(one["answer"] is None for one in judged),
        "asked": len(verdicts),
        "not_judged": len(verdicts) - len(judged),
        "tokens": counts["tokens"],
        "answer_tokens": counts["answer_tokens"],
        "steps": counts.get("steps"),
        "parameters": counts.get("parameters"),
        "loss_last": manifest.get("figures", {}).get("loss_last"),
        "questions": list(verdicts),
    }


def _step_accuracy(verdicts: Sequence[Mapping[str, Any]]) -> float | None:
    """The mean part of a text's claims before its first false one: 0 for a text without, None for a style without."""
    parts = [one.get("true_part") for one in verdicts if one["right"] is not None]
    return _mean([part or 0.0 for part in parts]) if any(part is not None for part in parts) else None


def _share(values: Iterable[bool]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


# The table -----------------------------------------------------------------------------------------------------------


def table(runs: Sequence[Run], results: Mapping[str, Mapping[str, Any]], equal: Sequence[str]) -> list[dict[str, Any]]:
    """A row per comparison and style, over the runs that are done."""
    rows = []
    for kind in equal:
        done = {
            style: [
                results[run.name] for run in runs if run.style == style and kind in run.equal and run.name in results
            ]
            for style in dict.fromkeys(run.style for run in runs)
        }
        rows += [_row(kind, style, done) for style, found in done.items() if found]
    return rows


def _row(equal: str, style: str, done: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    found = done[style]
    shares = [one["accuracy"] for one in found if one["accuracy"] is not None]
    pooled = [question["right"] for one in found for question in one["questions"] if question["right"] is not None]
    return {
        "equal": equal,
        "style": style,
        "runs": len(found),
        "programs": found[0]["programs"],
        "tokens": found[0]["tokens"],
        "answer_tokens": found[0]["answer_tokens"],
        "accuracy": _mean(shares),
        "accuracy_by_seed": {str(one["seed"]): one["accuracy"] for one in found},
        "interval_over_seeds": over_seeds(shares),
        "interval_over_questions": wilson(sum(pooled), len(pooled)),
        "step_accuracy": _step_accuracy([question for one in found for question in one["questions"]]),
        "unparsable": _mean([one["unparsable"] for one in found if one["unparsable"] is not None]),
        "seconds": _mean([sum(one["seconds"].values()) for one in found]),
        "against": {other: _against(found, done[other]) for other in _AGAINST if other != style and done.get(other)},
    }


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _against(found: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The difference of two styles over the questions that both were judged on."""
    first, second = _by_question(found), _by_question(others)
    both = [name for name in first if name in second]
    if not both:
        return None
    by_question = paired([first[name] for name in both], [second[name] for name in both], resamples=_RESAMPLES)
    by_seed = {one["seed"]: one["accuracy"] for one in others if one["accuracy"] is not None}
    pairs = [
        one["accuracy"] - by_seed[one["seed"]]
        for one in found
        if one["seed"] in by_seed and one["accuracy"] is not None
    ]
    return {"difference": by_question.mean, "interval": by_question.interval, "interval_over_seeds": over_seeds(pairs)}


def _by_question(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share of runs that answered a question right."""
    verdicts: dict[str, list[bool]] = {}
    for one in results:
        for question in one["questions"]:
            if question["right"] is not None:
                verdicts.setdefault(question["id"], []).append(question["right"])
    return {name: statistics.fmean(found) for name, found in verdicts.items()}


def _results(runs: Sequence[Run], out: Path) -> dict[str, dict[str, Any]]:
    paths = {run.name: out / "runs" / run.name / "result.json" for run in runs}
    return {name: read_saved(path, _RESULT, "a run") for name, path in paths.items() if path.exists()}


def _summary(recipe: Recipe, plan: Mapping[str, Any], runs: Sequence[Run], out: Path) -> dict[str, Any]:
    """What `ablation.json` says: the table, and what each run came to, without its questions."""
    results = _results(runs, out)
    return {
        "complete": len(results) == len(runs),
        "runs_done": len(results),
        "runs_planned": len(runs),
        "baselines": plan["baselines"],
        "table": table(runs, results, recipe.ablation.equal),
        "runs": [{key: value for key, value in one.items() if key != "questions"} for one in results.values()],
    }


def _manifest(folder: RunFolder, plan: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    runs = summary["runs"]
    return {
        "kind": "ablation",
        **folder.identity(),
        "counts": {
            **plan["counts"],
            "runs": len(runs),
            "parameters": runs[0]["parameters"],
            "tokens": sum(one["tokens"] for one in runs),
            "dropped": plan["dropped"],
            "dropped_questions": plan["dropped_questions"],
        },
        "figures": {f"{row['style']}, equal {row['equal']}": row["accuracy"] for row in summary["table"]}
        | {f"baseline: {name}": share for name, share in plan["baselines"].items()},
        "programs": plan["programs"],
        "positions": plan["positions"],
        "baselines": plan["baselines"],
        "table": summary["table"],
    }
