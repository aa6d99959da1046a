"""Finds files that look like secrets in a bundle: snapshots contain committed files unsearched."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.capture.source.git import private_repository
from wandb_repro.capture.source.objects import LINK, readable
from wandb_repro.manifest.code import Code
from wandb_repro.rerun.git_tree import Budget, blobs, list_tree
from wandb_repro.rerun.restore import bounded, check_bundle, unpack

_BUDGET = Budget()


def secrets_in_bundle(bundle: Path, code: Code) -> dict[str, str]:
    """Return the paths of files that look like secrets, each with the reason; never the secret.

    Nothing is checked out.

    Raises:
        CodeError: the bundle is not the recorded one, is hostile or too large.
        OSError: it cannot be read.
    """
    check_bundle(bundle, code, _BUDGET)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as folder:
        git = bounded(private_repository(Path(folder)), _BUDGET)
        unpack(git, bundle)
        files = [file for file in list_tree(git, code.tree, _BUDGET) if file.mode != LINK]
        reasons = {
            readable(file.path): secret_in_text(data, file.path) for file, data in blobs(git, files)
        }
    return {path: why for path, why in sorted(reasons.items()) if why}
