from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planted import KINDS
from tests.support.repositories import Repository, in_tree, repository
from wandb_repro.capture.source.committed_secrets import without_committed_secrets
from wandb_repro.capture.source.limits import Limits
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.capture.source.take_snapshot import take_snapshot

STRIPE = KINDS["a Stripe key"]


def _named(snapshot: Snapshot) -> dict[str, str]:
    return {left.path: left.reason for left in snapshot.left_out}


@pytest.fixture
def code(tmp_path: Path) -> Repository:
    """Give a clean repository with a secret that somebody committed."""
    made = repository(tmp_path / "code", **{"deep/network.py": "SIZE = 4\n"})
    made.write(STRIPE.file, STRIPE.content)
    made.commit()
    return made


def test_a_committed_secret_is_in_neither_the_tree_nor_the_bundle(
    code: Repository, tmp_path: Path
) -> None:
    with take_snapshot(code.path) as taken:
        assert STRIPE.file.encode() in taken.entries
        searched = without_committed_secrets(taken)
        searched.write_bundle(tmp_path / "code.bundle")
    assert _named(searched) == {STRIPE.file: "looks like a secret (it holds a token for Stripe)"}
    alone = repository(tmp_path / "alone")
    alone.git("fetch", "--quiet", str(tmp_path / "code.bundle"), "refs/heads/snapshot")
    held = in_tree(alone.path / ".git", searched.tree)
    assert set(held) == {"deep/network.py", "train.py"}
    assert not any(STRIPE.value.encode() in data for _, data in held.values())


def test_what_the_first_snapshot_says_stays(code: Repository) -> None:
    with take_snapshot(code.path) as taken:
        tree, files = taken.tree, taken.files
        searched = without_committed_secrets(taken)
        assert (taken.tree, taken.files) == (tree, files)
        assert (searched.files, searched.dirty, searched.changed) == (files - 1, False, ())
        assert searched.tree != tree


def test_a_tree_without_secrets_is_the_same(tmp_path: Path) -> None:
    with take_snapshot(repository(tmp_path / "code").path) as taken:
        assert without_committed_secrets(taken) is taken


def test_a_file_with_a_secret_name_never_was_in_it_though_committed(tmp_path: Path) -> None:
    names = (".env", "id_rsa", ".netrc", "service-account.json", "conf/tls.key")
    made = repository(tmp_path / "code", **dict.fromkeys(names, "x"))
    with take_snapshot(made.path) as taken:
        assert set(_named(taken)) == set(names)


def test_files_that_were_stored_while_they_were_read_are_searched_too(
    code: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wandb_repro.capture.source.file_store._MEMORY_BYTES", 10)
    code.write("new.py", "x = 1\n" * 10)
    with take_snapshot(code.path) as taken:
        searched = without_committed_secrets(taken)
        searched.write_bundle(tmp_path / "code.bundle")
        assert set(in_tree(searched.folder, searched.tree)) == {
            *("deep/network.py", "new.py", "train.py")
        }


def test_what_was_not_searched_in_time_is_left_out_and_named(code: Repository) -> None:
    with take_snapshot(code.path) as taken:
        searched = without_committed_secrets(taken, seconds=-1)
    assert set(_named(searched)) == {"deep/network.py", "train.py", STRIPE.file}
    assert set(_named(searched).values()) == {"not searched for secrets in -1 s"}
    assert not searched.entries


def test_a_large_committed_file_is_searched_too(code: Repository) -> None:
    code.write("notebook.ipynb", " " * 1_100_000 + STRIPE.content)
    code.commit()
    with take_snapshot(code.path) as taken:
        assert "notebook.ipynb" in _named(without_committed_secrets(taken))


def test_what_a_limit_leaves_out_stays_named(code: Repository) -> None:
    code.write("data.csv", "0" * 5000)
    code.commit()
    with take_snapshot(code.path, limits=Limits(file_bytes=4000)) as taken:
        assert set(_named(without_committed_secrets(taken))) == {"data.csv", STRIPE.file}
