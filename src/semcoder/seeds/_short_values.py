"""The values of the short programs: literals in their bodies, and arguments that fit each other and the literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from semcoder.seeds import _grammar_short as tables
from semcoder.seeds._engine import Var

Random = Callable[[], float]


class _Dice:
    """Random choices."""

    def __init__(self, rnd: Random) -> None:
        self.rnd = rnd

    def pick(self, options: Sequence[Any]) -> Any:
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
        rows = tables.FIRST[kind] if kind in tables.FIRST else (("[]", 1),)
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
        return str(-self.number(1, 5)) if r < 0.9 else str(self.number(10, 100))

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
        return self.needle(self.pick(tables.WORDS) if r < 0.6 else self.pick(tables.SUBS) if r < 0.8 else self.pick(_ODD))

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
        return f"[{', '.join(self.of(kind) for _ in range(self.number(1, most)))}]"

    def pairs(self, key: str, value: str) -> str:
        return "{" + ", ".join(f"{self.of(key)}: {self.of(value)}" for _ in range(self.number(1, 2))) + "}"


_ODD = ("", "x", "ab", "abc", "!", "0", "--", "yes", "no", "none", "end", "OK", "...")

_RETURNED = str.split("0 -1 -1 None '' [] False False True True 'none' 'no' 'yes' 1 {}")

_LITERALS: dict[str, Callable[[Literals], str]] = {
    "i": Literals.int_,
    "n": lambda one: str(one.number(1, 5)),
    "k": lambda one: str(one.pick((2, 2, 2, 3, 3, 3, 4, 5))),
    "kk": lambda one: str(one.pick((1, 1, 2, 2, 3))),
    "m": lambda one: str(one.pick((7, 10, 26, 97, 100))),
    "lo": lambda one: str(one.number(0, 3) if one.rnd() < 0.75 else -one.number(1, 5)),
    "hi": lambda one: str(one.pick((5, 6, 8, 10, 10, 12, 15, 20, 30, 50, 100))),
    "at": lambda one: str(one.pick((0, 0, 0, 1, 1, 1, 2, 2, 3, -1, -1, -2))),
    "cut": lambda one: str(one.pick((1, 1, 2, 2, 3, 3, 4, 5, -1, -2, -3))),
    "w": lambda one: str(one.pick((5, 6, 8, 10, 10, 12, 15, 20))),
    "v": Literals.element,
    "vl": lambda one: one.other(one.element),
    "flag": lambda one: one.pick(("True", "False")),
    "ki": Literals.element,
    "f": lambda one: str(one.pick((0.5, 1.5, 2.0, 2.5, 0.25, 10.0, 3.14))),
    "s": lambda one: one.char() if one.rnd() < 0.55 else one.word(),
    "c": Literals.char,
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
    "dup": lambda one: one.of_pool(("  ", "--", "aa", "ll", "..", "ss", "oo", "00", "bb", "__")),
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


class Values(_Dice):
    """Arguments for calls of one program: every call's fit the parameters' roles, each other and the body's literals."""

    def __init__(self, rnd: Random, literals: Literals, parameters: Sequence[Var], source: str) -> None:
        super().__init__(rnd)
        self.literals = literals
        self.parameters = parameters
        self.order = sorted(range(len(parameters)), key=lambda k: _RANK.get(parameters[k].type, 2))
        self.source = source
        self.styles = [style for pattern, style in _HINTS if pattern in source]
        self.style = self.pick(_STYLES)
        self.spread = self.pick(_SPREADS)
        self.letters = "".join(self.pick(tables.LETTERS) for _ in range(self.number(2, 6)))
        self.context: list[Any] = []
        self.separators: list[str] = []

    def arguments(self) -> list[Any]:
        """The arguments of one call, fresh objects."""
        self.context = []
        self.separators = list(self.literals.separators)
        found: dict[int, Any] = {}
        for place in self.order:
            value = _VALUES[self.parameters[place].type](self)
            found[place] = value
            self.context.append(value)
        return [found[place] for place in range(len(self.parameters))]

    # What is there already

    def texts(self) -> list[str]:
        return [each for each in self.context if isinstance(each, str) and each]

    def lists(self, of: type) -> list[Any]:
        return [
            each for each in self.context if isinstance(each, (list, tuple)) and each and isinstance(each[0], of)
        ]

    def longest(self) -> int:
        sized = [len(each) for each in self.context if hasattr(each, "__len__")]
        return max(sized, default=6)

    # Numbers

    def int_(self) -> int:
        r = self.rnd()
        if r < 0.75:
            return self.number(0, 20)
        if r < 0.88:
            return -self.number(1, 10)
        return self.number(20, 150) if r < 0.97 else self.number(150, 5000)

    def spread_int(self) -> int:
        if self.literals.numbers and self.rnd() < 0.2:
            return int(self.pick(self.literals.numbers))
        return self.number(*self.spread) if self.rnd() < 0.96 else self.number(-100, 1000)

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
        known = self.lists(int)
        if known and self.rnd() < 0.66:
            return int(self.pick(self.pick(known)))
        known = [list(each.values()) for each in self.context if isinstance(each, dict) and each]
        if known and isinstance(known[0][0], int) and self.rnd() < 0.4:
            return int(self.pick(known[0]))
        return self.spread_int()

    # Texts

    def text(self) -> str:
        r = self.rnd()
        if r < 0.03:
            return ""
        style = self.style if r < 0.5 else self.pick(_STYLES)
        if self.styles and self.rnd() < 0.55:
            style = self.pick(self.styles)
        if self.separators and self.rnd() < 0.62:
            text = self.separated()
        else:
            text = str(style(self))
        if self.rnd() < 0.02:
            text = self.spliced(text, self.pick(tables.ACCENTED))
        if self.literals.needles:
            text = self.with_needles(text)
        return text[:60]

    def with_needles(self, text: str) -> str:
        """The text, mostly with one of the texts in it that the body asks about."""
        needle = self.pick(self.literals.needles)
        if needle and needle not in text and self.rnd() < 0.62:
            r = self.rnd()
            if r < 0.2:
                return needle + text
            if r < 0.4:
                return text + needle
            for _ in range(self.number(1, 3)):
                text = self.spliced(text, needle)
        return text

    def spliced(self, text: str, part: str) -> str:
        place = self.number(0, len(text))
        return text[:place] + part + text[place:]

    def separated(self) -> str:
        separator = self.pick(self.separators)
        parts = [str(self.part()) for _ in range(self.number(2, 5))]
        if self.rnd() < 0.1:
            parts[self.number(0, len(parts) - 1)] = ""
        return str(separator).join(parts)

    def part(self) -> str:
        r = self.rnd()
        if r < 0.5:
            return self.word()
        if r < 0.75:
            return self.some(self.letters, 1, 4)
        return str(self.number(0, 120)) if r < 0.9 else self.mixed()

    def word(self) -> str:
        r = self.rnd()
        return str(self.pick(tables.CAPITAL) if r < 0.1 else self.pick(tables.WORDS))

    def some(self, letters: str, least: int, most: int) -> str:
        return "".join([self.pick(letters) for _ in range(self.number(least, most))])

    def mixed(self) -> str:
        pool = tables.LETTERS + self.letters * 2 + "0123456789" + tables.LETTERS.upper()[:6] + tables.SYMBOLS[:14] + " "
        return self.some(pool, 4, 16)

    def cased(self) -> str:
        return "".join(c.upper() if self.rnd() < 0.45 else c for c in self.words(1, 2))

    def words(self, least: int, most: int) -> str:
        return " ".join(self.word() for _ in range(self.number(least, most)))

    def sentence(self) -> str:
        return self.words(4, 9).capitalize() + str(self.pick(tables.PUNCTUATION))

    def repeated(self) -> str:
        r = self.rnd()
        if r < 0.4:
            return "".join(self.pick(self.letters) * self.number(1, 4) for _ in range(self.number(1, 4)))
        if r < 0.8:
            return self.some(self.letters, 1, 3) * self.number(2, 6)
        return str(self.pick("-* =.0a1!#")) * self.number(1, 8)

    def digits(self) -> str:
        r = self.rnd()
        text = self.some("0123456789", 1, 6)
        return text if r < 0.7 else f"-{text}" if r < 0.78 else f"{text}.{self.number(0, 99)}" if r < 0.88 else f"0{text}"

    def numeral(self) -> str:
        return self.some("0123456789", 1, 6) if self.rnd() < 0.87 else self.text()

    def padded(self) -> str:
        return " " * self.number(0, 3) + self.words(1, 3).replace(" ", "  ") + " " * self.number(0, 3)

    def path(self) -> str:
        return f"{self.pick(('/', '', './', 'C:/'))}{self.word()}/{self.word()}.{self.pick(tables.EXTENSIONS)}"

    def email(self) -> str:
        return f"{self.word().lower()}{self.pick(('', '.', '_', '1'))}@{self.word().lower()}.{self.pick(('com', 'org', 'net'))}"

    def listed(self) -> str:
        return str(self.pick((",", ", ", ";", "|", " "))).join(self.part() for _ in range(self.number(2, 5)))

    def keyed(self) -> str:
        pairs = [f"{self.word()}={self.part()}" for _ in range(self.number(1, 3))]
        return str(self.pick(("&", ";", ", ", " "))).join(pairs)

    def lined(self) -> str:
        return "\n".join(self.words(1, 2) for _ in range(self.number(2, 4))) + ("\n" if self.rnd() < 0.3 else "")

    def tabbed(self) -> str:
        return "\t".join(self.part() for _ in range(self.number(2, 4)))

    def quoted(self) -> str:
        return str(self.pick(("it's {}", "'{}'", '"{}"', "{}\\n", "C:\\{}", 'say "{}"', "don't {}", "\\{}"))).format(self.word())

    def letters_(self) -> str:
        return self.some(self.letters + str(self.pick(tables.LETTERS)), 3, 12)

    def coded(self) -> str:
        return self.some(self.letters.upper(), 1, 3) + str(self.pick(("", "-", "_", ""))) + self.some("0123456789", 1, 4)

    def number_in(self) -> str:
        return str(self.pick((f"{self.word()}{self.number(0, 99)}", f"{self.number(0, 99)}{self.word()}", self.coded())))

    # Parts of what is there

    def char(self) -> str:
        known = self.texts() or [each for row in self.lists(str) for each in row if each]
        if known and self.rnd() < 0.74:
            return str(self.pick(self.pick(known)))
        return str(self.pick(tables.LETTERS) if self.rnd() < 0.75 else self.pick("XYZ0129-.,! #*@"))

    def slice(self, most: int, pool: Sequence[str], where: str) -> str:
        known = self.texts() or [each for row in self.lists(str) for each in row if each]
        if not known or self.rnd() > 0.7:
            return str(self.pick(pool))
        text = str(self.pick(known))
        size = self.number(1, most)
        start = 0 if where == "start" else max(0, len(text) - size) if where == "end" else self.number(0, len(text) - 1)
        return text[start : start + size]

    def some_word(self) -> str:
        known = self.lists(str)
        if known and self.rnd() < 0.6:
            return str(self.pick(self.pick(known)))
        words = [word for text in self.texts() for word in text.split()]
        return str(self.pick(words)) if words and self.rnd() < 0.5 else self.word() if self.rnd() < 0.8 else self.mixed()

    def separator(self) -> str:
        text = tables.SEPARATORS[int(self.rnd() ** 1.5 * len(tables.SEPARATORS))]
        self.separators = [text] * 3
        return text

    def key(self) -> Any:
        known = [list(each) for each in self.context if isinstance(each, dict) and each]
        if known and isinstance(known[0][0], str) and self.rnd() < 0.66:
            return self.pick(known[0])
        return self.a_key()

    def int_key(self) -> Any:
        known = [list(each) for each in self.context if isinstance(each, dict) and each]
        if known and isinstance(known[0][0], int) and self.rnd() < 0.66:
            return self.pick(known[0])
        return self.element()

    # Collections

    def a_key(self) -> str:
        if self.literals.needles and self.rnd() < 0.3:
            return str(self.pick(self.literals.needles))
        known = [each for row in self.lists(str) for each in row]
        if known and self.rnd() < 0.5:
            return str(self.pick(known))
        r = self.rnd()
        return str(self.pick("abcdexyz") if r < 0.35 else self.word())

    def a_number(self) -> int:
        if self.literals.numbers and self.rnd() < 0.25:
            return int(self.pick(self.literals.numbers))
        return self.number(0, 10) if self.rnd() < 0.85 else self.spread_int()

    def size(self) -> int:
        r = self.rnd()
        return 0 if r < 0.035 else self.number(1, 3) if r < 0.25 else self.number(3, 6) if r < 0.85 else self.number(6, 10)

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
        if r < 0.62:
            found = [self.word() for _ in range(count)]
        elif r < 0.78:
            found = [str(self.pick(self.letters + "ab")) for _ in range(count)]
        elif r < 0.9:
            found = [self.some(self.letters, 1, 4) for _ in range(count)]
        else:
            found = [self.part() for _ in range(count)]
        if found and self.literals.needles and self.rnd() < 0.6:
            place = self.number(0, count - 1)
            needle = str(self.pick(self.literals.needles))
            found[place] = needle if self.rnd() < 0.5 or len(needle) > 2 else self.with_needles(found[place])
        if count > 2 and self.rnd() < 0.3:
            found[-1] = found[0]
        return found

    def mapping(self, key: Callable[[Values], Any], value: Callable[[Values], Any]) -> dict[Any, Any]:
        r = self.rnd()
        count = 0 if r < 0.05 else 1 + int(self.rnd() * 4.4)
        return {key(self): value(self) for _ in range(count)}

    def small_text(self) -> str:
        return self.word() if self.rnd() < 0.7 else self.some(self.letters, 1, 3)

    def rows(self) -> list[list[int]]:
        count = self.number(1, 4)
        if self.rnd() < 0.6:
            width = self.number(1, 3)
            return [[self.spread_int() for _ in range(width)] for _ in range(count)]
        return [[self.spread_int() for _ in range(self.number(0, 4))] for _ in range(count)]


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
    *(Values.letters_,) * 11,
    *(Values.mixed,) * 10,
    *(Values.cased,) * 6,
    *(Values.digits,) * 4,
    *(Values.number_in,) * 5,
    *(Values.padded,) * 4,
    *(Values.listed,) * 4,
    *(Values.keyed,) * 2,
    *(Values.path,) * 2,
    *(Values.email,) * 2,
    *(Values.lined,) * 2,
    *(Values.tabbed,) * 1,
    *(Values.quoted,) * 2,
)  # type: ignore[assignment]

#: What a text should be like that meets such a method.
_HINTS: tuple[tuple[str, Callable[[Values], str]], ...] = (
    ("splitlines", Values.lined),
    ("expandtabs", Values.tabbed),
    ("isdigit", Values.number_in),
    ("isdecimal", Values.digits),
    ("isnumeric", Values.digits),
    ("int(", Values.number_in),
    ("zfill", Values.digits),
    ("isupper", Values.cased),
    ("islower", Values.cased),
    ("swapcase", Values.cased),
    ("casefold", Values.cased),
    ("istitle", Values.sentence),
    ("isspace", Values.padded),
    ("strip()", Values.padded),
    ("split()", lambda one: one.words(2, 6)),
    ("isalnum", Values.mixed),
    ("isalpha", Values.mixed),
    ("isidentifier", Values.number_in),
    ("set(", Values.repeated),
    ("[::-1]", Values.letters_),
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
    "dsi": lambda one: one.mapping(Values.a_key, Values.spread_int),
    "dss": lambda one: one.mapping(Values.a_key, Values.small_text),
    "dis": lambda one: one.mapping(Values.a_number, Values.small_text),
    "dii": lambda one: one.mapping(Values.a_number, Values.spread_int),
    "dsl": lambda one: one.mapping(
        Values.a_key, lambda self: [self.spread_int() for _ in range(self.number(0, 4))]
    ),
}
