"""openwandb behind a small bridge: a W&B server that ``wandb.Api`` of 0.31 can read from.

The bridge drops the empty ``operationName`` that wandb 0.31 sends and strawberry refuses, and
answers the queries of ``bridge_queries``, the agents of ``bridge_sweeps`` and what is about the
``bridge_artifacts``. All else goes to openwandb unchanged. Started as
``python -m tests.support.bridge --port P --data-dir D``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.bridge_artifacts import Artifacts, Listing
from tests.support.bridge_queries import ANSWERS, Query
from tests.support.bridge_sweeps import Sweeps
from tests.support.run_filter import UnknownFilterError

__all__ = ["Bridge"]

HOST = "127.0.0.1"
"""NOTE: openwandb by itself listens on every address."""


class Bridge:
    """An ASGI application in front of openwandb's."""

    def __init__(self, app: ASGIApp, database: Listing, artifacts: Path) -> None:
        self._app = app
        self._database = database
        self._sweeps = Sweeps()
        self._artifacts = Artifacts(database, artifacts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", "/graphql"):
            await self._graphql(Request(scope, receive), send)
        elif (file := self._served(scope)) is not None:
            await FileResponse(file)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _served(self, scope: Scope) -> Path | None:
        """Return the file of an artifact that is asked for. openwandb knows none: its 405."""
        asked = scope["type"] == "http" and scope["method"] == "GET"
        return self._artifacts.file(scope["path"]) if asked else None

    async def _graphql(self, request: Request, send: Send) -> None:
        body = cast("dict[str, Any]", await request.json())
        answer = self._answer(body, str(request.base_url).rstrip("/"))
        if answer is not None:
            await JSONResponse(answer)(request.scope, request.receive, send)
            return
        if not body.get("operationName"):
            body.pop("operationName", None)
        await self._forward(request, json.dumps(body).encode(), send)

    def _answer(self, body: dict[str, Any], base_url: str) -> dict[str, Any] | None:
        text = str(body.get("query", ""))
        variables: dict[str, Any] = body.get("variables") or {}
        if "mutation UpsertBucket" in text and variables.keys() == {"id", "summaryMetrics"}:
            return {"data": self._replaced_summary(**variables)}
        told = self._sweeps.answer(text, variables)
        if told is None:
            told = self._artifacts.answer(text, variables, base_url)
        if told is not None:
            return {"data": told}
        name = re.search(r"^\s*query\s+(\w+)", text, re.MULTILINE)
        respond = ANSWERS.get(name.group(1)) if name else None
        if respond is None:
            return None
        query = Query(self._database, base_url, text, body.get("variables") or {})
        try:
            return {"data": respond(query)}
        except UnknownFilterError as error:
            return {"data": None, "errors": [{"message": str(error)}]}

    def _replaced_summary(self, id: str, summaryMetrics: str) -> dict[str, Any]:  # noqa: A002, N803
        """Write a summary whole, as ``run.summary.update()`` of the public API means it.

        NOTE: openwandb takes this id, which it tells itself, for the name of a run.
        """
        with self._database.get_db() as connection:
            command = "UPDATE runs SET summary_json = ? WHERE id = ?"
            connection.execute(command, (summaryMetrics, int(id)))
        return {"upsertBucket": {"bucket": {"id": id}}}

    async def _forward(self, request: Request, body: bytes, send: Send) -> None:
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop() if pending else await request.receive()

        headers = [pair for pair in request.scope["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._app({**request.scope, "headers": headers}, receive, send)


def _serve(port: int, data_dir: Path) -> None:
    # NOTE: openwandb reads these, and creates the folders, when it is imported.
    os.environ["OPENWANDB_DATA_DIR"] = str(data_dir)
    os.environ["OPENWANDB_HOST"] = HOST
    os.environ["OPENWANDB_PORT"] = str(port)
    app = cast("ASGIApp", importlib.import_module("openwandb.server").app)
    database = cast("Listing", importlib.import_module("openwandb.database"))
    bridge = Bridge(app, database, data_dir / "artifacts")
    uvicorn.run(bridge, host=HOST, port=port, log_level="warning")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="tests.support.bridge")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    arguments = parser.parse_args()
    _serve(arguments.port, arguments.data_dir)


if __name__ == "__main__":
    _main()
