"""Real calls of a user's own functions, kept while the user's program or test suite runs.

`host` starts the command and gathers what its processes left; everything else runs inside those processes: `boot` gets
in through the environment, `monitor` (Python 3.12 and newer) or `inject` (3.11) sees calls, `keeper` keeps them.

Guarantees: the command's exit code and streams are its own; a fault of the recorder ends the recording, never the
program; calls are texts of literals, the arguments as they were before the call.
It does not promise that a kept call gives its kept result when it is run again: whoever uses them runs them. The
program is not contained in any way: it is the user's own.

What runs inside the user's processes is of the standard library and `semcoder.core` alone.
"""
