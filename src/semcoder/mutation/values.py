"""Values for shapes, and small changes of values.

Plain scalars come from fixed pools; all else is put together from them with the caller's random number generator.

Guarantees: the same generator state gives the same value, in every process; values are plain data whose text
`ast.literal_eval` reads back, and small enough to read: texts up to 40 characters, containers up to 12 members.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from semcoder.core import literal_text
from semcoder.mutation.regexes import text_like
from semcoder.mutation.types import Shape

MAX_TEXT = 40
MAX_MEMBERS = 12

_SAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "hello", "Hello, World!", "the quick brown fox", "a", "", "racecar", "one two  three", "abc123", "x = 1",
        "42", "Foo Bar baz", "a,b,c", "line one\nline two", "  padded  ", "MiXeD Case", "foo_bar", "3.14",
        "tab\tbed", "aaabbb", "(a + b) * c", "key=value", "naïve café", "foo.bar.baz", "it's", 'say "hi"',
        "<b>bold</b>", "-5", "a-b-c", "#1",
    ),
    "word": (
        "foo", "bar_baz", "name", "Key", "x", "item1", "fooBar", "HTTPServer", "_private", "self", "", "class",
        "a.b",
    ),
    "char": ("a", "Z", "5", " ", ",", "-", "_", "x", "(", "*", ":", "\t", "\n", "é", "0", "."),
    "url": (
        "http://example.com/a/b?x=1&y=2#top", "https://user@host:8080/path", "ftp://ftp.example.org/f.txt",
        "/local/path", "mailto:joe@example.com", "example.com", "http://a.b/c d", "//host/x", "?q=1",
        "file:///etc/x", "http://[::1]/",
    ),
    "path": (
        "/usr/lib/python/os.py", "a/b/c.txt", "file.tar.gz", "/", "", "../up/./x", "C:\\dir\\file.txt", "dir//sub/",
        ".hidden", "name", "/a b/c.d/e", "~/notes.md",
    ),
    "version": ("1.2.3", "2.0", "0.1a1", "3.11.0rc2", "v1.0", "1", "10.4.5.dev3", "1!2.0+local", "abc"),
    "date": (
        "2024-02-29", "1999-12-31T23:59:59", "2021-01-05 08:30", "Mon, 02 Jan 2006 15:04:05 GMT", "01/02/2003",
        "20240131",
    ),
    "time": ("12:30:45", "01:02", "23:59:59.999", "5s", "1h 20m", "0:00", "T10:00:00Z"),
    "address": (
        "joe@example.com", "Joe Q. Public <john.q.public@example.com>", "a@b", "no-at-sign", '"x y" <x@y.org>',
    ),
    "host": (
        "192.168.0.1", "example.com", "::1", "10.0.0.0/8", "localhost", "255.255.255.0", "host:80", "1.2.3",
        "fe80::1%eth0",
    ),
    "markup": (
        "<p>Hi & bye</p>", "a &lt; b &amp; c", "<a href='x'>y</a>", "# Title", "*bold* text", "&#65;&copy;", "<br/>",
        "plain",
    ),
    "json": ('{"a": 1}', "[1, 2, 3]", '"text"', "null", "true", '{"k": [1, {"x": null}]}', "3.5", "bad"),
    "pattern": ("a*b", "*.py", "[a-z]+", r"\d+", "x?", "[!abc]", "(a|b)", "**/c", "a.b", "{x,y}", ""),
    "format": ("%d items", "{} and {}", "%s-%s", "{0:>5}", "%Y-%m-%d", ">10", "05.2f", "{name}", "%%", "x", ",.3f"),
    "colour": ("#ff0000", "#abc", "red", "00FF7f", "rgb(1,2,3)", "#12345", "blue"),
    "encoding": ("utf-8", "ascii", "latin-1", "UTF_16", "iso8859-1", "cp1252", "utf8"),
    "header": (
        "text/html; charset=utf-8", "a=1; b=2", "Content-Type: text/plain", 'attachment; filename="x.txt"',
        "gzip;q=0.5, *", "X-Name", "a", "=?utf-8?q?caf=C3=A9?=", "no-cache, max-age=60",
    ),
    "query": ("a=1&b=2", "x=%20y&z", "q=hello+world", "", "a=1;b=2", "k=v&k=w&=z"),
    "code": (
        "x = 1", "a + b * 2", "def f(x):\n    return x", "'text'", "# comment", "if a: b", "f(1, 2)", "lambda x: x",
        "(", "",
    ),
    "number": ("42", "-7", "3.14", "0x1F", "1e3", "007", "1,234", "10 %", "abc", "", "0b101", "12 34"),
}  # fmt: skip
_SAMPLES["str"] = _SAMPLES["word"]

_INTS = (0, 1, 2, 3, 5, 7, 10, -1, 4, 12, 100, 6, 8, -5, 20, 255, 31, 64, 1000, 17)
_FLOATS = (0.5, 1.0, 2.5, -1.5, 0.0, 3.14, 10.0, 0.1, 100.0, -0.25, 1.75, 99.9)
_BYTES = (b"hello", b"", b"abc def", b"\x00\x01\xff", b"a=b\r\n", b"SGVsbG8=", b"1234", b"caf\xc3\xa9")


_READABLE = "abcdexyzABC012 _-.,:"
_POOL_SIZE = 120
#: Among them letters of other scripts, of other cases' lengths, and beyond 16 bits.
_INSERTS = ("a", "Z", " ", "0", "-", "_", ".", "x", "1", "\n", "\t", "é", "ß", "א", "→", "😀")


@cache
def pool(kind: str) -> tuple[Any, ...]:
    """A hundred or so values of one scalar kind (int, float, str, bytes): the same in every process.

    Drawn here and not by hypothesis, which mixes in constants of the modules that happen to be loaded: two processes of
    one build would then try different inputs.
    """
    rng = random.Random(f"pool of {kind}")
    draw: dict[str, Callable[[], Any]] = {
        "int": lambda: rng.randint(-1000, 1000) if rng.random() < 0.5 else rng.randint(-12, 12),
        "float": lambda: float(f"{rng.uniform(-1000, 1000) if rng.random() < 0.5 else rng.uniform(-10, 10):.4g}"),
        "str": lambda: "".join(rng.choices(_READABLE, k=rng.randint(0, 12))),
        "bytes": lambda: rng.randbytes(rng.randint(0, 8)),
    }
    return tuple(draw[kind]() for _ in range(_POOL_SIZE))


class Maker:
    """Makes and changes values, with the constants of one program at hand."""

    def __init__(
        self, rng: random.Random, texts: Sequence[str] = (), numbers: Sequence[float] = (), patterns: Sequence[str] = ()
    ) -> None:
        self._rng = rng
        self._texts = list(texts)
        self._patterns = list(patterns)
        self._ints = [n for n in numbers if isinstance(n, int)]
        self._floats = [float(n) for n in numbers]

    # -- making --------------------------------------------------------------------------------------------------

    def make(self, shape: Shape, depth: int = 0) -> Any:
        """A value of a shape."""
        kind = shape.kind
        if kind in ("list", "tuple", "set", "dict"):
            return self._container(shape, depth)
        if kind == "int":
            return self._int()
        if kind == "float":
            return self._pick((_FLOATS, 5), (pool("float"), 3), (self._floats, 1), (_INTS, 1))
        if kind == "bool":
            return self._rng.random() < 0.5
        if kind == "bytes":
            return self._pick((_BYTES, 4), (pool("bytes"), 2))
        return self._text(shape.flavour) if kind == "str" else None

    def _int(self) -> int:
        near = [n + d for n in self._ints[:30] for d in (-1, 0, 1)]
        return int(self._pick((_INTS, 6), (pool("int"), 2), (near, 2)))

    def _text(self, flavour: str) -> str:
        samples = _SAMPLES.get(flavour, _SAMPLES[""])
        if self._patterns and self._rng.random() < 0.4:
            text = text_like(self._rng.choice(self._patterns), self._rng)
            if text:
                return text if self._rng.random() < 0.6 else f"{self._rng.choice(samples)[:12]} {text}"[:MAX_TEXT]
        choice = self._rng.random()
        if choice < 0.62 or (flavour == "char" and choice < 0.85):
            return self._rng.choice(samples)
        if choice < 0.74 and self._texts:
            return self._rng.choice(self._texts)
        if choice < 0.9 and self._texts:
            pieces = [self._rng.choice((self._rng.choice(self._texts), self._rng.choice(samples))) for _ in range(2)]
            return self._rng.choice(("", " ", "")).join(pieces)[:MAX_TEXT]
        return str(self._rng.choice(pool("str")))

    def _container(self, shape: Shape, depth: int) -> Any:
        if shape.kind == "tuple" and len(shape.parts) > 1:
            return tuple(self.make(part, depth + 1) for part in shape.parts)
        size = self._rng.choice((0, 1, 2, 3, 3, 4, 5, 6, 8) if depth == 0 else (0, 1, 2, 2, 3))
        if shape.kind == "dict":
            key, value = shape.parts
            made = {name: self.make(part, depth + 1) for name, part in shape.fields if self._rng.random() < 0.85}
            size = min(size, 1) if made else size
            return made | {_frozen(self.make(key, depth + 1)): self.make(value, depth + 1) for _ in range(size)}
        members = [self.make(shape.parts[0], depth + 1) for _ in range(size)]
        if shape.parts[0].kind == "int" and self._rng.random() < 0.15:
            members.sort()
        if shape.kind == "set":
            return {_frozen(member) for member in members}
        return tuple(members) if shape.kind == "tuple" else members

    def _pick(self, *weighted: tuple[Sequence[Any], int]) -> Any:
        usable = [(values, weight) for values, weight in weighted if values]
        values = self._rng.choices([v for v, _ in usable], [w for _, w in usable])[0]
        return self._rng.choice(values)

    # -- changing ------------------------------------------------------------------------------------------------

    def change(self, value: Any, depth: int = 0) -> Any:
        """A value of the same kind that differs a little (or, by chance, not at all)."""
        if isinstance(value, bool) or value is None:
            return not value if isinstance(value, bool) else None
        if isinstance(value, int):
            return self._change_number(value)
        if isinstance(value, float):
            return float(f"{self._change_number(value):.6g}")
        if isinstance(value, str):
            return self._change_text(value)[:MAX_TEXT]
        if isinstance(value, bytes):
            text = value.decode("latin-1")
            return self._change_text(text)[:MAX_TEXT].encode("latin-1", "replace")
        if isinstance(value, dict):
            return self._change_dict(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._change_members(value, depth)
        return value

    def _change_number(self, value: Any) -> Any:
        choice = self._rng.randrange(9)
        near = (value + 1, value - 1, -value, value * 2, value // 2, 0, value + 10)
        if choice < len(near):
            return near[choice]
        return self._int() if choice == 7 or isinstance(value, int) else self.make(Shape("float"))

    def _change_text(self, text: str) -> str:
        rng = self._rng
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        insert = rng.choice(self._texts) if self._texts and rng.random() < 0.6 else rng.choice(_INSERTS)
        ways = (
            lambda: text[:i] + text[j:],
            lambda: text[i:j],
            lambda: text[:i] + insert + text[i:],
            lambda: text[:i] + insert + text[i + 1 :],
            text.swapcase,
            lambda: text[::-1],
            lambda: text[:i] + text[i:j] * 2 + text[j:],
            lambda: text + insert,
            lambda: insert + text,
            lambda: self._change_digits(text),
        )
        return rng.choice(ways)()

    def _change_digits(self, text: str) -> str:
        """Another digit for one of the text's digits; another letter where it has none."""
        places = [k for k, c in enumerate(text) if c.isdigit()] or list(range(len(text)))
        if not places:
            return self._rng.choice("a1 ")
        k = self._rng.choice(places)
        return text[:k] + self._rng.choice("0123456789" if text[k].isdigit() else "abcXYZ") + text[k + 1 :]

    def _change_dict(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        rng, items = self._rng, list(value.items())
        choice = rng.randrange(4) if items else 4
        k = rng.randrange(len(items)) if items else 0
        if choice == 0:
            del items[k]
        elif choice == 1:
            items[k] = (items[k][0], self.change(items[k][1], depth + 1))
        elif choice == 2:
            items[k] = (_frozen(self.change(items[k][0], depth + 1)), items[k][1])
        elif choice == 3:
            items.append((_frozen(self.change(items[k][0], depth + 1)), items[k][1]))
        return dict(items[:MAX_MEMBERS])

    def _change_members(self, value: Any, depth: int) -> Any:
        rng = self._rng
        unordered = isinstance(value, (set, frozenset))
        members = sorted(value, key=literal_text) if unordered else list(value)
        k = rng.randrange(len(members)) if members else 0
        choice = rng.randrange(7) if members else 7
        if choice == 0:
            del members[k]
        elif choice == 1:
            members.insert(k, members[k])
        elif choice == 2:
            rng.shuffle(members)
        elif choice == 3:
            members.append(self.change(members[k], depth + 1))
        elif choice == 4:
            members.reverse()
        elif choice < 7:
            members[k] = self.change(members[k], depth + 1)
        if unordered:
            return {_frozen(member) for member in members}
        return tuple(members) if isinstance(value, tuple) else members[:MAX_MEMBERS]


def exchanged(value: Any, seen: Any, wanted: Any) -> Iterator[Any]:
    """Values in which `wanted` stands where `seen` stood: whole, in a text (first or last), in a member, as a length.

    A number comes one lower and one higher too, so that `<` turns with it.
    """
    if type(value) is type(seen) and value == seen:
        yield wanted
        if type(wanted) in (int, float):
            yield wanted + 1
            yield wanted - 1
    elif isinstance(value, (str, bytes)) and type(value) is type(seen):
        yield from _exchanged_part(value, seen, wanted)
    if (
        isinstance(value, (str, bytes, list, tuple))
        and type(seen) is int
        and type(wanted) is int
        and len(value) == seen
    ):
        yield from (_of_length(value, n) for n in (wanted, wanted + 1, wanted - 1) if 0 <= n <= 2 * MAX_MEMBERS)
    if isinstance(value, (list, tuple)):
        for k, member in enumerate(value):
            for new in exchanged(member, seen, wanted):
                yield type(value)([*value[:k], new, *value[k + 1 :]])
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from ({**value, key: new} for new in exchanged(member, seen, wanted))
            for new in exchanged(key, seen, wanted):
                yield {(_frozen(new) if old == key else old): part for old, part in value.items()}


def _exchanged_part(text: Any, seen: Any, wanted: Any) -> Iterator[Any]:
    if not seen:
        yield from (wanted + text, text + wanted)
        return
    first, last = text.find(seen), text.rfind(seen)
    for at in (first, last) if first != last else (first,):
        if at >= 0:
            yield text[:at] + wanted + text[at + len(seen) :]
    if text.endswith(seen[-1:]) and text.startswith(seen[:1]):
        yield wanted + text + wanted


def _of_length(value: Any, length: int) -> Any:
    """A text or list of this length, made of the value over and over; as it is where it is empty."""
    return (value * (length // len(value) + 1))[:length] if len(value) else value


def _frozen(value: Any) -> Any:
    """The hashable counterpart of a value, for keys and members of sets."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return tuple(map(_frozen, value))
    return tuple(sorted(map(repr, value))) if isinstance(value, set) else value


def text_of(value: Any) -> str:
    """Literal source text of a plain value; sets sorted, so that it is the same in every process."""
    return literal_text(value) if _holds_set(value) else repr(value)


def _holds_set(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_set(part) for part in value.values()) or any(map(_holds_set, value))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_set, value))
    return isinstance(value, (set, frozenset))
