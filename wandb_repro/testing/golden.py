"""Does a run still give the digests in its golden file?"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, NoReturn, cast

from pydantic import StringConstraints, ValidationError

from wandb_repro.errors import ReproError, UsageError
from wandb_repro.files import write_atomically
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import Record, Unavailable, first_fault
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.data import Dataset
from wandb_repro.manifest.manifest import Description, Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_file import chained, parse
from wandb_repro.manifest.trail_records import Losses, Step, TrailRecord
from wandb_repro.report.verdict import verdict_text
from wandb_repro.store.capsule import FOLDER, Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.store.locate import locate
from wandb_repro.testing import pytest_options
from wandb_repro.testing.failure import as_text, fail
from wandb_repro.testing.fresh_process import Processes
from wandb_repro.testing.target import target_of
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.finding import about_one_run
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import judge

_KEPT_STEPS = 100
"""Steps kept of each fit: enough to name the first that differs, few enough for a repository."""

_NOT_KEPT = Unavailable(unavailable="a golden file does not keep it")


_NEITHER_CODE_NOR_DATA = about_one_run(
    "code",
    "code and data",
    "not kept",
    "changes bits",
    "The code or the data may have changed since the file was written: it contains neither",
    "look at what changed since the commit that wrote the file",
)


class _Golden(Record):
    """The file: the parts of a manifest that affect the bits, and the digests."""

    format: Literal["wandb_repro/golden"] = "wandb_repro/golden"
    version: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]{1,4}$")] = "1.0"
    """``MAJOR.MINOR``: a newer major is refused."""
    manifest: dict[str, JSON]
    """The run's manifest, without names of people and without paths."""
    trail: tuple[str, ...]
    """Its lines."""


class _Known(NamedTuple):
    manifest: Manifest
    trail: Trail


def assert_matches_golden(
    run: object,
    file: str | Path,
    *,
    steps: int | None = None,
    seed: int | None = None,
    deterministic: bool | None = None,
    rtol: float | None = None,
    metrics: Mapping[str, float] | None = None,
    timeout_s: float = 600,
) -> None:
    """Fail unless a run gives the digests in a golden file, which is in your repository.

    ``pytest --repro-update`` rewrites the file; review the difference and commit it. It contains
    digests of weights, loss and metrics to the last bit, versions, threads and processor, but no
    weights and no paths. A different processor gives different bits: write the file where your CI
    runs, or set a tolerance.

    Args:
        run: a training function, called in a fresh process as by ``assert_reproducible``; or a
            finished run: its name on the command line, its folder, or W&B's object.
        file: path of the golden file.
        steps: compare this many optimizer steps; None compares the whole training.
        seed: for a function: seed of every random generator, set first.
        deterministic: for a function: True turns on deterministic operations first.
        rtol: relative difference allowed in every metric of the last epoch, and in every weight as
            far as the recorded numbers show; None allows none.
        metrics: absolute difference allowed in each of these metrics of the last epoch.
        timeout_s: limit for a function's process.

    Raises:
        AssertionError: they differ, there is no golden file, or too little could be compared.
        UsageError: ``run`` is not a run, or a fresh process cannot import the function.
    """
    __tracebackhide__ = True
    path = Path(file)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        if callable(run):
            processes = Processes(
                target_of(run),
                Path(scratch),
                seed=seed,
                deterministic=deterministic,
                timeout_s=timeout_s,
            )
            who, trained = str(processes.target), processes.train("this run", steps=steps)
            current = _reduced(trained.manifest, trained.trail)
        else:
            capsule = _capsule(run, Path(scratch))
            current = _reduced(read_manifest(capsule), read_trail(capsule))
            who = current.manifest.run.id
    if pytest_options.update():
        _write(path, current, who)
        return
    golden = _read(path)
    tolerance = Tolerance(rtol, dict(metrics or {}))
    limit = Limit(step=steps)
    verdict = judge(*golden, *current, limit, (_NEITHER_CODE_NOR_DATA,), tolerance=tolerance)
    if verdict.grade == "diverged":
        fail(
            f"{who} does not match {path}.",
            f"{as_text(verdict_text(verdict))}\nIf this is intended, run pytest --repro-update to "
            "rewrite the file, review it and commit it.",
        )
    if verdict.grade == "inconclusive":
        fail(f"Nothing shows whether {who} matches {path}.", verdict_text(verdict))


def _capsule(run: object, scratch: Path) -> Capsule:
    """Return a run's capsule.

    Raises:
        UsageError: ``run`` is not a run.
    """
    __tracebackhide__ = True
    folder = getattr(run, "dir", None)
    if isinstance(folder, str) and not isinstance(run, Path):
        return Capsule(Path(folder) / FOLDER)
    if not isinstance(run, (str, Path)):
        raise UsageError(
            f"A {type(run).__name__} is not a run. Give a training function, a run's name or "
            "folder, or W&B's run."
        )
    try:
        return locate(str(run), scratch, code=False).capsule
    except ReproError as error:
        raise UsageError(f"{error.message} {error.hint}".strip()) from error


def _reduced(manifest: Manifest, trail: Trail) -> _Known:
    """Return the parts of a record with the digests, and those that affect them."""
    execution = manifest.execution.model_copy(
        update={"command": _NOT_KEPT, "code": _NOT_KEPT, "packages": _NOT_KEPT}
    )
    kept = manifest.description.model_copy(
        update={"machine": _NOT_KEPT, "inputs": _NOT_KEPT, "data": _nowhere(manifest)}
    )
    # Without its saved files, which have paths: as in a record of an older version.
    fields = {name: value for name, value in kept if name != "outputs"}
    description = Description.model_construct(kept.model_fields_set - {"outputs"}, **fields)
    names = ("name", "entity", "project", "url", "job_type", "group")
    hidden: dict[str, object] = dict.fromkeys(names, _NOT_KEPT)
    run = manifest.run.model_copy(update=hidden)
    small = manifest.model_copy(
        update={"run": run, "execution": execution, "description": description}
    )
    return _Known(small, Trail(tuple(_few(trail)), torn=trail.torn))


def _nowhere(manifest: Manifest) -> tuple[Dataset, ...] | Unavailable:
    """Return the fingerprints of data, without the paths of its files."""
    data = manifest.description.data
    if isinstance(data, Unavailable):
        return data
    return tuple(dataset.model_copy(update={"files": None}) for dataset in data)


def _few(trail: Trail) -> Iterator[TrailRecord]:
    """Yield a trail's records, without those of later steps."""
    for record in trail.records:
        last = record.step if isinstance(record, Step) else 0
        last = record.last if isinstance(record, Losses) else last
        if last <= _KEPT_STEPS:
            yield record


def _write(path: Path, known: _Known, who: str) -> None:
    """Write a golden file.

    Raises:
        AssertionError: the run contains nothing to compare.
    """
    __tracebackhide__ = True
    if not any(weights.step and weights.leaves for weights in known.trail.moments()):
        fail(
            f"{path} was not written: {who} has no digest of weights after a step of training. "
            "Call fit of a Keras model in it, or return the model that it trained."
        )
    lines: list[str] = []
    link = ""
    for record in known.trail.records:
        line, link = chained(record, link)
        lines.append(line.decode().rstrip("\n"))
    run = known.manifest.run.model_copy(update={"id": path.name})
    manifest = known.manifest.model_copy(update={"run": run})
    document = cast("dict[str, JSON]", canonical.loads(manifest.to_bytes()))
    golden = _Golden(manifest=document, trail=tuple(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(golden.model_dump(mode="json"), indent=1, sort_keys=True)
    write_atomically(path, f"{text}\n".encode())
    pytest_options.wrote(str(path))


def _read(path: Path) -> _Known:
    """Return the record in a golden file.

    Raises:
        AssertionError: the file does not exist, or cannot be read.
    """
    __tracebackhide__ = True
    if not path.is_file():
        fail(
            f"There is no golden file {path}. Run pytest --repro-update to write it, review it and "
            "commit it."
        )
    try:
        content = path.read_bytes()
        golden = _Golden.model_validate_json(content)
        lines = (f"{line}\n".encode() for line in golden.trail)
        return _Known(Manifest.from_bytes(canonical.dumps(golden.manifest)), parse(lines))
    except ValidationError as error:
        where, what = first_fault(error)
        _refuse(path, f"at {where}: {what}")
    except ReproError as error:
        _refuse(path, error.message)
    except OSError as error:
        _refuse(path, str(error.strerror))


def _refuse(path: Path, why: str) -> NoReturn:
    __tracebackhide__ = True
    fail(
        f"{path} is not a golden file that this version can read: {why.rstrip('.')}. Restore it "
        "from your repository, upgrade wandb-repro if a newer version wrote it, or rewrite it by "
        "pytest --repro-update."
    )
