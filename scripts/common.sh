# Shared by scripts/test and scripts/demo: a Python with rpyc and tox in a cache of our own. Sourced by bash.

# Where everything that can be made again is kept: the Python environments, the linter.
GORPYC_CACHE=${GORPYC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gorpyc}
PINNED_PACKAGES="rpyc==6.0.2 tox>=4.20,<5"

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

# Interpreters that a version manager keeps outside PATH join it at its end, for us and for tox.
add_pythons_to_path() {
  local root=${PYENV_ROOT:-$HOME/.pyenv} dir
  for dir in "$root"/versions/*/bin; do
    { [ -x "$dir/python3" ] || [ -x "$dir/python2.7" ]; } && PATH=$PATH:$dir
  done
  export PATH
}

# usable PYTHON: is it CPython 3.8 to 3.13?
usable() {
  "$1" -c 'import sys
sys.exit(not ((3, 8) <= sys.version_info[:2] <= (3, 13) and sys.implementation.name == "cpython"))' 2>/dev/null
}

# find_python: the Python that everything is set up with: GORPYC_PYTHON, python3, or the newest of the rest.
find_python() {
  local name
  for name in ${GORPYC_PYTHON:-} python3 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python; do
    if command -v "$name" >/dev/null 2>&1 && usable "$name"; then
      command -v "$name"
      return
    fi
  done
  die "no CPython 3.8 to 3.13 on PATH"
}

virtualenv_from_pip() {
  local tools=$GORPYC_CACHE/virtualenv
  rm -rf "$VENV"
  "$1" -m pip install --quiet --disable-pip-version-check --target "$tools" --upgrade virtualenv 2>/dev/null &&
    PYTHONPATH=$tools "$1" -m virtualenv --quiet "$VENV"
}

# make_venv: creates or completes the environment and sets VENV.
make_venv() {
  local python version stamp
  python=$(find_python) || exit 2
  version=$("$python" -c 'import platform; print(platform.python_version())')
  VENV=$GORPYC_CACHE/venv-$version
  stamp=$VENV/.complete
  if [ "$(cat "$stamp" 2>/dev/null)" = "$PINNED_PACKAGES" ] &&
    "$VENV/bin/python" -c 'import rpyc, tox' 2>/dev/null; then
    return
  fi
  say "Python $version: setting up $VENV"
  rm -rf "$VENV"
  mkdir -p "$GORPYC_CACHE"
  # Debian's python3 comes without what venv needs; where it has pip, virtualenv does the same.
  "$python" -m venv "$VENV" 2>/dev/null || virtualenv_from_pip "$python" ||
    die "cannot make a virtual environment with $python (on Debian and Ubuntu: apt install python3-venv)"
  # shellcheck disable=SC2086 # the list is meant to be split
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check $PINNED_PACKAGES || die "pip install failed"
  printf '%s' "$PINNED_PACKAGES" >"$stamp"
}

# run_endurance DIRECTORY COMMAND FLAGS...: runs the program endurance in the directory, with GORPYC_TEST_PYTHON or a
# Python set up for it.
run_endurance() {
  local program=$1/endurance command=$2
  shift 2
  if [ -z "${GORPYC_TEST_PYTHON:-}" ]; then
    make_venv
    GORPYC_TEST_PYTHON=$VENV/bin/python
  fi
  "$program" "$command" --python "$GORPYC_TEST_PYTHON" "$@"
}
