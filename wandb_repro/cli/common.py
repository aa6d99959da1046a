"""Shared by all commands: where text and data go, and how an error ends a command."""

from __future__ import annotations

import codecs
import functools
import io
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
    """Writes text to standard output; with ``--json`` data, and text to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._people = _console(stderr=as_json)
        self._progress = _console(stderr=True)

    def report(self, text: RenderableType, data: Any) -> None:
        """Print a report as text or as data."""
        if self._as_json:
            _print_json(data)
        else:
            self._people.print(text)

    def tell(self, text: RenderableType) -> None:
        """Print text for people only, on standard error."""
        self._progress.print(text)

    def progress(self, step: str) -> None:
        """Print the current step."""
        self._progress.print(Text(f"· {clean(step)}", style="dim"), soft_wrap=True)

    @contextmanager
    def bar(self, what: str) -> Generator[Callable[[int], None]]:
        """Draw a progress bar on standard error, if that is a terminal.

        Yields:
            A function to call with the total number after each item.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        console = self._progress
        with Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            task = progress.add_task(what, total=None)
            yield lambda total: progress.update(task, advance=1, total=total)

    def agree(self, question: str) -> bool:
        """Ask a question on the terminal."""
        return click.confirm(question, default=False, err=True)


class _Console(Console):
    """A console for ``| head``: a closed pipe ends the text and does not change the exit code."""

    def on_broken_pipe(self) -> None:
        """Print nothing from now on."""
        self.quiet = True
        _discard(sys.stderr if self.stderr else sys.stdout)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, unless the pipe is closed."""
        try:
            super().print(*objects, **options)
        except BrokenPipeError:  # rich before 13.8 does not ask on_broken_pipe
            self.on_broken_pipe()


def _discard(stream: Any) -> None:
    """Redirect a stream to nowhere, so that Python can flush it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _print_json(data: Any) -> None:
    try:
        click.echo(json.dumps(data, indent=2, sort_keys=True, allow_nan=False))
    except BrokenPipeError:
        _discard(sys.stdout)


def _console(*, stderr: bool) -> Console:
    """Return a console; piped, it is plain and 80 columns wide unless COLUMNS says otherwise.

    NO_COLOR takes bold and dim away too: rich by itself leaves their escape codes.
    """
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_SUBSTITUTES)
    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else 80
    colors = None if os.environ.get("NO_COLOR") else "auto"
    return _Console(
        stderr=stderr, highlight=False, width=width, soft_wrap=False, color_system=colors
    )


_SUBSTITUTES = "wandb_repro.substitutes"
_ASCII = dict(zip("→·×…✓✗↵─│├└", ">-x.+x/-||`", strict=True))
"""For our own signs. Each is one letter, so that columns stay aligned."""


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """Return what a terminal gets that cannot show some letters, and where its text goes on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    escaped = (_ASCII.get(it) or it.encode("ascii", "backslashreplace").decode() for it in letters)
    return "".join(escaped), error.end


codecs.register_error(_SUBSTITUTES, _substitute)


def answers(command: F) -> F:
    """Make a command end with one sentence and its exit code, never a traceback.

    With ``--json`` the sentence is on standard output too, as data.
    """

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        as_json = bool(options.get("as_json"))
        try:
            with _signals_as_ctrl_c():
                code = command(*arguments, **options)
        except ReproError as error:
            _fail(error, as_json=as_json)
        except (KeyboardInterrupt, click.Abort):
            _end_interrupted(as_json=as_json)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            hint = "Free some space, or choose another folder."
            _fail(ReproError(f"{what}.", hint=hint), as_json=as_json)
        sys.exit(code or 0)

    return wrapped  # pyright: ignore[reportReturnType] - click takes any callable


@contextmanager
def _signals_as_ctrl_c() -> Generator[None]:
    """Let ``kill`` and a closed terminal do what Ctrl-C does."""
    # By default both end only this process, and leave a training behind that nobody watches.
    numbers = (signal.SIGTERM, signal.SIGHUP)
    changed = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def _end_interrupted(*, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": "interrupted", "hint": "", "exit_code": _INTERRUPTED})
    _console(stderr=True).print(Text("interrupted", style="bold"))
    sys.exit(_INTERRUPTED)


def _fail(error: ReproError, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json(error_data(error))
    show_error(error)
    sys.exit(error.exit_code)


def error_data(error: ReproError) -> dict[str, Any]:
    """Return an error as JSON has it."""
    return {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}


def show_error(error: ReproError) -> None:
    """Print an error and what to do about it on standard error."""
    console = _console(stderr=True)
    lines = Text("error  ", style="bold red").append(_sentence(error.message), style="default")
    if error.hint:
        lines.append(f"\n       → {_sentence(error.hint)}", style="bold not red")
    console.print(lines, soft_wrap=True)  # a path on two lines cannot be copied


def _sentence(text: str) -> str:
    """Return a message as a sentence: with a capital letter and a full stop."""
    sentence = clean(text).strip()
    if " " in sentence and not sentence.endswith((".", "?", "!", ")")):
        sentence = f"{sentence}."
    is_word = re.match(r"(?!uv\b|git\b|pip\b)[a-z]+[ ,]", sentence)
    return sentence[:1].upper() + sentence[1:] if is_word else sentence


def check_new_folder(folder: Path) -> Path:
    """Return the absolute path of a folder that is empty or does not exist.

    Raises:
        UsageError: it is not empty, or is a file.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} exists and is not a folder.", hint="Name a new folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", hint="Name a new folder.")
    return folder.absolute()


@contextmanager
def new_folder(folder: Path) -> Generator[Path]:
    """Make a folder to fill; delete it again if filling it fails."""
    path = check_new_folder(folder)
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Yield a private folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as folder:
        yield Path(folder)
