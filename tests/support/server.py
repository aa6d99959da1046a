"""A W&B server for tests: openwandb behind our bridge, on a loopback port."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["WandbServer", "free_port", "running_server", "wandb_server"]

REPOSITORY = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 15.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class WandbServer:
    """A server that is up.

    Its default entity is ``default``. Run ids are global in it: give each run its own.
    """

    base_url: str
    data_dir: Path

    def environment(self) -> dict[str, str]:
        """Return the variables to set, over the process's own, in a client of this server."""
        client = self.data_dir.parent / "client"
        return {
            **dict.fromkeys(PROXIES, ""),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "NETRC": str(client / "netrc"),
            "WANDB_API_KEY": "0123456789" * 4,
            "WANDB_BASE_URL": self.base_url,
            "WANDB_CACHE_DIR": str(client / "cache"),
            "WANDB_CONFIG_DIR": str(client / "config"),
            "WANDB_DATA_DIR": str(client / "data"),
            "WANDB_ENTITY": "default",
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_MODE": "online",
            "WANDB_SILENT": "true",
            "WANDB_REPRO_SILENT": "false",
        }

    def file_path(self, run: str, name: str) -> Path:
        """Return where the server keeps a run's file.

        Args:
            run: ``ENTITY/PROJECT/ID``.
            name: the file's name on W&B.
        """
        return self.data_dir / "files" / run / name


def free_port() -> int:
    """Return a loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def wandb_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[WandbServer]:
    """Give a server that lives as long as the test session."""
    yield from running_server(tmp_path_factory.mktemp("wandb-server"))


def running_server(folder: Path) -> Generator[WandbServer]:
    """Start a server that keeps everything in a folder, yield it, stop it."""
    port = free_port()
    server = WandbServer(f"http://127.0.0.1:{port}", folder / "data")
    with (folder / "server.log").open("wb") as log:
        process = _start(port, server.data_dir, folder / "home", log.fileno())
    try:
        _wait_until_ready(server, process, folder / "server.log")
        yield server
    finally:
        _stop(process)


def _start(port: int, data_dir: Path, home: Path, log: int) -> subprocess.Popen[bytes]:
    home.mkdir()
    # NOTE: openwandb creates folders in HOME and signs with a secret of its environment.
    environment = {**os.environ, "HOME": str(home), "OPENWANDB_JWT_SECRET": secrets.token_hex(32)}
    command = ["-m", "tests.support.bridge", "--port", str(port), "--data-dir", str(data_dir)]
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def _wait_until_ready(server: WandbServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(server.base_url + "/login"):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The test server did not start:\n{log.read_text()[-2000:]}")


def _answers(url: str) -> bool:
    # NOTE: no health route in openwandb; /login is the page that needs nothing. No proxy is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
