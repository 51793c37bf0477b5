"""What the teacher is asked, word for word: problems, solutions, repairs, monologues with worked examples.

Guarantees: nothing of a benchmark is in here; the worked examples are our own (`semcoder.pyx.synth.worked`). `PROMPTS`
names the wording, so that a folder is not gone on with in other words.
"""

from __future__ import annotations

from collections.abc import Sequence

from semcoder.core import Direction, content_id
from semcoder.models import Message
from semcoder.pyx.synth.worked import EXAMPLES, Example, ask_to_tell

_RULES = """\
- concise: two to six sentences that say exactly what is given and what is to come out, edge cases too;
- self-contained: nothing else needs to be known, and nothing else is looked up;
- not trivial: solving it needs loops or branches, and a state that changes on the way;
- about one function of one to three parameters, which takes and returns plain data (numbers, text, booleans, None,
  lists, tuples, sets, dicts) and gives the same result for the same arguments in every run;
- free of keyboard input, printing, files, databases, network, processes, clock, chance, and packages outside Python's
  standard library."""

_INVENTOR = "You invent small programming problems for people who learn how Python code behaves."

_INVENT = f"""\
Here is some Python code. Take an idea from it (a technique, a shape of data, a kind of rule), and not its task.

```python
{{seed}}
```

Invent one new programming problem in the spirit of that idea. It must be
{_RULES}

"""

_AS_TEXT = """\
Answer in this form, and with nothing else:

[PROBLEM]
the problem, without any code
[/PROBLEM]
[FUNCTION]
name_of_the_function(first_parameter, second_parameter)
[/FUNCTION]"""

_AS_STUB = """\
Answer with one code block and nothing else. In it is the function's signature with type hints, a docstring that states
the whole problem, and ... in place of the body:

```python
def name_of_the_function(first_parameter: int) -> int:
    \"\"\"The problem.\"\"\"
    ...
```"""

_SOLVER = "You solve programming problems in Python. You think first, and then write code that runs."

_SOLVE = """\
{problem}

Solve it in three parts, in this order and this form:

[PLAN]
what the problem asks for, and the steps of a solution, in a few sentences
[/PLAN]
```python
the whole program: imports of the standard library, helpers if there are any, and the function; no calls of it
```
[INPUTS]
{inputs} calls of the function, one a line, with literals as arguments, such as {entry}(...)
[/INPUTS]

The calls must be different in kind, edge cases among them, and fit the problem: each must return a value, not raise an
exception. Keep their data short. The function returns its result and prints nothing."""

_KEEP_STUB = "Keep the signature and the docstring as they are."

_REPAIR = """\
That does not run: {fault}

Find the cause and repair it. Then answer again in full and in the same form: plan, whole program, calls."""

_REPEAT = """\
That answer cannot be used: {fault}

Answer again in full, in the form that was asked for."""

_TELLER = {
    "forward": """\
You explain how a Python program runs. You get numbered code and a call, and find out what the call returns by following
the execution. Write plain English:
1. Say in a sentence or two what the function is for, and what always holds of its result.
2. Follow the execution of this call in order, and leave no step out: for each line that changes something, name the
   line and the value that the variable then has; for each condition, name the line and say whether it is true or false;
   take loops iteration by iteration, by number.
3. Say what is returned.
Write variables, code and values between backticks, values as Python writes them. State nothing that you have not worked
out. Put this between [MONOLOGUE] and [/MONOLOGUE], and then the assert with the value in place of ?? between [ANSWER]
and [/ANSWER].""",
    "backward": """\
You reason from what a Python program returned back to an input. You get numbered code and a returned value, and find
arguments of a call that returns exactly this value; any such call is right. Write plain English:
1. Say in a sentence or two what the function is for, and what always holds of its result.
2. Go from the value back to the parameters: what must have held before the return, and before that; where many earlier
   states are possible, say what they must have in common.
3. Settle on one concrete call, with literals as arguments, and follow its execution in order as a check: the lines, the
   values of variables, the conditions, the iterations of loops by number, and the value that is returned.
Write variables, code and values between backticks, values as Python writes them. State nothing that you have not worked
out. Put this between [MONOLOGUE] and [/MONOLOGUE], and then the assert with the arguments in place of ?? between
[ANSWER] and [/ANSWER].""",
}


def ask_for_problem(seed: str, *, signature_first: bool) -> tuple[Message, ...]:
    """The conversation that ends with a problem: as text, or as a signature with a docstring."""
    form = _AS_STUB if signature_first else _AS_TEXT
    return Message("system", _INVENTOR), Message("user", _INVENT.format(seed=seed.strip()) + form)


def ask_for_solution(problem: str, entry: str, inputs: int, *, stub: bool) -> tuple[Message, ...]:
    """The conversation that ends with plan, code and test inputs. `problem`: its text, and the header or stub."""
    text = _SOLVE.format(problem=problem, inputs=inputs, entry=entry)
    return Message("system", _SOLVER), Message("user", f"{text} {_KEEP_STUB}" if stub else text)


def ask_for_repair(fault: str) -> str:
    """What follows on code that did not run."""
    return _REPAIR.format(fault=fault)


def ask_again(fault: str) -> str:
    """What follows on an answer that could not be read."""
    return _REPEAT.format(fault=fault)


def ask_for_monologue(direction: Direction, source: str, call: str, output: str) -> tuple[Message, ...]:
    """The conversation, worked examples first, that ends with a monologue. `output`: literal text."""
    turns: list[Message] = [Message("system", _TELLER[direction])]
    for example in _examples(direction):
        turns += [Message("user", example.question), Message("assistant", example.answer)]
    return (*turns, Message("user", ask_to_tell(direction, source, call, output)))


def _examples(direction: Direction) -> Sequence[Example]:
    return [example for example in EXAMPLES if example.direction == direction]


#: A name for the wording of all prompts.
PROMPTS = content_id(
    _INVENTOR, _INVENT, _AS_TEXT, _AS_STUB, _SOLVER, _SOLVE, _KEEP_STUB, _REPAIR, _REPEAT,
    sorted(_TELLER.items()), [[e.question, e.answer] for e in EXAMPLES],
)  # fmt: skip
