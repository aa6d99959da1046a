from __future__ import annotations

import pytest

from wandb_repro.manifest.volatile import is_volatile


@pytest.mark.parametrize(
    "name",
    [
        *("time", "epoch_time", "step_time_ms", "time/epoch", "train/elapsedSeconds", "wall.clock"),
        *("samples_per_sec", "tokens_per_second", "images/per_s", "gpu_mem", "gpu_memory_mb"),
        *("checkpoint_path", "run_id", "_runtime", "_step", "system.gpu.0.utilization"),
        *(
            "started_at",
            "model/createdAt",
            "seconds",
            "epoch_seconds",
            "train/step_ms",
            "fitSeconds",
            "timing/secs",
            "run.hours",
        ),
    ],
)
def test_clocks_speeds_sizes_and_places_are_volatile(name: str) -> None:
    assert is_volatile(name)


@pytest.mark.parametrize(
    "name",
    [
        *("loss", "val_loss", "time_series_mae", "timed_out", "accuracy", "lr", "mem_token_loss"),
        *("ms", "s", "epoch", "speed_mae", "pathology_auc", "datetime_head_loss", "", "///"),
        *("mae_seconds", "lead_hours", "audio_minutes", "train_min"),
    ],
)
def test_results_are_not_volatile(name: str) -> None:
    assert not is_volatile(name)


def test_a_pattern_adds_names() -> None:
    assert is_volatile("debug/noise", ["debug/*"])
    assert not is_volatile("loss", ["debug/*"])
