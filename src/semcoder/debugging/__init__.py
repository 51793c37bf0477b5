"""Debugging: first divergences, suspects, repair rows, the rubber duck, refinement."""
