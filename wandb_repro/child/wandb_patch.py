"""In a rerun's process: W&B gives the original's parameters, whoever gave them then.

A sweep's agent asks W&B for parameters and calls a function with them. A rerun has them already:
the function is called once, no agent is registered, and the sweep gets no run.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

from wandb_repro.child.no_publish import hold_back
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import say

__all__ = ["prepare", "stand_ready"]

_ready = threading.Event()


def stand_ready() -> None:
    """Do what a rerun needs of W&B as soon as that is imported; once."""
    if not _ready.is_set():
        _ready.set()
        after_import("wandb", prepare)


def prepare(wandb: ModuleType) -> None:
    """Patch the imported module, which is never patched back: the process is a rerun's own."""
    module = cast("Any", wandb)
    if module.run is not None:  # begun before the script imported us
        _hold_back_outputs(module.run, wandb)
    module.init = _as_rerun(module.init, wandb)
    module.agent = _agent(module)
    module.sweep = _sweep


def _hold_back_outputs(run: object, wandb: ModuleType) -> None:
    from wandb_repro import api

    order = api.order_of_rerun()
    if order is not None and not order.allow_outputs:
        hold_back(run, wandb)


def _as_rerun(begin: Callable[..., Any], wandb: ModuleType) -> Callable[..., Any]:
    """Return ``wandb.init`` for a rerun: with the original's config, and publishing nothing."""

    @functools.wraps(begin)
    def init(*positional: Any, **options: Any) -> Any:
        from wandb_repro import api

        run = begin(*positional, **api.as_rerun(options))
        _hold_back_outputs(run, wandb)
        api.restore_early(run)
        return run

    return init


def _agent(module: Any) -> Callable[..., None]:
    def agent(
        sweep_id: str | None = None, function: Callable[[], Any] | None = None, *_: Any, **__: Any
    ) -> None:
        """Call the function once, in a thread of its own as W&B's agent does.

        NOTE: what Keras keeps for itself belongs to a thread: a seed that was set before the agent
        does not reach it. Source: keras/src/backend/common/global_state.py, Keras 3.15.
        """
        del sweep_id
        from wandb_repro import api
        from wandb_repro.recording.live_compare import RerunStopped

        if function is None:
            say("a sweep's agent would start other processes; a rerun starts none of them")
            return
        say("the rerun calls the sweep's function once, with the original's parameters")
        api.skip_earlier()
        _called_in_thread(function)
        module.finish()
        raise RerunStopped(0)

    return agent


def _called_in_thread(function: Callable[[], Any]) -> None:
    """Call a function in a new thread, and raise here what it raises.

    Raises:
        BaseException: whatever the function raised.
    """
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            raised.append(error)

    thread = threading.Thread(target=call, name="sweep")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _sweep(*_: Any, **__: Any) -> str:
    """Make no sweep; return a name for one, which the agent of a rerun does not use."""
    return "rerun"
