#!/usr/bin/env bash
# Sets up the environment (tools/setup_env.sh), then runs the main job; arguments go to tools/quickstart.py.
#
#   bash tools/quickstart.sh                the embedded data, one seed
#   bash tools/quickstart.sh --full         three seeds and more, resumable
#   bash tools/quickstart.sh --data DIR     pre-trains on a folder of your own images
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$root/tools/setup_env.sh"
python=$(bash "$root/tools/setup_env.sh" --print-python)
PATH=$(dirname "$python"):$PATH
export PATH

exec "$python" "$root/tools/quickstart.py" "$@"
