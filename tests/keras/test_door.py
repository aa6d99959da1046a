from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
import wandb_repro.keras as door
assert "keras" not in sys.modules
from wandb_repro.keras.open_fits import note_end
assert "keras" not in sys.modules
from wandb_repro.keras import shuffled, ReproCallback
assert "keras" in sys.modules
import wandb_repro.keras.shuffled_dataset
assert door.shuffled is shuffled and callable(shuffled)
assert set(door.__all__) == {"ReproCallback", "ReproCheckpoint", "shuffled", "variables_of"}
assert all(callable(getattr(door, name)) for name in door.__all__)
"""


def test_the_door_gives_its_names_and_imports_keras_only_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    import wandb_repro.keras

    with pytest.raises(AttributeError, match="has no attribute 'Callback'"):
        _ = wandb_repro.keras.Callback  # pyright: ignore[reportAttributeAccessIssue] - the test
