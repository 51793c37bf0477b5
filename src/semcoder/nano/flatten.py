"""A function as numbered instructions of one operation each: what the built-in model reads instead of source text.

Guarantees: `flatten` looks at syntax alone (nothing is executed, folded, counted or looked up); instructions stand in
the order in which Python evaluates, each with the operands it names; jumps name labels; names are renamed in order of
their first appearance (`v0`, `v1`, ...). Raises `Unsupported` for what the language has no instruction for.

An instruction's result is named by its label (`L4`), or goes to a variable (`v2 =`) or out of the function (`return`).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from semcoder.nano.notation import (
    BUILTINS,
    CLASS_METHODS,
    EXCEPTIONS,
    IDS,
    KEYWORDS,
    LABELS,
    VARIABLES,
    Unsupported,
    write,
)

_BINARY: Final[dict[type, str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
_UNARY: Final[dict[type, str]] = {ast.USub: "neg", ast.UAdd: "pos", ast.Not: "not", ast.Invert: "inv"}
_COMPARE: Final[dict[type, str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "notin", ast.Is: "is", ast.IsNot: "isnot",
}  # fmt: skip
#: Where a result goes: nowhere but its label, out of the function, or the variable of this number (from 0).
TEMP, RETURN = -1, -2
#: Types that may stand as an operand (`isinstance(x, int)`, `map(str, xs)`).
TYPES: Final = {"int": int, "str": str, "list": list, "dict": dict, "tuple": tuple, "set": set, "float": float,
                "bool": bool}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operand:
    """A register (`index` from 0: variables, then labels) or, with -1, a literal: its `tokens`, and what makes it."""

    index: int
    tokens: tuple[str, ...]
    make: Callable[[], Any] | None = None


@dataclass(slots=True)
class Instruction:
    """`jump`: the label it may go to; `parts`: what else its operation needs; `node`: what of the source it evaluates.

    `resets`: the label whose collected elements a walk throws away as it begins; `handler`: where its exceptions go.
    """

    op: str
    operands: tuple[Operand | None, ...] = ()
    name: str = ""
    target: int = TEMP
    jump: int = -1
    parts: tuple[Any, ...] = ()
    node: ast.AST | None = None
    resets: int = -1
    handler: int = -1


@dataclass(slots=True)
class Flat:
    """A function's instructions; `names`: the source's name of each variable; `params`: how many come from the call."""

    code: list[Instruction]
    names: list[str]
    params: int
    defaults: list[Any] = field(default_factory=list)

    def tokens(self) -> list[str]:
        """The program as the model reads it."""
        found: list[str] = []
        for label, instruction in enumerate(self.code):
            found.append(f"L{label}")
            found += instruction_tokens(instruction)
        return found


def flatten(source: str, entry: str = "f") -> Flat:
    """The instructions of the one function of a module. Raises `Unsupported`, and SyntaxError on what is no Python."""
    return flatten_tree(ast.parse(source), entry)


def flatten_tree(tree: ast.Module, entry: str = "f") -> Flat:
    """As `flatten`, of a parsed module, which it does not change."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry]
    if len(functions) != 1 or len(tree.body) != 1:
        raise Unsupported("a module that is more than one function")
    return _Flattener(functions[0]).flat()


def _literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not ...
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(map(_literal, node.elts)) and not (isinstance(node, ast.Set) and len(node.elts) > 12)
    if isinstance(node, ast.Dict):
        return all(key is not None and _literal(key) for key in node.keys) and all(map(_literal, node.values))
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and type(node.operand.value) in (int, float)
    )


class _Flattener:
    def __init__(self, function: ast.FunctionDef) -> None:
        self.function = function
        self.code: list[Instruction] = []
        self.names: dict[str, int] = {}
        self.all: list[str] = []
        self.loops: list[tuple[int, list[Instruction]]] = []
        self.handlers: list[list[Instruction]] = []

    def flat(self) -> Flat:
        arguments = self.function.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or self.function.decorator_list:
            raise Unsupported("a signature of more than plain parameters")
        for each in [*arguments.posonlyargs, *arguments.args]:
            self.variable(each.arg)
        params = len(self.all)
        if not all(map(_literal, arguments.defaults)):
            raise Unsupported("a default that is no literal")
        body = self.function.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        self.block(body)
        if not body or not isinstance(body[-1], ast.Return):
            self.emit("move", (self.constant(None),), target=RETURN, node=self.function)
        return Flat(self.code, self.all, params, [ast.literal_eval(each) for each in arguments.defaults])

    # Names and operands

    def variable(self, name: str) -> int:
        if name not in self.names:
            self.names[name] = self.another(name)
        return self.names[name]

    def another(self, name: str) -> int:
        """A new variable, whatever the name means so far."""
        self.all.append(name)
        if len(self.all) > VARIABLES:
            raise Unsupported("more variables than the built-in model has names for")
        return len(self.all) - 1

    def fresh(self) -> str:
        """A name that no source holds."""
        return f" {len(self.all)}"

    @staticmethod
    def register(variable: int) -> Operand:
        return Operand(variable, (f"v{variable}",))

    @staticmethod
    def temporary(label: int) -> Operand:
        return Operand(VARIABLES + label, (f"L{label}",))

    @staticmethod
    def constant(value: Any) -> Operand:
        return Operand(-1, tuple(write(value)), lambda: value)

    def literal(self, node: ast.expr) -> Operand:
        value = ast.literal_eval(node)
        if isinstance(value, (list, dict, set)) or (isinstance(value, tuple) and not _frozen(value)):
            if not value:
                return Operand(-1, tuple(write(value)), type(value))
            made = compile(ast.Expression(node), "<literal>", "eval")
            return Operand(-1, tuple(write(value)), lambda: eval(made, {}))
        return self.constant(value)

    def emit(self, op: str, operands: Sequence[Operand | None] = (), **more: Any) -> Operand:
        label = len(self.code)
        if label >= LABELS:
            raise Unsupported("a function too long for the built-in model")
        instruction = Instruction(op, tuple(operands), **more)
        self.code.append(instruction)
        if self.handlers:
            self.handlers[-1].append(instruction)
        return self.register(instruction.target) if instruction.target >= 0 else self.temporary(label)

    # Statements

    def block(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            handler = getattr(self, f"on_{type(node).__name__.lower()}", None)
            if handler is None:
                raise Unsupported(f"a {type(node).__name__.lower()} statement")
            handler(node)

    def on_pass(self, node: ast.Pass) -> None:
        """Nothing happens."""

    def on_expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.expr(node.value)

    def on_return(self, node: ast.Return) -> None:
        if node.value is None:
            self.emit("move", (self.constant(None),), target=RETURN, node=node)
        else:
            self.expr(node.value, RETURN)

    def on_assign(self, node: ast.Assign) -> None:
        first = node.targets[0]
        if len(node.targets) == 1 and isinstance(first, ast.Name):
            self.expr(node.value, self.variable(first.id))
            return
        if len(node.targets) == 1 and _side_by_side(first, node.value):
            assert isinstance(first, ast.Tuple)
            assert isinstance(node.value, ast.Tuple)
            values = [self.held(each) for each in node.value.elts]
            for target, value in zip(first.elts, values, strict=True):
                self.store(target, value, node)
            return
        value = self.expr(node.value)
        if len(node.targets) > 1 and value.index < 0 and value.make is not None:
            value = self.emit("move", (value,), node=node)
        for target in node.targets:
            self.store(target, value, node)

    def held(self, node: ast.expr) -> Operand:
        """An operand that keeps its value while the names of a tuple assignment are stored."""
        value = self.expr(node)
        return self.emit("move", (value,), node=node) if 0 <= value.index < VARIABLES else value

    def store(self, target: ast.expr, value: Operand, node: ast.AST) -> None:
        if isinstance(target, ast.Name):
            self.emit("move", (value,), target=self.variable(target.id), node=node)
        elif isinstance(target, ast.Subscript):
            base = self.expr(target.value)
            if isinstance(target.slice, ast.Slice):
                self.emit("setslice", (base, *self.bounds(target.slice), value), node=target)
            else:
                self.emit("setitem", (base, self.expr(target.slice), value), node=target)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target.elts, value, node)
        else:
            raise Unsupported("an assignment to an attribute")

    def unpack(self, targets: Sequence[ast.expr], value: Operand, node: ast.AST) -> None:
        parts: list[tuple[int, bool]] = []
        later: list[tuple[ast.expr, int]] = []
        for target in targets:
            star = isinstance(target, ast.Starred)
            inner = target.value if isinstance(target, ast.Starred) else target
            if isinstance(inner, ast.Name):
                parts.append((self.variable(inner.id), star))
            else:
                parts.append((self.variable(self.fresh()), star))
                later.append((inner, parts[-1][0]))
        self.emit("unpack", (value,), parts=tuple(parts), node=node)
        for inner, hidden in later:
            self.store(inner, self.register(hidden), node)

    def on_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.store(node.target, self.expr(node.value), node)

    def on_augassign(self, node: ast.AugAssign) -> None:
        op = _BINARY.get(type(node.op))
        if op is None:
            raise Unsupported("this augmented assignment")
        if isinstance(node.target, ast.Name):
            variable = self.variable(node.target.id)
            value = self.expr(node.value)
            self.emit("augmented", (self.register(variable), value), name=op, target=variable, node=node)
        elif isinstance(node.target, ast.Subscript) and not isinstance(node.target.slice, ast.Slice):
            base, key = self.expr(node.target.value), self.expr(node.target.slice)
            old = self.emit("index", (base, key), node=node.target)
            value = self.expr(node.value)
            new = self.emit("augmented", (old, value), name=op, node=node)
            self.emit("setitem", (base, key, new), node=node.target)
        else:
            raise Unsupported("this augmented assignment")

    def on_if(self, node: ast.If) -> None:
        branch = self.branch(node.test, node)
        self.block(node.body)
        if not node.orelse:
            self.here(branch)
            return
        over = self.jump()
        self.here(branch)
        self.block(node.orelse)
        self.here(over)

    def branch(self, test: ast.expr, node: ast.AST, *, op: str = "if") -> Instruction:
        """Evaluates a condition and jumps (where to is set later) if it is false; with `unless`, if it is true."""
        if op == "if" and isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self.branch(test.operand, node, op="unless")
        self.emit(op, (self.expr(test),), node=test)
        return self.code[-1]

    def jump(self) -> Instruction:
        self.emit("goto")
        return self.code[-1]

    def here(self, *instructions: Instruction) -> None:
        for instruction in instructions:
            instruction.jump = len(self.code)

    def on_while(self, node: ast.While) -> None:
        start = len(self.code)
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        branch = None if always else self.branch(node.test, node)
        self.loop(node.body, start, branch, node.orelse)

    def loop(self, body: Sequence[ast.stmt], start: int, leave: Instruction | None, orelse: Sequence[ast.stmt]) -> None:
        breaks: list[Instruction] = []
        self.loops.append((start, breaks))
        self.block(body)
        self.loops.pop()
        self.emit("goto", jump=start)
        if leave is not None:
            self.here(leave)
        self.block(orelse)
        self.here(*breaks)

    def on_for(self, node: ast.For) -> None:
        over = self.iterated(node.iter)
        start = len(self.code)
        step, later = self.step(node.target, over)
        for inner, hidden in later:
            self.store(inner, self.register(hidden), node)
        self.loop(node.body, start, step, node.orelse)

    def step(self, target: ast.expr, over: Operand) -> tuple[Instruction, list[tuple[ast.expr, int]]]:
        """The instruction that takes the next element, and what of its target is left to unpack."""
        elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        later: list[tuple[ast.expr, int]] = []
        if any(isinstance(each, ast.Starred) for each in elements):
            later.append((target, self.variable(self.fresh())))
            variables, single = [later[0][1]], True
        else:
            single = not isinstance(target, (ast.Tuple, ast.List))
            variables = []
            for each in elements:
                if isinstance(each, ast.Name):
                    variables.append(self.variable(each.id))
                else:
                    variables.append(self.variable(self.fresh()))
                    later.append((each, variables[-1]))
        self.emit("for", (over,), parts=(tuple(variables), single), node=target)
        return self.code[-1], later

    def iterated(self, node: ast.expr) -> Operand:
        """What a loop walks: `range`, `enumerate` and `zip` are walked without being made."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in self.names:
            name = node.func.id
            if name in ("range", "enumerate", "zip") and not any(isinstance(each, ast.Starred) for each in node.args):
                operands = [self.expr(each) for each in node.args]
                keywords = self.keywords(node)
                operands += [value for _, value in keywords]
                keys = tuple(key for key, _ in keywords)
                return self.emit("walk", operands, name=name, parts=keys, node=node)
        return self.emit("iter", (self.expr(node),), node=node)

    def on_break(self, node: ast.Break) -> None:
        self.innermost(node)[1].append(self.jump())

    def on_continue(self, node: ast.Continue) -> None:
        self.emit("goto", jump=self.innermost(node)[0])

    def innermost(self, node: ast.Break | ast.Continue) -> tuple[int, list[Instruction]]:
        """The loop around a statement, which the parser lets stand anywhere."""
        if not self.loops:
            raise SyntaxError(f"a {type(node).__name__.lower()} outside of a loop")
        return self.loops[-1]

    def on_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.emit("delname", (self.register(self.variable(target.id)),), node=target)
            elif isinstance(target, ast.Subscript):
                base = self.expr(target.value)
                if isinstance(target.slice, ast.Slice):
                    self.emit("delslice", (base, *self.bounds(target.slice)), node=target)
                else:
                    self.emit("delitem", (base, self.expr(target.slice)), node=target)
            else:
                raise Unsupported("a deletion of an attribute")

    def on_assert(self, node: ast.Assert) -> None:
        self.emit("assert", (self.expr(node.test),), node=node)

    def on_try(self, node: ast.Try) -> None:
        if node.finalbody:
            raise Unsupported("a finally block")
        self.emit("try", node=node)
        start = self.code[-1]
        self.handlers.append([])
        self.block(node.body)
        guarded = self.handlers.pop()
        if self.handlers:
            self.handlers[-1] += guarded
        self.block(node.orelse)
        leaves = [self.jump()]
        start.jump = len(self.code)
        for instruction in guarded:
            if instruction.handler < 0:
                instruction.handler = start.jump
        for handler in node.handlers:
            leaves.append(self.handler(handler, handler is node.handlers[-1]))
        self.here(*leaves)

    def handler(self, node: ast.ExceptHandler, last: bool) -> Instruction:
        if node.name:
            raise Unsupported("an exception that is given a name")
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
        names = tuple(each.id if isinstance(each, ast.Name) else "?" for each in kinds)
        if any(name not in EXCEPTIONS for name in names):
            raise Unsupported("an exception of the program's own")
        self.emit("except", parts=names, node=node)
        caught = self.code[-1]
        self.block(node.body)
        over = self.jump()
        if not last:
            self.here(caught)
        return over

    # Expressions

    def expr(self, node: ast.expr, target: int = TEMP) -> Operand:
        """The operand that an expression comes down to; with a target, it is stored there."""
        if _literal(node):
            value = self.literal(node)
        elif isinstance(node, ast.Name):
            value = self.named(node)
        else:
            handler = getattr(self, f"at_{type(node).__name__.lower()}", None)
            if handler is None:
                raise Unsupported(f"an expression of the kind {type(node).__name__}")
            found: Operand = handler(node, target)
            return found
        return value if target == TEMP else self.emit("move", (value,), target=target, node=node)

    def named(self, node: ast.Name) -> Operand:
        if node.id in self.names:
            return self.register(self.names[node.id])
        if node.id in TYPES:
            kind = TYPES[node.id]
            return Operand(-1, (node.id,), lambda: kind)
        raise Unsupported(f"the name {node.id}")

    def at_binop(self, node: ast.BinOp, target: int) -> Operand:
        op = _BINARY.get(type(node.op))
        if op is None:
            raise Unsupported("this operator")
        operands = self.expr(node.left), self.expr(node.right)
        return self.emit("binary", operands, name=op, target=target, node=node)

    def at_unaryop(self, node: ast.UnaryOp, target: int) -> Operand:
        return self.emit("unary", (self.expr(node.operand),), name=_UNARY[type(node.op)], target=target, node=node)

    def at_compare(self, node: ast.Compare, target: int) -> Operand:
        left = self.expr(node.left)
        leaves: list[Instruction] = []
        results: list[Operand] = []
        last = len(node.ops) - 1
        for i, (op, comparator) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.expr(comparator)
            goes = target if not last else TEMP
            results.append(self.emit("compare", (left, right), name=_COMPARE[type(op)], target=goes, node=node))
            if i < last:
                self.emit("if", (results[-1],), node=node)
                leaves.append(self.code[-1])
            left = right
        if not last:
            return results[0]
        self.here(*leaves)
        return self.emit("join", results, target=target, node=node)

    def at_boolop(self, node: ast.BoolOp, target: int) -> Operand:
        op = "if" if isinstance(node.op, ast.And) else "unless"
        results: list[Operand] = []
        leaves: list[Instruction] = []
        for i, value in enumerate(node.values):
            results.append(self.result(value))
            if i < len(node.values) - 1:
                self.emit(op, (results[-1],), node=value)
                leaves.append(self.code[-1])
        self.here(*leaves)
        return self.emit("join", results, target=target, node=node)

    def result(self, node: ast.expr) -> Operand:
        """An operand that is the result of an instruction, so that `join` can say which of several ran last."""
        value = self.expr(node)
        return value if value.index >= VARIABLES else self.emit("move", (value,), node=node)

    def at_ifexp(self, node: ast.IfExp, target: int) -> Operand:
        branch = self.branch(node.test, node)
        first = self.result(node.body)
        over = self.jump()
        self.here(branch)
        second = self.result(node.orelse)
        self.here(over)
        return self.emit("join", (first, second), target=target, node=node)

    def at_namedexpr(self, node: ast.NamedExpr, target: int) -> Operand:
        value = self.expr(node.value, self.variable(node.target.id))
        return value if target == TEMP else self.emit("move", (value,), target=target, node=node)

    def at_subscript(self, node: ast.Subscript, target: int) -> Operand:
        base = self.expr(node.value)
        if isinstance(node.slice, ast.Slice):
            return self.emit("slice", (base, *self.bounds(node.slice)), target=target, node=node)
        return self.emit("index", (base, self.expr(node.slice)), target=target, node=node)

    def bounds(self, node: ast.Slice) -> tuple[Operand | None, Operand | None, Operand | None]:
        low, high, step = (
            self.expr(each) if each is not None else None for each in (node.lower, node.upper, node.step)
        )
        return low, high, step

    def display(self, opening: str, elements: Sequence[ast.expr], node: ast.AST, target: int) -> Operand:
        stars = tuple(isinstance(each, ast.Starred) for each in elements)
        operands = [self.expr(each.value if isinstance(each, ast.Starred) else each) for each in elements]
        return self.emit("display", operands, name=opening, parts=stars, target=target, node=node)

    def at_list(self, node: ast.List, target: int) -> Operand:
        return self.display("[", node.elts, node, target)

    def at_tuple(self, node: ast.Tuple, target: int) -> Operand:
        return self.display("(", node.elts, node, target)

    def at_set(self, node: ast.Set, target: int) -> Operand:
        return self.display("set(", node.elts, node, target)

    def at_dict(self, node: ast.Dict, target: int) -> Operand:
        operands: list[Operand | None] = []
        for key, value in zip(node.keys, node.values, strict=True):
            operands += [None if key is None else self.expr(key), self.expr(value)]
        return self.emit("dict", operands, target=target, node=node)

    def at_joinedstr(self, node: ast.JoinedStr, target: int) -> Operand:
        operands: list[Operand] = []
        parts: list[tuple[str, str]] = []
        for piece in node.values:
            if isinstance(piece, ast.Constant):
                operands.append(self.constant(piece.value))
                parts.append(("", ""))
                continue
            assert isinstance(piece, ast.FormattedValue)
            spec = piece.format_spec
            plain = spec.values if isinstance(spec, ast.JoinedStr) else []
            if not all(isinstance(each, ast.Constant) for each in plain):
                raise Unsupported("a format that is computed")
            operands.append(self.expr(piece.value))
            text = "".join(str(each.value) for each in plain if isinstance(each, ast.Constant))
            parts.append((chr(piece.conversion) if piece.conversion > 0 else "", text))
        return self.emit("fstr", operands, parts=tuple(parts), target=target, node=node)

    # Comprehensions, and calls of a function on every element

    def at_listcomp(self, node: ast.ListComp | ast.GeneratorExp, target: int) -> Operand:
        return self.comprehension(node.generators, lambda: (self.expr(node.elt),), "list", node, target)

    at_generatorexp = at_listcomp

    def at_setcomp(self, node: ast.SetComp, target: int) -> Operand:
        return self.comprehension(node.generators, lambda: (self.expr(node.elt),), "set", node, target)

    def at_dictcomp(self, node: ast.DictComp, target: int) -> Operand:
        return self.comprehension(
            node.generators, lambda: (self.expr(node.key), self.expr(node.value)), "dict", node, target
        )

    def comprehension(
        self,
        generators: Sequence[ast.comprehension],
        element: Callable[[], tuple[Operand, ...]],
        kind: str,
        node: ast.AST,
        target: int,
    ) -> Operand:
        put, first = self.walked(generators, lambda back: self.emit("put", element(), jump=back, node=node))
        self.code[first].resets = put.index - VARIABLES
        return self.emit("end", (put,), name=kind, target=target, node=node)

    def walked(self, generators: Sequence[ast.comprehension], inner: Callable[[int], Operand]) -> tuple[Operand, int]:
        """Loops around `inner`, which gets the label to go back to; the label of the outermost walk too."""
        over = self.iterated(generators[0].iter)  # evaluated outside: the names that are bound mean others there
        first = over.index - VARIABLES
        steps: list[int] = []
        with _Scope(self, generators):
            for generator in generators:
                if steps:
                    over = self.iterated(generator.iter)
                steps.append(len(self.code))
                for name, hidden in self.step(generator.target, over)[1]:
                    self.store(name, self.register(hidden), generator.target)
                for condition in generator.ifs:
                    self.branch(condition, condition).jump = steps[-1]
            result = inner(steps[-1])
        for i, step in enumerate(steps):  # an inner walk that ends goes on with the one around it
            self.code[step].jump = steps[i - 1] if i else len(self.code)
        return result, first

    def quantified(self, node: ast.GeneratorExp, name: str, target: int) -> Operand:
        """`any` and `all` over a generator: left as soon as it is known."""

        def inner(back: int) -> Operand:
            self.branch(node.elt, node.elt, op="if" if name == "any" else "unless").jump = back
            found = self.emit("move", (self.constant(name == "any"),), node=node)
            self.jump()
            return found

        found, _ = self.walked(node.generators, inner)
        other = self.emit("move", (self.constant(name != "any"),), node=node)
        self.here(self.code[other.index - VARIABLES - 1])
        return self.emit("join", (found, other), target=target, node=node)

    def mapped(self, function: ast.expr, over: ast.expr, kind: str, node: ast.AST, target: int) -> Operand:
        """`map` and `filter`: the function's operation on each element."""
        name = self.fresh()
        generator = ast.comprehension(ast.Name(name, ast.Store()), over, [], 0)
        element: ast.expr = ast.Name(name, ast.Load())
        applied = _applied(function, element)
        if kind == "filter":
            generator.ifs = [applied]
            applied = element
        return self.comprehension([generator], lambda: (self.expr(applied),), "list", node, target)

    # Calls

    def keywords(self, node: ast.Call) -> list[tuple[str, Operand]]:
        found = []
        for keyword in node.keywords:
            if keyword.arg is None or f"{keyword.arg}=" not in KEYWORDS:
                raise Unsupported("this keyword argument")
            found.append((keyword.arg, self.expr(keyword.value)))
        return found

    def at_call(self, node: ast.Call, target: int) -> Operand:
        if any(isinstance(each, ast.Starred) for each in node.args):
            raise Unsupported("starred arguments")
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func, target)
        if not isinstance(node.func, ast.Name) or node.func.id in self.names:
            raise Unsupported("a call of a computed function")
        name = node.func.id
        if name not in BUILTINS:
            raise Unsupported(f"a call of {name}")
        if name in ("map", "filter") and len(node.args) == 2:
            return self.mapped(node.args[0], node.args[1], name, node, target)
        if name in ("any", "all") and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            return self.quantified(node.args[0], name, target)
        if name in ("sorted", "max", "min") and (key := _key(node)) is not None:
            if len(node.args) != 1:
                raise Unsupported("a key for several arguments, or none")
            return self.keyed(node, node.args[0], key, name, target)
        operands = [self.expr(each) for each in node.args]
        keywords = self.keywords(node)
        parts = tuple(key for key, _ in keywords)
        operands += [value for _, value in keywords]
        return self.emit("call", operands, name=name, parts=parts, target=target, node=node)

    def keyed(self, node: ast.Call, over: ast.expr, key: ast.expr, name: str, target: int) -> Operand:
        """A call with `key=`: the keys are made first, one an element."""
        if name == ".sort" and isinstance(over, ast.Name) and _mentions(key, over.id):
            raise Unsupported("a key that looks at the list while it is sorted")
        if not isinstance(over, ast.Name):
            name_of_base = self.fresh()
            self.expr(over, self.variable(name_of_base))
            over = ast.Name(name_of_base, ast.Load())
        base = self.expr(over)
        keys = self.mapped(key, over, "map", key, TEMP)
        rest = [(each.arg, self.expr(each.value)) for each in node.keywords if each.arg != "key"]
        if any(f"{arg}=" not in KEYWORDS for arg, _ in rest):
            raise Unsupported("this keyword argument")
        operands = [base, keys, *(value for _, value in rest)]
        parts = ("key", *(str(arg) for arg, _ in rest))
        op, name = ("method", "sort") if name == ".sort" else ("call", name)
        return self.emit(op, operands, name=name, parts=parts, target=target, node=node)

    def method(self, node: ast.Call, function: ast.Attribute, target: int) -> Operand:
        name = function.attr
        owner = function.value
        if isinstance(owner, ast.Name) and owner.id not in self.names:
            if f"{owner.id}.{name}" in CLASS_METHODS:
                operands = [self.expr(each) for each in node.args]
                return self.emit("call", operands, name=f"{owner.id}.{name}", target=target, node=node)
            if owner.id in TYPES and node.args:
                return self.method(
                    ast.Call(ast.Attribute(node.args[0], name), node.args[1:], node.keywords),
                    ast.Attribute(node.args[0], name),
                    target,
                )
            raise Unsupported(f"the name {owner.id}")
        if name == "maketrans":
            operands = [self.expr(each) for each in node.args]
            return self.emit("call", operands, name="str.maketrans", target=target, node=node)
        if f".{name}" not in IDS:
            raise Unsupported(f"the method {name}")
        if name == "sort" and (key := _key(node)) is not None:
            return self.keyed(node, owner, key, ".sort", target)
        operands = [self.expr(owner), *(self.expr(each) for each in node.args)]
        keywords = self.keywords(node)
        parts = tuple(key for key, _ in keywords)
        operands += [value for _, value in keywords]
        return self.emit("method", operands, name=name, parts=parts, target=target, node=node)


class _Scope:
    """Names that a comprehension binds are its own: inside, they mean other variables."""

    def __init__(self, owner: _Flattener, generators: Sequence[ast.comprehension]) -> None:
        self.owner = owner
        targets = [each for one in generators for each in ast.walk(one.target)]
        self.bound = dict.fromkeys(each.id for each in targets if isinstance(each, ast.Name))
        self.outer: dict[str, int] = {}

    def __enter__(self) -> None:
        names = self.owner.names
        for name in self.bound:
            if name in names:
                self.outer[name] = names[name]
                names[name] = self.owner.another(name)

    def __exit__(self, *_: object) -> None:
        for name in self.bound:
            self.owner.names.pop(name, None)
        self.owner.names.update(self.outer)


def _key(node: ast.Call) -> ast.expr | None:
    found = next((each.value for each in node.keywords if each.arg == "key"), None)
    return None if isinstance(found, ast.Constant) else found


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _applied(function: ast.expr, element: ast.expr) -> ast.expr:
    """A function's body with the element in its parameter's place; a call of it where it has a name."""
    if isinstance(function, ast.Lambda):
        if len(function.args.args) != 1 or function.args.defaults:
            raise Unsupported("a lambda of several parameters")
        return _Renamed(function.args.args[0].arg, element).visit(copy.deepcopy(function.body))  # type: ignore[no-any-return]
    if isinstance(function, ast.Constant) and function.value is None:
        return element
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in TYPES:
        return ast.Call(ast.Attribute(element, function.attr, ast.Load()), [], [])
    if isinstance(function, ast.Attribute):
        return ast.Call(function, [element], [])
    if isinstance(function, ast.Name):
        return ast.Call(function, [element], [])
    raise Unsupported("a computed function")


class _Renamed(ast.NodeTransformer):
    def __init__(self, name: str, element: ast.expr) -> None:
        self.name, self.element = name, element

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.element if node.id == self.name else node


def _frozen(value: Any) -> bool:
    return not isinstance(value, (list, dict, set)) and (not isinstance(value, tuple) or all(map(_frozen, value)))


def _side_by_side(target: ast.expr, value: ast.expr) -> bool:
    """Whether an assignment puts the elements of one display into those of another, one by one."""
    if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple) or len(target.elts) != len(value.elts):
        return False
    return not any(isinstance(each, ast.Starred) for each in (*target.elts, *value.elts))


# How an instruction reads --------------------------------------------------------------------------------------------


def instruction_tokens(one: Instruction) -> list[str]:
    """An instruction as the model reads it, without its label."""
    head: list[str] = []
    if one.target == RETURN:
        head = ["return"]
    elif one.target >= 0 and one.op != "augmented":
        head = [f"v{one.target}", "="]
    return head + list(_FORMS[one.op](one))


def _texts(one: Instruction) -> list[tuple[str, ...]]:
    return [() if each is None else each.tokens for each in one.operands]


def _listed(texts: Sequence[Sequence[str]], keywords: Sequence[str] = ()) -> Iterator[str]:
    plain = len(texts) - len(keywords)
    for i, text in enumerate(texts):
        if i:
            yield ","
        if i >= plain:
            yield f"{keywords[i - plain]}="
        yield from text


def _sliced(texts: Sequence[Sequence[str]]) -> Iterator[str]:
    base, low, high, step = texts[:4]
    yield from (*base, "[", *low, ":", *high)
    if step:
        yield from (":", *step)
    yield "]"


def _form_binary(one: Instruction) -> Iterator[str]:
    left, right = _texts(one)
    yield from (*left, one.name, *right)


def _form_augmented(one: Instruction) -> Iterator[str]:
    left, right = _texts(one)
    yield from (*left, f"{one.name}=", *right)


def _form_method(one: Instruction) -> Iterator[str]:
    texts = _texts(one)
    yield from (*texts[0], f".{one.name}", *_listed(texts[1:], one.parts))


def _form_display(one: Instruction) -> Iterator[str]:
    yield one.name
    for i, (text, star) in enumerate(zip(_texts(one), one.parts, strict=True)):
        yield from ((",",) if i else ())
        yield from (("*", *text) if star else text)
    yield {"[": "]", "(": ")", "set(": ")"}[one.name]


def _form_dict(one: Instruction) -> Iterator[str]:
    texts = _texts(one)
    yield "dict("
    for i in range(0, len(texts), 2):
        yield from ((",",) if i else ())
        yield from ((*texts[i], ":") if one.operands[i] is not None else ("**",))
        yield from texts[i + 1]
    yield ")"


def _form_fstr(one: Instruction) -> Iterator[str]:
    yield "fstr"
    for i, (text, (conversion, spec)) in enumerate(zip(_texts(one), one.parts, strict=True)):
        yield from ((",",) if i else ())
        yield from text
        if conversion:
            yield from (":conv", conversion)
        if spec:
            yield from (":spec", *write(spec))


def _form_for(one: Instruction) -> Iterator[str]:
    variables, single = one.parts
    yield "for"
    for i, variable in enumerate(variables):
        yield from ((",",) if i else ())
        yield f"v{variable}"
    yield from (() if single or len(variables) > 1 else (",",))
    yield from ("in", *_texts(one)[0], "else", f"L{one.jump}")


def _form_unpack(one: Instruction) -> Iterator[str]:
    for i, (variable, star) in enumerate(one.parts):
        yield from ((",",) if i else ())
        yield from (("*",) if star else ())
        yield f"v{variable}"
    yield from ("=", "unpack", *_texts(one)[0])


def _form_set(one: Instruction) -> Iterator[str]:
    base, key, value = _texts(one)
    yield from (*base, "[", *key, "]", "=", *value)


_FORMS: Final[dict[str, Callable[[Instruction], Any]]] = {
    "move": lambda one: _texts(one)[0],
    "binary": _form_binary,
    "augmented": _form_augmented,
    "unary": lambda one: (one.name, *_texts(one)[0]),
    "compare": _form_binary,
    "index": lambda one: (*_texts(one)[0], "[", *_texts(one)[1], "]"),
    "slice": lambda one: tuple(_sliced(_texts(one))),
    "method": _form_method,
    "call": lambda one: (one.name, *_listed(_texts(one), one.parts)),
    "walk": lambda one: (one.name, *_listed(_texts(one), one.parts)),
    "display": _form_display,
    "dict": _form_dict,
    "fstr": _form_fstr,
    "iter": lambda one: ("iter", *_texts(one)[0]),
    "if": lambda one: ("if", *_texts(one)[0], "else", f"L{one.jump}"),
    "unless": lambda one: ("unless", *_texts(one)[0], "else", f"L{one.jump}"),
    "goto": lambda one: ("goto", f"L{one.jump}"),
    "for": _form_for,
    "join": lambda one: ("join", *(token for text in _texts(one) for token in text)),
    "put": lambda one: ("put", *tuple(_putted(_texts(one))), "goto", f"L{one.jump}"),
    "end": lambda one: ("end", one.name, *_texts(one)[0]),
    "setitem": _form_set,
    "setslice": lambda one: (*_sliced(_texts(one)), "=", *_texts(one)[4]),
    "delitem": lambda one: ("del", *_texts(one)[0], "[", *_texts(one)[1], "]"),
    "delslice": lambda one: ("del", *_sliced(_texts(one))),
    "delname": lambda one: ("del", *_texts(one)[0]),
    "unpack": _form_unpack,
    "assert": lambda one: ("assert", *_texts(one)[0]),
    "try": lambda one: ("try", f"L{one.jump}"),
    "except": lambda one: (
        "except",
        *_listed([(each,) for each in one.parts]),
        "else",
        f"L{one.jump}" if one.jump >= 0 else "!",
    ),
}


def _putted(texts: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from texts[0]
    if len(texts) > 1:
        yield from (":", *texts[1])
