"""Does a training that was killed and started again end as one that was never stopped?"""

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

    It is trained three times in fresh processes: never stopped; killed by SIGKILL, as a machine
    that fails does it; and started again with the same folder. Where it went on is read from the
    optimizer's own count of steps, and every digest from there on is compared.

    Args:
        train: called with the path of a folder for its checkpoints, as ``train(folder)``; the
            folder is empty the first time. Where it holds a checkpoint, ``train`` goes on from it.
            It calls ``fit`` once, and stands at the top of a module, or is a
            ``functools.partial`` of such a function.
        stop_after: number of optimizer steps after which it is killed, or several of them, each
            tried alone; None takes the middle of an epoch, half of the training behind it.
        seed: given to every random generator before ``train`` is called, in each process; None
            leaves that to ``train``.
        deterministic: True turns on the framework's deterministic operations before it is called.
        timeout_s: how long one process may take.

    Raises:
        AssertionError: it ends with other bits, began again from the start, or the training failed.
        UsageError: a fresh process cannot import ``train``, or it ends before ``stop_after``.
    """
    __tracebackhide__ = True
    target = target_of(train)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        folder = Path(scratch)
        processes = Processes(
            target, folder, seed=seed, deterministic=deterministic, timeout_s=timeout_s
        )
        whole = processes.train("never stopped", checkpoints=_new(folder, "never stopped"))
        for after in _moments(stop_after, whole, target):
            place = _new(folder, f"stopped after {after}")
            processes.train_until_killed("to be killed", checkpoints=place, after=after)
            left = _files(place)
            resumed = processes.train(
                f"killed after step {after}, and resumed", checkpoints=place, goes_on=True
            )
            _check(target, whole, resumed, after, left)


def _new(folder: Path, name: str) -> Path:
    made = folder / name.replace(" ", "-")
    made.mkdir()
    return made


def _files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def _moments(asked: int | Collection[int] | None, whole: Noted, target: Target) -> tuple[int, ...]:
    """Return the steps after which the training is killed.

    Raises:
        UsageError: it has fewer steps.
        AssertionError: it has no steps that a callback sees.
    """
    __tracebackhide__ = True
    last = max((one.step for one in whole.trail.moments()), default=0)
    if not last or not whole.trail.end or whole.trail.end.fits != 1:
        fail(
            f"Nothing shows whether {target} resumes exactly: it has to call fit of a Keras model, "
            f"once, and called it {whole.trail.end.fits if whole.trail.end else 0} times."
        )
    chosen = (asked,) if isinstance(asked, int) else tuple(asked or (_middle(whole.trail),))
    for one in chosen:
        if not 0 < one < last:
            raise UsageError(
                f"stop_after={one} does not lie within the training, which has {last} steps."
            )
    return chosen


def _middle(trail: Trail) -> int:
    """Return a step in the middle of an epoch, half of the training behind it."""
    ends = [0, *(one.step for one in trail.moments() if one.moment == "epoch")]
    begun = len(ends) // 2
    epoch = ends[begun : begun + 2]
    return max(1, sum(epoch) // len(epoch))


def _check(target: Target, whole: Noted, resumed: Noted, after: int, left: list[str]) -> None:
    __tracebackhide__ = True
    begun = next((one for one in resumed.trail.moments() if one.moment == "step"), None)
    found = ", ".join(left[:_SHOWN_FILES]) + (", ..." if len(left) > _SHOWN_FILES else "")
    if begun is None:
        fail(
            f"{target} was killed after step {after}; started again it trained no step. It goes on "
            f"with the epochs that are left where fit gets the callback that saves; its folder "
            f"held: {found or 'nothing'}."
        )
    if begun.step == 0:
        fail(
            f"{target} was killed after step {after}; started again it began from the start, at "
            "step 0: nothing was restored. "
            + (
                f"Its folder held {found}: restore that before fit, or by the callback that saved "
                "it."
                if left
                else "Its folder was empty: save into the folder that train is given, with "
                "wandb_repro.keras.ReproCheckpoint(folder), more often than every "
                f"{after} steps."
            )
        )
    verdict = _verdict(whole, resumed, begun)
    if verdict.grade == "diverged":
        fail_with_verdict(
            f"{target} does not resume exactly: killed after step {after}, it went on from step "
            f"{begun.step}, and trained other weights than without the stop.",
            verdict,
        )
    if verdict.grade != "identical":
        fail_with_verdict(f"Nothing shows whether {target} resumes exactly.", verdict)


def _verdict(whole: Noted, resumed: Noted, begun: Weights) -> Verdict:
    one, two = (Trail(tuple(_from(noted.trail, begun)), torn=False) for noted in (whole, resumed))
    verdict = judge(whole.manifest, one, resumed.manifest, two)
    if verdict.first is None:
        return verdict
    extra = tuple(_lost(verdict.first, begun.step, verdict.moved.what if verdict.moved else ""))
    return judge(whole.manifest, one, resumed.manifest, two, extra=extra)


def _from(trail: Trail, begun: Weights) -> Iterator[TrailRecord]:
    """Yield a trail as though it had begun where the resumed one did."""
    start = begun.step
    if trail.start is not None:
        yield trail.start
    yield from trail.of(Granularity)
    yield from trail.of(Structure)
    for weights in trail.moments():
        if weights.step > start:
            yield weights
        elif weights.step == start and weights.moment == "step":
            # The last step of an epoch, or what the next epoch goes on from: it is the same.
            yield weights.model_copy(update={"epoch": begun.epoch})
    yield from (one for one in trail.of(Losses) if one.first > start)
    yield from (one for one in trail.of(Numbers) if one.step > start)
    yield from (one for one in trail.of(Missing) if one.step > start)
    if trail.end is not None:
        yield trail.end


class _Loss(NamedTuple):
    kind: Kind
    sentence: str
    cure: str


_OURS = "save by wandb_repro.keras.ReproCheckpoint, which keeps it"

_NOT_RESTORED: dict[tuple[str, ...], _Loss] = {
    ("seed",): _Loss(
        "seed",
        "The checkpoint did not bring back the states of the seed generators, which dropout draws "
        "from",
        f"{_OURS}; Keras' BackupAndRestore leaves them out",
    ),
    ("optimizer",): _Loss("config", "The checkpoint did not bring back the optimizer", _OURS),
}


def _lost(first: FirstDifference, start: int, moved: str) -> Iterator[Finding]:
    """Yield what was lost at the stop, as far as the place of the first difference tells."""
    if first.step == start:
        groups = tuple(dict.fromkeys(leaf.group for leaf in first.leaves))
        loss = _NOT_RESTORED.get(groups) or _Loss(
            "code",
            f"What was restored is not what the training held after step {start}: "
            f"{', '.join(groups) or 'other variables'}",
            _OURS,
        )
    elif moved == "data":
        loss = _Loss(
            "data",
            "What was restored is equal, and the batches after it are not: the data does not go on "
            "where it was",
            "train on wandb_repro.keras.shuffled(...), whose order needs no state, or "
            "register the generator that the data is drawn from",
        )
    else:
        loss = _Loss(
            "code",
            "What was restored is equal; what differs later is held outside of the model: by a "
            "callback, a schedule or a generator",
            _OURS,
        )
    yield about_one_run(
        loss.kind, "what was restored", "not all", "changes bits", loss.sentence, loss.cure
    )
