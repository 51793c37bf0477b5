"""SemCoder: teaching code models what Python code does, and proving it."""

__version__ = "0.1.0"
