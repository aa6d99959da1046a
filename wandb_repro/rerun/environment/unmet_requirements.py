"""What installed packages ask for and lack, where another Python stands in for the recorded one.

Requirements depend on the Python: what 3.11 has itself, 3.10 needs a package for, and that was
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
    """Yield a sentence for each package that is asked for on this Python, and not there.

    What was asked for on the recorded Python too was lacking there as well, and is passed over.

    Args:
        site_packages: of the new environment, which is looked at from outside.
        wanted: the interpreter that was recorded.
        base: the one that stands in for it.
    """
    here = wanted.model_copy(
        update={"version": base.version, "implementation": base.implementation}
    )
    found = installation(importlib.metadata.distributions(path=[str(site_packages)])).chosen
    for name, info in found.items():
        for lacking in sorted(_asked(info, here) - _asked(info, wanted) - set(found)):
            yield f"{name} requires {lacking} on Python {base.version}, and it was not recorded."


def _asked(info: DistInfo, interpreter: Interpreter) -> set[str]:
    return set(required_on(info.headers.requires, interpreter))
