"""What a snapshot of a graph means for a robot: what fits, what lacks, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
import difflib
import math

import numpy as np

from guda_ros.control.head_joints import joint_names
from guda_ros.data.contract import Contract
from guda_ros.data.odometry_join import MAX_GAP, MAX_WAIT
from guda_ros.data.pairing import slowest_rate
from guda_ros.data.recording.frames import unfit_frame
from guda_ros.perception.camera import CameraModel
from guda_ros.ros.robot_check.ends import (
    commands_problem,
    COMPRESSED,
    End,
    IMAGE,
    is_onlooker,
    TWIST,
    TWIST_STAMPED,
    unfit_hearers,
    unfit_publishers,
)
from guda_ros.ros.robot_check.findings import Finding, FITS, LACKS, NOTE, WARNING
from guda_ros.ros.robot_check.snapshot import Heard, Snapshot
from guda_ros.ros.topics import Topics, type_name
from guda_ros.soccer.driver import CHANNELS, NO_ADAPTER
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.robot_names import camera_roles

#: Role -> type that the table of topics has.
_TYPES = {role: type_name(topic.kind) for role, topic in Topics().items()}
#: What a driver must send, and what is of use.
NEEDED, USEFUL = ('image', 'camera_info', 'odom'), ('joint_states', 'imu')
#: Stamps that are so much older than their reception, or ahead of it [s], are of another clock.
FAR, OLD, AHEAD = 0.5, 0.25, 0.05
#: A robot that leans by more [rad] does not stand as its profile has it.
LEANS = math.radians(5)


@dataclass(frozen=True)
class Expected:
    """
    What a driver is measured by.

    stamped: whether commands are TwistStamped; compressed: whether compressed images are heard;
    adapter: who speaks to the robot (guda_ros.soccer.driver.ADAPTERS).
    """

    contract: Contract
    robot: RobotProfile
    stamped: bool = True
    compressed: bool = False
    adapter: str = NO_ADAPTER

    @property
    def channel(self) -> str:
        """The topic on which an adapter speaks to the robot; empty where there is none."""
        if self.adapter in (NO_ADAPTER, 'booster_service'):
            return ''
        return self.robot.driver.channel or CHANNELS[self.adapter]

    def kinds(self, role: str) -> tuple[str, ...]:
        """Return the types that a role may have."""
        if self.compressed and role in self.images:
            return (COMPRESSED,)
        if role == 'command':
            return (TWIST_STAMPED,) if self.stamped else (TWIST,)
        if role in self.images:
            return (IMAGE,)
        return (_TYPES['camera_info' if role in self.calibrations else role],)

    @property
    def images(self) -> tuple[str, ...]:
        """The roles of the images of all cameras that perception uses, the first one first."""
        return ('image', *(f'{name}_image' for name in list(self.robot.eyes)[1:]))

    @property
    def calibrations(self) -> tuple[str, ...]:
        """The roles of the calibrations of those cameras."""
        return ('camera_info', *(f'{name}_camera_info' for name in list(self.robot.eyes)[1:]))


def check(snapshot: Snapshot, expected: Expected) -> list[Finding]:
    """Return a finding for each thing that was looked at, in the order in which data flow."""
    return [finding for look in CHECKS for finding in look(snapshot, expected)]


def _topics(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield what publishes each topic, of which type, how fast and with which stamps."""
    for role in (*NEEDED, *USEFUL):
        if role == 'joint_states' and not expected.robot.head.moves:
            continue
        yield from _topic(role, snapshot, expected)


def _topic(role: str, snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    ends = snapshot.publishers.get(role, ())
    if not ends:
        yield _missing(snapshot, expected, role)
        return
    yield from _publishers(snapshot, expected, role, ends)
    heard = snapshot.heard.get(role)
    if heard is None:
        if any(end.type in expected.kinds(role) for end in ends):
            yield Finding(
                role,
                'messages',
                _worst(role),
                f'no message within {snapshot.seconds:.0f} s',
                f'look why {ends[0].node} sends nothing: is the sensor switched on, does a '
                'firewall stop large packets?',
            )
        return
    yield _rate(role, heard, expected)
    yield from _stamps(role, heard, snapshot)


def _further_cameras(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield the same of each further camera, without which the others go on."""
    for name, seen in snapshot.further.items():
        image, info = camera_roles(name)
        mine = replace(
            expected, robot=replace(expected.robot, camera=expected.robot.cameras[name])
        )
        found = [
            *_topic('image', seen, mine),
            *_topic('camera_info', seen, mine),
            *_picture(seen, mine),
            *_calibration(seen, mine),
        ]
        for each in found:
            yield replace(
                each,
                subject=image if each.subject == 'image' else info,
                level=WARNING if each.level == LACKS else each.level,
                todo=each.todo.replace('{image:', f'{{{image}:').replace(
                    '{camera_info:', f'{{{info}:'
                ),
            )


def _worst(role: str) -> str:
    return LACKS if role in NEEDED else WARNING


def _missing(snapshot: Snapshot, expected: Expected, role: str) -> Finding:
    name = snapshot.names[role]
    level = LACKS if role in NEEDED else WARNING if role == 'joint_states' else NOTE
    near = near_misses(snapshot, expected, role)
    if role == 'image' and not near:
        other = COMPRESSED if not expected.compressed else IMAGE
        found = [topic for topic, kinds in snapshot.graph.items() if other in kinds]
        if found:
            return Finding(role, 'topic', level, f'nobody publishes {name}', _transport(found[0]))
    todo = f"start the robot's driver, or name its topic: --remap {name}:=TOPIC"
    if near:
        todo = f'--remap {name}:={near[0]}, or `topics: {{{role}: {near[0]}}}` in the profile'
    elif level == NOTE:
        todo = ''
    if role == 'joint_states':
        todo += '; without it the head is taken to look straight ahead'
    also = f' (there is {", ".join(near)})' if near else ''
    return Finding(role, 'topic', level, f'nobody publishes {name}{also}', todo)


def _transport(topic: str) -> str:
    if topic.endswith('/compressed'):
        base = topic.removesuffix('/compressed')
        return (
            f'the camera sends {topic}: put `driver: {{image_transport: compressed}}` and '
            f'`topics: {{image: {base}}}` into the robot profile'
        )
    return f'the camera sends {topic} as it is: `driver: {{image_transport: raw}}`'


def near_misses(snapshot: Snapshot, expected: Expected, role: str) -> list[str]:
    """Return topics of the right type under another name, those that are called alike first."""
    kinds, ours = set(expected.kinds(role)), set(snapshot.names.values())
    wanted = snapshot.names[role]

    def unlike(topic: str) -> float:
        last, mine = topic.rpartition('/')[2], wanted.rpartition('/')[2]
        same_end = topic.endswith(wanted) or last == mine
        return -same_end - difflib.SequenceMatcher(None, topic, wanted).ratio()

    found = [
        topic for topic, types in snapshot.graph.items() if kinds & {*types} and topic not in ours
    ]
    return sorted(found, key=unlike)[:3]


def _publishers(
    snapshot: Snapshot, expected: Expected, role: str, ends: tuple[End, ...]
) -> Iterator[Finding]:
    name, kinds = snapshot.names[role], expected.kinds(role)
    unfit = unfit_publishers(name, kinds, False, ends)
    fit = [end for end in ends if end.type in kinds]
    for text in unfit:
        todo = f'let the driver publish {kinds[0]}'
        if role == 'image' and COMPRESSED in {end.type for end in ends}:
            todo = _transport(name)
        yield Finding(role, 'type', LACKS if not fit else WARNING, text, todo)
    if fit:
        nodes = ', '.join(dict.fromkeys(end.node for end in fit))
        yield Finding(role, 'topic', FITS, f'{name} from {nodes} ({fit[0].quality})')
    if len(fit) > 1:
        yield Finding(
            role,
            'publishers',
            WARNING,
            f'{len(fit)} publishers of {name}: {", ".join(end.node for end in fit)}',
            'stop all but one: two drivers contradict each other',
        )


def _rate(role: str, heard: Heard, expected: Expected) -> Finding:
    rate, wanted = heard.rate, expected.contract.rate
    if math.isnan(rate):
        return Finding(role, 'rate', _worst(role), 'one message only', 'let the driver send more')
    text = f'{rate:.1f} Hz'
    if role == 'image' and rate < 0.95 * wanted:
        level = LACKS if rate < slowest_rate(wanted) else WARNING
        return Finding(
            role,
            'rate',
            level,
            f'{text}, where the contract has {wanted:g} Hz',
            'let the camera send more images, smaller ones if the network is the limit',
        )
    if role == 'odom' and heard.widest > MAX_GAP:
        level = LACKS if rate < 1 / MAX_GAP else WARNING
        return Finding(
            role,
            'rate',
            level,
            f'{text}, up to {heard.widest:.2f} s apart',
            f'odometry is needed every {MAX_GAP:g} s at least: let the driver send it more often',
        )
    return Finding(role, 'rate', FITS, text)


def _stamps(role: str, heard: Heard, snapshot: Snapshot) -> Iterator[Finding]:
    if not heard.stamped:
        if role in ('image', 'odom'):
            yield Finding(
                role,
                'stamps',
                LACKS,
                'its headers have no stamp',
                'let the driver stamp what it measures, with the time when it was measured',
            )
        return
    if np.any(np.diff(heard.stamps) < 0) and role in ('image', 'odom'):
        yield Finding(
            role,
            'stamps',
            WARNING,
            'stamps that go back',
            'look for a second driver, a bag that is played again, or a clock that was set',
        )
    age = heard.age
    if snapshot.clock is not None and abs(age) > FAR:
        return
    words = f'{abs(age):.3f} s {"old" if age >= 0 else "ahead"}'
    if -AHEAD <= age <= OLD:
        yield Finding(role, 'stamps', FITS, f'stamps {words}')
        return
    apart = age > FAR or age < -AHEAD
    yield Finding(
        role,
        'stamps',
        LACKS if abs(age) > FAR else WARNING,
        f"stamps are {words} by this computer's clock",
        'set the clocks of both computers by one another (chrony, ntp), or let the driver stamp '
        'by the clock of the computer it runs on'
        if apart
        else 'what is seen so late is acted on late: look for a slow network or driver',
    )


def _clock(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whose time it is, and whether image and odometry share it."""
    stamped = {role: heard for role, heard in snapshot.heard.items() if heard.stamped}
    if snapshot.clock is not None:
        yield Finding(
            'clock',
            'simulated',
            WARNING,
            f'/clock is published ({snapshot.clock:.1f} s): the robot is a simulated one, or a '
            'bag is played',
            'let all nodes follow it: `/**: {ros__parameters: {use_sim_time: true}}` in '
            '--params-file; or stop who publishes it',
        )
    elif stamped:
        yield Finding('clock', 'simulated', FITS, "this computer's, nobody publishes /clock")
    if not {'image', 'odom'} <= stamped.keys():
        return
    apart = stamped['odom'].age - stamped['image'].age
    if abs(apart) <= MAX_WAIT:
        yield Finding('clock', 'streams', FITS, f'image and odometry within {abs(apart):.3f} s')
        return
    yield Finding(
        'clock',
        'streams',
        LACKS if abs(apart) > FAR else WARNING,
        f'at its arrival odometry is {abs(apart):.2f} s {"older" if apart > 0 else "newer"} than '
        'images are',
        'stamp both by one clock, when they are measured; --set perception.odometry_wait lets '
        'images wait longer for odometry that comes late',
    )


def _picture(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether images can be read, and whether they are of the calibrated camera."""
    picture = snapshot.picture
    if picture is None:
        return
    size = f'{picture.encoding} {picture.width}x{picture.height}'
    if picture.problem:
        yield Finding(
            'image',
            'encoding',
            LACKS,
            f'cannot be decoded: {picture.problem}',
            'let the camera send rgb8, bgr8, yuv422, nv12 or JPEG',
        )
        return
    if picture.grey:
        yield Finding(
            'image',
            'encoding',
            LACKS,
            f'{size} has no colours',
            'balls are found by their colour: let the camera send colours',
        )
    else:
        yield Finding('image', 'encoding', FITS, size)


def _calibration(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether there is a calibration, and whether somebody made it."""
    told, mount = snapshot.calibration, expected.robot.camera
    if told is None:
        return
    calibrate = (
        'calibrate the camera (`guda calibrate camera --live TOPIC --camera-info FILE`) and '
    )
    calibrate += 'let its driver send the result'
    try:
        camera = told.camera(mount)
    except ValueError as error:
        todo = f"{calibrate}; until then the profile's lens is used, and distances are guesses"
        yield Finding('camera_info', 'calibration', LACKS, str(error), todo)
        return
    picture = snapshot.picture
    if picture is not None and (picture.width, picture.height) != (camera.width, camera.height):
        yield Finding(
            'camera_info',
            'size',
            LACKS,
            f'is of {camera.width}x{camera.height} pixels, but images have '
            f'{picture.width}x{picture.height}',
            'calibrate at the resolution that is sent, or tell binning or region of interest',
        )
    fx, fy = camera.focal
    as_profile = (camera.width, camera.height) == (mount.width, mount.height) and math.isclose(
        fx, mount.focal, rel_tol=0.005
    )
    text = f'focal lengths {fx:.0f} and {fy:.0f} pixels'
    middle = np.abs(np.subtract(camera.centre, np.array([camera.width, camera.height]) / 2))
    if not as_profile and fx == fy and middle.max() <= 0.5 and camera.distortion is None:
        yield Finding(
            'camera_info',
            'calibration',
            WARNING,
            f'{text}, the principal point in the middle and no distortion: looks like a default',
            calibrate,
        )
    elif far := _off_profile(camera, expected.robot):
        yield Finding('camera_info', 'calibration', WARNING, *far)
    else:
        yield Finding('camera_info', 'calibration', FITS, text)


def _off_profile(camera: CameraModel, robot: RobotProfile) -> tuple[str, str] | None:
    """Return that a calibration is not the one that the profile has, and what to do."""
    key, mount = robot.camera_sections()[0]
    deviation = robot.uncertainty.get(f'{key}.vertical_fov')
    if deviation is None or camera.height != mount.height:
        return None
    fov = 2 * math.atan(camera.height / 2 / camera.focal[1])
    if abs(fov - mount.vertical_fov) <= math.hypot(3 * deviation, 0.005 * mount.vertical_fov):
        return None
    return (
        f'has a focal length of {camera.focal[1]:.0f} pixels, the calibration in the profile '
        f'{mount.focal:.0f}',
        'let the driver load what `guda calibrate camera --camera-info FILE` writes; perception '
        'goes by camera_info, where there is one',
    )


def _frames(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether frames are those of profile and contract."""
    frames = expected.contract.frames
    wanted = {'odom': frames['odom']}
    if 'camera' in expected.robot.frames:
        wanted['image'] = frames['camera']
    for role in ('odom', 'image'):
        heard = snapshot.heard.get(role)
        if heard is None or not heard.frames:
            continue
        if len(heard.frames) > 1:
            yield Finding(
                role,
                'frame',
                LACKS,
                f'comes in several frames: {_quoted(heard.frames)}',
                'look for a second publisher, or for a driver that changes its mind',
            )
        elif role in wanted and heard.frames != (wanted[role],):
            key = 'camera' if role == 'image' else role
            yield Finding(role, 'frame', LACKS, *unfit_frame(key, heard.frames[0], wanted[role]))
        else:
            yield Finding(role, 'frame', FITS, f'frame {heard.frames[0] or "(none)"}')
        if role == 'odom' and heard.children and heard.children != (frames['base'],):
            yield Finding(
                role,
                'child frame',
                WARNING,
                *unfit_frame('base', ', '.join(heard.children), frames['base']),
            )


def _quoted(names: tuple[str, ...]) -> str:
    return ', '.join(map(repr, names))


def _joints(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether the joints of the head are among those that come."""
    if not expected.robot.head.moves or 'joint_states' not in snapshot.heard:
        return
    names = joint_names(expected.robot.head.joints)
    missing = [name for name in names if name not in snapshot.joints]
    if not missing:
        yield Finding('joint_states', 'joints', FITS, f'has {" and ".join(names)}')
        return
    there = ', '.join(snapshot.joints) or 'no names'
    likely = [name for name in snapshot.joints if 'head' in name.lower() or 'neck' in name.lower()]
    hint = f' (perhaps {", ".join(likely)})' if likely else ''
    yield Finding(
        'joint_states',
        'joints',
        LACKS,
        f'has no {" and no ".join(missing)}; it has {there}',
        f'name pan and tilt in `head.joints.names` of the robot profile{hint}',
    )


def _tilt(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether the robot stands upright, by its IMU."""
    if snapshot.gravity is None:
        return
    x, y, z = snapshot.gravity
    size = math.hypot(x, y, z)
    if not 8.0 < size < 11.5:
        yield Finding(
            'imu',
            'gravity',
            WARNING,
            f'measures {size:.1f} m/s2 at rest instead of 9.8',
            'let the robot stand still; linear_acceleration is in m/s2 and holds gravity',
        )
        return
    lean = math.acos(max(-1.0, min(1.0, z / size)))
    text = f'leans by {math.degrees(lean):.1f} degrees'
    if lean > LEANS:
        yield Finding(
            'imu',
            'tilt',
            WARNING,
            text,
            'let it stand upright on level ground; otherwise the IMU is not along base_link, or '
            'the camera looks elsewhere than the profile says (a degree is 15 cm at 2 m)',
        )
    else:
        yield Finding('imu', 'tilt', FITS, text)


def _commands(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield who hears cmd_vel or the adapter, and who else publishes it."""
    name, (kind,) = snapshot.names['command'], expected.kinds('command')
    hearers = snapshot.subscriptions.get('command', ())
    problem = commands_problem(name, kind, hearers)
    robots = [end for end in hearers if not is_onlooker(end)]
    drivers = [end for end in robots if end.name != 'adapter']
    if expected.channel and not drivers:
        yield _adapter(snapshot, expected)
    elif problem is not None:
        found, todo = problem
        near = [
            topic
            for topic, types in snapshot.graph.items()
            if topic not in snapshot.names.values() and {TWIST, TWIST_STAMPED} & {*types}
        ]
        if near and not robots:
            todo = f'there is {", ".join(near)}: --remap {name}:={near[0]}'
        yield Finding('cmd_vel', 'hearer', LACKS, found, todo)
    else:
        nodes = ', '.join(end.node for end in robots if end.type == kind)
        yield Finding('cmd_vel', 'hearer', FITS, f'{nodes} hears {kind.rpartition("/")[2]}')
    others = [end for end in snapshot.publishers.get('command', ()) if end.name != 'safety']
    if others:
        yield Finding(
            'cmd_vel',
            'rivals',
            LACKS,
            f'{", ".join(end.node for end in others)} publishes {name}, too',
            'stop it: a robot follows one master, and the safety node is to be it',
        )


def _adapter(snapshot: Snapshot, expected: Expected) -> Finding:
    """Return whether somebody hears the adapter."""
    channel, driver = snapshot.names['channel'], expected.robot.driver
    robots = [end for end in snapshot.subscriptions.get('channel', ()) if not is_onlooker(end)]
    if robots:
        # Messages of the robot's own are for the adapter to judge.
        plain = {'naoqi': TWIST, 'twist': TWIST_STAMPED if driver.channel_stamped else TWIST}
        kind = plain.get(expected.adapter, robots[0].type)
        unfit = unfit_hearers(channel, kind, False, robots)
        if len(unfit) == len(robots):
            todo = 'see `driver` of the robot profile: adapter, channel_stamped'
            return Finding('cmd_vel', 'hearer', LACKS, '; '.join(unfit), todo)
        nodes = ', '.join(end.node for end in robots)
        text = f'{nodes} hears the adapter {expected.adapter} on {channel}'
        return Finding('cmd_vel', 'hearer', FITS, text)
    return Finding(
        'cmd_vel',
        'hearer',
        LACKS,
        f'nobody hears {channel}, where the adapter {expected.adapter} speaks to the robot',
        f"start the robot's driver and let it hear {channel}, name what it hears by "
        'driver.channel of the robot profile, or, if it hears cmd_vel, give --adapter none',
    )


def _episodes(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether who announces episodes is heard."""
    ends = snapshot.publishers.get('episode', ())
    name = snapshot.names.get('episode', 'episode')
    for text in unfit_publishers(name, expected.kinds('episode'), True, ends):
        todo = 'publish it with durability transient_local'
        yield Finding('episode', 'quality', WARNING, text, todo)


def _seen(snapshot: Snapshot, expected: Expected) -> Iterator[Finding]:
    """Yield whether the ball is seen, and the pose known."""
    ball = snapshot.ball
    if ball is not None and ball.problem:
        todo = "take `detector` out of the ball's profile, or let it be `network`"
        yield Finding('ball', 'seen', LACKS, ball.problem, todo)
    elif ball is not None and ball.searched:
        if ball.place is not None:
            x, y = ball.place
            side = 'left' if y >= 0 else 'right'
            yield Finding(
                'ball',
                'seen',
                FITS,
                f'in {ball.seen} of {ball.searched} images, {x:.2f} m ahead and {abs(y):.2f} m to '
                f'the {side} of base_link: compare it with a tape',
            )
        else:
            yield Finding(
                'ball',
                'seen',
                NOTE,
                f'in none of {ball.searched} images',
                'put the ball 1 m in front of the robot; if it is not seen there, its colour and '
                'radius are in the profile of the ball (config/balls), light and camera are not',
            )
    if snapshot.pose is not None:
        if snapshot.pose:
            yield Finding('pose', 'known', FITS, 'known')
        else:
            yield Finding(
                'pose',
                'known',
                NOTE,
                'not known',
                'an episode tells where the robot starts, or --set perception.initial_pose',
            )


#: All checks, in the order of what they say.
CHECKS: tuple[Callable[[Snapshot, Expected], Iterator[Finding]], ...] = (
    _topics,
    _picture,
    _calibration,
    _further_cameras,
    _frames,
    _joints,
    _clock,
    _tilt,
    _commands,
    _episodes,
    _seen,
)
