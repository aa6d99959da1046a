"""A package index on a loopback port, as people run one: wheels, source releases, a password.

Source: PEP 503, "Simple Repository API"; PEP 592, "Yank".
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import re
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

__all__ = ["PackageIndex", "package_index"]

_NAME = re.compile(r"(?P<name>.+?)-\d")


class PackageIndex:
    """What an index has; change it and the next answer is another.

    Args:
        folder: its files: wheels and source releases.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.yanked: set[str] = set()
        """File names that are not to be taken unless they are asked for exactly."""
        self.password = ""
        """What the user ``reader`` has to give; empty where anybody may read."""
        self.tells_hashes = True
        """Whether its pages name the hash of each file, as most do and some do not."""
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, as it stands in somebody's settings, password included."""
        who = f"reader:{self.password}@" if self.password else ""
        return f"http://{who}127.0.0.1:{self.port}/simple"

    @property
    def open_url(self) -> str:
        """Its address without the password."""
        return f"http://127.0.0.1:{self.port}/simple"

    def lets_in(self, authorization: str) -> bool:
        """Tell whether somebody with this header may read."""
        told = base64.b64encode(f"reader:{self.password}".encode()).decode()
        return not self.password or authorization == f"Basic {told}"

    def answer(self, path: str) -> bytes | None:
        """Return what is at a path; None where nothing is."""
        kind, _, name = path.strip("/").partition("/")
        if kind == "files":
            file = self.folder / Path(name).name
            return file.read_bytes() if file.is_file() else None
        links = [self._link(one) for one in self._files() if _project(one.name) == name]
        page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
        return page.encode() if links else None

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_file())

    def _link(self, file: Path) -> str:
        yanked = ' data-yanked="it was broken"' if file.name in self.yanked else ""
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        known = f"#sha256={digest}" if self.tells_hashes else ""
        name = html.escape(file.name)
        return f'<a href="/files/{name}{known}"{yanked}>{name}</a><br>'


def _project(file: str) -> str:
    found = _NAME.match(file)
    return re.sub(r"[-_.]+", "-", found["name"]).lower() if found else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, index: PackageIndex) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.index = index
        index.port = self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - the one above

    def do_GET(self) -> None:
        """Answer."""
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self._answer(with_content=False)

    def _answer(self, *, with_content: bool) -> None:
        index = self.server.index
        allowed = index.lets_in(self.headers.get("Authorization", ""))
        content = index.answer(self.path) if allowed else None
        self.send_response(401 if not allowed else 404 if content is None else 200)
        if not allowed:
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
        page = self.path.startswith("/simple")
        self.send_header("Content-Type", "text/html" if page else "application/octet-stream")
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_content:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[PackageIndex]:
    """Give an index that is all that uv asks, as a user would configure it."""
    folder = tmp_path / "index"
    folder.mkdir()
    index = PackageIndex(folder)
    server = _Server(index)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for name in ("UV_FIND_LINKS", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
