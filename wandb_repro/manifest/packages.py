"""The Python environment: interpreter and installed distributions."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import EvolvedRecord, ExecutionRecord, Unavailable, added_field


class Interpreter(ExecutionRecord):
    """The Python interpreter that ran."""

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
    """A wheel made from installed files, for a distribution that is not on a package index."""

    name: str
    """File name inside the capsule's ``wheels`` folder."""
    sha256: str
    """Of the wheel, hexadecimal."""
    record_digest: str
    """Value of ``Distribution.record_digest`` after this wheel is installed."""
    size_bytes: int
    left_out: tuple[str, ...] = ()
    """Files of a source folder that are not in the wheel, by their path in it: files that look
    like secrets, links that lead elsewhere."""


class Distribution(EvolvedRecord, ExecutionRecord):
    """One installed distribution."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    origin: Literal["index", "local", "editable", "vcs", "archive"]
    """Where it came from, according to ``direct_url.json`` (PEP 610); without one, an index."""
    origin_detail: str = ""
    """For a VCS install the address without credentials, ``@`` and the commit; else empty."""
    installer: str
    """``pip``, ``uv``, ...; empty if not known."""
    tags: tuple[str, ...]
    """Tags of the wheel it was installed from, such as ``cp311-cp311-manylinux_2_28_x86_64``."""
    record_digest: str | Unavailable
    """SHA-256 over the sorted ``path,hash`` rows of RECORD, without what an installer adds."""
    repacked: Repacked | Unavailable | None = None
    """The wheel to install it from; None if a package index has it."""
    requires: tuple[str, ...] = added_field(())
    """Its requirements among the installed distributions, as written (PEP 508); those of an extra
    only if all of them were installed."""
    plugin_groups: tuple[str, ...] = added_field(())
    """Groups of its entry points except scripts: others may load it by these names."""
    found_in: str = added_field("")
    """Its folder on ``sys.path`` if that is not the environment's own: a second environment, the
    system's, the user's; else empty."""


class Shadowed(ExecutionRecord):
    """A distribution that was not imported: another of its name comes first on ``sys.path``."""

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
    """Paths, as in RECORD, of files whose bytes do not match it."""


class Loaded(ExecutionRecord):
    """Distributions that the run loaded a module or a shared library of."""

    at_start: tuple[str, ...]
    """Names, sorted: loaded when the run began or when its training began."""
    at_end: tuple[str, ...] | Unavailable
    """Names, sorted: loaded when it ended."""


_LOADED_NOT_RECORDED = Unavailable(unavailable="loaded packages were not recorded")
_EDITS_NOT_RECORDED = Unavailable(unavailable="edits by hand were not recorded")


class Packages(EvolvedRecord, ExecutionRecord):
    """Everything installed that the run could import."""

    interpreter: Interpreter
    distributions: tuple[Distribution, ...]
    """Sorted by name; of several with one name the first on ``sys.path``."""
    digest: str
    """SHA-256 over names, versions and record digests: equal for equal environments."""
    loaded: Loaded | Unavailable = added_field(_LOADED_NOT_RECORDED)
    altered: tuple[EditedPackage, ...] | Unavailable = added_field(_EDITS_NOT_RECORDED)
    """Sorted by name."""
    shadowed: tuple[Shadowed, ...] = added_field(())
    unowned: tuple[str, ...] = added_field(())
    """Absolute paths of loaded files in ``site-packages`` that belong to no distribution."""
