"""PyX: the corpus pipeline, from any pile of Python to checked rows."""

from semcoder.pyx.build import build, collect
from semcoder.pyx.config import BuildConfig, demo_config, load_config

__all__ = ["BuildConfig", "build", "collect", "demo_config", "load_config"]
