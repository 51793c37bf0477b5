"""Tracing construct by construct: every program here passes both oracles, and some are looked at more closely."""

from __future__ import annotations

import sys

import pytest

from semcoder.core import Invocation, Outcome
from semcoder.tracing import Trace, trace_here
from tests.inprocess import InProcess
from tests.oracle import compare_outcomes, judge

#: name -> (source, call). The names are the rows of the support table in docs/design/tracing.md.
PROGRAMS: dict[str, tuple[str, str]] = {}

#: Programs that `sys.settrace` itself disturbs (locals() before 3.13, finalizers, the recursion limit): oracle 1 alone.
OUTCOME_ONLY = {
    "exec_eval_locals",
    "locals_iter",
    "finalizer",
    "dunder_del",
    "recursion_error",
    "recursion_error_out",
    "long_sum",
    "hostile",
}


def add(name: str, source: str, call: str = "f()") -> None:
    PROGRAMS[name] = (source.lstrip("\n"), call)


add(
    "generators",
    """
def g(n):
    for i in range(n):
        x = yield i * 2
        if x: print(x)
    return "done"
def h():
    r = yield from g(3)
    yield r
def f():
    out = []
    it = g(4)
    out.append(next(it))
    out.append(it.send("hi"))
    other = g(2)
    out.append(next(other))
    out.extend(it)
    out.extend(other)
    for v in h():
        out.append(v)
    return out
""",
)
add(
    "throw_close",
    """
def g(log):
    try:
        while True:
            try:
                v = yield len(log)
                log.append(v)
            except ValueError as e:
                log.append(str(e))
            finally:
                log.append('fin')
    finally:
        log.append('closed')
def f():
    log = []
    it = g(log)
    next(it)
    it.send(1)
    it.throw(ValueError("bad"))
    x = 1
    it.close()
    y = 2
    return log
""",
)
add(
    "throw_uncaught",
    """
def g():
    a = 1
    yield a
    yield 2
def outer():
    z = 0
    yield from g()
def f():
    it = outer()
    next(it)
    try:
        it.throw(KeyError('k'))
    except KeyError as e:
        r = repr(e)
    b = [1]
    return r, b
""",
)
add(
    "comprehensions",
    """
def f(n=4):
    a = [i * j for i in range(n) for j in range(i) if i != j]
    b = {x: y for x, y in zip(a, 'abcdefgh')}
    c = {x % 3 for x in a}
    d = sum(x for x in a if x > 2)
    e = [last := x for x in range(3)]
    i = [[i for i in range(k)] for k in range(3)]
    return a, b, c, d, e, last, i
""",
)
add(
    "recursion",
    """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def f():
    return fib(6)
""",
)
add(
    "closures",
    """
def make():
    n = 0
    def inc(by=1):
        nonlocal n
        n += by
        return n
    def get(): return n
    return inc, get
def f():
    inc, get = make()
    inc(); inc(5)
    fs = [lambda x, k=k: x + k for k in range(3)]
    return get(), [g(10) for g in fs], inc()
""",
)
add(
    "classes",
    """
class Base:
    count = 0
    def __init__(self, name):
        self.name = name
        Base.count += 1
    def hello(self): return 'hi ' + self.name
    @property
    def upper(self): return self.name.upper()
    @upper.setter
    def upper(self, v):
        self.name = v.lower()
    @staticmethod
    def s(x): return x + 1
    @classmethod
    def make(cls, n): return cls(n)
class Kid(Base):
    __slots__ = ('age',)
    def __init__(self, name, age):
        super().__init__(name)
        self.age = age
    def hello(self):
        return super().hello() + '!'
    def __getattr__(self, name):
        if name.startswith('x'): return name * 2
        raise AttributeError(name)
    def __eq__(self, o): return self.age == o.age
    def __lt__(self, o): return self.age < o.age
    def __iter__(self):
        yield self.name
        yield self.age
def f():
    k = Kid('bob', 3)
    k.upper = 'ZED'
    k.age += 2
    b = Base.make('q')
    try:
        k.nope
    except AttributeError as e:
        err = str(e)
    a, c = k
    return k.hello(), k.upper, k.xx, err, list(k), a, c, sorted([k, Kid('a', 1)])[0].name, b.s(2)
""",
)
add(
    "try_return",
    """
def g(log):
    try:
        return 1
    finally:
        log.append('f')
def h():
    try:
        return 1
    finally:
        return 2
def k(log):
    for i in range(3):
        try:
            try:
                if i == 1: continue
                if i == 2: break
                log.append(i)
            finally:
                log.append('in')
        finally:
            log.append('out')
    else:
        log.append('else')
    return log
def m(log):
    try:
        try:
            raise ValueError('a')
        finally:
            log.append('x')
    except ValueError:
        log.append('y')
        try:
            return 'r'
        finally:
            log.append('z')
    finally:
        log.append('w')
def q(log):
    n = 0
    while True:
        try:
            n += 1
            if n < 3:
                continue
            return n
        finally:
            log.append(n)
            if n > 5: break
    return 0
def f():
    log = []
    return g(log), h(), k(log), m(log), q(log), log
""",
)
add(
    "with",
    """
class S:
    def __init__(self, log, name): self.log, self.name = log, name
    def __enter__(self):
        self.log.append('+' + self.name)
        return self
    def __exit__(self, t, v, tb):
        self.log.append('-' + self.name)
        return t is ValueError
def g(log):
    with S(log, 'a') as a, S(log, 'b'):
        return 5
def h(log):
    for i in range(3):
        with S(log, 'c'):
            if i == 1:
                continue
            if i == 2:
                break
            raise ValueError(i)
    x = 1
    while True:
        with S(log, 'd'):
            x += 1
        if x > 2:
            break
    with S(log, 'e'):
        raise ValueError('x')
def k(log):
    with S(log, 'f'):
        with S(log, 'g'):
            raise KeyError('x')
def f():
    log = []
    a = g(log)
    b = h(log)
    try:
        k(log)
    except KeyError as e:
        c = e.args
    return a, b, c, log
""",
)
add(
    "match",
    """
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int = 0
def g(v):
    match v:
        case 0: return 'zero'
        case [a, *rest] if len(rest) > 1:
            return a, rest
        case [a, b]:
            r = a + b
        case {'k': k, **more}:
            r = k, more
        case P(x=0, y=y) | P(x=y, y=0):
            r = y
        case str() as s:
            r = s.upper()
        case _:
            r = None
    return r
def f():
    return [g(v) for v in (0, [1, 2, 3], [1, 2], {'k': 1, 'z': 2}, P(0, 5), P(3), 'abc', 1.5)]
""",
)
add(
    "walrus_fstring",
    """
def f(xs=(1, 2, 3)):
    if (n := len(xs)) > 2:
        s = f'{n=} {n:>{n + 2}} {xs[0]!r:5} {"a" + "b"}'
    while (n := n - 1) > 0:
        s += f'{n}'
    return s
""",
)
add(
    "starargs",
    """
def g(a, /, b, *args, k=3, **kw):
    return a, b, args, k, kw
def f():
    xs = [1, 2, 3]
    d = {'z': 1, 'k': 9}
    first, *mid = *xs, 4
    return g(*xs, *mid, **d), g(b=1, *[0]), {**d, 'q': 2}, [*xs, *mid]
""",
)
DRAWS = """
def gen(n):
    for k in range(n):
        yield k
    raise ValueError("dry")
def f(mode):
    seen = []
    try:
        for a in gen(2): seen.append(a)
    except ValueError as error:
        seen.append(str(error))
    for x in (1, 2):
        try:
            for a, b in [(1, 2), (3, 4), x]:
                for c in "ab":
                    seen.append(c)
                    if c == "a":
                        continue
        except TypeError:
            seen.append("no pair")
    for k in range(3):
        if k == 1:
            break
    if mode == 1:
        for (a,
             b) in [(1, 2), (3,)]:
            seen.append(a)
    elif mode == 2:
        for a in map(int, ["1", "x"]):
            seen.append(a)
    elif mode == 3:
        for seen[a] in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
            a += 40
    return seen
"""
add(
    "loop_head_0",
    DRAWS,
    "f(0)",
)
add(
    "loop_head_1",
    DRAWS,
    "f(1)",
)
add(
    "loop_head_2",
    DRAWS,
    "f(2)",
)
add(
    "loop_head_3",
    DRAWS,
    "f(3)",
)
add(
    "loops_else",
    """
def f():
    out = []
    i = 0
    while i < 3:
        i += 1
    else:
        out.append('w')
    for x in []:
        pass
    else:
        out.append('f')
    for x in range(3):
        if x == 1: break
    else:
        out.append('no')
    while True:
        i += 1
        if i > 6: break
    for a in range(2):
        for b in range(2):
            if b: continue
            out.append((a, b))
    for c in 'ab': ...
    return out
""",
)
add(
    "augmented",
    """
class O: pass
def f():
    o = O()
    o.a = 1
    o.a += 2
    o.l = [1]
    o.l += [2]
    d = {'k': 1}
    d['k'] *= 5
    l = [[0] * 2] * 2
    l[0][1] -= 1
    m = l[0]
    m.append(3)
    del d['k'], o.a
    del m
    return o.l, d, l, hasattr(o, 'a')
""",
)
add(
    "decorators",
    """
import functools
def log(calls):
    def deco(fn):
        @functools.wraps(fn)
        def wrap(*a, **k):
            calls.append(fn.__name__)
            return fn(*a, **k)
        return wrap
    return deco
def f():
    calls = []
    @log(calls)
    @log(calls)
    def g(x):
        return x + 1
    @functools.lru_cache
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    return g(1), fib(10), calls, g.__name__
""",
)
add(
    "async",
    """
import asyncio
class CM:
    def __init__(self, log): self.log = log
    async def __aenter__(self):
        await asyncio.sleep(0)
        self.log.append('in')
        return self
    async def __aexit__(self, *a):
        await asyncio.sleep(0)
        self.log.append('out')
        return True
async def agen(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
async def work(name, log):
    for i in range(2):
        log.append((name, i))
        await asyncio.sleep(0)
    return name
async def main(log):
    r = await asyncio.gather(work('a', log), work('b', log))
    async for x in agen(3):
        log.append(x)
    else:
        log.append('else')
    async with CM(log) as c:
        log.append('body')
        raise ValueError
    ys = [y async for y in agen(2)]
    zs = [await work(k, log) for k in 'cd']
    try:
        await asyncio.wait_for(asyncio.sleep(0), 1)
    finally:
        log.append('f')
    return r, ys, zs
def f():
    log = []
    return asyncio.run(main(log)), log
""",
)
add(
    "async_by_hand",
    """
class Aw:
    def __init__(self, v): self.v = v
    def __await__(self):
        x = yield self.v
        return x
async def inner(v):
    a = await Aw(v)
    return a
async def outer():
    t = 0
    for i in range(2):
        t += await inner(i)
    return t
def f():
    c = outer()
    d = outer()
    got = [c.send(None), d.send(None)]
    got.append(c.send(10))
    got.append(d.send(20))
    try:
        c.send(5)
    except StopIteration as e:
        got.append(e.value)
    try:
        d.throw(ValueError('x'))
    except ValueError as e:
        got.append(str(e))
    return got
""",
)
add(
    "exceptstar",
    """
def g(k):
    try:
        if k: raise ExceptionGroup('g', [ValueError(1), TypeError(2), KeyError(3)])
        return 'early'
    except* ValueError as e:
        a = len(e.exceptions)
    except* (TypeError, KeyError) as e:
        b = len(e.exceptions)
    else:
        a = b = 0
    finally:
        print('fin')
    return a, b
def f():
    return g(1), g(0)
""",
)
add(
    "globals",
    """
total = 0
table = {'a': 1}
def bump(k):
    global total, fresh
    total += k
    fresh = k
    table['n'] = total
    return total
def f():
    bump(1); bump(2)
    global gone
    gone = 1
    del gone
    return total, table, fresh
""",
)
add(
    "oneline",
    """
def f(n=3):
    a = 1; b = 2; c = a + b
    if a: d = 1; e = 2
    else: d = 3
    while n: n -= 1; a += n
    for i in range(2): b += i; c += b
    x = (a +
         b *
         c)
    y = [
        i
        for i in range(3)
        if i
    ]
    try: z = 1 / 0
    except ZeroDivisionError: z = 0
    return (x,
            y, z)
""",
)
add(
    "nested_exc",
    """
class E(Exception):
    def __init__(self, n): super().__init__(n); self.n = n
def g(n):
    if n == 0: raise E(5)
    return 1 + h(n - 1) * 2
def h(n):
    t = [g(n), 1]
    return t
def f():
    try:
        return max(g(3), key=lambda v: g(0))
    except E as e:
        try:
            raise KeyError('z') from e
        except KeyError as k:
            return repr(k), repr(k.__cause__), e.n
""",
)
add(
    "raises",
    """
def g(x):
    y = x * 2
    raise ValueError(y)
def f():
    a = 1
    return g(a) + 1
""",
)
add(
    "recursion_error",
    """
def g(n):
    return g(n + 1)
def f():
    try:
        g(0)
    except RecursionError:
        return 'deep'
""",
)
add(
    "recursion_error_out",
    """
def f(n=0):
    if n == -1:
        return 0
    return 1 + f(n + 1)
""",
)
add(
    "deep_ok",
    """
def g(n):
    if n == 0:
        return [[]]
    return [g(n - 1)]
def f():
    g(100)
    def s(n): return 0 if n == 0 else 1 + s(n - 1)
    return s(900)
""",
)
add(
    "deep_setlimit",
    """
import sys
def s(n): return 0 if n == 0 else 1 + s(n - 1)
def f():
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)
    r = s(4000), sys.getrecursionlimit()
    sys.setrecursionlimit(old)
    return r
""",
)
add(
    "exec_eval_locals",
    """
def f(a=1):
    b = eval('a + 1')
    exec('c = a + b')
    d = locals()
    e = 5
    keys = sorted(d)
    for k in list(d): pass
    q = locals().get('c')
    ns = {'__builtins__': {}}
    exec('def t(x):\\n    return x + 1', ns)
    n = 0
    for k in vars():
        if n == 0: break
    return b, keys, sorted(locals()), ns['t'](3), q
""",
)
add(
    "locals_iter",
    """
def f(a=1, b=None):
    args = locals()
    out = []
    for k, v in args.items():
        out.append((k, v))
        extra = k
    return out, 'extra' in args
""",
)
add(
    "namedtuples",
    """
from collections import namedtuple, defaultdict, Counter, deque, OrderedDict
from typing import NamedTuple
from enum import Enum, IntEnum, auto, Flag
P = namedtuple('P', 'x y')
class Q(NamedTuple):
    a: int
    b: str = 'z'
class Color(Enum):
    RED = 1
    BLUE = auto()
    def low(self): return self.name.lower()
class I(IntEnum):
    ONE = 1
def f():
    p = P(1, 2)._replace(y=5)
    q = Q(3)
    c = Color.RED
    d = defaultdict(list)
    d['k'].append(p)
    n = Counter('hello')
    n['l'] += 1
    dq = deque([1, 2], maxlen=2)
    dq.append(3)
    i = I.ONE + 1
    return p.x + p.y, q, c.low(), [x.name for x in Color], dict(d), n.most_common(1), list(dq), i
""",
)
add(
    "dataclasses",
    """
from dataclasses import dataclass, field, replace
@dataclass(order=True)
class A:
    x: int
    xs: list = field(default_factory=list)
    def __post_init__(self): self.y = self.x * 2
@dataclass(frozen=True, slots=True)
class B:
    a: int = 1
def f():
    a = A(1)
    a.xs.append(2)
    b = replace(a, x=5)
    b.xs.append(3)
    try:
        B().a = 2
    except AttributeError as e:
        t = type(e).__name__
    return a, b, a < b, hash(B()), t
""",
)
add(
    "descriptors",
    """
class D:
    def __set_name__(self, owner, name): self.name = '_' + name
    def __get__(self, obj, owner=None):
        if obj is None: return self
        return getattr(obj, self.name, 0)
    def __set__(self, obj, v): setattr(obj, self.name, v * 2)
class T:
    d = D()
    __slots__ = ('_d', 'e')
def f():
    t = T()
    t.d = 4
    t.e = [t.d]
    t.d += 1
    return t.d, t.e
""",
)
add(
    "cm_gen",
    """
from contextlib import contextmanager
@contextmanager
def cm(log, n):
    log.append('+%d' % n)
    try:
        yield n
    except KeyError:
        log.append('caught')
    finally:
        log.append('-%d' % n)
def f():
    log = []
    with cm(log, 1) as a, cm(log, 2) as b:
        log.append(a + b)
    with cm(log, 3):
        raise KeyError('x')
    try:
        with cm(log, 4):
            x = 1
            raise ValueError('y')
    except ValueError:
        pass
    return log
""",
)
add(
    "cm_in_gen",
    """
class S:
    def __init__(self, log): self.log = log
    def __enter__(self): return self
    def __exit__(self, *a):
        n = len(self.log)
        self.log.append(n)
def g(log):
    with S(log):
        yield 1
        yield 2
def f():
    log = []
    it = g(log)
    next(it)
    it.close()
    it = g(log)
    next(it)
    try:
        it.throw(ValueError('x'))
    except ValueError:
        log.append('v')
    return log
""",
)
add(
    "alias",
    """
def push(l, x, seen=[]):
    l.append(x)
    seen.append(x)
    return len(seen)
def f():
    a = [1]
    b = a
    c = {'a': a, 'self': None}
    c['self'] = c
    push(b, 2)
    push(a, 3)
    a += [4]
    a = a + [5]
    t = ([],)
    try:
        t[0].append(1)
        t[0] += [2]
    except TypeError:
        pass
    return a, b, c['a'], push(b, 1), t
""",
)
add(
    "bools",
    """
class B:
    def __init__(self, v, log): self.v, self.log = v, log
    def __bool__(self):
        self.log.append(self.v)
        return self.v
def f():
    log = []
    t, u = B(True, log), B(False, log)
    if t and u: log.append(1)
    if u and t: log.append(2)
    if u or t: log.append(3)
    if not (u and t): log.append(4)
    if not (t or u) and u: log.append(5)
    if (u if t else t): log.append(6)
    x = (u and t) or t
    y = (t or u) and u
    z = t and (u and t)
    w = not u
    v = u or (t and u) or t
    while u or (u and t): pass
    assert t or u
    q = [1 for _ in 'a' if u or t and t]
    m = 1 if u and t else 2
    return log, w, q, m
""",
)
add(
    "hostile",
    """
class H:
    def __getattribute__(self, name): raise RuntimeError('no ' + name)
    def __eq__(self, o): raise RuntimeError('eq')
    def __hash__(self): raise RuntimeError('hash')
    def __repr__(self): raise RuntimeError('repr')
class C:
    @property
    def __class__(self): raise RuntimeError('class')
class M(type):
    def __eq__(self, o): raise RuntimeError('meta eq')
    def __hash__(self): raise RuntimeError('meta hash')
    def __instancecheck__(self, o): raise RuntimeError('inst')
class K(metaclass=M): pass
G = C()
HH = H()
def f():
    h = H()
    c = C()
    k = K()
    l = [h, c, k]
    d = {1: h}
    G, HH
    g = G
    x = HH
    class N:
        __module__ = 'decimal'
        def __repr__(self): raise RuntimeError('repr')
    n = N()
    s = [n]
    return len(l), len(d)
""",
)
add(
    "chain",
    """
def f(a=1, b=2, c=3):
    r = a < b < c
    if a < b > c: r = 5
    if a < b < c and not c < b: r = (r, 6)
    return r, 1 < a == b
""",
)
add(
    "genexp_lazy",
    """
def f():
    log = []
    def tick(x):
        log.append(x)
        return x * 2
    g = (tick(i) for i in range(3))
    log.append('made')
    a = next(g)
    b = list(g)
    c = sorted([3, 1, 2], key=lambda v: tick(v))
    d = any(tick(i) > 2 for i in range(10))
    e = list(map(tick, filter(lambda v: v % 2, range(4))))
    return log, a, b, c, d, e
""",
)
add(
    "iterclass",
    """
class It:
    def __init__(self, xs): self.xs = xs
    def __iter__(self): return self
    def __next__(self):
        if not self.xs: raise StopIteration
        return self.xs.pop()
def g(xs):
    while xs:
        yield xs.pop(0)
def f():
    xs = [1, 2, 3]
    out = []
    for x in It(xs):
        out.append((x, len(xs)))
    xs = [1, 2, 3]
    for x in g(xs):
        out.append((x, list(xs)))
    for k, (v, *w) in {'a': (1, 2, 3)}.items():
        out.append((k, v, w))
    for out[0] in range(2): x = out[0]
    return out
""",
)
add(
    "strict",
    """
def f():
    x: int = 5
    y: int
    'text'
    ...
    pass
    assert x, 'm'
    try:
        assert x == 6, f'{x} is not 6'
    except AssertionError as e:
        y = str(e)
    try:
        undefined
    except NameError as e:
        z = str(e)
    try:
        del q
    except UnboundLocalError as e:
        z2 = str(e)
    q = 1
    return y, z, z2
""",
)
add(
    "lambdas",
    """
def f():
    add = lambda a, b=2, *c, **d: (a + b, c, d)
    g = (lambda: (yield 5))()
    y = lambda f: (lambda x: x(x))(lambda x: f(lambda *a: x(x)(*a)))
    fact = y(lambda s: lambda n: 1 if n < 2 else n * s(n - 1))
    return add(1), add(1, 3, 4, z=5), list(g), fact(5)
""",
)
add(
    "finalizer",
    """
def g(log):
    try:
        yield 1
    finally:
        log.append('fin')
def f():
    log = []
    it = g(log)
    next(it)
    del it
    log.append('after')
    for x in g(log):
        break
    log.append('end')
    return log
""",
)
add(
    "dunder_del",
    """
class D:
    def __init__(self, log): self.log = log
    def __del__(self): self.log.append('del')
def f():
    log = []
    d = D(log)
    d = None
    log.append('after')
    return log
""",
)
add(
    "stdlib_callbacks",
    """
import functools, itertools, re, operator
def cmp(a, b):
    return (a > b) - (a < b)
def f():
    a = sorted([3, 1, 2], key=functools.cmp_to_key(cmp))
    b = functools.reduce(lambda x, y: x * y, a, 1)
    def sub(m):
        t = m.group(0)
        return t.upper()
    c = re.sub('[aeiou]', sub, 'hello')
    d = [(k, list(g)) for k, g in itertools.groupby('aabbb')]
    return a, b, c, d
""",
)
add(
    "globals_listing",
    """
def f():
    g = 1
    return sorted(k for k in globals() if not k.startswith('__')), __builtins__.len([1]), type(__builtins__).__name__
""",
)
add(
    "mangling",
    """
class A:
    __secret = 3
    def __init__(self): self.__x = 1
    def get(self):
        __y = self.__x + A.__secret
        return __y
def f():
    a = A()
    return a.get(), sorted(vars(a))
""",
)
add(
    "exit_system",
    """
import sys
def f():
    try:
        sys.exit(3)
    finally:
        print('bye')
""",
)
add("long_sum", "def f(a=1):\n    return " + " + ".join(["a"] * 700) + "\n")
add(
    "nest20",
    "def f():\n    n = 0\n"
    + "".join("    " * (i + 1) + f"for a{i} in range(1):\n" for i in range(19))
    + "    " * 20
    + "n += 1\n    return n\n",
)
add(
    "metaclass",
    """
class Meta(type):
    def __new__(m, name, bases, ns, **kw):
        ns['tag'] = name.lower()
        return super().__new__(m, name, bases, ns)
    def __call__(cls, *a):
        r = super().__call__(*a)
        r.made = True
        return r
class A(metaclass=Meta):
    def __init_subclass__(cls, k=0, **kw): cls.k = k
    def __class_getitem__(cls, i): return i
class B(A, k=3): pass
def f():
    class Local(A):
        z = [i for i in range(3)]
        def m(self): return __class__.__name__
    return B().tag, B.k, B().made, A[5], Local().m(), Local.z
""",
)
add(
    "abstract_gen",
    """
import abc
class G(abc.ABC):
    @abc.abstractmethod
    def m(self): ...
class H(G):
    def m(self): yield from (x async_ for x in ()) if False else iter([1, 2])
def f(): return list(H().m())
""".replace("x async_ for", "x for"),
)
add(
    "agen_close",
    """
import asyncio
async def ag(log):
    try:
        for i in range(5):
            x = yield i
            log.append(x)
    except GeneratorExit:
        log.append('exit')
        raise
    finally:
        await asyncio.sleep(0)
        log.append('fin')
async def main(log):
    g = ag(log)
    async for x in g:
        if x == 1:
            break
    await g.aclose()
    h = ag(log)
    await h.asend(None)
    await h.asend('s')
    try:
        await h.athrow(KeyError('q'))
    except KeyError:
        log.append('k')
    return log
def f(): return asyncio.run(main([]))
""",
)
add(
    "async_cancel",
    """
import asyncio
async def w(log, n):
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        log.append(('cancel', n))
        raise
    finally:
        log.append('f')
async def main(log):
    t = [asyncio.create_task(w(log, i)) for i in range(2)]
    await asyncio.sleep(0)
    for x in t: x.cancel()
    r = await asyncio.gather(*t, return_exceptions=True)
    async def lock():
        l = asyncio.Lock()
        async with l:
            return 5
    return [type(x).__name__ for x in r], await lock()
def f():
    log = []
    return asyncio.run(main(log)), log
""",
)
add(
    "with_return_val",
    """
class S:
    def __enter__(self): return self
    def __exit__(self, *a): return True
def g(x):
    with S():
        if x: return x
        raise ValueError
    return -1
def h(xs):
    for x in xs:
        with S():
            for y in range(3):
                if y == x: break
            else:
                continue
            return y
def w(xs):
    while xs:
        try:
            with S():
                x = xs.pop()
                if x: continue
                break
        finally:
            print(xs)
    return xs
def f(): return g(1), g(0), h([5, 2]), w([0, 1, 1, 1])
""",
)


def plain(name: str) -> Outcome:
    source, call = PROGRAMS[name]
    return InProcess(source).call(Invocation(call))


def traced(source: str, call: str = "f()") -> Trace:
    return trace_here(source.lstrip("\n"), call)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_construct_passes_the_oracles(name: str) -> None:
    verdict = judge(*PROGRAMS[name])
    if name in OUTCOME_ONLY:
        assert not [line for line in verdict.differences if line.startswith(("outcome", "layout"))]
    else:
        assert verdict.differences == []
        assert verdict.unasked == ""


def test_oracle_sees_a_wrong_outcome() -> None:
    assert compare_outcomes(plain("loops_else"), plain("generators"), "other")


@pytest.mark.parametrize("hook", ["S", "I", "N", "R", "F"])
def test_oracles_see_a_tracer_that_forgets_a_hook(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from semcoder.tracing.recorder import Recorder

    whole = Recorder.builtins
    dumb = {"R": lambda site, value: value}.get(hook, lambda *_: None)
    monkeypatch.setattr(Recorder, "builtins", lambda self: {**whole(self), f"__sc_{hook}__": dumb})
    found = [
        name for name in ("loops_else", "iterclass", "try_return", "oneline") if judge(*PROGRAMS[name]).differences
    ]
    assert found


def test_values_of_parts_come_in_order_of_evaluation() -> None:
    steps = traced("def f(a, b):\n    return a[1:] + b.upper()\n", "f('xyz', 'q')").steps
    values = [part.value.display() for part in steps[-1].parts if part.kind == "e" and part.value is not None]
    assert values == ["'yz'", "'Q'", "'yzQ'"]
    assert steps[-1].returned is not None
    assert steps[-1].returned.display() == "'yzQ'"


def test_value_of_a_condition_made_of_and() -> None:
    trace = traced("def f(a, b):\n    if a and b:\n        return 1\n    return 2\n", "f('x', [])")
    step = next(s for s in trace.steps if s.kind == "statement")
    test = step.node.test  # type: ignore[attr-defined]
    value = step.value_of(test)
    assert value is not None
    assert (value.display(), step.truth) == ("[]", False)


def test_thrown_exception_belongs_to_the_generator() -> None:
    source = "def g():\n    yield 1\ndef f():\n    it = g()\n    next(it)\n    try:\n        it.throw(KeyError(1))\n    except KeyError:\n        return 2\n"
    raised = [(s.function, s.depth) for s in traced(source).steps if s.raised is not None]
    assert raised == [("g", 1)]


def test_change_made_by_the_iterator_belongs_to_the_iteration() -> None:
    trace = traced(PROGRAMS["iterclass"][0])
    second = next(s for s in trace.steps if s.function == "f" and s.kind == "iteration" and s.count == 2)
    assert {c.name for c in second.changes} >= {"xs", "x"}


def test_recursion_to_just_below_the_limit_returns() -> None:
    room = sys.getrecursionlimit() - _stack_depth() - 40
    source = "def f(n):\n    return 0 if n == 0 else 1 + f(n - 1)\n"
    outcome = traced(source, f"f({room})").outcome
    assert outcome.value is not None
    assert outcome.value.display() == str(room)


def test_recursion_limit_is_left_as_it_was() -> None:
    before = sys.getrecursionlimit()
    assert traced("def f(n):\n    return f(n + 1)\n", "f(0)").outcome.exception is not None
    assert sys.getrecursionlimit() == before


def _stack_depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def test_other_threads_run_unrecorded() -> None:
    source = """
import threading
def work(out):
    for i in range(200):
        out.append(i)
        print(i)
def f():
    outs = [[] for _ in range(4)]
    threads = [threading.Thread(target=work, args=(o,)) for o in outs]
    for t in threads: t.start()
    for t in threads: t.join()
    return [sum(o) for o in outs]
"""
    trace = traced(source)
    assert trace.outcome.value is not None
    assert trace.outcome.value.display() == "[19900, 19900, 19900, 19900]"
    assert {s.function for s in trace.steps} == {"f"}


@pytest.mark.parametrize(
    ("events", "source"),
    [
        (50, "def f():\n    t = 0\n    for i in range(1000):\n        t += i\n    print(t)\n    return t\n"),
        (10**6, "def f():\n    x = []\n    for i in range(200):\n        x = [x]\n    return 5\n"),
    ],
)
def test_truncated_recording_leaves_the_outcome_exact(events: int, source: str) -> None:
    trace = trace_here(source, "f()", max_events=events)
    assert trace.truncated
    assert InProcess(source).call(Invocation("f()")).same(trace.outcome)
    assert len(trace) <= events
    assert trace.steps


def test_looking_again_at_an_unchanged_list_costs_no_room() -> None:
    source = (
        "def f():\n    big = ['x' * 1000] * 100\n    t = 0\n    for i in range(500):\n        t += i\n    return t\n"
    )
    assert not traced(source).truncated


def test_events_of_a_script_hide_what_every_module_has() -> None:
    trace = trace_here("n = int(input())\nprint(n + 1)\n", Invocation("4\n", kind="stdin"))
    assert [change.name for step in trace.steps for change in step.changes] == ["n"]
    assert trace.outcome.stdout == "5\n"
