"""Starts uv. No other module does.

It runs in an empty folder, so that it finds no project. The user's settings for indexes apply;
settings that would change the installed bytes, or start the new Python, do not.

Source: uv 0.13, "Configuration files" and "Environment variables"; measured: an index in the
``uv.toml`` of the working directory or above it redirects what is installed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.errors import RebuildError
from wandb_repro.process_group import signal_group, start_supervised

_INSTALL_EXTRA = "Install it: pip install 'wandb-repro[rerun]'."

_DROPPED = ("VIRTUAL_ENV", "CONDA", "PYTHON", "UV_", "PIP_")

_KEPT = (
    *("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
    *("UV_HTTP_", "UV_OFFLINE", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_CONFIG_FILE", "UV_LINK_MODE"),
    *("UV_KEYRING_PROVIDER", "UV_CREDENTIALS_DIR", "UV_INSECURE_HOST", "UV_CONCURRENT_"),
    *("UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_PYTHON_INSTALL_DIR"),
)
"""How this machine reaches the user's indexes. All other settings of uv are dropped:
``UV_COMPILE_BYTECODE`` would start the new Python before the user agreed to it."""

_PATIENCE = {"UV_HTTP_TIMEOUT": "20", "UV_HTTP_RETRIES": "2", "UV_PYTHON_DOWNLOADS": "never"}
"""With its defaults, uv waits two minutes for an index that does not answer."""

_UNREACHABLE = ("error sending request", "Failed to fetch", "dns error", "timed out", "Connect)")


_UNREACHABLE_HINT = "Check the network and UV_DEFAULT_INDEX, or use what is here: --env here."


@dataclass(frozen=True)
class Answer:
    """Exit code and output of uv."""

    returncode: int
    output: str
    errors: str

    @property
    def sentence(self) -> str:
        """What went wrong, in uv's words, on one line."""
        lines = (line.strip() for line in self.errors.splitlines())
        causes = [
            line.partition(": ")[2] for line in lines if line.startswith(("error:", "cause:"))
        ]
        return ": ".join(causes[:3]) or self.errors.strip()[-300:] or f"exit {self.returncode}"


def find_uv() -> Path:
    """Return the path of uv.

    Raises:
        RebuildError: it is neither installed with this package nor on PATH.
    """
    with contextlib.suppress(ImportError, FileNotFoundError):
        import uv

        return Path(uv.find_uv_bin())
    found = shutil.which("uv")
    # A relative folder on PATH may be in a capsule.
    if found and Path(found).is_absolute():
        # A pyenv shim reads .python-version of the working directory: the absolute path does not.
        return Path(found).resolve()
    raise RebuildError("uv, which builds the environment, is not installed.", hint=_INSTALL_EXTRA)


def run_uv(arguments: Sequence[str], *, given: str = "", timeout_s: float = 600) -> Answer:
    """Run uv in an empty folder and return its answer, even if it failed.

    Args:
        arguments: what follows the program's name; text of a manifest must be checked before.
        given: its standard input.
        timeout_s: seconds after which it is killed with all its children.

    Raises:
        RebuildError: uv is not installed, or it did not end in time.
    """
    command = [str(find_uv()), *_configuration(os.environ), *arguments]
    with (
        tempfile.TemporaryDirectory(prefix="wandb-repro-uv-") as empty,
        _process(command, Path(empty)) as process,
    ):
        try:
            output, errors = process.communicate(given.encode(), timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise RebuildError(
                f"uv did not end within {timeout_s:.0f} s.", hint=_UNREACHABLE_HINT
            ) from error
    return Answer(process.returncode, _text(output), _text(errors))


def _text(printed: bytes) -> str:
    return printed.decode("utf-8", "replace").replace("\r\n", "\n")


def refuse_unreachable(answer: Answer) -> None:
    """Raise RebuildError if uv failed because an index could not be reached."""
    if answer.returncode and any(text in answer.errors for text in _UNREACHABLE):
        raise RebuildError(
            f"The package index cannot be reached: {answer.sentence}.",
            hint=_UNREACHABLE_HINT,
        )


@contextlib.contextmanager
def _process(command: Sequence[str], folder: Path) -> Generator[subprocess.Popen[bytes]]:
    process = start_supervised(
        command,
        cwd=folder,
        environment=_environment(os.environ),
        grace_s=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            signal_group(process, signal.SIGKILL)
        process.communicate()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_DROPPED) or name.startswith(_KEPT)
    }
    return _PATIENCE | kept | {"NO_COLOR": "1"}


def _configuration(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the option that makes uv read the user's own configuration file only."""
    if environ.get("UV_CONFIG_FILE"):
        return ()
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "/")) / ".config")
    for file in (Path(home, "uv", "uv.toml"), Path("/etc/uv/uv.toml")):
        if file.is_file():
            return ("--config-file", str(file))
    return ("--no-config",)
