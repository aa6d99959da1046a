"""The environment variables of a rerun's training: the current ones and those of the record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wandb_repro.manifest.request import CHILDREN_VARIABLE, REQUEST_VARIABLE, own_search_path
from wandb_repro.manifest.switches import RESTORED
from wandb_repro.rerun.path_map import moved
from wandb_repro.rerun.plan import Plan
from wandb_repro.rerun.restore_extra import adds_below

_DROPPED = (
    *RESTORED,
    "WANDB_SERVICE",
    "_WANDB_SERVICE",
    "WANDB_RUN_ID",
    "WANDB_RESUME",
    "WANDB_RESUME_FROM",
    "WANDB_FORK_FROM",
    "WANDB_NAME",
    "WANDB_SWEEP_ID",
    "WANDB_SWEEP_PARAM_PATH",
    "WANDB_DISABLED",
    "WANDB_REPRO_OPTIONS",
    CHILDREN_VARIABLE,
    "WANDB_DISABLE_CODE",
    "WANDB_DISABLE_GIT",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
)
"""Current variables that must not reach the training: switches, and ids of other runs."""

_KEPT_OF_PYTHON = frozenset(
    {
        *("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONFAULTHANDLER"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE"),
    }
)
"""The others (``PYTHONHOME``, ``PYTHONOPTIMIZE``, ``PYTHONSAFEPATH``, ...) change what is imported
or executed."""


def child_environment(
    plan: Plan, python: Path, request: Path, current: Mapping[str, str], *, rebuilt: bool
) -> dict[str, str]:
    """Return the training's environment variables: the current ones with the recorded switches."""
    kept = {name: value for name, value in current.items() if _is_kept(name)}
    if rebuilt:
        # Container images set it to stay small. A new environment has nothing compiled yet: with
        # it, each start would compile the whole framework again (10 s for TensorFlow on 2 cores).
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        **variables_set(plan, current, rebuilt=rebuilt),
        "PATH": os.pathsep.join([str(python.parent), kept.get("PATH", os.defpath)]),
        REQUEST_VARIABLE: str(request),
    }


def variables_set(plan: Plan, current: Mapping[str, str], *, rebuilt: bool) -> dict[str, str]:
    """Return the training's variables that differ from the current ones, without PATH."""
    return {
        **({} if "WANDB_PROJECT" in current else _project(plan)),
        **plan.switches,
        **_mode(plan, current),
        **_python_path(plan, current, rebuilt=rebuilt),
        "WANDB_DIR": str(plan.work),
        "WANDB_JOB_TYPE": "rerun",
    }


def _is_kept(name: str) -> bool:
    if name.startswith("PYTHON"):
        return name in _KEPT_OF_PYTHON
    return name not in _DROPPED


def _project(plan: Plan) -> dict[str, str]:
    # The original may have got its project from a variable that is not recorded.
    project = plan.manifest.run.project
    return {"WANDB_PROJECT": project} if isinstance(project, str) else {}


def _mode(plan: Plan, current: Mapping[str, str]) -> dict[str, str]:
    """Return the ``WANDB_MODE`` to set, if any: a rerun always records."""
    mode = current.get("WANDB_MODE", "")
    is_disabled = current.get("WANDB_DISABLED") or mode == "disabled"
    if is_disabled or (plan.manifest.run.offline and not mode):
        return {"WANDB_MODE": "offline"}
    return {}


def _python_path(plan: Plan, current: Mapping[str, str], *, rebuilt: bool) -> dict[str, str]:
    """Return the restored folders of the recorded PYTHONPATH, then the current PYTHONPATH."""
    kept = [str(folder) for folder in plan.python_path]
    folders = filter(None, own_search_path(current.get("PYTHONPATH", "")))
    for folder in (each for each in folders if not _is_restored(each, plan)):
        restored = moved(folder, plan.parts.code.root, plan.code)
        # Modules of a rebuilt environment come from it and from the tree, not from other folders
        # of this machine: their content was not recorded.
        if restored != folder or not rebuilt or not Path(folder).is_absolute():
            kept.append(restored)
    return {"PYTHONPATH": os.pathsep.join(kept)} if kept else {}


def _is_restored(folder: str, plan: Plan) -> bool:
    """Tell whether this folder was on the original's path and is restored."""
    # A cluster's modules put folders of packages on the path; nothing of these is restored.
    code = plan.parts.code
    in_tree = moved(folder, code.root, plan.code) != folder
    return folder in plan.parts.command.python_path and (in_tree or adds_below(code, folder))
