"""The public API: ``init``, ``attach``, ``fingerprint``, ``register`` and ``watch``.

``wandb`` is imported inside the functions, so that importing this costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from wandb_repro.errors import UsageError
from wandb_repro.recording.attach import (
    active_run,
    asks_for_another,
    find_session,
    merge_into,
    options_of,
)
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rng_registry import check_registrable
from wandb_repro.recording.rng_registry import register as keep_registered
from wandb_repro.recording.start_run import end_own_run, recorded, started
from wandb_repro.recording.wandb_run import Run

if TYPE_CHECKING:
    import wandb

    from wandb_repro.recording.loop.watch import Watch

CodeChoice = Literal["auto", "upload", "local", "off"]
T = TypeVar("T")


def init(
    *,
    seed: int | None = None,
    deterministic: bool | None = None,
    code: CodeChoice = "auto",
    strict: bool = False,
    volatile: Sequence[str] = (),
    **wandb_init_kwargs: Any,
) -> wandb.Run:
    """Start a W&B run whose training can be rerun exactly, and return it.

    Every ``fit`` is recorded until the run ends; ``ReproCallback`` is only for its options.
    Call it before anything random happens: before a model is built, before data is shuffled.
    If a run is already active, it attaches to that run, as ``attach`` does, unless ``reinit``
    requests another one.

    Args:
        seed: for Python, NumPy, TensorFlow, Keras and torch, 0 to 2**32 - 1. None draws one and
            records it: every run differs, every run can be repeated. A script that seeded Keras
            or TensorFlow itself keeps its own seeds.
        deterministic: True turns on the framework's deterministic operations. None leaves the
            framework's switches unchanged and records them.
        code: "auto" stores the source tree with the run unless W&B's settings forbid it;
            "upload" always does; "local" keeps it on this machine only; "off" stores nothing.
        strict: raise before training if something that a rerun needs cannot be recorded.
        volatile: names of logged values and saved files that differ in every run, such as
            ``debug/*``; a verdict lists them and does not compare them. Clocks, speeds and paths
            are known by their names already.
        wandb_init_kwargs: passed to ``wandb.init``.

    Raises:
        UsageError: an option has an invalid value.
        RecordingError: under ``strict=True`` only.
    """
    end_own_run()
    options = options_of(
        seed=seed,
        deterministic=deterministic,
        code=code,
        strict=strict,
        volatile=tuple(volatile) or None,
    )
    run = active_run()
    if run is not None and not asks_for_another(run, wandb_init_kwargs):
        merge_into(run, wandb_init_kwargs)
        return recorded(run, options)
    return started(options, wandb_init_kwargs)


def attach(
    run: wandb.Run,
    *,
    seed: int | None = None,
    deterministic: bool | None = None,
    code: CodeChoice = "auto",
    strict: bool = False,
    volatile: Sequence[str] = (),
) -> wandb.Run:
    """Record a run that the script started with ``wandb.init``, and each of its fits; return it.

    Options as in ``init``. Attaching again to the same run changes nothing.

    Raises:
        UsageError: an option has an invalid value.
        RecordingError: under ``strict=True`` only.
    """
    options = options_of(
        seed=seed,
        deterministic=deterministic,
        code=code,
        strict=strict,
        volatile=tuple(volatile) or None,
    )
    return recorded(run, options)


def fingerprint(
    name: str,
    x: object = None,
    y: object = None,
    *,
    path: str | os.PathLike[str] | None = None,
    artifact: object = None,
) -> None:
    """Record digests of a part of the data. No data is kept or uploaded.

    A fingerprint taken before ``init`` goes to the first run that is recorded. Parts with different
    names are compared: rows that two of them have in common are counted, with a warning.

    Args:
        name: of the part, such as ``train``.
        x: examples along the first axis: a NumPy array or tensor of any shape, a table of pandas
            or polars, a dict, list or tuple of these; or a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset``, which is not used up.
        y: targets of arrays and tables, likewise; None if there are none.
        path: file or folder with the data. Without ``x`` its bytes are digested, and a rerun finds
            it and compares it before training.
        artifact: the W&B artifact that ``path`` was downloaded from, or its version as
            ``ENTITY/PROJECT/NAME:vN``: a rerun downloads it if the files are missing.
    """
    run = active_run()
    if run is not None and cast("Run", run).disabled:
        return
    session = find_session(run) if run is not None else None
    data_path = None if path is None else os.fspath(path)
    version = _version(artifact)
    if session is not None:
        session.fingerprint(name, x, y, data_path, version)
    elif run is None:
        _fingerprint_early(name, x, y, data_path, version)


def _version(artifact: object) -> str:
    """Return the version of an artifact; after a warning, empty if it is not an artifact."""
    if artifact is None:
        return ""
    from wandb_repro.store.artifact import version_of

    try:
        return version_of(artifact)
    except UsageError as error:
        warn_once(f"{error.message} {error.hint} A rerun will not download it")
        return ""


@harmless("a fingerprint of the data")
def _fingerprint_early(name: str, x: object, y: object, path: str | None, artifact: str) -> None:
    from wandb_repro.capture.dataset import dataset_of
    from wandb_repro.recording.datasets import warn_if_unknown

    # Digested now, since the script may change the arrays before a run begins.
    part = dataset_of(name, x, y, path=path, artifact=artifact)
    process.pending.append(warn_if_unknown(part))


def register(generator: T, *, name: str | None = None) -> T:
    """Save the state of a random generator in checkpoints; return the generator.

    Call it where the generator is made, in the same order in every process. The global generators
    of Python, NumPy and TensorFlow and a model's seed generators are saved without it.

    Args:
        generator: a ``numpy.random.Generator``, ``RandomState`` or ``BitGenerator``, a
            ``random.Random``, a ``tf.random.Generator``, a ``keras.random.SeedGenerator`` or a
            ``torch.Generator``.
        name: finds its state again when the training resumes; None derives a name from its type
            and its position among the registered generators.

    Raises:
        UsageError: the state of this object cannot be saved.
    """
    check_registrable(generator)
    return keep_registered(generator, name)


def watch(
    *models: object,
    optimizers: Sequence[object] = (),
    steps: int | Collection[int] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    keep: int = 3,
    run: wandb.Run | None = None,
) -> Watch:
    """Record a training loop of one's own, as ``ReproCallback`` records a ``fit``.

    The state of the models and optimizers is digested at the start, after the first step, at each
    ``watch.epoch`` and at the end; a rerun compares it there. It ends with ``watch.finish()``, with
    ``with watch:``, or with the run.

    Args:
        models: Keras models, ``tf.Module``s and ``tf.Variable``s, ``torch.nn.Module``s, NNX
            modules, or pytrees of arrays. None are needed if ``watch.step`` is given the state.
        optimizers: those of Keras, PyTorch or NNX.
        steps: also digest every N steps, or after these steps, and all batches between them.
        checkpoint: folder for checkpoints of this loop; created if missing. After each epoch, all
            that is needed to resume exactly is saved there: what is watched, the generators of
            Python, NumPy and the frameworks, those passed to ``register``, and how far
            ``watch.batches`` is. Write the loop as ``for epoch in watch.epochs(30)``: started
            again after it was stopped, it resumes; after its last epoch it starts over. What the
            loop keeps in variables of its own, such as the best loss so far, is not saved.
        keep: how many of the latest checkpoints to keep.
        run: the W&B run to record into; None takes the active run.

    Raises:
        UsageError: one of the models or optimizers cannot be read, or ``steps`` or ``keep`` is or
            contains a number less than 1.

    Example:
        >>> watch = wandb_repro.watch(model, optimizers=[optimizer])
        >>> for epoch in range(3):
        ...     for batch in watch.batches(dataset):
        ...         watch.step(loss=train_step(batch))
        ...     watch.epoch(val_loss=validate())
    """
    # It reads every framework that is loaded: half of our import time.
    from wandb_repro.recording.loop.watch import Watch

    return Watch(models, optimizers, steps=steps, checkpoint=checkpoint, keep=keep, run=run)
