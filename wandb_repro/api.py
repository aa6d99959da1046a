"""The door to W&B: ``init``, ``attach`` and ``fingerprint``.

``wandb`` is imported inside the functions, so that importing this costs nothing.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from pydantic import ValidationError

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import ThisHost
from wandb_repro.capture.process.notebook import shell_of
from wandb_repro.capture.process.start_folder import start_folder
from wandb_repro.errors import RecordingError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.manifest import Execution
from wandb_repro.manifest.request import REQUEST_VARIABLE, Options, RerunRequest
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.earlier_runs import comes_before, seed_of, seeds_before
from wandb_repro.recording.early_snapshot import Ahead
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.messages import forget, harmless, say, warn_once
from wandb_repro.recording.options import combined
from wandb_repro.recording.rng_registry import register as keep_registered
from wandb_repro.recording.seeding import Seeding, drawn_seed, seeds_of_script
from wandb_repro.recording.wandb_run import (
    Run,
    discreet_arguments,
    jsonable,
    of_its_own,
    with_discreet_remote,
)
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

if TYPE_CHECKING:
    import wandb

    from wandb_repro.capture.dataset import Measured
    from wandb_repro.recording.session import Session

__all__ = [
    "as_rerun",
    "attach",
    "find_session",
    "fingerprint",
    "follow",
    "init",
    "register",
    "request_of_rerun",
    "restore_early",
    "seed_early",
    "skip_earlier",
]

CodeChoice = Literal["auto", "upload", "local", "off"]

_HOST = ThisHost(start_folder())
_NEW_RUN = (True, "create_new", "finish_previous")
"""Values of ``reinit`` that ask W&B for another run though one is active."""


class Process:
    """What this process knows of its runs."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.pending: list[Measured] = []
        self.seeding: Seeding | None = None
        self.starting = False
        """Whether ``init`` is inside ``wandb.init``."""
        self.skipped = 0
        """Runs of the original's process that a rerun need not make: of its sweep's agent."""

    @property
    def begun(self) -> int:
        """How many runs this process began to record, or stands as though it had."""
        return len(self.sessions) + self.skipped


process = Process()


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

    options = _options(seed=seed, deterministic=deterministic, code=code, strict=strict)
    if wandb.run is not None and not _asks_for_another(wandb.run, wandb_init_kwargs):
        _merge_into(wandb.run, wandb_init_kwargs)
        return _attached(wandb.run, options)
    process.starting = True
    begun = guarded(lambda: _begun_ahead(options, wandb_init_kwargs), "what is begun ahead")
    ahead = None if isinstance(begun, Unavailable) else begun
    try:
        with discreet_arguments():
            run = wandb.init(**with_discreet_remote(as_rerun(wandb_init_kwargs)))
        process.starting = False
        return _attached(run, options, ahead)
    finally:
        process.starting = False
        if ahead is not None:
            guarded(ahead.close, "what was begun ahead")


def _begun_ahead(options: Options, kwargs: Mapping[str, Any]) -> Ahead | None:
    """Begin what needs no run while W&B starts one; None where there will be nothing to record."""
    disabled = "disabled" in (kwargs.get("mode"), os.environ.get("WANDB_MODE"))
    if options.code == "off" or disabled or REQUEST_VARIABLE in os.environ:
        return None
    return Ahead(_HOST, options) if world_of(_HOST.environ).rank == 0 else None


def _asks_for_another(run: wandb.Run, kwargs: Mapping[str, Any]) -> bool:
    """Tell whether ``init`` is to begin a run though one is active.

    In a notebook a cell that calls ``init`` is executed again to begin again, and W&B finishes the
    run before. Source: wandb 0.31, ``Settings.reinit``.
    """
    if kwargs.get("reinit", "default") == "default" and shell_of(_HOST.modules) is not None:
        return find_session(run) is not None
    return kwargs.get("reinit") in _NEW_RUN


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
    options = _options(seed=seed, deterministic=deterministic, code=code, strict=strict)
    return _attached(run, options)


def follow(run: wandb.Run) -> wandb.Run:
    """Attach to a run that ``wandb.init`` just gave, unless ``init`` asked for it: then it will."""
    return run if process.starting else attach(run)


def fingerprint(
    name: str,
    x: object = None,
    y: object = None,
    *,
    path: str | os.PathLike[str] | None = None,
    artifact: object = None,
) -> None:
    """Record what a part of the data is: digests of it. Nothing of it is kept or uploaded.

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
    run = _active_run()
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


T = TypeVar("T")


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
    odd = isinstance(generator, (ModuleType, random.SystemRandom))
    if odd or not any(hasattr(generator, told) for told in _STATES):
        kind = type(generator).__name__
        raise UsageError(
            f"register() takes a random generator, and {kind} is none whose state can be kept.",
            hint="Register the generator itself, such as the one that "
            "numpy.random.default_rng(seed) returns.",
        )
    return keep_registered(generator, name)


_STATES = ("bit_generator", "get_state", "getstate", "state")


def find_session(run: wandb.Run) -> Session | None:
    """Return the session of a run; None when it is not recorded, or not any more."""
    session = process.sessions.get(run.id)
    return None if session is None or session.ended else session


def _active_run() -> wandb.Run | None:
    module = sys.modules.get("wandb")
    return cast("wandb.Run | None", getattr(module, "run", None))


def request_of_rerun() -> RerunRequest | None:
    """Return what this process was told to repeat; None in an ordinary training.

    Raises:
        UsageError: the request cannot be read.
    """
    path = os.environ.get(REQUEST_VARIABLE)
    if not path:
        return None
    try:
        return RerunRequest.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"{REQUEST_VARIABLE} names {path}, which is no rerun request.",
            hint=f"Unset {REQUEST_VARIABLE}; only wandb-repro rerun sets it.",
        ) from error


def seed_early() -> None:
    """Seed the process before any run exists; the first run takes this over as it is."""
    options = _options()
    if os.environ.get("WANDB_MODE") != "disabled" or options.seed is not None:
        _seeded(options)


def _seeded(options: Options) -> Seeding:
    """Return the seeding that holds for a run that begins now, applied.

    While a recorded run is open its seeding stays: a second seed would make that record false.
    One that no run took yet was set early, and gives way only to another wish.
    """
    found = process.seeding
    using = [one for one in process.sessions.values() if one.seeding is found]
    if found is not None and any(not session.ended for session in using):
        _warn_of_second(found, options)
        return found
    if found is not None and not using and options.seed == found.asked:
        found.switch_on(options.deterministic)
        return found
    chosen = process.seeding = _chosen_seeding(options, found)
    chosen.apply()
    return chosen


def _warn_of_second(found: Seeding, options: Options) -> None:
    asked = options.seed
    if asked is not None and asked != found.seed:
        seeded = "by the script" if found.seed is None else f"with {found.seed}"
        warn_once(f"seed={asked} comes too late: this process was seeded {seeded}")
    if options.deterministic and not found.deterministic:
        warn_once("deterministic=True comes too late: pass it to the first call")


def _chosen_seeding(options: Options, before: Seeding | None) -> Seeding:
    """Return the seeding to use: a rerun's request, the caller's, the script's, or a new one."""
    asked, deterministic, again = options.seed, options.deterministic, before is not None
    request = request_of_rerun()
    if request is not None:
        execution, begun = _repeated(request), process.begun
        recorded = seed_of(execution, begun)
        switched = deterministic if comes_before(execution, begun) else execution.deterministic
        return Seeding(recorded, asked=asked, deterministic=switched, drawn=False, again=again)
    own = asked is None and bool(seeds_of_script(before.seed if before else None))
    drawn = asked is None and not own
    seed = None if own else drawn_seed() if drawn else asked
    return Seeding(seed, asked=asked, deterministic=deterministic, drawn=drawn, again=again)


def _repeated(request: RerunRequest) -> Execution:
    return read_manifest(Capsule(Path(request.capsule))).execution


def _options(**call: Any) -> Options:
    return combined(call, folder=Path(_HOST.started_in))


def as_rerun(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what ``wandb.init`` gets: a rerun is a run of its own and says so."""
    return kwargs if request_of_rerun() is None else of_its_own(kwargs)


def _merge_into(run: wandb.Run, kwargs: Mapping[str, Any]) -> None:
    config = kwargs.get("config")
    if isinstance(config, Mapping):
        cast("Run", run).config.update(cast("Mapping[str, Any]", config), allow_val_change=True)
        kwargs = {name: value for name, value in kwargs.items() if name != "config"}
    if kwargs:
        warn_once(
            f"a W&B run was active already, so {', '.join(sorted(kwargs))} could not be applied "
            "to it; give them to the wandb.init that starts the run"
        )


def _attached(run: wandb.Run, options: Options, ahead: Ahead | None = None) -> wandb.Run:
    """Begin the session of a run; whatever goes wrong, the run is returned and training goes on."""
    mine = cast("Run", run)
    if mine.disabled and options.seed is None and options.deterministic is None:
        return run
    begun = guarded(lambda: _begun(run, options, ahead), "this run is not recorded")
    if isinstance(begun, Unavailable):
        if options.strict:
            raise RecordingError(f"strict=True, and {begun}.", hint=_STRICT_HINT)
        warn_once(f"{begun}; training goes on")
    elif begun is not None and options.strict:
        begun.check_complete()
    return run


_STRICT_HINT = "Mend it, or leave strict=True away to train with a record that says so."


def _begun(run: wandb.Run, options: Options, ahead: Ahead | None) -> Session | None:
    """Seed, begin the session of a run, and return it; None where there is none to begin."""
    # Half of what we import, and first needed now.
    from wandb_repro.recording.process_exit import end_with
    from wandb_repro.recording.session import Session

    mine, request = cast("Run", run), request_of_rerun()
    known = process.sessions.get(mine.id)
    if request is not None and any(one.repeats and one.ended for one in process.sessions.values()):
        say("the run that is repeated has ended; the rerun stops here")
        raise RerunStopped(0)
    if known is not None and known.run is mine and known.ended:
        return None
    seeding = _seeded(options)
    if known is not None and not known.ended:
        return known
    world = world_of(_HOST.environ)
    if mine.disabled or world.rank != 0:
        return None
    forget()
    earlier = seeds_before(mine, [one.seeding for one in process.sessions.values()])
    if request is not None and comes_before(_repeated(request), process.begun):
        say("the original's process made another run before the one that is repeated")
        request = None
    if request is not None:
        _restore_config(mine, request)
    session = Session(
        mine,
        _HOST,
        seeding,
        options,
        request=request,
        world_size=world.size,
        earlier=earlier,
        ahead=ahead,
    )
    process.sessions[mine.id] = session
    end_with(run, session)
    session.add_data(process.pending)
    process.pending.clear()
    return session


def skip_earlier() -> None:
    """Let a rerun begin with the run that it repeats: runs of one agent know nothing of another.

    The seed of the process was that of the first of them; this run is seeded when it begins.
    """
    request = request_of_rerun()
    earlier = len(_repeated(request).earlier_seeds) if request is not None else 0
    if earlier > process.begun:
        process.skipped = earlier - len(process.sessions)
        process.seeding = None


@harmless("the original's config")
def restore_early(run: wandb.Run) -> None:
    """Give a run of a rerun the original's config, before anybody attaches to it."""
    request = request_of_rerun()
    if request is not None and not comes_before(_repeated(request), process.begun):
        _restore_config(cast("Run", run), request)


def _restore_config(run: Run, request: RerunRequest) -> None:
    """Give the rerun the original's config: a sweep's parameters stand nowhere else."""
    recorded = _repeated(request).config
    if isinstance(recorded, Unavailable):
        return
    changed: dict[str, JSON] = {
        name: value
        for name, value in recorded.items()
        if name not in list(run.config.keys()) or jsonable(run.config[name]) != value
    }
    if changed:
        run.config.update(changed, allow_val_change=True)
