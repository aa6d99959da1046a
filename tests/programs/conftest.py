"""Gives the tests in this folder their programs."""

from __future__ import annotations

import pytest

from tests.programs.program import Program, all_programs
from tests.support.slow_quarter import QUARTERS, commits

NEEDED_BY_BACKENDS = frozenset({"jax", "torch", "tf_keras"})
"""What only the environments of ``.ci/backends`` have."""

_TURNS = 3
"""A quarter of the slow tests tries a third of its programs, another with every fourth commit."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pass each program of the folder that a test file is named after, else all.

    Where one quarter of the slow tests was asked for, a third of them: three processes start a
    framework for each program.
    """
    if "program" not in metafunc.fixturenames:
        return
    group = metafunc.definition.path.stem.removeprefix("test_")
    programs = [program for program in all_programs() if program.group == group]
    if not programs:
        programs = all_programs()
    elif metafunc.config.getoption("--slow-quarter"):
        turn = commits(metafunc.config.rootpath) // QUARTERS % _TURNS
        programs = programs[turn::_TURNS]
    metafunc.parametrize("program", [_marked(program) for program in programs])


def _marked(program: Program) -> object:
    is_elsewhere = not NEEDED_BY_BACKENDS.isdisjoint(program.needs)
    return pytest.param(program, marks=pytest.mark.backend if is_elsewhere else (), id=program.name)
