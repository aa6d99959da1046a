"""A rerun from beginning to end: restore, rebuild, train, judge. The rooms are joined here."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from wandb_repro.errors import CheckpointError, InconclusiveError, RefusedError, TrainingFailedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.command import Cells, CellsFile, Command
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.request import Beginning, RerunRequest
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.plan import inequality_sentence
from wandb_repro.report.text import count
from wandb_repro.rerun.data_sources import check_restored
from wandb_repro.rerun.environment.build import Rebuilt
from wandb_repro.rerun.environment.bytecode import keep_bytecode
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.interpreter import find_python
from wandb_repro.rerun.environment.provide import Provided, Wanted, provide
from wandb_repro.rerun.environment.select import Choice, choose
from wandb_repro.rerun.environment.spare import made_meanwhile
from wandb_repro.rerun.execute import Child, restore_code, train, variables_set
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.rerun.restore_extra import added_of
from wandb_repro.store.artifact import download_artifact
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells
from wandb_repro.store.checkpoint_file import read_checkpoint
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.local import check_intact, local_bundle, read_manifest, read_trail
from wandb_repro.verify.segment import After, Segment, segment_of
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.trail_diff import Limit
from wandb_repro.verify.verdict import Verdict, judge

__all__ = [
    "Outcome",
    "Prepared",
    "Wishes",
    "added_bundle",
    "bundle_of",
    "carry_out",
    "name_work_folder",
    "prepare",
    "verify",
    "whose_it_is",
]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What the person who reruns asked for."""

    environment: str = "auto"
    """``auto``, ``here``, ``rebuild``, or the path of an interpreter whose environment is used."""
    base_python: Path | None = None
    """Interpreter to rebuild the environment with, instead of the recorded version."""
    use_cache: bool = True
    """Whether an environment that an earlier rerun built will do, and a new one is kept."""
    threads: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Switches instead of the recorded ones, by name."""
    keep_going: bool = False
    from_epoch: After | None = None
    """Begin with the checkpoint of this epoch."""
    checkpoint: Path | None = None
    """Where that is now; None where it was."""
    until_epoch: int | None = None
    until_step: int | None = None
    values: Mapping[int, str] = field(default_factory=dict[int, str])
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where data is that lies elsewhere now, by its name; absolute paths."""
    allow_missing: bool = False
    all_packages: bool = False
    """Rebuild also what the run did not load."""
    allow_outputs: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    steps_of: tuple[int, int] | None = None
    """Digest every step of this ``fit``, once so many epochs of it are complete."""

    @property
    def trains_on(self) -> bool:
        """Whether the rerun goes on after the first difference: a tolerance is about the end."""
        return self.keep_going or self.tolerance.is_stated


@dataclass(frozen=True)
class Prepared:
    """A rerun that was thought through, and of which nothing has been done."""

    capsule: Capsule
    manifest: Manifest
    plan: Plan
    choice: Choice
    wishes: Wishes
    whose: str
    """Who vouches for it: W&B, or nobody."""
    sets: Mapping[str, str]
    """Environment variables that will not be as they are today."""
    segment: Segment | None = None
    """What of the training is replayed; None: it begins at its start."""

    @property
    def limit(self) -> Limit:
        """What of the two trainings is compared."""
        wishes = self.wishes
        if self.segment is None:
            return Limit(wishes.until_epoch, wishes.until_step)
        return self.segment.limit(wishes.until_step)


@dataclass(frozen=True)
class Outcome:
    """A rerun that is over."""

    verdict: Verdict
    capsule: Capsule
    """The rerun's own."""
    work: Path
    url: str
    """Page of the rerun; empty offline."""
    inequalities: tuple[Inequality, ...]
    notes: tuple[str, ...]


def prepare(
    capsule: Capsule, work: Path, wishes: Wishes, *, found: RemoteRun | None = None
) -> Prepared:
    """Read the capsule and return what would be done. Nothing is executed or written.

    Args:
        capsule: of the run.
        work: new folder for the rerun.
        wishes: what was asked for.
        found: the run as W&B knows it, where the capsule is from there.

    Raises:
        ReproError: it cannot be rerun; the sentence says why.
    """
    manifest = _as_found(read_manifest(capsule), found)
    trail = read_trail(capsule)  # one that cannot be believed is refused before anything is built
    segment = _segment(trail, wishes)
    plan = make_plan(
        manifest,
        work,
        threads=wishes.threads,
        sets=wishes.sets,
        values=wishes.values,
        data=wishes.data,
        allow_missing=wishes.allow_missing,
        cells=_cells(manifest, capsule),
    )
    _check_held(plan, capsule)
    choice = choose(
        plan.parts.packages,
        capsule.wheels,
        wishes.environment,
        wishes.base_python,
        work=work,
        use_cache=wishes.use_cache,
        everything=wishes.all_packages,
    )
    sets = variables_set(plan, os.environ, rebuilt=choice.stands_alone)
    return Prepared(capsule, manifest, plan, choice, wishes, whose_it_is(found), sets, segment)


def _segment(trail: Trail, wishes: Wishes) -> Segment | None:
    """Return what is replayed, its checkpoint found and compared with the record.

    Raises:
        RefusedError: it is not there, or not what was recorded.
    """
    segment = segment_of(trail, wishes.from_epoch, wishes.until_epoch)
    if segment is None:
        return None
    *earlier, last = segment.beginnings
    there = _found(last, wishes.checkpoint or Path(last.checkpoint), wishes)
    beside = Path(there.checkpoint).parent
    before = [_found(one, _place_of(one, wishes, beside), wishes) for one in earlier]
    return segment._replace(beginnings=(*before, there))


def _place_of(one: Beginning, wishes: Wishes, beside: Path) -> Path:
    """Return where an earlier fit's checkpoint is: with the one that was named, if it was moved."""
    recorded = Path(one.checkpoint)
    moved = beside / recorded.name
    return moved if wishes.checkpoint is not None and not recorded.exists() else recorded


def _found(one: Beginning, place: Path, wishes: Wishes) -> Beginning:
    path = place.absolute()
    try:
        read_checkpoint(path, one.checkpoint_sha256)
    except CheckpointError as error:
        again = "" if wishes.from_epoch is not None else "The run went on from a checkpoint. "
        raise RefusedError(
            f"{again}{error.message}",
            hint="Name the file's place with --checkpoint FILE, if it was moved or copied; those "
            "of earlier fits are looked for beside it.",
        ) from error
    return one.model_copy(update={"checkpoint": str(path)})


def whose_it_is(found: RemoteRun | None) -> str:
    """Return who vouches for a capsule. What it says of itself anybody can write."""
    if found is None:
        return "a folder; nobody vouches for it"
    server = urlsplit(found.url).netloc or "the server"
    who = found.user if isinstance(found.user, str) else "somebody (W&B does not tell who)"
    return f"{who}, as run {found.path}; so says W&B at {server}"


def _cells(manifest: Manifest, capsule: Capsule) -> Cells | None:
    command = manifest.execution.command
    file = command.cells if isinstance(command, Command) else None
    return read_cells(capsule, file) if isinstance(file, CellsFile) else None


def _as_found(manifest: Manifest, found: RemoteRun | None) -> Manifest:
    """Return the manifest with the name and place that its run has on W&B now.

    One that was recorded offline and synced since did not know it, and is not offline any more:
    neither is its rerun.
    """
    if found is None:
        return manifest
    now = {
        "id": found.id,
        "name": found.name,
        "entity": found.entity,
        "project": found.project,
        "url": found.url,
        "offline": False,
    }
    return manifest.model_copy(update={"run": manifest.run.model_copy(update=now)})


def _check_held(plan: Plan, capsule: Capsule) -> None:
    code = plan.parts.code
    bundles = [bundle_of(capsule, code)]
    if added_of(code) is not None:
        bundles.append(added_bundle(capsule, code))
    for bundle in bundles:
        if bundle.is_file():
            continue
        local = not bundle.is_relative_to(capsule.folder)
        raise RefusedError(
            f"The run's source tree is not here: there is no {bundle}.",
            hint='It was recorded with code="local": rerun it on the machine that recorded it.'
            if local
            else "Fetch the run again, or copy its whole folder.",
        )


def carry_out(prepared: Prepared, say: Say) -> Outcome:
    """Restore, rebuild, train and judge.

    Args:
        prepared: what was agreed to.
        say: told each step, a few words.

    Raises:
        ReproError: it could not be rebuilt, or the training failed by itself.
    """
    plan = prepared.plan
    with _gone_unless_ready(plan.work):
        say(f"Restoring {count(plan.parts.code.files, 'file')}, tree {plan.parts.code.tree[:12]}")
        code = plan.parts.code
        restore_code(plan, bundle_of(prepared.capsule, code), added_bundle(prepared.capsule, code))
        if not prepared.wishes.allow_missing:
            _check_data(plan, say)
        provided = _environment(prepared, say)
        request = _request(prepared)
    say("Training")
    with made_meanwhile(provided.kept, plan.environment_folder):
        child = train(plan, provided.built.python, request, rebuilt=prepared.choice.stands_alone)
    if provided.kept is not None and not child.returncode:
        keep_bytecode(provided.kept, plan.environment_folder)
    return _judged(prepared, child, provided.built.inequalities, provided.built.notes)


def _check_data(plan: Plan, say: Say) -> None:
    def fetch(version: str, folder: Path) -> Path:
        say(f"Downloading {version}")
        return download_artifact(version, folder)

    downloads = plan.work / "artifacts"
    check_restored(plan.inputs.data, plan.code, fetch, within=plan.tree_folder, downloads=downloads)


@contextlib.contextmanager
def _gone_unless_ready(work: Path) -> Generator[None]:
    """Make the work folder, and leave nothing of it behind when it could not be filled."""
    above = work.parent.exists()
    work.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        if not above:
            with contextlib.suppress(OSError):
                work.parent.rmdir()
        raise


def bundle_of(capsule: Capsule, code: Code) -> Path:
    """Return where the bytes of a run's tree are: in its capsule, or kept on this machine.

    An export has both bundles in its capsule, wherever they were kept.
    """
    return _held(capsule.bundle, code.bundle)


def added_bundle(capsule: Capsule, code: Code) -> Path:
    """Return where the bytes are of what a run used beside its tree."""
    added = added_of(code)
    return _held(capsule.added, added.bundle) if added else capsule.added


def _held(exported: Path, bundle: BundleFile | Unavailable) -> Path:
    if isinstance(bundle, BundleFile) and bundle.kept == "local" and not exported.is_file():
        return local_bundle(bundle.sha256)
    return exported


def _environment(prepared: Prepared, say: Say) -> Provided:
    choice, plan = prepared.choice, prepared.plan
    if choice.python is not None:
        return Provided(Rebuilt(choice.python, choice.inequalities, ()))
    packages = choice.needed.packages if choice.needed else plan.parts.packages
    base = choice.base or find_python(packages.interpreter, outside=plan.work)
    wanted = Wanted(packages, prepared.capsule.wheels, base)
    use_cache = prepared.wishes.use_cache
    provided = provide(wanted, plan.environment_folder, say, use_cache=use_cache)
    built = provided.built
    for sentence in (*map(inequality_sentence, built.inequalities), *built.notes):
        say(f"Not as in the original: {sentence}")
    return provided


def _request(prepared: Prepared) -> RerunRequest:
    wishes, plan, segment = prepared.wishes, prepared.plan, prepared.segment
    return RerunRequest(
        capsule=str(prepared.capsule.folder.resolve()),
        original=run_name(prepared.manifest),
        code_root=str(plan.code),
        whereabouts=str(plan.work / "whereabouts.json"),
        keep_going=wishes.trains_on,
        until_epoch=prepared.limit.epoch,
        until_step=wishes.until_step,
        from_epoch=segment.after if segment else None,
        from_fit=segment.fit if segment else 1,
        beginnings=segment.beginnings if segment else (),
        allow_outputs=wishes.allow_outputs,
        steps_fit=wishes.steps_of[0] if wishes.steps_of else None,
        steps_after_epoch=wishes.steps_of[1] if wishes.steps_of else 0,
        rtol=wishes.tolerance.rtol,
        metrics=dict(wishes.tolerance.metrics),
    )


def _judged(
    prepared: Prepared, child: Child, inequalities: tuple[Inequality, ...], notes: tuple[str, ...]
) -> Outcome:
    told = child.whereabouts
    if told is None:
        _refuse_silence(child, prepared)
    capsule = Capsule(Path(told.capsule))
    verdict = verify(prepared.capsule, capsule, prepared.limit, prepared.wishes.tolerance)
    if child.returncode and verdict.grade != "diverged":
        raise _failed(child, prepared)
    return Outcome(verdict, capsule, prepared.plan.work, told.url, inequalities, notes)


def _refuse_silence(child: Child, prepared: Prepared) -> NoReturn:
    if child.returncode:
        raise _failed(child, prepared)
    raise InconclusiveError(
        "The script ended without recording anything, so there is nothing to compare.",
        hint="It must call wandb_repro.init, or have been recorded by wandb-repro run.",
    )


def _failed(child: Child, prepared: Prepared) -> TrainingFailedError:
    needed = prepared.choice.needed
    cure = " If it lacks a package that only a process it started uses: --packages all."
    code = child.returncode
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return TrainingFailedError(
        f"The training {how}; its own output above says why."
        + _not_recorded(prepared.plan.parts.code),
        hint="Mend what it complains of and rerun; nothing of the original was touched."
        + (cure if needed is not None and needed.left_out else ""),
        returncode=code,
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


def verify(
    original: Capsule,
    other: Capsule,
    limit: Limit | None = None,
    tolerance: Tolerance | None = None,
) -> Verdict:
    """Give the verdict on two capsules on this disk.

    Raises:
        ReproError: one of them cannot be read or believed.
    """
    one, two = read_manifest(original), read_manifest(other)
    check_intact(original, one)
    check_intact(other, two)
    return judge(one, read_trail(original), two, read_trail(other), limit, tolerance=tolerance)


def name_work_folder(run_id: str) -> Path:
    """Return where a rerun may be done, beside W&B's own folders: no snapshot takes it along.

    Nothing is made yet.
    """
    parent = Path(os.environ.get("WANDB_DIR", "."), "wandb").resolve()
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in run_id)
    return parent / f"rerun-{safe[:64]}-{secrets.token_hex(4)}"
