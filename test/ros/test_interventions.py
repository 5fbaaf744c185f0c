"""A person who corrects a policy: real safety node and recorder, and what the data set says."""

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from node_trial import NodeTrial
import numpy as np
import pytest
import recording_scene as scene
from std_msgs.msg import String

from guda_ros.data.episodes import read_episode
from guda_ros.data.verdicts import COMMANDERS
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.qos import EPISODE

POLICY, PERSON, ZERO = [0.1, 0.0, 0.2], [0.2, -0.1, 0.0], [0.0, 0.0, 0.0]
STEPS = 12
#: Steps at which the person drives; at the one after the last the dead-man is let go.
CORRECTED = range(4, 8)
TYPES = {'odom': Odometry, 'pose': PoseWithCovarianceStamped, 'ball': Odometry}


def stamp_of(step: int) -> int:
    return scene.START + step * scene.PERIOD


def announce(trial, phase, step=0, **more) -> None:
    event = EpisodeEvent(id='corrected', phase=phase, stamp=stamp_of(step), **more)
    trial.publish(String, 'episode', String(data=event.to_json()), EPISODE)


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    """Record an episode of a policy that a person corrects; return its folder."""
    folder = tmp_path_factory.mktemp('run') / 'recordings'
    sim_time = {'use_sim_time': True}
    with NodeTrial(
        {
            'safety': {'require_deadman': False, **sim_time},
            'data_collector': {'directory': str(folder), **sim_time},
        },
        tmp_path_factory.mktemp('log'),
    ) as trial:
        trial.clock(stamp_of(-1))
        trial.spin(0.3)
        announce(trial, 'start')
        for step in range(STEPS + 1):
            stamp = stamp_of(step)
            trial.clock(stamp)
            for role, kind in TYPES.items():
                trial.publish(kind, scene.TOPICS[role][0].strip('/'), scene.samples(step)[role])
            # Clock, joystick and commands come on topics of their own, in no order.
            trial.spin(1.0 if step in (CORRECTED.start, CORRECTED.stop) else 0.2)
            trial.joy(deadman=step in CORRECTED, stamp=stamp)
            trial.spin(0.2)
            if step == CORRECTED.stop:
                assert trial.wait_for(lambda: trial.commands[-1][1] == ZERO)
            if step in CORRECTED:
                trial.command('teleop', PERSON, stamp)
                assert trial.answer(stamp) == PERSON
            trial.command('policy', POLICY, stamp)
            assert trial.answer(stamp) is not None
        announce(trial, 'end', STEPS, verdict='scored')
        assert trial.wait_for(lambda: (folder / 'corrected').is_dir(), 10), trial.log(
            'data_collector'
        )
    return folder / 'corrected'


def expected() -> list[str]:
    return [
        'intervention'
        if step in CORRECTED
        # The zero with which the robot stops when the dead-man is let go.
        else 'safety'
        if step == CORRECTED.stop
        else 'policy'
        for step in range(STEPS)
    ]


def test_every_step_says_who_commanded_it(recording):
    episode = read_episode(recording)
    assert [COMMANDERS[who] for who in episode.commanded_by] == expected()
    assert np.flatnonzero(episode.interventions).tolist() == list(CORRECTED)
    wanted = {'policy': POLICY, 'intervention': PERSON, 'safety': ZERO}
    np.testing.assert_allclose(episode.commands, [wanted[who] for who in expected()])
    assert len(episode) == STEPS and not episode.problems


def test_the_marks_are_in_the_data_set(recording, tmp_path):
    pytest.importorskip('minari')
    from guda_ros.data.sets.minari import read_minari, write_minari

    episode = read_episode(recording)
    from guda_ros.data.contract import Contract

    write_minari(tmp_path / 'set', [episode], Contract.load())
    (read,) = read_minari(tmp_path / 'set')
    assert read.commanded_by.tolist() == episode.commanded_by.tolist()
    assert read.interventions.sum() == len(CORRECTED)


def test_recordings_without_marks_are_read_as_unknown(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path, steps=3))
    assert [COMMANDERS[who] for who in episode.commanded_by] == ['unknown'] * 3
