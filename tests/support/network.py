"""Processes that have no network: a namespace of their own with nothing but loopback in it."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Sequence

__all__ = ["NOWHERE", "without_network"]

NOWHERE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
    "UV_OFFLINE": "1",
    "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
}
"""Variables that send whoever heeds them to a closed port: where namespaces are not permitted."""

_ALONE = ("unshare", "--user", "--map-root-user", "--net")
_UP = 'ip link set lo up && exec "$0" "$@"'


@functools.cache
def _permitted() -> bool:
    try:
        done = subprocess.run([*_ALONE, "sh", "-c", _UP, "true"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def without_network(command: Sequence[str]) -> list[str]:
    """Return the command as one that reaches nothing but this machine, where that can be had."""
    return [*_ALONE, "sh", "-c", _UP, *command] if _permitted() else list(command)
