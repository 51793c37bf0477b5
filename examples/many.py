"""Many small untrusted programs: their outcomes as data, and tests that never share a process with what they judge."""

from semcoder.core import Invocation, Program
from semcoder.sandbox import Check, Checkers, Limits, Sandbox, run_many

CANDIDATES = [
    "def double(x): return x * 2",
    "def double(x): return x ** 2",
    "def double(x):\n    while True: pass",
    "import os\ndef double(x): os._exit(0)",
    "class Any:\n    def __eq__(self, other): return True\ndef double(x): return Any()",
]
TESTS = "assert double(2) == 4\nassert double(21) == 42\n"
LIMITS = Limits(cpu_s=0.5)

if __name__ == "__main__":
    with Sandbox() as box:
        programs = ((Program(source, "double"), [Invocation("double(21)")]) for source in CANDIDATES)
        for place, (outcome,) in sorted(run_many(box, programs, LIMITS)):
            print(place, outcome.status, outcome.value.display() if outcome.value else outcome.detail)
    with Checkers() as checkers:
        checks = (Check(source, TESTS, "double", limits=LIMITS) for source in CANDIDATES)
        for place, score in sorted(checkers.run(checks), key=lambda pair: pair[0]):
            print(place, "passed" if score.passed else f"did not pass: {score.reason}")
