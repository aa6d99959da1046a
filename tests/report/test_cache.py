"""What ``cache`` prints."""

from __future__ import annotations

from tests.support.terminal import on_paper
from wandb_repro.report.cache import KeptRow, cache_text


def test_each_environment_is_a_line_with_its_size_and_age() -> None:
    rows = [
        KeptRow("0123456789abcdef", "3.11.7", 1, 1_500_000, 0, 3600.0),
        KeptRow("fedcba9876543210", "3.12.1", 96, 2_000_000_000, 7, 2.5 * 86_400),
    ]

    text = on_paper(cache_text("/cache", rows, (2_000_000_000, 14_000_000_000), "30 days unused"))

    assert text.startswith("cache  2 environments, 2.0 GB")
    assert "0123456789ab  Python 3.11.7    1 package" in text
    assert "1.5 MB  used today" in text
    assert "used 2 days ago" in text
    assert "14.0 GB with uv's cache or reruns" in text
    assert "until 30 days unused" in text
    assert "/cache" in text


def test_an_empty_cache_says_where_it_would_be() -> None:
    text = on_paper(cache_text("/cache", [], (0, 0), "30 days unused"))

    assert text.startswith("cache  0 environments, 0 bytes")
    assert "/cache" in text
