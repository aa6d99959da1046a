"""What a reviewer sees on the pages of a W&B server, in a real browser."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Generator
from typing import Any

import pytest

from tests.online.scripts import TRAIN
from tests.report.pages import CARDS
from tests.support.browser import keep
from tests.support.machine import Machine, Stored, a_project, only_run
from tests.support.server import WandbServer

pytestmark = pytest.mark.slow

OWNED = "document.title=1"
BRANCH = f'x"><img/src=x/onerror={OWNED}>'
NOTE = f"--note=<script>{OWNED}</script>"


@pytest.fixture(scope="module")
def hostile(
    browser: Any, wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory
) -> Stored:
    """Record a training on a branch, and with an argument, that a page must not obey."""
    del browser  # without one nothing is recorded
    machine = Machine(wandb_server, tmp_path_factory.mktemp("hostile"))
    project = a_project(machine.folder / "project", TRAIN, {"size.py": "UNITS = 4\n"})
    subprocess.run(["git", "checkout", "-qb", BRANCH], cwd=project, check=True, timeout=60)
    done = machine.run("train.py", NOTE, cwd=project)
    assert done.code == 0, done.err
    return Stored(wandb_server, f"default/online/{only_run(project).name.rpartition('-')[2]}")


@pytest.fixture
def page(browser: Any, wandb_server: WandbServer) -> Generator[Any]:
    """Give a page of somebody who is logged in to the server."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    person = {"username": f"reviewer-{secrets.token_hex(4)}", "password": secrets.token_hex(8)}
    told = context.request.post(f"{wandb_server.base_url}/api/v2/auth/register", data=person)
    assert told.ok, told.text()
    yield context.new_page()
    context.close()


def _opened(page: Any, stored: Stored, tab: str) -> str:
    page.goto(f"{stored.server.base_url}/runs/{stored.path}")
    page.locator(".tab", has_text=tab).click()
    content = page.locator(f"#tab-{tab.lower()}")
    content.wait_for(state="visible")
    return content.inner_text()


def test_the_summary_shows_our_strings(page: Any, hostile: Stored) -> None:
    told = _opened(page, hostile, "Summary")

    keep(page, "server-summary")
    summary = hostile.summary
    for name in ("repro/environment", "repro/manifest", "repro/weights"):
        assert name in told
        assert summary[name] in told
    assert page.title() != "1"


def test_the_config_shows_our_one_entry(page: Any, hostile: Stored) -> None:
    told = _opened(page, hostile, "Config")

    keep(page, "server-config")
    for fact in ("repro", "'dirty': True", "'seed': '2147483655'", "'threads'", "lr"):
        assert fact in told


def test_the_card_among_the_run_files_shows_branch_and_argument_as_text(
    page: Any, hostile: Stored
) -> None:
    address = f"{hostile.server.base_url}/files/{hostile.path}/repro/report.html"
    answer = page.goto(address)

    keep(page, "server-card")
    assert answer.headers["content-type"].startswith("text/html")
    shown = page.inner_text("body")
    assert page.title().endswith(hostile.id)
    assert BRANCH in shown
    assert NOTE in shown
    assert "This run can be rerun from what was recorded" in shown
    assert shown.index("can be rerun") < shown.index("Code") < shown.index("Rerun it")
    assert f"uvx 'wandb-repro[rerun]' rerun {hostile.path}" in shown
    assert page.locator("img, script").count() == 0


def test_the_card_of_a_rerun_shows_where_it_parted(page: Any, hostile: Stored) -> None:
    place = hostile.file("repro/rerun-card.html")
    place.write_text(CARDS["card-rerun"](), encoding="utf-8")

    page.goto(f"{hostile.server.base_url}/files/{hostile.path}/repro/rerun-card.html")

    keep(page, "server-card-rerun")
    place.unlink()
    assert "diverged at step 1 (epoch 1)" in page.inner_text("body")
    assert page.locator("svg rect").count() == 3
    assert page.locator("svg rect").first.bounding_box()["width"] > 10


def test_the_page_names_every_file_of_the_capsule(page: Any, hostile: Stored) -> None:
    answer = page.goto(f"{hostile.server.base_url}/api/v1/runs/{hostile.id}/files")

    told = answer.text()
    for name in ("manifest.json", "code.bundle", "trail.jsonl", "report.html", "changes.diff"):
        assert f"repro/{name}" in told
