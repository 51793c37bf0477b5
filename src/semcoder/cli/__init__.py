"""The command line: `semcoder COMMAND`, a thin face over the Python one.

Guarantees: what a person asked for goes to stdout, everything else to stderr; an error of `semcoder.errors`, a usage
error, Ctrl-C and an unexpected exception each become one line on stderr and an exit code of `docs/cli.md`; a traceback
of this package is printed only where the environment variable SEMCODER_DEBUG is set.
It does not hide what a judged program did: that is a result, and each command says how it reports it.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence

from semcoder.errors import SemcoderError

EXIT_BUG = 70
EXIT_IO = 74
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code. `argv`: without the program's name."""
    sys.exit(run_command(argv))


def run_command(argv: Sequence[str] | None = None) -> int:
    """The one error boundary: the exit code of a command line, with at most one line of error on stderr."""
    _prepare_streams()
    try:
        code = _attempt(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt:  # while the command line itself was being loaded, or while an error was being told
        code = _say("interrupted", EXIT_INTERRUPTED)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _pipe_closed()
    except OSError as error:
        _drop_stdout()
        code = _error(f"the results cannot be written: {error.strerror or error}", EXIT_IO)
    return code


def _attempt(argv: list[str]) -> int:
    from typer import Abort, TyperException

    from semcoder.cli.app import Interrupted, PipeClosed, invoke

    try:
        return invoke(argv)
    except SemcoderError as error:
        return _error(str(error), error.exit_code)
    except TyperException as error:
        return _error(_usage_text(error, argv), 2)
    except (Interrupted, Abort):
        return _say("interrupted", EXIT_INTERRUPTED)
    except (BrokenPipeError, PipeClosed):
        return _pipe_closed()
    except OSError as error:
        _debug()
        if error.filename:
            return _error(f"{error.filename}: {error.strerror or error}", 2)
        _drop_stdout()
        return _error(f"{error.strerror or error}", EXIT_IO)
    except Exception as error:
        _debug()
        cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        advice = "please report it (SEMCODER_DEBUG=1 shows where)"
        return _error(f"this is a bug in semcoder, {advice}: {cause}", EXIT_BUG)


def _usage_text(error: Exception, argv: Sequence[str]) -> str:
    from semcoder.cli.app import command_names

    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    message = message.replace("Value error, ", "").rstrip(".?")
    command = next((word for word in argv if word in command_names()), "")
    return f"{message}; see: semcoder {command + ' ' if command else ''}--help"


def _debug() -> None:
    if os.environ.get("SEMCODER_DEBUG"):
        traceback.print_exc()


def _error(message: str, code: int) -> int:
    return _say(f"error: {message}", code)


def _say(message: str, code: int) -> int:
    from semcoder.cli.printing import note

    note(message)
    return code


def _prepare_streams() -> None:
    """Text that the terminal's encoding lacks is escaped, never an error; logs are lines of ours on stderr."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    log = logging.getLogger("semcoder")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_LogFormat("semcoder: %(levelname)s: %(message)s"))
        log.addHandler(handler)
        log.propagate = False


class _LogFormat(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace(record.levelname, record.levelname.lower(), 1)


def _pipe_closed() -> int:
    """The reader of our output has gone, which is its right: no word, and the code that a signal would have given."""
    _drop_stdout()
    return EXIT_PIPE_CLOSED


def _drop_stdout() -> None:
    """What is still buffered must not fail again when the interpreter flushes it at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
