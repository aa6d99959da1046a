"""Manifests for tests that need one and not what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.manifest import Description, Execution, Manifest, RunIdentity
from wandb_repro.manifest.packages import Distribution, Interpreter, Packages, Repacked

__all__ = ["small_manifest"]

ABSENT = Unavailable(unavailable="not in this test")


def small_manifest(bundle: bytes, wheels: Mapping[str, bytes]) -> Manifest:
    """Return a manifest that names a bundle, wheels and nothing else.

    Args:
        bundle: the bundle's bytes.
        wheels: each wheel's bytes, by its file name.
    """
    return Manifest(
        recorded_by="wandb_repro 0",
        recorded_at="2026-01-01T00:00:00Z",
        run=RunIdentity(
            id="id",
            name=ABSENT,
            entity=ABSENT,
            project=ABSENT,
            url=ABSENT,
            job_type=ABSENT,
            group=ABSENT,
            offline=False,
            rerun_of=ABSENT,
        ),
        execution=Execution(
            command=ABSENT,
            code=_code(bundle),
            packages=_packages(wheels),
            seed=ABSENT,
            deterministic=None,
            config=ABSENT,
        ),
        description=Description(
            machine=ABSENT,
            runtime=ABSENT,
            accelerator=ABSENT,
            seeds=ABSENT,
            determinism=ABSENT,
            config=ABSENT,
            data=ABSENT,
            inputs=ABSENT,
        ),
        ending=ABSENT,
    )


def _code(bundle: bytes) -> Code:
    file = BundleFile(name="code.bundle", sha256=_sha256(bundle), size_bytes=len(bundle))
    return Code(root="/code", tree="0" * 40, files=1, bundle=file, git=ABSENT)


def _packages(wheels: Mapping[str, bytes]) -> Packages:
    interpreter = Interpreter(
        version="3.11.7",
        implementation="cpython",
        build="3.11.7",
        cache_tag="cpython-311",
        executable="/usr/bin/python",
        libc="glibc 2.36",
        platform="linux-x86_64",
    )
    distributions = tuple(_distribution(name, content) for name, content in wheels.items())
    return Packages(interpreter=interpreter, distributions=distributions, digest="0" * 64)


def _distribution(wheel: str, content: bytes) -> Distribution:
    repacked = Repacked(
        name=wheel, sha256=_sha256(content), record_digest="0" * 64, size_bytes=len(content)
    )
    return Distribution(
        name=wheel.partition("-")[0],
        version="1.0",
        origin="local",
        installer="pip",
        tags=("py3-none-any",),
        record_digest="0" * 64,
        repacked=repacked,
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
