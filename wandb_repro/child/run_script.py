"""Runs an unchanged script and records it: ``python -m wandb_repro.launch``.

The script runs as ``__main__`` with its arguments and ``sys.path[0]``, as when Python starts it.
When the script imports W&B or Keras, ``wandb.init`` is followed by ``attach`` and every ``fit``
gets our callback. Neither library is imported here.
"""

from __future__ import annotations

import functools
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from importlib.abc import InspectLoader
from importlib.machinery import BuiltinImporter, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn, cast

from wandb_repro import api
from wandb_repro.capture.guard import guarded
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.errors import ReproError
from wandb_repro.recording.attach import options_of
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import say
from wandb_repro.recording.patch_fit import callbacks_in, change_every_fit, with_callback
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rerun_process import as_rerun
from wandb_repro.recording.seed_process import seed_early
from wandb_repro.recording.wandb_run import discreet_arguments, with_discreet_remote

_USAGE = "usage: python -m wandb_repro.launch (SCRIPT | -m MODULE | -c TEXT) [ARGUMENT ...]"


def main(arguments: list[str]) -> None:
    """Run and record a script, ``-m MODULE`` or ``-c TEXT``, followed by its arguments.

    Raises:
        SystemExit: 2 for a script that cannot be read or a wrong call, 1 without a ``__main__``.
    """
    try:
        seed_early(options_of())
    except ReproError as error:
        _end(f"{error.message} {error.hint}".strip(), error.exit_code)
    after_import("wandb", _follow_init)
    after_import("keras", lambda keras: change_every_fit(keras, _with_ours))
    # Now, since a script may read its data before it starts a run.
    guarded(OpenedFiles.of_process, "watching which files are read")
    _start(arguments)


def _end(message: str, exit_code: int) -> NoReturn:
    say(message)
    raise SystemExit(exit_code)


def _start(arguments: list[str]) -> None:
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = ["-m", *rest]
            _search_first(str(Path.cwd()))
            _run_module(_spec_of(module))
        case ["-c", text, *rest]:
            sys.argv = ["-c", *rest]
            _search_first("")
            code = compile(text, "<string>", "exec", dont_inherit=True)
            _run_as_main(code, {"__loader__": BuiltinImporter})
        case [script, *rest] if not script.startswith("-"):
            sys.argv = [script, *rest]
            _run_file(script)
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


def _run_file(script: str) -> None:
    """Run a script, or the ``__main__`` of a folder or an archive."""
    path = os.path.abspath(script)  # noqa: PTH100 - Python itself does not resolve links here
    if pkgutil.get_importer(path) is not None:
        _search_first(path, always=True)
        spec = PathFinder.find_spec("__main__", [path])
        if spec is None:
            _end(f"there is no __main__ in {script}", 1)
        _run_found(spec)
        return
    _search_first(str(Path(script).resolve().parent))
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        _end(f"{script} cannot be read: {error.strerror}", 2)
    loader = SourceFileLoader("__main__", path)
    names = {"__file__": path, "__cached__": None, "__loader__": loader}
    _run_as_main(compile(text, path, "exec", dont_inherit=True), names)


def _spec_of(module: str) -> ModuleSpec:
    """Return the spec of a module, or of the ``__main__`` of a package."""
    spec = find_spec(module)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{module}.__main__")
    if spec is None:
        _end(f"there is no module {module} to run", 1)
    return spec


def _run_module(spec: ModuleSpec) -> None:
    sys.argv[0] = spec.origin or spec.name
    _run_found(spec)


def _run_found(spec: ModuleSpec) -> None:
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
    _run_as_main(code, names)


def _run_as_main(code: CodeType, names: Mapping[str, object]) -> None:
    """Run code in a new module ``__main__``."""
    main_module = ModuleType("__main__")
    main_module.__dict__.update({"__builtins__": sys.modules["builtins"], **names})
    # Never restored: functions that the script defined may run at exit.
    sys.modules["__main__"] = main_module
    exec(code, main_module.__dict__)  # noqa: S102 - the user's own script


def _follow_init(wandb: ModuleType) -> None:
    """Attach to each run as soon as it exists."""
    module = cast("Any", wandb)
    begin: Callable[..., Any] = module.init

    @functools.wraps(begin)
    def init(*positional: Any, **options: Any) -> Any:
        with discreet_arguments():
            run = begin(*positional, **with_discreet_remote(as_rerun(options)))
        # `api.init` attaches to its own run.
        return run if process.starting else api.attach(run)

    module.init = init


def _with_ours(given: Any) -> Any:
    """Return the callbacks of a ``fit`` with ours added, unless it is already there."""
    from wandb_repro.keras import ReproCallback

    if any(isinstance(callback, ReproCallback) for callback in callbacks_in(given)):
        return given
    _ensure_run()
    return with_callback(given, ReproCallback())


def _ensure_run() -> None:
    """Start a run if the script has none: offline without a login or ``WANDB_MODE``."""
    import wandb

    if wandb.run is None:
        # Without either, W&B would prompt for a login in the middle of the training.
        is_decided = os.environ.get("WANDB_MODE") or cast("Any", wandb).api.api_key
        api.init(mode=None if is_decided else "offline")


if __name__ == "__main__":
    main(sys.argv[1:])
