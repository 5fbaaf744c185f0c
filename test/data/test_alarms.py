"""Alarms about streams, and what they make of an episode."""

import numpy as np
import pytest

from guda_ros.data.pairing import SampleTally, StepChoice
from guda_ros.data.recording.alarms import StreamAlarms
from guda_ros.data.recording.quality import quality_report

START = 10_000_000_000
MS = 1_000_000


class Streams:
    """Streams of an episode whose clocks a test sets."""

    def __init__(self, rates=(), system_clock=False):
        self.alarms = StreamAlarms(START, dict(rates), system_clock)
        self.now, self.steady = START, 100.0

    def advance(self, seconds, real=None):
        self.now += round(seconds * 1e9)
        self.steady += seconds if real is None else real
        self.alarms.tick(self.now, self.steady)

    def take(self, role, stamp, delay=0.0):
        self.alarms.take(role, stamp + round(delay * 1e9), stamp)

    def run(self, role, count, rate, start=0, without=()):
        for step in range(start, start + count):
            stamp = START + round(step * 1e9 / rate)
            if step not in without:
                self.take(role, stamp)
            self.now, self.steady = stamp, 100.0 + step / rate
            self.alarms.tick(self.now, self.steady)


def test_a_stream_at_its_rate_raises_nothing():
    streams = Streams({'image': 30.0, 'odom': 100.0})
    for step in range(600):
        stamp = START + step * 10 * MS
        streams.take('odom', stamp)
        if step % 10 in (0, 3, 6):
            # A camera's stamps are never quite even.
            streams.take('image', stamp + (step * 7 % 5) * MS)
        streams.advance(0.01)
    assert streams.alarms.news() == []
    assert streams.alarms.report()['alarms'] == []
    assert streams.alarms.report()['streams']['odom'] == {
        'messages': 600,
        'wanted_rate': 100.0,
        'rate': 100.0,
        'period': 0.01,
        'widest_gap': 0.01,
        'oldest': 0.0,
        'lost': 0,
    }


def test_dropped_frames_are_counted():
    streams = Streams()
    streams.run('image', 100, 30, without=(40, 41, 70))
    # One alarm as long as it is on the screen, however many frames are lost meanwhile.
    assert streams.alarms.news() == ['image: 2 lost in a gap of 0.10 s']
    assert streams.alarms.active == ['image: 1 lost in a gap of 0.07 s']
    (alarm,) = streams.alarms.total(('gap',))
    assert (alarm.count, round(alarm.first, 2)) == (3, 1.4)
    assert streams.alarms.report()['streams']['image']['lost'] == 3


def test_what_is_lost_at_the_start_and_before_the_end_is_counted_too():
    streams = Streams()
    streams.run('image', 100, 30, without=(0, 1, 2, 97, 98, 99))
    assert not streams.alarms.reaches('image', START + round(99 / 30 * 1e9))
    streams.alarms.finish(START + round(99 / 30 * 1e9))
    assert streams.alarms.report()['streams']['image']['lost'] == 6
    # The last one was the 96th; at the end that falls on the 97th, that one may still come.
    assert streams.alarms.reaches('image', START + round(96.9 / 30 * 1e9))
    assert not streams.alarms.reaches('image', START + round(97 / 30 * 1e9))


def test_answers_to_a_camera_of_another_rate_than_control_are_no_losses():
    for rate in (15, 25, 30, 60):
        streams, choice = Streams({'ball': 10.0}), StepChoice(0.1)
        stamps = [START + round(step * 1e9 / rate) for step in range(10 * rate)]
        chosen = [stamp for stamp in stamps if choice.take(stamp)]
        for stamp in chosen[:50] + chosen[53:]:
            streams.take('ball', stamp)
        assert streams.alarms.report()['streams']['ball']['lost'] == 3, rate


def test_messages_that_were_held_up_and_come_in_bursts_are_no_losses():
    rng = np.random.default_rng(3)
    streams, stamps, now = Streams(), [], START
    for _ in range(300):
        # A starved driver stamps three that are due as it sends them.
        stamps += [now, now + MS, now + 2 * MS]
        now += round(rng.uniform(55, 65) * MS)
    for stamp in stamps:
        streams.take('odom', stamp)
    assert streams.alarms.report()['streams']['odom']['lost'] == 0


def test_one_early_message_makes_no_losses_of_all_that_follow():
    streams = Streams()
    streams.take('odom', START - MS)
    streams.run('odom', 200, 50)
    assert streams.alarms.report()['streams']['odom']['lost'] <= 20


def test_a_stream_under_its_rate_is_an_alarm_until_it_has_it_again():
    streams = Streams({'odom': 10.0})
    streams.run('odom', 30, 10)
    streams.run('odom', 30, 10, start=30, without=range(31, 60, 2))
    assert any(text.endswith('Hz instead of 10 Hz') for text in streams.alarms.active)
    streams.run('odom', 30, 10, start=60)
    assert 'odom: is well again (rate)' in streams.alarms.news()
    assert not [alarm for alarm in streams.alarms.total(('rate',)) if alarm.active]
    (alarm,) = streams.alarms.total(('rate',))
    assert alarm.count == 1 and 4.5 < alarm.worst < 8


def test_a_stream_that_stops_is_said_to_be_silent_and_is_well_again_only_then():
    streams = Streams({'odom': 10.0})
    streams.run('odom', 30, 10)
    for _ in range(25):
        streams.advance(0.1)
    assert streams.alarms.news() == ['odom: 7.5 Hz instead of 10 Hz', 'odom: silent for 2 s']
    assert streams.alarms.rate('odom') == 0.0
    streams.run('odom', 30, 10, start=55)
    assert 'odom: is well again (rate)' in streams.alarms.news()
    assert 9 < streams.alarms.rate('odom') <= 10


def test_a_stream_that_nobody_publishes_is_silent():
    streams = Streams({'pose': 10.0})
    for _ in range(25):
        streams.advance(0.1)
    assert streams.alarms.active == ['pose: silent for 2 s']


def test_a_stamp_out_of_order_is_told_from_a_message_that_is_repeated():
    streams = Streams()
    for step in (0, 1, 2, 1, 2, 3):
        streams.take('odom', START + step * 100 * MS)
    assert streams.alarms.news() == []
    streams.take('odom', START + 250 * MS)
    assert streams.alarms.news() == ['odom: a stamp is 0.050 s before the last one']


@pytest.mark.parametrize('delay, said', [(0.8, '0.8 s old'), (-2.0, '2.0 s in the future')])
def test_stale_stamps_are_an_alarm(delay, said):
    streams = Streams()
    streams.take('image', START, delay)
    assert streams.alarms.news() == [f'image: stamps are {said}']


def test_commands_may_be_as_old_and_as_irregular_as_they_are():
    streams = Streams()
    for step in (0, 5, 3, 9):
        streams.take('command', START + step * 1000 * MS, delay=1.0)
    assert streams.alarms.news() == []


@pytest.mark.parametrize('seconds', [-3.0, 3.0, 0.5])
def test_a_jump_of_the_systems_clock_is_an_alarm(seconds):
    streams = Streams(system_clock=True)
    for _ in range(5):
        streams.advance(0.1)
    streams.advance(0.1 + seconds, real=0.1)
    assert streams.alarms.news() == [f'the clock jumped by {seconds:+.1f} s']


def test_a_simulator_may_run_at_any_speed_but_not_backwards():
    streams = Streams()
    for real in (0.1, 0.01, 1.0):
        streams.advance(0.5, real=real)
    assert streams.alarms.news() == []
    streams.advance(-0.5, real=0.1)
    assert streams.alarms.news() == ['the clock jumped by -0.6 s']


def test_time_that_stands_still_is_an_alarm_until_it_goes_on():
    streams = Streams()
    streams.advance(0.1)
    for _ in range(25):
        streams.advance(0.0, real=0.1)
    assert 'stands still' in streams.alarms.active[0]
    streams.advance(0.1)
    assert streams.alarms.active == []


def whole_tally():
    tally = SampleTally(START, 0.1)
    steps = [START + step * 100 * MS for step in range(11)]
    stamps = dict.fromkeys(('odom', 'pose', 'ball', 'command'), set(steps))
    tally.count(stamps, np.array(steps), last=True)
    return tally


def test_a_whole_episode_is_good():
    report = quality_report('timeout', whole_tally(), StreamAlarms(START, {}))
    assert (report['good'], report['reasons'], report['problems']) == (True, [], [])


@pytest.mark.parametrize('verdict', ['aborted', 'error', ''])
def test_an_episode_that_was_broken_off_is_not_good(verdict):
    report = quality_report(verdict, whole_tally(), StreamAlarms(START, {}))
    assert not report['good'] and 'broken off' in report['reasons'][0]


def test_one_image_in_a_hundred_may_be_lost_but_not_three():
    for lost, good in ((1, True), (3, False)):
        streams = Streams()
        streams.run('image', 101, 30, without=range(50, 50 + lost))
        report = quality_report('scored', whole_tally(), streams.alarms)
        assert report['good'] is good


def test_a_stream_may_be_late_for_a_moment_but_not_slow_all_the_time():
    for without, good in ((range(0), True), (range(1, 100, 2), False)):
        streams = Streams({'command': 10.0, 'odom': 10.0})
        streams.run('odom', 40, 10)
        # The next ones come all at once.
        streams.advance(1.0)
        assert any('Hz instead of' in text for text in streams.alarms.active)
        for step in range(40, 50):
            streams.take('odom', START + step * 100 * MS)
        streams.run('odom', 50, 10, start=50)
        streams.now = START
        for step in range(100):
            if step not in without:
                streams.take('command', START + step * 100 * MS)
        report = quality_report('scored', whole_tally(), streams.alarms)
        assert report['good'] is good, report['reasons']


def test_a_stream_that_never_came_is_a_reason():
    streams = Streams({'pose': 10.0})
    for _ in range(30):
        streams.advance(0.1)
    report = quality_report('scored', whole_tally(), streams.alarms)
    assert report['reasons'] == ['pose: 0.0 Hz instead of 10 Hz']


def test_what_the_full_disk_refused_is_a_reason():
    report = quality_report('scored', whole_tally(), StreamAlarms(START, {}), refused=7)
    assert report['reasons'] == ['7 messages were refused by the full disk']


@pytest.mark.parametrize('apart', [True, False])
def test_lost_odometry_of_a_clock_of_its_own_is_no_reason_while_every_step_has_one(apart):
    streams, steps = Streams(), np.arange(START, START + 10**10, 100 * MS)
    phase = 7 * MS if apart else 0
    odometry = [START + phase + step * 20 * MS for step in range(-5, 510) if step % 10 != 3]
    for stamp in odometry:
        streams.take('odom', stamp)
        streams.take('camera_info', stamp)
    tally = SampleTally(START, 0.1)
    stamps = dict.fromkeys(('pose', 'ball', 'command'), {*steps.tolist()})
    tally.count({**stamps, 'odom': {*odometry}}, steps, last=True)
    assert tally.problems() == []
    report = quality_report('scored', tally, streams.alarms)
    assert report['streams']['camera_info']['lost'] > 40
    assert [reason.partition(':')[0] for reason in report['reasons']] == (
        [] if apart else ['odom']
    )
