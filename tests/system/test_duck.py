"""`pytest --rubber-duck` on a project of several modules, as its user runs it: what is said of each failing test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MONEY = """\
from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Money:
    cents: int

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def text(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100}"

    def exact(self) -> Decimal:
        raise NotImplementedError


@functools.lru_cache
def rate(country: str) -> int:
    table = {"de": 19, "fr": 20}
    return table[country] + 1


def with_tax(money: Money, country: str) -> Money:
    return Money(money.cents + money.cents * rate(country) // 100)
"""

CART = '''\
"""A cart."""

from shop.money import Money, with_tax


def logged(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Base:
    def total(self):
        return Money(0)


class Cart(Base):
    def __init__(self, country="de"):
        self.country = country
        self.items = []

    @logged
    def add(self, name, cents, count=1):
        for _ in range(count):
            self.items.append((name.title(), Money(cents)))

    def total(self):
        total = super().total()
        for _, money in self.items:
            total = total + money
        return with_tax(total, self.country)

    def names(self):
        return sorted({name for name, _ in self.items}, key=str.lower)


def parse(line):
    name, _, price = line.partition("=")
    if not price:
        raise ValueError(f"no price in {line!r}")
    return name, int(price)


def stream(lines):
    for line in lines:
        yield parse(line)


def slowly(n):
    total = 0
    for k in range(n):
        total += k % 7
    return total


def biggest(numbers):
    numbers.sort()
    return numbers[-1]


def endless(n):
    return endless(n + 1)


def grown(n):
    return n + 1


def halved(n):
    """Half.

    >>> halved(4)
    2
    """
    return n // 2 + 1


async def later(n):
    return n + 2


def table(rows):
    return "\\n".join(line(row) for row in rows)


def line(row):
    return " | ".join(cell(part) for part in row)


def cell(part):
    return str(part).rjust(4) if isinstance(part, int) else str(part)


def reduced_by(percent):
    return lambda price: price - price * percent // 10


reduced = reduced_by(20)


def remembered(function):
    known = {}

    def wrapper(*args, **kwargs):
        if args not in known:
            known[args] = function(*args, **kwargs)
        return known[args]

    return wrapper


@remembered
def price(name, currency="eur"):
    return 250 if currency == "eur" else 500


def slug(text):
    return text.replace(" ", "-")
'''

CONFTEST = '''\
import queue
import threading

import pytest

from shop.cart import Cart


@pytest.fixture(scope="session")
def country():
    return "de"


@pytest.fixture(scope="session")
def answering():
    """A thread that answers as long as the session lasts."""
    asked, answers = queue.Queue(), queue.Queue()

    def answer():
        while asked.get():
            answers.put(1)

    thread = threading.Thread(target=answer)
    thread.start()

    def ask():
        asked.put(True)
        return answers.get(timeout=60)

    yield ask
    asked.put(False)
    thread.join()


@pytest.fixture
def cart(country, tmp_path):
    made = Cart(country)
    made.add("tea", 100, 2)
    made.add("Milk", 50)
    yield made
    (tmp_path / "closed").write_text("yes")
'''

TESTS = """\
import asyncio
import os
import pathlib
import unittest

import pytest

from shop.cart import biggest, endless, grown, later, parse, price, reduced, slowly, slug, stream, table
from shop.money import Money, rate

FLAG = pathlib.Path(os.environ["FLAG"])


def test_fine(cart):
    assert len(cart.items) == 3


def test_cached():
    assert rate("fr") == 20


def test_cached_again():
    assert rate("fr") == 20


def test_total(cart):
    assert cart.total() == Money(297)


def test_names(cart):
    names = cart.names()
    wanted = ["Milk", "tea"]
    assert wanted == names


@pytest.mark.parametrize("line, expected", [("a=1", ("a", 1)), ("b=", ("b", 0)), ("c=x", ("c", 0))])
def test_parse(line, expected):
    assert parse(line) == expected


def test_stream():
    assert list(stream(["a=1", "b=2"])) == [("a", 1), ("b", 3)]


class TestMoney(unittest.TestCase):
    def setUp(self):
        self.money = Money(205)

    def test_text(self):
        self.assertEqual(self.money.text(), "2.05")

    def test_parts(self):
        for cents in (110, 207, 330):
            with self.subTest(cents=cents):
                self.assertEqual(Money(cents).text()[-2:], f"{cents % 100:02}")


class TestLater:
    def test_later(self):
        assert asyncio.run(later(1)) == 2


def test_table():
    assert table([("a", 1), ("b", 22)]) == "a | 1\\nb | 22"


def test_no_error():
    with pytest.raises(KeyError):
        parse("a=1")


def test_long():
    assert slowly(200_000) == 1


def test_flaky():
    if not FLAG.exists():
        FLAG.write_text("seen")
        raise OSError("not yet")


def test_itself():
    assert [1] == [2]


def test_ends_the_process():
    if FLAG.with_suffix(".second").exists():
        os._exit(3)
    FLAG.with_suffix(".second").write_text("")
    assert False


CASES = [[3, 1]]


@pytest.mark.parametrize("numbers", CASES)
def test_changes_its_argument(numbers):
    numbers.append(2)
    assert biggest(numbers) == 1


def test_endless():
    endless(0)


@pytest.fixture
def priced():
    return parse("nothing")


def test_set_up(priced):
    pass


def test_thread_of_a_fixture(answering):
    assert grown(answering()) == 1


def test_no_child_is_there():
    with pytest.raises(ChildProcessError):
        os.wait()


@pytest.mark.xfail
def test_known():
    assert parse("a=1") == 1


def test_made_before():
    assert reduced(100) == 80


def test_after_a_check_that_passed():
    assert price("tea") == 250
    assert price("tea", currency="chf") == 500


def test_blanks_count():
    assert slug("a  b") == "a-b"


def test_blanks_of_several_lines_count():
    assert (
        slug("a   b")
        == "a-b"
    )
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\naddopts = '--doctest-modules'\n",
        "src/shop/__init__.py": "",
        "src/shop/money.py": MONEY,
        "src/shop/cart.py": CART,
        "tests/conftest.py": CONFTEST,
        "tests/test_shop.py": TESTS,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run_pytest(folder: Path, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**known, "PYTHONDONTWRITEBYTECODE": "1", "FLAG": str(folder.parent / "flag"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def output(project: Path) -> str:
    return run_pytest(project, "--rubber-duck", "--color=no")


@pytest.fixture(scope="module")
def said(output: str) -> dict[str, list[str]]:
    """Per failing test the lines of the duck."""
    found = {}
    parts = re.split(r"\n_{3,} (.+?) _{3,}\n", output)
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        text = re.search(r"-{5,} Rubber duck -{5,}\n(.*?)(?=\n=====|\Z)", part, re.DOTALL)
        if text is not None:
            found[name.partition(" (")[0]] = text[1].rstrip().split("\n")
    return found


#: Test, and the function that must be named in the first line.
GUILTY = {
    "test_cached": "shop.money.rate",
    "test_cached_again": "shop.money.rate",
    "test_total": "shop.money.rate",
    "test_parse[b=-expected1]": "shop.cart.parse",
    "test_parse[c=x-expected2]": "shop.cart.parse",
    "TestMoney.test_text": "shop.money.Money.text",
    "TestLater.test_later": "shop.cart.later",
    "test_table": "shop.cart.cell",
    "test_no_error": "shop.cart.parse",
    "test_long": "shop.cart.slowly",
    "test_endless": "shop.cart.endless",
    "ERROR at setup of test_set_up": "shop.cart.parse",
    "test_thread_of_a_fixture": "shop.cart.grown",
    "TestMoney.test_parts": "shop.money.Money.text",
    "[doctest] shop.cart.halved": "shop.cart.halved",
    "test_made_before": "shop.cart.reduced_by",
    "test_after_a_check_that_passed": "shop.cart.remembered.wrapper",
}


@pytest.mark.parametrize("test", GUILTY)
def test_first_lines_name_the_function(said: dict[str, list[str]], test: str) -> None:
    assert f"`{GUILTY[test]}`" in " ".join(said[test][:3])


def test_short_by_default(said: dict[str, list[str]]) -> None:
    assert len(said) == 25
    assert max(map(len, said.values())) <= 10


def test_the_outcome_of_the_session_stays(output: str) -> None:
    assert "24 failed, 4 passed, 1 xfailed, 1 error" in output


def test_got_and_wanted(said: dict[str, list[str]]) -> None:
    second = said["test_total"][1]
    assert "`assert cart.total() == Money(297)` (tests/test_shop.py:27)" in second
    assert "it got `Money(cents=300)` and wanted `Money(cents=297)`" in second


def test_what_a_passed_check_approved_is_not_where_it_went_wrong(said: dict[str, list[str]]) -> None:
    lines = said["test_after_a_check_that_passed"]
    assert lines[0].startswith("Look at `shop.cart.remembered.wrapper` first")
    assert any("`kwargs` = `{'currency': 'chf'}`" in line for line in lines)
    named = lines[2]  # what ran, before what made it
    assert "`shop.cart.remembered`" in named


def test_a_test_is_quoted_as_it_stands(said: dict[str, list[str]]) -> None:
    assert """The test wants `assert slug("a  b") == "a-b"` (""" in said["test_blanks_count"][1]
    assert "The test wants `assert slug('a   b') == 'a-b'` (" in said["test_blanks_of_several_lines_count"][1]


def test_the_side_that_the_code_gave_is_what_was_got(said: dict[str, list[str]]) -> None:
    assert "it got `['Milk', 'Tea']` and wanted `['Milk', 'tea']`" in said["test_names"][1]


def test_where_a_value_was_born(said: dict[str, list[str]]) -> None:
    first = said["test_names"][0]
    assert first.startswith("Look at `shop.cart.Cart.add` first (src/shop/cart.py:24): in line 26 `'Tea'`")


def test_path_and_values(said: dict[str, list[str]]) -> None:
    assert (
        "Line 40: `price` is `''`, so the condition `not price` is true; the `if` body runs."
        in said["test_parse[b=-expected1]"]
    )
    assert "in line 41 it raises `ValueError: no price in 'b='`" in said["test_parse[b=-expected1]"][0]


def test_flaky(said: dict[str, list[str]]) -> None:
    assert said["test_flaky"] == [
        "This test is flaky: it passed when it was run again by itself. It may depend on chance, on time, or on tests "
        "before it."
    ]


def test_failures_without_code_of_the_project(said: dict[str, list[str]]) -> None:
    assert said["test_itself"][0].startswith("No function of the project ran")
    assert "it got `[1]` and wanted `[2]`" in said["test_itself"][1]


def test_a_test_that_ends_its_process(said: dict[str, list[str]]) -> None:
    expected = "This failure is not explained: it ended its process when it was run again."
    assert said["test_ends_the_process"] == [expected]


def test_too_long_to_be_recorded(said: dict[str, list[str]]) -> None:
    assert "it got `599994` and wanted `1`" in " ".join(said["test_long"])


def test_a_test_runs_again_from_where_the_session_began(said: dict[str, list[str]]) -> None:
    lines = said["test_changes_its_argument[numbers0]"]
    assert "`biggest` is called with `numbers` = `[3, 1, 2]`." in " ".join(lines)


def test_full(project: Path) -> None:
    found = run_pytest(project, "--rubber-duck-full", "--color=no", "-k", "test_total")
    assert "In `shop.money.Money.__add__` (src/shop/money.py:15):" in found
    assert found.count("Line 16: ") == 3


@pytest.mark.parametrize(("options", "more"), [((), set()), (("--rubber-duck",), {"semcoder.debugging.reserve"})])
def test_what_is_loaded_where_nothing_fails(project: Path, options: tuple[str, ...], more: set[str]) -> None:
    plugin = {"semcoder", "semcoder._version", "semcoder.debugging", "semcoder.debugging.pytest_plugin"}
    check = project / "tests" / "test_loaded.py"
    loaded = "{name for name in sys.modules if name.partition('.')[0] == 'semcoder'}"
    check.write_text(f"import sys\n\n\ndef test_loaded():\n    assert {loaded} == {plugin | more}\n")
    try:
        assert "1 passed" in run_pytest(project, *options, "tests/test_loaded.py")
    finally:
        check.unlink()


def test_where_failures_are_not_shown_the_duck_is(project: Path) -> None:
    found = run_pytest(project, "--rubber-duck", "--color=no", "--tb=no", "-k", "test_text")
    assert "- Rubber duck: tests/test_shop.py::TestMoney::test_text -" in found
    assert "`shop.money.Money.text`" in found


def test_nothing_is_left_behind(project: Path, output: str) -> None:
    names = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert names == {
        "pyproject.toml",
        "src/shop/__init__.py",
        "src/shop/money.py",
        "src/shop/cart.py",
        "tests/conftest.py",
        "tests/test_shop.py",
    }
