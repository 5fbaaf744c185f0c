"""Environments of the formats' own software, made for a test and thrown away."""

import os
from pathlib import Path
import subprocess
import sys
import sysconfig

import pytest

REPOSITORY = Path(__file__).parents[2]


class Throwaway:
    """A Python that has some packages beside those of the tests; run gives it a program."""

    def __init__(self, python, home):
        self.python, self._home = python, home

    def run(self, program, *arguments):
        """Run a program; return the JSON of its last line."""
        result = subprocess.run(
            [self.python, '-W', 'ignore', '-c', program, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self._home,
            env={
                **os.environ,
                'PYTHONPATH': str(REPOSITORY),
                'HOME': str(self._home),
                'HF_HOME': str(self._home),
                'HF_HUB_OFFLINE': '1',
                'OMP_NUM_THREADS': '1',
            },
            timeout=1200,
        )
        assert result.returncode == 0, (result.stdout + result.stderr)[-3000:]
        return result.stdout.splitlines()[-1]


def throwaway(folder, name, pinned, further=()):
    """
    Return an environment with packages, or skip the test if they cannot be installed.

    :param pinned: installed as they are: what they need of what the tests have is used, whatever
        version they ask for. :param further: installed with what they need. A Python that the
        variable GUDA_<NAME>_PYTHON names is taken instead.
    """
    given = os.environ.get(f'GUDA_{name.upper()}_PYTHON')
    if given:
        return Throwaway(given, folder)
    python = folder / 'venv' / 'bin' / 'python'
    subprocess.run([sys.executable, '-m', 'venv', folder / 'venv'], check=True, timeout=300)
    own = subprocess.run(
        [python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    paths = {sysconfig.get_path(kind) for kind in ('purelib', 'platlib')}
    Path(own, 'of_the_tests.pth').write_text('\n'.join(sorted(paths)))
    for options, packages in ((['--no-deps'], pinned), ([], further)):
        if not packages:
            continue
        made = subprocess.run(
            [python, '-m', 'pip', 'install', '--quiet', *options, *packages],
            capture_output=True,
            text=True,
            timeout=1200,
        )
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ['no reason'])[-1]
            pytest.skip(f'{" ".join(packages)} cannot be installed here: {last}')
    return Throwaway(python, folder)
