#!/usr/bin/env bash
# Lint, formatting, tests. Arguments go to pytest:
#
#   scripts/test.sh                    what is promised of every loss and method, and the loop
#   scripts/test.sh tests              everything, as continuous integration does
#   scripts/test.sh tests/losses -x    a part of the tests
set -euo pipefail
# shellcheck source=scripts/_environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/_environment.sh"

# Without arguments about half of the work: single methods, data, networks at their size, programs and
# pods are left to continuous integration.
if [[ $# -eq 0 ]]; then
  set -- tests/contracts tests/losses tests/training --ignore=tests/contracts/test_backbones.py
  echo "These are $*: scripts/test.sh tests runs all."
fi

prepare_environment
"$VENV_PYTHON" -m ruff check --quiet .
"$VENV_PYTHON" -m ruff format --check --quiet .
# Compiling uses one core: the tests share the machine's, up to four (each takes some memory).
exec "$VENV_PYTHON" -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal "$@"
