"""What can go wrong while a demonstration is recorded, tried on the real processes."""

import json
import os
from pathlib import Path
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

from nav_msgs.msg import Odometry
import numpy as np
import pytest
from recorder_graph import NODE, recorder_graphs
import recording_scene as scene
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.data.recording.repair import doctor, repair
from guda_ros.ros import qos
from guda_ros.ros.conversions import image_message
from guda_ros.ros.graph.environment import claim_domain, ros_environment


@pytest.fixture
def start(tmp_path_factory):
    with recorder_graphs(tmp_path_factory) as launch:
        yield launch


def record_until_killed(graph, rng, number):
    """
    Record one episode after the other at 50 Hz and kill the recorder at a random moment.

    Return when it was killed, for how long it was kept waiting for a core meanwhile, and what was
    published: (wall clock, episode, stamp) [ns].
    """
    published, step, episode = [], 0, -1
    queued = time_in_queue(graph.process.pid)
    moment = time.monotonic() + rng.uniform(0.4, 2.4)
    next_episode = 0.0
    while time.monotonic() < moment:
        if time.monotonic() >= next_episode:
            if episode >= 0:
                graph.announce('end', step - 1, name=f'kill_{number}_{episode}', verdict='scored')
            episode += 1
            graph.announce('start', step, name=f'kill_{number}_{episode}')
            next_episode = time.monotonic() + rng.uniform(0.3, 1.2)
        published.append(
            (time.time_ns(), f'kill_{number}_{episode}', scene.START + step * scene.PERIOD)
        )
        graph.step(step)
        step += 1
        time.sleep(0.02)
    queued = time_in_queue(graph.process.pid) - queued
    graph.process.send_signal(signal.SIGKILL)
    killed = time.time_ns()
    assert graph.process.wait(10) == -signal.SIGKILL
    return killed, queued, published


def time_in_queue(pid):
    """
    Return for how long [ns] a thread of a process could have run and did not get a core.

    On a busy machine the recorder is late by that, and not by what it does itself.
    """
    tasks = Path(f'/proc/{pid}/task').glob('*/schedstat')
    return max(int(path.read_text().split()[1]) for path in tasks)


def odometry_stamps(path):
    with RecordingReader(path) as reader:
        stamps = [
            message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            for _, _, message in reader.messages(['/odom'])
        ]
    return set(stamps)


def check_kills(launch, folder, count, seed):
    rng = random.Random(seed)
    interrupted = 0
    for number in range(count):
        killed, queued, published = record_until_killed(launch(folder=folder), rng, number)
        partial = [path for path in folder.iterdir() if path.suffix == '.partial']
        assert len(partial) <= 1
        interrupted += len(partial)
        whole = {
            path.name
            for path in folder.iterdir()
            if (path / 'metadata.yaml').is_file() and path.suffix == ''
        }
        states = {Path(found.path).name: found.state for found in doctor(folder)}
        assert {states[name] for name in whole} <= {'whole'}
        before = {name: (folder / name / 'metadata.yaml').read_bytes() for name in whole}
        repair(folder)
        assert {found.state for found in doctor(folder)} == {'whole'}
        assert {name: (folder / name / 'metadata.yaml').read_bytes() for name in whole} == before
        for path in partial:
            # The original is kept, unless only its name was wrong.
            assert not path.exists()
            assert path.with_suffix('.interrupted').is_dir() or states[path.name] == 'unnamed'
        for episode in {name for _, name, _ in published}:
            wanted = {
                stamp
                for when, name, stamp in published
                if name == episode and when < killed - 0.5e9 - queued
            }
            if wanted:
                assert wanted <= odometry_stamps(folder / episode), episode
    assert interrupted


def test_sigkill_loses_no_episode_and_no_more_than_half_a_second(start, tmp_path):
    check_kills(start, tmp_path / 'recordings', 3, seed=1)


@pytest.mark.long
def test_fifty_sigkills_lose_no_episode_and_no_more_than_half_a_second(start, tmp_path):
    check_kills(start, tmp_path / 'recordings', 50, seed=2)


def record(graph, name='a', steps=30, period=0.01):
    graph.announce('start', name=name)
    for step in range(steps + 1):
        graph.step(step)
        time.sleep(period)


def test_a_disk_that_fills_up_loses_nothing_once_it_is_freed(start):
    graph = start()
    record(graph, steps=5)
    graph.status('recording', 'a')
    file = graph.folder / 'a.partial' / 'a_0.mcap'
    _, hard = resource.prlimit(graph.process.pid, resource.RLIMIT_FSIZE)
    # No file may become longer: what writing to a full disk looks like, without one.
    resource.prlimit(graph.process.pid, resource.RLIMIT_FSIZE, (file.stat().st_size + 200, hard))
    for step in range(6, 40):
        graph.step(step)
        time.sleep(0.01)
    graph.wait(
        lambda: any('the disk takes no more' in text for text in graph.heard[-1]['problems'])
    )
    graph.announce('end', 39, name='a', verdict='scored')
    assert 'the disk takes no more' in graph.status('failed', 'a')['problems'][-1]
    assert not (graph.folder / 'a').exists()
    resource.prlimit(graph.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert graph.status('closed', 'a')['complete']
    assert len(read_episode(graph.folder / 'a')) == 39
    assert doctor(graph.folder)[0].state == 'whole'


@pytest.mark.long
def test_a_disk_that_stays_full_keeps_what_was_recorded_before(start, tmp_path):
    mount = tmp_path / 'disk'
    mount.mkdir()
    before = [
        'unshare',
        '-rm',
        'sh',
        '-c',
        f'mount -t tmpfs -o size=2m guda {mount} && exec "$@"',
        'sh',
    ]
    if (
        shutil.which('unshare') is None
        or subprocess.run([*before, 'true'], capture_output=True).returncode
    ):
        pytest.skip('this machine lets nobody mount a small disk (unshare -rm)')
    graph = start('disk_reserve:=1', folder=mount / 'recordings', before=before)
    inside = Path(f'/proc/{graph.process.pid}/root{mount}')
    record(graph, steps=20)
    graph.status('recording', 'a')
    time.sleep(0.4)
    room = os.statvfs(inside)
    (inside / 'filler').write_bytes(bytes(room.f_bavail * room.f_frsize))
    for step in range(21, 60):
        graph.step(step)
        time.sleep(0.01)
    graph.announce('end', 59, name='a', verdict='scored')
    graph.status('failed', 'a')
    # The next one does not begin.
    graph.announce('start', name='b')
    assert 'are free' in graph.status('failed', 'b')['problems'][0]
    kept = tmp_path / 'kept'
    shutil.copytree(inside / 'recordings', kept)
    found = repair(kept)
    assert [item.state for item in found] == ['interrupted']
    assert len(read_episode(kept / 'a')) >= 20


class Simulation:
    """Publishes steps with the clock of a simulator, faster than real time."""

    def __init__(self, graph):
        self.graph = graph

    def run(self, steps, images=None, *without):
        for step in steps:
            self.graph.tick(scene.START + step * scene.PERIOD)
            self.graph.step(step, *without)
            if images is not None:
                images.publish(
                    image_message(
                        np.zeros((48, 64, 3), np.uint8),
                        scene.START + step * scene.PERIOD,
                        'camera',
                    )
                )
            time.sleep(0.03)
            self.graph.executor.spin_once(timeout_sec=0)


def test_a_clock_that_jumps_back_is_an_alarm_and_spoils_the_episode(start):
    graph = start('use_sim_time:=true')
    simulation = Simulation(graph)
    simulation.run(range(1))
    graph.announce('start', name='a')
    simulation.run(range(20))
    graph.tick(scene.START - 3_000_000_000)
    graph.wait(lambda: any('the clock jumped by -' in text for text in graph.heard[-1]['alarms']))
    graph.wait(
        lambda: any(
            status.name == '/data_collector'
            and 'clock jumped' in status.message
            and status.level == b'\x02'
            for status in graph.diagnostics
        )
    )
    simulation.run(range(20, 25))
    graph.announce('end', 24, name='a', verdict='scored')
    status = graph.status('closed', 'a')
    assert not status['good']
    with RecordingReader(status['path']) as reader:
        alarms = {alarm['kind']: alarm for alarm in reader.quality['alarms']}
        assert reader.quality['reasons'] == status['reasons']
    assert 4.5 < alarms['clock']['worst'] < 5.5


def test_a_camera_that_stops_is_an_alarm_while_it_is_recorded(start):
    graph = start('use_sim_time:=true', 'record_images:=true')
    images = graph.node.create_publisher(Image, 'image_raw', qos.DEFAULT)
    graph.wait(images.get_subscription_count)
    simulation = Simulation(graph)
    simulation.run(range(1))
    graph.announce('start', name='a')
    simulation.run(range(25), images)
    assert not any('image' in text for text in graph.heard[-1]['alarms'])
    simulation.run(range(25, 55))
    graph.wait(lambda: 'image: silent for 2 s' in graph.heard[-1]['alarms'])
    # A camera that comes back has lost images.
    simulation.run(range(55, 60), images)
    graph.announce('end', 59, name='a', verdict='scored')
    status = graph.status('closed', 'a')
    # The steps are whole all the same.
    assert status['complete'] and not status['good']
    assert 'image: 30 of 60 were lost' in status['reasons']


@pytest.mark.long
def test_a_simulator_that_is_killed_and_started_again_is_noticed(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run') / 'recordings'
    claim = claim_domain()
    environment = ros_environment(claim.number, tmp_path_factory.mktemp('log'))
    simulator = [
        sys.executable,
        '-m',
        'guda_ros.nodes.simulator',
        '--ros-args',
        '-p',
        'mode:=free',
        '-p',
        'camera:=false',
        '-p',
        'autostart:=true',
    ]
    with pytest.MonkeyPatch.context() as patch:
        for key in environment:
            patch.setenv(key, environment[key])
        from recorder_graph import Graph

        graph = Graph(folder, environment, claim.number, ['use_sim_time:=true'])
        heard = []
        graph.node.create_subscription(Odometry, 'odom', heard.append, qos.DEFAULT)
        process = None
        try:
            names = []
            for _ in range(2):
                process = subprocess.Popen(simulator, env=environment)
                # It begins an episode by itself.
                graph.wait(
                    lambda: (
                        graph.heard
                        and graph.heard[-1]['state'] == 'recording'
                        and graph.heard[-1]['id'] not in names
                    )
                )
                names.append(graph.heard[-1]['id'])
                count = len(heard)
                graph.wait(lambda count=count: len(heard) > count + 20)
                process.kill()
                process.wait()
                graph.wait(
                    lambda: any('stands still' in text for text in graph.heard[-1]['alarms'])
                )
        finally:
            if process is not None:
                process.kill()
            graph.close()
            claim.release()
    assert [found.state for found in doctor(folder)] == ['whole', 'whole']
    for name in names:
        with RecordingReader(folder / name) as reader:
            assert reader.info.verdict == 'aborted' and reader.topics['/odom'] > 20
            assert any(alarm['kind'] == 'still' for alarm in reader.quality['alarms'])


def ended_in_one_line(folder, *parameters):
    command = [*NODE, '-p', f'directory:={folder}']
    for parameter in parameters:
        command += ['-p', parameter]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    return result.stderr


def test_a_second_recorder_on_the_folder_is_refused(start):
    graph = start()
    said = ended_in_one_line(graph.folder)
    assert f'another recorder (process {graph.process.pid} on ' in said
    # The lock ends with the process, however it ends.
    graph.process.kill()
    graph.process.wait()
    again = start(folder=graph.folder)
    assert again.process.poll() is None


def test_a_folder_of_another_contract_is_refused_with_the_difference(tmp_path):
    scene.write_recording(tmp_path)
    said = ended_in_one_line(tmp_path, 'robot:=booster_t1')
    assert f'{tmp_path}/episode_0 was made for another contract' in said
    assert 'robot: booster_t1 != nao_v6' in said
    ours, theirs = Contract.load(robot='booster_t1'), Contract.load()
    assert f'limits.forward: {ours.limits.forward} != {theirs.limits.forward}' in said
    assert 'record to another folder' in said


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / 'file').write_text('')
    assert 'cannot be written' in ended_in_one_line(tmp_path / 'file' / 'recordings')


def test_an_episode_that_is_not_wanted_is_put_aside(start):
    graph = start()
    record(graph, steps=5)
    graph.announce('end', 5, name='a', verdict='scored')
    graph.status('closed', 'a')
    client = graph.node.create_client(Trigger, 'data_collector/discard')
    graph.wait(client.service_is_ready)
    answers = []
    for _ in range(2):
        future = client.call_async(Trigger.Request())
        graph.wait(future.done)
        answers.append(future.result())
    assert answers[0].success and Path(answers[0].message) == graph.folder / 'a.discarded'
    assert not answers[1].success and 'no recording to discard' in answers[1].message
    # The name is free for the next try.
    record(graph, steps=3)
    graph.announce('end', 3, name='a', verdict='scored')
    assert json.loads(json.dumps(graph.status('closed', 'a')))['path'] == str(graph.folder / 'a')
