"""A bag that others recorded: other topics, types, rates and frames, written by rosbags."""

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
import numpy as np
from recording_scene import header, point, twist, TYPES
from rosbags.rosbag2 import StoragePlugin, Writer

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
#: Topic -> type and period [s]; none of the periods is that of the contract.
TOPICS = {
    '/robot_pose': ('geometry_msgs/msg/PoseStamped', 0.03),
    '/ball': ('geometry_msgs/msg/PointStamped', 0.07),
    '/cmd_vel': ('geometry_msgs/msg/Twist', 0.05),
}
YAW = 0.3


def robot(t):
    """The robot goes .2 m/s along x and .1 m/s along y, its heading turns by .5 rad/s."""
    return 0.2 * t - 1, 0.1 * t, YAW + 0.5 * t


def ball(t):
    """The ball rolls .4 m/s along x, in `map`."""
    return 0.4 * t, -0.5


def told(t):
    """The command changes every second."""
    return 0.1 * (1 + int(t + 1e-9)), -0.05, 0.5


def _pose(stamp, frame, place):
    x, y, yaw = place
    turn = TYPES.types['geometry_msgs/msg/Quaternion'](0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2))
    place = TYPES.types['geometry_msgs/msg/Pose'](point(x, y, 0), turn)
    return TYPES.types['geometry_msgs/msg/PoseStamped'](header(stamp, frame), place)


def _ball(stamp, t, frame):
    (x, y, yaw), (bx, by) = robot(t), ball(t)
    cos, sin = np.cos(yaw), np.sin(yaw)
    ahead = cos * (bx - x) + sin * (by - y)
    left = -sin * (bx - x) + cos * (by - y)
    where = (ahead, left, 0) if frame == 'base_footprint' else (bx, by, 0)
    return TYPES.types['geometry_msgs/msg/PointStamped'](header(stamp, frame), point(*where))


def write_bag(
    path,
    storage='sqlite3',
    seconds=4.0,
    without=(),
    ball_frame='base_footprint',
    stamped=False,
    clock_offset=0,
    gap=None,
    poses=(),
    wrong_stamp=None,
    robot_at=None,
    pose_frame='world',
):
    """
    Write the bag.

    :param stamped: send TwistStamped. :param clock_offset: of the stamps from the recorder [ns].
    :param ball_frame: a name, or a function from the number of a ball to one.
    :param gap: (topic, from, to) without messages [s]. :param poses: topics with the pose, too.
    :param robot_at: where the pose says that the robot is; the ball in its frame follows `robot`.
    :param wrong_stamp: time [s] and stamp [ns] of the first message of each topic from then on.
    """
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as bag:
        events = []
        more = dict.fromkeys(poses, TOPICS['/robot_pose'])
        for topic, (kind, period) in {**TOPICS, **more}.items():
            if topic in without:
                continue
            if topic == '/cmd_vel' and stamped:
                kind = 'geometry_msgs/msg/TwistStamped'
            connection = bag.add_connection(topic, kind, typestore=TYPES)
            times = np.arange(0, seconds + 1e-9, period)
            events += [
                (t, topic, kind, connection)
                for t in times
                if gap is None or topic != gap[0] or not gap[1] < t < gap[2]
            ]
        balls, wronged = 0, set()
        for t, topic, kind, connection in sorted(events, key=lambda event: event[:2]):
            received = START + round(t * SECOND)
            stamp = received + clock_offset
            last = topic in wronged or wrong_stamp is None
            if not last and t > wrong_stamp[0] - TOPICS[topic][1]:
                wronged.add(topic)
                stamp = wrong_stamp[1]
            if topic == '/robot_pose' or topic in poses:
                message = _pose(stamp, pose_frame, (robot_at or robot)(t))
            elif topic == '/ball':
                name = ball_frame(balls) if callable(ball_frame) else ball_frame
                message, balls = _ball(stamp, t, name), balls + 1
            else:
                forward, left, turn = told(t)
                message = twist(forward, left, turn)
                if stamped:
                    message = TYPES.types[kind](header(stamp, 'base_footprint'), message)
            bag.write(connection, received, bytes(TYPES.serialize_cdr(message, kind)))
    return path


def write_chunked(path, seconds=4.0):
    """Write a bare MCAP file in small compressed chunks, as rosbag2 does, and return its path."""
    with open(path, 'wb') as file:
        writer = McapWriter(file, chunk_size=2048, compression=CompressionType.ZSTD)
        writer.start(profile='ros2', library='rosbag2')
        events, channels = [], {}
        for topic, (kind, period) in TOPICS.items():
            definition, _ = TYPES.generate_msgdef(kind)
            schema = writer.register_schema(kind, 'ros2msg', definition.encode())
            channels[topic] = writer.register_channel(topic, 'cdr', schema)
            events += [(t, topic, kind) for t in np.arange(0, seconds + 1e-9, period)]
        for t, topic, kind in sorted(events):
            stamp = START + round(t * SECOND)
            if topic == '/robot_pose':
                message = _pose(stamp, 'world', robot(t))
            elif topic == '/ball':
                message = _ball(stamp, t, 'world')
            else:
                message = twist(*told(t))
            data = bytes(TYPES.serialize_cdr(message, kind))
            writer.add_message(channels[topic], stamp, data, stamp)
        writer.finish()
    return path
