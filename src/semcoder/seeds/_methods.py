"""Methods as programs: a class pruned to what one method needs, and a small function that makes an object and calls it.

The function takes the parameters of `__init__` and of the method, and is the only text that is not the project's own.

Guarantees: what is kept of the class is its own text; a member is left out only if no kept one names it.
It does not handle classes whose objects come about otherwise (dataclasses, enumerations, metaclasses, an inherited
`__init__`), nor properties and decorated methods: `unsuitable` says so.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import keyword
import re
from collections.abc import Iterator

from semcoder.seeds._project import Module, is_literal

_MAKERS = frozenset({"__init__", "__new__"})
#: Special methods that no plain call reaches by itself.
_UNREACHED = frozenset(
    {"__del__", "__enter__", "__exit__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__copy__"}
    | {"__deepcopy__", "__sizeof__", "__dir__", "__getnewargs__"}
)


def methods(cls: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The methods that may become entries: not special, the last of each name."""
    last = {part.name: part for part in cls.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))}
    yield from (part for part in last.values() if not part.name.startswith("__"))


def unsuitable(cls: ast.ClassDef) -> str:
    """Why objects of a class cannot be made by a plain call of its own `__init__`; '' if they can."""
    if cls.decorator_list:
        return "a decorated class"
    if cls.keywords:
        return "a class with a metaclass"
    plain = all(isinstance(base, ast.Name) and base.id == "object" for base in cls.bases)
    if not plain and not any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in cls.body):
        return "a class without __init__ of its own"
    return ""


class Unwrappable(Exception):
    """No function can be written that calls this method; the message is the reason."""


class ClassCut:
    """One class of a module, to be cut down for each of its methods in turn."""

    def __init__(self, module: Module, place: int, cls: ast.ClassDef) -> None:
        self._module = module
        self._place = place
        self._cls = cls
        self._functions = [part for part in cls.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
        self._rest = [part for part in cls.body if part not in self._functions]
        special = {f.name for f in self._functions if f.name.startswith("__") and f.name.endswith("__")}
        self._always = special - _UNREACHED | _MAKERS
        self._always |= {n.id for part in self._rest for n in ast.walk(part) if isinstance(n, ast.Name)}
        self._uses: dict[ast.AST, set[str]] = {}

    def bare(self) -> Module:
        """The module with the class as every method needs it."""
        return self._virtual("", "", "")

    def wrap(self, method: ast.FunctionDef) -> tuple[Module, str]:
        """The module with the class pruned for a method and a function added that calls it; that function's name.

        Raises `Unwrappable`.
        """
        name = _free_name(f"{snake(self._cls.name)}_{method.name.strip('_')}", self._module)
        return self._virtual(method.name, name, _wrapper(self._cls, method, name)), name

    def _virtual(self, wanted: str, name: str, wrapper: str) -> Module:
        pruned, text = self._pruned(wanted)
        body = [*self._module.tree.body, *ast.parse(wrapper).body]
        body[self._place] = pruned
        texts = {self._place: text} | ({len(body) - 1: wrapper} if wrapper else {})
        virtual = dataclasses.replace(self._module, tree=ast.Module(body, []), texts=texts)
        virtual.inherit(self._module, {name: [len(body) - 1]} if wrapper else {}, fresh={self._place})
        return virtual

    def _pruned(self, wanted: str) -> tuple[ast.ClassDef, str]:
        """The class without the methods that `wanted` does not reach, as a tree and as text."""
        cls = self._cls
        todo = [f for f in self._functions if f.name in self._always or f.name == wanted]
        kept: list[ast.stmt] = []
        while todo:
            function = todo.pop()
            if function not in kept:
                kept.append(function)
                used = self._used(function)
                todo += [f for f in self._functions if f.name in used]
        body = [part for part in cls.body if part in self._rest or part in kept]
        pruned = copy.copy(cls)  # keeps what newer Pythons add to a class: type parameters
        pruned.body = body or [ast.copy_location(ast.Pass(), cls)]
        text = _without(self._module.lines, cls, [part for part in self._functions if part not in kept])
        return pruned, text if body else f"{text}\n    pass"

    def _used(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
        """Names of members that a function may reach: every attribute that it asks anything but a text for."""
        if function not in self._uses:
            nodes = list(ast.walk(function))
            attributes = [n for n in nodes if isinstance(n, ast.Attribute)]
            used = {n.attr for n in attributes if not isinstance(n.value, (ast.Constant, ast.JoinedStr))}
            used |= {n.id for d in function.decorator_list for n in ast.walk(d) if isinstance(n, ast.Name)}
            self._uses[function] = used
        return self._uses[function]


def _without(lines: list[str], cls: ast.ClassDef, dropped: list[ast.FunctionDef | ast.AsyncFunctionDef]) -> str:
    gone: set[int] = set()
    for part in dropped:
        start = min([part.lineno, *(d.lineno for d in part.decorator_list)])
        while start > cls.lineno + 1 and lines[start - 2].lstrip().startswith("#"):
            start -= 1
        gone.update(range(start, (part.end_lineno or part.lineno) + 1))
    kept = [lines[k - 1] for k in range(cls.lineno, (cls.end_lineno or cls.lineno) + 1) if k not in gone]
    text = "\n".join(kept).rstrip()
    # Where a method went, its blank lines stay: at most one of them in a row is kept.
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", text) if gone else text


def _wrapper(cls: ast.ClassDef, method: ast.FunctionDef, name: str) -> str:
    kinds = {ast.unparse(d) for d in method.decorator_list}
    if kinds - {"staticmethod", "classmethod"}:
        raise Unwrappable("a decorated method")
    own, own_call = _passed(method.args, 0 if "staticmethod" in kinds else 1)
    made: list[Part] = []
    lines = []
    if kinds:
        lines.append(f"    return {cls.name}.{method.name}({own_call})")
    else:
        maker = next((p for p in cls.body if isinstance(p, ast.FunctionDef) and p.name == "__init__"), None)
        made, made_call = _passed(maker.args, 1) if maker is not None else ([], "")
        taken = {_arg(part).arg for part in [*made, *own]}
        if len(taken) < len(made) + len(own):
            raise Unwrappable("__init__ and the method share a parameter's name")
        names = [n for n in (snake(cls.name), "subject", "subject_") if not keyword.iskeyword(n)]
        subject = next(n for n in names if n not in taken and n != cls.name)
        lines += [f"    {subject} = {cls.name}({made_call})", f"    return {subject}.{method.name}({own_call})"]
    if not made and not own:
        raise Unwrappable("takes no parameter")
    return "\n".join([f"def {name}({_listed([*made, *own])}):", *_doc(method), *lines])


def _doc(method: ast.FunctionDef) -> list[str]:
    """The method's docstring, or its first paragraph where it is long."""
    text = ast.get_docstring(method) or ""
    first = " ".join(text.split("\n\n")[0].split())
    plain = "\\" not in first and '"""' not in first and not first.endswith('"')
    return [f'    """{first}"""'] if first and len(first) <= 100 and plain else []


Part = ast.arg | tuple[ast.arg, ast.expr]


def _arg(part: Part) -> ast.arg:
    return part[0] if isinstance(part, tuple) else part


def _passed(args: ast.arguments, skip: int) -> tuple[list[Part], str]:
    """Parameters to take over, with their literal defaults, and the text that passes them on.

    Optional ones without a literal default are left to their own; `*args` and `**kwargs` are not taken over.
    """
    places = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(args.defaults)) + list(args.defaults)
    rows = [*zip(places, defaults, strict=True)][skip:]
    rows += zip(args.kwonlyargs, args.kw_defaults, strict=True)
    positional_only = {arg.arg for arg in args.posonlyargs}
    parts: list[Part] = []
    call: list[str] = []
    by_name = False
    for arg, default in rows:
        if default is None:
            parts.append(arg)
        elif is_literal(default) and not (arg.arg in positional_only and by_name):
            parts.append((arg, default))
        else:
            by_name = True
            continue
        call.append(f"{arg.arg}={arg.arg}" if by_name or arg in args.kwonlyargs else arg.arg)
    return parts, ", ".join(call)


def _listed(parts: list[Part]) -> str:
    """Parameters as text, required ones first."""
    required = [part.arg for part in parts if isinstance(part, ast.arg)]
    return ", ".join([*required, *(f"{p[0].arg}={ast.unparse(p[1])}" for p in parts if isinstance(p, tuple))])


def snake(name: str) -> str:
    """A class's name as that of a variable."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_") or "subject"


def _free_name(name: str, module: Module) -> str:
    while name in module.bindings:
        name += "_call"
    return name
