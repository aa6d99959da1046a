"""What every command shares: where text and data go, and how an error ends it."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from wandb_repro.errors import ReproError, UsageError
from wandb_repro.report.text import clean

F = TypeVar("F", bound=Callable[..., Any])

_INTERRUPTED = 130

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on standard output instead."
)

packages_option = click.option(
    "--packages",
    type=click.Choice(["needed", "all"]),
    default="needed",
    help="Rebuild what the run loaded and its requirements (needed), or everything that was "
    "installed (all).",
)


class Output:
    """Where a command writes: text to people, or data to standard output and text to error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._people = _console(stderr=as_json)
        self._progress = _console(stderr=True)

    def report(self, text: RenderableType, data: Any) -> None:
        """Print a report: for people, or as data."""
        if self._as_json:
            _print_json(data)
        else:
            self._people.print(text)

    def tell(self, text: RenderableType) -> None:
        """Print what is for people only, on standard error."""
        self._progress.print(text)

    def progress(self, step: str) -> None:
        """Say what is being done."""
        self._progress.print(Text(f"· {clean(step)}", style="dim"), soft_wrap=True)

    @contextmanager
    def bar(self, what: str) -> Generator[Callable[[int], None]]:
        """Show on standard error how far something is; give what says that one more is done.

        What is given is called with how many there are. Without a terminal nothing is drawn.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = self._progress
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            task = progress.add_task(what, total=None)
            yield lambda total: progress.update(task, advance=1, total=total)

    def agree(self, question: str) -> bool:
        """Ask; without a terminal there is no answer."""
        return click.confirm(question, default=False, err=True)


class _Console(Console):
    """A console whose reader may go away: ``| head`` ends the text, never the command's answer."""

    def on_broken_pipe(self) -> None:
        """Print nothing more."""
        self.quiet = True
        _let_go(sys.stderr if self.stderr else sys.stdout)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as long as somebody reads."""
        try:
            super().print(*objects, **options)
        except BrokenPipeError:  # rich before 13.8 does not ask on_broken_pipe
            self.on_broken_pipe()


def _let_go(stream: Any) -> None:
    """Send a stream nowhere, so that Python can flush it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _print_json(data: Any) -> None:
    try:
        click.echo(json.dumps(data, indent=2, sort_keys=True, allow_nan=False))
    except BrokenPipeError:
        _let_go(sys.stdout)


def _console(*, stderr: bool) -> Console:
    """Return a console; piped, it is plain and 80 columns wide unless COLUMNS says otherwise.

    NO_COLOR takes bold and dim away too: rich by itself leaves their escape codes.
    """
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if terminal or "COLUMNS" in os.environ else 80
    colors = None if os.environ.get("NO_COLOR") else "auto"
    return _Console(
        stderr=stderr, highlight=False, width=width, soft_wrap=False, color_system=colors
    )


def answers(command: F) -> F:
    """Make a command end with one sentence and its exit code, never a traceback.

    With ``--json`` the sentence stands on standard output too, as data.
    """

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        try:
            with _ended_like_by_ctrl_c():
                code = command(*arguments, **options)
        except ReproError as error:
            _fail(error, as_json=bool(options.get("as_json")))
        except (KeyboardInterrupt, click.Abort):
            _end_interrupted(as_json=bool(options.get("as_json")))
        except OSError as error:
            _fail(_of_the_system(error), as_json=bool(options.get("as_json")))
        sys.exit(code or 0)

    return wrapped  # pyright: ignore[reportReturnType] - click takes any callable


@contextmanager
def _ended_like_by_ctrl_c() -> Generator[None]:
    """Make ``kill`` and a closed terminal end what was started, as Ctrl-C does.

    Both would end this process and leave a training behind that nobody watches.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    mine = [number for number in numbers if before[number] == signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def _end_interrupted(*, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": "interrupted", "hint": "", "exit_code": _INTERRUPTED})
    _console(stderr=True).print(Text("interrupted", style="bold"))
    sys.exit(_INTERRUPTED)


def _of_the_system(error: OSError) -> ReproError:
    """Return the system's own word on a file or folder."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return ReproError(f"{what}.", hint="Free some space, or choose another folder.")


def _fail(error: ReproError, *, as_json: bool) -> NoReturn:
    if as_json:
        told = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
        _print_json(told)
    console = _console(stderr=True)
    lines = Text("error  ", style="bold red").append(_sentence(error.message), style="default")
    if error.hint:
        lines.append(f"\n       → {_sentence(error.hint)}", style="bold not red")
    console.print(lines, soft_wrap=True)  # a path that is wrapped can be copied by nobody
    sys.exit(error.exit_code)


def _sentence(text: str) -> str:
    """Return what a room raised as a sentence: with a capital, and an end."""
    told = clean(text).strip()
    ended = told if told.endswith((".", "?", "!", ")")) or " " not in told else f"{told}."
    is_word = re.match(r"(?!uv\b|git\b|pip\b)[a-z]+[ ,]", ended)
    return ended[:1].upper() + ended[1:] if is_word else ended


def check_new_folder(folder: Path) -> Path:
    """Return a folder that may be filled, absolute.

    Raises:
        UsageError: it holds something, or is a file.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} exists and is not a folder.", hint="Name a new folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", hint="Name a new folder.")
    return folder.absolute()


@contextmanager
def new_folder(folder: Path) -> Generator[Path]:
    """Make a folder to fill, and take it away again when filling it fails."""
    path = check_new_folder(folder)
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Give a private folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as folder:
        yield Path(folder)
