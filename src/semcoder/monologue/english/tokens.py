"""From text to typed tokens: code spans, literals, names of the program, line labels, numbers, words.

Guarantees: every token has the place in the text where it stands; what stands in a code span, in quotes or in brackets
is one piece, and its letters are never words of the sentence. Bare expressions are recognised only where the program
has that very expression.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from semcoder.core import TooLarge, Value
from semcoder.monologue.english.lexicon import (
    ADVERBS,
    ARTICLES,
    EMPTY,
    EXCEPTIONS,
    NUMBERS,
    ORDINALS,
    REPEATS,
    ROUNDS,
    TENS,
    senses,
    words_of,
)
from semcoder.monologue.story import normal

Kind = Literal["word", "punct", "name", "value", "code", "line", "count", "ordinal", "exception", "break"]
_BAD = (ValueError, SyntaxError, TypeError, TooLarge, RecursionError, MemoryError)


@dataclass(slots=True)
class Token:
    """`text`: the word or the code. `number`: of a line, a count or an ordinal (-1: the last). `senses`: of a word."""

    kind: Kind
    text: str
    start: int
    end: int
    number: int = 0
    value: Value | None = None
    senses: frozenset[str] = field(default_factory=frozenset)
    span: bool = False

    def means(self, *wanted: str) -> bool:
        """Whether it is a word with one of these senses."""
        return self.kind == "word" and not self.senses.isdisjoint(wanted)


def literal(code: str) -> Value | None:
    """The value of literal text, None if it is no literal."""
    try:
        return Value.of(ast.literal_eval(code.strip()))
    except _BAD:
        pass
    if code.strip() in ("nan", "inf", "-inf"):
        return Value.of(float(code))
    return _made(code)


_MAKERS: dict[str, Callable[..., Any]] = {
    "set": set, "frozenset": frozenset, "range": range, "bytearray": bytearray, "float": float,
}  # fmt: skip


def _made(code: str) -> Value | None:
    """The value of `range(3)`, `set()`, `(1, frozenset({2}))`: what `repr` writes with calls over literals in it."""
    try:
        return Value.of(_build(ast.parse(code.strip(), mode="eval").body))
    except _BAD:
        return None


def _build(node: ast.expr) -> Any:
    """Raises ValueError where it is anything else."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        members = [_build(inner) for inner in node.elts]
        return (
            members if isinstance(node, ast.List) else tuple(members) if isinstance(node, ast.Tuple) else set(members)
        )
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_build(key): _build(value) for key, value in pairs if key is not None}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        given = [_build(inner) for inner in node.args]
        if node.func.id == "range" or not any(isinstance(g, int) for g in given):
            maker = _MAKERS.get(node.func.id)
            if maker is not None:
                return maker(*given)
    return ast.literal_eval(node)


class Vocabulary:
    """What a program calls things: its names, its expressions and where its statements stand."""

    def __init__(self, tree: ast.Module, source: str) -> None:
        self.functions: set[str] = set()
        self.names: set[str] = set()
        self.exceptions = set(EXCEPTIONS)
        self.statements: dict[str, list[int]] = {}
        self.expressions: dict[str, set[int]] = {}
        texts: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions.add(node.name)
            elif isinstance(node, ast.ClassDef):
                if any(isinstance(b, ast.Name) and b.id in self.exceptions for b in node.bases):
                    self.exceptions.add(node.name)
            elif isinstance(node, ast.arg):
                self.names.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.names.add(node.id)
            elif (isinstance(node, ast.ExceptHandler) and node.name) or (
                isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name
            ):
                self.names.add(node.name)
            if isinstance(node, ast.stmt):
                self._statement(node)
                for child in _own_expressions(node):
                    key = normal(ast.get_source_segment(source, child) or "")
                    if key is not None:
                        self.expressions.setdefault(key, set()).add(node.lineno)
                    if not isinstance(child, (ast.Name, ast.Constant)):
                        texts |= {ast.get_source_segment(source, child) or "", ast.unparse(child)}
        operators = [t for t in texts if len(t) > 2 and literal(t) is None]
        self.bare = sorted(operators, key=len, reverse=True)

    def _statement(self, node: ast.stmt) -> None:
        head = ast.unparse(node).split("\n", 1)[0] if not isinstance(node, ast.ClassDef) else f"class {node.name}"
        self.statements.setdefault(head.rstrip(":"), []).append(node.lineno)


def _own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of the statements inside it."""
    todo: list[ast.AST] = [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.stmt)]
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.stmt):
            continue
        if isinstance(inner, ast.expr):
            yield inner
        todo.extend(ast.iter_child_nodes(inner))


_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"(?:\blines?\s*(?:number\s*|no\.\s*|#\s*)?|\bL)(\d+)\b", re.IGNORECASE)
_NUMBER = re.compile(r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?[jJ]?(?![\w])")
_NTH = re.compile(r"(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE)
_HASH = re.compile(r"#(\d+)\b")
_STRING = re.compile(r"(?<!\w)(?:[rRbBuU]{0,2})(?=['\"])")
_CURLY = {"\u201c": "\u201d", "\u2018": "\u2019"}
_WORD = re.compile(r"(?:i\.e|e\.g)(?=\.)|[^\W\d]\w*(?:[-\u2011](?=\w)\w+)*", re.UNICODE)
_MARK = re.compile(r"-->|==>|->|=>|:=|==|→|⇒|⟶|➜|=|…|\.{3}")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_NOT = re.compile(r"n['\u2019]t\b", re.IGNORECASE)


class Lexer:
    """Splits one text into tokens. A token of kind `break` ends a sentence (`text` is what ended it)."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._fences = [(m.start(), m.end()) for m in _FENCE.finditer(text)]
        self._bare = [pattern for pattern in map(_spelled, vocabulary.bare) if pattern.search(text)]

    def tokens(self) -> list[Token]:
        """All tokens in order, with counts and ordinals put together."""
        return _numbers(_joined_words(list(self._scan())))

    def _scan(self) -> Iterator[Token]:
        text, at = self._text, 0
        while at < len(text):
            fence = next((end for start, end in self._fences if start == at), None)
            if fence is not None:
                yield Token("break", "\n", at, fence)
                at = fence
                continue
            found = self._at(at)
            if found is None:
                at += 1
                continue
            tokens, at = found
            yield from tokens

    def _at(self, at: int) -> tuple[list[Token], int] | None:
        text, char = self._text, self._text[at]
        before = text[at - 1] if at else " "
        if char == "\n":
            return [Token("break", "\n", at, at + 1)], at + 1
        if char == "`":
            match = _SPAN.match(text, at)
            if match is not None:
                code = match.group(2)
                return self._code(code.strip(), at, match.end(), span=True), match.end()
            return None
        if char.isspace() or char == "*":
            return None
        possessive = _POSSESSIVE.match(text, at) if before.isalnum() or before in "`)]_" else None
        if possessive is not None:
            return [_word("'s", at, possessive.end())], possessive.end()
        if not before.isalnum() and before != "_":
            found = self._piece(at)
            if found is not None:
                return found
        if char in ".!?":
            return self._stop(at)
        match = _MARK.match(text, at)
        if match is not None:
            return [_word(match.group(), at, match.end())], match.end()
        negated = _NOT.match(text, at)
        if negated is not None:
            return [_word("n't", at, negated.end())], negated.end()
        match = _WORD.match(text, at)
        if match is not None:
            return self._word(match.group(), at)
        return [Token("punct", char, at, at + 1)], at + 1

    def _stop(self, at: int) -> tuple[list[Token], int] | None:
        text = self._text
        if text.startswith("...", at):
            return [Token("punct", "...", at, at + 3)], at + 3
        ends = at + 1 >= len(text) or text[at + 1].isspace() or text[at + 1] in "*)\"'\u201d"
        if (text[at] == "." and not ends) or re.search(r"\b(?:e\.g|i\.e|etc|vs|cf)$", text[max(0, at - 5) : at]):
            return None
        return [Token("break", text[at], at, at + 1)], at + 1

    def _piece(self, at: int) -> tuple[list[Token], int] | None:
        """A line label, an expression of the program, a literal or a number that begins here."""
        text = self._text
        for expression in self._bare:
            spelled = expression.match(text, at)
            if spelled is not None and not _inside_word(text, spelled.end()):
                return self._code(spelled.group(), at, spelled.end()), spelled.end()
        match = _LINE.match(text, at)
        if match is not None:
            return [Token("line", match.group(), at, match.end(), int(match.group(1)))], match.end()
        match = _NTH.match(text, at)
        if match is not None:
            return [Token("ordinal", match.group(), at, match.end(), int(match.group(1)))], match.end()
        match = _HASH.match(text, at)
        if match is not None:
            return [
                Token("word", match.group(), at, match.end(), int(match.group(1)), Value.of(int(match.group(1))))
            ], match.end()
        over = self._literal_end(at)
        if over is not None:
            return self._code(text[at:over].replace("\u2212", "-"), at, over), over
        called = re.compile(r"[^\W\d][\w.]*(?=\()").match(text, at)
        if called is not None and (
            called.group() in self._vocabulary.functions | self._vocabulary.exceptions | set(_MAKERS)
            or "." in called.group()
        ):
            closed = _closing(text, called.end())
            if closed is not None and normal(text[at:closed]) is not None:
                return self._code(text[at:closed], at, closed), closed
        return None

    def _literal_end(self, at: int) -> int | None:
        text, char = self._text, self._text[at]
        if char in _CURLY:
            end = text.find(_CURLY[char], at)
            return end + 1 if end > 0 else None
        if _STRING.match(text, at):
            return _string_end(text, at)
        if char in "[({":
            closed = _closing(text, at)
            inside = closed is not None and literal(text[at:closed]) is not None
            # A bracketed number or text is a remark in brackets, not a value in them.
            return closed if inside and (char != "(" or "," in text[at:closed] or text[at:closed] == "()") else None
        match = _NUMBER.match(text, at)
        return match.end() if match is not None else None

    def _code(self, code: str, start: int, end: int, *, span: bool = False) -> list[Token]:
        """What a code span or a piece that looks like code stands for."""
        vocabulary = self._vocabulary
        if code[:1] in _CURLY:
            return [Token("value", code, start, end, value=Value.of(code[1:-1]))]
        bare_number = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", code) and not span
        value = literal(code.replace(",", "") if bare_number else code)
        if value is not None and code.endswith(")") and code[0] not in "([{" and normal(code) in vocabulary.expressions:
            return [Token("code", code, start, end, value=value, span=span)]  # the program has this very call
        if value is not None:
            return [Token("value", code, start, end, value=value, span=span)]
        rows = code.split("; ")
        pairs = [self._equation(row, start, end) for row in rows] if len(rows) > 1 else []
        if pairs and all(pairs):
            return [token for pair in pairs for token in (*pair, Token("punct", ";", end, end))]
        match = _LINE.fullmatch(code)
        if match is not None:
            return [Token("line", code, start, end, int(match.group(1)))]
        if code.isidentifier():
            if code in vocabulary.exceptions and code not in vocabulary.names:
                return [Token("exception", code, start, end, span=True)]
            if code in (
                "if",
                "else",
                "elif",
                "for",
                "while",
                "return",
                "try",
                "except",
                "break",
                "continue",
                "assert",
                "print",
            ):
                return [_word(code, start, end)]
            return [Token("name", code, start, end, span=True)]
        raised = re.match(r"([A-Za-z_]\w*)(?:: (.*)|\((.*)\))$", code, re.DOTALL)
        if raised is not None and raised.group(1) in vocabulary.exceptions:
            message = raised.group(2) if raised.group(2) is not None else raised.group(3)
            return [
                Token("exception", raised.group(1), start, end, span=True),
                *(
                    [Token("value", message, start, end, value=literal(message) or Value.of(message))]
                    if message
                    else []
                ),
            ]
        statement = normal_statement(code)
        if statement is not None and statement in vocabulary.statements and normal(code) not in vocabulary.expressions:
            lines = vocabulary.statements[statement]
            equation = self._equation(code, start, end)
            if len(lines) == 1 and not (equation and equation[-1].kind == "value"):
                return [Token("line", code, start, end, lines[0], span=True)]
        if normal(code) not in vocabulary.expressions:
            equation = self._equation(code, start, end)
            if equation:
                return equation
        return [Token("code", code, start, end, span=span)]

    def _equation(self, code: str, start: int, end: int) -> list[Token]:
        """`x = 5`, `x == 5`, `x: 5`, `x -> 5` in a span: a small sentence of its own."""
        for sign in (" = ", " == ", "=", "->", "→", ":"):
            left, found, right = code.partition(sign)
            value = literal(right) if found else None
            if value is not None and normal(left) is not None and literal(left) is None and "=" not in left[-1:]:
                subject = self._code(left.strip(), start, start + len(left), span=True)
                middle = _word("=" if sign.strip() in ("=", "==", ":") else "->", start, end)
                return [*subject, middle, Token("value", right.strip(), start, end, value=value, span=True)]
        return []

    def _word(self, text: str, at: int) -> tuple[list[Token], int]:
        end = at + len(text)
        if _NOT.match(self._text, end - 1) and text[-1] in "nN":  # isn't: "is" and "n't"
            text, end = text[:-1], end - 1
            return [_word({"ca": "can", "wo": "will"}.get(text.lower(), text), at, end)], end
        vocabulary = self._vocabulary
        if text in ("True", "False", "None"):
            return [Token("value", text, at, end, value=literal(text))], end
        if text in vocabulary.exceptions and text not in vocabulary.names:
            return self._raised(text, at, end)
        if text in vocabulary.names | vocabulary.functions and self._is_name(text, at, end):
            return [Token("name", text, at, end)], end
        return [_word(text, at, end)], end

    def _raised(self, text: str, at: int, end: int) -> tuple[list[Token], int]:
        """An exception, with the message after it where that stands as in a traceback."""
        found = [Token("exception", text, at, end)]
        rest = re.compile(r": (?=[^\s'\"`\u201c])([^\n]*)").match(self._text, end)
        if rest is None:
            quoted = re.compile(r": (?=\S)").match(self._text, end)
            return found, quoted.end() if quoted else end
        message = re.split(r"(?<=[\w)'\"])\.(?=\s|$)", rest.group(1))[0].rstrip()
        stop = rest.start(1) + len(message)
        if message.split()[0].lower() in _REASONS:
            return found, rest.start(1)
        return [*found, Token("value", message, rest.start(1), stop, value=Value.of(message))], stop

    def _at_start(self, at: int) -> bool:
        return self._text[:at].rstrip(" \t*-")[-1:] in ("", "\n", ".")

    def _is_name(self, text: str, at: int, end: int) -> bool:
        """Whether a bare word is meant as a name of the program: always, unless English has that word, too."""
        left = self._text[:at].rstrip().rsplit(None, 1)[-1:] or [""]
        previous = left[0].strip("*_,;:(").lower()
        around = self._named_there(text, at, end, left[0], previous)
        if around is not None:
            return around
        counted = previous in NUMBERS or previous.isdigit()
        if text in REPEATS and counted and left[0][-1:] not in ",;:":
            return False
        if previous in ("variable", "name", "function", "parameter", "argument", "local", "variables"):
            return True
        if previous in ARTICLES:
            return False
        if not _is_english(text):
            return True
        if text in _NOUNS and previous not in _BEFORE_NOUNS:
            return True
        return self._is_subject(text, end, previous)

    def _named_there(self, text: str, at: int, end: int, left: str, previous: str) -> bool | None:
        """Whether what stands around a bare word makes it a name, or keeps it from being one; None: neither does."""
        signed = _SIGN.match(self._text, end) is not None
        if self._text[at - 1 : at] == "*" == self._text[end : end + 1] and text not in ("a", "it", "line"):
            return True
        if text in ("i", "j", "k") or (signed and (left[-1:] in ":,;])|" or at == 0 or self._at_start(at))):
            return True
        if signed and previous not in ARTICLES and previous not in _DESCRIBES and previous not in ROUNDS:
            return True
        if previous in _DESCRIBES and text in _NOUNS and left[-1:] not in (",", ";"):
            return False
        labelled = _LABELLED.search(self._text[:at]) is not None if left.endswith(":") else False
        if (labelled or (left.endswith(":") and len(text) > 1 and text != "it")) and _BINDS.match(self._text, end):
            return True
        if previous == "let" and _BINDS.match(self._text, end):
            return True
        if _HOLDS.search(self._text[:at][-40:]) and text not in ("it", "a", "line"):
            return True
        if previous in ("makes", "leaves", "sets") and self._literal_end(end + 1) is not None and text != "it":
            return True
        if "become" in senses(previous) and text not in ("it", "a", "line") and _TURNS.match(self._text, end):
            return True
        if _GROWN.search(self._text[:at][-40:]) and text not in ("it", "a", "line", "the"):
            return True
        if previous in EMPTY and text not in ("it", "a", "line", "of") and _ENDS.match(self._text, end):
            return True
        if previous == "leaving" and text != "it" and _AS.match(self._text, end):
            return True
        if previous == "that" and text != "it" and _BINDS.match(self._text, end):
            return True
        if re.compile(r"['\u2019]s (?:new |old |current )?value\b").match(self._text, end):
            return True
        if "become" in senses(previous) and re.compile(r"\s+\([-'\"\d\[({TFN]").match(self._text, end):
            return True
        if re.compile(r"\s+\((?:formerly|previously|which|was|now|until|originally)\b").match(self._text, end):
            return True
        if text == "a" and previous == "of" and re.compile(r"\s+(?:on|in|at|is|was)\b").match(self._text, end):
            return True
        return None

    def _is_subject(self, text: str, end: int, previous: str) -> bool:
        """Whether an English word that is a name, too, is followed by what only a name is followed by."""
        following = re.compile(
            r"\s*(?:is|are|was|becomes?|holds?|has|equals?|contains?|=|==|->|→|goes|stays|remains|"
            r"takes|returns?|gives|equal|set|changes|starts|stops|ends up|now|still|then|used|will|does|isn|"
            r"contains|was|[.,;:)]|$)"
        ).match(self._text, end)
        if text == "a" and previous == "for" and re.compile(r"\s+(?:in|at|on|during)\b").match(self._text, end):
            return True
        if text == "a" and re.compile(r"\s+(?:the|an|this)\b").match(self._text, end):
            return True
        if text == "it":  # which "it" is, a text with such a variable leaves open
            return False
        if text == "a":
            verb = re.compile(
                r"\s*(?:is|becomes|holds|has|equals|contains|=|==|->|→|goes|gets|stays|takes|was|set to|: |holding|"
                r"being|equal|now)"
            ).match(self._text, end)
            alone = re.compile(r"[.,;:)]|$").match(self._text, end) is not None
            return alone or verb is not None
        if following is None and text not in _PARTICLES:
            after = re.compile(r"\s+([a-z]+)").match(self._text, end)
            word = after.group(1) if after else ""
            if (
                not {"be", "have", "become"}.isdisjoint(senses(word))
                and word[-1:] in "sdtn"
                and word not in ("set", "left")
            ):
                return True
            return not {"become", "have"}.isdisjoint(senses(previous)) and word in ("from", "to", "equal")
        return following is not None and text.lower() not in ("is", "as", "to", "in", "so", "we", "by")


def _is_english(word: str) -> bool:
    return bool(senses(word)) or word.lower() in _COMMON or word.lower() in NUMBERS or word.lower() in ORDINALS


#: What a name stands after, even if English has the word: "assigns 5 to items", "the value of values".
_HOLDS = re.compile(r"(?:[\])}'\"`\d]\s+(?:to|into)|\b(?:values?|contents?|length) of)\s+$")
#: "turns items into `[1]`", "calls append on items with", "leaving items as `[1]`".
_TURNS = re.compile(r"\s+(?:in)?to\s+[`'\"\[({\d-]")
_GROWN = re.compile(r"\b(?:append|extend|insert|add|pop|remove|sort|reverse|clear|update) (?:is called )?on\s+$")
_ENDS = re.compile(r"\s*(?:[.,;)]|$|(?:on|at|in) (?:line|L\d))")
_AS = re.compile(r"\s+(?:as|at|with|equal to)\s+[`'\"\[({\d-]")
_REASONS = words_of("because since as the a an it we this that there when if line")
_LABELLED = re.compile(r"(?:\bline \d+|\bL\d+)\W*:\**\s*$", re.IGNORECASE)
_SIGN = re.compile(r"\*{0,2}\s*(?:==?(?!>)|:(?=\s*\S)|->|→|⇒|:=|<-|←)")
_BINDS = re.compile(r"\s+(?:becomes|be|is|equals|holds|gets|goes|takes|now|contains|has)\b")
#: What is said of a result, a value or a count that is no variable: "the final result", "loop count: 3".
_DESCRIBES = words_of(
    "final return returned correct right wrong actual expected overall resulting loop iteration iterations eventual "
    "ultimate printed exact true real its their your our"
)
_PARTICLES = words_of("out up down over off in on back left next last first by as so to is it") - {
    "last",
    "first",
}
#: Singular nouns, which English does not use without an article: then they are names.
_NOUNS = words_of(
    "result total value text item word key index name number string list dict tuple count line sum size length "
    "letter character char digit element entry output input score group part prefix suffix message number "
    "answer"
)
_BEFORE_NOUNS = words_of(
    "return returned final old new current output resulting same with as by or and correct right wrong in no "
    "previous last first next error expected actual overall one another per"
)
_COMMON = words_of(
    "a i an the of in on at by as so we you he she me my and or all any each first last left right up down out "
    "off only other such own text word words string list dict tuple number data value values total part parts "
    "name names same few line lines new old start stop code state item items group best score half low high "
    "mid key keys"
)


def normal_statement(code: str) -> str | None:
    """One spelling per statement head (`for x in y`, `total += n`); None if it is not one."""
    body = code.strip().rstrip(":")
    for attempt in (body, body + ":\n    pass"):
        try:
            tree = ast.parse(attempt)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return ast.unparse(tree).split("\n", 1)[0].rstrip(":") if len(tree.body) == 1 else None
    return None


_PIECE = re.compile(r"[rRbBuUfF]{0,2}(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")|\w+|\S")


_KEYWORDS = ("in", "is", "not", "and", "or", "if", "else", "for", "lambda")


def _spelled(expression: str) -> re.Pattern[str]:
    """Finds an expression in any spacing, with either quotes."""
    found: list[str] = []
    for piece in _PIECE.findall(expression):
        inner = piece[1:-1]
        if piece[0] in "'\"" and len(piece) > 1 and not {"'", '"', "\\"} & set(inner):
            found.append(f"(?:'{re.escape(inner)}'|\"{re.escape(inner)}\")")
        else:
            found.append(re.escape(piece))
    joined = found[0]
    for (left, right), pattern in zip(itertools.pairwise(_PIECE.findall(expression)), found[1:], strict=True):
        words = (left[-1].isalnum() or left[-1] == "_") and (right[0].isalnum() or right[0] in "_'\"")
        called = right in ("(", "[") and (left[-1].isalnum() or left[-1] in "_)]")
        joined += ("" if called and left not in _KEYWORDS else r"[ \t]+" if words else r"[ \t]*") + pattern
    return re.compile(joined)


def _inside_word(text: str, end: int) -> bool:
    return end < len(text) and (text[end].isalnum() or text[end] in "_[(" or text[end : end + 2] in (".a", "._"))


def _string_end(text: str, at: int) -> int | None:
    """Where a string literal that begins here ends: the first quote that makes it one and is not inside a word."""
    head = _STRING.match(text, at)
    if head is None:
        return None
    quote = text[head.end()]
    end = head.end()
    while True:
        end = text.find(quote, end + 1)
        if end < 0 or end - at > 20_000:
            return None
        if text[end - 1] == "\\" and literal(text[at : end + 1]) is None:
            continue
        if (end + 1 == len(text) or not text[end + 1].isalnum()) and literal(text[at : end + 1]) is not None:
            return end + 1
        if "\n" in text[at:end]:
            return None


_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")


def _closing(text: str, at: int) -> int | None:
    """The place after the bracket that closes the one here; None if none does on this line."""
    depth, k = 0, at
    while k < len(text) and text[k] != "\n":
        quoted = _QUOTED.match(text, k)
        if quoted is not None:
            k = quoted.end()
            continue
        depth += (text[k] in "[({") - (text[k] in "])}")
        k += 1
        if depth == 0:
            return k
    return None


def _word(text: str, start: int, end: int) -> Token:
    return Token("word", text, start, end, senses=senses(text))


def _joined_words(tokens: list[Token]) -> list[Token]:
    """Literals that are written as words (an empty list, nothing but a number word), "line four"."""
    out: list[Token] = []
    for token in tokens:
        last = out[-1] if out else None
        lower = token.text.lower()
        if last is not None and last.means("empty") and token.kind in ("word", "name") and lower in EMPTY:
            out[-1] = Token("value", f"{last.text} {token.text}", last.start, token.end, value=Value.of(EMPTY[lower]))
        elif last is not None and last.text.lower() == "line" and last.kind == "word" and _number(token) is not None:
            out[-1] = Token("line", f"{last.text} {token.text}", last.start, token.end, _number(token) or 0)
        else:
            out.append(token)
    return out


def _number(token: Token) -> int | None:
    if token.kind == "value" and token.value is not None and type(token.value.ref) is int:
        return token.value.ref
    if token.kind != "word":
        return None
    lower = token.text.lower().replace("\u2011", "-")
    tens, _, unit = lower.partition("-")
    if tens in TENS and (not unit or unit in NUMBERS):
        return TENS[tens] + NUMBERS.get(unit, 0)
    return token.value.ref if token.value is not None and type(token.value.ref) is int else NUMBERS.get(lower)


def _numbers(tokens: list[Token]) -> list[Token]:
    """Counts ("three times", "twice", "no iterations") and ordinals ("second pass", "iteration 2") as one token."""
    out: list[Token] = []
    k = 0
    while k < len(tokens):
        found, used = _count_at(tokens, k) or _ordinal_at(tokens, k, out) or (tokens[k], 1)
        out.append(found)
        k += used
    return out


#: "No more passes": that there are none from there on, not that there were none.
_ANY_MORE = words_of("more further other additional extra")
_BETWEEN = words_of("more further full complete whole total separate different such single")


def _count_at(tokens: list[Token], k: int) -> tuple[Token, int] | None:
    token = tokens[k]
    lower = token.text.lower()
    if token.kind == "word" and lower in ADVERBS:
        following = tokens[k + 1] if k + 1 < len(tokens) else None
        # "once line 4 has run" says when, "runs once." how often.
        if (
            lower == "once"
            and following is not None
            and (following.kind in ("line", "name", "code") or following.text in ("the", "it", "that", "this", "we"))
        ):
            return None
        return Token("count", token.text, token.start, token.end, ADVERBS[lower]), 1
    number = _number(token)
    if lower in ("no", "zero") and k + 1 < len(tokens) and tokens[k + 1].text.lower() in _ANY_MORE:
        return None
    if number is None and lower in ("a", "no", "single", "one") and token.kind == "word":
        number = 0 if lower == "no" else 1
    if number is None or number < 0:
        return None
    after = k + 1
    while after < len(tokens) and tokens[after].kind == "word" and tokens[after].text.lower() in _BETWEEN:
        after += 1
    if after < len(tokens) and tokens[after].kind == "word" and tokens[after].text.lower() in REPEATS:
        singular = not tokens[after].text.lower().endswith("s") or tokens[after].text.lower() in ("pass",)
        if lower in ("a", "no", "single") and not singular and number:
            return None
        if lower == "a" and "single" not in [t.text.lower() for t in tokens[k:after]]:
            return None
        return Token("count", token.text, token.start, tokens[after].end, number), after + 1 - k
    return None


def _ordinal_at(tokens: list[Token], k: int, out: list[Token]) -> tuple[Token, int] | None:
    token = tokens[k]
    lower = token.text.lower()
    following = tokens[k + 1] if k + 1 < len(tokens) else None
    number = token.number if token.kind == "ordinal" else ORDINALS.get(lower) if token.kind == "word" else None
    if number is None and token.kind == "word" and lower in ("last", "final"):
        number = -1
    if number is None and token.kind == "word" and lower in ("next", "following"):
        number = -2
    items = [t.text.lower() for t in tokens[k + 1 : k + 5]]
    taken = items[:1] in (["item"], ["value"], ["element"], ["entry"]) and items[1:2] == ["that"]
    if number is not None and number > 0 and taken and (items[2:4] == ["the", "loop"] or tokens[k + 3].kind == "line"):
        return Token("ordinal", lower, token.start, tokens[k + 1].end, number), 2
    if token.text[:1] == "#" and out and out[-1].kind == "line":
        return Token("ordinal", lower, token.start, token.end, token.number), 1  # "L3 #2"
    if number is not None and following is not None and following.kind == "word" and following.text.lower() in ROUNDS:
        return Token("ordinal", lower, token.start, following.end, number), 2
    if token.kind == "word" and lower in ROUNDS - {"time", "go", "run"} and following is not None:
        used = 1
        if following.kind == "word" and following.text.lower() in ("number", "no"):
            used = 2
        place = tokens[k + used] if k + used < len(tokens) else None
        number = _number(place) if place is not None else None
        if _count_at(tokens, k + used) is not None and used == 1 and k + 1 < len(tokens):
            return None  # "goes round 3 times"
        if number is not None and number >= 0 and place is not None:
            return Token("ordinal", lower, token.start, place.end, number), used + 1
    return None
