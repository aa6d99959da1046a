"""The text of ``diff``: groups by effect, many of a kind in one row."""

from __future__ import annotations

from tests.support.terminal import on_paper
from wandb_repro.report.differences import differences_text
from wandb_repro.verify.finding import Effect, Finding, Kind


def finding(kind: Kind, fact: str, effect: Effect = "may change bits") -> Finding:
    return Finding(kind=kind, fact=fact, original="1", here="2", effect=effect, sentence="")


def text_of(*findings: Finding, every: bool = False) -> str:
    return on_paper(differences_text("one", "two", findings, every=every))


def test_no_finding_is_no_difference_between_two_runs() -> None:
    assert text_of() == "no difference  between one and two\n"


def test_what_can_change_bits_comes_first_and_then_the_order_of_the_card() -> None:
    text = text_of(
        finding("machine", "kernel", "explains"),
        finding("data", "train", "changes bits"),
        finding("config", "config.lr", "changes bits"),
        finding("switch", "XLA_FLAGS"),
    )

    order = ["4 differences", "These change bits", "config.lr", "train", "These may change bits"]
    order += ["XLA_FLAGS", "These change no bits", "kernel"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.startswith("4 differences  one on the left, two on the right\n")


def test_a_group_without_findings_has_no_title() -> None:
    text = text_of(finding("seed", "seed", "changes bits"))

    assert text.startswith("1 difference  ")
    assert "may change" not in text
    assert "--all" not in text


def test_more_than_three_packages_are_one_row_with_their_names() -> None:
    packages = [finding("package", f"package-{number}") for number in range(8)]

    text = text_of(*packages)

    assert "8 packages differ" in text
    assert "package-5" in text
    assert "and 2 more" in text
    assert "package-6" not in text
    assert text.endswith("diff --all lists each of them\n")


def test_every_package_is_listed_on_request() -> None:
    packages = [finding("package", f"package-{number}") for number in range(8)]

    text = text_of(*packages, every=True)

    assert [f"package-{number}" in text for number in range(8)] == [True] * 8
    assert "--all" not in text


def test_three_packages_are_listed_one_by_one() -> None:
    text = text_of(*[finding("package", f"package-{number}") for number in range(3)])

    assert "differ\n" not in text
    assert text.count("package-") == 3


def test_what_came_out_has_a_group_of_its_own_before_all_others() -> None:
    text = text_of(finding("seed", "seed", "changes bits"), finding("result", "loss", "explains"))

    assert text.index("What came out differs") < text.index("loss") < text.index("These change")
    assert "These change no bits" not in text
