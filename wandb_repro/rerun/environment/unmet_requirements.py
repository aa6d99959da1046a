"""Finds requirements that are missing because the Python version is not the recorded one.

Requirements depend on the Python: 3.10 needs a package for what 3.11 has built in, and that was
never installed where the run was recorded.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from wandb_repro.capture.packages.dist_info import DistInfo
from wandb_repro.capture.packages.installation import installation
from wandb_repro.manifest.packages import Interpreter
from wandb_repro.rerun.environment.dependencies import required_on
from wandb_repro.rerun.environment.interpreter import FoundPython


def unmet_requirements(
    site_packages: Path, wanted: Interpreter, base: FoundPython
) -> Iterator[str]:
    """Yield a sentence for each package that is required only on ``base``, and not installed."""
    # What both versions require was missing in the original as well, and did not matter.
    here = wanted.model_copy(
        update={"version": base.version, "implementation": base.implementation}
    )
    installed = installation(importlib.metadata.distributions(path=[str(site_packages)])).chosen
    for name, info in installed.items():
        for missing in sorted(_required(info, here) - _required(info, wanted) - set(installed)):
            yield f"{name} requires {missing} on Python {base.version}, and it was not recorded."


def _required(info: DistInfo, interpreter: Interpreter) -> set[str]:
    return set(required_on(info.headers.requires, interpreter))
