"""Monologues: executions told in plain English, and checked."""
