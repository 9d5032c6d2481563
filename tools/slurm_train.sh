#!/usr/bin/env bash
# Train under Slurm, one task per GPU:
#   sbatch --nodes=2 --gpus-per-node=8 --ntasks-per-node=8 tools/slurm_train.sh CONFIG [options]
#   GPUS=8 SRUN_ARGS='-p PARTITION --gpus-per-node=8' tools/slurm_train.sh CONFIG [options]
# Options of sbatch below hold unless the command line says otherwise: two minutes before the time
# limit the tasks are told, save and end with code 85; the job is requeued and resumes.
#SBATCH --requeue
#SBATCH --signal=USR1@120
#SBATCH --open-mode=append
set -euo pipefail
if [ $# -lt 1 ]; then
    echo "usage: $0 CONFIG [options of train.py]" >&2
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
exec bash "$tools/slurm_run.sh" "$tools/train.py" "$@"
