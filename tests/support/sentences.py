"""Collects the sentences of the package from its source: messages, docstrings, comments."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "wandb_repro"

_LEAST_WORDS = 3
"""Shorter strings are names, keys and labels."""


def messages(path: Path) -> list[str]:
    """Return the texts of a module that may reach a person, in the order of its lines.

    A value that is filled in is written as ``{}``. Docstrings do not count, except those of
    commands, which are their help.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node) for node in _documentation(tree)}
    found: list[str] = []
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        text = None if id(node) in documentation else _text(node)
        if text is None:
            pending.extend(reversed(_children(node)))
        elif len(text.split()) >= _LEAST_WORDS:
            found.append(" ".join(text.split()))
    return found


def _children(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node; of a ``cast``, without the type."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
        return list(node.args[1:])
    return list(ast.iter_child_nodes(node))


def documentation(path: Path) -> Iterator[str]:
    """Yield the docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    for node in _documentation(ast.parse(text)):
        yield str(node.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def _documentation(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the strings that stand alone as statements: of modules, functions and constants."""
    commands = _help_texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and id(node) not in commands:
            text = node.value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text


def _help_texts(tree: ast.AST) -> set[int]:
    """Return the docstrings that ``--help`` shows, by identity of their statement."""
    commands = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("command" in ast.unparse(decorator) for decorator in node.decorator_list)
    )
    return {id(node.body[0]) for node in commands}


def _text(node: ast.AST) -> str | None:
    """Return what a string expression says; None for everything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        if left is not None and right is not None:
            return left + right
    return None
