from __future__ import annotations

import inspect

import pytest

from wandb_repro.recording.session import Session
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import TrailSink
from wandb_repro.testing.process_recorder import ProcessRecorder

METHODS = {name: one for name, one in vars(TrailSink).items() if inspect.isfunction(one)}


@pytest.mark.parametrize("sink", [Session, TrailRecorder, ProcessRecorder])
@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith("_")])
def test_each_sink_takes_the_arguments_that_the_protocol_names(sink: type, name: str) -> None:
    promised = inspect.signature(METHODS[name]).parameters
    assert list(inspect.signature(getattr(sink, name)).parameters) == list(promised)
