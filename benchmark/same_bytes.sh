#!/bin/sh
# Prove that a change of the code changed no data: the same digests before and after.
#
#     benchmark/same_bytes.sh OLD_COMMIT [NEW_COMMIT]
#
# Checks both commits out into a temporary folder, has benchmark/same_bytes.py of the present working
# tree make contracts, guides' transitions, simulations, trainings and files with the code of each,
# prints a table of the kinds of digests, and lists those that differ. NEW_COMMIT is HEAD by default;
# a single dot stands for the working tree as it is. PYTHON is the interpreter, by default that of
# .venv. Fails when something differs that is not in benchmark/same_bytes.expected.
set -eu

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 OLD_COMMIT [NEW_COMMIT]" >&2
    exit 2
fi
old=$1
new=${2:-HEAD}
python=${PYTHON:-$root/.venv/bin/python}
if ! "$python" -c 'import numpy, mujoco, torch' 2>/dev/null; then
    echo "$0: $python lacks numpy, mujoco or torch: run \`make setup\`, or set PYTHON" >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

make_digests() {  # COMMIT NAME
    if [ "$1" = . ]; then
        code=$root
    else
        code=$work/$2
        mkdir "$code"
        git -C "$root" archive "$1" | tar -x -C "$code"
    fi
    # Not in the folder of either: what is imported is what PYTHONPATH names.
    (cd "$work" && PYTHONPATH=$code "$python" "$root/benchmark/same_bytes.py" >"$work/$2.json")
}

for commit in "$old" "$new"; do
    if [ "$commit" != . ] && ! git -C "$root" rev-parse --verify --quiet "$commit^{commit}" >/dev/null
    then
        echo "$0: there is no commit $commit" >&2
        exit 2
    fi
done
make_digests "$old" old
make_digests "$new" new
"$python" "$root/benchmark/same_bytes.py" --compare "$work/old.json" "$work/new.json" \
    "$root/benchmark/same_bytes.expected"
