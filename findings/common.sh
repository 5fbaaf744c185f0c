# Sourced by the findings: a throwaway environment, and Python programs run in it.

# environment PACKAGE==VERSION ...: install into a temporary folder that is removed at the end. With
# FINDING_PYTHON, an interpreter that has these very versions already, nothing is installed.
environment() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    export HOME="$work" ROS_LOG_DIR="$work" ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST
    unset PYTHONPATH
    if [ -n "${FINDING_PYTHON:-}" ]; then
        python=$FINDING_PYTHON
        "$python" -c 'import importlib.metadata as found, sys
for wanted in sys.argv[1:]:
    name, version = wanted.partition("[")[0].split("==")[0], wanted.split("==")[1]
    if found.version(name).split("+")[0] != version:
        sys.exit(f"{wanted} is stated, FINDING_PYTHON has {found.version(name)}")' "$@" || exit 3
        cd "$work"
        return
    fi
    python=$work/venv/bin/python
    "${PYTHON:-python3}" -m venv "$work/venv"
    if ! "$python" -m pip install --quiet "$@" >"$work/pip.log" 2>&1; then
        cat "$work/pip.log" >&2
        echo "$0: the packages cannot be installed here: nothing was found out" >&2
        exit 3
    fi
    cd "$work"
}

# run ARGUMENT ...: run the Python program on standard input. It ends with 0 when the behaviour is
# as stated, and with sys.exit('what changed') when it is not.
run() {
    cat >"$work/program.py"
    timeout -k 5 "${LIMIT:-300}" "$python" -W ignore "$work/program.py" "$@"
}
