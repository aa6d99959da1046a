"""Sources that anybody's installer can build, with nothing to fetch for it.

Each brings its own build backend (PEP 517 and 660): three functions that write a zip.
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["committed", "make_release", "make_source"]

_BACKEND = '''\
"""Builds a wheel of the one module beside it. The file ``built`` says how often it was asked."""

import base64
import hashlib
import pathlib
import zipfile

NAME, VERSION, TAG = {name!r}, {version!r}, {tag!r}
MODULE = NAME.replace("-", "_")
INFO = f"{{MODULE}}-{{VERSION}}.dist-info"
SOURCE = pathlib.Path(__file__).parent


def _write(folder, files):
    info = {{
        f"{{INFO}}/METADATA": f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n",
        f"{{INFO}}/WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {{TAG}}\\n",
    }}
    rows, name = [], f"{{MODULE}}-{{VERSION}}-{{TAG}}.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in {{**files, **info}}.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
            rows.append(f"{{path}},sha256={{digest.decode()}},{{len(text.encode())}}")
            wheel.writestr(path, text)
        wheel.writestr(f"{{INFO}}/RECORD", "\\n".join([*rows, f"{{INFO}}/RECORD,,"]) + "\\n")
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, {{f"{{MODULE}}.py": (SOURCE / f"{{MODULE}}.py").read_text()}})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, {{f"__editable__{{MODULE}}.pth": f"{{SOURCE}}\\n"}})
'''

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "{version}"
"""


def make_source(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    text: str = "X = 1\n",
) -> Path:
    """Write the sources of one module and return their folder.

    Args:
        folder: made if need be.
        name: of the distribution and, with underscores, of its module.
        version: of it.
        tag: of the wheel that comes of building it.
        text: the module.
    """
    files: Mapping[str, str] = {
        "backend.py": _BACKEND.format(name=name, version=version, tag=tag),
        "pyproject.toml": _PYPROJECT.format(name=name, version=version),
        f"{name.replace('-', '_')}.py": text,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for at, content in files.items():
        (folder / at).write_text(content)
    return folder


def make_release(folder: Path, source: Path) -> Path:
    """Write a source release (``NAME-VERSION.tar.gz``) of sources, and return it."""
    lines = dict(
        line.split(": ") for line in (source / "PKG-INFO").read_text().splitlines() if line
    )
    stem = f"{lines['Name'].replace('-', '_')}-{lines['Version']}"
    with tarfile.open(folder / f"{stem}.tar.gz", "w:gz") as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, f"{stem}/{path.name}")
    return folder / f"{stem}.tar.gz"


def committed(source: Path) -> str:
    """Commit everything in a folder, a repository from now on; return the commit."""
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()
