"""The values of the short programs: literals in their bodies, and arguments that fit each other and the literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from semcoder.seeds import _grammar_short as tables
from semcoder.seeds._engine import Var

Random = Callable[[], float]
Option = TypeVar("Option")


class _Dice:
    """Random choices."""

    def __init__(self, rnd: Random) -> None:
        self.rnd = rnd

    def pick(self, options: Sequence[Option]) -> Option:
        return options[int(self.rnd() * len(options))]

    def number(self, least: int, most: int) -> int:
        return least + int(self.rnd() * (most - least + 1))


class Literals(_Dice):
    """Random literal text for each type of hole. `needles`: texts that arguments should contain, `numbers`: ints."""

    def __init__(self, rnd: Random) -> None:
        super().__init__(rnd)
        self.needles: list[str] = []
        self.separators: list[str] = []
        self.numbers: list[int] = []
        self._last = ""
        self._letters = [self.pick(tables.LETTERS) for _ in range(4)]

    def of(self, kind: str) -> str:
        """Raises KeyError for a type that has no literals."""
        return _LITERALS[kind](self)

    def first(self, kind: str) -> str:
        """What a loop starts from that accumulates a value of this type."""
        rows = tables.FIRST[kind]
        r = self.rnd() * sum(weight for _, weight in rows)
        for text, weight in rows:
            r -= weight
            if r < 0:
                return re.sub(r"<(\w+)>", lambda match: self.of(match[1]), text)
        raise AssertionError("weights")

    def needle(self, text: str) -> str:
        self.needles.append(text)
        return repr(text)

    def other(self, draw: Callable[[], str]) -> str:
        """What is drawn, and not the same as the last time: two equal literals beside each other do nothing."""
        text = draw()
        while text == self._last:
            text = draw()
        self._last = text
        return text

    def int_(self) -> str:
        r = self.rnd()
        if r < 0.82:
            return str(self.number(0, 5) if r < 0.5 else self.number(1, 12))
        return str(-self.number(1, 5)) if r < 0.86 else str(self.number(10, 100))

    def element(self) -> str:
        value = self.number(0, 9) if self.rnd() < 0.75 else self.number(-10, 30)
        self.numbers.append(value)
        return str(value)

    def char(self) -> str:
        return self.other(self.any_char)

    def any_char(self) -> str:
        r = self.rnd()
        if r < 0.62:
            return self.needle(self.pick(self._letters) if r < 0.4 else self.pick(tables.LETTERS))
        if r < 0.82:
            return self.needle(self.pick(" -_.,!#*:/"))
        return self.needle(self.pick("ABCXZabxyz0123"))

    def word(self) -> str:
        r = self.rnd()
        return self.needle(
            self.pick(tables.WORDS) if r < 0.6 else self.pick(tables.SUBS) if r < 0.8 else self.pick(_ODD)
        )

    def separator(self) -> str:
        text = tables.SEPARATORS[int(self.rnd() ** 1.7 * len(tables.SEPARATORS))]
        self.separators.append(text)
        return repr(text)

    def of_pool(self, pool: Sequence[str]) -> str:
        return self.needle(self.pick(pool))

    def chars(self) -> str:
        text = self.pick(tables.CHAR_SETS)
        self.needles.append(self.pick(text))
        return repr(text)

    def translation(self) -> str:
        old, new = self.pick(tables.TRANSLATIONS)
        self.needles.append(old[0])
        return f"{old!r}, {new!r}"

    def items(self, kind: str, most: int) -> str:
        return f"[{', '.join(self.of(kind) for _ in range(self.number(2, most)))}]"

    def pairs(self, key: str, value: str) -> str:
        return "{" + ", ".join(f"{self.of(key)}: {self.of(value)}" for _ in range(1 if self.rnd() < 0.3 else 2)) + "}"


_ODD = ("", "x", "ab", "abc", "!", "0", "--", "yes", "no", "none", "end", "OK", "...")

_RETURNED = str.split("0 -1 -1 None '' [] False False True True 'none' 'no' 'yes' 1 {}")

_LITERALS: dict[str, Callable[[Literals], str]] = {
    "i": Literals.int_,
    "n": lambda one: str(one.number(1, 5)),
    "k": lambda one: str(one.pick((2, 2, 2, 3, 3, 3, 4, 5))),
    "kk": lambda one: str(one.pick((1, 1, 2, 2, 3))),
    "km": lambda one: str(one.pick((2, 2, 2, 3))),
    "m": lambda one: str(one.pick((7, 10, 26, 97, 100))),
    "lo": lambda one: str(one.number(0, 3) if one.rnd() < 0.75 else -one.number(1, 5)),
    "hi": lambda one: str(one.pick((3, 4, 5, 5, 6, 6, 8, 8, 10, 10, 12, 15, 20, 50))),
    "at": lambda one: str(one.pick((0, 0, 0, 1, 1, 1, 2, 2, 3, -1, -1, -2))),
    "cut": lambda one: str(one.pick((1, 1, 2, 2, 3, 3, 4, 5, -1, -2, -3))),
    "w": lambda one: str(one.pick((5, 6, 8, 10, 10, 12, 15, 20))),
    "v": Literals.element,
    "vl": lambda one: one.other(one.element),
    "flag": lambda one: one.pick(("True", "False")),
    "ki": Literals.element,
    "f": lambda one: str(one.pick((0.5, 1.5, 2.0, 2.5, 0.25, 10.0, 3.14))),
    "s": lambda one: one.char() if one.rnd() < 0.55 else one.word(),
    "ch": Literals.char,
    "ch1": Literals.char,
    "word": Literals.word,
    "key": lambda one: one.of_pool(("a", "b", "c", "x", "key", "name", "one", "two", "apple", "total", "age", "id")),
    "sep": Literals.separator,
    "sub": lambda one: one.of_pool(tables.SUBS),
    "pre": lambda one: one.of_pool(tables.PREFIXES),
    "suf": lambda one: one.of_pool(tables.SUFFIXES),
    "chars": Literals.chars,
    "fill": lambda one: repr(one.pick(tables.FILLS)),
    "fill1": lambda one: repr(one.pick(tables.FILLS)),
    "trans": Literals.translation,
    "b": lambda one: one.pick(("True", "False")),
    "li": lambda one: one.items("v", 4),
    "ls": lambda one: one.items("word", 3),
    "lli": lambda one: f"[{one.items('v', 3)}]",
    "dsi": lambda one: one.pairs("key", "v"),
    "dss": lambda one: one.pairs("key", "word"),
    "dis": lambda one: one.pairs("ki", "word"),
    "dii": lambda one: one.pairs("ki", "v"),
    "r": lambda one: one.other(lambda: one.pick(_RETURNED)),
}


class _Texts(_Dice):
    """Random texts of many kinds. `letters`: a few that come up often in the texts of one program."""

    def __init__(self, rnd: Random) -> None:
        super().__init__(rnd)
        self.letters = self.some(tables.LETTERS, 2, 6)

    def word(self) -> str:
        return self.pick(tables.CAPITAL if self.rnd() < 0.1 else tables.WORDS)

    def words(self, least: int, most: int) -> str:
        return " ".join([self.word() for _ in range(self.number(least, most))])

    def some(self, letters: str, least: int, most: int) -> str:
        rnd, size = self.rnd, len(letters)  # not `pick`: most of the characters of a stream come from here
        return "".join([letters[int(rnd() * size)] for _ in range(self.number(least, most))])

    def few(self) -> str:
        return self.some(self.letters + self.pick(tables.LETTERS), 3, 12)

    def sentence(self) -> str:
        return self.words(4, 9).capitalize() + self.pick(tables.PUNCTUATION)

    def mixed(self) -> str:
        return self.some(tables.MIXED + self.letters * 2, 4, 16)

    def cased(self) -> str:
        return "".join([c.upper() if self.rnd() < 0.45 else c for c in self.words(1, 2)])

    def repeated(self) -> str:
        r = self.rnd()
        if r < 0.4:
            return "".join([self.pick(self.letters) * self.number(1, 4) for _ in range(self.number(1, 4))])
        if r < 0.8:
            return self.some(self.letters, 1, 3) * self.number(2, 6)
        return self.pick("-* =.0a1!#") * self.number(1, 8)

    def digits(self) -> str:
        text = self.some("0123456789", 1, 6)
        return self.pick(("{}", "{}", "{}", "{}", "{}", "-{}", "{}.5", "0{}")).format(text)

    def padded(self) -> str:
        return " " * self.number(0, 3) + self.words(1, 3).replace(" ", "  ") + " " * self.number(0, 3)

    def path(self) -> str:
        return f"{self.pick(('/', '', './', 'C:/'))}{self.word()}/{self.word()}.{self.pick(tables.EXTENSIONS)}"

    def email(self) -> str:
        name, place = self.word().lower(), self.word().lower()
        return f"{name}{self.pick(('', '.', '_', '1'))}@{place}.{self.pick(('com', 'org', 'net'))}"

    def part(self) -> str:
        r = self.rnd()
        if r < 0.5:
            return self.word()
        if r < 0.75:
            return self.some(self.letters, 1, 4)
        return str(self.number(0, 120)) if r < 0.9 else self.mixed()

    def parts(self, separator: str) -> str:
        return separator.join([self.part() for _ in range(self.number(2, 5))])

    def listed(self) -> str:
        return self.parts(self.pick((",", ", ", ";", "|", " ")))

    def keyed(self) -> str:
        pairs = [f"{self.word()}={self.part()}" for _ in range(self.number(1, 3))]
        return self.pick(("&", ";", ", ", " ")).join(pairs)

    def lined(self) -> str:
        lines = [self.words(1, 2) for _ in range(self.number(2, 4))]
        return "\n".join(lines) + ("\n" if self.rnd() < 0.3 else "")

    def tabbed(self) -> str:
        return self.parts("\t")

    def quoted(self) -> str:
        return self.pick(tables.QUOTED).format(self.word())

    def numbered(self) -> str:
        """A word with digits, or a code such as `AB-12`."""
        r = self.rnd()
        if r < 0.67:
            parts = self.word(), str(self.number(0, 99))
            return "".join(parts if r < 0.33 else parts[::-1])
        code = self.some(self.letters.upper(), 1, 3) + self.pick(("", "-", "_"))
        return code + self.some("0123456789", 1, 4)


class Values(_Texts):
    """Arguments for calls of one program, which fit the parameters' roles, each other and the body's literals."""

    def __init__(self, rnd: Random, literals: Literals, parameters: Sequence[Var], source: str) -> None:
        super().__init__(rnd)
        self.literals = literals
        self.parameters = parameters
        self.order = sorted(range(len(parameters)), key=lambda k: _RANK.get(parameters[k].type, 2))
        texts = any(var.type in ("s", "sd", "ls", "ts") for var in parameters)
        self.styles = [style for pattern, style in _HINTS if pattern in source] if texts else []
        self.style = self.pick(_STYLES)
        self.spread = self.pick(_SPREADS)
        self.small = "range(" in source
        #: The arguments of the call being made, as far as there are any, and what separates the parts of its texts.
        self.context: list[Any] = []
        self.separators: list[str] = []

    def arguments(self) -> list[Any]:
        """The arguments of one call, fresh objects."""
        self.context = []
        self.separators = self.literals.separators
        found: dict[int, Any] = {}
        for place in self.order:
            found[place] = _VALUES[self.parameters[place].type](self)
            self.context.append(found[place])
        return [found[place] for place in range(len(self.parameters))]

    # What is there already

    def strings_there(self) -> list[str]:
        """The texts of the call, or those in its lists; no empty ones."""
        found = [each for each in self.context if isinstance(each, str) and each]
        return found or [each for row in self.lists(str) for each in row if each]

    def lists(self, of: type) -> list[Sequence[Any]]:
        return [each for each in self.context if isinstance(each, (list, tuple)) and each and isinstance(each[0], of)]

    def keys(self, of: type) -> list[Any]:
        """The keys of a dict of the call, where they are of this type."""
        found = [list(each) for each in self.context if isinstance(each, dict) and each]
        return found[0] if found and isinstance(found[0][0], of) else []

    def longest(self) -> int:
        return max([len(each) for each in self.context if hasattr(each, "__len__")], default=6)

    # Numbers

    def int_(self) -> int:
        r = self.rnd()
        if r < 0.75:
            return self.number(0, 20)
        if r < 0.88:
            return -self.number(1, 10)
        return self.number(20, 150 if not self.small else 30) if r < 0.97 or self.small else self.number(150, 5000)

    def spread_int(self) -> int:
        if self.literals.numbers and self.rnd() < 0.2:
            return self.pick(self.literals.numbers)
        return self.number(*self.spread) if self.rnd() < 0.96 else self.number(-100, 1000)

    def key_int(self) -> int:
        if self.literals.numbers and self.rnd() < 0.25:
            return self.pick(self.literals.numbers)
        return self.number(0, 10) if self.rnd() < 0.85 else self.spread_int()

    def at(self) -> int:
        size, r = self.longest(), self.rnd()
        if r < 0.85:
            return self.number(0, max(0, min(size, 12) - 1))
        return -self.number(1, max(1, min(size, 5))) if r < 0.94 else size + self.number(0, 2)

    def cut(self) -> int:
        r = self.rnd()
        return -self.number(1, 3) if r < 0.13 else self.number(0, min(self.longest(), 10) + (r > 0.9))

    def width(self) -> int:
        return self.longest() + self.number(-2, 9) if self.rnd() < 0.7 else self.number(2, 20)

    def element(self) -> int:
        known: list[Sequence[int]] = self.lists(int)
        known += [list(each.values()) for each in self.context if isinstance(each, dict) and each]
        if known and isinstance(known[0][0], int) and self.rnd() < 0.62:
            return self.pick(known[0])
        return self.spread_int()

    # Texts

    def text(self) -> str:
        r = self.rnd()
        if r < 0.03:
            return ""
        if self.separators and self.rnd() < 0.62:
            text = self.separated()
        elif self.styles and self.rnd() < 0.55:
            text = self.pick(self.styles)(self)
        else:
            text = self.style(self) if r < 0.5 else self.pick(_STYLES)(self)
        if self.rnd() < 0.025:
            text = self.spliced(text, self.pick(tables.ACCENTED))
        return self.with_needle(text)[:60]

    def with_needle(self, text: str) -> str:
        """The text, mostly with one of the texts in it that the body asks about."""
        needle = self.pick(self.literals.needles) if self.literals.needles else ""
        if not needle or needle in text or self.rnd() > 0.62:
            return text
        r = self.rnd()
        if r < 0.4:
            return needle + text if r < 0.2 else text + needle
        for _ in range(self.number(1, 3)):
            text = self.spliced(text, needle)
        return text

    def spliced(self, text: str, part: str) -> str:
        place = self.number(0, len(text))
        return text[:place] + part + text[place:]

    def separated(self) -> str:
        separator = self.pick(self.separators)
        text = self.parts(separator)
        return text if self.rnd() < 0.9 else self.spliced(text, separator)

    def numeral(self) -> str:
        return self.some("0123456789", 1, 2 if self.small else 6) if self.rnd() < 0.87 else self.text()

    def separator(self) -> str:
        text = tables.SEPARATORS[int(self.rnd() ** 1.5 * len(tables.SEPARATORS))]
        self.separators = [text]
        return text

    # Parts of what is there

    def char(self) -> str:
        known = self.strings_there()
        if known and self.rnd() < 0.74:
            return self.pick(self.pick(known))
        return self.pick(tables.LETTERS if self.rnd() < 0.75 else "XYZ0129-.,! #*@")

    def slice(self, most: int, pool: Sequence[str], where: str) -> str:
        """A slice of a text (at its "start", its "end" or anywhere), or one of the pool."""
        known = self.strings_there()
        if not known or self.rnd() > 0.7:
            return self.pick(pool)
        text = self.pick(known)
        size = self.number(1, most)
        start = {"start": 0, "end": max(0, len(text) - size)}.get(where)
        start = self.number(0, len(text) - 1) if start is None else start
        return text[start : start + size]

    def some_word(self) -> str:
        known: list[Sequence[str]] = self.lists(str)
        if known and self.rnd() < 0.6:
            return self.pick(self.pick(known))
        words = [word for text in self.strings_there() for word in text.split()]
        if words and self.rnd() < 0.5:
            return self.pick(words)
        return self.word() if self.rnd() < 0.8 else self.mixed()

    def key(self) -> str:
        known: list[str] = self.keys(str)
        return self.pick(known) if known and self.rnd() < 0.66 else self.new_key()

    def int_key(self) -> int:
        known: list[int] = self.keys(int)
        return self.pick(known) if known and self.rnd() < 0.66 else self.element()

    # Collections

    def new_key(self) -> str:
        if self.literals.needles and self.rnd() < 0.3:
            return self.pick(self.literals.needles)
        known: list[Sequence[str]] = self.lists(str)
        if known and self.rnd() < 0.5:
            return self.pick(known[0])
        return self.pick("abcdexyz") if self.rnd() < 0.35 else self.word()

    def size(self) -> int:
        r = self.rnd()
        if r < 0.035:
            return 0
        if r < 0.25:
            return self.number(1, 3)
        return self.number(3, 6) if r < 0.85 else self.number(6, 10)

    def ints(self) -> list[int]:
        found = [self.spread_int() for _ in range(self.size())]
        r = self.rnd()
        if r < 0.12:
            found.sort()
        elif r < 0.4 and len(found) > 1:
            found[self.number(0, len(found) - 1)] = found[0]
        return found

    def strings(self) -> list[str]:
        r = self.rnd()
        count = min(self.size(), 7)
        if self.styles and r < 0.3:
            found = [self.pick(self.styles)(self)[:12] if self.rnd() < 0.6 else self.word() for _ in range(count)]
        elif r < 0.62:
            found = [self.word() for _ in range(count)]
        elif r < 0.78:
            found = [self.pick(self.letters + "ab") for _ in range(count)]
        elif r < 0.9:
            found = [self.some(self.letters, 1, 4) for _ in range(count)]
        else:
            found = [self.part() for _ in range(count)]
        if found and self.literals.needles and self.rnd() < 0.6:
            needle = self.pick(self.literals.needles)
            place = self.number(0, count - 1)
            found[place] = needle if self.rnd() < 0.5 or len(needle) > 2 else self.with_needle(found[place])
        if count > 2 and self.rnd() < 0.3:
            found[-1] = found[0]
        return found

    def mapping(self, key: Callable[[Values], Any], value: Callable[[Values], Any]) -> dict[Any, Any]:
        count = 0 if self.rnd() < 0.05 else 1 + int(self.rnd() * 4.4)
        return {key(self): value(self) for _ in range(count)}

    def small_text(self) -> str:
        return self.word() if self.rnd() < 0.7 else self.some(self.letters, 1, 3)

    def few_ints(self) -> list[int]:
        return [self.spread_int() for _ in range(self.number(0, 4))]

    def rows(self) -> list[list[int]]:
        count = self.number(1, 4)
        if self.rnd() < 0.4:
            return [self.few_ints() for _ in range(count)]
        width = self.number(1, 3)
        return [[self.spread_int() for _ in range(width)] for _ in range(count)]


#: Separators come before the texts that they separate, parts of other arguments after these.
_RANK = dict.fromkeys(("sep",), 0) | dict.fromkeys(
    ("ch", "sub", "pre", "suf", "chars", "word", "key", "ki", "at", "cut", "w", "v", "n"), 3
) | dict.fromkeys(("dsi", "dss", "dsl"), 2) | dict.fromkeys(("s", "li", "ls"), 1)  # fmt: skip

_SPREADS = (
    *((0, 9), (0, 9), (1, 20), (-10, 20), (-10, 20), (-5, 5), (0, 4), (1, 5), (-10, 10), (1, 12), (0, 6), (0, 100)),
    (1, 999),
)

_STYLES: tuple[Callable[[Values], str], ...] = (
    *(Values.word,) * 11,
    *(lambda one: one.words(2, 5),) * 16,
    *(Values.sentence,) * 14,
    *(Values.repeated,) * 11,
    *(Values.few,) * 11,
    *(Values.mixed,) * 10,
    *(Values.cased,) * 6,
    *(Values.digits,) * 4,
    *(Values.numbered,) * 5,
    *(Values.padded,) * 4,
    *(Values.listed,) * 4,
    *(Values.keyed,) * 2,
    *(Values.path,) * 2,
    *(Values.email,) * 2,
    *(Values.lined,) * 2,
    *(Values.tabbed,) * 1,
    *(Values.quoted,) * 2,
)

#: What a text should be like that meets such a method.
_HINTS: tuple[tuple[str, Callable[[Values], str]], ...] = (
    ("splitlines", Values.lined),
    ("expandtabs", Values.tabbed),
    ("isdigit", Values.numbered),
    ("isdecimal", Values.digits),
    ("isnumeric", Values.digits),
    ("int(", Values.numbered),
    ("zfill", Values.digits),
    ("isupper", Values.cased),
    ("islower", Values.cased),
    ("swapcase", Values.cased),
    ("casefold", Values.cased),
    ("istitle", Values.sentence),
    ("isspace", Values.padded),
    ("strip()", Values.padded),
    ("'  ' in", Values.padded),
    ("'--' in", lambda one: one.parts(one.pick(("--", "---", "-")))),
    ("'aa' in", lambda one: one.some("aaab", 3, 12)),
    ("split()", lambda one: one.words(2, 6)),
    ("isalnum", Values.mixed),
    ("isalpha", Values.mixed),
    ("isidentifier", Values.numbered),
    ("set(", Values.repeated),
    ("[::-1]", Values.few),
)

_VALUES: dict[str, Callable[[Values], Any]] = {
    "s": Values.text,
    "sd": Values.numeral,
    "ch": Values.char,
    "c": Values.char,
    "sep": Values.separator,
    "sub": lambda one: one.slice(3, tables.SUBS, ""),
    "pre": lambda one: one.slice(3, tables.PREFIXES, "start"),
    "suf": lambda one: one.slice(3, tables.SUFFIXES, "end"),
    "chars": lambda one: one.slice(4, tables.CHAR_SETS, ""),
    "fill": lambda one: one.pick(tables.FILLS),
    "word": Values.some_word,
    "key": Values.key,
    "ki": Values.int_key,
    "i": Values.int_,
    "n": lambda one: one.number(0, 6),
    "at": Values.at,
    "cut": Values.cut,
    "w": Values.width,
    "v": Values.element,
    "b": lambda one: one.rnd() < 0.5,
    "f": lambda one: one.number(-40, 200) / one.pick((2, 4, 10)),
    "li": Values.ints,
    "ls": Values.strings,
    "lli": Values.rows,
    "t": lambda one: tuple(one.ints()),
    "ts": lambda one: tuple(one.strings()),
    "dsi": lambda one: one.mapping(Values.new_key, Values.spread_int),
    "dss": lambda one: one.mapping(Values.new_key, Values.small_text),
    "dis": lambda one: one.mapping(Values.key_int, Values.small_text),
    "dii": lambda one: one.mapping(Values.key_int, Values.spread_int),
    "dsl": lambda one: one.mapping(Values.new_key, Values.few_ints),
}
