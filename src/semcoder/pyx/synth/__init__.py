"""Programs, descriptions and monologues by a teacher (a language model), kept only where execution bears them out.

Guarantees: what the teacher writes is data until it runs in the sandbox; a program is kept if solutions written apart
do the same on each other's test inputs, a monologue if its answer is right and none of its claims is false. See
docs/synth.md, and docs/design/pipeline.md for how it decides.
"""

from semcoder.pyx.synth.config import SynthConfig
from semcoder.pyx.synth.converse import Unanswered
from semcoder.pyx.synth.monologues import Telling, annotate
from semcoder.pyx.synth.run import open_teacher, synthesise

__all__ = ["SynthConfig", "Telling", "Unanswered", "annotate", "open_teacher", "synthesise"]
