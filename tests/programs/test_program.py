from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs.program import CHANGED, Expected, Program, all_programs, read_program
from tests.support.slow_quarter import QUARTERS, quarter_of

HEAD = '''\
"""A number is added up.

start: python
change: the number
unchanged: identical
changed: diverged
names: step 1, batch
"""

total = 0
for number in (1, 2):
    value = number
    # instead: value = number * 10
    # also: value += 1
    total += value
'''


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "loops" / "sum.py"
    path.parent.mkdir()
    path.write_text(HEAD)
    return path


def test_a_head_says_how_a_program_starts_and_what_is_expected(written: Path) -> None:
    program = read_program(written)
    assert (program.name, program.group, program.way) == ("sum", "loops", "A number is added up")
    assert program.start == "python"
    assert program.unchanged == Expected("identical")
    assert program.changed == Expected("diverged", ("step 1", "batch"))


@pytest.mark.parametrize(("variable", "total"), [("", 3), ("1", 32)])
def test_a_change_happens_only_where_the_variable_is_set(
    variable: str, total: int, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(CHANGED, variable)
    names: dict[str, object] = {}
    exec(read_program(written).instrumented, names)  # noqa: S102 - the text above
    assert names["total"] == total


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("change: the number\n", ""),
        ("names:", "named:"),
        ("unchanged: identical", "unchanged: equal"),
        ("start: python", "start: ruby"),
        ("# instead: value = number * 10\n    # also: value += 1", "pass"),
    ],
)
def test_a_head_that_is_not_complete_is_refused(old: str, new: str, written: Path) -> None:
    assert old in HEAD
    written.write_text(HEAD.replace(old, new))
    with pytest.raises(ValueError, match=r"sum\.py|is no grade"):
        read_program(written)


def test_no_two_programs_have_one_name() -> None:
    names = [program.name for program in all_programs()]
    assert len(set(names)) == len(names)


def test_a_program_is_short_and_compiles_changed_and_unchanged(program: Program) -> None:
    compile(program.instrumented, program.name, "exec")
    lines = [line for line in program.text.splitlines() if line.strip()]
    assert 10 <= len(lines) <= 35


def test_each_group_is_tried_in_a_quarter_of_its_own() -> None:
    groups = {program.group for program in all_programs()}
    quarters = {quarter_of(f"tests/programs/test_{group}.py") for group in groups}
    assert len(quarters) == len(groups) == QUARTERS


WAYS = """
    actor_critic augmentation classifier columns contrastive distillation dqn early_stopping ema gan
    generator image_folder jax_stateless kfold legacy mixed_precision multi_output notebook plain
    py_dataset regression saved_loaded segmentation siamese tape_eager text tf_function time_series
    torch_loop train_on_batch train_step transfer transformer tuner vae wgan_gp
"""


def test_each_way_in_which_people_train_has_a_program() -> None:
    assert set(WAYS.split()) <= {program.name for program in all_programs()}
