from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import trainings
from wandb_repro.errors import UsageError
from wandb_repro.testing.target import Target, target_of


def _refused(train: object) -> str:
    with pytest.raises(UsageError) as caught:
        target_of(train)
    return caught.value.message


def test_a_function_of_a_module_is_found_again() -> None:
    target = target_of(trainings.dense)
    assert str(target) == "tests.support.trainings:dense"
    assert Target.model_validate_json(target.model_dump_json()) == target
    loaded = target.load()
    assert isinstance(loaded, functools.partial)
    assert loaded.func is trainings.dense


def test_so_are_a_method_of_a_class_and_the_arguments_of_a_partial() -> None:
    assert target_of(trainings.Trainer.train).name == "Trainer.train"
    loaded = target_of(functools.partial(trainings.dense, seed=None, units=8)).load()
    assert isinstance(loaded, functools.partial)
    assert loaded.keywords == {"seed": None, "units": 8}


def test_a_test_module_that_import_does_not_find_is_loaded_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "test_of_somebody.py"
    file.write_text("def train():\n    return 42\n")
    target = Target(
        module="deep.test_of_somebody", file=str(file), name="train", arguments=[], keywords={}
    )
    try:
        assert target.load()() == 42
    finally:
        sys.modules.pop("deep.test_of_somebody", None)


def test_a_module_of_the_same_name_elsewhere_is_not_taken_for_it(tmp_path: Path) -> None:
    file = tmp_path / "trainings.py"
    file.write_text("def dense():\n    return 'another'\n")
    name = trainings.__name__
    target = target_of(trainings.dense).model_copy(update={"file": str(file)})
    try:
        assert target.load()() == "another"
    finally:
        sys.modules[name] = trainings


def test_what_a_fresh_process_cannot_import_is_refused_in_a_sentence() -> None:
    def inside() -> None: ...

    assert _refused(inside) == (
        "test_what_a_fresh_process_cannot_import_is_refused_in_a_sentence.<locals>.inside is "
        "defined inside another function, from where a fresh process cannot import it. Move it to "
        "the top of its module, and pass the values that it uses by functools.partial(train, "
        "name=value)."
    )
    assert "A lambda has no name" in _refused(lambda: None)
    assert "not a function but an object" in _refused(3)
    typed: dict[str, Callable[[], None]] = {}
    exec("def train(): pass", {"__name__": "__console__"}, typed)  # noqa: S102
    assert "was not read from a file" in _refused(typed["train"])


def test_a_function_that_a_decorator_hides_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = trainings.dense
    monkeypatch.setattr(trainings, "dense", trainings.nothing)
    assert "holds something else under the name dense" in _refused(hidden)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(Path("a"), "PosixPath"), ((1, 2), "tuple"), (float("nan"), "float"), ({1: 2}, "dict")],
)
def test_arguments_that_do_not_arrive_as_they_are_are_refused(value: object, kind: str) -> None:
    told = _refused(functools.partial(trainings.dense, units=value))  # pyright: ignore[reportArgumentType]
    assert told.startswith(f"The training's argument units is a {kind}, which cannot be passed")


def test_a_function_that_is_gone_in_the_fresh_process_is_said(tmp_path: Path) -> None:
    file = tmp_path / "gone_later.py"
    file.write_text("")
    target = Target(module="gone_later", file=str(file), name="train", arguments=[], keywords={})
    with pytest.raises(UsageError, match="gone_later has no function train in a fresh process"):
        target.load()
    assert isinstance(sys.modules.pop("gone_later"), ModuleType)
