#!/usr/bin/env bash
# What slurm_train.sh and slurm_test.sh share: slurm_run.sh SCRIPT ARGUMENTS
# One task per GPU. Inside a step nothing is started again; inside an allocation srun takes nodes,
# tasks and GPUs from it; outside, srun asks for GPUS tasks with the options in SRUN_ARGS.
# A training that has saved after a signal (code 85) is requeued; one that failed in another way
# (a node died) as well, at most MMMIM_MAX_RESTARTS times (3). A requeued job resumes.
set -euo pipefail
script=$1
shift
tools=$(cd "$(dirname "$script")" && pwd)
command=("${PYTHON:-python}" -u "$tools/$(basename "$script")" "$@" --launcher slurm)
training=false
if [ "$(basename "$script")" = train.py ]; then training=true; fi

if [ -n "${SLURM_STEP_ID:-}" ]; then
    exec "${command[@]}"
fi
if ! command -v srun >/dev/null; then
    echo "error: there is no srun on this machine: use tools/dist_train.sh or dist_test.sh." >&2
    exit 2
fi

check_tasks() {
    local gpus=${SLURM_GPUS_ON_NODE:-} tasks=${SLURM_NTASKS_PER_NODE:-${SLURM_NTASKS:-1}}
    if [ -n "$gpus" ] && [ "${SLURM_NNODES:-1}" -gt 1 ] && [ -z "${SLURM_NTASKS_PER_NODE:-}" ]; then
        tasks=$((${SLURM_NTASKS:-1} / SLURM_NNODES))
    fi
    if [ -n "$gpus" ] && [ "$tasks" != "$gpus" ]; then
        echo "error: the allocation has $gpus GPUs and $tasks tasks per node: ask for one task per" \
            "GPU, e.g. sbatch --gpus-per-node=$gpus --ntasks-per-node=$gpus." >&2
        exit 2
    fi
}

# Run a command that is told of the signals this script gets; its code is in $code.
run_and_signal() {
    local child interrupted
    "$@" &
    child=$!
    trap 'interrupted=true; kill -USR1 "$child" 2>/dev/null || true' USR1 TERM
    while true; do
        interrupted=false code=0
        wait "$child" || code=$?
        if ! $interrupted; then break; fi
    done
    trap - USR1 TERM
}

requeue() {
    if command -v scontrol >/dev/null && scontrol requeue "$SLURM_JOB_ID"; then
        echo "$1: job $SLURM_JOB_ID is requeued and will resume."
    else
        echo "$1, and this job cannot be requeued: submit it again with --resume added:" \
            "sbatch [options] $tools/slurm_train.sh $words --resume" >&2
    fi
}

words="$*"
if [ -n "${SLURM_JOB_ID:-}" ]; then
    check_tasks
    restarts=${SLURM_RESTART_COUNT:-0}
    if $training && [ "$restarts" -gt 0 ]; then command+=(--resume); fi
    run_and_signal srun --kill-on-bad-exit=1 "${command[@]}"
    if $training && [ "$code" = 85 ]; then
        requeue "the training was stopped by a signal and has saved"
    elif $training && [ "$code" != 0 ] && [ "$code" != 2 ] && [ "${ENVIRONMENT:-}" = BATCH ]; then
        if [ "$restarts" -lt "${MMMIM_MAX_RESTARTS:-3}" ]; then
            requeue "the training ended with code $code ($restarts restarts so far)"
        fi
    fi
    exit "$code"
fi
if [ -z "${GPUS:-}" ]; then
    echo "error: outside an allocation set GPUS, the number of tasks, and SRUN_ARGS, e.g." \
        "GPUS=8 SRUN_ARGS='-p PARTITION --gpus-per-node=8' $0 ..." >&2
    exit 2
fi
# SRUN_ARGS holds several options.
# shellcheck disable=SC2086
exec srun --ntasks="$GPUS" --kill-on-bad-exit=1 ${SRUN_ARGS:-} "${command[@]}"
