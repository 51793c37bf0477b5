"""What stands in a model's text: the answer by the profile's marks, or code in a fence.

Guarantees: total: any text gives an answer, empty where there is none; nothing of it is run.
"""

from __future__ import annotations

import ast
import re
import warnings

from semcoder.prompts import Profile
from semcoder.prompts.profile import fill

_FENCE = re.compile(r"^```[^\n`]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
#: Characters of a text that are looked at.
MAX_TEXT = 400_000


def marked(text: str, profile: Profile) -> str | None:
    """The answer between the profile's marks, out of the fence or backticks that it may be in; None without one."""
    answer = profile.parse(text[:MAX_TEXT]).answer
    if answer is None:
        return None
    block = _FENCE.search(answer.strip() + "\n")
    return block[1] if block else answer


def code(text: str, profile: Profile, entry: str = "") -> str:
    """The program in a text: the marked answer; else of the fenced blocks the last that defines `entry`, or the first;
    else the text itself where it is a program that does."""
    answer = marked(text, profile)
    if answer is not None:
        return answer
    blocks: list[str] = _FENCE.findall(text[:MAX_TEXT] + "\n")
    fitting = [block for block in blocks if defines(block, entry)]
    if blocks:
        return (fitting or blocks[:1])[-1]
    return text if entry and defines(text[:MAX_TEXT], entry) else ""


def defines(text: str, entry: str) -> bool:
    """Whether a text is a program that defines a function or a class of that name, or any for an empty one."""
    tree = parsed(text)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return tree is not None and any(isinstance(node, kinds) and entry in ("", node.name) for node in tree.body)


def parsed(text: str) -> ast.Module | None:
    """The module that a text is, None where it is none."""
    try:
        with warnings.catch_warnings():  # of the parser, on invalid escapes
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def problem(profile: Profile, header: str, description: str, examples: str) -> str:
    """The instruction that asks for a function, in a profile's words; its template ends early without examples."""
    template = profile.problem
    if not examples:
        template = f"{template.partition('{description}')[0]}{{description}}\n{{examples}}"
    text = fill(template, header=header, description=description.strip(), examples=examples)
    return headed(profile, text)


def headed(profile: Profile, text: str) -> str:
    """A problem under the first line of its task."""
    return f"{profile.tasks.nl}\n{text}" if profile.tasks.nl else text
