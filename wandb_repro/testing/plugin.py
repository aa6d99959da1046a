"""The pytest plugin: an option, and a list of the files that it wrote.

Every pytest in an environment with this package loads this module, so it imports almost nothing.
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
        help="rewrite the golden files of assert_matches_golden",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Store the option for the assertions."""
    pytest_options.begin(update=bool(config.getoption("--repro-update", default=False)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the golden files that were written, to review and commit."""
    written = pytest_options.written()
    if written:
        terminalreporter.section("golden files written", sep="-")
        for file in written:
            terminalreporter.write_line(file)


def pytest_unconfigure() -> None:
    """Restore the options of the outer pytest, if this one was started inside another."""
    pytest_options.end()
