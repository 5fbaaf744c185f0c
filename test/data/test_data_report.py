"""The page about recordings and data sets: its numbers, and that it is whole."""

import json
import re

from dataset_scene import CONTRACT, make_episode, make_transitions
import numpy as np
import pytest
import recording_scene as scene

from guda_ros.cli.main import main
from guda_ros.data.recording.streams import read_streams
from guda_ros.data.sets.minari import write_minari
from guda_ros.evaluation.pages.data_charts import intervals


def report(source, out, *more):
    assert main(['data', 'report', str(source), '--out', str(out), *map(str, more)]) == 0
    text = (out / 'report.html').read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert not re.search(r'\bnan\b', text, re.IGNORECASE)
    return json.loads((out / 'report.json').read_text()), text


def test_topics_of_one_rhythm_are_drawn_on_an_axis_with_numbers(tmp_path):
    scene.write_recording(tmp_path, name='lockstep')
    drawn = intervals(list(read_streams(tmp_path / 'lockstep')))
    labels = set(re.findall(r'<text[^>]*>([^<]*)', drawn))
    assert {'10', '100', '1000', '/odom'} <= labels


def test_a_folder_of_recordings_is_described_with_rates_and_gaps(tmp_path):
    folder = tmp_path / 'recordings'
    scene.write_recording(folder, 40, 'whole')
    scene.write_recording(
        folder,
        40,
        'gap',
        'timeout',
        change=lambda k, s: {
            role: data for role, data in s.items() if not (role == 'pose' and 10 <= k < 15)
        },
    )
    scene.write_recording(folder, 40, 'torn')
    file = next((folder / 'torn').glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:500])
    found, text = report(folder, tmp_path / 'out')
    assert [row['id'] for row in found['episodes']] == ['gap', 'whole']
    assert (found['scored'], found['steps']) == (1, 80)
    # The five steps without a pose, and the one before them.
    assert found['usable_steps'] == 80 - 6
    pose = next(row for row in found['streams'] if row['role'] == 'pose')
    assert (pose['lost'], pose['widest_in']) == (5, 'gap')
    assert pose['widest'] == pytest.approx(0.6) and pose['rate'] == pytest.approx(10)
    assert pose['widest_at'] == pytest.approx(0.9)
    assert len(found['damaged']) == 1 and 'torn' in found['damaged'][0]
    assert 'Left out:' in text and '<h2>Topics</h2>' in text


def test_streams_count_what_belongs_to_the_episode(tmp_path):
    path = scene.write_recording(tmp_path, 20)
    streams = {stream.role: stream for stream in read_streams(path)}
    assert streams['odom'].messages == 21 and streams['odom'].regular
    # Every message is received 1 ms after its stamp.
    assert streams['odom'].delay == pytest.approx(1e-3)
    assert streams['odom'].lost == streams['odom'].backward == 0


def test_tq_and_saco_are_those_of_the_reference(tmp_path):
    episodes = [make_episode('a', steps=8), make_episode('b', 'timeout', 8, seed=2)]
    write_minari(tmp_path / 'set', episodes, CONTRACT)
    write_minari(tmp_path / 'best', episodes[:1], CONTRACT)
    found, text = report(tmp_path / 'set', tmp_path / 'out', '--reference', tmp_path / 'best')
    # .1 m of progress a step; the goal adds 10.
    assert [row['return'] for row in found['episodes']] == pytest.approx([10.8, 0.8], rel=1e-4)
    assert found['tq']['mean_return'] == pytest.approx(5.8, rel=1e-4)
    assert found['tq']['normalised'] == pytest.approx(5.8 / 10.8, rel=1e-4)
    # Eight steps each, in cells of their own: random states and actions do not meet.
    assert found['saco']['recorded'] == {'cells': 16, 'normalised': 2.0}
    assert '<h2>Topics</h2>' not in text


def test_an_augmented_set_is_compared(tmp_path):
    write_minari(tmp_path / 'set', [make_episode(steps=8)], CONTRACT)
    make_transitions(300).save(tmp_path / 'made.h5')
    found, text = report(tmp_path / 'set', tmp_path / 'out', '--augmented', tmp_path / 'made.h5')
    assert found['sets']['augmented']['transitions'] == 300
    assert found['sets']['augmented']['cells'] > found['sets']['recorded']['cells']
    assert text.count('<tr><td>augmented</td>') == 1


def test_data_without_a_usable_step_still_gives_a_page(tmp_path):
    episode = make_episode(steps=6)
    episode.valid[:] = False
    episode.world_states[:, 3:5] = np.nan
    write_minari(tmp_path / 'set', [episode], CONTRACT)
    found, text = report(tmp_path / 'set', tmp_path / 'out')
    assert found['usable_steps'] == 0 and '<h2>Coverage</h2>' not in text
