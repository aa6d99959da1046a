from __future__ import annotations

import pytest

from wandb_repro.capture.process.command_line import began_in, parse


@pytest.mark.parametrize(
    ("line", "main_file", "folder"),
    [
        ("python train.py", "/project/train.py", "/project"),
        ("python ./train.py", "/project/train.py", "/project"),
        ("python jobs/train.py", "/project/jobs/train.py", "/project"),
        ("python ../train.py", "/project/src/../train.py", "/project/src"),
        ("python train.py", "/train.py", "/"),
        ("python app", "/project/app/__main__.py", "/project"),
        ("python app/", "/project/app/__main__.py", "/project"),
        ("python app.pyz", "/project/app.pyz/__main__.py", "/project"),
        ("python /project/train.py", "/project/train.py", "/now"),
        ("python train.py", "/project/another.py", "/now"),
        ("python train.py", "", "/now"),
        ("python -c pass", "", "/now"),
        ("python -m wandb_repro.launch train.py", "/project/train.py", "/now"),
    ],
)
def test_where_a_script_began_is_read_off_its_absolute_name(
    line: str, main_file: str, folder: str
) -> None:
    found = parse(line.split())
    assert began_in(found, now="/now", main_file=main_file, told="", search_path=()) == folder


@pytest.mark.parametrize(
    ("told", "search_path", "main_file", "folder"),
    [
        ("/now", ["/now", "/lib"], "/now/digits/train.py", "/now"),
        ("/project", ["/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/project", ["/mine", "/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/parent", ["/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/project", ["/project", "/lib"], "/lib/digits/train.py", "/now"),
        ("", [], "", "/now"),
    ],
)
def test_where_a_module_began_is_what_python_searches_first(
    told: str, search_path: list[str], main_file: str, folder: str
) -> None:
    found = parse(["python", "-m", "digits.train"])
    began = began_in(found, now="/now", main_file=main_file, told=told, search_path=search_path)
    assert began == folder
