"""Bundles that nobody honest would make."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.support.repositories import Repository
from wandb_repro.capture.source.objects import blob_id

__all__ = ["HOSTILE", "bundle_of", "delta_bomb", "tree_bomb", "two_faced_tree"]


def bundle_of(folder: Path, make: Callable[[Repository], str] | dict[str, str]) -> tuple[Path, str]:
    """Return a bundle of the files, or of the tree that `make` stores, with its tree's id."""
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet")
    tree = make(made) if callable(make) else _flat_tree(made, make)
    commit = made.git("commit-tree", tree, "-m", "hostile")
    made.git("update-ref", "refs/heads/snapshot", commit)
    bundle = folder.with_suffix(".bundle")
    head = f"# v2 git bundle\n{commit} refs/heads/snapshot\n\n".encode()
    bundle.write_bytes(head + _pack(made))
    return bundle, tree


def _pack(made: Repository) -> bytes:
    """Return all objects. ``git bundle`` would follow them, and stop at one that is not right."""
    names = ("--batch-all-objects", "--batch-check=%(objectname)")
    objects = made.output("cat-file", *names)
    return made.output("pack-objects", "--stdout", "-q", stdin=objects)


def _flat_tree(made: Repository, files: dict[str, str]) -> str:
    return _tree(made, *(("100644", name, _blob(made, files[name])) for name in sorted(files)))


def _blob(made: Repository, content: str = "evil\n") -> str:
    return made.git("hash-object", "-w", "--stdin", stdin=content.encode())


def _tree(made: Repository, *lines: tuple[str, str, str]) -> str:
    """Store a tree whose lines (mode, name, id) nobody checks."""
    data = b"".join(
        f"{mode} {name}".encode() + b"\0" + bytes.fromhex(identity)
        for mode, name, identity in lines
    )
    return made.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=data)


def _named(name: str) -> Callable[[Repository], str]:
    """Return what makes a tree with one file of this name."""
    return lambda made: _tree(made, ("100644", name, _blob(made)))


def _below(name: str) -> Callable[[Repository], str]:
    """Return what makes a tree with one file in a folder of this name."""

    def make(made: Repository) -> str:
        inner = _tree(made, ("100755", "post-checkout", _blob(made)))
        return _tree(made, ("40000", name, inner))

    return make


def _link(target: str) -> Callable[[Repository], str]:
    """Return what makes a tree with a link to a place."""
    return lambda made: _tree(made, ("120000", "link", _blob(made, target)))


def _link_then_file(made: Repository) -> str:
    inner = _tree(made, ("100644", "file", _blob(made)))
    return _tree(made, ("120000", "out", _blob(made, "../victim")), ("40000", "out", inner))


def _inner_link_then_file(made: Repository) -> str:
    inner = _tree(made, ("100644", "file", _blob(made)))
    return _tree(made, ("120000", "out", _blob(made, "kept")), ("40000", "out", inner))


def _links_that_lead_out_together(made: Repository) -> str:
    deep = _tree(made, ("120000", "up", _blob(made, "../..")))
    middle = _tree(made, ("40000", "b", deep))
    escape = _blob(made, "a/b/up/../victim")
    return _tree(made, ("40000", "a", middle), ("120000", "esc", escape))


def _submodule(made: Repository) -> str:
    return _tree(made, ("160000", "sub", "1" * 40))


def _device(made: Repository) -> str:
    return _tree(made, ("20644", "null", _blob(made)))


def _blob_as_folder(made: Repository) -> str:
    return _tree(made, ("40000", "folder", _blob(made)))


def _folder_as_file(made: Repository) -> str:
    return _tree(made, ("100644", "file", _tree(made, ("100644", "x", _blob(made)))))


def _unsorted(made: Repository) -> str:
    blob = _blob(made)
    return _tree(made, ("100644", "b", blob), ("100644", "a", blob))


def _deep(made: Repository) -> str:
    tree = _tree(made, ("100644", "x", _blob(made)))
    for _ in range(300):
        tree = _tree(made, ("40000", "d", tree))
    return tree


def two_faced_tree(made: Repository) -> str:
    """Store a tree that holds one name twice."""
    return _tree(
        made, ("100644", "a", _blob(made, "good\n")), ("100644", "a", _blob(made, "evil\n"))
    )


def tree_bomb(made: Repository) -> str:
    """Store ten levels of ten equal folders each: ten billion files in a kilobyte."""
    inner = _tree(made, *(("100644", f"f{n}", _blob(made)) for n in range(10)))
    for _ in range(9):
        inner = _tree(made, *(("40000", f"d{n}", inner) for n in range(10)))
    return inner


_BASE_BYTES, _COPY_BYTES = 16 * 1024**2, 0xFFFFFF


def delta_bomb(folder: Path, copies: int) -> tuple[Path, str]:
    """Return a bundle with a file of so many times 16 MB, told in 7 bytes for each of them.

    Source: git, Documentation/gitformat-pack.txt, "Deltified representation".
    """
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet")
    base, size = bytes(_BASE_BYTES), copies * _COPY_BYTES
    identity = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for _ in range(copies):
        identity.update(base[:_COPY_BYTES])
    line = b"100644 zeros.bin\0" + identity.digest()
    tree = made.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=line)
    commit = made.git("commit-tree", tree, "-m", "bomb")
    delta = _varint(_BASE_BYTES) + _varint(size) + b"\xf0\xff\xff\xff" * copies
    objects = [
        _packed(1, made.output("cat-file", "commit", commit)),
        _packed(2, made.output("cat-file", "tree", tree)),
        _packed(3, base),
        _packed(7, delta, bytes.fromhex(blob_id(base))),
    ]
    pack = b"PACK" + struct.pack(">II", 2, len(objects)) + b"".join(objects)
    head = f"# v2 git bundle\n{commit} refs/heads/snapshot\n\n".encode()
    bundle = folder.with_suffix(".bundle")
    bundle.write_bytes(head + pack + hashlib.sha1(pack, usedforsecurity=False).digest())
    return bundle, tree


def _packed(kind: int, data: bytes, base: bytes = b"") -> bytes:
    """Return an object as a pack holds it: kind and size, the base of a delta, the bytes."""
    first, rest = len(data) & 0xF, len(data) >> 4
    head = bytes([kind << 4 | first | (0x80 if rest else 0)])
    return head + (_varint(rest) if rest else b"") + base + zlib.compress(data)


def _varint(number: int) -> bytes:
    """Return a number, seven bits in a byte, the lowest first."""
    told = bytearray()
    while number > 0x7F:
        told.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*told, number])


HOSTILE: dict[str, Callable[[Repository], str]] = {
    "a file named dot dot": _named(".."),
    "a file named dot": _named("."),
    "a file named .git": _named(".git"),
    "a file named .GIT": _named(".GIT"),
    "a file named git~1": _named("git~1"),
    "a file named .git with a dot behind": _named(".git."),
    "a file named .git with what is not seen in it": _named(".g\u200cit"),
    "a file with a slash in its name": _named("../victim/file"),
    "a file with an absolute name": _named("/victim/file"),
    "a file with backslashes": _named("..\\victim"),
    "a file without name": _named(""),
    "a file of a huge name": _named("x" * 100_000),
    "a folder of a huge name": _below("x" * 3_000),
    "a hook in a folder named .git": _below(".git"),
    "a hook in a folder named .Git": _below(".Git"),
    "a file in a folder named dot dot": _below(".."),
    "a file in a folder without name": _below(""),
    "a link to an absolute place": _link("/etc/passwd"),
    "a link out of the tree": _link("../victim"),
    "a link out by a detour": _link("a/../../victim"),
    "a link to nothing": _link(""),
    "a link longer than any path": _link("a/" * 4000),
    "a link, then a file through it": _link_then_file,
    "a link inside, then a file through it": _inner_link_then_file,
    "links that lead out together": _links_that_lead_out_together,
    "a submodule": _submodule,
    "a device": _device,
    "a file in place of a folder": _blob_as_folder,
    "a folder in place of a file": _folder_as_file,
    "names out of order": _unsorted,
    "folders too deep": _deep,
}
"""Each stores a tree that must not be written, and returns its id."""
