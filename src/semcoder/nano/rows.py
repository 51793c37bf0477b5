"""Training rows of the built-in model: what it is asked, and the answer, both as tokens of its language.

Guarantees: `rows_of(seed)` depends on the seed alone; every answer is written from an execution, and its last word is
compared with what Python itself says of the same call on the untouched source: where they differ there is an error, and
no row.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder.nano.flatten import Flat, flatten_tree
from semcoder.nano.machine import Run, execute
from semcoder.nano.notation import ANSWER, BOS, DIRECT, EOS, IDS, INVERSE, Unsupported, write, write_positions

#: Longer rows are left out: the model's context.
CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Row:
    """`prompt` ends with the token that opens the answer; `answer` ends with EOS. `kind`: that opening token."""

    kind: str
    prompt: list[str]
    answer: list[str]

    def ids(self) -> list[int]:
        return [IDS[token] for token in (*self.prompt, *self.answer)]


def ask_forward(flat: Flat, arguments: Sequence[Any], kind: str = ANSWER) -> list[str]:
    """The prompt that asks for an execution: instructions, and arguments with positions beside their elements."""
    found = [BOS, *flat.tokens(), "args"]
    given = [*arguments, *flat.defaults[len(flat.defaults) - (flat.params - len(arguments)) :]]
    for i, value in enumerate(given[: flat.params]):
        found += (f"v{i}", "=")
        found += write_positions(value) if type(value) in (str, list, tuple, dict, set, frozenset) else write(value)
    found.append(kind)
    return found


def ask_inverse(flat: Flat, result: Any) -> list[str]:
    """The prompt that asks for arguments that give a result."""
    return [BOS, *flat.tokens(), "result", *write(result), INVERSE]


def write_arguments(arguments: Sequence[Any]) -> list[str]:
    """An answer to `ask_inverse`."""
    found: list[str] = []
    for i, value in enumerate(arguments):
        found += (f"v{i}", "=", *write(value))
    return [*found, EOS]


def literal_arguments(call: str) -> list[Any]:
    """The arguments of a call over literals, without keywords. Raises `Unsupported`."""
    node = ast.parse(call, mode="eval").body
    if not isinstance(node, ast.Call) or node.keywords:
        raise Unsupported("a call with keywords")
    try:
        return [ast.literal_eval(each) for each in node.args]
    except ValueError as error:
        raise Unsupported("arguments that are no literals") from error


def rows_of(
    seed: int,
    generate: Callable[[int], Any],
    *,
    kind: str = ANSWER,
    inverse: float = 0.6,
    context: int = CONTEXT,
) -> Iterator[Row]:
    """The rows of one generated program: a forward one of this kind for each call, and for some an inverse one."""
    program, calls = generate(seed)
    try:
        tree = ast.parse(program.source)
        flat = flatten_tree(tree, program.entry)
    except Unsupported:
        return
    space: dict[str, Any] = {}
    exec(compile(tree, "<generated>", "exec"), space)
    chance = random.Random(seed)
    for call in calls:
        try:
            given = literal_arguments(call.text)
            prompt = ask_forward(flat, given, kind)
            inputs = write_arguments(given)
            run = execute(flat, given, limit=context - len(prompt), terse=kind != ANSWER)
        except Unsupported:
            continue
        _compare(space[program.entry], call.text, run)
        answer = run.tokens if kind != DIRECT else _end(run)
        if len(prompt) + len(answer) < context:
            yield Row(kind, prompt, [*answer, EOS])
        if not run.exception and chance.random() < inverse:
            asked = ask_inverse(flat, run.value)
            if len(asked) + len(inputs) < context:
                yield Row(INVERSE, asked, inputs)


def _end(run: Run) -> list[str]:
    """`return` and the value, or `!` and the exception."""
    sign = "!" if run.exception else "return"
    return run.tokens[len(run.tokens) - 1 - run.tokens[::-1].index(sign) :]


def _compare(function: Callable[..., Any], call: str, run: Run) -> None:
    """Raises RuntimeError where Python says another result."""
    try:
        value = function(*literal_arguments(call))
    except Exception as error:
        if run.exception == type(error).__name__:
            return
        raise RuntimeError(
            f"{call}: Python raises {type(error).__name__}, the machine {run.exception or 'returns'}"
        ) from error
    if run.exception or type(value) is not type(run.value) or not (value == run.value or value != value):
        raise RuntimeError(f"{call}: Python says {value!r}, the machine {run.exception or repr(run.value)}")
