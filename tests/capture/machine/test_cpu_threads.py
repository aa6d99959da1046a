from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost
from tests.support.frameworks import framework
from wandb_repro.capture.machine.cpu_threads import effective_width
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework

NOBODY = Unavailable(unavailable="Keras was not imported")
EXPORTED = {"TF_NUM_INTRAOP_THREADS": "3"}


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
