#!/usr/bin/env bash
# Train on N GPUs of this node, or on N CPU processes where there is no GPU:
#   tools/dist_train.sh CONFIG N [options of train.py]
# Several nodes: start it on each with NNODES, NODE_RANK, MASTER_ADDR (and PORT) set.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [options of train.py]" >&2
    exit 2
fi
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$1 gpus=$2
shift 2
exec "${PYTHON:-python}" "$tools/torchrun.py" "$gpus" "$tools/train.py" "$config" \
    --launcher pytorch "$@"
