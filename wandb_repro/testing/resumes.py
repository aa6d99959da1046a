"""Does a training that is killed and started again end like an uninterrupted one?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from wandb_repro.errors import UsageError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import (
    Granularity,
    Losses,
    Missing,
    Numbers,
    Structure,
    TrailRecord,
    Weights,
)
from wandb_repro.testing.failure import fail, fail_with_verdict
from wandb_repro.testing.fresh_process import Noted, Processes
from wandb_repro.testing.target import Target, target_of
from wandb_repro.verify.finding import Finding, Kind, about_one_run
from wandb_repro.verify.verdict import Verdict, judge
from wandb_repro.verify.weights_diff import FirstDifference

_SHOWN_FILES = 8


def assert_resumes_exactly(
    train: Callable[..., object],
    *,
    stop_after: int | Collection[int] | None = None,
    seed: int | None = None,
    deterministic: bool | None = None,
    timeout_s: float = 600,
) -> None:
    """Fail unless a training that is killed and started again ends with the same bits.

    It is trained three times in fresh processes: uninterrupted; killed by SIGKILL, as when a
    machine fails; and started again with the same folder. The step from which it continued is read
    from the optimizer's step count, and every later digest is compared.

    Args:
        train: called as ``train(folder)`` with the path of a folder for its checkpoints, which is
            empty the first time. If there is a checkpoint, ``train`` resumes from it. It calls
            ``fit`` once, and is defined at the top of a module, or is a ``functools.partial`` of
            such a function.
        stop_after: number of optimizer steps after which it is killed, or several numbers, each
            tested separately; None takes a step in the middle of an epoch, halfway through.
        seed: of every random generator, set before ``train`` is called, in each process; None
            leaves seeding to ``train``.
        deterministic: True turns on the framework's deterministic operations before it is called.
        timeout_s: limit for each process.

    Raises:
        AssertionError: it ends with different bits, starts from the beginning, or fails.
        UsageError: a fresh process cannot import ``train``, or it ends before ``stop_after``.
    """
    __tracebackhide__ = True
    target = target_of(train)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        folder = Path(scratch)
        processes = Processes(
            target, folder, seed=seed, deterministic=deterministic, timeout_s=timeout_s
        )
        complete = processes.train("never stopped", checkpoints=_new(folder, "never stopped"))
        for after in _steps_to_stop(stop_after, complete, target):
            saved = _new(folder, f"stopped after {after}")
            processes.train_until_killed("to be killed", checkpoints=saved, after=after)
            files = _files(saved)
            resumed = processes.train(
                f"killed after step {after}, and resumed", checkpoints=saved, goes_on=True
            )
            _check(target, complete, resumed, after, files)


def _new(folder: Path, name: str) -> Path:
    path = folder / name.replace(" ", "-")
    path.mkdir()
    return path


def _files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def _steps_to_stop(
    steps: int | Collection[int] | None, complete: Noted, target: Target
) -> tuple[int, ...]:
    """Return the steps after which the training is killed.

    Raises:
        UsageError: it has fewer steps.
        AssertionError: it has no steps that a callback sees.
    """
    __tracebackhide__ = True
    trail = complete.trail
    last = max((weights.step for weights in trail.moments()), default=0)
    if not last or not trail.end or trail.end.fits != 1:
        fail(
            f"Nothing shows whether {target} resumes exactly: it has to call fit of a Keras model, "
            f"once, and called it {trail.end.fits if trail.end else 0} times."
        )
    chosen = (steps,) if isinstance(steps, int) else tuple(steps or (_middle(trail),))
    for step in chosen:
        if not 0 < step < last:
            raise UsageError(
                f"stop_after={step} is not within the training, which has {last} steps."
            )
    return chosen


def _middle(trail: Trail) -> int:
    """Return a step in the middle of an epoch, about halfway through the training."""
    ends = [0, *(weights.step for weights in trail.moments() if weights.moment == "epoch")]
    begun = len(ends) // 2
    epoch = ends[begun : begun + 2]
    return max(1, sum(epoch) // len(epoch))


def _check(target: Target, complete: Noted, resumed: Noted, after: int, files: list[str]) -> None:
    __tracebackhide__ = True
    start = next((weights for weights in resumed.trail.moments() if weights.moment == "step"), None)
    listed = ", ".join(files[:_SHOWN_FILES]) + (", ..." if len(files) > _SHOWN_FILES else "")
    if start is None:
        fail(
            f"{target} was killed after step {after}; started again, it trained no step. It "
            "continues with the remaining epochs if fit gets the callback that saves; its folder "
            f"contained: {listed or 'nothing'}."
        )
    if start.step == 0:
        fail(
            f"{target} was killed after step {after}; started again, it began at step 0: nothing "
            "was restored. "
            + (
                f"Its folder contained {listed}: restore that before fit, or by the callback that "
                "saved it."
                if files
                else "Its folder was empty: save into the folder that is passed to train, with "
                "wandb_repro.keras.ReproCheckpoint(folder), more often than every "
                f"{after} steps."
            )
        )
    verdict = _verdict(complete, resumed, start)
    if verdict.grade == "diverged":
        fail_with_verdict(
            f"{target} does not resume exactly: killed after step {after}, it continued from step "
            f"{start.step}, and trained different weights than without the stop.",
            verdict,
        )
    if verdict.grade != "identical":
        fail_with_verdict(f"Nothing shows whether {target} resumes exactly.", verdict)


def _verdict(complete: Noted, resumed: Noted, start: Weights) -> Verdict:
    original, rerun = (
        Trail(tuple(_from(noted.trail, start)), torn=False) for noted in (complete, resumed)
    )
    verdict = judge(complete.manifest, original, resumed.manifest, rerun)
    if verdict.first is None:
        return verdict
    extra = tuple(_lost(verdict.first, start.step, verdict.moved.what if verdict.moved else ""))
    return judge(complete.manifest, original, resumed.manifest, rerun, extra=extra)


def _from(trail: Trail, start: Weights) -> Iterator[TrailRecord]:
    """Yield a trail as if it had begun where the resumed trail does."""
    step = start.step
    if trail.start is not None:
        yield trail.start
    yield from trail.of(Granularity)
    yield from trail.of(Structure)
    for weights in trail.moments():
        if weights.step > step:
            yield weights
        elif weights.step == step and weights.moment == "step":
            # The same weights end an epoch in one trail and start the next in the other.
            yield weights.model_copy(update={"epoch": start.epoch})
    yield from (losses for losses in trail.of(Losses) if losses.first > step)
    yield from (numbers for numbers in trail.of(Numbers) if numbers.step > step)
    yield from (missing for missing in trail.of(Missing) if missing.step > step)
    if trail.end is not None:
        yield trail.end


class _Loss(NamedTuple):
    kind: Kind
    sentence: str
    cure: str


_OURS = "save with wandb_repro.keras.ReproCheckpoint, which keeps it"

_NOT_RESTORED: dict[tuple[str, ...], _Loss] = {
    ("seed",): _Loss(
        "seed",
        "The checkpoint did not restore the states of the seed generators, which dropout draws "
        "from",
        f"{_OURS}; Keras' BackupAndRestore leaves them out",
    ),
    ("optimizer",): _Loss("config", "The checkpoint did not restore the optimizer", _OURS),
}


def _lost(first: FirstDifference, start: int, moved: str) -> Iterator[Finding]:
    """Yield what was lost at the stop, judged by where the first difference is."""
    if first.step == start:
        groups = tuple(dict.fromkeys(leaf.group for leaf in first.leaves))
        loss = _NOT_RESTORED.get(groups) or _Loss(
            "code",
            f"The restored state is not that after step {start}: "
            f"{', '.join(groups) or 'other variables'}",
            _OURS,
        )
    elif moved == "data":
        loss = _Loss(
            "data",
            "The restored state is equal, but the batches after it are not: the data does not "
            "continue from its position",
            "train on wandb_repro.keras.shuffled(...), whose order needs no state, or "
            "register the generator that the data is drawn from",
        )
    else:
        loss = _Loss(
            "code",
            "The restored state is equal, so the later difference comes from state outside the "
            "model: of a callback, a schedule or a generator",
            _OURS,
        )
    yield about_one_run(
        loss.kind, "what was restored", "not all", "changes bits", loss.sentence, loss.cure
    )
