#!/usr/bin/env bash
# Trains on a spot Cloud TPU of one host or many: the same program runs on every host.
#
#   scripts/tpu.sh create NAME                 asks for a TPU and waits until it is there
#   scripts/tpu.sh setup NAME                  copies this checkout to each host and installs it
#   scripts/tpu.sh run NAME MODULE FLAGS...    starts `python -m MODULE --multihost FLAGS...` on each
#   scripts/tpu.sh logs NAME                   follows the output of the first host
#   scripts/tpu.sh stop NAME                   asks the program to save a checkpoint and leave
#   scripts/tpu.sh delete NAME                 gives the TPU back
#   scripts/tpu.sh keep NAME MODULE FLAGS...   all of it, anew after each preemption, until it is done
#
# For example:
#
#   ZONE=europe-west4-b ACCELERATOR=v5litepod-16 scripts/tpu.sh keep pod experiments.digits \
#     --method=dann --workdir=gs://bucket/dann
#
# The hosts share nothing but the workdir, so it is a gs:// path; from it training goes on after a
# preemption. DRY_RUN=1 prints the gcloud commands and runs none. RUNTIME names the software of the
# TPU's machines and has to fit ACCELERATOR; POLL is the number of seconds between two looks at it.
set -euo pipefail

ZONE=${ZONE:-europe-west4-b}
ACCELERATOR=${ACCELERATOR:-v5litepod-16}
RUNTIME=${RUNTIME:-v2-alpha-tpuv5-lite}
POLL=${POLL:-60}
DRY_RUN=${DRY_RUN:-}

fail() {
  printf '%s\n' "$1" >&2
  exit 2
}

# The one place that calls gcloud: cloud queued-resources|tpu-vm VERB NAME ...
cloud() {
  if [[ -n $DRY_RUN ]]; then
    printf '%s\n' "$(printf '%q ' gcloud compute tpus "$@" --zone="$ZONE")" >&2
  else
    gcloud compute tpus "$@" --zone="$ZONE" --quiet
  fi
}

# WAITING_FOR_RESOURCES, PROVISIONING, ACTIVE, SUSPENDING, SUSPENDED or FAILED; nothing if unknown.
state() {
  if [[ -n $DRY_RUN ]]; then printf 'ACTIVE\n'; fi
  cloud queued-resources describe "$1" --format='value(state.state)' || true
}

is_lost() {
  [[ $(state "$1") =~ ^(SUSPEND|FAILED) ]]
}

on_host() {  # NAME WORKER COMMAND
  cloud tpu-vm ssh "$1" --worker="$2" --command="$3"
}

create() {
  local seen
  cloud queued-resources create "$1" --node-id="$1" --spot \
    --accelerator-type="$ACCELERATOR" --runtime-version="$RUNTIME"
  until seen=$(state "$1") && [[ $seen == ACTIVE ]]; do
    if [[ $seen =~ ^(SUSPEND|FAILED) ]]; then fail "The request for $1 ended as $seen."; fi
    printf '%s\n' "$1: ${seen:-unknown}"
    sleep "$POLL"
  done
}

# The first contact with a host makes keys, which --worker=all cannot: each is visited once by itself.
warm_up() {
  local worker=0 address
  while read -r address; do
    printf '%s\n' "host $worker: $address"
    on_host "$1" "$worker" true </dev/null
    worker=$((worker + 1))
  done < <(cloud tpu-vm describe "$1" --flatten='networkEndpoints[]' \
    --format='value(networkEndpoints.ipAddress)')
}

setup() {
  local archive
  archive=$(mktemp)
  warm_up "$1"
  tar --exclude=./.git --exclude='./.venv*' --exclude=./runs -czf "$archive" .
  cloud tpu-vm scp "$archive" "$1":tlda.tar.gz --worker=all
  rm "$archive"
  # The machines' own Python is too old; uv brings one.
  on_host "$1" all 'set -e
    export PIP_BREAK_SYSTEM_PACKAGES=1
    mkdir -p tlda && tar -xzf tlda.tar.gz -C tlda && cd tlda
    python3 -m pip install --quiet --user uv
    python3 -m uv venv --quiet --clear --python=3.13 .venv
    python3 -m uv pip install --quiet --python=.venv "jax[tpu]" gcsfs \
      --requirement=requirements.txt --constraint=requirements.lock'
}

is_running() {
  # shellcheck disable=SC2016
  [[ $(on_host "$1" 0 'cd tlda 2>/dev/null && [ -e run.pid ] && [ ! -e run.exit ] &&
    kill -0 "$(cat run.pid)" 2>/dev/null && echo yes || true') == yes ]]
}

# A host that is missing hangs the others silently, so the program starts on all by one command; and
# detached, for what `ssh --worker=all` prints is held back until the end.
run() {
  local name=$1 program
  shift
  [[ " $* " == *' --workdir=gs://'* ]] ||
    fail 'Hosts share no disk: give --workdir=gs://BUCKET/FOLDER.'
  if is_running "$name"; then fail "A program runs on $name already: stop it first."; fi
  program=$(printf '%q ' .venv/bin/python -m "$1" --multihost "${@:2}")
  program=$(printf '%q' "$program & echo \$! >run.pid; wait \$!; echo \$? >run.exit")
  on_host "$name" all \
    "cd tlda && rm -f run.exit && (nohup bash -c $program >>run.log 2>&1 </dev/null &)"
}

exit_code() { on_host "$1" 0 'cat tlda/run.exit 2>/dev/null || true'; }

logs() { on_host "$1" 0 'tail -n 100 -F tlda/run.log'; }

# shellcheck disable=SC2016
stop() { on_host "$1" all 'kill -TERM "$(cat tlda/run.pid)"'; }

delete() { cloud queued-resources delete "$1" --force; }

# A spot TPU that was taken away cannot be started again: it is deleted and asked for anew. A program
# that ends with an error has failed if the TPU is still there a while later: a preemption ends it too.
keep() {
  local name=$1 code
  while true; do
    if is_lost "$name"; then delete "$name"; fi
    if [[ $(state "$name") != ACTIVE ]]; then create "$name"; fi
    if ! is_running "$name"; then
      setup "$name"
      run "$@"
    fi
    until code=$(exit_code "$name") && [[ -n ${code:-$DRY_RUN} ]]; do
      sleep "$POLL"
      if is_lost "$name"; then continue 2; fi
    done
    if [[ ${code:-0} == 0 ]]; then return; fi
    sleep "$POLL"
    if ! is_lost "$name"; then return "$code"; fi
  done
}

case ${1:-} in
  create | setup | logs | stop | delete) [[ $# -eq 2 ]] || fail "Usage: scripts/tpu.sh $1 NAME" ;;
  run | keep) [[ $# -gt 2 ]] || fail "Usage: scripts/tpu.sh $1 NAME MODULE FLAGS..." ;;
  *) fail "Usage: scripts/tpu.sh create|setup|run|logs|stop|delete|keep NAME [MODULE FLAGS...]" ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
"$@"
