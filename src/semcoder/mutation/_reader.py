"""Reading functions: what each statement and expression of a body tells about the variables in it.

Guarantees: nothing is executed, and the order of the text decides. It does not follow control flow or scopes: branches
are read as if all of them ran, and a nested function or comprehension shares the names of the function around it.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Sequence

from semcoder.mutation._guesses import TYPES, Guess, literal_value, members, merge, read_type, vote_value


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STR = _words(
    "lower upper strip lstrip rstrip split rsplit splitlines startswith endswith replace join "
    "format encode isdigit isalpha isalnum isspace isupper islower istitle isidentifier "
    "isnumeric isdecimal title capitalize swapcase casefold center ljust rjust zfill find rfind "
    "rindex partition rpartition expandtabs translate removeprefix removesuffix format_map "
    "isprintable isascii"
)
_METHODS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_STR, ("str",)),
    **dict.fromkeys(["append", "extend", "insert", "sort", "reverse"], ("list",)),
    **dict.fromkeys(["items", "keys", "values", "setdefault", "popitem"], ("dict",)),
    "get": ("dict",),
    "update": ("dict", "set"),
    **dict.fromkeys(
        _words("add discard union intersection difference issubset issuperset symmetric_difference"),
        ("set",),
    ),
    "pop": ("list", "dict"),
    "remove": ("list", "set"),
    "clear": ("list", "dict"),
    "copy": ("list", "dict"),
    "count": ("str", "list"),
    "index": ("str", "list"),
    "decode": ("bytes",),
    "hex": ("bytes", "float"),
    "bit_length": ("int",),
    "bit_count": ("int",),
    "to_bytes": ("int",),
    "numerator": ("int",),
    "denominator": ("int",),
    "conjugate": ("float", "int"),
    "real": ("float", "int"),
    "imag": ("float", "int"),
    "is_integer": ("float",),
    "as_integer_ratio": ("float", "int"),
}
_DUNDERS = re.compile(
    r"__(class|name|len|iter|getitem|doc|dict|eq|lt|gt|str|repr|hash|contains|int|float|add|mul|neg)__"
)

# What a parameter's name says, when nothing else does: pattern, kinds, flavour of text.
_NAMES: list[tuple[str, tuple[str, ...], str]] = [
    (r"^(is|has|use|allow|no|with|strict|ignore|include|verbose|reverse|quiet|do)(_|$)|flag$", ("bool",), ""),
    (r"(^|_)(url|uri|href|link)$|^base(url)?$", ("str",), "url"),
    (r"path|file_?name|fname|^(dir|folder|root|filepath|basename)", ("str",), "path"),
    (r"version|^ver$", ("str",), "version"),
    (r"(^|_)(date|datetime|timestamp_str|isoformat)(_|$)|dt?str", ("str",), "date"),
    (r"(^|_)(time|tm|hms|duration)_?(str|string)", ("str",), "time"),
    (r"(^|_)(addr|address|email|mail|addrs)$", ("str",), "address"),
    (r"^(ip|ipaddr|netmask|host|hostname|domain|netloc)", ("str",), "host"),
    (r"html|xml|markup|markdown", ("str",), "markup"),
    (r"json", ("str",), "json"),
    (r"regex|pattern|^pat$|glob", ("str",), "pattern"),
    (r"^(fmt|format|template|spec|format_spec)", ("str",), "format"),
    (r"colou?r|^hex", ("str",), "colour"),
    (r"encoding|charset|codec", ("str",), "encoding"),
    (r"^(sep|separator|delim|delimiter|quote|quotechar|fill|fillchar|ch|char|c|punct)$", ("str",), "char"),
    (r"header|cookie|content_type|mime|ctype|param", ("str",), "header"),
    (r"query|qs|querystring", ("str",), "query"),
    (r"(^|_)(source|code|src|expr|expression|stmt)$", ("str",), "code"),
    (r"number_?str|numstr|digits$|^num_?string", ("str",), "number"),
    (r"^(words|lines|names|strings|strs|tokens|args|argv|keys|fields|columns|choices|paths|texts|labels)$",
     ("list",), "str"),
    (r"(^|_)(name|identifier|ident|attr|attribute|key|word|token|tag|label|option|opt|title|prefix|suffix)$",
     ("str",), "word"),
    (r"(^|_)(text|string|str|line|s|msg|message|doc|docstring|sentence|body|content|value_str|letters|chars)$",
     ("str",), ""),
    (r"^(n|m|k|i|j|num|count|size|length|width|height|index|idx|start|stop|end|step|limit|depth|level|indent|offset|pos|"
     r"position|x|y|row|col|column|year|month|day|hour|minute|second|seconds|minutes|hours|days|max_?\w*|min_?\w*|num_\w+|"
     r"n_\w+|number|code|mode|flags|bits|lo|hi|low|high|port|age|total|maxlen|radix|precision|places|ndigits|digits)$"
     r"|_(count|size|len|length|width|index|num|level|limit|depth)$", ("int",), ""),
    (r"^(data|seq|sequence|lst|list|items|iterable|values|arr|array|nums|numbers|elements|xs|ys|it|iter\w*|population|"
     r"stack|queue|heap|points|rows|parts|pieces|series|samples?|collection|objs|objects|a|b)$|_list$|s_list$",
     ("list",), ""),
    (r"^(d|dic|dict|mapping|map|table|env|environ|config|options|opts|settings|params|attrs|kwargs|kw|mapping\w*|ns|"
     r"namespace|graph|tree|counts|lookup)$|_(dict|map|mapping)$", ("dict",), ""),
    (r"(^|_)(ratio|rate|factor|weight|prob|probability|mean|mu|sigma|alpha|beta|fraction|tol|eps|epsilon|temp|scale|price|"
     r"amount|percent\w*|degrees|radians|angle|radius|lat|lon|latitude|longitude)$", ("float",), ""),
    (r"^(data|buf|buffer|raw|blob|payload|octets|bs|bytes_?\w*|chunk)$", ("bytes", "list"), ""),
    (r"^(flags?|strict|reverse|verbose)$", ("bool", "int"), ""),
    (r"^(fp|fd|f|file|fileobj|stream|sock|socket|conn|cursor|parser|node|cls|klass|self|func|fn|function|callback|"
     r"callable|predicate|pred|handler|module|frame|tb|logger|exc|loop|event|request|response|widget|parent|obj_type)$",
     ("object",), ""),
]  # fmt: skip
_NAME_RULES = [(re.compile(pattern), kinds, flavour) for pattern, kinds, flavour in _NAMES]

_NUMERIC_CALLS = _words(
    "abs round divmod sqrt floor ceil trunc log log2 log10 exp sin cos tan asin acos atan atan2 "
    "sinh cosh tanh fabs fmod isnan isinf isfinite hypot degrees radians copysign modf frexp "
    "ldexp pow fsum erf gamma lgamma expm1 log1p"
)
_INT_CALLS = _words("range chr bin hex oct gcd lcm isqrt comb perm factorial index")
_BYTES_CALLS = _words(
    "bytes bytearray memoryview crc32 adler32 b64encode b64decode hexlify unhexlify b2a_base64 "
    "a2b_base64 b2a_hex a2b_hex b2a_qp a2b_qp b2a_uu a2b_uu unpack unpack_from from_bytes md5 "
    "sha1 sha256 encodebytes decodebytes _bytes_from_decode_data"
)
_ITERABLE_CALLS = _words(
    "sorted list tuple set frozenset enumerate reversed iter any all zip map filter min max sum "
    "Counter deque chain fromkeys OrderedDict product combinations permutations groupby "
    "accumulate islice cycle reduce"
)


class Reader:
    """Reads functions of one program into guesses."""

    def __init__(self, functions: dict[str, ast.FunctionDef], aliases: dict[str, ast.expr]) -> None:
        self._functions = functions
        self._aliases = aliases
        self._classes: dict[str, str] = {}  # local variables (and `self`) to the program's class that they are of
        self._env: dict[str, Guess] = {}
        self._depth = 0
        self._open: set[str] = set()
        self._attributes: dict[str, Guess] = {}  # of `self`, by name

    def read(self, name: str, depth: int) -> dict[str, Guess]:
        """Guesses of a function's parameters, after its body has been read."""
        function = self._functions[name]
        saved, self._env, self._depth = (self._env, self._depth, self._classes), {}, depth
        self._classes = {"self": name.rpartition(".")[0]}
        args = function.args
        places = [*args.posonlyargs, *args.args]
        for arg in [*places, *args.kwonlyargs, *filter(None, [args.vararg, args.kwarg])]:
            guess = self._env[arg.arg] = Guess()
            star = arg in (args.vararg, args.kwarg)
            self._told(guess.part("element") if star else guess, arg, function)
        pairs = [*zip(places[len(places) - len(args.defaults) :], args.defaults, strict=True)]
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None]
        for arg, default in pairs:
            known, value = literal_value(default)
            if known:
                vote_value(self._env[arg.arg], value, 1 if value is None else 4)
        found = dict(self._env)
        for _ in range(2):  # twice: a later assignment may tell what an earlier loop goes over
            for statement in function.body:
                with contextlib.suppress(RecursionError):  # what was read so far stands
                    self._visit(statement)
        self._env, self._depth, self._classes = saved
        return found

    def _told(self, guess: Guess, arg: ast.arg, function: ast.FunctionDef) -> None:
        """What the annotation, the docstring and the name say."""
        if arg.annotation is not None:
            annotation = arg.annotation
            if isinstance(annotation, ast.Name) and annotation.id in self._aliases:
                annotation = self._aliases[annotation.id]
            read_type(guess, annotation, 12)
        doc = ast.get_docstring(function, clean=False) or ""
        name = re.escape(arg.arg)
        told = re.search(rf":type {name}:\s*([\w.\[\], |]+)|\b{name}\s*[(:]\s*(?:an?\s+|the\s+)?(\w+)", doc)
        if told:
            for word in re.findall(r"\w+", told.group(1) or told.group(2) or "")[:3]:
                guess.vote(3, *TYPES.get(word, ()))
        for pattern, kinds, flavour in _NAME_RULES:
            if pattern.search(arg.arg):
                if not (arg.annotation is not None and kinds == ("object",)):
                    guess.vote(1.5, *kinds)
                guess.flavour = guess.flavour or flavour
                break

    # -- reading code --------------------------------------------------------------------------------------------

    def _visit(self, node: ast.AST) -> None:
        handler = getattr(self, f"_on_{type(node).__name__.lower()}", None)
        if handler is not None:
            handler(node)
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _guess(self, node: ast.AST | None) -> Guess | None:
        """The guess of an expression that is a variable or a part of one; None for anything else."""
        if isinstance(node, ast.Name):
            return self._env.get(node.id)
        if isinstance(node, ast.NamedExpr):
            return self._guess(node.value)
        if isinstance(node, ast.Subscript):
            whole = self._guess(node.value)
            if whole is None or isinstance(node.slice, ast.Slice):
                return whole
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return whole.part(f"value {node.slice.value}")
            return whole.part("element")
        if isinstance(node, ast.Call):
            return self._guess_of_call(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            return self._attributes.setdefault(node.attr, Guess())
        if isinstance(node, ast.BoolOp):
            return next((g for v in node.values if (g := self._guess(v)) is not None), None)
        return self._guess(node.value) if isinstance(node, ast.Starred) else None

    def _guess_of_call(self, node: ast.Call) -> Guess | None:
        name = _called(node)
        if isinstance(node.func, ast.Attribute):
            whole = self._guess(node.func.value)
            if whole is not None:
                if name in ("lower", "upper", "strip", "lstrip", "rstrip", "copy", "replace", "casefold", "expandtabs"):
                    return whole
                if name in ("get", "setdefault") or (name == "pop" and whole.votes["dict"] > whole.votes["list"]):
                    known, key = literal_value(node.args[0]) if node.args else (False, None)
                    return whole.part(f"value {key}" if known and isinstance(key, str) else "value")
                if name == "pop":
                    return whole.part("element")
            return None
        if name in ("sorted", "list", "tuple", "set", "reversed", "iter", "frozenset") and node.args:
            return self._guess(node.args[0])
        if name in ("min", "max", "next") and len(node.args) == 1:
            whole = self._guess(node.args[0])
            return whole.part("element") if whole is not None else None
        return None

    def _bind(self, target: ast.AST, guess: Guess | None) -> None:
        """Let a target stand for a guess from here on."""
        if isinstance(target, ast.Name):
            if guess is not None:
                old = self._env.get(target.id)
                if old is None or not (old.votes or old.inner):
                    self._env[target.id] = guess
            else:
                self._env.setdefault(target.id, Guess())
        elif isinstance(target, (ast.Tuple, ast.List)):
            for place, part in enumerate(target.elts):
                inner = guess.part(str(place)) if guess is not None and not isinstance(part, ast.Starred) else None
                self._bind(part.value if isinstance(part, ast.Starred) else part, inner)
            if guess is not None:
                guess.vote(2, "tuple")

    def _bind_loop(self, target: ast.AST, source: ast.AST) -> None:
        """What a `for` goes over, and what its target gets."""
        if isinstance(source, ast.Call):
            self._bind_loop_call(target, source)
            return
        whole = self._guess(source)
        if whole is not None:
            whole.vote(2, "sequence")
        self._bind(target, whole.part("element") if whole is not None else None)

    def _bind_loop_call(self, target: ast.AST, source: ast.Call) -> None:
        name = _called(source)
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
        if isinstance(source.func, ast.Attribute):
            whole = self._guess(source.func.value)
            if whole is not None and name == "items" and len(parts) == 2:
                self._bind(parts[0], whole.part("key"))
                self._bind(parts[1], whole.part("value"))
                return
            if whole is not None and name in ("keys", "values"):
                self._bind(target, whole.part(name.removesuffix("s")))
                return
        if name == "enumerate" and len(parts) == 2 and source.args:
            self._bind_loop(parts[1], source.args[0])
            return
        if name == "zip" and len(parts) == len(source.args):
            for part, arg in zip(parts, source.args, strict=True):
                self._bind_loop(part, arg)
            return
        whole = self._guess(source)
        self._bind(target, whole.part("element") if whole is not None else None)

    def _on_for(self, node: ast.For) -> None:
        self._bind_loop(node.target, node.iter)

    def _on_comprehension(self, node: ast.comprehension) -> None:
        self._bind_loop(node.target, node.iter)

    def _on_listcomp(self, node: ast.ListComp) -> None:
        for generator in node.generators:  # before its element, which comes first in the tree
            self._on_comprehension(generator)

    _on_setcomp = _on_generatorexp = _on_dictcomp = _on_listcomp

    def _on_assign(self, node: ast.Assign) -> None:
        guess = self._guess(node.value)
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            made = node.value.func.id
            if any(name.startswith(f"{made}.") for name in self._functions):
                self._classes.update({t.id: made for t in node.targets if isinstance(t, ast.Name)})
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, ast.Tuple):
                for part, value in zip(target.elts, node.value.elts, strict=False):
                    self._bind(part, self._guess(value))
            elif isinstance(target, ast.Attribute):
                known = self._guess(target)
                if guess is not None and known is not None and known is not guess:
                    # What other methods did with the attribute tells about what is assigned to it.
                    merge(guess, known)
                    self._attributes[target.attr] = guess
            else:
                self._bind(target, guess)

    def _on_namedexpr(self, node: ast.NamedExpr) -> None:
        self._bind(node.target, self._guess(node.value))

    def _on_augassign(self, node: ast.AugAssign) -> None:
        self._arithmetic(node.op, self._guess(node.target), node.value)
        self._arithmetic(node.op, self._guess(node.value), node.target)

    def _on_binop(self, node: ast.BinOp) -> None:
        template = isinstance(node.left, ast.Constant) and isinstance(node.left.value, (str, bytes))
        if isinstance(node.op, ast.Mod) and (template or isinstance(node.left, ast.JoinedStr)):
            return  # `"%s" % x` takes anything
        self._arithmetic(node.op, self._guess(node.left), node.right)
        self._arithmetic(node.op, self._guess(node.right), node.left)

    def _arithmetic(self, op: ast.operator, guess: Guess | None, other: ast.AST) -> None:
        if guess is None:
            return
        known, value = literal_value(other)
        if isinstance(op, (ast.LShift, ast.RShift, ast.BitXor, ast.FloorDiv, ast.BitAnd, ast.BitOr)):
            guess.vote(3, "int")
        elif isinstance(op, ast.Add) and known and isinstance(value, (str, list, tuple, bytes)):
            vote_value(guess, value, 3)
        elif isinstance(op, (ast.JoinedStr,)) or isinstance(other, ast.JoinedStr):
            guess.vote(3, "str")
        elif isinstance(op, ast.Mult) and known and isinstance(value, (str, list)):
            guess.vote(3, "int")
        elif isinstance(op, ast.Mod):
            guess.vote(2, "int")
        elif known and isinstance(value, float):
            guess.vote(3, "float")
        else:
            guess.vote(0.7 if isinstance(op, (ast.Add, ast.Mult)) and not known else 2, "number")

    def _on_unaryop(self, node: ast.UnaryOp) -> None:
        guess = self._guess(node.operand)
        if guess is not None and not isinstance(node.op, ast.Not):
            guess.vote(2, "int" if isinstance(node.op, ast.Invert) else "number")

    def _on_compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
            self._compare(left, op, right)
            if isinstance(op, (ast.In, ast.NotIn)):
                whole = self._guess(right)
                if whole is not None:
                    whole.vote(1.5, "container")
                    known, value = literal_value(left)
                    if known:
                        vote_value(whole.part("element"), value, 1)
                        whole.vote(1, *(("str", "dict") if isinstance(value, str) else ("list",)))
            else:
                self._compare(right, op, left)

    def _compare(self, one: ast.AST, op: ast.cmpop, other: ast.AST) -> None:
        guess = self._guess(one)
        length = self._guess(one.args[0]) if isinstance(one, ast.Call) and _called(one) == "len" and one.args else None
        known, value = literal_value(other)
        if guess is None or length is not None:
            return
        if isinstance(one, ast.Subscript) and known and isinstance(value, (str, bytes)):
            whole = self._guess(one.value)
            if whole is not None and not isinstance(one.slice, ast.Constant | ast.Slice):
                vote_value(whole, value, 1.5)  # a character of a text as likely as a member of a list
        if not known:
            if isinstance(op, (ast.Lt, ast.Gt, ast.LtE, ast.GtE)):
                guess.vote(1, "number")
            return
        if isinstance(op, (ast.In, ast.NotIn)) and isinstance(value, (str, list, tuple, set, dict)):
            for part in members(value)[:12]:
                guess.constants.append(part)
            for part in members(value)[:2]:
                vote_value(guess, part, 2)
            if isinstance(value, str) and not guess.flavour:
                guess.flavour = "char"
        else:
            guess.constants.append(value)
            vote_value(guess, value, 0.3 if value is None else 3)

    def _on_subscript(self, node: ast.Subscript) -> None:
        whole = self._guess(node.value)
        known, value = literal_value(node.slice)
        if whole is not None:
            if isinstance(node.slice, ast.Slice):
                whole.vote(2.5, "sequence")
            elif known and isinstance(value, int):
                whole.vote(2, "sequence")
            elif known and isinstance(value, str):
                whole.vote(3, "dict")
                vote_value(whole.part("key"), value, 2)
            else:
                whole.vote(1, "list", "dict")
        bounds = [node.slice.lower, node.slice.upper] if isinstance(node.slice, ast.Slice) else []
        for bound in bounds:
            guess = self._guess(bound)
            if guess is not None:
                guess.vote(3, "int")
        index = self._guess(node.slice)
        if index is not None:
            index.vote(1.2, "int")
            index.vote(0.6, "str")

    def _on_attribute(self, node: ast.Attribute) -> None:
        guess = self._guess(node.value)
        if guess is None:
            return
        kinds = _METHODS.get(node.attr)
        if kinds:
            guess.vote(3 if len(kinds) == 1 else 1.5, *kinds)
        elif not _DUNDERS.fullmatch(node.attr):
            guess.odd.add(node.attr)

    def _on_call(self, node: ast.Call) -> None:
        name = _called(node)
        guesses = [self._guess(arg) for arg in node.args]
        self._bytes_arguments(node)
        callee = self._guess(node.func) if isinstance(node.func, ast.Name) else None
        if callee is not None:
            callee.odd.add("call")
        if isinstance(node.func, ast.Attribute):
            self._method_arguments(node.func, name, guesses)
        callees = self._callees(node.func)
        if callees:
            self._own_call(node, callees, guesses)
            return
        first = guesses[0] if guesses else None
        if name in ("isinstance", "issubclass") and first is not None and len(node.args) == 2:
            read_type(first, node.args[1], 2)
        self._builtin_call(node, name, guesses)

    def _bytes_arguments(self, node: ast.Call) -> None:
        """`x.split(b',')`: the receiver is bytes, whatever else has such a method."""
        if isinstance(node.func, ast.Attribute):
            whole = self._guess(node.func.value)
            literals = [value for known, value in map(literal_value, node.args) if known]
            if whole is not None and any(isinstance(value, bytes) for value in literals):
                whole.vote(6, "bytes")

    def _builtin_call(self, node: ast.Call, name: str, guesses: Sequence[Guess | None]) -> None:
        named = [guess for guess in guesses if guess is not None]
        if not named:
            return
        first = guesses[0]
        if name in _NUMERIC_CALLS:
            for guess in named:
                guess.vote(2, "number")
        elif name in _INT_CALLS:
            for guess in named:
                guess.vote(3, "int")
        elif name == "ord":
            named[0].vote(3, "str")
            named[0].flavour = "char"
        elif name in ("int", "float", "Fraction", "Decimal") and first is not None:
            first.vote(1.5, "str", "number")
            first.flavour = first.flavour or "number"
        elif name == "len":
            named[0].vote(1.5, "sized")
        elif name in _ITERABLE_CALLS and (len(node.args) == 1 or name not in ("min", "max")):
            for guess in named:
                guess.vote(1.5, "list")
                guess.vote(0.5, "sequence")
                if name in ("sum", "fsum"):
                    guess.part("element").vote(2, "number")
        elif name in ("min", "max"):
            for guess in named:
                guess.vote(1.5, "number")
        elif name in _BYTES_CALLS and named:
            named[-1].vote(4, "bytes")

    def _method_arguments(self, function: ast.Attribute, name: str, guesses: Sequence[Guess | None]) -> None:
        """`sep.join(x)`, `pattern.match(x)`, `d.get(x)`: what the method tells about the arguments."""
        named = [guess for guess in guesses if guess is not None]
        if name == "join":
            for guess in named:
                guess.vote(2, "list")
                guess.part("element").vote(3, "str")
        elif name in ("match", "search", "fullmatch", "sub", "findall", "finditer", "subn", "escape", "split"):
            for guess in named:
                guess.vote(2.5, "str")
        elif name in (
            "startswith",
            "endswith",
            "find",
            "replace",
            "partition",
            "strip",
            "encode",
            "translate",
            "splitlines",
        ):
            for guess in named:
                guess.vote(2, "str")
        elif name in ("ljust", "rjust", "center", "zfill", "expandtabs", "insert"):
            for guess in named[:1]:
                guess.vote(2, "int")
        elif name in ("extend", "union", "intersection", "difference", "update"):
            for guess in named:
                guess.vote(1.5, "list")

    def _callees(self, function: ast.expr) -> str:
        """The name of the program's own function that a call reaches: `f`, `Class.__init__`, `Class.method`; or ''."""
        if isinstance(function, ast.Name):
            return next((name for name in (function.id, f"{function.id}.__init__") if name in self._functions), "")
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            owner = self._classes.get(function.value.id, function.value.id)
            if f"{owner}.{function.attr}" in self._functions:
                return f"{owner}.{function.attr}"
        return ""

    def _own_call(self, node: ast.Call, name: str, guesses: Sequence[Guess | None]) -> None:
        """An argument that goes to another function of the program is what that function's parameter is."""
        if self._depth <= 0 or name in self._open:
            return
        callee = self._functions[name]
        places = [*callee.args.posonlyargs, *callee.args.args][1 if "." in name and not is_static(callee) else 0 :]
        passed = [(arg.arg, guess) for arg, guess in zip(places, guesses, strict=False)]
        passed += [(k.arg, self._guess(k.value)) for k in node.keywords if k.arg]
        if not any(guess is not None for _, guess in passed) and "." not in name:
            return
        self._open.add(name)
        found = self.read(name, self._depth - 1)
        self._open.discard(name)
        for parameter, guess in passed:
            if guess is not None and parameter in found:
                merge(guess, found[parameter])


def is_static(function: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
