"""A model and its tokenizer from `transformers`, and how a batch of prompts becomes texts.

Guarantees: each row of a batch has its own temperature, top-p, seed, bound and stop strings; with a seed, what a row
draws depends on the seed and on the model's scores alone, not on its neighbours. Nothing that the model's files say
about sampling applies, and no code that comes with a model is run (its chat template is, in transformers' sandbox).
It does not promise equal scores on another device, in another type, or, in the last bits, beside other neighbours: two
choices that are all but equally likely may then change places.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.errors import MissingExtra, UsageError
from semcoder.models._protocol import Completion, Message, Request, Sampling
from semcoder.models._text import brief, tidied

_NOTHING = Completion("")


@dataclass(frozen=True, slots=True)
class Row:
    """One text to be drawn: the prompt's token ids, how, and at most how many tokens there is room for."""

    prompt: tuple[int, ...]
    how: Sampling
    seed: int | None
    room: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text (it may be empty) and the number of tokens that it took; or the error that kept it away."""

    completion: Completion = _NOTHING
    tokens: int = 0
    error: str = ""


class Engine:
    """The model at `name` (a folder or a name on the hub), in memory. Raises `MissingExtra`, and `UsageError`.

    `device` and `dtype` are torch's names; empty ones mean the GPU if there is one, and bfloat16 there, float32 else.
    """

    def __init__(self, name: str, device: str = "", dtype: str = "", revision: str | None = None) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingExtra(error.name or "transformers", "model") from None
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        kind = getattr(torch, dtype or ("bfloat16" if self.device.startswith("cuda") else "float32"), None)
        if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
            raise UsageError(f"no type {dtype!r} of numbers: write bfloat16, float16 or float32")
        transformers.utils.logging.disable_progress_bar()  # these would write to our streams
        transformers.utils.logging.set_verbosity_error()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        source = {"revision": revision} if revision else {}
        try:
            self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name, **source)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=kind, **source)
            self.model = model.to(self.device).eval()
        except (OSError, ValueError, KeyError, RuntimeError, ImportError, _safetensors_error()) as error:
            raise UsageError(f"the model {name} cannot be loaded: {brief(error)}") from None
        self._settle(transformers)

    def _settle(self, transformers: Any) -> None:
        """Which tokens end a text; and no other habits than these."""
        theirs = self.model.generation_config.eos_token_id
        ends = {*(theirs if isinstance(theirs, list) else [theirs]), self.tokenizer.eos_token_id} - {None}
        self.ends = sorted(ends)
        first = [self.tokenizer.pad_token_id, *self.ends, 0]
        self.pad = next(token for token in first if token is not None)
        self.model.generation_config = transformers.GenerationConfig(
            do_sample=False, num_beams=1, eos_token_id=self.ends or None, pad_token_id=self.pad
        )
        config = self.model.config.get_text_config()
        self.context: int | None = getattr(config, "max_position_embeddings", None)

    def prompt(self, request: Request, template: Mapping[str, Any]) -> tuple[int, ...] | str:
        """The prompt's token ids; or, as text, why there are none. `template` goes to the chat template besides."""
        if not request.messages:
            ids = self.tokenizer(request.text)["input_ids"]
        elif self.tokenizer.chat_template is None:
            ids = self.tokenizer(headed(request.messages))["input_ids"]
        else:
            text = self._templated(request.messages, template)
            if text is None:
                return "the model's chat template takes no such conversation"
            # Templates bring the special tokens themselves.
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if not ids and self.tokenizer.bos_token_id is not None:
            ids = [self.tokenizer.bos_token_id]
        if not ids:
            return "the prompt is empty, and the model has no token to begin with"
        if self.context is not None and len(ids) >= self.context:
            return f"the prompt has {len(ids)} tokens, and the model takes {self.context} with its answer"
        return tuple(ids)

    def _templated(self, messages: Sequence[Message], template: Mapping[str, Any]) -> str | None:
        """The conversation as the model's template writes it; None if it takes none like it."""
        import jinja2

        for turns in (messages, without_system(messages)):
            said = [{"role": message.role, "content": message.content} for message in turns]
            going_on = bool(said) and said[-1]["role"] == "assistant"
            try:
                text = self.tokenizer.apply_chat_template(
                    said,
                    tokenize=False,
                    add_generation_prompt=not going_on,
                    continue_final_message=going_on,
                    **template,
                )
            except (jinja2.TemplateError, ValueError, TypeError):
                continue  # many templates take no system message
            return str(text)
        return None

    def row(self, prompt: tuple[int, ...], how: Sampling, number: int) -> Row:
        """For text number `number` (from 0) of a request."""
        room = how.max_tokens if self.context is None else min(how.max_tokens, self.context - len(prompt))
        return Row(prompt, how, how.seed_of(number), room)

    def draw(self, rows: Sequence[Row]) -> list[Drawn]:
        """A text for each row. A batch that is too large for the GPU's memory is halved until it fits."""
        import torch

        try:
            return self._draw(rows)
        except torch.cuda.OutOfMemoryError:
            if len(rows) == 1:
                return [Drawn(error=f"the {self.device} device has too little memory for this request")]
        except (RuntimeError, ValueError, IndexError) as error:
            return [Drawn(error=f"the model failed: {brief(error)}")] * len(rows)
        half = len(rows) // 2
        torch.cuda.empty_cache()
        return self.draw(rows[:half]) + self.draw(rows[half:])

    def _draw(self, rows: Sequence[Row]) -> list[Drawn]:
        import torch
        import transformers

        width = max(len(row.prompt) for row in rows)
        # ids, mask: rows x width, padded on the left, so that every row's answer begins in the same column.
        ids = torch.full((len(rows), width), self.pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, width - len(row.prompt) :] = torch.tensor(row.prompt)
            mask[index, width - len(row.prompt) :] = 1
        endings = _Endings(rows, width, self.tokenizer)
        with torch.inference_mode():
            # Greedy over scores that already hold the noise of the draw: see _Draws.
            out = self.model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=transformers.GenerationConfig(
                    max_new_tokens=max(row.room for row in rows),
                    do_sample=False,
                    num_beams=1,
                    eos_token_id=self.ends or None,
                    pad_token_id=self.pad,
                ),
                logits_processor=transformers.LogitsProcessorList([_Draws(rows, self.device)]),
                stopping_criteria=transformers.StoppingCriteriaList([endings]),
            )
        answers = out[:, width:].tolist()
        return [
            self._text(row, tokens[:length]) for row, tokens, length in zip(rows, answers, endings.lengths, strict=True)
        ]

    def _text(self, row: Row, tokens: list[int]) -> Drawn:
        """The text of a row's tokens, which may go on with padding after one that ends it."""
        end = next((place for place, token in enumerate(tokens) if token in self.ends), None)
        count = len(tokens) if end is None else end + 1
        tokens = tokens[:end]
        raw = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        text, stopped = tidied(raw, row.how.stop)
        return Drawn(Completion(text, "length" if end is None and not stopped else "stop"), count)


class _Draws:
    """Turns scores so that the best one is a random draw: Gumbel noise, of a generator for each row.

    The token with the largest `score / temperature + noise` is distributed as the softmax says, and a generator for
    each row makes draws repeatable whatever else is in the batch, which torch's own sampling does not.
    """

    def __init__(self, rows: Sequence[Row], device: str) -> None:
        import torch

        self._rows = rows
        self._generators = [torch.Generator(device) for _ in rows]
        for row, generator in zip(rows, self._generators, strict=True):
            if row.seed is None:
                generator.seed()
            else:
                generator.manual_seed(row.seed)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """`scores`: rows x vocabulary, float32; those of greedy rows stay as they are."""
        import torch

        for index, (row, generator) in enumerate(zip(self._rows, self._generators, strict=True)):
            if row.how.temperature > 0:
                mine = scores[index] / row.how.temperature
                if row.how.top_p < 1:
                    mine = _nucleus(mine, row.how.top_p)
                noise = torch.empty_like(mine).exponential_(generator=generator)
                scores[index] = mine - noise.log()
        return scores


def _nucleus(scores: Any, top_p: float) -> Any:
    """`scores` with minus infinity for all but the likeliest tokens that hold `top_p` of the probability together."""
    ordered, places = scores.softmax(-1).sort(descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p
    return scores.masked_fill(beyond.scatter(-1, places, beyond), float("-inf"))


class _Endings:
    """Ends each row at its own bound or stop string; `lengths` are the tokens of the answers (None: all of them)."""

    def __init__(self, rows: Sequence[Row], width: int, tokenizer: Any) -> None:
        self.lengths: list[int | None] = [None] * len(rows)
        self._rows = rows
        self._width = width
        self._tokenizer = tokenizer
        # A token is a byte at least: a stop string lies within as many last tokens, and some that are cut at the edge.
        self._tails = [max((len(mark.encode()) for mark in row.how.stop), default=0) + 4 for row in rows]

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """`input_ids`: rows x (width + answers so far). Gives a truth value per row."""
        import torch

        count = input_ids.shape[1] - self._width
        for index, row in enumerate(self._rows):
            if self.lengths[index] is None and (count >= row.room or self._met(index, row, input_ids, count)):
                self.lengths[index] = count
        return torch.tensor([length is not None for length in self.lengths], device=input_ids.device)

    def _met(self, index: int, row: Row, input_ids: Any, count: int) -> bool:
        if not row.how.stop:
            return False
        tail = input_ids[index, -min(count, self._tails[index]) :].tolist()
        text = self._tokenizer.decode(tail, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return any(mark in text for mark in row.how.stop)


def headed(messages: Sequence[Message]) -> str:
    """A conversation for a model without a chat template: each turn under its role, the answer's header at the end.

    `System: ...`, `User: ...`, `Assistant: ...`, with an empty line between; a last turn of the assistant is continued.
    """
    turns = [f"{message.role.capitalize()}: {message.content}" for message in messages]
    if messages[-1].role != "assistant":
        turns.append("Assistant:")
    return "\n\n".join(turns)


def without_system(messages: Sequence[Message]) -> Sequence[Message]:
    """The conversation with a system message at its beginning put into the first turn of the user."""
    if len(messages) > 1 and messages[0].role == "system" and messages[1].role == "user":
        return [Message("user", f"{messages[0].content}\n\n{messages[1].content}"), *messages[2:]]
    return messages


def _safetensors_error() -> type[Exception]:
    """What a damaged file of weights raises."""
    import safetensors

    kind: type[Exception] = safetensors.SafetensorError
    return kind
