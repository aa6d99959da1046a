"""Wheels of a few bytes, honest ones and others."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

__all__ = ["wheel_bytes"]


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
