"""Saves a W&B view that compares reruns with their original: pip install wandb-workspaces."""

import argparse

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws

COLUMNS = [
    "config:repro.dirty",
    "config:repro.seed",
    "config:repro.framework",
    "config:repro.gpu",
    "summary:repro/environment",
    "summary:repro/reproduced",
    "summary:repro/verdict",
    "summary:repro/weights",
]


def view(entity: str, project: str, baseline: str | None) -> ws.Workspace:
    """Return the view: what differs, the cards, and the facts as columns."""
    return ws.Workspace(
        entity=entity,
        project=project,
        name="Reproducibility",
        sections=[
            ws.Section(
                name="What differs from the baseline",
                panels=[wr.RunComparer(diff_only="split")],
                is_open=True,
            ),
            ws.Section(
                name="Cards",
                panels=[wr.MediaBrowser(title="Card", media_keys=["repro/card"], num_columns=1)],
                is_open=True,
            ),
        ],
        runset_settings=ws.RunsetSettings(pinned_columns=COLUMNS, baseline_run=baseline),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", metavar="ENTITY/PROJECT")
    parser.add_argument("--baseline", metavar="ID", help="the original")
    parser.add_argument("--print", action="store_true", help="save nothing")
    options = parser.parse_args()
    entity, _, project = options.project.partition("/")
    made = view(entity, project, options.baseline)
    if options.print:
        print(made)
    else:
        made.save()
        print(made.url)


if __name__ == "__main__":
    main()
