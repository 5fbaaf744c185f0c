#!/usr/bin/env bash
# Set up the virtual environment .venv of this checkout: `make setup`, `make demo` and `make test` call it.
#
# It does nothing when the environment is complete and fits the requirements. Environment variables:
#   PYTHON          the Python to use (3.11 to 3.13); default: the first that fits
#   TORCH_PIP_ARGS  options for pip when it installs PyTorch, such as --index-url with the index of its CPU builds
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD
venv=$checkout/.venv
stamp=$venv/.guda-complete
torch_args=${TORCH_PIP_ARGS:-}

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# A sourced ROS distribution, or pip options meant for another place, would mix foreign packages in.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

# --- what is there -----------------------------------------------------------------------------------------
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 to 3.13"
        command -v "$PYTHON"
        return
    fi
    for candidate in python3 /usr/bin/python3 python3.12 python3.11 python3.13; do
        if command -v "$candidate" >/dev/null && fits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

digest() {
    {
        "$1" -c 'import sys; print(sys.version)'
        printf '%s\n' "$checkout"
        cat requirements/lock.txt setup.py pyproject.toml tools/setup.sh
    } | sha256sum | cut -d ' ' -f 1
}

complete() {
    [ -f "$stamp" ] && "$venv/bin/python" -c '' 2>/dev/null \
        && [ "$(head -n 1 "$stamp")" = "$(digest "$venv/bin/python")" ] \
        && { [ -z "$torch_args" ] || [ "$(sed -n 2p "$stamp")" = "$torch_args" ]; } \
        && { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V)" = "$("$venv/bin/python" -V)" ]; }
}

# --- system packages ---------------------------------------------------------------------------------------
check_platform() {
    [ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ] || fail \
        "the ROS 2 wheels are for Linux on x86-64, this is $(uname -s) on $(uname -m):" \
        'use a ROS 2 distribution, see docs/installation.md'
}

graphics='libegl1 libopengl0 libgl1-mesa-dri'

missing_packages() {
    if [ -z "$1" ]; then
        echo python3 python3-venv $graphics
        return
    fi
    can_make_venv "$1" || "$1" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
    "$1" tools/check_rendering.py >/dev/null || echo $graphics
}

install_packages() {
    local line="apt-get install -y --no-install-recommends $*"
    command -v apt-get >/dev/null || fail \
        "this machine lacks what these Debian packages hold: $*" 'install it and run this again'
    [ "$(id -u)" = 0 ] || fail \
        "system packages are missing. Install them, then run this again:" \
        "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    say "installing system packages: $*"
    # The package lists of a fresh machine or container are absent or old: get them when needed.
    DEBIAN_FRONTEND=noninteractive $line </dev/null >/dev/null 2>&1 || {
        apt-get update </dev/null >/dev/null || fail 'apt-get update failed: is the network up?'
        DEBIAN_FRONTEND=noninteractive $line </dev/null >/dev/null
    } || fail 'the system packages could not be installed:' "    $line"
}

system_packages() {
    local packages
    packages=$(missing_packages "$python" | tr '\n' ' ')
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086  # one word for each package
        install_packages $packages
        python=$(find_python)
    fi
    [ -n "$python" ] || fail \
        "Python 3.11, 3.12 or 3.13 is needed; python3 here is $(python3 -V 2>&1 || echo absent)." \
        'Install one and name it: make setup PYTHON=/path/to/python3.12'
    can_make_venv "$python" || fail "$python cannot make virtual environments (module ensurepip)"
    local problem
    problem=$("$python" tools/check_rendering.py) || fail \
        "this machine cannot draw without a display: $problem" \
        "with the packages $graphics it should"
}

# --- the environment ---------------------------------------------------------------------------------------
pip() { "$venv/bin/python" -m pip "$@"; }

explain_torch() {
    local report
    report=$(pip install --quiet --dry-run --report - --no-deps "$torch_pin" 2>/dev/null) || return 0
    if grep -q -E '"(nvidia|cuda)[-_a-z0-9]*' <<<"$report"; then
        say 'NOTE: the package index serves the CUDA build of PyTorch, a download of several GB.'
        say 'The CPU build is all that this needs. To take it, stop (Ctrl-C) and run'
        say '    make setup TORCH_PIP_ARGS="--index-url ADDRESS"'
        say "with the address that PyTorch's own installation page gives for pip and CPU."
    fi
}

install_torch() {
    local again=()
    if [ -n "$torch_args" ]; then
        [ ! -f "$venv/.guda-torch" ] || [ "$(cat "$venv/.guda-torch")" = "$torch_args" ] \
            || again=(--force-reinstall)
    elif ! pip show --quiet torch >/dev/null 2>&1; then
        explain_torch
    fi
    # Its dependencies come with the others, from the lock file.
    # shellcheck disable=SC2086  # the options are words
    pip install -qq --no-deps "${again[@]}" $torch_args "$torch_pin" || fail \
        "$torch_pin could not be installed; see pip's message above"
    printf '%s' "$torch_args" >"$venv/.guda-torch"
}

install_all() {
    local torch_pin
    torch_pin=$(grep '^torch==' requirements/lock.txt)
    pip install -qq --constraint requirements/lock.txt setuptools \
        || fail "setuptools could not be installed; see pip's message above"
    say 'PyTorch'
    install_torch
    say 'ROS 2, MuJoCo and the others (a minute or two)'
    # Build isolation would fetch build tools that no lock file pins.
    pip install -qq --no-build-isolation --use-pep517 --constraint requirements/lock.txt \
        --editable '.[ros,gamepad,sim,train,test,lint,docs]' \
        || fail "the dependencies could not be installed; see pip's message above"
    pip check >/dev/null || fail "$(pip check)"
    "$venv/bin/python" - <<'PYTHON' || fail 'the environment does not work; see the message above'
import cv2, mujoco.batch, onnxruntime, rclpy, torch
if torch.version.cuda:
    print(f'setup: PyTorch is a CUDA build ({torch.__version__}); it also runs without a GPU')
PYTHON
}

make_environment() {
    if [ -e "$venv" ]; then
        if [ -f "$stamp" ] && [ "$(sed -n 3p "$stamp")" = "$checkout" ] \
            && [ "$("$venv/bin/python" -V 2>&1)" = "$("$python" -V)" ]; then
            say 'the requirements have changed: bringing .venv up to date'
        else
            say '.venv is unfinished, or of another Python or folder: making it anew'
            rm -rf "$venv"
        fi
    fi
    rm -f "$stamp"
    if [ ! -e "$venv" ]; then
        say "making .venv with $("$python" -V) ($python)"
        "$python" -m venv "$venv" || fail "$python could not make .venv"
        # Tools that search workspaces leave it alone.
        touch "$venv/COLCON_IGNORE"
    fi
    install_all
    printf '%s\n' "$(digest "$venv/bin/python")" "$torch_args" "$checkout" >"$stamp.new"
    mv "$stamp.new" "$stamp"
    say 'done: . .venv/bin/activate puts `guda` on the path'
}

main() {
    complete && return
    check_platform
    python=$(find_python)
    system_packages
    # Two calls at once (make demo and make test in two terminals) take turns.
    exec 9<"$checkout"
    flock 9
    complete || make_environment
}

main
