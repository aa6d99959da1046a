from __future__ import annotations

from tests.support.training import SmallHost


def test_neither_we_nor_the_tests_are_modules_of_a_small_host() -> None:
    # One of them, and all files of its package would be searched and stored with each fit.
    seen = {name.partition(".")[0] for name in SmallHost().modules}
    assert "sys" in seen
    assert seen & {"tests", "wandb_repro"} == set()
