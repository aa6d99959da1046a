"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.support.browser import browser
from tests.support.disks import no_folder_sync
from tests.support.golden import Golden
from tests.support.ground import ground
from tests.support.lean import lean
from tests.support.package_index import package_index
from tests.support.recorded import ask, keras_run, killed_run, numbers
from tests.support.server import wandb_server
from tests.support.training import offline, own_wandb
from wandb_repro.rerun.environment.cache import CACHE_VARIABLE

__all__ = [
    "ask",
    "browser",
    "ground",
    "keras_run",
    "killed_run",
    "lean",
    "no_folder_sync",
    "numbers",
    "offline",
    "own_wandb",
    "package_index",
    "wandb_server",
]


def pytest_configure() -> None:
    """Give Ctrl-C and a closed terminal back their meaning, here and in all that the tests start.

    A shell that is no terminal's starts its background jobs with SIGINT ignored, and nohup ignores
    SIGHUP; that is inherited, and a test that interrupts a training would wait for ever.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    for number, handler in usual.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    # Images of containers set it: each of the hundreds of processes that the tests start would
    # compile TensorFlow once more, for 10 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # What fixtures of a whole session build is kept nowhere that a user looks.
    os.environ[CACHE_VARIABLE] = str(Path(tempfile.gettempdir(), f"cache-{secrets.token_hex(8)}"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep environments where no other test, and no user, looks for them."""
    place = tmp_path_factory.getbasetemp() / f"cache-{secrets.token_hex(4)}"
    monkeypatch.setenv(CACHE_VARIABLE, str(place))


_LONG = ("test_demo", "test_ending", "test_rerun", "test_harm", "test_keras")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that two who share the tests end together."""
    items.sort(key=lambda item: (item.path.parent.name != "online", item.path.stem not in _LONG))


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
    """Add the one flag that writes golden files anew."""
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Texts that a report is compared with."""
    return Golden(rewrite=bool(request.config.getoption("--rewrite-golden")))
