#!/bin/sh
# Finding: the setup.cfg that ROS packages have for their executables does nothing when pip installs them.
# Versions: pip 23.2.1 or newer, setuptools 84.2.1, Python 3.11
# Input: a package with a console script and, as ament_python packages have it, a section [install] with
#   install_scripts=$base/lib/NAME.
# Behaviour: the script goes to bin/ and not to lib/NAME, where `ros2 run` looks, without a word: pip
#   builds a wheel, which has no place for that option.
# Seen:
#   bin/walk
set -eu
. "$(dirname "$0")/common.sh"
environment setuptools==84.2.1
mkdir -p source/walker
echo 'def main(): pass' >source/walker/__init__.py
printf 'from setuptools import setup\nsetup()\n' >source/setup.py
cat >source/setup.cfg <<'END'
[metadata]
name = walker
version = 1
[options]
packages = walker
[options.entry_points]
console_scripts =
    walk = walker:main
[install]
install_scripts = $base/lib/walker
END
"$python" -m pip install --quiet --no-deps --no-build-isolation --prefix "$work/prefix" ./source
found=$(cd prefix && find . -name walk | sed 's,^\./,,')
echo "$found"
if [ "$found" != bin/walk ]; then
    echo 'the script is put elsewhere now' >&2
    exit 1
fi
