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
    local what=$1 python stamp there quiet=-q
    [ ! -t 2 ] || quiet= # somebody looks on: pip shows what it downloads
    stamp="$PWD $(cksum <pyproject.toml)"
    there=$(cat "$VENV/installed" 2>/dev/null || true)
    if [ "$there" != "$what $stamp" ] && [ "$there" != ".[dev] $stamp" ]; then
        python=$(recent_python)
        stage "install $what into $VENV with $("$python" --version)"
        provide_venv_module "$python"
        "$python" -m venv "$VENV"
        "$VENV/bin/python" -m pip install ${quiet:+"$quiet"} --disable-pip-version-check -e "$what"
        printf '%s\n' "$what $stamp" >"$VENV/installed"
    fi
}

# Whether python can compile extensions: a C compiler, and Python's own headers.
can_compile() {
    "$1" -c 'import os, shutil, sys, sysconfig
compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not (shutil.which(compiler.split()[0]) and os.path.exists(header)))'
}

# install_compiled WHAT: this project as it is now, compiled, into $VENV; again when anything of it
# has changed. Nothing compiled is left in this folder, and changes of it need another start.
install_compiled() {
    local what=$1 python stamp
    stamp="$what $PWD $(find llmsim pyproject.toml hatch_build.py -type f ! -name '*.pyc' -print0 |
        LC_ALL=C sort -z | xargs -0 cat | cksum)"
    [ "$(cat "$VENV/installed" 2>/dev/null || true)" != "$stamp" ] || return 0
    python=$(recent_python)
    can_compile "$python" || return 1
    stage "compile $what into $VENV with $("$python" --version): a minute or two, once"
    provide_venv_module "$python"
    rm -f "$VENV/installed"
    "$python" -m venv "$VENV"
    "$VENV/bin/python" -m pip uninstall -q -y --disable-pip-version-check llmsim 2>/dev/null
    LLMSIM_COMPILE=1 "$VENV/bin/python" -m pip install -q --disable-pip-version-check "$what" &&
        printf '%s\n' "$stamp" >"$VENV/installed"
}
