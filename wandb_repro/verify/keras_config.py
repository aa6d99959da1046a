"""Keras' serialised objects, simplified for comparing and put into words."""

from __future__ import annotations

from wandb_repro.manifest.canonical import JSON


def simplify(value: JSON) -> JSON:
    """Return a serialised object as its settings and its ``kind``, without Keras' wrapping.

    ``{"class_name": "Adam", "config": {"epsilon": 1e-7}}`` becomes
    ``{"kind": "Adam", "epsilon": 1e-7}``.
    """
    if isinstance(value, list):
        return [simplify(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" in value and "config" in value:
        config = simplify(value["config"])
        if value["class_name"] == "function":
            return config
        if value["class_name"] == "DTypePolicy" and isinstance(config, dict):
            return config.get("name")
        settings = config if isinstance(config, dict) else {"config": config}
        return {"kind": value["class_name"], **settings}
    return {name: simplify(item) for name, item in value.items()}


def config_text(value: JSON) -> str:
    """Return a setting in words: ``Adam(learning_rate=0.001, epsilon=1e-07)``, ``none``.

    Settings that are None or False are left out.
    """
    value = simplify(value)
    if isinstance(value, float):
        return f"{value:.7g}"  # float32 has seven digits: 0.0010000000474974513 is 0.001
    if isinstance(value, dict):
        kind = str(value.get("kind", ""))
        items = (
            f"{name}={config_text(item)}"
            # The learning rate first: it is what people look for.
            for name, item in sorted(value.items(), key=_is_not_learning_rate)
            if name not in ("kind", "name") and item not in (None, False)
        )
        inside = ", ".join(items)
        return f"{kind}({inside})" if kind and inside else kind or f"({inside})"
    if isinstance(value, list):
        return ", ".join(map(config_text, value)) or "none"
    return str(value)


def _is_not_learning_rate(item: tuple[str, JSON]) -> bool:
    return not item[0].endswith("learning_rate")
