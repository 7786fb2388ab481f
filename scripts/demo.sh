#!/usr/bin/env bash
# Trains on images with a domain shift, with and without adaptation, and writes a page that shows
# what adaptation did. Needs no data but what is in the repository. Arguments go to the
# experiment.
set -euo pipefail
# shellcheck source=scripts/_environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/_environment.sh"

prepare_environment
exec "$VENV_PYTHON" -m experiments.demo "$@"
