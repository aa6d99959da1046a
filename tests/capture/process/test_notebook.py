from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_shell import FakeShell
from wandb_repro.capture.process.command import probe_command
from wandb_repro.capture.process.notebook import CellWatch, shell_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Command

KERNEL = ("python", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "x.json")


def _sources(watch: CellWatch) -> list[str]:
    return [cell.source for cell in watch.cells()[0]]


def test_cells_are_those_before_and_those_that_come() -> None:
    shell = FakeShell("a = 1\n", "init()", failed={})
    watch = CellWatch(shell)
    shell.finish("init()")
    shell.execute("fit()\n")
    shell.execute("looked at by an editor", silent=True)
    assert _sources(watch) == ["a = 1", "init()", "fit()"]


def test_what_a_cell_raised_is_told() -> None:
    shell = FakeShell("a", "b", "init()", failed={1: "NameError"})
    watch = CellWatch(shell)
    shell.finish("init()", ValueError())
    shell.execute("fit()", KeyError())
    shell.execute("fit()")
    raised = [cell.raised for cell in watch.cells()[0]]
    assert raised == ["NameError", "", "ValueError", "KeyError", ""]


def test_an_older_ipython_does_not_tell_what_raised_before() -> None:
    watch = CellWatch(FakeShell("a", "init()"))
    before, now = watch.cells()[0]
    assert isinstance(before.raised, Unavailable)
    assert now.raised == ""


def test_a_history_that_was_emptied_does_not_cost_what_comes() -> None:
    shell = FakeShell("a", "init()", failed={1: "NameError"})
    shell.execution_count = 9
    watch = CellWatch(shell)
    shell.history_manager.input_hist_raw[:] = [""]
    shell.execute("fit()")
    assert _sources(watch) == ["a", "init()", "fit()"]
    assert isinstance(watch.cells()[0][0].raised, Unavailable)


def test_the_cells_that_lost_a_credential_are_named() -> None:
    watch = CellWatch(FakeShell("a", "f(password='open sesame')", "init()", failed={}))
    cells, redacted = watch.cells()
    assert redacted == (2,)
    assert cells[1].source == "f(password='<redacted>')"


def test_nobody_listens_when_the_run_has_ended() -> None:
    shell = FakeShell("init()", failed={})
    watch = CellWatch(shell)
    assert shell.watched
    watch.close()
    assert not shell.watched
    shell.execute("later")
    assert _sources(watch) == ["init()"]


def test_a_prompt_is_no_notebook_and_a_script_neither() -> None:
    prompt: Any = FakeShell()
    del prompt.kernel
    unloaded: dict[str, ModuleType] = {"IPython": ModuleType("IPython")}
    for modules in ({}, unloaded, prompt.modules):
        assert shell_of(modules) is None


@pytest.mark.parametrize(
    ("names", "environ", "label"),
    [
        ({}, {}, "notebook"),
        ({}, {"JPY_SESSION_NAME": "/project/a/digits.ipynb"}, "a/digits.ipynb"),
        ({}, {"JPY_SESSION_NAME": "/elsewhere/digits.ipynb"}, "/elsewhere/digits.ipynb"),
        ({}, {"JPY_SESSION_NAME": "0c8b-41d2"}, "notebook"),
        ({"__vsc_ipynb_file__": "/project/b.ipynb"}, {"JPY_SESSION_NAME": "x.ipynb"}, "b.ipynb"),
    ],
)
def test_a_notebook_is_started_as_its_cells(
    names: dict[str, str], environ: dict[str, str], label: str
) -> None:
    shell = FakeShell("init()", failed={})
    shell.user_ns.update(names)
    host = FakeHost(
        command_line=KERNEL,
        environ=environ,
        modules=shell.modules,
        started_in="/project/notebooks",
    )
    command = probe_command(host, Path("/project"))
    assert isinstance(command, Command)
    assert (command.kind, command.target, command.arguments) == ("notebook", label, ())
    assert command.interpreter_flags == ("-X", "frozen_modules=off")
    assert command.working_directory == "notebooks"
