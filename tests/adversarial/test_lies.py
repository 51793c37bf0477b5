"""Attacks on the verdict: whatever a program does to its own process, it speaks for itself alone, and never as the host."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job, run_program
from tests.adversarial.attacking import ANY_END, HONEST, attack, descriptors, returned

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="the sandbox is the Linux kernel's")

# Endings from odd places --------------------------------------------------------------------------------------------

PLACES = {
    "the call": "def f(): raise {e}",
    "a finalizer": "class D:\n    def __del__(self): raise {e}\ndef f():\n    D()\n    return 1",
    "a thread": "import threading\ndef g(): raise {e}\ndef f():\n    t = threading.Thread(target=g); t.start(); t.join()\n    return 1",
    "the end of the process": "import atexit\ndef g(): raise {e}\natexit.register(g)\ndef f(): return 1",
    "a weak reference": "import weakref\nclass A: pass\ndef g(*_): raise {e}\ndef f():\n    a = A(); r = weakref.ref(a, g); del a\n    return 1",
    "a collection": "import gc\ndef g(*_): raise {e}\ndef f():\n    gc.callbacks.append(g); gc.collect()\n    return 1",
    "a signal": "import signal, os\ndef g(*_): raise {e}\ndef f():\n    signal.signal(10, g); os.kill(os.getpid(), 10)\n    return 1",
    "a generator that is closed": "def g():\n    try: yield\n    finally: raise {e}\ndef f():\n    i = g(); next(i); del i\n    return 1",
    "a trace function": "import sys\ndef g(*_): raise {e}\ndef h(): pass\ndef f():\n    sys.settrace(g); h()\n    return 1",
    "a profiler": "import sys\ndef g(*_): raise {e}\ndef f():\n    sys.setprofile(g); len('')\n    return 1",
    "an audit hook": "import sys\ndef g(*_): raise {e}\ndef f():\n    sys.addaudithook(g); open('/dev/null')\n    return 1",
    "the exception's text": "class E(Exception):\n    def __str__(self): raise {e}\ndef f(): raise E",
    "standard output": "import sys\nclass W:\n    def write(self, text): raise {e}\ndef f():\n    sys.stdout = W(); print(1)\n    return 1",
    "the import of the program": "raise {e}\ndef f(): pass",
    "an exception group": "def f(): raise BaseExceptionGroup('', [{e}()])",
    "a hook for exceptions": "import sys\ndef g(*_): raise {e}\nsys.excepthook = sys.unraisablehook = g\ndef f(): raise {e}",
    "comparison of the result": "class R(list):\n    def __eq__(self, o): raise {e}\n    __len__ = __iter__ = __hash__ = __eq__\ndef f(): return R()",
}


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "MemoryError", "RecursionError"])
@pytest.mark.parametrize("place", PLACES)
def test_endings_from_odd_places(sandbox: Sandbox, place: str, error: str) -> None:
    outcome = attack(sandbox, PLACES[place].replace("{e}", error))
    allowed = {"returned", "raised", {"SystemExit": "exited", "MemoryError": "memory"}.get(error, "raised")}
    # These go on after the call, or come while it is reported.
    if place in ("a trace function", "a profiler", "an audit hook", "a collection", "the exception's text"):
        allowed |= {"exited", "memory", "invalid"}
    assert outcome.status in allowed, outcome


def test_exit_status_zero_is_no_pass_from_anywhere(sandbox: Sandbox) -> None:
    for body in (
        "import os; os._exit(0)",
        "import ctypes; ctypes.CDLL(None)._exit(0)",
        "import ctypes; ctypes.CDLL(None).exit(0)",
        "import ctypes; ctypes.CDLL(None).quick_exit(0)",
        "import ctypes; ctypes.pythonapi.Py_Exit(0)",
        "import threading, os; threading.Thread(target=os._exit, args=(0,)).start(); threading.Event().wait()",
        "import signal, os; signal.signal(14, lambda *_: os._exit(0)); signal.setitimer(0, 0.001); signal.pause()",
    ):
        outcome = attack(sandbox, f"def f():\n    {body}")
        assert outcome.status == "exited", (body, outcome)
        assert outcome.value is None


CRASHES = {
    "a null pointer": "ctypes.string_at(0)",
    "a wild jump": "ctypes.CFUNCTYPE(None)(1)()",
    "a broken object": "ctypes.memset(id(object), 0xff, 64); [object() for _ in range(10)]",
    "an illegal instruction": "jump(b'\\x0f\\x0b')",
    "a trap": "jump(b'\\xcc')",
    "a division": "jump(b'\\x31\\xc9\\xf7\\xf1')",
    "a fatal error": "ctypes.pythonapi.Py_FatalError(b'over')",
    "abort": "ctypes.CDLL(None).abort()",
    "a lost lock": "ctypes.pythonapi.PyEval_SaveThread(); ctypes.pythonapi.PyErr_Clear()",
    "bad code": "exec((lambda: 0).__code__.replace(co_code=b'\\x64\\xff' * 99))",
    "its own channel closed": "__import__('os').close(3)",
}


@pytest.mark.parametrize("name", CRASHES)
def test_crashes_are_reported_as_such(sandbox: Sandbox, name: str) -> None:
    if "jump" in CRASHES[name] and platform.machine() != "x86_64":
        pytest.skip("machine code of x86_64")
    source = f"""
        import ctypes, mmap
        def jump(code):
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(code)
            ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        def f():
            {CRASHES[name]}
    """
    outcome = attack(sandbox, source)
    assert outcome.status == "exited", outcome
    assert outcome.value is None
    assert outcome.detail


# Its own frames and memory --------------------------------------------------------------------------------------------

GRASPS = {
    "frames": """
        frame = sys._getframe()
        while frame:
            for name, value in list(frame.f_locals.items()):
                if type(value).__name__ == "_Channel": channel.append(value)
            frame = frame.f_back
    """,
    "the collector": """
        channel[:] = [o for o in gc.get_objects() if type(o).__name__ == "_Channel"]
    """,
    "referrers": """
        module = sys.modules["semcoder.sandbox.child"]
        channel[:] = [o for o in gc.get_referrers(module._Channel) if type(o).__name__ == "_Channel"]
    """,
    "a thread's stack": """
        def look():
            for top in sys._current_frames().values():
                while top:
                    channel.extend(v for v in top.f_locals.values() if type(v).__name__ == "_Channel")
                    top = top.f_back
        import threading
        thread = threading.Thread(target=look); thread.start(); thread.join()
    """,
}


@pytest.mark.parametrize("way", GRASPS)
def test_who_holds_the_channel_forges_its_own_answers_only(sandbox: Sandbox, way: str) -> None:
    """The program gets at the very object that sends, and sends another answer for each of its calls to come."""
    source = f"""
import gc, json, sys
channel = []
def f(n):
{textwrap.indent(textwrap.dedent(GRASPS[way]), "    ")}
    kind = type(channel[0])
    honest = kind.send
    def send(self, body):
        doc = json.loads(body)
        doc["data"]["value"] = {{"ref": "forged", "nodes": []}}
        honest(self, json.dumps(doc).encode())
    kind.send = send
    return n
"""
    hostile = program_job(Program(source, "f"), [Invocation(f"f({n})") for n in range(3)])
    beside = program_job(HONEST, [Invocation("f(1)")] * 3)
    found = dict(sandbox.execute_many([hostile, beside, beside, beside]))
    for place in (1, 2, 3):
        assert [outcome_of(reply).value for reply in found[place]] == [outcome_of(found[1][0]).value] * 3
        assert {returned(outcome_of(reply)) for reply in found[place]} == {"[1, 1, 1]"}
    assert {returned(outcome_of(reply)) for reply in found[0]} <= {"forged", 0, 1, 2}


REWRITES = {
    "small numbers": "ctypes.memmove(id(1) + 24, id(2) + 24, 4)",
    "a shared text": "ctypes.memset(id('n') + 48, 120, 1)",
    "None": "ctypes.memset(id(None), 1, 8)",
    "the type of lists": "ctypes.pythonapi.PyType_Modified(ctypes.py_object(list)); gc.get_referents(list.__dict__)[0]['append'] = None",
    "the dictionary of builtins": "import builtins; vars(builtins).clear()",
    "every module": "[vars(m).clear() for m in list(sys.modules.values()) if hasattr(m, '__dict__')]",
    "every list": "[o.clear() for o in gc.get_objects() if type(o) is list]",
    "every dictionary": "[o.clear() for o in gc.get_objects() if type(o) is dict]",
    "interned texts": "[ctypes.memset(id(s) + 48, 65, 1) for s in list(sys.modules) if len(s) > 3]",
    "code": "f.__code__ = (lambda: 42).__code__; json.dumps.__code__ = (lambda *a, **k: '{}').__code__",
    "the libraries' pages": "libc.mprotect(ctypes.cast(libc.write, ctypes.c_void_p).value & ~4095, 4096, 7); ctypes.memset(ctypes.cast(libc.write, ctypes.c_void_p).value, 0xC3, 1)",
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_rewriting_its_memory_changes_no_other_process(sandbox: Sandbox, rewrite: str) -> None:
    source = f"import ctypes, gc, json, sys\nlibc = ctypes.CDLL(None)\ndef f():\n    {rewrite}\n    return 7"
    for _ in range(2):
        assert attack(sandbox, source).status in ANY_END


HOOKS = {
    "trace": "sys.settrace(lambda *a: None)",
    "profile": "sys.setprofile(lambda *a: None)",
    "audit": "sys.addaudithook(lambda *a: None)",
    "audit that refuses": "sys.addaudithook(lambda *a: 1 / 0)",
    "collector": "gc.callbacks.append(lambda *a: None)",
    "finalizers": "weakref.finalize(sys, print, 'late')",
    "exceptions": "sys.excepthook = sys.unraisablehook = threading.excepthook = None",
    "display": "sys.displayhook = sys.stdout = sys.__stdout__ = None",
    "imports": "sys.meta_path.clear(); sys.path_hooks.clear(); sys.path_importer_cache.clear()",
    "async": "sys.set_asyncgen_hooks(lambda *a: 1 / 0, lambda *a: 1 / 0)",
    "recursion": "sys.setrecursionlimit(50)",
    "switching": "sys.setswitchinterval(100)",
    "threads": "threading.settrace(lambda *a: None); threading.setprofile(lambda *a: None)",
    "locale": "__import__('locale').setlocale = None; __import__('decimal').getcontext().prec = 1",
    "random": "__import__('random').seed(0)",
    "folder": "os.chdir('/usr')",
    "mask": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
    "file mode": "os.chdir('/'); os.environ.clear()",
    "no collection": "gc.disable(); gc.freeze()",
    "tracemalloc": "__import__('tracemalloc').start()",
    "fault handler": "__import__('faulthandler').dump_traceback_later(0.01, repeat=True, file=3)",
    "no time": "time.time = time.perf_counter = time.process_time = time.monotonic = lambda: 0",
    "back in time": "time.perf_counter = time.process_time = lambda: float('-inf')",
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_what_is_left_switched_on_is_gone_with_the_process(sandbox: Sandbox, hook: str) -> None:
    source = f"import gc, os, signal, sys, threading, time, weakref\ndef f():\n    {hook}\n    return [7]"
    outcome = attack(sandbox, source)
    assert outcome.status in ANY_END
    assert outcome.status != "returned" or outcome.value is not None


@pytest.mark.parametrize("action", ["1 / 0", "os._exit(0)", "os.write(3, b'spam')", "os.close(3)", "sys.exit(0)"])
def test_alarms_that_go_off_while_the_result_is_sent(sandbox: Sandbox, action: str) -> None:
    source = f"""
        import os, signal, sys
        def alarm(*_):
            {action}
        def f():
            signal.signal(signal.SIGALRM, alarm)
            signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
            return list(range(200_000))
    """
    for _ in range(3):
        outcome = attack(sandbox, source)
        assert outcome.status in ("returned", "raised", "exited", "output_limit", "timeout"), outcome
        assert outcome.value is None or outcome.value.to_python() == list(range(200_000))


EQUALS = "class Same:\n    __eq__ = __lt__ = __le__ = __ge__ = __gt__ = __contains__ = lambda *_: True\n    __ne__ = lambda *_: False\n    __hash__ = lambda s: 0\n    __bool__ = __call__ = lambda *_: True\n    __class__ = property(lambda s: int)\n    __reduce__ = __repr__ = __str__ = lambda s: '5'\n    __index__ = __int__ = lambda s: 5\n"


@pytest.mark.parametrize(
    "result", ["Same()", "[Same()]", "type('Five', (int,), {'__eq__': lambda *_: True, '__hash__': lambda s: 5})(6)"]
)
def test_an_object_that_equals_everything_equals_no_expected_value(sandbox: Sandbox, result: str) -> None:
    outcome = attack(sandbox, f"{EQUALS}def f(): return {result}")
    assert outcome.status == "returned"
    assert outcome.value is not None
    for expected in ("f5()", "[5]", "5", "True", "6", "[True]"):
        (truth,) = run_program(sandbox, Program("def f5(): return 5", "f5"), [Invocation(expected)])
        assert truth.value is not None
        assert outcome.value != truth.value


def test_forged_names_and_texts_cannot_take_over_a_terminal(sandbox: Sandbox) -> None:
    """What is shown of a value is printable, also where the program wrote the frame itself."""
    evil = "\\u001b[2J\\n\\u202e"
    node = f'["opaque",0,"{evil}","{evil}"]'
    body = '{"item":0,"status":"returned","detail":"","usage":[0,0,0],"data":{"status":"returned","value":{"ref":[0],"nodes":[%s]}}}'
    source = f"""
        import os
        def f():
            body = {(body % node)!r}.encode()
            os.write(3, len(body).to_bytes(4, "big") + body)
    """
    outcome = attack(sandbox, source)
    assert outcome.status == "exited" or (outcome.value is not None and outcome.value.display().isprintable()), outcome


# Inputs that carry code ----------------------------------------------------------------------------------------------

INPUTS = [
    "f(__import__('os').system('touch {path}'))",
    "f(open('{path}', 'w').write('x'))",
    "f(__import__('subprocess').run(['touch', '{path}']))",
    "f([c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Quitter'][0].__init__.__globals__['sys'].modules['os'].mkdir('{path}'))",
    "f(exec('import os; os.mkdir(\"{path}\")'))",
    "(lambda: __import__('pathlib').Path('{path}').touch())()",
    "f(__import__('socket').create_connection(('127.0.0.1', 1)))",
    "f(globals().update(f=lambda x: 42)) or f(1)",
]


@pytest.mark.parametrize("call", INPUTS)
def test_an_input_that_carries_code_runs_inside_only(sandbox: Sandbox, tmp_path: Path, call: str) -> None:
    path = tmp_path / "planted"
    outcome = attack(sandbox, "def f(x): return x", call=call.format(path=path))
    assert outcome.status in ("raised", "returned")
    assert "touched" in outcome.detail or "globals" in call, outcome
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("kind", ["setup", "stdin"])
def test_code_in_set_up_lines_and_standard_input_runs_inside_only(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    evil = f"open({str(tmp_path / 'planted')!r}, 'w')"
    if kind == "setup":
        (outcome,) = run_program(sandbox, Program("def f(): pass", "f"), [Invocation("f()", setup=evil)])
    else:
        (outcome,) = run_program(sandbox, Program("exec(input())", ""), [Invocation(evil, "stdin")])
    assert outcome.exception is not None
    assert outcome.exception.type == "PermissionError"
    assert outcome.detail == "touched: open"
    assert not os.listdir(tmp_path)


# The control socket ---------------------------------------------------------------------------------------------------

CROWDED = """
import json, os, sys, textwrap
from semcoder.core import Invocation, Program
from semcoder.sandbox import Limits, Sandbox, outcome_of, program_job, run_program
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(600)]
looking = '''
import os
def f(): return [fd for fd in range(2000) if alive(fd)]
def alive(fd):
    try: return bool(os.fstat(fd))
    except OSError: return False
'''
forging = '''
import json, os, threading
def alive(fd):
    try: return bool(os.fstat(fd))
    except OSError: return False
others = [fd for fd in range(4, 2000) if alive(fd)]
words = [json.dumps({"failed": serial, "detail": "forged"}).encode() for serial in range(4, 20, 2)]
def flood():
    while others:
        for word in words:
            for fd in others:
                try: os.write(fd, word)
                except OSError: pass
def f():
    import time
    threading.Thread(target=flood, daemon=True).start()
    time.sleep(0.2)
'''
with Sandbox(workers=1) as pool:
    print(run_program(pool, Program(looking, "f"), [Invocation("f()")])[0].value.to_python())
    call = [Invocation("f()")]
    jobs = [program_job(Program(source, "f"), call, Limits(cpu_s=0.5)) for source in (forging, "def f(): return 1")]
    found = dict(pool.execute_many(jobs * 3))
    print([outcome_of(found[n][0]).status for n in range(len(jobs) * 3)])
"""


def test_a_host_with_many_open_files_leaks_none_into_a_program() -> None:
    """The control socket may have a high number then; who held it could speak as the warm parent, of other programs."""
    done = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True, timeout=60, check=False)
    open_in_child, statuses = done.stdout.splitlines()
    assert open_in_child == "[0, 1, 2, 3]", done.stdout
    assert statuses == str(["returned", "returned"] * 3)


def test_descriptors_of_the_host_stay_as_they_are_through_all_this(sandbox: Sandbox) -> None:
    before = descriptors()
    for body in ("import os; os.close(3)", "import os; os._exit(1)", "while True: pass", "return 'x' * 10**8"):
        attack(sandbox, f"def f():\n    {body}", limits=Limits(cpu_s=0.1))
    assert descriptors() == before
