"""Checkpoints of TensorFlow and SavedModels are read by their tensors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow

from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_file import digest_output
from wandb_repro.capture.outputs.tensorflow_file import DATA, INDEX, checkpoint_contents
from wandb_repro.errors import DigestError

tf: Any = tensorflow


def saved(folder: Path, **values: list[float]) -> Path:
    """Save a checkpoint with these variables, and return its path without the suffix."""
    holder = tf.train.Checkpoint(**{name: tf.Variable(value) for name, value in values.items()})
    return Path(holder.write(str(folder / "ckpt")))


def both(prefix: Path) -> list[Contents]:
    found = [checkpoint_contents(Path(f"{prefix}{end}"), OutputBudget()) for end in (DATA, INDEX)]
    return [contents for contents in found if contents is not None]


def test_the_tensor_that_differs_is_known(tmp_path: Path) -> None:
    one = both(saved(tmp_path / "one", a=[1.0, 2.0], b=[3.0]))
    two = both(saved(tmp_path / "two", a=[1.0, 2.0], b=[4.0]))

    (values_1, index_1), (values_2, index_2) = one, two
    differ = [a.name for a, b in zip(values_1.parts, values_2.parts, strict=True) if a != b]
    assert differ == ["b/.ATTRIBUTES/VARIABLE_VALUE"]
    assert index_1 == index_2
    assert values_1.kind == "tensorflow"


def test_a_shape_is_in_the_index(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one", a=[1.0]), saved(tmp_path / "two", a=[1.0, 1.0])

    assert both(one)[1] != both(two)[1]


def test_the_numbers_of_a_set_of_variables_do_not_count(tmp_path: Path) -> None:
    def exported(folder: str, *values: float) -> Path:
        one = tf.train.Checkpoint(**{"0": tf.Variable(values[0]), "1": tf.Variable(values[1])})
        whole = tf.train.Checkpoint(_all_variables=one)
        return Path(whole.write(str(tmp_path / folder / "variables")))

    assert both(exported("one", 1.0, 2.0)) == both(exported("two", 2.0, 1.0))
    assert both(exported("three", 1.0, 1.0)) != both(exported("four", 2.0, 1.0))


def test_what_is_damaged_or_no_checkpoint_is_read_by_its_bytes(tmp_path: Path) -> None:
    prefix = saved(tmp_path, a=[1.0])
    values, index = Path(f"{prefix}{DATA}"), Path(f"{prefix}{INDEX}")
    assert digest_output(values, OutputBudget()).contents.kind == "tensorflow"

    index.write_bytes(b"no index")
    assert digest_output(values, OutputBudget()).contents.kind == "bytes"
    index.unlink()
    assert checkpoint_contents(values, OutputBudget()) is None


def test_without_tensorflow_nothing_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = saved(tmp_path, a=[1.0])
    monkeypatch.delitem(sys.modules, "tensorflow")

    assert both(prefix) == []


def test_more_than_the_budget_is_refused(tmp_path: Path) -> None:
    prefix = saved(tmp_path, a=[1.0] * 100)

    with pytest.raises(DigestError, match="more than 0 parts"):
        checkpoint_contents(Path(f"{prefix}{DATA}"), OutputBudget(members=0))
