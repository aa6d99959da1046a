#!/bin/sh
# Reruns this run from this folder; options are those of `wandb-repro rerun`, and so are the exit
# codes. The environment `env` is made once: by `wandb-repro rerun RUN --prepare` with this folder,
# or here, by uv. After that neither a network nor a terminal is needed, and the folder may move.
set -eu

refuse() {
    printf 'error  %s\n       → %s\n' "$1" "$2" >&2
    exit 4
}

here=$(dirname -- "$(readlink -f -- "$0")")
if [ ! -f "$here/@CAPSULE@/manifest.json" ]; then
    refuse "This is a copy of rerun.sh, and the run is not beside it." \
        "Start it where it lies; in a batch system by its path (sbatch --wrap DIR/rerun.sh)."
fi

if [ ! -e "$here/env" ]; then
    command -v uv > /dev/null || refuse "uv, which builds the environment, is not installed." \
        "Install it (pip install uv), or prepare the folder where it is."
    cd "$here"
    trap 'rm -rf env.unfinished' EXIT
    trap 'exit 130' HUP INT TERM
    rm -rf env.unfinished
    uv venv --quiet --no-project --relocatable --python @PYTHON@ env.unfinished &&
        uv pip sync --quiet --no-build --require-hashes --python env.unfinished/bin/python \
            pylock.toml || refuse "The environment could not be built." \
        "Build it where there is a network, and start this again."
    mv env.unfinished env
    cd "$OLDPWD"
elif ! "$here/env/bin/python" -I -c 'import wandb_repro' 2> /dev/null; then
    refuse "The environment in $here/env does not start here." \
        "It was built with the Python in $(sed -n 's/^home = //p' "$here/env/pyvenv.cfg" \
            2> /dev/null): delete it, and prepare the folder again on this machine."
fi

WANDB_MODE=${WANDB_MODE:-offline}
export WANDB_MODE
# -I: nothing but this environment; a PYTHONPATH of today is not the original's.
exec "$here/env/bin/python" -I -m wandb_repro rerun "$here/@CAPSULE@" --env here --yes "$@" \
    < /dev/null
