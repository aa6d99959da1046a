"""Differences between the interpreters and installed packages of two runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Distribution, Packages, Repacked
from wandb_repro.verify.compare_values import both_recorded, differ
from wandb_repro.verify.finding import Effect, Finding, Kind

_DIGEST_DIGITS = 12
_NUMERIC_PACKAGES = frozenset(
    {
        "jax",
        "jaxlib",
        "keras",
        "keras-nightly",
        "ml-dtypes",
        "numpy",
        "nvidia-cublas-cu12",
        "nvidia-cudnn-cu12",
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-intel",
        "tensorflow-macos",
        "tf-nightly",
        "torch",
    }
)


def package_differences(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield differences of the interpreter, of each package, and of files edited by hand."""
    sides = original.execution.packages, here.execution.packages
    both = yield from both_recorded(Packages, "package", "packages", *sides)
    if not both:
        return
    one, two = both
    yield from differ(
        "interpreter",
        "Python",
        one.interpreter.version,
        two.interpreter.version,
        "may change bits",
        f"run with Python {one.interpreter.version}",
    )
    packages_1 = {package.name: package for package in one.distributions}
    packages_2 = {package.name: package for package in two.distributions}
    unused_1, unused_2 = _unused(one), _unused(two)
    # A rebuilt environment leaves out what the original did not load: that is one finding below.
    for name in sorted({*packages_1, *packages_2} - (unused_1 - {*packages_2})):
        unused = name in unused_1 and name in unused_2
        yield from _package(name, packages_1.get(name), packages_2.get(name), unused=unused)
    yield from differ(
        "package",
        "packages that it did not load",
        len(unused_1),
        len(unused_1 & {*packages_2}),
        "explains",
    )
    cure = "edit the packages as in the original"
    yield from differ("package", "edits by hand", _edits(one), _edits(two), "may change bits", cure)


def _unused(packages: Packages) -> set[str]:
    """Return the names of packages that were certainly not loaded."""
    loaded = packages.loaded
    if isinstance(loaded, Unavailable) or isinstance(loaded.at_end, Unavailable):
        return set()
    used = {*loaded.at_start, *loaded.at_end}
    return {package.name for package in packages.distributions if package.name not in used}


def _edits(packages: Packages) -> tuple[str, ...]:
    """Return the edited files, except those that a repacked wheel restores."""
    if isinstance(packages.altered, Unavailable):
        return ()
    packed = {each.name for each in packages.distributions if isinstance(each.repacked, Repacked)}
    return tuple(
        f"{edited.name}: {file}"
        for edited in packages.altered
        if edited.name not in packed
        for file in edited.files
    )


def _package(
    name: str, original: Distribution | None, here: Distribution | None, *, unused: bool
) -> Iterable[Finding]:
    numeric = name in _NUMERIC_PACKAGES
    effect: Effect = "changes bits" if numeric else "may change bits"
    if unused:
        effect = "explains"
    # Kernels do not use NumPy: like other packages, it can change how a script prepares data.
    # Source: measured, float32 products of NumPy 2.2 and 2.4, whose linear algebra differs.
    kind: Kind = "framework" if numeric and name != "numpy" else "package"
    version_1 = original.version if original else "not installed"
    version_2 = here.version if here else "not installed"
    cure = f"install {name}=={version_1}" if original else f"uninstall {name}"
    if version_1 != version_2:
        return differ(kind, name, version_1, version_2, effect, cure)
    if original and here:
        fact = f"content of {name} {version_1}"
        return differ(kind, fact, _content(original), _content(here), effect, cure)
    return ()


def _content(package: Distribution) -> str | Unavailable:
    """Return the digest of its installed files: for a repacked one, that of its wheel."""
    if isinstance(package.repacked, Repacked):
        return package.repacked.record_digest[:_DIGEST_DIGITS]
    digest = package.record_digest
    return digest if isinstance(digest, Unavailable) else digest[:_DIGEST_DIGITS]
