from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost
from tests.support.frameworks import framework
from wandb_repro.capture.machine.runtime import probe_runtime
from wandb_repro.manifest.base import Unavailable

NOBODY = Unavailable(unavailable="Keras was not imported")


@pytest.mark.parametrize(
    ("environ", "command_line", "expected"),
    [
        ({}, "python a.py", "random"),
        ({"PYTHONHASHSEED": ""}, "python a.py", "random"),
        ({"PYTHONHASHSEED": "random"}, "python a.py", "random"),
        ({"PYTHONHASHSEED": "0"}, "python a.py", "0"),
        ({"PYTHONHASHSEED": "42"}, "python -u a.py", "42"),
        ({"PYTHONHASHSEED": "42"}, "python -I a.py", "random"),
        ({"PYTHONHASHSEED": "42"}, "python -uEm pkg", "random"),
    ],
)
def test_the_hash_seed_is_the_one_that_python_took(
    environ: dict[str, str], command_line: str, expected: str
) -> None:
    host = FakeHost(environ=environ, command_line=tuple(command_line.split()))
    assert probe_runtime(host, NOBODY).hash_seed == expected


def test_the_framework_is_kept_as_it_was_read() -> None:
    known = framework(intra_op_threads=7)
    told = probe_runtime(FakeHost(), known)
    assert told.framework == known
    assert (told.intra_op_threads, told.intra_op_source) == (7, "tf.config.threading")


def test_an_empty_machine_is_told_without_raising() -> None:
    told = probe_runtime(FakeHost(command_line=(), affinity=None), NOBODY)
    assert isinstance(told.processor.model, Unavailable)
