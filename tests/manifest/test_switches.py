"""The fixed list of environment variables."""

from __future__ import annotations

import pytest

from wandb_repro.manifest.switches import BIT_CHANGING, GPU_ONLY, RESTORED


def test_no_name_is_listed_twice() -> None:
    assert len(set(RESTORED)) == len(RESTORED)


def test_what_only_a_gpu_reads_can_change_bits_and_is_restored() -> None:
    assert set(GPU_ONLY) < set(BIT_CHANGING) < set(RESTORED)
    assert "CUBLAS_WORKSPACE_CONFIG" in GPU_ONLY
    assert "TF_NUM_INTRAOP_THREADS" not in GPU_ONLY


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "HOME"])
def test_a_capsule_cannot_set_what_runs_other_code(name: str) -> None:
    assert name not in RESTORED


@pytest.mark.parametrize("part", ["KEY", "TOKEN", "SECRET", "PASSWORD"])
def test_nothing_that_sounds_like_a_credential_is_recorded(part: str) -> None:
    assert not [name for name in RESTORED if part in name]
