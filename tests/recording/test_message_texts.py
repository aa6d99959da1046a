"""The lines that a training prints about its record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.data_records import folder_record
from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code, LeftOut
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.recording.message_texts import (
    folder_not_stored,
    opening,
    secrets_left_out,
    stored_beside,
)

UNKNOWN = Unavailable(unavailable="not known")


def recording(
    *, gpu: bool = False, deterministic: bool | None = None, **execution: Any
) -> Manifest:
    """Return the record of a training that is no rerun."""
    full = full_manifest()
    changed = {"deterministic": deterministic, "seed": "7", **execution}
    description = full.description
    if not gpu:
        description = description.model_copy(update={"accelerator": UNKNOWN})
    return full.model_copy(
        update={
            "run": full.run.model_copy(update={"rerun_of": UNKNOWN}),
            "execution": full.execution.model_copy(update=changed),
            "description": description,
        }
    )


def code(**changes: Any) -> Code:
    found = full_manifest().execution.code
    assert isinstance(found, Code)
    return found.model_copy(update=changes)


def added(**changes: Any) -> Added:
    found = code().added
    assert isinstance(found, Added)
    return found.model_copy(update=changes)


def bundle(**changes: Any) -> Any:
    return code().bundle.model_copy(update=changes)


def secret(path: str) -> LeftOut:
    return LeftOut(path=path, size_bytes=40, reason="looks like a secret (it holds a token)")


def test_a_recording_on_a_cpu_prints_its_seed_and_what_is_stored() -> None:
    one_file = code(files=1, bundle=bundle(size_bytes=1_240))
    assert opening(recording(code=one_file)) == ("recording: seed 7, 1 source file (1.2 kB)",)


def test_code_that_is_kept_local_is_said_to_be_on_this_machine_only() -> None:
    local = code(files=1_200, bundle=bundle(size_bytes=2_000_000, kept="local"))
    (line,) = opening(recording(code=local))
    assert line == "recording: seed 7, 1,200 source files (2.0 MB, on this machine only)"


@pytest.mark.parametrize("missing", [UNKNOWN, code(bundle=UNKNOWN)])
def test_a_recording_without_source_code_says_so(missing: object) -> None:
    assert opening(recording(code=missing)) == ("recording: seed 7, no source code stored",)


def test_a_script_that_seeds_itself_keeps_its_own_seeds() -> None:
    (line,) = opening(recording(seed=UNKNOWN))
    assert line.startswith("recording: the script's own seeds, ")


def test_on_a_gpu_the_option_that_a_rerun_needs_is_named() -> None:
    _, hint = opening(recording(gpu=True))
    assert "pass deterministic=True" in hint


@pytest.mark.parametrize("gpu", [False, True])
def test_determinism_that_was_asked_for_is_confirmed(*, gpu: bool) -> None:
    _, line = opening(recording(gpu=gpu, deterministic=True))
    assert line == "op determinism is on"


def test_a_rerun_names_the_run_that_it_repeats() -> None:
    assert opening(full_manifest())[0] == "rerunning ada/digits/00000000: seed 42"


def test_a_file_that_was_left_out_for_its_size_is_not_called_a_secret() -> None:
    assert secrets_left_out(code().left_out) == ""


def test_secrets_are_listed_with_the_setting_that_stores_them() -> None:
    line = secrets_left_out((*code().left_out, secret(".env"), secret("a.pem")))
    assert line.startswith("not stored, looks like a secret: .env, a.pem (")
    assert "not_secret in [tool.wandb_repro]" in line


@pytest.mark.parametrize(("number", "end"), [(5, "4.pem (if"), (7, "4.pem and 2 more (if")])
def test_five_secrets_are_named_and_further_ones_counted(number: int, end: str) -> None:
    paths = tuple(secret(f"{each}.pem") for each in range(number))
    assert end in secrets_left_out(paths)


def test_files_from_outside_the_tree_are_listed_with_their_own_size() -> None:
    line = stored_beside(added())
    assert line == (
        "also stored, used but not in the source tree (1.2 kB): layers/mine.py, local.yaml"
    )


def test_files_from_outside_the_tree_may_be_on_this_machine_only() -> None:
    local = added(bundle=bundle(kept="local"))
    assert "(1.2 kB, on this machine only)" in stored_beside(local)


def test_without_files_from_outside_the_tree_nothing_is_printed() -> None:
    assert stored_beside(added(bundle=UNKNOWN, files=())) == ""


def test_a_folder_that_is_read_is_named_with_what_a_rerun_needs() -> None:
    assert folder_not_stored(folder_record()) == (
        "data/ (2 files, 6 bytes) is read and not stored, because git ignores it: "
        "a rerun needs it there, or pass --data data=PATH"
    )
    fixed = folder_record(path="/mnt/x", absolute="/mnt/x", reason="it is outside the source tree")
    assert folder_not_stored(fixed).endswith("source tree: a rerun needs it there")
    cache = folder_record(absolute="/home/ada/.keras/datasets/flowers")
    assert "or downloads it again" in folder_not_stored(cache)
