"""The pytest plugin: one option, and a line that names the files it wrote.

Every pytest of an environment with this package loads this module, so it imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_repro.testing import pytest_options

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--repro-update``."""
    group = parser.getgroup("wandb_repro")
    group.addoption(
        "--repro-update",
        action="store_true",
        help="write the golden files of assert_matches_golden anew",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Note what was asked for, where the assertions look."""
    pytest_options.begin(update=bool(config.getoption("--repro-update", default=False)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the golden files that were written: they are to be looked at and committed."""
    written = pytest_options.written()
    if written:
        terminalreporter.section("golden files written", sep="-")
        for file in written:
            terminalreporter.write_line(file)


def pytest_unconfigure() -> None:
    """Forget it: a pytest that was started inside of another has ended."""
    pytest_options.end()
