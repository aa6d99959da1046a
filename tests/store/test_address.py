from __future__ import annotations

import pytest

from wandb_repro.errors import UsageError
from wandb_repro.store.address import RunAddress, parse_address, parse_project, same_server


@pytest.mark.parametrize(
    ("text", "path", "server"),
    [
        ("team/digits/abc123", "team/digits/abc123", ""),
        (" digits/abc123\n", "digits/abc123", ""),
        ("https://wandb.ai/team/digits/runs/abc123", "team/digits/abc123", "https://wandb.ai"),
        (
            "https://wandb.ai/team/digits/runs/abc123/overview?nw=nwuser#x",
            "team/digits/abc123",
            "https://wandb.ai",
        ),
        (
            "https://forge.coreweave.com/wandb/team/digits/runs/abc123",
            "team/digits/abc123",
            "https://wandb.ai",
        ),
        (
            "http://127.0.0.1:8080/runs/default/digits/abc123",
            "default/digits/abc123",
            "http://127.0.0.1:8080",
        ),
        (
            "HTTPS://Wandb.Example.org:8443/runs/runs/runs/abc123",
            "runs/runs/abc123",
            "https://wandb.example.org:8443",
        ),
        ("https://wandb.ai/t%C3%A9/my%20x/runs/a", None, None),
        ("https://wandb.ai/team/digits", None, None),
        ("https://wandb.ai/team/digits/runs", None, None),
        ("https://wandb.ai/team/digits/workspace", None, None),
        ("https://wandb.ai/%2e%2e/digits/runs/a", None, None),
        ("https://wandb.ai/team/a%2Fb/runs/a", None, None),
        ("https://[wandb.ai/team/digits/runs/a", None, None),
        ("https://wandb.ai:port/team/digits/runs/a", None, None),
        ("", None, None),
        ("abc123", None, None),
        ("a//c", None, None),
        ("a/../c", None, None),
        ("a/b/c/d", None, None),
        ("a/b:c", None, None),
    ],
)
def test_an_address_is_read_or_refused(text: str, path: str | None, server: str | None) -> None:
    if path is None or server is None:
        with pytest.raises(UsageError):
            parse_address(text)
    else:
        assert parse_address(text) == RunAddress(path, server)


@pytest.mark.parametrize(
    ("address", "configured", "same"),
    [
        ("https://wandb.ai", "https://api.wandb.ai", True),
        ("https://wandb.ai", "https://api.forge.coreweave.com", True),
        ("https://app.wandb.example.org", "https://api.wandb.example.org/", True),
        ("http://localhost:8080", "http://127.0.0.1:8080", True),
        ("https://wandb.example.org", "https://wandb.example.org:443", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081", False),
        ("https://wandb.ai.example.org", "https://api.wandb.ai", False),
        ("https://wandb.ai", "https://wandb.example.org", False),
    ],
)
def test_a_page_belongs_to_its_server_under_all_its_names(
    address: str, configured: str, same: bool
) -> None:
    assert same_server(address, configured) is same


@pytest.mark.parametrize(
    ("text", "path", "server"),
    [
        ("ada/digits", "ada/digits", ""),
        ("digits", "digits", ""),
        ("https://wandb.ai/ada/digits", "ada/digits", "https://wandb.ai"),
        ("https://wandb.ai/ada/digits/workspace?nw=x", "ada/digits", "https://wandb.ai"),
        ("http://127.0.0.1:8080/projects/ada/digits", "ada/digits", "http://127.0.0.1:8080"),
    ],
)
def test_a_project_is_read_as_people_write_it(text: str, path: str, server: str) -> None:
    assert parse_project(text) == RunAddress(path, server)


@pytest.mark.parametrize(
    "text", ["", "a b", "ada/digits/id/x", "ada/../x", "https://wandb.ai/ada", "https://wandb.ai"]
)
def test_what_is_no_project_is_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match="not a W&B project"):
        parse_project(text)
