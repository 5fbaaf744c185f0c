"""Steps follow the contract's rate, odometry the image's stamp, whatever clocks a driver has."""

from itertools import pairwise

import numpy as np
import pytest

from guda_ros.data.odometry_join import between, MAX_GAP, MAX_WAIT
from guda_ros.data.pairing import control_steps, missing_samples, regular, StepChoice, TOLERANCE
from guda_ros.data.recording.completeness import SampleCheck
from guda_ros.data.stamp_join import BACK, StreamTime
from guda_ros.data.step_join import StepJoin

MS = 1_000_000
SECOND = 1000 * MS
PERIOD = 0.1
START = 50 * SECOND


def images(rate, seconds=20.0, jitter=0.0, drops=0.0, seed=0):
    """Return stamps [ns] of a camera, with a jitter [s] and a share of images that are lost."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, seconds, 1 / rate)
    times = times + rng.uniform(-jitter, jitter, len(times))
    kept = rng.uniform(size=len(times)) >= drops
    kept[0] = True
    return [START + int(value * SECOND) for value in np.sort(times[kept])]


def chosen(stamps):
    choice = StepChoice(PERIOD)
    return [stamp for stamp in stamps if choice.take(stamp)]


@pytest.mark.parametrize('rate', [15, 18, 20, 24, 25, 29.97, 30, 50, 60, 90, 120, 200])
@pytest.mark.parametrize('jitter', [0.0, 0.003])
def test_the_nearest_image_to_every_multiple_of_the_period_is_chosen(rate, jitter):
    steps = chosen(images(rate, jitter=jitter, seed=int(rate)))
    assert len(steps) == pytest.approx(200, abs=1)
    # With the slack of the choice and the jitter of both neighbours.
    off = [(step - steps[0]) / SECOND - PERIOD * index for index, step in enumerate(steps)]
    assert np.abs(off).max() <= 0.5 / rate + 0.02 * PERIOD + 4 * jitter + 1e-6


@pytest.mark.parametrize('rate', [15, 20, 25, 30, 50, 60, 100])
def test_steps_of_any_fast_camera_last_a_period_as_near_as_its_images_allow(rate):
    steps = chosen(images(rate))
    assert regular(np.array(steps), PERIOD).all()


@pytest.mark.parametrize('rate', [4, 7.5, 9, 9.8, 10, 10.2, 11])
def test_every_image_of_a_camera_that_is_no_faster_than_the_contract_is_chosen(rate):
    stamps = images(rate, seconds=60.0, jitter=0.0)
    assert chosen(stamps) == stamps


def test_in_lock_step_every_image_begins_a_step_at_its_very_stamp():
    stamps = [START + index * 100 * MS for index in range(6000)]
    assert chosen(stamps) == stamps
    assert regular(np.array(stamps), PERIOD).all()


@pytest.mark.parametrize('seed', range(40))
def test_what_was_chosen_is_chosen_again(seed):
    rng = np.random.default_rng(seed)
    stamps = images(
        rng.uniform(5, 120), jitter=rng.uniform(0, 0.02), drops=rng.uniform(0, 0.4), seed=seed
    )
    stamps = sorted(set(stamps))
    once = chosen(stamps)
    assert chosen(once) == once


@pytest.mark.parametrize('seed', range(20))
def test_a_camera_without_any_order_is_answered_at_the_contracts_rate_at_most(seed):
    rng = np.random.default_rng(seed)
    stamps = START + np.cumsum(rng.exponential(0.02, 2000) * SECOND).astype(np.int64)
    steps = chosen([int(stamp) for stamp in stamps])
    seconds = (stamps[-1] - stamps[0]) / SECOND
    assert 0.9 * seconds / PERIOD <= len(steps) <= seconds / PERIOD + 2


def test_an_image_that_was_lost_costs_no_step_of_a_fast_camera():
    stamps = images(60, drops=0.05, seed=3)
    steps = chosen(stamps)
    assert len(steps) == pytest.approx(200, abs=1)
    assert regular(np.array(steps), PERIOD).mean() > 0.95


def test_a_step_over_a_lost_image_of_a_slow_camera_does_not_count():
    stamps = [START + index * 100 * MS for index in range(20) if index != 7]
    assert (~regular(np.array(chosen(stamps)), PERIOD)).sum() == 1
    assert TOLERANCE < 0.5


def recorded(image_rate, odometry_rate, phase=0.0037):
    """Return stamps by role of an episode with a perception that answers every image."""
    stamps = images(image_rate, seconds=30.0)
    odom = [
        int(START + (value + phase) * SECOND) for value in np.arange(-1, 31, 1 / odometry_rate)
    ]
    roles = dict.fromkeys(('pose', 'ball', 'command'), set(stamps))
    return {**roles, 'odom': set(odom)}


@pytest.mark.parametrize('image_rate', [10, 15, 25, 30, 60])
@pytest.mark.parametrize('odometry_rate', [10, 15, 50, 100])
def test_a_recording_of_any_rates_is_whole(image_rate, odometry_rate):
    stamps = recorded(image_rate, odometry_rate)
    steps = control_steps(stamps, START, 2**63 - 1, StepChoice(PERIOD))
    assert len(steps) == pytest.approx(300, abs=1)
    assert missing_samples(stamps, steps, START, PERIOD) == []


@pytest.mark.parametrize('image_rate', [10, 15, 30])
def test_the_recorder_counts_as_the_reader_does(image_rate):
    stamps = recorded(image_rate, 40)
    stamps['odom'] -= {
        stamp for stamp in stamps['odom'] if START + 8 * SECOND < stamp < START + 9 * SECOND
    }
    check = SampleCheck(START, PERIOD)
    for stamp, role in sorted((stamp, role) for role, of in stamps.items() for stamp in of):
        check.add(role, stamp)
    steps = control_steps(stamps, START, 2**63 - 1, StepChoice(PERIOD))
    expected = missing_samples(stamps, steps, START, PERIOD)
    assert check.finish(0).problems() == expected
    assert len(expected) == 1 and 'odom' in expected[0]


class Clock:
    """A clock that a test sets [s]."""

    now = 0.0

    def __call__(self):
        return self.now


def walk(stamp):
    """Return where a robot is that walks a circle, its yaw beyond pi."""
    seconds = (stamp - START) / SECOND
    yaw = (3.0 + 0.8 * seconds + np.pi) % (2 * np.pi) - np.pi
    return np.array([0.2 * seconds, -0.1 * seconds, yaw])


def take_all(steps):
    found = []
    while (joined := steps.next()) is not None:
        found.append(joined)
    return found


@pytest.mark.parametrize('seed', range(30))
def test_odometry_of_any_rate_phase_and_order_is_interpolated_at_the_image(seed):
    rng = np.random.default_rng(seed)
    clock = Clock()
    steps = StepJoin(PERIOD, 'images', clock=clock)
    rate, delay = rng.uniform(9, 200), rng.uniform(0, 0.05)
    odometry = START + np.arange(-0.2, 6, 1 / rate) * SECOND + rng.uniform(0, 1 / rate) * SECOND
    events = [(stamp + rng.uniform(0, delay) * SECOND, 'odom', int(stamp)) for stamp in odometry]
    asked = images(rng.choice([10, 15, 25, 30, 60]), seconds=5.0, seed=seed)
    events += [(stamp + rng.uniform(0, delay) * SECOND, 'image', stamp) for stamp in asked]
    found = []
    for when, kind, stamp in sorted(events):
        clock.now = when / SECOND
        if kind == 'odom':
            steps.odometry(stamp, walk(stamp))
        else:
            steps.add(stamp, stamp)
        found += [(joined, clock.now) for joined in take_all(steps)]
    # The way of an image may cross that of the one after it, which is a straggler then.
    assert len(found) >= 40
    for joined, now in found:
        assert joined.value == joined.stamp
        difference = joined.odom - walk(joined.stamp)
        difference[2] = (difference[2] + np.pi) % (2 * np.pi) - np.pi
        np.testing.assert_allclose(difference, 0, atol=1e-6)
        assert now - joined.stamp / SECOND <= delay + 1 / rate + 1e-6 + delay
    assert all(first.stamp < last.stamp for (first, _), (last, _) in pairwise(found))


def test_an_odometry_of_the_very_stamp_is_used_as_it_is_and_at_once():
    steps = StepJoin(PERIOD, 'images')
    pose = np.array([0.1, 0.2, 0.3])
    steps.odometry(START - 10 * MS, np.zeros(3))
    steps.add(START, 'image')
    assert steps.next() is None
    steps.odometry(START, pose)
    assert steps.next().odom is pose


@pytest.mark.parametrize('gap, joined', [(MAX_GAP, True), (MAX_GAP + 0.001, False)])
def test_odometry_too_far_apart_is_not_interpolated_and_the_distance_is_told(gap, joined):
    clock = Clock()
    steps = StepJoin(PERIOD, 'images', clock=clock)
    steps.odometry(START - 10 * MS, np.zeros(3))
    steps.add(START, 'image')
    steps.odometry(START - 10 * MS + round(gap * SECOND), np.zeros(3))
    assert (steps.next() is not None) == joined
    clock.now = 1.0
    assert ('0.121 s apart' in steps.lack) == (not joined)


@pytest.mark.parametrize('late, joined', [(MAX_WAIT - 0.01, True), (MAX_WAIT + 0.01, False)])
def test_an_image_waits_a_bounded_time_for_the_odometry_after_it(late, joined):
    clock = Clock()
    steps = StepJoin(PERIOD, 'images', 'the image', clock=clock)
    steps.odometry(START - 10 * MS, np.zeros(3))
    steps.add(START, 'image')
    clock.now = late
    assert bool(steps.lack) == (not joined)
    if not joined:
        assert steps.lack == 'the newest odometry is 0.010 s before the image'
    steps.odometry(START + 10 * MS, np.zeros(3))
    assert (steps.next() is not None) == joined


@pytest.mark.parametrize('pose', [[np.nan, 0, 0], [0, np.inf, 0], [1e39, 0, 0], [0, 0, -1e300]])
def test_odometry_that_is_no_place_is_refused(pose):
    with pytest.raises(ValueError, match='was ignored'):
        StepJoin(PERIOD, 'images').odometry(START, np.array(pose))


def test_yaw_is_interpolated_on_the_circle():
    pose = between([0, 0, np.pi - 0.1], [1, 2, -np.pi + 0.3], 0.5)
    np.testing.assert_allclose(pose, [0.5, 1.0, -np.pi + 0.1])


def test_memory_of_images_without_odometry_is_bounded():
    steps = StepJoin(PERIOD, 'images')
    for index in range(1000):
        steps.add(START + index * 33 * MS, bytearray(10))
    join = steps._inputs
    assert len(join._waiting) <= 30 and len(join._exact._waiting) <= 31


@pytest.mark.parametrize('back, fresh', [(0.3, 'fresh'), (BACK + 0.1, 'anew'), (3600, 'anew')])
def test_a_stamp_far_behind_is_a_new_time_and_a_straggler_is_none(back, fresh):
    stream = StreamTime()
    assert stream.judge(5000 * SECOND) == 'fresh'
    assert stream.judge(int((5000 - back) * SECOND)) == fresh
    assert stream.judge(int((5000 - back) * SECOND) + MS) == 'fresh'


def test_what_comes_just_after_a_reset_from_before_it_is_a_straggler_however_old():
    clock = Clock()
    stream = StreamTime(clock)
    stream.begin(5000 * SECOND)
    assert stream.judge(100 * SECOND) == 'late'
    assert stream.judge(4999 * SECOND) == 'late'
    clock.now = 2.5
    assert stream.judge(4999 * SECOND + 500 * MS) == 'late'
    assert stream.judge(100 * SECOND) == 'anew'
    assert stream.judge(100 * SECOND + 1) == 'fresh'


@pytest.mark.parametrize('kinds', [('image', 'odom'), ('odom', 'image')])
@pytest.mark.parametrize('offset', [0, 5 * MS])
def test_a_bag_that_loops_is_joined_again_whatever_goes_back_first(kinds, offset):
    steps = StepJoin(PERIOD, 'images')
    for lap in range(3):
        found = []
        for index in range(50):
            stamp = START + index * 100 * MS
            for kind in kinds:
                if kind == 'odom':
                    steps.odometry(stamp + offset, walk(stamp))
                else:
                    steps.add(stamp, lap)
                found += take_all(steps)
        assert len(found) >= 49 and {joined.value for joined in found} == {lap}
        assert len(steps.news()) == (2 if lap else 0)


def test_one_stamp_in_the_future_does_not_deafen():
    steps, found = StepJoin(PERIOD, 'images'), []
    for index in range(20):
        stamp = START + index * 100 * MS
        if index == 10:
            steps.add(stamp + 3600 * SECOND, 'wrong')
            steps.odometry(stamp + 3600 * SECOND, np.zeros(3))
        steps.odometry(stamp, np.zeros(3))
        steps.add(stamp, index)
        found += [joined.value for joined in take_all(steps)]
    assert [value for value in found if value != 'wrong'] == [*range(20)]
