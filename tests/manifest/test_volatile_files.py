"""Files that cannot be the same twice, by the published rule on their names."""

from __future__ import annotations

import pytest

from wandb_repro.manifest.volatile_files import differ_in_time, is_volatile_file, repeatable_name


@pytest.mark.parametrize(
    "path",
    [
        "train.log",
        "logs/events.out.tfevents.1764484500.host.1.0.v2",
        "plugins/profile/2026/host.xplane.pb",
        "sm/fingerprint.pb",
        "sm/saved_model.pb",
        "plots/curve.SVG",
        "report.pdf",
        "train_time.json",
        "host.txt",
    ],
)
def test_it_cannot_repeat(path: str) -> None:
    assert is_volatile_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "m.keras",
        "logs/m.keras",
        "_private.npz",
        "path/to/predictions.csv",
        "time_series.csv",
        "Makefile",
        "history.csv",
        "media/images/x_0.png",
    ],
)
def test_it_must_repeat(path: str) -> None:
    assert not is_volatile_file(path)


def test_patterns_are_of_paths_or_names() -> None:
    assert is_volatile_file("plots/a.png", ["plots/*"])
    assert is_volatile_file("plots/a.png", ["*.png"])
    assert not is_volatile_file("plots/a.png", ["plots"])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("run-k3v9x2ab-m.keras", "run-RUN-m.keras"),
        ("m_20261130-063512.keras", "m_TIME.keras"),
        ("2026-11-30T06:35:12Z/m.keras", "TIME/m.keras"),
        ("m_2026-11-30_06-35.keras", "m_TIME.keras"),
        ("m.1764484500.keras", "m.TIME.keras"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301.npz", "UUID.npz"),
        ("media/images/x_0_0123456789abcdef0123.png", "media/images/x_0_DIGEST.png"),
        ("x_0_0123456789abcdef0123.png", "x_0_0123456789abcdef0123.png"),
        ("ckpt-0012.keras", "ckpt-0012.keras"),
        ("ak3v9x2ab.keras", "ak3v9x2ab.keras"),
        ("m_12345678.h5", "m_12345678.h5"),
    ],
)
def test_what_differs_in_every_run_is_cut_from_a_name(path: str, name: str) -> None:
    assert repeatable_name(path, "k3v9x2ab") == name


@pytest.mark.parametrize(
    ("original", "rerun", "expected"),
    [
        ("Mon Nov 30 21:50:36 2026", "Tue Dec  1 08:01:02 2026", True),
        ("m-20261130", "m-20261201", True),
        ("m-20261130", "m-20261130", False),
        ("m-20261130", "n-20261201", False),
        ("0.91", "0.92", False),
    ],
)
def test_texts_that_differ_only_in_times_are_known(
    original: str, rerun: str, expected: bool
) -> None:
    assert differ_in_time(original, rerun) is expected


def test_texts_that_differ_only_in_the_ids_of_their_runs_are_known() -> None:
    assert differ_in_time("run k3v9 is good", "run x7y2 is good", ("k3v9", "x7y2"))
    assert not differ_in_time("run k3v9 is good", "run x7y2 is good")
