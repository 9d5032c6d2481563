#!/usr/bin/env bash
# Evaluate on N GPUs of this node, or on N CPU processes where there is no GPU:
#   tools/dist_test.sh CONFIG CHECKPOINT N [options of test.py]
# Several nodes: start it on each with NNODES, NODE_RANK, MASTER_ADDR (and PORT) set.
set -euo pipefail
if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [options of test.py]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$1 checkpoint=$2 gpus=$3
shift 3
exec "${PYTHON:-python}" "$tools/torchrun.py" "$gpus" "$tools/test.py" "$config" "$checkpoint" \
    --launcher pytorch "$@"
