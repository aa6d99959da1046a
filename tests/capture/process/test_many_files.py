from __future__ import annotations

from wandb_repro.capture.process.many_files import folders_of_many


def test_twenty_files_of_a_folder_are_many() -> None:
    files = [f"/data/{number}" for number in range(19)]
    assert folders_of_many(files) == frozenset()
    assert folders_of_many([*files, "/data/x"]) == {"/data"}


def test_a_few_files_of_each_of_many_folders_are_many() -> None:
    files = [f"/data/{kind}/{number}" for kind in range(10) for number in range(2)]
    assert folders_of_many(files) == {f"/data/{kind}" for kind in range(10)}
    assert folders_of_many(files[:19]) == frozenset()


def test_other_files_are_none_of_them() -> None:
    files = [f"/data/{number}" for number in range(20)]
    assert folders_of_many([*files, "/home/ada/x.csv"]) == {"/data"}


def test_relative_paths() -> None:
    assert folders_of_many([str(number) for number in range(20)]) == {""}
