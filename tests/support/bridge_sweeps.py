"""Sweeps, which openwandb lacks: a grid of parameters, handed to W&B's own agents one by one.

Answers what wandb 0.31 asks when a sweep is made, and what its agents ask: to be registered, for
the sweep's config, and in each heartbeat for the next run. Only the method ``grid`` is known.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

__all__ = ["Sweeps"]

Variables = Mapping[str, Any]


@dataclass
class _Sweep:
    config: str
    left: list[dict[str, Any]]
    """Runs that no agent got yet, as its commands."""
    agents: list[str] = field(default_factory=list[str])


class Sweeps:
    """The sweeps of one server, in memory."""

    def __init__(self) -> None:
        self._sweeps: dict[str, _Sweep] = {}
        self._answers: dict[str, Callable[[Variables], dict[str, Any]]] = {
            "mutation UpsertSweep": self._upsert,
            "mutation CreateAgent": self._create_agent,
            "mutation Heartbeat": self._heartbeat,
            "query SweepWithRuns": self._sweep,
        }

    def answer(self, text: str, variables: Variables) -> dict[str, Any] | None:
        """Return what a request is answered; None where it is about no sweep."""
        name = re.match(r"\s*((?:mutation|query)\s+\w+)", text)
        respond = self._answers.get(name.group(1)) if name else None
        return None if respond is None else respond(variables)

    def _upsert(self, variables: Variables) -> dict[str, Any]:
        config = cast("dict[str, Any]", yaml.safe_load(variables["config"]))
        name = secrets.token_hex(4)
        self._sweeps[name] = _Sweep(variables["config"], list(_grid(config)))
        names = variables["projectName"], variables["entityName"]
        project = {"id": names[0], "name": names[0], "entity": {"id": names[1], "name": names[1]}}
        sweep = {"name": name, "project": project}
        return {"upsertSweep": {"sweep": sweep, "configValidationWarnings": []}}

    def _create_agent(self, variables: Variables) -> dict[str, Any]:
        agent = secrets.token_hex(4)
        self._sweeps[variables["sweep"]].agents.append(agent)
        return {"createAgent": {"agent": {"id": agent}}}

    def _heartbeat(self, variables: Variables) -> dict[str, Any]:
        agent = variables["id"]
        sweep = next(it for it in self._sweeps.values() if agent in it.agents)
        busy = any(json.loads(variables["runState"]).values())
        commands: list[dict[str, Any]] = []
        if not busy:
            commands = [sweep.left.pop(0) if sweep.left else {"type": "exit"}]
        told = {"agent": {"id": agent}, "commands": json.dumps(commands)}
        return {"agentHeartbeat": told}

    def _sweep(self, variables: Variables) -> dict[str, Any]:
        sweep = self._sweeps.get(variables["sweep"])
        if sweep is None:
            return {"project": {"sweep": None}}
        fields = ("method", "description", "createdAt", "heartbeatAt", "updatedAt", "bestLoss")
        told = dict.fromkeys((*fields, "earlyStopJobRunning", "controller", "scheduler"))
        name = variables["sweep"]
        known = {"id": name, "name": name, "state": "RUNNING", "config": sweep.config}
        return {"project": {"sweep": {**told, **known, "runs": {"edges": []}}}}


def _grid(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a command for each combination of the parameters' values."""
    parameters = cast("dict[str, dict[str, Any]]", config["parameters"])
    values = [one.get("values", [one.get("value")]) for one in parameters.values()]
    return [
        {
            "type": "run",
            "run_id": secrets.token_hex(4),
            "program": config.get("program"),
            "args": {
                name: {"value": value} for name, value in zip(parameters, chosen, strict=True)
            },
        }
        for chosen in itertools.product(*values)
    ]
