"""Examples as tokens: what is asked, what is answered, and which tokens the loss is taken on.

Guarantees: prompt and answer are tokenized apart, as a model meets them when it is asked; an answer ends with the
tokenizer's end of text unless it was cut; what does not fit is dropped or cut as asked and counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from semcoder.errors import UsageError
from semcoder.prompts import Profile
from semcoder.training.rows import Example

Ids = npt.NDArray[np.int32]
#: The label of a token that the loss is not taken on, as torch and transformers have it.
IGNORED = -100
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Encoded:
    """`ids`: prompt and answer, [length]; the loss is on `ids[prompt:]`."""

    ids: Ids
    prompt: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def answer_tokens(self) -> int:
        """Tokens that the loss is taken on; a row's first token has nothing before it that could predict it."""
        return len(self.ids) - max(1, self.prompt)


@dataclass
class Fitting:
    """How rows fitted: kept whole, cut, or dropped by reason."""

    rows: int = 0
    kept: int = 0
    cut: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def encode(
    examples: Sequence[Example], tokenizer: Any, profile: Profile, max_length: int, too_long: Literal["drop", "cut"]
) -> tuple[list[Encoded], Fitting]:
    """The examples that fit `max_length` tokens, in order, and how all of them fitted."""
    fitting = Fitting(rows=len(examples))
    found: list[Encoded] = []
    marks = set(tokenizer.all_special_ids)  # a text that spells one would be read as one, and teach to stop early
    for prompt, answer in _tokens(examples, tokenizer, profile):
        whole = len(prompt) + len(answer)
        own = prompt[1:] if prompt[:1] == [tokenizer.bos_token_id] else prompt
        if not marks.isdisjoint(answer[:-1]) or not (profile.chat or marks.isdisjoint(own)):
            fitting.dropped["spells a special token"] += 1
            continue
        if not answer[:-1]:
            fitting.dropped["empty answer"] += 1
        elif len(prompt) >= max_length:
            fitting.dropped["prompt too long"] += 1
        elif whole > max_length and too_long == "drop":
            fitting.dropped["too long"] += 1
        else:
            fitting.kept += 1
            fitting.cut += whole > max_length
            found.append(Encoded(np.array([*prompt, *answer][:max_length], np.int32), len(prompt)))
    return found, fitting


def check_wording(profile: Profile, tokenizer: Any) -> None:
    """Raises `UsageError` where the profile needs a chat template and the model has none."""
    if profile.chat and tokenizer.chat_template is None:
        raise UsageError(
            f"profile: {profile.name!r} asks in conversations, and the model has no chat template; "
            "take another profile, such as semcoder"
        )


def _tokens(examples: Sequence[Example], tokenizer: Any, profile: Profile) -> Iterator[tuple[list[int], list[int]]]:
    """Prompt and answer of each example, the answer with the end of text."""
    end = tokenizer.eos_token_id
    rest = iter(examples)
    while batch := list(islice(rest, _BATCH)):
        prompts = prompt_ids([one.prompt for one in batch], tokenizer, profile)
        answers = tokenizer([one.answer for one in batch], add_special_tokens=False)["input_ids"]
        for prompt, answer in zip(prompts, answers, strict=True):
            yield prompt, [*answer, end]


def prompt_ids(instructions: Sequence[str], tokenizer: Any, profile: Profile) -> list[list[int]]:
    """What a model is given before it answers each instruction: the profile's text, or its chat template's."""
    if not profile.chat:
        return list(tokenizer([profile.prompt(text) for text in instructions])["input_ids"])
    turns = [[{"role": "user", "content": text}] for text in instructions]
    return [list(tokenizer.apply_chat_template(turn, add_generation_prompt=True)["input_ids"]) for turn in turns]
