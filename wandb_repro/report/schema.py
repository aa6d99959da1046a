"""The JSON Schemas of what ``verify`` and ``rerun`` print, published with the package.

``python -m wandb_repro.report.schema FILE`` generates one from the record's class.
"""

from __future__ import annotations

import json
import sys

from wandb_repro.manifest.base import Record
from wandb_repro.verify.history_verdict import HistoryVerdict
from wandb_repro.verify.verdict import Verdict

FILES: dict[str, type[Record]] = {
    "verdict.schema.json": Verdict,
    "history.schema.json": HistoryVerdict,
}


def schema_text(file: str) -> str:
    """Return the content of a file. The schema allows fields that it does not name."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **FILES[file].model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text(sys.argv[1]))
