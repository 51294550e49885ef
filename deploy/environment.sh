# Sourced by deploy/serve and tests/run: a virtual environment with this project in it.
#
# PYTHON  the interpreter to use (default: the first of python3, python3.13 … python3.11 that will do)
# VENV    where the virtual environment is or shall be (default: .venv)
# shellcheck shell=bash
VENV=${VENV:-.venv}

stage() { printf '\n== %s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "${0#"$PWD"/}" "$*" >&2; exit 1; }

recent_python() {
    local name
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python >= 3.11 found${PYTHON:+ at $PYTHON}; name one with PYTHON=…"
}

# Debian's python3 comes without ensurepip, which is in a package of its own.
provide_venv_module() {
    local python=$1 package install
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    install="apt-get update && apt-get install -y $package"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package") \
            >/dev/null || fail "this failed: $install"
    else
        fail "$python cannot make virtual environments; run: sudo sh -c '$install'"
    fi
}

# install WHAT: this project with extras, as '.[tui]'; again when that, the folder or pyproject.toml
# has changed. '.[dev]' has all extras, so where that is installed nothing else is.
install() {
    local what=$1 python stamp there
    stamp="$PWD $(cksum <pyproject.toml)"
    there=$(cat "$VENV/installed" 2>/dev/null || true)
    if [ "$there" != "$what $stamp" ] && [ "$there" != ".[dev] $stamp" ]; then
        python=$(recent_python)
        stage "install $what into $VENV with $("$python" --version)"
        provide_venv_module "$python"
        "$python" -m venv "$VENV"
        "$VENV/bin/python" -m pip install -q --disable-pip-version-check -e "$what"
        printf '%s\n' "$what $stamp" >"$VENV/installed"
    fi
}
