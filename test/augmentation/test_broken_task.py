"""A task of one's own that is broken is told in words."""

import pytest

from guda_ros.data.registry import find_task, UnknownTask


@pytest.mark.parametrize(
    ('name', 'code', 'told'),
    [
        ('task_that_raises', '1 / 0', 'ZeroDivisionError when imported .*mend that module'),
        ('task_with_a_typo', 'class Task(', 'SyntaxError when imported .*mend that module'),
        ('task_without_a_class', '', "cannot be imported .*no attribute 'Task'"),
        ('task_that_is_a_number', 'Task = 3', 'is no class; name one'),
    ],
)
def test_a_broken_task_is_told_with_its_entry_point(tmp_path, monkeypatch, name, code, told):
    (tmp_path / f'{name}.py').write_text(code)
    about = tmp_path / f'{name}-1.0.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    (about / 'entry_points.txt').write_text(f'[guda_ros.tasks]\n{name} = {name}:Task\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownTask, match=f'task {name}: its entry point {name}:Task .*{told}'):
        find_task(name)
