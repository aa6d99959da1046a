"""Files beside the tree of a stranger's capsule: refused, with nothing written anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.bundles import HOSTILE, bundle_of
from tests.support.repositories import Repository, fingerprint
from wandb_repro.capture.source.bundle import file_of
from wandb_repro.errors import CodeError, RefusedError
from wandb_repro.files import sha256_of_bytes
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, AddedFile, Code
from wandb_repro.rerun.restore_extra import folders_up, restore_added

ROOT = "/home/ada/project"
NOT_ASKED = Unavailable(unavailable="not asked")
FILES = {"lib": "SIZE = 4\n", "project_data": "0.5"}


def _file(path: str, text: str) -> AddedFile:
    data = text.encode()
    return AddedFile(path=path, size_bytes=len(data), digest=f"sha256:{sha256_of_bytes(data)}")


@dataclass(frozen=True)
class Place:
    """A new folder with a restored tree, beside somebody's work."""

    folder: Path
    bundle: Path
    added: Added

    @property
    def within(self) -> Path:
        """The new folder."""
        return self.folder / "new"

    @property
    def restored(self) -> Path:
        """The tree."""
        return self.within / "project"

    def changed(self, **changes: object) -> Place:
        """Return the same with another record."""
        return replace(self, added=self.added.model_copy(update=changes))

    def restore(self) -> None:
        """Put the files where the record says."""
        code = Code(
            root=ROOT, tree="0" * 40, files=1, bundle=NOT_ASKED, git=NOT_ASKED, added=self.added
        )
        scratch = self.within / "added"
        restore_added(self.bundle, code, self.restored, within=self.within, scratch=scratch)

    def refused(self, match: str) -> None:
        """Check that it is refused, and that nothing was written."""
        before = fingerprint(self.folder)
        with pytest.raises((RefusedError, CodeError), match=match):
            self.restore()
        after = fingerprint(self.folder)
        assert {name: entry[0] for name, entry in before.items()} == {
            name: entry[0] for name, entry in after.items()
        }
        assert (self.folder / "victim" / "thesis.txt").read_text() == "years of work"


Make = Callable[..., Place]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Give a function that makes a record of files above the tree, as a stranger may."""

    def make(
        content: Callable[[Repository], str] | dict[str, str] = FILES, top: str = "/home/ada"
    ) -> Place:
        bundle, tree = bundle_of(tmp_path / "made", content)
        files = () if callable(content) else tuple(_file(*one) for one in sorted(content.items()))
        (tmp_path / "new" / "project").mkdir(parents=True)
        (tmp_path / "new" / "project" / "train.py").write_text("x = 1\n")
        (tmp_path / "victim").mkdir()
        (tmp_path / "victim" / "thesis.txt").write_text("years of work")
        told = Added(top=top, tree=tree, bundle=file_of(bundle), files=files, known_until="end")
        return Place(tmp_path, bundle, told)

    return make


def test_what_was_added_comes_back(made: Make) -> None:
    place = made()
    place.restore()
    assert (place.within / "lib").read_text() == "SIZE = 4\n"
    assert not (place.within / "added").exists()


def test_names_that_are_options_are_files(made: Make) -> None:
    place = made({"--help": "1", "-rf": "2", "$(touch x)": "3", "a\nb": "4"})
    place.restore()
    assert {path.name for path in place.within.iterdir()} == {
        *("--help", "-rf", "$(touch x)", "a\nb", "project")
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tree_of_added_files_is_refused(made: Make, name: str) -> None:
    made(HOSTILE[name]).refused("holds|fsck|ls-tree|cannot be")


@pytest.mark.parametrize(
    "files",
    [
        {"files": ()},
        {"files": (_file("lib", FILES["lib"]),)},
        {"files": (_file("lib", FILES["lib"]),) * 2},
        {"files": (_file("lib", FILES["lib"]), _file("../victim/thesis.txt", "0.5"))},
        {"files": (_file("lib", FILES["lib"]), _file("/etc/passwd", "0.5"))},
        {"files": (_file("lib", FILES["lib"]), _file("project_data\0", "0.5"))},
        {"files": (_file("lib", FILES["lib"]), _file("./project_data", "0.5"))},
    ],
    ids=["none", "one less", "one twice", "above", "absolute", "NUL", "another spelling"],
)
def test_a_record_that_names_other_files_is_refused(made: Make, files: dict[str, object]) -> None:
    made().changed(**files).refused("does not name the files")


@pytest.mark.parametrize(
    "lie",
    [
        *({"size_bytes": 1}, {"size_bytes": -1}, {"size_bytes": 2**70}),
        *({"digest": "sha256:" + "0" * 64}, {"digest": ""}),
    ],
    ids=["smaller", "negative", "enormous", "another digest", "no digest"],
)
def test_a_lie_about_size_or_digest_is_refused(made: Make, lie: dict[str, object]) -> None:
    place = made()
    first, second = place.added.files
    place.changed(files=(first.model_copy(update=lie), second)).refused(
        "is not the one that the record adds"
    )


def test_another_bundle_than_the_recorded_one_is_refused(made: Make) -> None:
    place = made()
    place.bundle.write_bytes(place.bundle.read_bytes() + b"\n")
    place.refused("is not the bundle that was recorded")


def test_a_link_is_refused_though_it_leads_nowhere_else(made: Make) -> None:
    def link(repository: Repository) -> str:
        blob = repository.git("hash-object", "-w", "--stdin", stdin=b"lib")
        line = b"120000 link\0" + bytes.fromhex(blob)
        return repository.git("hash-object", "-w", "-t", "tree", "--stdin", stdin=line)

    made(link).changed(files=(_file("link", "lib"),)).refused("which is a link")


def test_a_file_of_the_tree_is_not_replaced(made: Make) -> None:
    place = made({"train.py": "evil\n"}, top=ROOT)
    place.refused("which its tree holds already")
    assert (place.restored / "train.py").read_text() == "x = 1\n"


def test_a_link_of_the_tree_leads_no_file_out(made: Make) -> None:
    def inner(repository: Repository) -> str:
        blob = repository.git("hash-object", "-w", "--stdin", stdin=b"evil")
        line = b"100644 thesis2.txt\0" + bytes.fromhex(blob)
        tree = repository.git("hash-object", "-w", "-t", "tree", "--stdin", stdin=line)
        outer = b"40000 out\0" + bytes.fromhex(tree)
        return repository.git("hash-object", "-w", "-t", "tree", "--stdin", stdin=outer)

    place = made(inner, top=ROOT).changed(files=(_file("out/thesis2.txt", "evil"),))
    (place.restored / "out").symlink_to(place.folder / "victim")
    place.refused("outside the new folder")


@pytest.mark.parametrize(
    "top",
    ["", "relative", "/home/ada\0", "/home/ada/project/deeper", "/home/eve", "/etc", "../.."],
)
def test_files_that_start_from_elsewhere_are_refused(made: Make, top: str) -> None:
    place = made(top=top)
    code = Code(
        root=ROOT, tree="0" * 40, files=1, bundle=NOT_ASKED, git=NOT_ASKED, added=place.added
    )
    with pytest.raises(RefusedError, match=r"have no valid root|is not above its tree"):
        folders_up(code)


def test_files_far_above_the_tree_are_refused(made: Make) -> None:
    deep = "/" + "/".join("a" * 20)
    code = Code(
        root=deep,
        tree="0" * 40,
        files=1,
        bundle=NOT_ASKED,
        git=NOT_ASKED,
        added=made(top="/").added,
    )
    with pytest.raises(RefusedError, match="20 folders above"):
        folders_up(code)


def test_a_top_above_the_new_folder_is_refused(made: Make) -> None:
    made(top="/").refused("outside its tree")
