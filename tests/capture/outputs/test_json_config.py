"""A config is compared without what differs between two processes."""

from __future__ import annotations

import json
from typing import Any

from wandb_repro.capture.outputs.json_config import config_digest


def digest(config: Any) -> str:
    return config_digest(json.dumps(config).encode())


def test_the_order_of_keys_does_not_count_and_values_do() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest([1, 2]) != digest([2, 1])


def test_the_date_is_left_out() -> None:
    assert digest({"date_saved": "1", "v": 3}) == digest({"date_saved": "2", "v": 3})


def test_addresses_in_memory_are_numbered() -> None:
    def shared(*ids: int) -> Any:
        return [{"layer": {"shared_object_id": one}} for one in ids]

    assert digest(shared(71, 72, 71)) == digest(shared(9, 5, 9))
    assert digest(shared(71, 72, 71)) != digest(shared(71, 72, 72))


def test_the_byte_code_of_a_lambda_is_left_out_and_other_code_is_not() -> None:
    def layer(code: str) -> Any:
        return {"class_name": "__lambda__", "config": {"code": code, "defaults": 1, "closure": 2}}

    assert digest(layer("x")) == digest(layer("y"))
    assert digest({"code": "x"}) != digest({"code": "y"})


def test_text_that_is_not_json_is_digested_by_its_bytes() -> None:
    deep = b"[" * 200_000
    assert len({config_digest(b"{"), config_digest(b"{ "), config_digest(deep)}) == 3
