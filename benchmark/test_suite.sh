#!/usr/bin/env bash
# How long `make test` takes, now and at an older commit, on this machine in one go.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: bash benchmark/test_suite.sh [--help] [--keep] OLD_COMMIT

Clones OLD_COMMIT and the HEAD of this checkout into a temporary folder, sets both up (not timed),
and times `make test` of one after the other. Prints both times and their ratio; the last line is
a JSON object. What is not committed is not measured.

  OLD_COMMIT   a commit, tag or branch of this repository
  --keep       leave the temporary folder, with its logs, where it is

The exit code is 1 if tests fail or nothing can be measured, 2 for wrong arguments. Variables:
TORCH_PIP_ARGS and PYTHON as for `make setup`, JOBS as for `make test` (of the newer commit).
Leave the machine alone meanwhile. Example:

  bash benchmark/test_suite.sh a49c902
TEXT
}

wrong() {
    printf 'test_suite.sh: %s\n' "$1" >&2
    exit 2
}

keep='' old=''
for argument in "$@"; do
    case $argument in
        -h | --help) usage; exit 0 ;;
        --keep) keep=yes ;;
        -*) wrong "$argument is no option; --help lists them" ;;
        *) [ -z "$old" ] || wrong "one commit is expected, not also $argument"; old=$argument ;;
    esac
done
[ -n "$old" ] || wrong 'which commit is to be compared? --help explains'

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
commit_of() { git -C "$checkout" rev-parse --verify --quiet "$1^{commit}"; }
new=$(commit_of HEAD) || wrong "$checkout is no git checkout: there is nothing to compare with"
asked=$old
old=$(commit_of "$asked") || wrong "$asked is no commit of $checkout; \`git log\` lists them"

work=$(mktemp -d "${TMPDIR:-/tmp}/guda_test_suite.XXXXXX")
[ -n "$keep" ] || trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

prepare() {
    printf 'setting up %s (%s)\n' "$1" "${2:0:12}"
    git clone --quiet --no-checkout "$checkout" "$work/$1"
    git -C "$work/$1" checkout --quiet "$2"
    make -C "$work/$1" --no-print-directory setup </dev/null >"$work/$1.setup.log" 2>&1 || {
        tail -n 20 "$work/$1.setup.log" >&2
        printf 'test_suite.sh: make setup failed at %s\n' "$2" >&2
        exit 1
    }
}

# Sets seconds_NAME, closing_NAME and failed.
failed=''
measure() {
    local began ended seconds closing
    printf 'make test of %s\n' "$1"
    began=$(date +%s%N)
    make -C "$work/$1" --no-print-directory test </dev/null >"$work/$1.log" 2>&1 || failed="$failed $1"
    ended=$(date +%s%N)
    seconds=$(awk "BEGIN { printf \"%.1f\", ($ended - $began) / 1e9 }")
    closing=$(grep -E '[0-9]+ (passed|failed|error)' "$work/$1.log" | tail -n 1 | tr -d '="\\')
    printf '  %s s: %s\n' "$seconds" "${closing:-pytest said nothing}"
    grep -E '^(FAILED|ERROR) ' "$work/$1.log" | sed 's/^/  /' || true
    printf -v "seconds_$1" %s "$seconds"
    printf -v "closing_$1" %s "$closing"
}

prepare old "$old"
prepare new "$new"
measure old
measure new
[ -z "$keep" ] || printf 'logs: %s\n' "$work"
ratio=$(awk "BEGIN { printf \"%.3f\", $seconds_new / $seconds_old }")
printf 'the tests of HEAD take %s of the time of %s\n' "$ratio" "${old:0:12}"
printf '{"old": "%s", "new": "%s", "old_s": %s, "new_s": %s, "ratio": %s, "cores": %s, "old_result": "%s", "new_result": "%s", "failed": "%s"}\n' \
    "$old" "$new" "$seconds_old" "$seconds_new" "$ratio" "$(nproc)" \
    "${closing_old## }" "${closing_new## }" "${failed## }"
[ -z "$failed" ]
