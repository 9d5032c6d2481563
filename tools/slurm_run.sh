#!/usr/bin/env bash
# What slurm_train.sh and slurm_test.sh share: slurm_run.sh SCRIPT ARGUMENTS
# One task per GPU. Inside a step nothing is started again; inside an allocation srun takes nodes,
# tasks and GPUs from it; outside, srun asks for GPUS tasks with the options in SRUN_ARGS.
set -euo pipefail
script=$1
shift
tools=$(cd "$(dirname "$script")" && pwd)
command=("${PYTHON:-python}" -u "$tools/$(basename "$script")" "$@" --launcher slurm)

if [ -n "${SLURM_STEP_ID:-}" ]; then
    exec "${command[@]}"
fi
if ! command -v srun >/dev/null; then
    echo "error: there is no srun on this machine: use tools/dist_train.sh or dist_test.sh." >&2
    exit 2
fi
if [ -n "${SLURM_JOB_ID:-}" ]; then
    gpus=${SLURM_GPUS_ON_NODE:-}
    tasks=${SLURM_NTASKS_PER_NODE:-${SLURM_NTASKS:-1}}
    if [ -n "$gpus" ] && [ "${SLURM_NNODES:-1}" -gt 1 ] && [ -z "${SLURM_NTASKS_PER_NODE:-}" ]; then
        tasks=$((${SLURM_NTASKS:-1} / SLURM_NNODES))
    fi
    if [ -n "$gpus" ] && [ "$tasks" != "$gpus" ]; then
        echo "error: the allocation has $gpus GPUs and $tasks tasks per node: ask for one task per" \
            "GPU, e.g. sbatch --gpus-per-node=$gpus --ntasks-per-node=$gpus." >&2
        exit 2
    fi
    exec srun --kill-on-bad-exit=1 "${command[@]}"
fi
if [ -z "${GPUS:-}" ]; then
    echo "error: outside an allocation set GPUS, the number of tasks, and SRUN_ARGS, e.g." \
        "GPUS=8 SRUN_ARGS='-p PARTITION --gpus-per-node=8' $0 ..." >&2
    exit 2
fi
# SRUN_ARGS holds several options.
# shellcheck disable=SC2086
exec srun --ntasks="$GPUS" --kill-on-bad-exit=1 ${SRUN_ARGS:-} "${command[@]}"
