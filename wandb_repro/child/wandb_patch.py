"""Patches W&B in a rerun's process: the original's parameters, and nothing published again.

A sweep's agent gets parameters from W&B and calls a function with them. A rerun already has them:
it calls the function once, registers no agent, and creates no run in the sweep.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn, cast

from wandb_repro.child.no_publish import HELD_SWEEP, hold_back
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import say
from wandb_repro.recording.process_state import process

_REFUSED = 4


def stand_ready() -> None:
    """Patch W&B as soon as it is imported; once."""
    if not process.awaits_wandb:
        process.awaits_wandb = True
        after_import("wandb", prepare)


def prepare(wandb: ModuleType) -> None:
    """Patch the imported module for good: the process only serves the rerun.

    Raises:
        SystemExit: W&B cannot be patched, so the script would publish.
    """
    module = cast("Any", wandb)
    try:
        if module.run is not None:  # the script started it before it imported us
            _hold_back_outputs(module.run, wandb)
        module.init = _as_rerun(module.init, wandb)
        module.agent = _agent(module)
        module.sweep = _sweep
    except AttributeError as error:
        _refuse(error)
    if hasattr(module, "attach"):
        module.attach = _attached(module.attach, wandb)


def _refuse(error: Exception) -> NoReturn:
    # SystemExit is not caught by the script's `except Exception` or the guard of import hooks.
    say(
        f"this version of W&B cannot be kept from publishing ({type(error).__name__}: {error}); "
        "rerun with the recorded version, or with --allow-outputs to publish again"
    )
    raise SystemExit(_REFUSED) from error


def _hold_back_outputs(run: object, wandb: ModuleType) -> None:
    from wandb_repro.recording.mode import current_mode

    if current_mode().publishes:
        return
    try:
        hold_back(run, wandb)
    except Exception as error:  # noqa: BLE001 - on any error, nothing may be published
        _refuse(error)


def _as_rerun(begin: Callable[..., Any], wandb: ModuleType) -> Callable[..., Any]:
    """Return ``wandb.init`` for a rerun, with the original's config and without publishing."""

    @functools.wraps(begin)
    def init(*positional: Any, **options: Any) -> Any:
        from wandb_repro.recording import rerun_process

        run = begin(*positional, **rerun_process.as_rerun(options))
        _hold_back_outputs(run, wandb)
        rerun_process.restore_early(run)
        return run

    return init


def _attached(attach: Callable[..., Any], wandb: ModuleType) -> Callable[..., Any]:
    """Return ``wandb.attach`` without publishing: it returns another object for the same run."""

    @functools.wraps(attach)
    def attached(*positional: Any, **options: Any) -> Any:
        run = attach(*positional, **options)
        if run is not None:
            _hold_back_outputs(run, wandb)
        return run

    return attached


def _agent(module: Any) -> Callable[..., None]:
    def agent(
        sweep_id: str | None = None, function: Callable[[], Any] | None = None, *_: Any, **__: Any
    ) -> None:
        """Call the function once."""
        del sweep_id
        from wandb_repro.recording import rerun_process
        from wandb_repro.recording.live_compare import RerunStopped

        if function is None:
            say("a sweep's agent would start other processes; a rerun starts none of them")
            return
        say("the rerun calls the sweep's function once, with the original's parameters")
        rerun_process.skip_earlier()
        # NOTE: W&B's agent uses a thread, and Keras keeps its seed per thread: a seed set before
        # the agent starts does not reach the function.
        # Source: keras/src/backend/common/global_state.py, Keras 3.15.
        _call_in_thread(function)
        module.finish()
        raise RerunStopped(0)

    return agent


def _call_in_thread(function: Callable[[], Any]) -> None:
    """Call a function in a new thread, and raise its exception here.

    Raises:
        BaseException: raised by the function.
    """
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            raised.append(error)

    thread = threading.Thread(target=call, name="sweep")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _sweep(*_: Any, **__: Any) -> str:
    """Create no sweep; return an id that the agent of a rerun ignores."""
    return HELD_SWEEP
