"""The report: one self-contained HTML page of what a run produced, and the JSON shape that its stepper draws."""

from semcoder.report.page import build_page
from semcoder.report.shape import SHAPE_VERSION, monologue_shape, stepper_shape

__all__ = ["SHAPE_VERSION", "build_page", "monologue_shape", "stepper_shape"]
