"""Reads a program: its head says how it starts and what verdicts its reruns must get."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.verify.verdict import Grade

__all__ = ["CHANGED", "SCRIPTS", "Expected", "Program", "all_programs", "read_program"]

SCRIPTS = Path(__file__).parent / "scripts"

CHANGED = "PROGRAM_CHANGED"
"""The environment variable that a changed rerun has. No record restores it."""

_INSTEAD, _ALSO = "# instead: ", "# also: "
_FIELDS = {"start", "change", "unchanged", "changed", "names", "needs"}
_GRADES: dict[str, Grade] = {
    grade: grade for grade in ("identical", "equivalent", "diverged", "inconclusive")
}
_STARTS = ("python", "wandb-repro run", "notebook")


@dataclass(frozen=True)
class Expected:
    """What a rerun must get."""

    grade: Grade
    names: tuple[str, ...] = ()
    """Texts that the first difference, or the reason why it is inconclusive, must contain."""


@dataclass(frozen=True)
class Program:
    """A training as people write it, and what is expected of it."""

    name: str
    group: str
    """The folder: ``fits``, ``several`` (fits), ``inputs`` or ``loops``."""
    way: str
    """The way of training, in a few words."""
    text: str
    """The program without its head."""
    start: str
    """``python``, ``wandb-repro run`` or ``notebook``."""
    change: str
    """What is changed in the second rerun, in words."""
    unchanged: Expected
    changed: Expected
    needs: tuple[str, ...] = ()
    """Modules without which it is skipped."""

    @property
    def instrumented(self) -> str:
        """The program with its changes, which happen only where CHANGED is set.

        A line ``# instead: CODE`` replaces the line above it, ``# also: CODE`` adds one.
        """
        lines: list[str] = []
        for line in self.text.splitlines():
            code = line.lstrip()
            indent = line[: len(line) - len(code)]
            if code.startswith(_INSTEAD):
                usual = lines.pop().lstrip()
                changed = code.removeprefix(_INSTEAD)
                lines += _either(indent, changed, usual)
            elif code.startswith(_ALSO):
                lines += _either(indent, code.removeprefix(_ALSO), "pass")
            else:
                lines.append(line)
        return "\n".join(lines) + "\n"


def _either(indent: str, changed: str, usual: str) -> list[str]:
    condition = f'if "{CHANGED}" in __import__("os").environ:'
    return [
        f"{indent}{condition}",
        f"{indent}    {changed}",
        f"{indent}else:",
        f"{indent}    {usual}",
    ]


def read_program(path: Path) -> Program:
    """Read a program and its head.

    Raises:
        ValueError: the head lacks a field, has an unknown one, or the text changes nothing.
    """
    source = path.read_text(encoding="utf-8")
    head = ast.get_docstring(ast.parse(source), clean=True) or ""
    way, _, rest = head.partition("\n\n")
    fields = dict(re.findall(r"^(\w+): (.+)$", rest, re.M))
    text = source.partition('"""')[2].partition('"""')[2].lstrip("\n")
    if unknown := (set(fields) ^ _FIELDS) - {"needs", "names"}:
        raise ValueError(f"{path.name}: fields of the head missing or unknown: {sorted(unknown)}")
    if fields["start"] not in _STARTS:
        raise ValueError(f"{path.name} starts with none of {_STARTS}")
    if sum(text.count(word) for word in (_INSTEAD, _ALSO)) < 1:
        raise ValueError(f"{path.name} changes nothing")
    return Program(
        name=path.stem,
        group=path.parent.name,
        way=" ".join(way.split()).rstrip("."),
        text=text,
        start=fields["start"],
        change=fields["change"],
        unchanged=_expected(fields["unchanged"]),
        changed=_expected(fields["changed"], fields.get("names", "")),
        needs=_words(fields.get("needs", "")),
    )


def _expected(grade: str, names: str = "") -> Expected:
    if grade not in _GRADES:
        raise ValueError(f"{grade!r} is no grade")
    return Expected(_GRADES[grade], _words(names))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def all_programs() -> list[Program]:
    """Return all programs, by name."""
    return [read_program(path) for path in sorted(SCRIPTS.glob("*/*.py"))]
