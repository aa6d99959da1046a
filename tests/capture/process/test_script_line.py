"""The line of the script's own code at which something was raised."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

import wandb_repro
from wandb_repro.capture.process.script_line import (
    CodeLine,
    lines_of_stack,
    lines_of_traceback,
    script_line,
)

KERAS = f"{sysconfig.get_paths()['purelib']}/keras/src/trainers/trainer.py"
OURS = f"{Path(wandb_repro.__file__).parent}/keras/callback.py"


def line(file: Path | str, number: int = 1, module: str = "__main__") -> CodeLine:
    return CodeLine(str(file), number, module, None)


def test_it_is_the_innermost_line_that_is_no_librarys(tmp_path: Path) -> None:
    lines = [
        line(tmp_path / "train.py", 40),
        line(KERAS, 117, "keras.src.trainers.trainer"),
        line(tmp_path / "models" / "unet.py", 9, "models.unet"),
        line(KERAS, 60, "keras.src.layers"),
        line(OURS, 3, "wandb_repro.keras.callback"),
    ]
    assert script_line(lines, tmp_path) == "models/unet.py:9"
    assert script_line(lines[:2], tmp_path) == "train.py:40"
    assert script_line(lines[1:2], tmp_path) == ""


def test_packages_inside_the_tree_are_libraries(tmp_path: Path) -> None:
    inside = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "keras" / "ops.py"
    lines = [line(tmp_path / "train.py", 4), line(inside, 9, "keras.ops")]
    assert script_line(lines, tmp_path) == "train.py:4"


def test_code_outside_the_tree_is_named_without_a_path(tmp_path: Path) -> None:
    helper = line("/home/ada/shared/helpers.py", 7, "shared.helpers")
    assert script_line([helper], tmp_path) == "shared.helpers:7"
    assert script_line([line("/home/ada/other/train.py", 2)], tmp_path) == "train.py:2"
    assert script_line([line("/home/ada/other/train.py", 2)], None) == "train.py:2"


@pytest.mark.parametrize(
    "name",
    [
        "/tmp/ipykernel_4021/1853920.py",
        "/var/tmp/ipykernel_7/99.py",
        "<ipython-input-3-2a1b>",
    ],
)
def test_a_cell_has_the_same_name_in_every_kernel(tmp_path: Path, name: str) -> None:
    assert script_line([line(name, 2)], tmp_path) == "cell:2"


def test_a_text_is_the_scripts_if_python_was_given_it(tmp_path: Path) -> None:
    assert script_line([line("<string>", 3)], tmp_path) == "<string>:3"
    assert script_line([line("<string>", 3, "attr._make")], tmp_path) == ""


def test_what_autograph_wrote_has_a_random_name_and_is_passed_over(tmp_path: Path) -> None:
    generated = line(tmp_path / "__autograph_generated_filek2j1.py", 12, "k2j1")
    assert script_line([line(tmp_path / "train.py", 4), generated], tmp_path) == "train.py:4"


def test_a_tree_that_is_reached_through_a_link_is_the_same_tree(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert script_line([line(tmp_path / "link" / "train.py")], tmp_path / "real") == "train.py:1"


def test_tracebacks_and_stacks_give_the_innermost_last() -> None:
    def raises() -> None:
        raise TypeError

    with pytest.raises(TypeError) as caught:
        raises()
    *_, last = lines_of_traceback(caught.value.__traceback__)
    assert (last.line, last.module) == (raises.__code__.co_firstlineno + 1, __name__)

    stack = lines_of_stack(sys._getframe())  # pyright: ignore[reportPrivateUsage]
    assert stack[-1].module == __name__
    assert len(stack) > 1
