"""Elements of pages: text stays text, and a link leads to the web or nowhere."""

from __future__ import annotations

import pytest

from tests.report.pages import Page
from wandb_repro.report.html import document, element, link


def test_text_before_and_behind_an_element_stays_in_its_place() -> None:
    page = Page(document("t", element("p", "one ", element("code", "two"), " three & <four>")))

    assert page.text.endswith("one two three & <four>\n")


def test_a_reserved_name_is_an_attribute_like_any_other() -> None:
    assert element("p", class_="band", accept_charset="utf-8").attrib == {
        "class": "band",
        "accept-charset": "utf-8",
    }


@pytest.mark.parametrize("address", ["https://example.org/a", "http://127.0.0.1:8080/runs"])
def test_an_address_of_the_web_is_a_link(address: str) -> None:
    assert link("there", address).attrib["href"] == address


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " https://example.org", "data:text/html,x", "//evil", ""]
)
def test_any_other_address_is_text(address: str) -> None:
    made = link("there", address)

    assert (made.tag, made.text, made.attrib) == ("span", "there", {})
