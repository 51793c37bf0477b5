"""Inputs (and, later, bugs) from programs: what a parameter wants, values for it, and mutations of calls that work."""

from semcoder.mutation.inputs import InputFinder, propose, refine
from semcoder.mutation.types import Parameter, Shape, infer

__all__ = ["InputFinder", "Parameter", "Shape", "infer", "propose", "refine"]
