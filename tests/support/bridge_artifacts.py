"""Versions of artifacts, which openwandb lists and does not serve: logged, found, and downloaded.

Answers what wandb 0.31 asks when a run logs or uses an artifact, and when ``wandb.Api`` finds,
downloads or deletes a version. The bytes lie where openwandb puts what is uploaded to it, so a
test can look at them and change them. Not known: references, links, other digests than MD5,
uploads in parts, and versions that several processes write.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from tests.support.bridge_shapes import Database, page

__all__ = ["Artifacts", "Listing"]

Variables = Mapping[str, Any]

ROUTE = "/artifacts/"
"""Below it openwandb takes uploads, and the bridge serves them."""

MANIFEST = "wandb_manifest.json"


class Listing(Database, Protocol):
    """openwandb's database, which lists the artifacts of a run."""

    def create_artifact(
        self, run_id: str, name: str, artifact_type: str, metadata: dict[str, Any], /
    ) -> Mapping[str, Any]: ...


@dataclass
class _Version:
    entity: str
    project: str
    name: str
    index: int
    kind: str
    digest: str
    description: str | None
    metadata: str | None
    state: str = "PENDING"
    aliases: list[str] = field(default_factory=list[str])
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    created_at: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat())

    @property
    def collection(self) -> tuple[str, str, str]:
        return self.entity, self.project, self.name

    @property
    def place(self) -> str:
        return "/".join((*self.collection, f"v{self.index}"))


class Artifacts:
    """The artifacts of one server: what is known of them in memory, their bytes on its disk."""

    def __init__(self, database: Listing, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._versions: dict[str, _Version] = {}
        self._answers: dict[str, Callable[[Variables, str], dict[str, Any] | None]] = {
            "mutation CreateArtifact": self._create,
            "mutation CreateArtifactManifest": self._create_manifest,
            "mutation CreateArtifactFiles": self._create_files,
            "mutation CommitArtifact": self._commit,
            "mutation UseArtifact": self._use,
            "mutation DeleteArtifact": self._delete,
            "query ArtifactByID": self._by_id,
            "query ArtifactMembershipByName": self._by_name,
            "query FetchArtifactManifest": self._manifest,
            "query GetArtifactMembershipFileUrls": self._files,
        }

    def answer(self, text: str, variables: Variables, base_url: str) -> dict[str, Any] | None:
        """Return what a request is answered; None where it is about no artifact known here."""
        name = re.match(r"\s*((?:mutation|query)\s+\w+)", text)
        respond = self._answers.get(name.group(1)) if name else None
        return None if respond is None else respond(variables, base_url)

    def file(self, path: str) -> Path | None:
        """Return where the bytes of an address are; None where it is none of an uploaded file."""
        found = self._folder / path.removeprefix(ROUTE)
        return found if path.startswith(ROUTE) and found.is_file() else None

    def _create(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        del base_url
        given = variables.get("input")
        if given is None:
            return None  # as older SDKs send it: openwandb lists it
        collection = given["entityName"], given["projectName"], given["artifactCollectionName"]
        kind, digest = given["artifactTypeName"], given["digest"]
        if run := given.get("runName"):
            self._database.create_artifact(run, collection[2], kind, {})
        others = [it for it in self._versions.values() if it.collection == collection]
        latest = self._named(*collection, "latest")
        same = (it for it in others if it.digest == digest and it.state == "COMMITTED")
        version = next(same, None)
        if version is None:
            told = given.get("description"), given.get("metadata")
            version = _Version(*collection, len(others), kind, digest, *told)
            self._versions[version.id] = version
        version.aliases += [it["alias"] for it in given.get("aliases") or ()]
        if version.state == "COMMITTED":
            self._move_aliases(version)
        sequence = {"latestArtifact": latest and {"id": latest.id}}
        artifact = {"id": version.id, "state": version.state, "artifactSequence": sequence}
        return {"createArtifact": {"artifact": artifact}}

    def _create_manifest(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        version = self._versions.get(variables["artifactID"])
        if version is None:
            return None
        upload = self._upload(base_url, version, MANIFEST)
        file = {"id": version.id, **upload}
        return {"createArtifactManifest": {"artifactManifest": {"id": version.id, "file": file}}}

    def _create_files(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        given = variables.get("input")
        if given is None:
            return None
        edges: list[dict[str, Any]] = []
        for spec in given["artifactFiles"]:
            version = self._versions[spec["artifactID"]]
            upload = self._upload(base_url, version, f"files/{spec['name']}")
            edges.append({"node": {"artifact": {"id": version.id}, **upload}})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _commit(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        del base_url
        version = self._versions.get(variables["artifactID"])
        if version is None:
            return None
        version.state = "COMMITTED"
        self._move_aliases(version)
        return {"commitArtifact": {"artifact": {"id": version.id, "digest": version.digest}}}

    def _move_aliases(self, version: _Version) -> None:
        """Take the aliases of a version from all others of its name, ``latest`` as well."""
        version.aliases = sorted({*version.aliases, "latest"})
        for other in self._versions.values():
            if other is not version and other.collection == version.collection:
                other.aliases = [it for it in other.aliases if it not in version.aliases]

    def _use(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        del base_url
        version = self._versions.get(variables.get("input", variables)["artifactID"])
        return version and {"useArtifact": {"artifact": self._node(version)}}

    def _delete(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        del base_url
        version = self._versions.get(variables["input"]["artifactID"])
        if version is None:
            return None
        version.state = "DELETED"
        shutil.rmtree(self._folder / version.place)
        return {"result": {"artifact": {"id": version.id}}}

    def _by_id(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        del base_url
        version = self._versions.get(variables["id"])
        return version and {"artifact": self._node(version)}

    def _by_name(self, variables: Variables, base_url: str) -> dict[str, Any]:
        del base_url
        entity, project = variables["entity"], variables["project"]
        if self._database.get_project(entity, project) is None:
            return {"project": None}
        name, _, alias = variables["name"].partition(":")
        version = self._named(entity, project, name, alias or "latest")
        membership = version and {
            "id": f"{version.id}-in",
            "versionIndex": version.index,
            "createdAt": version.created_at,
            "aliases": self._aliases(version),
            "artifactCollection": self._collection(version),
            "artifact": self._node(version),
        }
        return {"project": {"artifactCollectionMembership": membership}}

    def _manifest(self, variables: Variables, base_url: str) -> dict[str, Any] | None:
        version = self._versions.get(variables["id"])
        if version is None:
            return None
        file = {"directUrl": self._url(base_url, version, MANIFEST)}
        return {"artifact": {"currentManifest": {"file": file}}}

    def _files(self, variables: Variables, base_url: str) -> dict[str, Any]:
        asked = (variables[name] for name in ("entity", "project", "collection", "alias"))
        version = self._named(*asked)
        files = version and page(
            [
                {"name": name, "directUrl": self._url(base_url, version, f"files/{name}")}
                for name in self._contents(version)
            ],
            variables.get("cursor"),
            variables.get("perPage"),
        )
        membership = files and {"files": files}
        collection = {"__typename": "ArtifactSequence", "artifactMembership": membership}
        return {"project": {"artifactCollection": collection}}

    def _named(self, entity: str, project: str, name: str, alias: str) -> _Version | None:
        """Return the committed version that an alias or ``vN`` means."""
        return next(
            (
                it
                for it in self._versions.values()
                if it.collection == (entity, project, name)
                and it.state == "COMMITTED"
                and alias in (f"v{it.index}", *it.aliases)
            ),
            None,
        )

    def _contents(self, version: _Version) -> dict[str, Any]:
        """Return the entries of the manifest that was uploaded; none until it was."""
        manifest = self._folder / version.place / MANIFEST
        return json.loads(manifest.read_bytes())["contents"] if manifest.is_file() else {}

    def _node(self, version: _Version) -> dict[str, Any]:
        contents = self._contents(version)
        nothing = dict.fromkeys(("historyStep", "commitHash"))
        return {
            **nothing,
            "id": version.id,
            "artifactSequence": self._collection(version),
            "versionIndex": version.index,
            "artifactType": {"name": version.kind},
            "description": version.description,
            "metadata": version.metadata,
            "ttlDurationSeconds": -1,
            "ttlIsInherited": True,
            "tags": [],
            "state": version.state,
            "size": sum(entry["size"] for entry in contents.values()),
            "digest": version.digest,
            "fileCount": len(contents),
            "createdAt": version.created_at,
            "updatedAt": version.created_at,
            "aliases": [
                {**alias, "artifactCollection": self._collection(version)}
                for alias in self._aliases(version)
            ],
        }

    def _aliases(self, version: _Version) -> list[dict[str, str]]:
        named = (f"v{version.index}", *version.aliases)
        return [{"id": f"{version.id}-{alias}", "alias": alias} for alias in named]

    def _collection(self, version: _Version) -> dict[str, Any]:
        row = self._database.get_project(version.entity, version.project)
        number = row["id"] if row else 0
        project = {
            "id": str(number),
            "internalId": str(number),
            "name": version.project,
            "entity": {"name": version.entity},
        }
        return {"__typename": "ArtifactSequence", "name": version.name, "project": project}

    def _upload(self, base_url: str, version: _Version, name: str) -> dict[str, Any]:
        whole = dict.fromkeys(("uploadMultipartUrls", "storagePath"))
        return {"uploadUrl": self._url(base_url, version, name), "uploadHeaders": [], **whole}

    def _url(self, base_url: str, version: _Version, name: str) -> str:
        return base_url + quote(f"{ROUTE}{version.place}/{name}")
