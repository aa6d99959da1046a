"""The public API: ``init``, ``attach``, ``fingerprint`` and ``register``.

``wandb`` is imported inside the functions, so that importing this costs nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.attach import (
    active_run,
    asks_for_another,
    attached,
    begun_early,
    find_session,
    merge_into,
    options_of,
)
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rerun_process import as_rerun
from wandb_repro.recording.rng_registry import check_registrable
from wandb_repro.recording.rng_registry import register as keep_registered
from wandb_repro.recording.wandb_run import Run, discreet_arguments, with_discreet_remote

if TYPE_CHECKING:
    import wandb

CodeChoice = Literal["auto", "upload", "local", "off"]
T = TypeVar("T")


def init(
    *,
    seed: int | None = None,
    deterministic: bool | None = None,
    code: CodeChoice = "auto",
    strict: bool = False,
    **wandb_init_kwargs: Any,
) -> wandb.Run:
    """Start a W&B run whose training can be rerun exactly, and return it.

    Call it before anything random happens: before a model is built, before data is shuffled.
    With a run already active it attaches to that one, as ``attach`` does, unless ``reinit`` asks
    for another.

    Args:
        seed: for Python, NumPy, TensorFlow, Keras and torch, 0 to 2**32 - 1. None draws one and
            records it: every run differs, every run can be repeated. A script that seeded Keras
            or TensorFlow itself keeps its own seeds.
        deterministic: True turns on the framework's deterministic operations. None leaves its
            switches as they are and records them.
        code: "auto" stores the source tree with the run unless W&B's own switches say no;
            "upload" always; "local" keeps it on this machine only; "off" not at all.
        strict: raise before training when something a rerun needs cannot be recorded.
        wandb_init_kwargs: given to ``wandb.init`` as they are.

    Raises:
        UsageError: an option has a value that cannot be.
        RecordingError: under ``strict=True`` only.
    """
    import wandb

    options = options_of(seed=seed, deterministic=deterministic, code=code, strict=strict)
    if wandb.run is not None and not asks_for_another(wandb.run, wandb_init_kwargs):
        merge_into(wandb.run, wandb_init_kwargs)
        return attached(wandb.run, options)
    process.starting = True
    begun = guarded(lambda: begun_early(options, wandb_init_kwargs), "the early snapshot")
    ahead = None if isinstance(begun, Unavailable) else begun
    try:
        with discreet_arguments():
            run = wandb.init(**with_discreet_remote(as_rerun(wandb_init_kwargs)))
        process.starting = False
        return attached(run, options, ahead)
    finally:
        process.starting = False
        if ahead is not None:
            guarded(ahead.close, "the early snapshot")


def attach(
    run: wandb.Run,
    *,
    seed: int | None = None,
    deterministic: bool | None = None,
    code: CodeChoice = "auto",
    strict: bool = False,
) -> wandb.Run:
    """Record a run that somebody else started, and return it. Options as in ``init``.

    Attaching twice to one run changes nothing.

    Raises:
        UsageError: an option has a value that cannot be.
        RecordingError: under ``strict=True`` only.
    """
    options = options_of(seed=seed, deterministic=deterministic, code=code, strict=strict)
    return attached(run, options)


def fingerprint(
    name: str,
    x: object = None,
    y: object = None,
    *,
    path: str | os.PathLike[str] | None = None,
    artifact: object = None,
) -> None:
    """Record what a part of the data is: digests of it. No data is kept or uploaded.

    Before ``init`` it is kept until a run is recorded. Parts with different names are compared:
    rows that stand in two of them are counted, and warned of.

    Args:
        name: of the part, such as ``train``.
        x: examples along the first axis: a NumPy array or tensor of any shape, a table of pandas
            or polars, a dict, list or tuple of these; or a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset``, which is not used up and stays as it was.
        y: targets of arrays and tables, likewise; None where there are none.
        path: file or folder that the data lies in. Without ``x`` its bytes are digested, and a
            rerun looks for it and compares it before training.
        artifact: the W&B artifact that ``path`` was downloaded from, or its version as
            ``ENTITY/PROJECT/NAME:vN``: a rerun downloads it where the files are not there.
    """
    run = active_run()
    if run is not None and cast("Run", run).disabled:
        return
    session = find_session(run) if run is not None else None
    place = None if path is None else os.fspath(path)
    version = _version(artifact)
    if session is not None:
        session.fingerprint(name, x, y, place, version)
    elif run is None:
        _fingerprint_later(name, x, y, place, version)


def _version(artifact: object) -> str:
    """Return the version of an artifact; empty, and a warning, where it is none."""
    if artifact is None:
        return ""
    from wandb_repro.store.artifact import version_of

    try:
        return version_of(artifact)
    except UsageError as error:
        warn_once(f"{error.message} {error.hint} A rerun will not download it")
        return ""


@harmless("a fingerprint of the data")
def _fingerprint_later(name: str, x: object, y: object, path: str | None, artifact: str) -> None:
    """Digest now: what the arrays hold later may be something else."""
    from wandb_repro.capture.dataset import dataset_of

    process.pending.append(dataset_of(name, x, y, path=path, artifact=artifact))


def register(generator: T, *, name: str | None = None) -> T:
    """Have the state of a random generator kept in checkpoints, and return the generator.

    Call it where the generator is made, in the same order in every process. Python's, NumPy's and
    TensorFlow's global generators and a model's seed generators need none of it.

    Args:
        generator: a ``numpy.random.Generator``, ``RandomState`` or ``BitGenerator``, a
            ``random.Random``, a ``tf.random.Generator``, a ``keras.random.SeedGenerator`` or a
            ``torch.Generator``.
        name: what it is found by when the training goes on; None takes its kind and its place
            among those that were registered.

    Raises:
        UsageError: a generator of this kind has no state that can be kept.
    """
    check_registrable(generator)
    return keep_registered(generator, name)
