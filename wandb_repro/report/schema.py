"""The JSON Schema of a verdict, published with the package as ``verdict.schema.json``.

``python -m wandb_repro.report.schema`` generates it from the record's class.
"""

from __future__ import annotations

import json
import sys

from wandb_repro.verify.verdict import Verdict

FILE = "verdict.schema.json"


def schema_text() -> str:
    """Return the content of that file. The schema allows fields that it does not name."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Verdict.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
