"""Fixtures that every test may ask for."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.support.browser import browser
from tests.support.disks import no_folder_sync
from tests.support.golden import Golden
from tests.support.ground import ground
from tests.support.hidden_modules import hide_from_children
from tests.support.killed import killing_parent
from tests.support.lean import lean
from tests.support.package_index import package_index
from tests.support.recorded import ask, keras_run, killed_run, numbers
from tests.support.server import wandb_server
from tests.support.slow_quarter import LONG_FILES, QUARTERS, chosen_quarter, quarter_of
from tests.support.training import offline, own_wandb
from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.files import CACHE_VARIABLE
from wandb_repro.recording.after_end import stop_watching
from wandb_repro.recording.children.handover import withdraw
from wandb_repro.recording.message_handler import SILENT_VARIABLE

__all__ = [
    "ask",
    "browser",
    "ground",
    "keras_run",
    "killed_run",
    "killing_parent",
    "lean",
    "no_folder_sync",
    "numbers",
    "offline",
    "own_wandb",
    "package_index",
    "wandb_server",
]

NO_BACKENDS = "not backend"
WITHOUT_SLOW = f"not slow and {NO_BACKENDS}"
"""The expression in pyproject.toml that leaves the slow tests out."""


def pytest_configure(config: pytest.Config) -> None:
    """Set signals and caches as the tests expect them, and choose among the slow tests."""
    _restore_signals()
    # Images of containers set it: each of the hundreds of processes that the tests start would
    # compile TensorFlow once more, for 10 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # A fault in our own code fails the test, in every process that a test starts, too.
    os.environ[STRICT_VARIABLE] = "1"
    hide_from_children(config)
    # What fixtures of a whole session build is kept nowhere that a user looks.
    os.environ[CACHE_VARIABLE] = str(Path(tempfile.gettempdir(), f"cache-{secrets.token_hex(8)}"))
    # W&B is silent in most tests; our lines are what they read.
    os.environ[SILENT_VARIABLE] = "false"
    _choose_slow_tests(config)


def _choose_slow_tests(config: pytest.Config) -> None:
    """Read ``--slow-quarter``, and lift the rule of pyproject.toml that leaves slow tests out."""
    wish: str | None = config.getoption("--slow-quarter")
    if wish is None:
        return
    try:
        config.option.slow_quarter = str(chosen_quarter(wish, config.rootpath))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    if config.option.markexpr == WITHOUT_SLOW:
        config.option.markexpr = NO_BACKENDS


def _restore_signals() -> None:
    """Give Ctrl-C and a closed terminal back their meaning, here and in all that the tests start.

    A shell that is no terminal's starts its background jobs with SIGINT ignored, and nohup ignores
    SIGHUP; that is inherited, and a test that interrupts a training would wait for ever.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    for number, handler in usual.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep environments where no other test, and no user, looks for them."""
    place = tmp_path_factory.getbasetemp() / f"cache-{secrets.token_hex(4)}"
    monkeypatch.setenv(CACHE_VARIABLE, str(place))


_FROZEN: list[str] = []
"""What this process imported and collects no more."""


@pytest.fixture(autouse=True)
def quick_collection() -> None:
    """Leave what TensorFlow made at its import out of garbage collection.

    Each recorded run collects garbage once, and would walk a million objects that are never freed.
    """
    if "tensorflow" in sys.modules and not _FROZEN:
        _FROZEN.append("tensorflow")
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def nothing_handed_over() -> Generator[None]:
    """Leave later processes an environment as if this one had recorded nothing."""
    yield
    withdraw()
    stop_watching()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record faults as users have it: for tests that plant one."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave other quarters' slow tests out, and begin with what takes longest.

    Two workers that share the tests then end together.
    """
    _mark_registry(items)
    _keep_one_quarter(config, items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(
        key=lambda item: (
            item.path.parent.name != "online",
            item.path not in slow and item.path.stem not in LONG_FILES,
        )
    )


def _mark_registry(items: list[pytest.Item]) -> None:
    """Mark what builds an environment of real packages; other tests carry the mark themselves."""
    for item in items:
        if "lean" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.registry)


def _keep_one_quarter(config: pytest.Config, items: list[pytest.Item]) -> None:
    quarter: str | None = config.getoption("--slow-quarter")
    if quarter is None:
        return
    others = [
        item
        for item in items
        if item.get_closest_marker("slow")
        and quarter_of(item.nodeid.split("::")[0]) != int(quarter)
    ]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which quarter of the slow tests runs."""
    quarter: str | None = config.getoption("--slow-quarter")
    return f"slow tests: quarter {quarter} of {QUARTERS}" if quarter else None


@pytest.hookimpl(optionalhook=True)  # there is none where one process runs all tests
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Give a file to one worker as a whole, and all that ask the server to the same one."""
    return _ByFile(config, log)


class _ByFile(LoadFileScheduling):
    """The start of a server, and the training it holds, are most of what its tests take."""

    def _split_scope(self, nodeid: str) -> str:
        asks_the_server = nodeid.startswith(("tests/online/", "tests/store/test_fetch.py"))
        return "the server" if asks_the_server else super()._split_scope(nodeid)


def pytest_unconfigure() -> None:
    """Take away what was kept."""
    shutil.rmtree(os.environ[CACHE_VARIABLE], ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that rewrites golden files, and the one that adds slow tests."""
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew")
    parser.addoption(
        "--slow-quarter",
        metavar="auto|N",
        help="also run a quarter of the slow tests: 1 to 4, or auto for the commit's; "
        "with -m slow, that quarter alone",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Texts that a report is compared with."""
    return Golden(rewrite=bool(request.config.getoption("--rewrite-golden")))
