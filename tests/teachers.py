"""Teachers for tests of synthesis: models whose answers depend on the request alone, and a small world of them."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from semcoder.core import Origin, Program
from semcoder.core.files import full_document, write_jsonl
from semcoder.models import Completion, Reply, Request
from semcoder.monologue import style
from semcoder.tracing import trace_here

#: Behaviours of the teacher, one per seed; the seed's function is `seed_NAME`, the problem's `task_NAME`.
WORLD = (
    "good",
    "majority",
    "repaired",
    "syntax",
    "never",
    "disagreeing",
    "exits",
    "files",
    "processes",
    "equals",
    "generator",
    "random",
    "hashes",
    "endless",
    "prints",
    "prose",
    "blocks",
    "bare",
    "empty",
    "unstated",
    "restated",
    "twin",
    "constant",
)


class Scripted:
    """A model that answers by a function of the request, several at a time, the last asked first."""

    name = "scripted"

    def __init__(self, answer: Callable[[Request], str | Reply], *, room: int = 4, pause: float = 0.0) -> None:
        self._answer = answer
        self._room = room
        self._pause = pause
        self.asked: list[Request] = []

    def generate(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        flying: deque[tuple[int, Request]] = deque()
        incoming = enumerate(requests)
        while True:
            while len(flying) < self._room:
                pair = next(incoming, None)
                if pair is None:
                    break
                flying.append(pair)
            if not flying:
                return
            place, request = flying.pop()
            self.asked.append(request)
            time.sleep(self._pause)
            answer = self._answer(request)
            yield place, answer if isinstance(answer, Reply) else reply(answer)


def reply(text: str) -> Reply:
    return Reply((Completion(text),), prompt_tokens=100, completion_tokens=len(text.split()))


def seed_source(name: str) -> str:
    return f"def seed_{name}(numbers):\n    return sorted(numbers)\n"


def seeds_of(folder: Path, names: tuple[str, ...]) -> Path:
    """A folder as `semcoder collect` leaves it, with one seed per behaviour of the teacher."""
    rows = []
    for name in names:
        program = Program(seed_source(name), f"seed_{name}", Origin("folder", "project"), "MIT")
        rows.append({"id": program.id, "program": full_document(program), "known": []})
    write_jsonl(folder / "programs.jsonl", rows)
    return folder


def files(out: Path) -> dict[str, bytes]:
    names = ["programs.jsonl", "drops.jsonl", "manifest.json", "config.json"]
    return {name: (out / name).read_bytes() for name in names} | {
        path.name: path.read_bytes() for path in sorted((out / "rows").iterdir())
    }


def answer(request: Request) -> str | Reply:
    """What the world's teacher says."""
    question = request.messages[1].content
    seed = re.search(r"def seed_(\w+)\(", question)
    if seed is not None:
        return problem(seed[1], len(request.messages))
    name = re.findall(r"task_(\w+)\(", question)[0]
    number = (request.sampling.seed or 0) % 10
    faults = [message.content for message in request.messages[2:] if message.role == "user"]
    return solution(name, number, faults)


def problem(name: str, turns: int) -> str:
    if name == "unstated":
        return "I am sorry, I cannot think of a problem."
    if name == "restated" and turns == 2:
        return "Sure! A problem about sums would be nice."
    task = "good" if name == "twin" else name
    return (
        "[PROBLEM]\nGiven a list of whole numbers and a limit, add up the numbers that are not above the limit, each "
        f"of them twice if it is even, and give the sum.\n[/PROBLEM]\n[FUNCTION]\ntask_{task}(numbers, limit)\n[/FUNCTION]"
    )


_BODIES = (
    """    total = 0
    for n in numbers:
        if n <= limit:
            total += n * 2 if n % 2 == 0 else n
    return total
""",
    """    total = 0
    for number in numbers:
        if number > limit:
            continue
        total += number
        if number % 2 == 0:
            total += number
    return total
""",
    """    chosen = []
    for number in numbers:
        if number <= limit:
            chosen.append(number)
            if not number % 2:
                chosen.append(number)
    return sum(chosen)
""",
)
INPUTS = ("[1, 2, 3, 4], 3", "[], 5", "[-2, 7, 8], 7", "[5, 5], 1")


def form(name: str, body: str, *, inputs: Iterable[str] = INPUTS, imports: str = "") -> str:
    """An answer in the form that is asked for."""
    calls = "\n".join(f"task_{name}({given})" for given in inputs)
    code = f"{imports}def task_{name}(numbers, limit):\n{body}"
    return f"[PLAN]\nGo over the numbers and add.\n[/PLAN]\n```python\n{code}```\n[INPUTS]\n{calls}\n[/INPUTS]"


def _replaced(name: str, old: str, new: str, imports: str = "") -> str:
    return form(name, _BODIES[0].replace(old, new), imports=imports)


def solution(name: str, number: int, faults: list[str]) -> str | Reply:
    good = form(name, _BODIES[number % 3], inputs=INPUTS[number % 2 :])
    told = faults[-1] if faults else ""
    loop = "    for n in numbers:\n"
    match name:
        case "majority":
            return form(name, "    return 0 if limit else 1\n" if number == 1 else _BODIES[number])
        case "repaired":
            return good if "NameError" in told else _replaced(name, "return total", "return totl")
        case "syntax":
            return good if "syntax error at line 2" in told else _replaced(name, "total = 0", "total = = 0")
        case "never":
            return _replaced(name, "return total", "return lost")
        case "disagreeing":
            return _replaced(name, "return total", f"return total + {number}")
        case "exits":
            return _replaced(name, loop, "    import sys\n    sys.exit(0)\n" + loop)
        case "files":
            return _replaced(
                name, loop, "    try:\n        open('/etc/passwd')\n    except OSError:\n        pass\n" + loop
            )
        case "processes":
            return _replaced(
                name,
                loop,
                "    try:\n        os.system('true')\n    except OSError:\n        pass\n" + loop,
                "import os\n",
            )
        case "equals":
            same = "class Same:\n    def __eq__(self, other):\n        return True\n    def __hash__(self):\n        return 1\n\n"
            return _replaced(name, "return total", "return Same()", same)
        case "generator":
            return _replaced(name, "return total", "yield total")
        case "random":
            return _replaced(name, "total = 0", "total = random.random()", "import random\n")
        case "hashes":
            return _replaced(name, "return total", "return list({str(n) for n in range(total + 9)})")
        case "endless":
            return _replaced(name, loop, "    while limit or not limit:\n        pass\n" + loop)
        case "prints":
            return good if "prints" in told else _replaced(name, "return total", "print(total)\n    return total")
        case "prose":
            return good if "no code block" in told else "One adds up the numbers in a loop, of course."
        case "blocks":
            return f"A draft:\n```\ndef task_{name}(numbers, limit):\n    return None\n```\nBetter:\n{good}\nRun it:\n```bash\npython x.py\n```"
        case "bare":
            code = f"def task_{name}(numbers, limit):\n{_BODIES[number % 3]}"
            return code + "\n".join(f"assert task_{name}({given}) is not None" for given in INPUTS)
        case "empty":
            return ""
        case "constant":
            return form(name, "    total = 0\n    for n in numbers:\n        total += n * 0\n    return total\n")
    return good


# -- monologues


def told(request: Request) -> str | Reply:
    """The world's teacher, who also tells executions: the first try of each has one wrong step."""
    question = request.messages[-1].content
    if "[PYTHON]" not in question or len(request.messages) < 4:
        return answer(request)
    source = "\n".join(line[6:] for line in re.findall(r"^ *\d+ \|.*$", question, re.MULTILINE)) + "\n"
    asked = question.rsplit("\nassert ", 1)[1]
    call = asked.removesuffix(" == ??") if asked.endswith(" == ??") else _found(source, *asked.split("(??) == ", 1))
    trace = trace_here(source, call)
    text = style("forward").render(trace).text
    if not request.sampling.seed:
        text = text.replace("is false", "is TRUE").replace("is true", "is false").replace("is TRUE", "is true")
    assert trace.outcome.value is not None
    return f"[MONOLOGUE]\n{text}\n[/MONOLOGUE]\n[ANSWER]assert {call} == {trace.outcome.value.literal()}[/ANSWER]"


def _found(source: str, entry: str, output: str) -> str:
    """A call with that output: the world's tasks all do the same."""
    wanted = int(output)
    for numbers in ([wanted], [wanted // 2], [wanted // 2 - 1, 2], [wanted - 1, 1]):
        call = f"{entry}({numbers}, {abs(wanted) + 9})"
        value = trace_here(source, call).outcome.value
        if value is not None and value.literal() == output:
            return call
    return f"{entry}([], 0)"
