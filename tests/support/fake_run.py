"""A W&B run made of values, which talks to no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

__all__ = ["FakeConfig", "FakeRun"]


class FakeConfig:
    """A run's config or summary."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def update(self, values: Mapping[str, Any], allow_val_change: bool | None = None) -> None:
        """Set values, which W&B allows only with its own option."""
        del allow_val_change
        self.values.update(values)

    def keys(self) -> Any:
        """Return the names."""
        return self.values.keys()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def _settings() -> SimpleNamespace:
    return SimpleNamespace(
        wandb_dir=None,
        disable_code=False,
        disable_git=False,
        save_code=None,
        allow_media_symlink=False,
        _offline=True,
    )


@dataclass
class FakeRun:
    """Stands in for ``wandb.Run``. It notes what it is given."""

    dir: str
    """Folder of its files: W&B's own is two levels above."""
    id: str = "a1b2c3d4"
    config: FakeConfig = field(default_factory=FakeConfig)
    summary: FakeConfig = field(default_factory=FakeConfig)
    disabled: bool = False
    offline: bool = True
    project: str = "digits"
    settings: Any = field(default_factory=_settings)
    saved: list[str] = field(default_factory=list[str])

    @property
    def _settings(self) -> Any:
        # W&B's own media types read them from here.
        return self.settings

    def _publish_file(self, name: str) -> None:
        self.saved.append(Path(name).name)

    def save(self, glob_str: str, base_path: str, policy: str) -> None:
        """Note the file."""
        del base_path, policy
        self.saved.append(Path(glob_str).name)

    @classmethod
    def below(cls, folder: Path, **values: Any) -> FakeRun:
        """Return a run whose files are in ``wandb/offline-run-1/files`` of a folder."""
        files = folder / "wandb" / "offline-run-1" / "files"
        files.mkdir(parents=True)
        return cls(str(files), **values)


if TYPE_CHECKING:
    from wandb_repro.recording.wandb_run import Run

    _: Run = FakeRun("")
