"""Reports packages and edits that a rebuilt environment would not contain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.verify.finding import Finding, about_one_run


def audit_packages(manifest: Manifest) -> Iterator[Finding]:
    """Yield packages, edits and files that a rebuilt environment would not contain."""
    packages = manifest.execution.packages
    if isinstance(packages, Unavailable):
        sentence = f"The packages are not recorded: {packages}"
        yield about_one_run("package", "packages", "", "stops", sentence)
        return
    yield from _not_installable(packages)
    yield from _edited(packages)
    yield from _unowned(packages.unowned)


def _not_installable(packages: Packages) -> Iterator[Finding]:
    for package in packages.distributions:
        if isinstance(package.repacked, Unavailable) and package.origin != "index":
            name, version = package.name, package.version
            sentence = (
                f"{name} {version} is not on a package index and could not be packed: "
                f"{package.repacked}"
            )
            cure = f"publish {name}, or rerun with --env here"
            yield about_one_run("package", name, version, "stops", sentence, cure)


def _edited(packages: Packages) -> Iterator[Finding]:
    if isinstance(packages.altered, Unavailable):
        return
    packed = {each.name for each in packages.distributions if isinstance(each.repacked, Repacked)}
    for edited in packages.altered:
        files = ", ".join(edited.files[:3]) + (" ..." if len(edited.files) > 3 else "")
        sentence = f"{edited.name} was edited by hand after it was installed: {files}; "
        if edited.name in packed:
            sentence += "the edited files are kept with the run"
            yield about_one_run("package", edited.name, files, "explains", sentence)
        else:
            sentence += "a rebuilt one lacks the edits"
            cure = "rerun with --env here, in the environment with the edits"
            yield about_one_run("package", edited.name, files, "may change bits", sentence, cure)


def _unowned(files: tuple[str, ...]) -> Iterator[Finding]:
    """Yield one finding for each module or folder in site-packages that no package owns."""
    for path, count in Counter(map(_module_of, files)).items():
        label = path if path in files else f"{path} ({count:,} file{'s' if count > 1 else ''})"
        sentence = f"{label} was loaded but belongs to no package: a rebuilt environment lacks it"
        cure = "put it into the project, or rerun with --env here"
        effect = "may change bits"
        yield about_one_run("package", "file among packages", path, effect, sentence, cure)


def _module_of(file: str) -> str:
    """Return the module or folder directly below ``site-packages`` that contains a file."""
    for folder in ("/site-packages/", "/dist-packages/"):
        above, found, inside = file.rpartition(folder)
        if found:
            return f"{above}{found}{inside.partition('/')[0]}"
    return file
