"""Adapters over DDS with the robots' own message types, made from their published definitions."""

from collections.abc import Callable
import json
import os
import sys
import time

from foreign_messages import lacks, make
from nav_msgs.msg import Odometry
from node_trial import NodeTrial
import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import Trigger

from guda_ros.ros.conversions import pose_from_message, twist_stamped
from guda_ros.ros.qos import COMMAND, HEARTBEAT, LATCHED

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(lacks()), reason=lacks() or 'nothing'),
]
GO = [0.4, 0.0, 0.5]


@pytest.fixture(scope='module')
def messages(tmp_path_factory) -> Callable[[str], None]:
    """Return what makes a package importable, here and in nodes that are started later."""
    folder, before = tmp_path_factory.mktemp('messages'), os.environ.get('PYTHONPATH')
    sys.path.insert(0, str(folder))
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [str(folder), before]))
    yield lambda package: (folder / package).exists() or make(package, folder)
    sys.path.remove(str(folder))
    if before is None:
        del os.environ['PYTHONPATH']
    else:
        os.environ['PYTHONPATH'] = before


class Hands:
    """Commands, heartbeats and ears beside an adapter."""

    def __init__(self, trial):
        self.trial, self.node = trial, trial.node
        self._command = self.node.create_publisher(twist_stamped(GO, 0).__class__, 'cmd_vel', 1)
        self._beat = self.node.create_publisher(Header, 'safety/heartbeat', HEARTBEAT)
        self._states = trial.listen(String, 'adapter/state', LATCHED)

    @property
    def state(self):
        return json.loads(self._states[-1].data) if self._states else {}

    def drive(self, until, command=GO, patience=30.0):
        """Command, ten times a second, until a condition holds."""
        deadline = time.monotonic() + patience
        while not until():
            assert time.monotonic() < deadline, (self.state, self.trial.log('adapter'))
            self._command.publish(twist_stamped(command, self.trial.now()))
            self._beat.publish(Header())
            self.trial.spin(0.1)

    def ask(self, service):
        client = self.node.create_client(Trigger, f'adapter/{service}')
        assert client.wait_for_service(20)
        future = client.call_async(Trigger.Request())
        assert self.trial.wait_for(future.done, 20)
        return future.result().success, future.result().message


def test_a_booster_robot_on_its_topic(messages, tmp_path):
    for package in ('booster_msgs', 'booster_interface'):
        messages(package)
    from booster_interface.msg import BatteryState, FallDownState, Odometer
    from booster_msgs.msg import RpcReqMsg, RpcRespMsg

    robot, calls = {'mode': 2}, []
    with NodeTrial({'adapter': {'robot': 'booster_t1'}}, tmp_path, listen=()) as trial:
        answers = trial.node.create_publisher(RpcRespMsg, 'LocoApiTopicResp', 10)
        falls = trial.node.create_publisher(FallDownState, '/fall_down', 10)
        battery = trial.node.create_publisher(BatteryState, '/battery_state', 10)

        def hear(message):
            number = json.loads(message.header)['api_id']
            calls.append((number, json.loads(message.body or '{}')))
            if number == 2000:
                robot['mode'] = calls[-1][1]['mode']
            if number == 2017:
                body = json.dumps({'mode': robot['mode']})
                answers.publish(RpcRespMsg(uuid=message.uuid, header='{}', body=body))

        trial.node.create_subscription(RpcReqMsg, 'LocoApiTopicReq', hear, 100)

        def moves():
            return [body for number, body in calls if number == 2001]

        hands = Hands(trial)
        hands.drive(lambda: {'vx': 0.4, 'vy': 0.0, 'vyaw': 0.5} in moves())
        hands.drive(lambda: hands.state.get('mode') == 'walking')
        # Within half of the dead zone of its profile nothing, else the whole of it.
        hands.drive(lambda: moves()[-1] == {'vx': 0.3, 'vy': 0.0, 'vyaw': 0.25}, [0.16, 0.1, 0.2])

        falls.publish(FallDownState(fall_down_state=1))
        hands.drive(lambda: moves()[-1] == {'vx': 0.0, 'vy': 0.0, 'vyaw': 0.0})
        assert trial.wait_for(lambda: hands.state['fall'] == 'falling', 20)
        assert hands.ask('walk') == (False, 'the robot is falling: get it up first')
        assert hands.ask('get_up') == (True, 'the robot was told')
        assert trial.wait_for(lambda: (2008, {}) in calls, 20)
        falls.publish(FallDownState(fall_down_state=0))
        hands.drive(lambda: moves()[-1]['vx'] == 0.4)

        steps = trial.node.create_publisher(Odometer, '/odometer_state', 10)
        poses = []
        trial.node.create_subscription(Odometry, 'odom', poses.append, 10)
        steps.publish(Odometer(x=float('nan')))
        hands.drive(lambda: steps.publish(Odometer(x=1.5, y=-0.5, theta=0.5)) or poses)
        assert (poses[0].header.frame_id, poses[0].child_frame_id) == ('odom', 'base_link')
        np.testing.assert_allclose(pose_from_message(poses[0]), (1.5, -0.5, 0.5), atol=1e-6)
        # Newer firmware publishes it itself: one is enough.
        trial.node.create_publisher(Odometry, 'odom', 10)
        trial.spin(1.0)
        poses.clear()
        steps.publish(Odometer(x=2.0))
        hands.drive(lambda: moves()[-1]['vx'] == 0.4)
        assert not poses

        battery.publish(BatteryState(soc=12.5))
        assert trial.wait_for(lambda: hands.state['battery'] == 0.12, 20)
        hands.drive(lambda: moves()[-1]['vx'] == 0.4)
        trial.publish(Bool, 'kick', Bool(data=True), COMMAND)
        assert trial.wait_for(lambda: (2024, {}) in calls, 20)
        head = JointState(name=['AAHead_yaw', 'Head_pitch'], position=[0.3, 0.2])
        trial.publish(JointState, 'head/command', head, COMMAND)
        assert trial.wait_for(lambda: (2004, {'pitch': 0.2, 'yaw': 0.3}) in calls, 20)

        hands.ask('rest')
        hands.drive(lambda: hands.state['mode'] == 'prepare')
        hands.drive(lambda: moves()[-1]['vx'] == 0.0 and hands.state['reason'] == 'not walking')
        hands.ask('walk')
        hands.drive(lambda: moves()[-1]['vx'] == 0.4)
        calls.clear()
        os.kill(trial.graph.pids['adapter'], 15)
        assert trial.wait_for(lambda: (2000, {'mode': 1}) in calls, 20)
        last = [call for call in calls if call[0] in (2000, 2001)]
        assert last[-2:] == [(2001, {'vx': 0.0, 'vy': 0.0, 'vyaw': 0.0}), (2000, {'mode': 1})]


def test_a_booster_robot_by_its_service(messages, tmp_path):
    messages('booster_interface')
    from booster_interface.srv import RpcService

    calls, status = [], {'now': 0}
    adapter = {'robot': 'booster_t1', 'adapter': 'booster_service'}
    with NodeTrial({'adapter': adapter}, tmp_path, listen=()) as trial:

        def answer(request, response):
            calls.append((request.msg.api_id, json.loads(request.msg.body or '{}')))
            response.msg.status = status['now']
            response.msg.body = '{"mode": 4}' if request.msg.api_id == 2017 else ''
            return response

        hands = Hands(trial)
        hands.drive(lambda: hands.state.get('connected') is False)
        service = trial.node.create_service(RpcService, 'booster_rpc_service', answer)
        hands.drive(lambda: (2001, {'vx': 0.4, 'vy': 0.0, 'vyaw': 0.5}) in calls)
        hands.drive(lambda: hands.state['mode'] == 'soccer' and hands.state['connected'])
        status['now'] = 400
        hands.drive(lambda: 'bad request 400' in hands.state['problem'])
        status['now'] = 0
        hands.drive(lambda: hands.state['problem'] == '')
        calls.clear()
        # Nobody beats and nobody commands.
        assert trial.wait_for(lambda: (2001, {'vx': 0.0, 'vy': 0.0, 'vyaw': 0.0}) in calls, 20)
        trial.node.destroy_service(service)


def test_an_op3_by_its_walking_parameters(messages, tmp_path):
    messages('op3_walking_module_msgs')
    from op3_walking_module_msgs.msg import WalkingParam
    from op3_walking_module_msgs.srv import GetWalkingParam

    heard, words, modules = [], [], []
    with NodeTrial({'adapter': {'robot': 'robotis_op3'}}, tmp_path, listen=()) as trial:
        node = trial.node
        node.create_subscription(WalkingParam, '/robotis/walking/set_params', heard.append, 100)
        node.create_subscription(
            String, '/robotis/walking/command', lambda m: words.append(m.data), 100
        )
        node.create_subscription(
            String, '/robotis/enable_ctrl_module', lambda m: modules.append(m.data), 100
        )
        hands, forward = Hands(trial), [0.1, 0.0, 0.5]
        hands.drive(lambda: 'has not answered' in hands.state.get('problem', ''), forward)
        assert not heard and set(words) == {'stop'}

        def answer(_, response):
            response.parameters.period_time = 0.6
            response.parameters.hip_pitch_offset = 0.25
            return response

        node.create_service(GetWalkingParam, '/robotis/walking/get_params', answer)
        hands.drive(lambda: heard and heard[-1].x_move_amplitude > 0, forward)
        walks = heard[-1]
        assert walks.x_move_amplitude == pytest.approx(0.03)
        assert walks.angle_move_amplitude == pytest.approx(0.15)
        # What it had before is sent back as it was.
        assert walks.hip_pitch_offset == pytest.approx(0.25)
        assert trial.wait_for(lambda: 'start' in words, 20)
        assert trial.wait_for(lambda: words[-1] == 'stop', 20)
        assert trial.wait_for(lambda: heard[-1].x_move_amplitude == 0, 20)
        assert hands.ask('walk')[0]
        assert trial.wait_for(lambda: modules == ['walking_module'], 20)


def test_a_unitree_robot_by_its_sport_service(messages, tmp_path):
    messages('unitree_api')
    from unitree_api.msg import Request, Response

    heard = []
    with NodeTrial({'adapter': {'adapter': 'unitree_sport'}}, tmp_path, listen=()) as trial:
        node = trial.node
        node.create_subscription(Request, '/api/sport/request', heard.append, 100)
        answers = node.create_publisher(Response, '/api/sport/response', 10)
        hands, forward = Hands(trial), [0.2, 0.0, 0.5]

        def told():
            return json.loads(heard[-1].parameter) if heard else {}

        hands.drive(lambda: told().get('velocity') == forward, forward)
        assert heard[-1].header.identity.api_id == 7105
        refusal = Response()
        refusal.header.identity.api_id, refusal.header.status.code = 7105, 3104
        answers.publish(refusal)
        hands.drive(lambda: 'code 3104' in hands.state['problem'], forward)
        assert trial.wait_for(lambda: told()['velocity'] == [0.0, 0.0, 0.0], 20)
        assert {json.loads(request.parameter)['duration'] for request in heard} == {0.4}
        numbers = [request.header.identity.id for request in heard]
        assert numbers == sorted(set(numbers))


def test_a_nao_turns_its_head(messages, tmp_path):
    messages('naoqi_bridge_msgs')
    from naoqi_bridge_msgs.msg import JointAnglesWithSpeed

    with NodeTrial({'adapter': {'robot': 'nao_v6'}}, tmp_path, listen=()) as trial:
        heard = trial.listen(JointAnglesWithSpeed, 'joint_angles')
        head = JointState(name=['HeadYaw'], position=[0.3])
        trial.publish(JointState, 'head/command', head, COMMAND)
        assert trial.wait_for(lambda: heard, 20)
        assert (heard[0].joint_names, heard[0].relative) == (['HeadYaw'], 0)
        assert heard[0].joint_angles[0] == pytest.approx(0.3) and heard[0].speed == 0.5
