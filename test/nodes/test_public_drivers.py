"""Robots behind the topics of public drivers: driven, recorded, converted, replayed."""

import signal

from drivers.bench import Bench, TRIES
from drivers.catalogue import DRIVERS
import numpy as np
from policy_file import write_policy
import pytest

import guda_ros
from guda_ros.data.verdicts import COMMANDERS
from guda_ros.ros.robot_check.findings import FITS
from guda_ros.soccer import world

#: What `guda check robot` says of a driver that lacks something.
BAD = {'op3': {'camera_info'}}


@pytest.fixture
def bench(request, domain, tmp_path):
    made = Bench(request.param, domain, tmp_path)
    yield made
    made.close()


def moved(episode):
    """Return who commanded the steps in which the robot was to move."""
    moving = np.abs(np.nan_to_num(episode.commands)).max(axis=1) > 0
    return {COMMANDERS[index] for index in episode.commanded_by[moving]}


@pytest.mark.needs('drawing')
@pytest.mark.parametrize(
    'bench, whole',
    [
        ('naoqi', False),
        *(pytest.param(name, True, marks=pytest.mark.long) for name in DRIVERS),
    ],
    indirect=['bench'],
)
def test_the_robot_of_a_public_driver_is_driven_recorded_replayed_and_led_by_a_policy(
    bench, whole
):
    person, driver = bench.person, bench.driver
    bench.place()
    if bench.has_head:
        driver.look(0.15, 0.1)
    if whole:
        # usb_cam without a calibration file is the one thing that anything lacks in.
        found = bench.look()
        assert {each.subject for each in found.lacks} == BAD.get(bench.name, set()), found
        assert any(each.subject == 'ball' and each.level == FITS for each in found.findings)
    write_policy(bench.folder / 'walk.onnx', bench.contract)
    with bench.up('--policy', str(bench.folder / 'walk.onnx')):
        person.press('takeover', lambda: person.said['teleop/state']['taken_over'])
        taught = bench.teach()
        end, gone = np.array(driver.state['robot']), bench.walked
        person.press('takeover', lambda: not person.said['teleop/state']['taken_over'])
        bench.place()
        person.held = True
        driven = bench.begin()
        person.wait(lambda: bench.walked[0] > 0.2, 30, lambda: driver.state)
        # Ctrl-C ends it while the policy drives.
        assert driver.state['speed'] > 0.05

    episode = bench.read(taught)
    assert len(episode) > 10 and episode.usable.mean() > 0.5, episode.problems
    assert moved(episode) <= {'teleop', 'intervention'} and moved(bench.read(driven)) == {'policy'}
    # What perception made of pictures and odometry is what there was in the world.
    states = episode.world_states
    np.testing.assert_allclose(states[0, world.ROBOT], bench.start, atol=0.02)
    first = np.flatnonzero(episode.valid)[0]
    np.testing.assert_allclose(states[first, world.BALL], bench.ball, atol=0.04)
    np.testing.assert_allclose(states[-1, world.ROBOT], end, atol=0.05)

    made = guda_ros.convert([bench.recordings / taught], bench.folder / 'set', robot=bench.profile)
    assert sum(map(len, made.episodes)) == len(episode)

    if not whole:
        return
    # A person whose hand is held up for half a second lets go, and has to begin again.
    assert any(bench.replay(taught) for _ in range(TRIES))
    assert driver.state['command'] == [0.0, 0.0, 0.0]
    driver.wait(lambda state: state['speed'] < 0.01)
    np.testing.assert_allclose(bench.walked[:2], gone[:2], atol=0.1)


@pytest.mark.long
@pytest.mark.needs('drawing')
@pytest.mark.parametrize('bench', DRIVERS, indirect=True)
def test_the_robot_of_a_public_driver_is_taught_from_a_terminal(bench):
    person, driver = bench.person, bench.driver
    person.put_away()
    bench.place()
    with bench.up():
        screen = bench.command('teleop', 'attach', '--device', 'keyboard')
        try:
            screen.wait_for('the robot stands', timeout=120, meanwhile=lambda: bench.seconds(0.02))
            if DRIVERS[bench.name].head_command:
                # Down and to the left, whatever the signs of the robot's joints.
                for key, index in (('k', 1), ('j', 0)):
                    screen.hold(key, lambda index=index: driver.state['head'][index] > 0.05)
                screen.press('c')
                driver.wait(lambda state: np.abs(state['head']).max() < 0.01)
            for attempt in range(TRIES):
                bench.place()
                screen.press('n')
                person.wait(lambda: person.episode.get('running'), 60)
                name = person.episode['id']
                screen.hold('Q', lambda: bench.passed(0.02) or bench.walked[0] > 0.3)
                driver.wait(lambda state: state['speed'] < 0.01)
                screen.press('y')
                person.wait(lambda: person.recording.get('state') == 'closed', 60)
                good = person.recording['good']
                if good or attempt == TRIES - 1:
                    break
                screen.press('\x7f')
                person.wait(lambda tries=attempt: person.episode['discarded'] > tries, 60)
            assert good or bench.busy, person.recording
            # Ctrl-C in the terminal while the robot walks.
            screen.hold('W', lambda: bench.passed(0.02) or driver.state['speed'] > 0.05)
            screen.process.send_signal(signal.SIGINT)
            screen.must_end(0)
            driver.wait(lambda state: state['speed'] < 0.01)
            assert driver.state['command'] == [0.0, 0.0, 0.0]
        finally:
            screen.close()
    episode = bench.read(name)
    assert moved(episode) == {'teleop'} and episode.usable.mean() > 0.5
    first = np.flatnonzero(episode.valid)[0]
    np.testing.assert_allclose(episode.world_states[first, world.BALL], bench.ball, atol=0.05)
