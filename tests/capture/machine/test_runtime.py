from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost
from tests.support.frameworks import framework
from wandb_repro.capture.machine.runtime import effective_width, probe_runtime
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework

NOBODY = Unavailable(unavailable="Keras was not imported")
EXPORTED = {"TF_NUM_INTRAOP_THREADS": "3"}


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


@pytest.mark.parametrize(
    ("environ", "known", "expected"),
    [
        ({}, NOBODY, (6, "schedulable cores")),
        (EXPORTED, NOBODY, (3, "TF_NUM_INTRAOP_THREADS")),
        (EXPORTED, framework(), (3, "TF_NUM_INTRAOP_THREADS")),
        (EXPORTED, framework(intra_op_threads=5), (5, "tf.config.threading")),
        ({}, framework(intra_op_threads=5), (5, "tf.config.threading")),
        ({}, framework(), (6, "schedulable cores")),
        (EXPORTED, framework(backend="jax"), (6, "schedulable cores")),
        (
            EXPORTED,
            framework(backend="torch", intra_op_threads=4),
            (4, "torch.get_num_threads"),
        ),
    ],
)
def test_the_nearest_setting_counts(
    environ: dict[str, str], known: Framework | Unavailable, expected: tuple[int, str]
) -> None:
    assert effective_width(FakeHost(environ=environ, affinity=6), known) == expected


@pytest.mark.parametrize("text", ["", "0", "-2", "two", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_variable_that_is_no_positive_number_counts_for_nothing(text: str) -> None:
    host = FakeHost(environ={"TF_NUM_INTRAOP_THREADS": text}, affinity=6)
    assert effective_width(host, NOBODY) == (6, "schedulable cores")


def test_a_system_that_does_not_tell_gives_zero_and_the_reason() -> None:
    width, source = effective_width(FakeHost(affinity=None), NOBODY)
    assert width == 0
    assert source.startswith("unknown (affinity: OSError")
