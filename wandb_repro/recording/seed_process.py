"""Chooses the seeding of this process and applies it once."""

from __future__ import annotations

import os

from wandb_repro.manifest.request import Options
from wandb_repro.recording.messages import warn_once
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import Seeding


def seed_early(options: Options) -> None:
    """Seed the process before any run exists; the first run keeps this seed."""
    if os.environ.get("WANDB_MODE") != "disabled" or options.seed is not None:
        seed_process(options)


def seed_process(options: Options) -> Seeding:
    """Seed the process for a run that starts now, and return the seeding."""
    found = process.seeding
    using = [session for session in process.sessions.values() if session.seeding is found]
    # A second seed while a recorded run is open would make its record wrong.
    if found is not None and any(not session.ended for session in using):
        _warn_too_late(found, options)
        return found
    # It was set early and no run uses it yet, so only a different seed= replaces it.
    if found is not None and not using and options.seed == found.asked:
        found.switch_on(options.deterministic)
        return found
    chosen = process.seeding = current_mode().seeding(options, found, process.begun)
    if found is not None and not using:
        chosen.replaced = found.seed if found.replaced is None else found.replaced
    chosen.apply()
    return chosen


def _warn_too_late(found: Seeding, options: Options) -> None:
    asked = options.seed
    if asked is not None and asked != found.seed:
        seeded = "by the script" if found.seed is None else f"with {found.seed}"
        warn_once(f"seed={asked} is ignored: this process was already seeded {seeded}")
    if options.deterministic and not found.deterministic:
        warn_once("deterministic=True is ignored here: pass it to the first call of init")
