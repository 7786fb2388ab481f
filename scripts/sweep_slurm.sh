#!/usr/bin/env bash
# Workers of a sweep as a Slurm array: plan it once, then submit as many as there should be.
#
#   .venv/bin/python scripts/sweep.py plan digits --method=dann --budget=40 --folder=FOLDER
#   sbatch --partition=PARTITION --array=1-8 --gpus=1 scripts/sweep_slurm.sh FOLDER [FLAGS of work]
#
# FOLDER is on a drive that all nodes share, or at gs://. Each worker takes the next run that nobody
# has. One that is preempted, or out of time, saves its run and is queued again; so the array may be
# cancelled, and another of any size submitted, at any time.
#SBATCH --job-name=sweep
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=sweep-%A_%a.log
set -uo pipefail

worker='' code=0
trap '[[ -z $worker ]] || kill -TERM "$worker"' TERM
"${PYTHON:-.venv/bin/python}" scripts/sweep.py work "$@" &
worker=$!
wait "$worker" || code=$?
# A signal ends the first wait, and the worker then saves.
if kill -0 "$worker" 2>/dev/null; then wait "$worker" && code=0 || code=$?; fi
if [[ $code == 75 ]]; then exec scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
