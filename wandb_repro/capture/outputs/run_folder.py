"""The files in a run's folder that the script saved there; W&B's and ours are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from wandb_repro.capture.outputs.output_folder import files_below

_OF_WANDB = re.compile(
    r"config\.yaml|wandb-[a-z]+\.jsonl?|requirements\.txt|conda-environment\.yaml|output\.log"
    r"|diff(_[0-9a-f]+)?\.patch|(code|logs)/.*",
    re.DOTALL,
)
"""Source: wandb 0.31, ``sdk/lib/filenames.py``, and the folder of an offline run."""

_OURS = ("repro/", "media/html/repro/")
"""The capsule, and the card in W&B's media panel."""


def saved_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each file that the script saved with the run.

    Args:
        folder: ``run.dir``.
    """
    for name, path in files_below(folder):
        if not name.startswith(_OURS) and _OF_WANDB.fullmatch(name) is None:
            yield name, path
