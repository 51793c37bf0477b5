"""Benchmarks and models to scores: every verdict by execution, with intervals, and comparisons of runs.

Guarantees: a sample that could not be judged is never counted as wrong, nor as right, and how many there are is told
beside every score; a stopped run goes on where it was, and asks a model for no text twice; what is compared are the
same tasks. Verdicts are the benchmarks' own; nothing of a model's text is run here.
"""

from __future__ import annotations

from semcoder.evaluation.compare import compare, published
from semcoder.evaluation.config import EvalConfig, configured
from semcoder.evaluation.run import evaluate

__all__ = ["EvalConfig", "compare", "configured", "evaluate", "published"]
