#!/usr/bin/env bash
# Evaluate under Slurm, one task per GPU:
#   sbatch --nodes=2 --gpus-per-node=8 --ntasks-per-node=8 tools/slurm_test.sh CONFIG CHECKPOINT [options]
#   GPUS=8 SRUN_ARGS='-p PARTITION --gpus-per-node=8' tools/slurm_test.sh CONFIG CHECKPOINT [options]
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG CHECKPOINT [options of test.py]" >&2
    exit 2
fi
# sbatch runs a copy of this file: then the tools are found from the directory of submission.
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ ! -f "$tools/slurm_run.sh" ]; then
    tools=${MMMIM_TOOLS:-${SLURM_SUBMIT_DIR:-.}/tools}
fi
if [ ! -f "$tools/slurm_run.sh" ]; then
    echo "error: no tools in $tools: submit from the repository, or set MMMIM_TOOLS." >&2
    exit 2
fi
exec bash "$tools/slurm_run.sh" "$tools/test.py" "$@"
