"""A trained model's answers to questions about executions, and what execution says of them.

Guarantees: decoding is greedy, so that the same model gives the same answers (but for rounding on another machine);
every answer is judged by `semcoder.judging`, which executes the program again; no gold text is compared.
Importing this module loads torch and transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from semcoder.core import Sample
from semcoder.judging import Judge, Question, Verdict
from semcoder.prompts import Profile
from semcoder.sandbox import Sandbox
from semcoder.training.tokens import prompt_ids

#: Questions answered at a time.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer. `ended`: it stopped of its own accord before the bound on its length."""

    text: str
    tokens: int
    ended: bool


def answers(folder: Path, instructions: Sequence[str], profile: Profile, bound: int) -> list[Reply]:
    """What the model of a folder answers, greedily, with at most `bound` tokens each."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).to(device).eval()
    prompts = prompt_ids(instructions, tokenizer, profile)
    found: list[Reply] = []
    for start in range(0, len(prompts), _BATCH):
        found += _answered(model, tokenizer, profile, prompts[start : start + _BATCH], bound)
    return found


@torch.no_grad()  # type: ignore[untyped-decorator]
def _answered(model: Any, tokenizer: Any, profile: Profile, prompts: list[list[int]], bound: int) -> Iterator[Reply]:
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(one)) + one for one in prompts])
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])
    written = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=bound,
        do_sample=False,
        pad_token_id=pad,
        eos_token_id=tokenizer.eos_token_id,
    )[:, longest:].tolist()
    for row in written:
        ended = tokenizer.eos_token_id in row
        row = row[: row.index(tokenizer.eos_token_id)] if ended else row
        text = tokenizer.decode(row, skip_special_tokens=True)
        yield Reply(profile.closed(text) if ended else text, len(row), ended)


def judged(questions: Sequence[Sample], replies: Sequence[Reply], style: str, profile: Profile) -> list[dict[str, Any]]:
    """A document per question: the answer, whether it is right (None: not judged) and why not, and how far the
    monologue is true."""
    asked = [_question(sample) for sample in questions]
    with Sandbox() as box:
        pairs = [(question, reply.text) for question, reply in zip(asked, replies, strict=True)]
        verdicts = Judge(box, profile).judge_many(pairs, style)
    return [
        {"id": sample.id, **_verdict(verdict), "tokens": reply.tokens, "ended": reply.ended}
        for sample, reply, verdict in zip(questions, replies, verdicts, strict=True)
    ]


def _question(sample: Sample) -> Question:
    assert sample.program is not None
    return Question(sample.program.source, sample.program.entry, "forward", call=sample.call)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    false = verdict.first_false
    return {
        "answer": verdict.answer,
        "right": verdict.right,
        "reason": verdict.reason,
        "claims": len(verdict.claims),
        "true_part": verdict.true_part if verdict.claims else None,
        "first_false": f"{false.text} (in fact: {false.actual})" if false is not None else None,
    }
