"""What the built-in model's tokens say, told in our English: the words of `explain`, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from semcoder.monologue import verify
from semcoder.monologue.forward import Forward
from semcoder.nano.flatten import flatten
from semcoder.nano.machine import execute
from semcoder.nano.notation import EOS, Unsupported
from semcoder.nano.reading import Reader
from semcoder.nano.telling import CUT, Telling, call_arguments
from semcoder.tracing import Trace, trace_here


def true_tokens(source: str, call: str) -> list[str]:
    flat = flatten(source)
    return execute(flat, call_arguments(flat, call)).tokens


def told(source: str, call: str, tokens: list[str] | None = None) -> Telling:
    return Telling(flatten(source), source, call, true_tokens(source, call) if tokens is None else tokens)


def explained(trace: Trace) -> str:
    """What `explain` says, exceptions by their types alone: the language has no words for their messages."""
    return re.sub(r"`(\w+(?:Error|Iteration))\([^`]*\)`", r"`\1`", Forward().render(trace, detail="expression").text)


# Statements and expressions, one a program ---------------------------------------------------------------------------

PROGRAMS = {
    "assignments": ("a, b = b, a\n    c = d = [a]\n    c.append(b)\n    (e, *g), h = [a, b, a], 3\n    return d, e, g, h", "1, 2"),
    "same value again": ("a = a\n    c = (1, 2)\n    c = (1, 2)\n    d = [1]\n    d = [1]\n    d = d\n    return d", "1, 2"),
    "a tuple of names": ("a, b = a + 1, a\n    a, b = 1, 2\n    return a", "1, 2"),
    "updates": ("a += 1\n    a -= 0\n    c = [a]\n    d = c\n    c += [b]\n    c *= 2\n    return d", "1, 2"),
    "items": ("a['k'] = b\n    a['k'] += 2\n    c = a.setdefault('l', [])\n    c.append(4)\n    del a['k']\n    return a", "{}, 2"),
    "slices": ("a[1:2] = [b, b]\n    del a[-1:]\n    c = a[::-1]\n    return c[1:], a[b - 1], 'abc'[:b]", "[1, 2, 3], 2"),
    "nested lists": ("a[0].append(b)\n    c = a[0]\n    c[0] = 9\n    a.insert(0, c)\n    a.reverse()\n    return a", "[[1], [2]], 2"),
    "names of one list": ("for row in a:\n        row.append(b)\n        last = row\n    a.sort(reverse=True)\n    return last", "[[1], [3]], 2"),
    "if and else": ("if a > b:\n        return a\n    elif not b:\n        pass\n    else:\n        a = -1\n    return a", "1, 2"),
    "and, or, not": ("c = a and (b or a) and not b\n    if (a or b) and a < b < 3 and not c:\n        return a or b\n    return c", "0, 2"),
    "a conditional value": ("c = 'x' if a else 'y'\n    return c if not b else (b if b > 1 else 0)", "0, 2"),
    "while": ("while a < b:\n        a += 1\n        if a == 3:\n            break\n    else:\n        a = 100\n    return a", "1, 4"),
    "endless until it breaks": ("while True:\n        a += 1\n        if a > b:\n            break\n    return a", "1, 3"),
    "loops": ("for i in range(a, b):\n        for x in 'ab':\n            if x == 'b':\n                continue\n            a += i\n    else:\n        a = -a\n    return a", "1, 3"),
    "nothing to walk over": ("for i in range(a):\n        b = i\n    for x in []:\n        pass\n    return b", "0, 3"),
    "enumerate and zip": ("c = []\n    for i, (x, y) in enumerate(zip(a, b), 1):\n        c.append((i, x, y))\n    return c", "'ab', [1, 2]"),
    "pairs of a dict": ("c = 0\n    for k, v in a.items():\n        c += v * len(k)\n    return c, sorted(a.keys()), list(a.values())", "{'x': 1, 'yz': 2}, 0"),
    "comprehensions": ("c = [x * 2 for x in a if x if not x == 3]\n    d = {x: [y for y in range(x)] for x in a}\n    e = {x % 2 for x in a}\n    return c, d, e", "[1, 2, 3], 0"),
    "loops in a comprehension": ("return [x + y for x in a for y in x if y != b]", "['ab', 'c'], 'b'"),
    "generators": ("return sum(x * x for x in a), ''.join(str(x) for x in a), max((x for x in a), default=0)", "[1, 2], 0"),
    "any and all": ("return any(x > b for x in a), all(x < 9 for x in a), any(not x for x in a), all(not x for x in a)", "[1, 3], 2"),
    "map and filter": ("c = list(map(lambda x: x + b, a))\n    d = list(filter(lambda x: x > 2, c))\n    return c, d, ','.join(map(str, d)), list(map(str.upper, ['q']))", "[1, 2], 1"),
    "keys": ("c = sorted(a, key=lambda p: -p[1])\n    a.sort(key=lambda p: p[1])\n    return c, max(a, key=lambda p: p[1]), min('ab', key=len)", "[('x', 1), ('y', 2)], 0"),
    "iterators": ("c = zip(a, a)\n    d = reversed(a)\n    return list(c), list(d), dict(enumerate(a)), len(frozenset(a))", "[1, 2], 0"),
    "text": ("c = a.split(',')\n    d = '-'.join(c).upper()\n    return f'{d}:{len(c):>3}{b!r}', d.find('-'), d.replace('-', ''), a.isdigit()", "'x,y', 'q'"),
    "methods that change": ("c = a.pop()\n    a.extend([c, c])\n    a.remove(c)\n    a.sort()\n    a.clear()\n    return a, c", "[3, 1, 2], 0"),
    "sets": ("a.add(b)\n    a.discard(1)\n    c = a | {7}\n    return c & a, 7 in c, len(c)", "{1}, 2"),
    "an assignment in a condition": ("if (n := len(a)) > b:\n        return n\n    return [y for x in a if (y := x + 1)]", "[1], 1"),
    "an exception that is caught": ("try:\n        c = a[b]\n    except (KeyError, IndexError):\n        c = None\n    else:\n        c = 1\n    return c", "[1], 5"),
    "an exception inside another try": ("try:\n        try:\n            return int(a)\n        except KeyError:\n            return 1\n    except ValueError:\n        return 2", "'x', 5"),
    "no exception": ("try:\n        c = a[b]\n    except IndexError:\n        c = None\n    else:\n        c = [c]\n    return c", "[1], 0"),
    "an exception that is not caught": ("for x in a:\n        b = b / x\n    return b", "[1, 0], 5"),
    "an exception while a loop draws": ("for x, y in a:\n        b += x\n    return b", "[(1, 2), (3,)], 5"),
    "assertions": ("assert a < b, 'never'\n    assert not b\n    return a", "1, 2"),
    "no return": ("if a:\n        b = a", "1, 2"),
    "no return from a loop": ("while a < b:\n        a += 1", "1, 2"),
    "names that go": ("c = a\n    del c\n    return a", "1, 2"),
}  # fmt: skip


def source_of(name: str) -> tuple[str, str]:
    body, arguments = PROGRAMS[name]
    return f"def f(a, b):\n    {body}\n", f"f({arguments})"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_true_run_is_told_as_explain_tells_it(name: str) -> None:
    source, call = source_of(name)
    trace = trace_here(source, call)
    telling = told(source, call)
    text = "\n".join(telling)
    assert text == explained(trace)
    assert [claim for claim in verify(text, trace) if claim.verdict is not True] == []
    assert (telling.fault, telling.is_cut) == ("", False)
    if trace.outcome.value is not None:
        assert telling.answer == trace.outcome.value.literal()
    else:
        assert trace.outcome.exception is not None
        assert telling.raised == trace.outcome.exception.type


def test_defaults_and_keywords() -> None:
    source = "def f(a, b=2, c=3):\n    return a + b * c\n"
    assert call_arguments(flatten(source), "f(1)") == [1]
    assert call_arguments(flatten(source), "f(1, c=5)") == [1, 2, 5]
    assert call_arguments(flatten(source), "f(c=5, a=1)") == [1, 2, 5]
    assert "`f` is called with `a` = `1` and `b` = `2` and `c` = `5`." in "\n".join(told(source, "f(1, c=5)"))
    assert call_arguments(flatten(source), "f(dict(x=1), set('aa'), c=[1, -2.5])") == [{"x": 1}, {"a"}, [1, -2.5]]
    for call in ("f()", "f(b=1)", "f(1, d=2)", "f(1, 2, 3, 4)", "f(*[1])", "f(len('a'))", "f(dict(**{}))", "f(set(1))"):
        with pytest.raises(Unsupported):
            call_arguments(flatten(source), call)


@pytest.mark.parametrize("name", ["an exception that is caught", "an exception that is not caught"])
def test_another_exception_than_the_one_that_happened_is_false(name: str) -> None:
    source, call = source_of(name)
    trace = trace_here(source, call)
    text = "\n".join(told(source, call))
    (kind,) = set(re.findall(r"`(\w+Error)` is raised", text))
    claims = verify(text.replace(f"`{kind}`", "`TypeError`"), trace)
    false = {claim.kind for claim in claims if claim.verdict is False}
    assert false == {"raises", "caught"} if "is caught" in name else {"raises", "outcome_raises", "complete"}


# Streams -------------------------------------------------------------------------------------------------------------


def test_a_sentence_comes_with_the_first_token_after_its_statement() -> None:
    source, call = source_of("loops")
    tokens = true_tokens(source, call)
    taken = 0

    def coming() -> Iterator[str]:
        nonlocal taken
        for token in tokens:
            taken += 1
            yield token

    telling = iter(Telling(flatten(source), source, call, coming()))
    assert next(telling).startswith("The call is")
    assert next(telling).startswith("Line 1:")
    assert taken == 0
    at = [taken for sentence in telling if sentence.startswith("Line 2: iteration")]
    assert [" ".join(tokens[count - 6 : count]) for count in at] == ["L1 #0 v2 = 1 L2", "L1 #1 v2 = 2 L2"]


# Tokens that a model got wrong ---------------------------------------------------------------------------------------

SOURCE = "def f(x):\n    y = x + 1\n    if y > 2:\n        y = 0\n    return y\n"


def test_what_is_told_is_what_the_model_said() -> None:
    tokens = true_tokens(SOURCE, "f(1)")
    text = " ".join(tokens)
    wrong = text.replace("v1 = 2", "v1 = 7").split()
    assert text.count("v1 = 2") == 1
    telling = told(SOURCE, "f(1)", wrong)
    sentences = list(telling)
    assert "Line 2: `x + 1` is `7`, so `y` becomes `7`." in sentences
    assert any(sentence.startswith("Line 3: `y` is `7`;") for sentence in sentences)  # its own last word about it
    claims = verify("\n".join(sentences), trace_here(SOURCE, "f(1)"))
    first = next(claim for claim in claims if claim.verdict is False)
    assert (first.text, first.line, first.actual) == ("`x + 1` is `7`", 2, "x + 1 is 2")


def test_a_wrong_turn_is_followed() -> None:
    tokens = true_tokens(SOURCE, "f(1)")
    turned = tokens.index("False", tokens.index("L2"))
    wrong = [*tokens[:turned], "True", "L3", "v1", "=", "0", "L4", "return", "0"]
    telling = told(SOURCE, "f(1)", wrong)
    assert "Line 4: `y` becomes `0`." in list(telling)
    assert (telling.answer, telling.fault) == ("0", "")


def test_telling_stops_where_a_step_makes_no_sense_but_not_before_the_answer() -> None:
    tokens = true_tokens(SOURCE, "f(1)")
    jumped = ["L2", *tokens[1:]]
    telling = told(SOURCE, "f(1)", jumped)
    assert list(telling) == [
        "The call is `f(1)`.",
        "Line 1: `f` is called with `x` = `1`.",
        "The call returns `2`.",
    ]
    assert telling.fault == "'L2' stands where L0 runs"


@pytest.mark.parametrize("tokens", [[], [EOS], ["L0"], ["hello"], ["L0", "v1", "="], ["L0", "v1", "=", "[", "1"]])
def test_too_little_is_told_as_far_as_it_goes(tokens: list[str]) -> None:
    telling = told(SOURCE, "f(1)", tokens)
    assert list(telling) == ["The call is `f(1)`.", "Line 1: `f` is called with `x` = `1`."]
    assert (telling.answer, telling.raised) == (None, "")
    assert telling.fault


def test_an_answer_that_was_cut_states_nothing_by_its_last_value() -> None:
    source = "def f(x):\n    return x\n"
    whole = told(source, "f(123)", ["L0", "return", "1", "2", "3"])
    assert (list(whole)[-1], whole.answer) == ("The call returns `123`.", "123")
    cut = told(source, "f(123)", ["L0", "return", "1", "2", CUT])
    assert (list(cut)[-1], cut.answer, cut.is_cut) == ("Line 1: `f` is called with `x` = `123`.", None, True)


def test_a_value_of_another_type_than_any_that_could_stand_there() -> None:
    source = "def f(d):\n    return [k for k, v in d.items()]\n"
    tokens = true_tokens(source, "f({'a': 1})")
    at = tokens.index("→")
    telling = told(source, "f({'a': 1})", [*tokens[: at + 1], "[", "5", "]", *tokens[tokens.index("L1") :]])
    assert list(telling)[2:] == ["The call returns `['a']`."]
    assert telling.fault


def test_a_variable_of_which_nothing_is_said_stays_as_it_was() -> None:
    source = "def f(a):\n    b = a\n    a.append(1)\n    c = len(b)\n    return b\n"
    tokens = " ".join(true_tokens(source, "f([])"))
    assert tokens.count("v1 = [ 1 ]") == 1
    sentences = list(told(source, "f([])", tokens.replace("v1 = [ 1 ]", "").split()))
    assert "Line 3: `a.append(1)` is `None`, so `a` goes from `[]` to `[1]`." in sentences
    claims = verify("\n".join(sentences), trace_here(source, "f([])"))
    assert all(claim.verdict for claim in claims)  # less is told, nothing of it is wrong


# Reading -------------------------------------------------------------------------------------------------------------


def test_the_reader_takes_no_more_than_it_needs() -> None:
    flat = flatten(SOURCE)
    tokens = iter(["L0", "1", "+", "1", "v1", "=", "2", "L1", "2", ">", "2"])
    said = Reader(tokens).step(0, flat.code[0])
    assert said.marks == ((1, 2),)
    assert list(tokens) == ["2", ">", "2"]
