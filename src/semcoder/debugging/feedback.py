"""What a model is told of a failing test: what the call did, in a sentence or line by line.

Guarantees: total and bounded: ten lines at most, none of them long; all of it is from an execution.
"""

from __future__ import annotations

from semcoder.core import Outcome
from semcoder.monologue import style
from semcoder.monologue.forward import called_function
from semcoder.monologue.purpose import purpose_of
from semcoder.sandbox import Limits
from semcoder.tracing import Trace

#: Of the run that is told: as the benchmarks' own tests have them.
LIMITS = Limits(cpu_s=3.0, wall_s=6.0)
#: Lines of a told execution, of which the last ones matter most; characters of one, and of what stands in a sentence.
LINES, LAST = 10, 6
MAX_LINE, MAX_PART = 200, 300

_ENDS = {
    "timeout": f"The call comes to no end within {LIMITS.cpu_s:g} seconds.",
    "memory": "The call needs more memory than it may have.",
    "output_limit": "The call prints more than it may.",
    "exited": "The call ends the program before it gives anything.",
}


def what_happened(outcome: Outcome) -> str:
    """One sentence on what a call did."""
    if outcome.status == "returned" and outcome.value is not None:
        return f"The call gives `{clipped(outcome.value.display(), MAX_PART)}`."
    if outcome.exception is not None:
        raised = outcome.exception.value.display() if outcome.exception.value is not None else str(outcome.exception)
        return f"The call raises `{clipped(raised, MAX_PART)}`."
    return _ENDS.get(outcome.status) or sentence(outcome.detail or outcome.status)


def told_lines(trace: Trace) -> list[str]:
    """An execution in the forward style, without what the function is for: how it begins, and how it ends."""
    told = style("forward").render(trace).text.splitlines()[len(purpose_of(trace.tree, called_function(trace))) :]
    lines = [clipped(line, MAX_LINE) for line in told]
    first = LINES - LAST - 1
    left_out = len(lines) - first - LAST
    return lines if len(lines) <= LINES else [*lines[:first], f"({left_out:,} lines later)", *lines[-LAST:]]


def sentence(text: str) -> str:
    """A reason as a sentence."""
    text = clipped(" ".join(text.split()), MAX_PART).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def clipped(text: str, most: int) -> str:
    """About `most` characters, cut in the middle."""
    head = most * 2 // 3
    return text if len(text) <= most else f"{text[:head]} ... {text[-(most - head) :]}"
