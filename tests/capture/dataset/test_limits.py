from __future__ import annotations

import pytest

from wandb_repro.capture.dataset.limits import megabytes


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "1 MB"), (1, "1 MB"), (1_499_999, "1 MB"), (2_500_001, "3 MB"), (1 << 30, "1,074 MB")],
)
def test_a_size_is_told_in_whole_decimal_megabytes_and_never_as_nothing(
    size_bytes: int, text: str
) -> None:
    assert megabytes(size_bytes) == text
