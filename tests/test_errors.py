"""Exit codes and fields of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro import errors


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UsageError", 2),
        ("NotFoundError", 2),
        ("InconclusiveError", 3),
        ("RefusedError", 4),
        ("ManifestError", 4),
        ("HungError", 4),
        ("DigestError", 4),
        ("TrainingFailedError", 5),
    ],
)
def test_each_error_has_its_exit_code(name: str, code: int) -> None:
    error = getattr(errors, name)("What happened.", hint="What to do.")

    assert (error.exit_code, str(error), error.hint) == (code, "What happened.", "What to do.")


def test_every_error_is_in_the_tree_of_the_modules_docstring() -> None:
    assert errors.__doc__ is not None
    assert [name for name in errors.__all__ if name not in errors.__doc__] == []


def test_a_full_disk_names_the_folder_and_the_systems_message() -> None:
    error = errors.DiskFullError(Path("/envs/a"), "No space left on device")

    assert error.message == "/envs/a: No space left on device."
    assert error.missing == ()
