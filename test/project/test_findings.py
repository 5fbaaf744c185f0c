"""The findings about other people's software have the form that their README says."""

from pathlib import Path
import re
import subprocess

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'findings'
SCRIPTS = sorted(path for path in FOLDER.glob('*.sh') if path.name != 'common.sh')


def test_the_readme_lists_exactly_the_findings_there_are():
    listed = re.findall(
        r'^\| `([a-z0-9_]+\.sh)` \|', (FOLDER / 'README.md').read_text(), re.MULTILINE
    )
    assert sorted(listed) == [path.name for path in SCRIPTS]
    assert len(SCRIPTS) > 5


@pytest.mark.parametrize('path', SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_states_versions_input_behaviour_and_output(path):
    text = path.read_text(encoding='utf-8')
    for name in ('Finding', 'Versions', 'Input', 'Behaviour'):
        assert re.search(rf'^# {name}: \S', text, re.MULTILINE), f'{name} is missing'
    assert re.search(r'^# Seen.*:\n#   \S', text, re.MULTILINE), 'no output is shown'
    assert re.search(r'^environment .*==', text, re.MULTILINE), 'no package is pinned'
    assert len(text.splitlines()) < 80
    assert 'guda_ros' not in text


@pytest.mark.parametrize('path', [*SCRIPTS, FOLDER / 'common.sh'], ids=lambda path: path.stem)
def test_a_finding_is_a_shell_script_without_faults_of_syntax(path):
    result = subprocess.run(
        ['bash', '-n', path], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
