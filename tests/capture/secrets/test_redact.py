from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wandb_repro.capture.secrets.redact import redact_arguments, redact_text, redact_url
from wandb_repro.capture.secrets.redact_code import holds_a_credential

HEX40 = "0123456789abcdef0123456789abcdef01234567"
GITHUB = "ghp_" + "A1" * 18
AWS = "AKIA" + "ABCDEFGH12345678"
JSON_WEB_TOKEN = "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl"
R = "<redacted>"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # by the option's name
        (("--api-key", "abcd"), ("--api-key", R)),
        (("--api-key=abcd",), (f"--api-key={R}",)),
        (("--api_key", "abcd"), ("--api_key", R)),
        (("--apiKey=abcd",), (f"--apiKey={R}",)),
        (("-token", "abcd"), ("-token", R)),
        (("--hf-token=abcd",), (f"--hf-token={R}",)),
        (("--client-secret", "abcd"), ("--client-secret", R)),
        (("--password", "1234"), ("--password", R)),
        (("--passwd=true",), (f"--passwd={R}",)),
        (("--db-password=a b,c;d",), (f"--db-password={R}",)),
        (("--auth", "user:abcd"), ("--auth", R)),
        (("--credentials", "abcd"), ("--credentials", R)),
        (("--key", "abcd"), ("--key", R)),
        (("--aws-secret-access-key", "abcd"), ("--aws-secret-access-key", R)),
        (("--token-value", "abcd"), ("--token-value", R)),
        # without dashes: Hydra, environment
        (("wandb.api_key=abcd",), (f"wandb.api_key={R}",)),
        (("+logger.token=abcd",), (f"+logger.token={R}",)),
        (("WANDB_API_KEY=abcd",), (f"WANDB_API_KEY={R}",)),
        # what curl, MySQL and others take
        (("--pass", "abcd"), ("--pass", R)),
        (("--creds", "ada:abcd"), ("--creds", R)),
        (("--login", "abcd"), ("--login", R)),
        (("-u", "ada:abcd"), ("-u", f"ada:{R}")),
        (("--user", "ada:abcd"), ("--user", f"ada:{R}")),
        (("-p", "x7Kp2m"), ("-p", R)),
        (("-px7Kp2m",), (f"-p{R}",)),
        (("-H", "X-Api-Key: abcd"), ("-H", f"X-Api-Key: {R}")),
        (("db={user:a,password:abcd}",), (f"db={{user:a,password:{R}}}",)),
        (("--password", "-abcd"), ("--password", R)),
        # inside a value
        (('--config={"api_key": "ab cd", "lr": 1}',), (f'--config={{"api_key": "{R}", "lr": 1}}',)),
        (("--logger", "{token: abcd, n: 1}"), ("--logger", f"{{token: {R}, n: 1}}")),
        (("--dsn=host=db password=abcd",), (f"--dsn=host=db password={R}",)),
        (
            ("--header", "Authorization: Bearer abcdefgh"),
            ("--header", f"Authorization: Bearer {R}"),
        ),
        # by shape
        (("--x", AWS), ("--x", R)),
        ((f"s3={AWS}/b",), (f"s3={R}/b",)),
        ((GITHUB,), (R,)),
        (("github_pat_" + "a1" * 20,), (R,)),
        (("xoxb-1234567890-abc",), (R,)),
        (("sk-proj-" + "a1" * 12,), (R,)),
        (("hf_" + "a1" * 17,), (R,)),
        ((JSON_WEB_TOKEN,), (R,)),
        ((HEX40,), (R,)),
        (("local-" + HEX40,), (R,)),
        (("wandb_v1_" + "a1" * 20,), (R,)),
        # in addresses
        (("https://user:abcd@host/x",), (f"https://user:{R}@host/x",)),
        (("--data=https://abcd@host/x",), (f"--data=https://{R}@host/x",)),
        (("postgresql://u:p@ss@db:5432/x",), (f"postgresql://u:{R}@db:5432/x",)),
        (("https://host/x?token=abcd&n=1",), (f"https://host/x?token={R}&n=1",)),
        (("https://host/x?sv=1&sig=ab%2Bcd",), (f"https://host/x?sv=1&sig={R}",)),
        (("https://host/x?X-Amz-Signature=ab",), (f"https://host/x?X-Amz-Signature={R}",)),
    ],
)
def test_a_credential_is_cut(arguments: tuple[str, ...], expected: tuple[str, ...]) -> None:
    cut, positions = redact_arguments(arguments)
    assert cut == expected
    assert positions == (next(at for at, text in enumerate(expected) if R in text),)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("train.py", "--lr", "1e-3"),
        ("--tokenizer", "gpt2"),
        ("--max-tokens", "128"),
        ("--max_token=128",),
        ("--num-tokens=128",),
        ("--pad-token", "<pad>"),
        ("--eos_token=</s>",),
        ("--token-type", "word"),
        ("--key-metric", "val_loss"),
        ("--sort-key", "length"),
        ("--label_key=y",),
        ("--public-key", "abcd"),
        ("--keys", "a"),
        ("--keyboard", "us"),
        ("--monkey", "see"),
        ("--author", "someone"),
        ("--no-auth", "train"),
        ("--use_auth_token", "True"),
        ("--use-auth-token=false",),
        ("--password-file", "/run/password"),
        ("--secret-name", "db"),
        ("--token-path=/run/token",),
        ("--token", "--verbose"),
        ("--token",),
        ("--key", "3"),
        ("model.key=0.5",),
        ("--signature", "serving_default"),
        ("--commit", HEX40),
        (f"--revision={HEX40}",),
        (f"git+https://host/x.git@{HEX40}",),
        (f"cache/snapshots/{HEX40}/model",),
        ("sk-learn-with-a-very-long-name-indeed",),
        ("ssh://git@host/x.git",),
        ("git@host:org/x.git",),
        ("https://host:8080/x?page=2",),
        ("someone@example.org",),
        ("a=b",),
        ("--filter=lr=0.1",),
        ("-p", "8080"),
        ("-p", "data/fold-3"),
        ("-p", "project"),
        ("-u", "1000"),
        ("-u", "https://host:80/x"),
        ("-path2data",),
        ("--passes", "3"),
        ("--password", "--verbose"),
    ],
)
def test_what_is_no_credential_stays(arguments: tuple[str, ...]) -> None:
    assert redact_arguments(arguments) == (arguments, ())


def test_positions_are_those_of_the_arguments_that_lost_something() -> None:
    cut, positions = redact_arguments(("--a", "1", "--token", "abcd", f"--x={GITHUB}"))
    assert cut == ("--a", "1", "--token", R, f"--x={R}")
    assert positions == (3, 4)


@given(st.lists(st.text(max_size=20), max_size=6))
def test_cutting_twice_changes_nothing_more(arguments: list[str]) -> None:
    once, _ = redact_arguments(arguments)
    assert len(once) == len(arguments)
    assert redact_arguments(once) == (once, ())


@given(st.from_regex(r"[A-Za-z0-9]{12,30}", fullmatch=True))
def test_a_password_never_survives(password: str) -> None:
    planted = (f"--password={password}", "--token", f"x{password}", f"https://u:{password}@h/")
    assert password not in " ".join(redact_arguments(planted)[0])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:abcd@host/org/x.git", "https://host/org/x.git"),
        ("https://abcd@host/x", "https://host/x"),
        ("https://host:8443/x?token=abcd#part", "https://host:8443/x"),
        ("ssh://git@host/x.git", "ssh://git@host/x.git"),
        ("ssh://git:abcd@host/x.git", "ssh://host/x.git"),
        ("ssh://someone@host/x.git", "ssh://host/x.git"),
        ("git@host:org/x.git", "git@host:org/x.git"),
        ("someone@host:org/x.git", "host:org/x.git"),
        (f"https://host/{GITHUB}/x.git", f"https://host/{R}/x.git"),
        ("/srv/x.git", "/srv/x.git"),
        ("../x.git", "../x.git"),
        ("file:///srv/x.git", "file:///srv/x.git"),
        ("https://[bad/x?token=abcd", "https://[bad/x"),
        ("https://u:abcd@[bad/x", f"https://u:{R}@[bad/x"),
    ],
)
def test_an_address_is_left_without_user_and_query(url: str, expected: str) -> None:
    assert redact_url(url) == expected


def test_a_private_key_is_cut_whole() -> None:
    text = "k: -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
    assert redact_text(text) == f"k: {R}"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sorted(x, key=len)", False),
        ("token = tokens[0]; print(token)", False),
        ("login(key='abcd1234xyz')", True),
        ('config = {"password": "abcd"}', True),
        (f"use('{GITHUB}')", True),
    ],
)
def test_only_literals_of_code_are_credentials(code: str, expected: bool) -> None:
    assert holds_a_credential(code) is expected


@pytest.mark.parametrize("part", ["a", "a-", "a.", "sk-", "eyJ", "x=", "://", '"', "key: "])
def test_a_long_argument_is_read_in_time(part: str) -> None:
    began = time.monotonic()
    redact_arguments((part * 20_000,))
    assert time.monotonic() - began < 5
