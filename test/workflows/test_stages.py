import json

import pytest

from guda_ros.data.files import write_json
from guda_ros.workflows.stages import Stages


def run(folder, work, settings=None, names=('one',)):
    stages = Stages(folder, len(names), say=lambda line: None)
    return [stages.run(name, 'title', settings or {}, work) for name in names]


def test_finished_stage_is_not_run_again(tmp_path):
    calls = []

    def work(folder):
        calls.append(folder.name)
        return {'value': 3}

    (first,) = run(tmp_path, work)
    (again,) = run(tmp_path, work)
    assert calls == ['one']
    assert first == again and again['value'] == 3 and again['wall_seconds'] >= 0


def test_stage_with_other_settings_is_run_again_and_the_old_folder_is_kept(tmp_path):
    def work(folder):
        assert not list(folder.iterdir())
        (folder / 'file').write_text('x')
        return {}

    run(tmp_path, work, {'count': 1})
    run(tmp_path, work, {'count': 2})
    assert (tmp_path / 'one.1' / 'file').exists()


def test_interrupted_stage_continues_with_what_it_had_written(tmp_path):
    def interrupted(folder):
        (folder / 'half').write_text('x')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, interrupted)
    found = []
    run(tmp_path, lambda folder: found.extend(p.name for p in folder.iterdir()) or {})
    assert found == ['half']


def test_later_stage_is_run_again_when_an_earlier_one_changes(tmp_path):
    calls = []

    def sequence(settings):
        stages = Stages(tmp_path, 2, say=lambda line: None)
        stages.run('one', '', settings, lambda folder: {})
        stages.run('two', '', {}, lambda folder: calls.append(1) or {})

    sequence({'a': 1})
    sequence({'a': 1})
    sequence({'a': 2})
    assert len(calls) == 2


def test_finished_stage_whose_folder_is_gone_is_run_again(tmp_path):
    calls = []
    run(tmp_path, lambda folder: calls.append(1) or {})
    (tmp_path / 'one').rmdir()
    run(tmp_path, lambda folder: calls.append(1) or {})
    assert len(calls) == 2


def test_damaged_mark_means_that_the_stage_is_run_again(tmp_path):
    calls = []
    run(tmp_path, lambda folder: calls.append(1) or {})
    (tmp_path / 'stages' / 'one.json').write_text('{"key": ')
    run(tmp_path, lambda folder: calls.append(1) or {})
    assert len(calls) == 2


def test_json_that_is_not_strict_leaves_the_old_file(tmp_path):
    path = tmp_path / 'file.json'
    write_json(path, {'a': 1})
    with pytest.raises(ValueError):
        write_json(path, {'a': float('nan')})
    assert json.loads(path.read_text()) == {'a': 1}
    assert [p.name for p in tmp_path.iterdir()] == ['file.json']


def test_what_was_lost_of_a_finished_stage_is_made_again_and_what_follows_on_it(tmp_path):
    calls, said = [], []

    def work(folder):
        calls.append(folder.name)
        (folder / 'sub').mkdir(exist_ok=True)
        (folder / 'sub' / 'file').write_text('x')
        (tmp_path / f'{folder.name}.html').write_text('x')
        return {'files': [f'{folder.name}.html']}

    def sequence():
        calls.clear()
        stages = Stages(tmp_path, 2, say=said.append)
        for name in ('one', 'two'):
            stages.run(name, '', {}, work)
        return list(calls)

    assert sequence() == ['one', 'two'] and not sequence()
    (tmp_path / 'two.html').unlink()
    assert sequence() == ['two'] and not sequence()
    assert f'    {tmp_path / "two.html"} is not there any more: two is run again' in said
    (tmp_path / 'one' / 'sub' / 'file').unlink()
    assert sequence() == ['one', 'two'] and not sequence()
    # The results that the second had made of what was lost are kept.
    assert (tmp_path / 'two.1' / 'sub' / 'file').exists()
