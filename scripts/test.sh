#!/usr/bin/env bash
# Lint, formatting, tests: what must pass before a commit. Arguments go to pytest:
#
#   scripts/test.sh                    everything
#   scripts/test.sh tests/losses -x    a part of the tests
set -euo pipefail
# shellcheck source=scripts/_environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/_environment.sh"

prepare_environment
"$VENV_PYTHON" -m ruff check --quiet .
"$VENV_PYTHON" -m ruff format --check --quiet .
# Compiling uses one core: the tests share the machine's, up to four (each takes some memory).
exec "$VENV_PYTHON" -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal "$@"
