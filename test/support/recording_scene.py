"""Recordings of a scene with known numbers, written without ROS."""

import numpy as np
from rosbags.typesys import get_typestore, Stores

from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingInfo, RecordingWriter

TYPES = get_typestore(Stores.ROS2_KILTED)
START = 5_000_000_000
PERIOD = 100_000_000
TOPICS = {
    'odom': ('/odom', 'nav_msgs/msg/Odometry'),
    'pose': ('/pose', 'geometry_msgs/msg/PoseWithCovarianceStamped'),
    'ball': ('/ball/odom', 'nav_msgs/msg/Odometry'),
    'command': ('/cmd_vel', 'geometry_msgs/msg/TwistStamped'),
    'ground_truth_robot': ('/ground_truth/odom', 'nav_msgs/msg/Odometry'),
    'ground_truth_ball': ('/ground_truth/ball', 'nav_msgs/msg/Odometry'),
    'ball_detection': ('/ball/detection', 'geometry_msgs/msg/PointStamped'),
}
IMAGES = ('/image_raw/compressed', 'sensor_msgs/msg/CompressedImage')


def header(stamp, frame):
    time = TYPES.types['builtin_interfaces/msg/Time'](*divmod(stamp, 1_000_000_000))
    return TYPES.types['std_msgs/msg/Header'](time, frame)


def vector(*values):
    return TYPES.types['geometry_msgs/msg/Vector3'](*map(float, values))


def point(*values):
    return TYPES.types['geometry_msgs/msg/Point'](*map(float, values))


def pose_with_covariance(x, y, yaw, variance=0.01):
    rotation = TYPES.types['geometry_msgs/msg/Quaternion'](
        0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)
    )
    place = TYPES.types['geometry_msgs/msg/Pose'](point(x, y, 0), rotation)
    covariance = np.zeros(36)
    covariance[[0, 7]] = variance
    return TYPES.types['geometry_msgs/msg/PoseWithCovariance'](place, covariance)


def twist(x, y, turn=0.0):
    return TYPES.types['geometry_msgs/msg/Twist'](vector(x, y, 0), vector(0, 0, turn))


def odometry(stamp, frame, pose, velocity=(0.0, 0.0), variance=0.01):
    kind = 'nav_msgs/msg/Odometry'
    moving = TYPES.types['geometry_msgs/msg/TwistWithCovariance'](twist(*velocity), np.zeros(36))
    place = pose_with_covariance(*pose, variance=variance)
    return bytes(
        TYPES.serialize_cdr(
            TYPES.types[kind](header(stamp, frame), 'base_link', place, moving), kind
        )
    )


def pose(stamp, row, frame='map', variance=0.01):
    kind = 'geometry_msgs/msg/PoseWithCovarianceStamped'
    return bytes(
        TYPES.serialize_cdr(
            TYPES.types[kind](header(stamp, frame), pose_with_covariance(*row, variance=variance)),
            kind,
        )
    )


def command(stamp, row):
    kind = 'geometry_msgs/msg/TwistStamped'
    return bytes(
        TYPES.serialize_cdr(TYPES.types[kind](header(stamp, 'base_link'), twist(*row)), kind)
    )


def detection(stamp):
    kind = 'geometry_msgs/msg/PointStamped'
    return bytes(
        TYPES.serialize_cdr(TYPES.types[kind](header(stamp, 'base_link'), point(1, 0, 0)), kind)
    )


def compressed(stamp, jpeg):
    kind = IMAGES[1]
    content = np.frombuffer(jpeg, dtype=np.uint8)
    return bytes(
        TYPES.serialize_cdr(TYPES.types[kind](header(stamp, 'camera'), 'jpeg', content), kind)
    )


def samples(step):
    """
    Return role -> message of one step.

    The robot stands at (1, 2) in `map` facing y and at the origin of `odom`; the ball, .5 m ahead
    of it plus 1 cm a step, rolls away at .1 m/s. The command of step k is (.1, 0, .01 k).
    """
    stamp = START + step * PERIOD
    ahead = 0.5 + 0.01 * step
    return {
        'ground_truth_robot': odometry(stamp, 'map', (1.0, 2.0, np.pi / 2)),
        'ground_truth_ball': odometry(stamp, 'map', (1.0, 2.02 + ahead, 0.0), (0.0, 0.1)),
        'odom': odometry(stamp, 'odom', (0.0, 0.0, 0.0)),
        'pose': pose(stamp, (1.0, 2.0, np.pi / 2)),
        'ball': odometry(stamp, 'odom', (ahead, 0.0, 0.0), (0.1, 0.0)),
        'command': command(stamp, (0.1, 0.0, 0.01 * step)),
    }


def write_recording(
    folder,
    steps=10,
    name='episode_0',
    verdict='scored',
    change=lambda k, s: s,
    contract=None,
    seed=7,
    pre_roll=0,
    jpeg=None,
):
    """
    Write `steps` steps and the last observation; `change(k, samples)` may edit a step.

    :param pre_roll: steps before the start that are written, too. :param jpeg: gives the bytes of
        what the camera saw at step k, None where there is no picture.
    """
    info = RecordingInfo(
        id=name,
        scenario='attack',
        start_index=3,
        seed=seed,
        operator='scripted',
        start_stamp=START,
    )
    writer = RecordingWriter(folder, contract or Contract.load(), info)
    for role, (topic, kind) in TOPICS.items():
        writer.add_topic(topic, kind, role)
    if jpeg:
        writer.add_topic(*IMAGES, 'image')
    for step in range(-pre_roll, steps + 1):
        for role, data in change(step, samples(step)).items():
            writer.write(TOPICS[role][0], START + step * PERIOD + 1_000_000, data)
        picture = jpeg(step) if jpeg else None
        if picture is not None:
            stamp = START + step * PERIOD
            writer.write(IMAGES[0], stamp + 2_000_000, compressed(stamp, picture))
    return writer.close(verdict=verdict, end_stamp=START + steps * PERIOD)


#: How fast [m/s] the robot of `write_stamped` walks along x.
SPEED = 0.1


def write_stamped(folder, images, odometries, end, name='episode_0'):
    """
    Write a recording of a robot that walks along x, the ball 2 m ahead of where it began.

    :param images: stamps [ns] at which pose, ball and command are known. :param odometries: stamps
        of the odometry. :param end: of the episode.
    """
    info = RecordingInfo(
        id=name, scenario='attack', start_index=0, seed=0, operator='', start_stamp=START
    )
    writer = RecordingWriter(folder, Contract.load(), info)
    for role, (topic, kind) in TOPICS.items():
        writer.add_topic(topic, kind, role)
    sent = [
        (stamp, 'odom', odometry(stamp, 'odom', (walked(stamp), 0.0, 0.0))) for stamp in odometries
    ]
    for stamp in images:
        row = (walked(stamp), 0.0, 0.0)
        sent += [
            (stamp, 'pose', pose(stamp, row)),
            (stamp, 'ball', odometry(stamp, 'odom', (2.0, 0.0, 0.0))),
            (stamp, 'ball_detection', detection(stamp)),
            (stamp, 'command', command(stamp, (SPEED, 0.0, 0.0))),
        ]
    for stamp, role, data in sorted(sent, key=lambda one: one[:2]):
        writer.write(TOPICS[role][0], stamp + 30_000_000, data)
    return writer.close(verdict='scored', end_stamp=end)


def walked(stamp):
    """Return how far [m] the robot of `write_stamped` is at a stamp [ns]."""
    return SPEED * (stamp - START) * 1e-9
