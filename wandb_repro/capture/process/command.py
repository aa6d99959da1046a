"""The command that started the run, recorded so that it can be started again elsewhere."""

from __future__ import annotations

import os.path
from pathlib import Path, PurePosixPath
from typing import Literal

from wandb_repro.capture.host import Host
from wandb_repro.capture.process.command_line import Invocation, parse
from wandb_repro.capture.process.notebook import RUNNER, Shell, name_of_notebook, shell_of
from wandb_repro.capture.secrets.redact import redact_arguments
from wandb_repro.capture.secrets.redact_code import holds_a_credential
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.request import own_search_path
from wandb_repro.manifest.switches import RESTORED

NOTEBOOKS = frozenset({"ipykernel_launcher", "ipykernel", "colab_kernel_launcher"})
SHELLS = frozenset({"ipython", "ipython3", "IPython", "bpython", "ptpython"})
WORKERS = ("from multiprocessing.", "from joblib.externals.loky", "from loky.")
WORKER_MODULES = ("joblib.externals.loky.", "loky.backend.")


def probe_command(host: Host, code_root: Path | None) -> Command | Unavailable:
    """Return how to start the run again, or why that is unknown and what to do.

    Args:
        host: the process.
        code_root: top of the source tree; None if there is none, and then every path stays
            absolute.
    """
    if not host.command_line:
        return Unavailable(
            unavailable="Python is embedded in another program; start the training with python"
        )
    if host.is_forked:
        return Unavailable(unavailable=_WORKER)
    parsed = parse(host.command_line)
    shell = shell_of(host.modules)
    if shell is not None:
        return _notebook(host, code_root, parsed, shell)
    reason = _refusal(parsed)
    return Unavailable(unavailable=reason) if reason else _command(host, code_root, parsed)


def _command(host: Host, code_root: Path | None, parsed: Invocation) -> Command:
    arguments, redacted = redact_arguments(parsed.arguments)
    kind, target = _target(host, code_root, parsed)
    return Command(
        kind=kind,
        target=target,
        arguments=arguments,
        redacted=redacted,
        interpreter_flags=parsed.flags,
        working_directory=_relative(host, code_root, host.started_in),
        launcher=parsed.launcher,
        python_path=_python_path(host, parsed),
        environment={name: host.environ[name] for name in RESTORED if name in host.environ},
    )


def _notebook(host: Host, code_root: Path | None, parsed: Invocation, shell: Shell) -> Command:
    """Return the command of a notebook, without its cells: those are added when recorded."""
    name = name_of_notebook(shell, host.environ)
    if parsed.target == RUNNER:
        name = parsed.arguments[-1]
    return Command(
        kind="notebook",
        target=_relative(host, code_root, name) if os.path.isabs(name) else name,  # noqa: PTH117
        arguments=(),
        interpreter_flags=parsed.flags,
        working_directory=_relative(host, code_root, host.started_in),
        python_path=_python_path(host, parsed),
        environment={name: host.environ[name] for name in RESTORED if name in host.environ},
        cells=Unavailable(unavailable="no cell was recorded yet"),
    )


def _python_path(host: Host, parsed: Invocation) -> tuple[str, ...]:
    """Return the folders of ``PYTHONPATH``, absolute; an empty entry is the working directory."""
    search_path = own_search_path(host.environ.get("PYTHONPATH", ""))
    if parsed.ignores_environment:
        return ()
    entries = (os.path.join(host.started_in, entry) for entry in search_path)  # noqa: PTH118
    return tuple(dict.fromkeys(map(os.path.normpath, entries)))


def _refusal(parsed: Invocation) -> str:
    """Return why this cannot be started again; empty if it can."""
    name = PurePosixPath(parsed.target).stem if parsed.kind == "script" else parsed.target
    if parsed.kind == "stdin":
        return "the code came through standard input and is gone; put it in a file"
    if name in NOTEBOOKS:
        return "it runs in a notebook that is not IPython's; save it as a script and start that"
    if parsed.kind == "interactive" or name in SHELLS:
        return "it was typed at a prompt; put it in a file and start that with python"
    if _is_worker(parsed):
        return _WORKER
    if parsed.kind == "code" and holds_a_credential(parsed.target):
        return "the code given with -c holds what looks like a credential; put it in a file"
    return "" if parsed.target else "the command names nothing to run; start it with python FILE"


_WORKER = "this is a worker process, which a rerun of the process that started it starts again"


def _is_worker(parsed: Invocation) -> bool:
    if parsed.kind == "code":
        return parsed.target.lstrip().startswith(WORKERS)
    return parsed.kind == "module" and parsed.target.startswith(WORKER_MODULES)


def _target(
    host: Host, code_root: Path | None, parsed: Invocation
) -> tuple[Literal["script", "module", "code", "console"], str]:
    if parsed.kind == "module" or parsed.kind == "code":
        return parsed.kind, parsed.target
    path = os.path.normpath(os.path.join(host.started_in, parsed.target))  # noqa: PTH118
    folder, name = os.path.split(path)
    if folder in host.command_folders:
        return "console", name
    return "script", _relative(host, code_root, path)


def _relative(host: Host, root: Path | None, path: str) -> str:
    """Return a path relative to the root if it is inside, by its name or with links resolved."""
    if root is None:
        return path
    parent, name = os.path.split(path)
    real = PurePosixPath(host.real_path(parent), name)
    for inner, outer in ((PurePosixPath(path), root), (real, Path(host.real_path(str(root))))):
        if inner.is_relative_to(outer):
            return inner.relative_to(outer).as_posix()
    return path
