"""One hook passes each audit event to the one who listens to it."""

from __future__ import annotations

import secrets
import sys

from wandb_repro.capture.process.audit_hook import listen


def test_each_event_reaches_its_listener_with_its_arguments() -> None:
    one, two = (f"wandb_repro.test.{secrets.token_hex(4)}" for _ in range(2))
    heard: list[tuple[str, tuple[object, ...]]] = []
    listen([one], lambda event, arguments: heard.append((event, arguments)))
    sys.audit(one, 1, "a")
    sys.audit(two, 2)  # nobody listens
    listen([two], lambda event, arguments: heard.append((f"second {event}", arguments)))
    sys.audit(two, 3)
    sys.audit(one)
    assert heard == [(one, (1, "a")), (f"second {two}", (3,)), (one, ())]
