from __future__ import annotations

import pytest

from wandb_repro.capture.secrets.redact_code import redact_source

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "import os\nos.environ['MY_TOKEN'] = 'abc123xyz9'",
            "os.environ['MY_TOKEN'] = '<redacted>'",
        ),
        ('os.environ.setdefault("API_KEY", "q8w7e6")', '("API_KEY", "<redacted>")'),
        (f'wandb.login(key="{KEY}")', 'wandb.login(key="<redacted>")'),
        ("connect(password='open sesame')", "connect(password='<redacted>')"),
        ("%env WANDB_API_KEY=abcd1234", "%env WANDB_API_KEY=<redacted>"),
        ("!curl https://me:pass@host/x -o y", "!curl https://me:<redacted>@host/x -o y"),
        ("out = !login --token abcd1234 now", "<redacted>"),
        ("%%bash\nexport HF_TOKEN=abcdefgh\necho 1", "export HF_TOKEN=<redacted>\necho 1"),
    ],
)
def test_a_credential_is_cut_out_of_a_cell(source: str, expected: str) -> None:
    assert expected in redact_source(source)


@pytest.mark.parametrize(
    "source",
    [
        "model = build(token=tokenizer, key=len)",
        "layers.MultiHeadAttention(num_heads=2, key_dim=2, name='key_query')",
        "lookup['token', 'b']; names['token'], 'b'",
        "vocabulary = {'train': 1, 'token': index}",
        "print('the password: open sesame')",
        "%time model.fit(x, y, epochs=2)",
        "x[key] = 'value'\nsorted(rows, key=lambda row: row['key'])",
    ],
)
def test_code_that_only_looks_alike_is_left_as_it_is(source: str) -> None:
    assert redact_source(source) == source
