"""Backward solving: an input of a program that produces a wanted output, found by reasoning, then by search."""

from semcoder.monologue.solving.notes import Note
from semcoder.monologue.solving.solver import Found, Run, find_input

__all__ = ["Found", "Note", "Run", "find_input"]
