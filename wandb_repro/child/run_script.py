"""Runs an unchanged script and records it: ``python -m wandb_repro.launch``.

The script runs as ``__main__`` with its arguments and ``sys.path[0]``, as when Python starts it.
When the script imports W&B or Keras, ``wandb.init`` is followed by ``attach`` and every ``fit``
gets our callback. Neither library is imported before. A script without W&B gets a run of its own.
"""

from __future__ import annotations

import functools
import logging
import os
import pkgutil
import sys
import time
from collections.abc import Callable, Mapping
from importlib.abc import InspectLoader
from importlib.machinery import BuiltinImporter, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, NamedTuple, NoReturn, cast

from wandb_repro import api
from wandb_repro.capture.guard import guarded
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.child.own_run import OwnRun
from wandb_repro.errors import ReproError
from wandb_repro.recording.attach import options_of
from wandb_repro.recording.children.handover import hand_over
from wandb_repro.recording.every_fit import record_every_fit
from wandb_repro.recording.hdf5_files import watch_h5py
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless, say
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rerun_process import as_rerun
from wandb_repro.recording.seed_process import seed_early
from wandb_repro.recording.start_run import end_own_run
from wandb_repro.recording.tensorflow_files import watch_tensorflow
from wandb_repro.recording.user_traceback import users_traceback
from wandb_repro.recording.wandb_run import discreet_arguments, with_discreet_remote

_USAGE = "usage: python -m wandb_repro.launch (SCRIPT | -m MODULE | -c TEXT) [ARGUMENT ...]"


class _Script(NamedTuple):
    """The code of a script, and the names that Python sets in its module."""

    code: CodeType
    names: Mapping[str, object]


def main(arguments: list[str]) -> None:
    """Run and record a script, ``-m MODULE`` or ``-c TEXT``, followed by its arguments.

    Raises:
        SystemExit: 2 for a script that cannot be read or a wrong call, 1 without a ``__main__``.
    """
    try:
        seed_early(options_of())
    except ReproError as error:
        _end(f"{error.message} {error.hint}".strip(), error.exit_code)
    hand_over()
    own = OwnRun()
    own.stand_ready()
    after_import("wandb", lambda wandb: _follow_init(wandb, own))
    record_every_fit()
    # Now, since a script may read its data before it starts a run.
    guarded(_watch_files, "watching which files are read")
    _record(arguments, own)


def _record(arguments: list[str], own: OwnRun) -> None:
    """Run the script, and record it at its end if nothing started a run.

    Raises:
        BaseException: raised by the script.
    """
    script: _Script | None = None
    end = harmless("this script")(own.end)
    try:
        script = _script_of(arguments)
        _run_as_main(script)
    except SystemExit as error:
        if script is not None:
            _note_how_it_ended(error)
            end(early=True, error=error)
        raise
    except BaseException:
        _act_when_shown(end)
        raise
    _note_how_it_ended(None)
    end(early=False)


def _note_how_it_ended(exit_: SystemExit | None) -> None:
    """Note the exit that left the script, or that none did: it may have caught an earlier one."""
    if not process.watched:
        return
    from wandb_repro.recording import process_exit  # imported by whoever watches

    if exit_ is None:
        process_exit.note_return()
    else:
        process_exit.note_stop(exit_)


def _act_when_shown(end: Callable[..., None]) -> None:
    """When Python shows the script's error, remove our frames before it, and record after it."""
    # Only now: the script may have set its own hook.
    show = sys.excepthook

    def shown(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        show(kind, error, users_traceback(error, traceback))
        end(early=True, error=error)

    sys.excepthook = shown


def _watch_files() -> None:
    # The process may be older than the script: a shell may have become it.
    OpenedFiles.of_process().since = time.time()
    after_import("tensorflow", watch_tensorflow)
    after_import("h5py", watch_h5py)


def _end(message: str, exit_code: int) -> NoReturn:
    say(message, logging.ERROR)
    raise SystemExit(exit_code)


def _script_of(arguments: list[str]) -> _Script:
    """Return what the arguments name; ``sys.argv`` and ``sys.path`` are then the script's."""
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = ["-m", *rest]
            _search_first(str(Path.cwd()))
            return _module(_spec_of(module))
        case ["-c", text, *rest]:
            sys.argv = ["-c", *rest]
            _search_first("")
            code = compile(text, "<string>", "exec", dont_inherit=True)
            return _Script(code, {"__loader__": BuiltinImporter})
        case [script, *rest] if not script.startswith("-"):
            sys.argv = [script, *rest]
            return _file(script)
        case _:
            _end(_USAGE, 2)


def _search_first(folder: str, *, always: bool = False) -> None:
    """Put a folder where ``-m wandb_repro.launch`` put the working directory.

    Args:
        folder: first entry of ``sys.path``.
        always: also under ``-P`` and ``-I``, where Python adds nothing: a folder or an archive
            could not find its ``__main__`` otherwise.
    """
    if not (getattr(sys.flags, "safe_path", False) or sys.flags.isolated):
        sys.path[0] = folder
    elif always:
        sys.path.insert(0, folder)


def _file(script: str) -> _Script:
    """Return a script, or the ``__main__`` of a folder or an archive."""
    path = os.path.abspath(script)  # noqa: PTH100 - Python itself does not resolve links here
    if pkgutil.get_importer(path) is not None:
        _search_first(path, always=True)
        spec = PathFinder.find_spec("__main__", [path])
        if spec is None:
            _end(f"there is no __main__ in {script}", 1)
        return _found(spec)
    _search_first(str(Path(script).resolve().parent))
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        _end(f"{script} cannot be read: {error.strerror}", 2)
    loader = SourceFileLoader("__main__", path)
    names = {"__file__": path, "__cached__": None, "__loader__": loader}
    return _Script(compile(text, path, "exec", dont_inherit=True), names)


def _spec_of(module: str) -> ModuleSpec:
    """Return the spec of a module, or of the ``__main__`` of a package."""
    spec = find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{module}.__main__")
    if spec is None:
        _end(f"there is no module {module} to run", 1)
    return spec


def _module(spec: ModuleSpec) -> _Script:
    sys.argv[0] = spec.origin or spec.name
    return _found(spec)


def _found(spec: ModuleSpec) -> _Script:
    loader = cast("InspectLoader", spec.loader)
    code = loader.get_code(spec.name)
    if code is None:
        _end(f"there is no Python code of {spec.name} to run", 1)
    names: dict[str, object] = {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__loader__": loader,
        "__package__": spec.parent,
        "__spec__": spec,
    }
    return _Script(code, names)


def _run_as_main(script: _Script) -> None:
    """Run a script in a new module ``__main__``."""
    main_module = ModuleType("__main__")
    main_module.__dict__.update({"__builtins__": sys.modules["builtins"], **script.names})
    # Never restored: functions that the script defined may run at exit.
    sys.modules["__main__"] = main_module
    exec(script.code, main_module.__dict__)  # noqa: S102 - the user's own script


def _follow_init(wandb: ModuleType, own: OwnRun) -> None:
    """Attach to each run as soon as it exists."""
    module = cast("Any", wandb)
    begin: Callable[..., Any] = module.init

    @functools.wraps(begin)
    def init(*positional: Any, **options: Any) -> Any:
        if process.starting:  # by us, who attach to it and changed the options already
            return begin(*positional, **options)
        end_own_run()
        with discreet_arguments():
            run = begin(*positional, **with_discreet_remote(as_rerun(options)))
        own.note(run)
        return api.attach(run)

    module.init = init


if __name__ == "__main__":
    main(sys.argv[1:])
