"""Every small fault that can be sown into a module: one changed node of its syntax tree each.

Sown are comparisons, `and` and `or`, conditions, arithmetic, numbers, truth values, texts, what is returned, raised or
only called, and arguments. Left alone: annotations and other types, decorators, docstrings, and the words of an error
(texts of more than one word, and its advice), which its tests hold by kind.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NOTHING = ast.Constant(None)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Args:
        place: Dotted name of the class and function it stands in; empty for the module itself.
        old: The text of the changed node.
        new: What stands there instead.
        lines: Those of the statement it stands in, without the statements inside that one.
        later: Whether it stands in the body of a function, and so does not run with the module.
        sown: Gives the whole module with the fault in it.
    """

    place: str
    line: int
    old: str
    new: str
    lines: frozenset[int]
    later: bool
    sown: Callable[[], str]

    @property
    def name(self) -> str:
        """What tells it from other faults of its module; those of equal text share one."""
        return f"{self.place}: {self.old} -> {self.new}"


def faults(source: str) -> list[Fault]:
    """Every fault of a module's source, in the order of its text."""
    tree = ast.parse(source)
    return [
        Fault(
            around.place,
            node.lineno,
            ast.unparse(node),
            ast.unparse(new),
            around.lines,
            around.later,
            partial(changed, tree, parent, field, index, new),
        )
        for parent, field, index, node, around in walked(tree, Around())
        for new in (*others(node, parent, field), *without_argument(node))
    ]


def changed(tree: ast.Module, parent: ast.AST, field: str, index: int | None, new: ast.AST) -> str:
    """The source of the tree with one node replaced; the tree is left as it was."""
    old = getattr(parent, field)
    setattr(parent, field, new if index is None else [*old[:index], new, *old[index + 1 :]])
    text = ast.unparse(ast.fix_missing_locations(tree))
    setattr(parent, field, old)
    return text + "\n"


@dataclass(frozen=True)
class Around:
    """What a node stands in: see Fault; and whether that is an error, whose words are left alone."""

    place: str = ""
    lines: frozenset[int] = frozenset()
    later: bool = False
    raised: bool = False

    def inside(self, parent: ast.AST, field: str, node: ast.AST) -> "Around":
        """What a node in a field of the parent stands in."""
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        return Around(
            f"{self.place}.{node.name}".lstrip(".") if named else self.place,
            lines_of(node) if isinstance(node, ast.stmt) else self.lines,
            self.later or (field == "body" and isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef)),
            self.raised or is_error(parent),
        )


def lines_of(statement: ast.stmt) -> frozenset[int]:
    """The lines of a statement that are not those of another inside it."""
    inner = (node for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement)
    return span(statement) - {line for node in inner for line in span(node)}


def span(statement: ast.stmt) -> frozenset[int]:
    """From a statement's first line to its last."""
    return frozenset(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))


Found = tuple[ast.AST, str, int | None, ast.expr | ast.stmt, Around]
"""Parent, field, index in the field's list, node, what that stands in."""


def walked(parent: ast.AST, around: Around) -> Iterator[Found]:
    """Every expression and statement below a node that faults may be sown into."""
    for field, value in ast.iter_fields(parent):
        if field in {"annotation", "returns", "bases", "type_params", "ctx", "decorator_list"}:
            continue
        many = isinstance(value, list)
        for index, node in enumerate(cast("list[Any]", value) if many else [value]):
            if not isinstance(node, ast.AST) or left_alone(node, parent):
                continue
            inside = around.inside(parent, field, node)
            if isinstance(node, ast.expr | ast.stmt) and not (inside.raised and is_words(node, parent)):
                yield parent, field, index if many else None, node, inside
            yield from walked(node, inside)


def left_alone(node: ast.AST, parent: ast.AST) -> bool:
    """Whether nothing is sown into a node: a docstring, an error's advice, a type, a name of a module."""
    if isinstance(node, ast.keyword) and node.arg == "advice":
        return True
    if isinstance(parent, ast.Call):
        called = ast.unparse(parent.func)
        return (called == "cast" and node is parent.args[0]) or called == "TypeVar"
    if isinstance(parent, ast.Subscript):
        return ast.unparse(parent.value) == "Literal"
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    listed = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    return docstring or listed or isinstance(node, ast.Import | ast.ImportFrom)


ERRORS = ("Error", "Refusal", "Refused", "Stop", "Unreachable", "Unreadable")
"""How the names of errors end."""


def is_error(node: ast.AST) -> bool:
    """Whether an error is made here."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].endswith(ERRORS)


def is_words(node: ast.AST, parent: ast.AST) -> bool:
    """Whether it is a text of more than one word, or a part of one."""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    return bool(text) and (isinstance(parent, ast.JoinedStr) or " " in text)


def others(node: ast.expr | ast.stmt, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    """What may stand instead of a node."""
    match node:
        case ast.Compare(left, ops, values):
            for at, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:at], COMPARED[type(op)](), *ops[at + 1 :]], values)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), value):
            yield value
        case ast.BinOp(left, op, right) if type(op) in RECKONED and not of_types(node):
            yield ast.BinOp(left, RECKONED[type(op)](), right)
        case ast.Constant(value):
            yield from other_values(value, parent)
        case ast.Return(value) if value is not None and not is_nothing(value):
            yield ast.Return(NOTHING)
        case ast.Raise() | ast.Expr(ast.Call() | ast.Await()):
            yield ast.Pass()
        case _ if field == "test" and isinstance(node, ast.expr):
            yield ast.UnaryOp(ast.Not(), node)
        case _:
            return


def of_types(node: ast.BinOp) -> bool:
    """Whether a `|` stands between types: Own | int."""
    return (
        isinstance(node.op, ast.BitOr)
        and isinstance(node.right, ast.Name | ast.Constant)
        and (
            is_nothing(node.right) or (isinstance(node.right, ast.Name) and node.right.id in {"int", "str", "Mapping"})
        )
    )


def is_nothing(value: ast.expr) -> bool:
    """Whether it is None as written."""
    return isinstance(value, ast.Constant) and value.value is None


def other_values(value: object, parent: ast.AST) -> Iterator[ast.expr]:
    """What may stand instead of a constant."""
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
        case str() if value.strip() or not isinstance(parent, ast.JoinedStr):
            yield ast.Constant(f"XX{value}")
        case bytes():
            yield ast.Constant(b"XX" + value)
        case _:
            return


def without_argument(node: ast.expr | ast.stmt) -> Iterator[ast.AST]:
    """A call without one of its named arguments, and with None for one of the others."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) in {"cast", "TypeVar"}:
        return
    told = ast.JoinedStr if is_error(node) else ast.Starred
    for at, argument in enumerate(node.args):
        if not isinstance(argument, ast.Starred | ast.Constant | told):
            yield ast.Call(node.func, [*node.args[:at], NOTHING, *node.args[at + 1 :]], node.keywords)
    for at, keyword in enumerate(node.keywords):
        if keyword.arg not in {None, "advice"}:
            yield ast.Call(node.func, node.args, [*node.keywords[:at], *node.keywords[at + 1 :]])
