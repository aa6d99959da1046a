"""Tells a rerun that failed where its original did not from one that failed as its original did."""

from __future__ import annotations

import signal

from wandb_repro.errors import TrainingFailedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import Ending, Manifest
from wandb_repro.verify.ending_diff import Endings
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.prepare_rerun import Prepared


def verdict_on_process(verdict: Verdict, rerun: Manifest, returncode: int) -> Verdict:
    """Return the verdict, with what only the waiting process knows of a rerun's end.

    Args:
        verdict: from the records.
        rerun: record of the rerun.
        returncode: of its process; negative if a signal ended it.
    """
    endings, ending = verdict.endings, rerun.ending
    if not returncode or verdict.grade == "diverged" or (endings and endings.alike):
        return verdict
    ended_itself = isinstance(ending, Ending) and ending.status != "interrupted"
    if endings and ended_itself:
        return verdict  # the records say how it ended
    how = how_it_ended(returncode)
    known = endings or Endings(original="not compared", rerun=how, alike=None)
    words = known.rerun if isinstance(ending, Ending) else how
    return verdict.model_copy(
        update={
            "grade": "inconclusive",
            "endings": known.model_copy(update={"rerun": words, "rerun_failed": True}),
            "reasons": (f"the rerun's process ended with {how}", *verdict.reasons),
        }
    )


def ends_outside_its_run(verdict: Verdict, returncode: int) -> str:
    """Return a note on a script that failed after its run was finished; empty if it did not."""
    endings = verdict.endings
    if not returncode or endings is None or endings.rerun != "finished":
        return ""
    return (
        f"the rerun's script ended with {how_it_ended(returncode)} after its W&B run was finished; "
        "how the original's script ended after that was not recorded"
    )


def how_it_ended(returncode: int) -> str:
    """Return how a process ended: ``exit code 1``, ``SIGKILL``."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


def failure_of(prepared: Prepared, returncode: int) -> TrainingFailedError:
    """Return the error of a training that failed where its original did not."""
    needed = prepared.choice.needed
    cure = " If it lacks a package that only a process it started uses: --packages all."
    how = (
        f"was ended by signal {-returncode}"
        if returncode < 0
        else f"ended with exit code {returncode}"
    )
    return TrainingFailedError(
        f"The training {how}; see its output above." + _not_recorded(prepared.plan.parts.code),
        hint="Fix the error it printed and rerun. The original was not changed."
        + (cure if needed is not None and needed.left_out else ""),
        returncode=returncode,
    )


def _not_recorded(code: Code) -> str:
    """Return what may be missing because the record was cut off."""
    if isinstance(code.added, Unavailable):
        when = "it imported"
    elif code.added.known_until == "training":
        when = "it imported after training had begun"
    else:
        return ""
    return f" The original was cut off: what {when} from outside its snapshot is not in its record."
