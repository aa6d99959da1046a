"""Wheels of a few bytes, honest ones and others."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping

from wandb_repro.manifest.packages import Distribution, Repacked

__all__ = ["recorded_wheel", "wheel_bytes"]


def recorded_wheel(name: str, content: bytes) -> tuple[Distribution, Repacked]:
    """Return the record of a wheel, its digest right: whoever writes the wheel writes that too."""
    repacked = Repacked(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        record_digest="0" * 64,
        size_bytes=len(content),
    )
    distribution = Distribution(
        name="own",
        version="1.0",
        origin="local",
        installer="pip",
        tags=("py3-none-any",),
        record_digest="0" * 64,
        repacked=repacked,
    )
    return distribution, repacked


def wheel_bytes(name: str, files: Mapping[str, bytes], *, version: str = "1.0") -> bytes:
    """Return a wheel ``NAME-VERSION-py3-none-any`` that holds these files as they are named."""
    info = f"{name}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    names = [*files, *metadata, f"{info}/RECORD"]
    record = "".join(f"{one},,\n" for one in names)
    whole = {**files, **{key: text.encode() for key, text in metadata.items()}}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**whole, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(path, data)
    return content.getvalue()
