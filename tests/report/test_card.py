"""The card: one page that stands alone, from records that may be hostile."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.report.pages import CARDS, DIFF, Page, card_of
from tests.support.golden import Golden
from tests.support.many_packages import many_packages
from tests.support.records import absent, full_manifest, moment, rerun_manifest, trail
from wandb_repro.manifest.code import Code, GitState
from wandb_repro.report.card import CardExtras, commit_page

each = pytest.mark.parametrize("made", CARDS.values(), ids=CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_reads_like_its_golden_page(name: str, golden: Golden) -> None:
    style = re.compile("<style>.*?</style>", re.DOTALL)  # the same in all: looked at in a browser
    golden.check(f"{name}.html", style.sub("<style></style>", CARDS[name]()))


@each
def test_a_card_asks_nobody_for_anything(made: Callable[[], str]) -> None:
    text = made()
    page = Page(text)

    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(page.tags)
    assert not {"src", "srcset", "style", "action"} & {name for name, _ in page.attributes}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


HOSTILE = {
    "markup": '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "an end of its place": '"></title></style></pre></svg><h1>owned</h1>',
    "an entity": "&lt;b&gt; &amp; &#106;avascript:alert(1)",
    "a comment": "<!-- --><![CDATA[ x ]]>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_stranger_writes_is_text(text: str) -> None:
    def made(told: str) -> Page:
        bent: dict[str, Any] = {
            "execution.command.arguments": [told, told, told, told],
            "execution.code.git.branch": told,
            "execution.code.git.remote": told,
            "execution.packages.distributions.3.name": told,
            "execution.packages.distributions.3.origin_detail": told,
            "description.config": {told: told},
            "ending.detail": told,
            "recorded_by": told,
        }
        return Page(
            card_of(rerun_manifest(bent), trail(), CardExtras(changes=told, reproduced=told), told)
        )

    hostile, plain = made(text), made("plain")

    assert hostile.tags == plain.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in plain.attributes]
    assert hostile.text.count(text) >= 8


def test_control_characters_are_no_part_of_a_page() -> None:
    text = card_of(
        full_manifest(), trail(), CardExtras(changes="a\x00b\x1b[31m\u202ec\n"), "x\x00\ud800y"
    )

    assert not set(text) & set("\x00\x1b\u202e\ud800")
    text.encode()


def test_what_was_not_committed_can_be_read_inside() -> None:
    page = Page(card_of(full_manifest(), trail(), CardExtras(changes=DIFF)))

    assert "-rate = 0.1" in page.text
    assert page.tags.count("ins") == page.tags.count("del") == 1


def _git(remote: str, pushed: bool = True) -> GitState:
    manifest = rerun_manifest(
        {"execution.code.git.remote": remote, "execution.code.git.pushed": pushed}
    )
    code = manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.git, GitState)
    return code.git


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/ada/digits.git",
        "https://github.com/ada/digits",
        "git@github.com:ada/digits.git",
        "ssh://git@github.com/ada/digits.git",
    ],
)
def test_a_pushed_commit_is_linked_to_its_page(remote: str) -> None:
    git = _git(remote)

    assert commit_page(git) == f"https://github.com/ada/digits/commit/{git.commit}"


@pytest.mark.parametrize(
    "remote",
    [
        "https://git.example/ada/digits",
        "javascript:alert(1)//github.com/a/b",
        "https://github.com.evil.example/a/b",
        "https://github.com/",
        "../github.com/a/b",
    ],
)
def test_another_address_is_linked_to_nothing(remote: str) -> None:
    assert commit_page(_git(remote)) == ""


def test_a_commit_that_nobody_else_has_is_linked_to_nothing() -> None:
    assert commit_page(_git("https://github.com/ada/digits", pushed=False)) == ""


def test_a_large_environment_and_a_long_trail_are_a_small_page() -> None:
    many = trail([moment(epoch=epoch, step=9 * epoch) for epoch in range(1, 1001)])
    text = card_of(many_packages(full_manifest(), 345), many, CardExtras(changes="+x = 1\n" * 1500))

    assert len(text.encode()) < 300_000


def test_a_run_that_no_server_has_is_repeated_from_its_folder() -> None:
    page = Page(card_of(rerun_manifest({"run.offline": True}), trail()))

    assert "rerun latest" in page.text


def test_what_stands_in_the_way_of_a_rerun_stands_beside_its_command_too() -> None:
    told = "This stops before training"
    code = {"execution.code": absent("recording it failed: OSError")}

    assert told in Page(card_of(rerun_manifest(code), trail())).text
    assert told not in Page(card_of(rerun_manifest(), trail())).text
