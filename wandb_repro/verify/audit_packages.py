"""Reasons why a run might not run again that lie in its installed packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.verify.finding import Finding, about_one_run


def audit_packages(manifest: Manifest) -> Iterator[Finding]:
    """Yield what of the packages a rebuilt environment cannot contain."""
    packages = manifest.execution.packages
    if isinstance(packages, Unavailable):
        sentence = f"The packages are not recorded: {packages}"
        yield about_one_run("package", "packages", "", "stops", sentence, "")
        return
    yield from _not_installable(packages)
    yield from _edited(packages)
    yield from _unowned(packages.unowned)


def _not_installable(packages: Packages) -> Iterator[Finding]:
    for package in packages.distributions:
        if isinstance(package.repacked, Unavailable) and package.origin != "index":
            yield about_one_run(
                "package",
                package.name,
                package.version,
                "stops",
                f"{package.name} {package.version} is not on a package index and could not be "
                f"packed: {package.repacked}",
                f"publish {package.name}, or rerun with --env here",
            )


def _edited(packages: Packages) -> Iterator[Finding]:
    if isinstance(packages.altered, Unavailable):
        return
    packed = {one.name for one in packages.distributions if isinstance(one.repacked, Repacked)}
    for edited in packages.altered:
        files = ", ".join(edited.files[:3]) + (" ..." if len(edited.files) > 3 else "")
        kept = edited.name in packed
        yield about_one_run(
            "package",
            edited.name,
            files,
            "explains" if kept else "may change bits",
            f"{edited.name} was edited by hand after it was installed: {files}; "
            + (
                "the edited files are kept with the run"
                if kept
                else "a rebuilt one lacks the edits"
            ),
            "" if kept else "rerun with --env here, in the environment with the edits",
        )


def _unowned(files: tuple[str, ...]) -> Iterator[Finding]:
    """Yield files among the packages that belong to none: one finding a module or folder."""
    for place, count in Counter(map(_module_of, files)).items():
        what = place if place in files else f"{place} ({count:,} file{'s' if count > 1 else ''})"
        yield about_one_run(
            "package",
            "file among packages",
            place,
            "may change bits",
            f"{what} was loaded but belongs to no package: a rebuilt environment lacks it",
            "put it into the project, or rerun with --env here",
        )


def _module_of(file: str) -> str:
    """Return the module or folder directly below ``site-packages`` that a file is part of."""
    for folder in ("/site-packages/", "/dist-packages/"):
        above, found, inside = file.rpartition(folder)
        if found:
            return f"{above}{found}{inside.partition('/')[0]}"
    return file
