"""Source trees of others, in which hardly a file looks like a secret."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text

_MOST = 1 / 500


def _sources(package: str) -> Iterator[Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    for folder in spec.submodule_search_locations:
        yield from sorted(Path(folder).rglob("*.py"))


@pytest.mark.parametrize("package", ["keras", "sklearn", "wandb"])
def test_at_most_one_file_of_five_hundred_looks_like_a_secret(package: str) -> None:
    files = list(_sources(package))
    paths = {path: str(path).encode() for path in files}
    found = {
        path: why
        for path, name in paths.items()
        if (why := secret_in_name(name) or secret_in_text(path.read_bytes(), name))
    }
    assert len(found) <= len(files) * _MOST, found


ALIKE = {
    "RECORD": "a.py,sha256=YCq8x7fS1vrWPijYTjemQHl8x7fS1vrWPijYTjemQH9,120\n"
    "b.py,sha256=sk-q8x7fS1vrWPijYTjemQHl8x7fS1vrWPijYTjem9,120\n",
    "a.pyi": "from a import OAuth2Auth as OAuth2AuthX1y2\n",
    "a.h": "#define TLS1_RT_CRYPTO_KEY TLS1_RT_CRYPTO_2Key3\n",
    "a.py": "y = x -p1q2r3s4t5u6\nLOG_KEY = 'tf.compat.v1.V2_Log.MAIN_OP_KEY'\n",
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_was_once_taken_for_a_secret_is_none(name: str) -> None:
    assert secret_in_text(ALIKE[name].encode(), name.encode()) == ""
