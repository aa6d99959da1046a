"""Of a run's folder, what the script saved is an output; what W&B and we write is not."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.capture.outputs.run_folder import saved_files

THEIRS = (
    "config.yaml",
    "wandb-metadata.json",
    "wandb-summary.json",
    "requirements.txt",
    "conda-environment.yaml",
    "output.log",
    "diff.patch",
    "diff_0123456789abcdef.patch",
    "code/train.py",
    "logs/output_1.log",
    "repro/manifest.json",
    "media/html/repro/card_summary_0a.html",
)
SAVED = ("m.keras", "sub/config.yaml", "media/images/x_0_0a.png", "wandb.txt", "codes.txt")


def test_what_the_script_saved_is_found(tmp_path: Path) -> None:
    for name in (*THEIRS, *SAVED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {name for name, _ in saved_files(tmp_path)} == set(SAVED)
