"""Judging a text that answers a question about an execution, wherever it comes from: a model, a reward, an evaluation.

Guarantees: nothing that a text says is trusted, and nothing of it is run but a call that it proposes, in the sandbox,
its arguments plain data by then; an answer is right only if executing the program says so. `Verdict.right` is None only
where execution could not say.
See docs/design/judging.md.
"""

from __future__ import annotations

from semcoder.judging.judge import Judge
from semcoder.judging.questions import Question, Verdict

__all__ = ["Judge", "Question", "Verdict"]
