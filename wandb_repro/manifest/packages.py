"""The Python environment: interpreter and installed distributions."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import ExecutionRecord, Grown, Unavailable, later

__all__ = [
    "Distribution",
    "EditedPackage",
    "Interpreter",
    "Loaded",
    "Packages",
    "Repacked",
    "Shadowed",
]


class Interpreter(ExecutionRecord):
    """The Python that ran."""

    version: str
    """``X.Y.Z``."""
    implementation: str
    """``cpython``."""
    build: str
    """``sys.version``: compiler and build date included."""
    cache_tag: str
    """Such as ``cpython-311``."""
    executable: str
    """Absolute path on the machine that recorded it."""
    libc: str
    """Such as ``glibc 2.36``."""
    platform: str
    """``sysconfig.get_platform()``, such as ``linux-x86_64``."""


class Repacked(ExecutionRecord):
    """A wheel made from installed files, for what no index can give back."""

    name: str
    """File name inside the capsule's ``wheels`` folder."""
    sha256: str
    """Of the wheel, hexadecimal."""
    record_digest: str
    """What ``Distribution.record_digest`` is once this wheel is installed."""
    size_bytes: int
    left_out: tuple[str, ...] = ()
    """What of a source folder stayed out, by its path in the wheel: files that look like secrets,
    links that lead elsewhere."""


class Distribution(Grown, ExecutionRecord):
    """One installed distribution."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    origin: Literal["index", "local", "editable", "vcs", "archive"]
    """Where it came from, read from ``direct_url.json`` (PEP 610); without one, an index."""
    origin_detail: str = ""
    """For a VCS install the address without credentials, ``@`` and the commit; else empty."""
    installer: str
    """``pip``, ``uv``, ...; empty when it is not told."""
    tags: tuple[str, ...]
    """Tags of the wheel it was installed from, such as ``cp311-cp311-manylinux_2_28_x86_64``."""
    record_digest: str | Unavailable
    """SHA-256 over the sorted ``path,hash`` rows of RECORD, without what an installer adds."""
    repacked: Repacked | Unavailable | None = None
    """The wheel that gives it back; None when an index can."""
    requires: tuple[str, ...] = later(())
    """What its metadata requires of what was installed beside it, as written (PEP 508); of an
    extra only where all that it brings was installed."""
    plugin_groups: tuple[str, ...] = later(())
    """Groups of its entry points, scripts not counted: what may load it by name."""
    found_in: str = later("")
    """Folder of ``sys.path`` that it lay in, where that is not the environment's own: a second
    environment, the system's, the user's; else empty."""


class Shadowed(ExecutionRecord):
    """A distribution that lay behind another of its name on ``sys.path``: not imported."""

    name: str
    """Normalised."""
    version: str
    found_in: str
    """Folder of ``sys.path``."""


class EditedPackage(ExecutionRecord):
    """A distribution that was edited by hand after it was installed."""

    name: str
    """Normalised."""
    files: tuple[str, ...]
    """Those whose bytes are not what RECORD says, by their path there."""


class Loaded(ExecutionRecord):
    """Which distributions a run had loaded a module or a library of."""

    at_start: tuple[str, ...]
    """Names, sorted, when the run began and when its training did."""
    at_end: tuple[str, ...] | Unavailable
    """Names, sorted, when it ended."""


_NOT_LOOKED = Unavailable(unavailable="what it loaded was not recorded")
_NOT_LOOKED_FOR = Unavailable(unavailable="edits by hand were not looked for")


class Packages(Grown, ExecutionRecord):
    """Everything installed that the run could import."""

    interpreter: Interpreter
    distributions: tuple[Distribution, ...]
    """Sorted by name; the first on ``sys.path`` where a name stands twice."""
    digest: str
    """SHA-256 over names, versions and record digests: equal when the environments are."""
    loaded: Loaded | Unavailable = later(_NOT_LOOKED)
    altered: tuple[EditedPackage, ...] | Unavailable = later(_NOT_LOOKED_FOR)
    """Sorted by name."""
    shadowed: tuple[Shadowed, ...] = later(())
    unowned: tuple[str, ...] = later(())
    """Loaded files among installed packages that belong to none of them, absolute."""
