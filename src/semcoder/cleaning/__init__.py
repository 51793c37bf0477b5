"""Cleaning: what must not be in a data set twice, and what of it is a benchmark's.

Guarantees: a program that holds a benchmark's function is found whatever its names, layout, comments, docstrings or
annotations are; what is called a near duplicate has the wanted similarity to a program that stays, and names it.
It does not see through rewriting: another algorithm for a benchmark's problem is not found, nor a translation of its
description. No text of a benchmark leaves this room: what is reported are task ids.
"""

from semcoder.cleaning.benchmarks import Benchmark, Task, file_hashes, find_files, read_benchmark, read_benchmarks
from semcoder.cleaning.screen import Hit, Screen, Screened

__all__ = [
    "Benchmark",
    "Hit",
    "Screen",
    "Screened",
    "Task",
    "file_hashes",
    "find_files",
    "read_benchmark",
    "read_benchmarks",
]
