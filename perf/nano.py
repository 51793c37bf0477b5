"""What the built-in model gets right, question set by question set.

    python perf/nano.py MODEL [--cruxeval FILE] [--mbpp FILE] [--generated 500] [--stdlib 300] [--inverse 15]
        [--voting 9] [--kind monologue] [--out FILE.json]
    python perf/nano.py MODEL --ablation direct=MODEL scratchpad=MODEL --cruxeval FILE
    python perf/nano.py --contamination DATA... [--programs 20000]

MODEL is a folder with the network. Benchmarks (CRUXEval's and MBPP's own files) are only measured with.

forward       greedy answers: all questions, with Wilson's intervals; those whose value is neither an argument nor a
              trivial constant; exact monologues; where the others first leave the truth
steps         single steps after a true prefix
voting        the most frequent of several drawn answers
inverse       inputs for outputs, judged in the sandbox: greedy, and checked by the model's own simulation
ablation      the same for models that answer without a monologue, each question side by side
contamination what training programs have in common with benchmarks, by rule (see `semcoder.cleaning`)
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from semcoder.cleaning import Benchmark, Hit, Screen, find_files, read_benchmarks
from semcoder.cleaning.ngrams import NgramIndex
from semcoder.constructs import constructs
from semcoder.core import Invocation, Program
from semcoder.core.files import read_saved, write_json
from semcoder.errors import SemcoderError, UsageError
from semcoder.judging import Judge
from semcoder.judging import Question as Judged
from semcoder.nano import measuring, questions
from semcoder.nano.inverting import Decoding
from semcoder.nano.questions import Question, Questions
from semcoder.nano.stream import HELD_OUT, KINDS
from semcoder.prompts import load_profile
from semcoder.sandbox import Sandbox, run_many
from semcoder.seeds.short import generate_short
from semcoder.stats import mcnemar

#: From this Jaccard index of shingles on, one program is called a near copy of another.
NEAR = 0.8


# Sets and judges -----------------------------------------------------------------------------------------------------


def sets(options: argparse.Namespace) -> Iterator[Questions]:
    if options.cruxeval:
        yield questions.cruxeval(options.cruxeval)
    if options.generated:
        trained = range(*options.trained) if options.trained else ()
        yield questions.generated(
            options.generated, generate_short, first=HELD_OUT, trained=trained, workers=options.workers
        )
    if options.mbpp:
        yield questions.mbpp(options.mbpp, workers=options.workers)
    if options.stdlib:
        yield questions.stdlib(options.stdlib, workers=options.workers)


def judge(workers: int) -> measuring.Judged:
    """Verdicts of the house's judge on proposed calls."""
    wording = load_profile()

    def verdicts(proposed: Sequence[tuple[Question, str]]) -> list[bool | None]:
        asked = [
            (Judged(each.source, each.entry, "backward", output=each.output), wording.response("", call))
            for each, call in proposed
        ]
        with Sandbox(workers=workers) as box:
            return [verdict.right for verdict in Judge(box, wording).judge_many(asked)]

    return verdicts


# Models --------------------------------------------------------------------------------------------------------------


def opened(folder: Path, threads: int) -> tuple[Decoding, measuring.Forced]:
    import torch

    from semcoder.nano.decoding import Decoder
    from semcoder.nano.network import load

    torch.set_num_threads(1)  # more of them wait for one another where the processor is shared; a decoder has its own
    network = load(folder)

    def forced(ids: list[int]) -> list[int]:
        with torch.inference_mode():
            return [int(one) for one in network.logits(torch.tensor([ids]))[0].argmax(-1)]

    return Decoder(network, threads=threads), forced


def prepared(options: argparse.Namespace, decoder: Decoding, kind: str, asked_of: Questions) -> list[measuring.Asked]:
    return [measuring.prepare(each, KINDS[kind], decoder.context) for each in asked_of.asked[: options.limit]]


def measured(
    options: argparse.Namespace, model: tuple[Decoding, measuring.Forced], asked_of: Questions
) -> dict[str, Any]:
    """One set's measures, printed as they come."""
    decoder, forced = model
    asked = prepared(options, decoder, options.kind, asked_of)
    found: dict[str, Any] = {"questions": len(asked), "left out": dict(asked_of.left_out)}
    print(f"\n{asked_of.name}: {len(asked)} questions")

    def told(name: str, document: dict[str, Any]) -> None:
        found[name] = document
        print("\n".join(measuring.table({name: document}, 1)), flush=True)

    told("beyond the language", measuring.beyond(asked))
    told("baselines", measuring.baselines(asked))
    document, greedy = measuring.forward(asked, decoder, constructs)
    told("forward", document)
    if options.without:
        told("forward, without what training programs equal", without(options.without, asked, greedy))
    if options.kind == "monologue":
        told("steps", measuring.single_steps(asked, forced))
    if options.voting:
        told("voting", measuring.voted(asked, greedy, decoder, votes=options.voting, temperature=options.temperature))
    if options.inverse:
        kind = KINDS[options.kind]
        told("inverse", measuring.inverse(asked, decoder, judge(options.workers), tries=options.inverse, kind=kind))
    for kind, folder in options.ablation:
        told(f"ablation: {kind}", ablation(options, asked_of, kind, folder, greedy))
    return found


def without(found: Path, asked: Sequence[measuring.Asked], greedy: Sequence[measuring.Answered]) -> dict[str, Any]:
    """The share of those questions whose program no rule of cleaning found among training programs."""
    tasks = read_saved(found, {"tasks": dict}, "--contamination")["tasks"]
    known = {task for names in tasks.values() for task in names}
    right = {each.asked.question.id for each in greedy if each.right}
    ids = [each.question.id for each in asked if each.question.id.partition("/")[0] not in known]
    return {"all": measuring.share(sum(one in right for one in ids), len(ids))}


def ablation(
    options: argparse.Namespace, asked_of: Questions, kind: str, folder: Path, greedy: Sequence[measuring.Answered]
) -> dict[str, Any]:
    """Another kind's measures, and McNemar's p-value that it is as good as the model's own."""
    decoder, _ = opened(folder, options.threads)
    asked = prepared(options, decoder, kind, asked_of)
    document, found = measuring.forward(asked, decoder, constructs)
    first, second = ({id(each.asked.question) for each in some if each.right} for some in (greedy, found))
    document["p"] = mcnemar(len(first - second), len(second - first))
    return document


# Contamination -------------------------------------------------------------------------------------------------------


def contamination(paths: Sequence[str], count: int, workers: int) -> dict[str, Any]:
    """How many training programs and calls the rules of cleaning find in benchmarks, and how near the nearest comes."""
    start = time.perf_counter()
    benchmarks = read_benchmarks(find_files(paths))
    screen, copies = Screen(benchmarks), Copies(benchmarks)
    made = [generate_short(seed) for seed in range(count)]
    hits: list[Hit] = []
    nearest, similar = dict.fromkeys((each.name for each in benchmarks), 0.0), 0.0
    for program, _ in made:
        screened, copy = screen.program(program.source, program.entry), copies.nearest(program.source)
        hits += [screened.hit] if screened.hit else []
        hits += [copy] if copy.part >= NEAR else []
        nearest.update((name, max(nearest[name], value)) for name, value in screened.nearest.items())
        similar = max(similar, copy.part)
    results = list(outputs(made, workers))
    hits += [hit for call, output in results if (hit := screen.pair(call, output))]
    rules = Counter(dict.fromkeys(("code", "n-grams", "description", "near copy", "pair"), 0))
    rules.update(hit.kind for hit in hits)
    tasks = {each.name: sorted({hit.task for hit in hits if hit.benchmark == each.name}) for each in benchmarks}
    return {
        "benchmarks": {each.name: {"tasks": len(each.tasks), "sha256": each.sha256} for each in benchmarks},
        "programs": count,
        "calls": len(results),
        "found by rule": dict(rules),
        "tasks found": {name: len(found) for name, found in tasks.items()},
        "tasks": tasks,
        "greatest part of 8-grams in common": nearest,
        "greatest part of 5-grams in common, names told apart": round(similar, 4),
        "seconds": round(time.perf_counter() - start, 1),
    }


def outputs(made: Sequence[tuple[Program, Sequence[Invocation]]], workers: int) -> Iterator[tuple[str, str]]:
    """Calls that return, with what they return."""
    with Sandbox(workers=workers) as box:
        for place, outcomes in run_many(box, made):
            for call, outcome in zip(made[place][1], outcomes, strict=True):
                if outcome.value is not None:
                    yield call.text, outcome.value.display()


class Copies:
    """The benchmark code that a program is nearest to: what MinHash estimates, compared exactly."""

    def __init__(self, benchmarks: Sequence[Benchmark]) -> None:
        from semcoder.cleaning.duplicates import shingles

        self._shingles, self._index = shingles, NgramIndex()
        self._tasks = [(each.name, task.id, task.code) for each in benchmarks for task in each.tasks if task.code]
        for number, (_, _, code) in enumerate(self._tasks):
            self._index.add(number, shingles(code, numbered=True).tolist())

    def nearest(self, source: str) -> Hit:
        own = self._shingles(source, numbered=True)
        shared = self._index.overlaps(own)
        parts = {key: n / (len(own) + self._index.sizes[key] - n) for key, n in shared.items()}
        best = max(parts, key=lambda key: (parts[key], -key), default=0)
        return Hit(*self._tasks[best][:2], "near copy", parts.get(best, 0.0))


# Command line --------------------------------------------------------------------------------------------------------


def of_kind(text: str) -> tuple[str, Path]:
    kind, _, folder = text.partition("=")
    if kind not in KINDS or not folder:
        raise argparse.ArgumentTypeError(f"{text!r} is not KIND=MODEL with a KIND of {', '.join(KINDS)}")
    return kind, Path(folder)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="the model's folder")
    parser.add_argument("--cruxeval", type=Path, help="a file of CRUXEval")
    parser.add_argument("--mbpp", type=Path, help="a file of MBPP, or its folder")
    parser.add_argument("--generated", type=int, default=0, help="how many programs that were not trained on")
    parser.add_argument(
        "--trained", type=int, nargs=2, metavar=("FIRST", "END"), help="seeds whose programs to exclude"
    )
    parser.add_argument("--stdlib", type=int, default=0, help="how many functions of the standard library")
    parser.add_argument("--kind", choices=sorted(KINDS), default="monologue", help="how the model writes its answers")
    parser.add_argument("--ablation", type=of_kind, nargs="+", default=[], metavar="KIND=MODEL")
    parser.add_argument("--voting", type=int, default=0, help="answers to draw for a vote (9, say)")
    parser.add_argument("--temperature", type=float, default=0.6, help="of the votes")
    parser.add_argument("--inverse", type=int, default=0, help="proposals for an input (15, say)")
    parser.add_argument("--limit", type=int, help="only the first so many questions of a set")
    parser.add_argument("--workers", type=int, default=2, help="processes of the sandbox")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--contamination", nargs="+", metavar="DATA", help="benchmark files, or folders of them")
    parser.add_argument("--without", type=Path, metavar="JSON", help="what --contamination wrote: tell the rest apart")
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--out", type=Path, help="where to write the measures as JSON")
    return parser.parse_args()


def run(options: argparse.Namespace) -> dict[str, Any]:
    if options.contamination:
        found = contamination(options.contamination, options.programs, options.workers)
        print("\n".join(measuring.table({key: part for key, part in found.items() if key != "tasks"})))
        return found
    if options.model is None:
        raise UsageError("name a model's folder, or benchmarks with --contamination (see --help)")
    if options.out and not options.out.parent.is_dir():  # hours of measuring come before it is written
        raise UsageError(f"{options.out}: its folder is not there; make it first")
    model = opened(options.model, options.threads)
    about: dict[str, Any] = {"model": str(options.model), "kind": options.kind}
    return about | {each.name: measured(options, model, each) for each in sets(options)}


def guarded(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return act()
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def main() -> None:
    options = parsed()
    found = guarded(lambda: run(options))
    if options.out:
        write_json(options.out, found)


if __name__ == "__main__":
    main()
