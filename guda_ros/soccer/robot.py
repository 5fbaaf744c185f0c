"""Robot profiles: what simulator, perception, safety and policy need to know about a robot."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
import math
import os
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from guda_ros.config.files import ConfigError, find_config, load_yaml, Plain, Section
from guda_ros.soccer import wheels
from guda_ros.soccer.driver import Driver, read_driver, USUAL_DRIVER
from guda_ros.soccer.robot_names import check_camera, read_frames, read_topics

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: A dataclass of numbers.
Numbers = TypeVar('Numbers', bound='DataclassInstance')

#: Mass [kg] to the box of height, shoulders and feet [m^3]: robots have 50 to 500.
_LIGHTEST, _HEAVIEST = 2.0, 10_000.0
#: Ways in which a robot can be drawn.
STYLES = ('nao', 'booster', 'op3', 'plain', wheels.KIND)
#: What the two cameras of the keys `camera` and `lower_camera` are called.
FIRST, LOWER = 'head', 'lower'


class Contradiction(ConfigError):
    """Two values of a profile exclude each other; `key` is one of them."""


@dataclass(frozen=True)
class VelocityLimits:
    """Limits of a walk: forward, backward and side in m/s, turn in rad/s, all positive."""

    forward: float
    backward: float
    side: float
    turn: float

    def to_command(self, action: np.ndarray) -> np.ndarray:
        """Turn actions (..., 3), clipped to [-1, 1], into base_link velocities [m/s, rad/s]."""
        action = np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0)
        return action * self._scale(action)

    def to_action(self, command: np.ndarray) -> np.ndarray:
        """Turn base_link velocities (..., 3) into actions; the inverse of to_command."""
        command = np.asarray(command, dtype=np.float64)
        scale = self._scale(command)
        # A base with wheels has no way to a side: nothing it does is an action to there.
        action = np.divide(command, scale, out=np.zeros(command.shape), where=scale != 0)
        return np.clip(action, -1.0, 1.0)

    def clip(self, command: np.ndarray) -> np.ndarray:
        """Clip base_link velocities (..., 3) to the limits, axis by axis."""
        return np.clip(
            np.asarray(command, dtype=np.float64),
            [-self.backward, -self.side, -self.turn],
            [self.forward, self.side, self.turn],
        )

    def _scale(self, value: np.ndarray) -> np.ndarray:
        scale = np.empty(value.shape)
        scale[..., 0] = np.where(value[..., 0] < 0, self.backward, self.forward)
        scale[..., 1] = self.side
        scale[..., 2] = self.turn
        return scale


@dataclass(frozen=True)
class Sway:
    """
    How the trunk sways at full speed, once every two steps: amplitudes.

    lateral [m] of the camera's place; roll and pitch [rad] of the trunk.
    """

    lateral: float
    roll: float
    pitch: float


@dataclass(frozen=True)
class Walk:
    """
    How a walk follows its commands.

    response_time: first-order time constants (forward, left, turn) [s]. delay: dead time [s] from
    a command to the first motion. slip: standard deviation of the velocity relative to the one
    that is walked, drawn anew for each step. step_frequency: steps per second. sway: of the trunk.
    """

    response_time: tuple[float, float, float]
    delay: float
    slip: float
    step_frequency: float
    sway: Sway


@dataclass(frozen=True)
class Fall:
    """When a robot falls, at a push that changes its speed by push_speed [m/s], and getting up."""

    push_speed: float
    fall_time: float
    get_up_time: float


@dataclass(frozen=True)
class Kick:
    """
    A forward kick: wind_up and recovery [s], speed of the foot [m/s] and its reach [m].

    reach: how far the foot comes forward of foot_front.
    """

    wind_up: float
    recovery: float
    speed: float
    reach: float


@dataclass(frozen=True)
class Body:
    """
    Mass [kg] and dimensions [m].

    foot_front: from base_link, between the feet on the ground, to the feet's front. hip_height,
    shoulder_height: of the joints. shoulder_width: over both arms. head_height: of its middle;
    head_radius.
    """

    mass: float
    height: float
    foot_length: float
    foot_width: float
    foot_front: float
    stance_width: float
    hip_height: float
    shoulder_height: float
    shoulder_width: float
    head_height: float
    head_radius: float


@dataclass(frozen=True)
class HeadJoints:
    """
    How a driver speaks of pan and tilt: an angle is sign * (position of the joint - offset [rad]).

    names: None for the usual ones, `head_pan` and `head_tilt`.
    """

    names: tuple[str, ...] | None = None
    signs: tuple[float, float] = (1.0, 1.0)
    offsets: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class GazeRule:
    """
    How a head looks by itself (guda_ros.perception.gaze).

    speed: at which it turns at most [rad/s]. patience: how long an unseen ball is still looked at
    [s]; then the head sweeps: to either side as far as `sweep` [rad], to and fro in `period` [s],
    at `tilt` [rad].
    """

    speed: float
    patience: float
    sweep: float
    period: float
    tilt: float


@dataclass(frozen=True)
class Head:
    """
    A head that turns: neck (3,) in base_link [m], limits of pan and tilt [rad], speed [rad/s].

    Pan is positive to the left, tilt positive down. Cameras are mounted in base_link as they are
    at pan and tilt zero. joints: what the robot's driver calls the two. gaze: how it looks by
    itself; None for a head that stays as it is told.
    """

    neck: tuple[float, float, float]
    pan: tuple[float, float]
    tilt: tuple[float, float]
    speed: float
    joints: HeadJoints = HeadJoints()
    gaze: GazeRule | None = None

    @property
    def moves(self) -> bool:
        """Whether it turns at all: limits leave room."""
        return any(low < high for low, high in (self.pan, self.tilt))


@dataclass(frozen=True)
class Delivery:
    """How a sensor's messages arrive: latency, jitter (standard deviation) [s], share lost."""

    latency: float = 0.0
    jitter: float = 0.0
    dropout: float = 0.0


@dataclass(frozen=True)
class CameraMount:
    """
    A camera on a robot's head, at pan and tilt zero.

    width, height in pixels; vertical_fov [rad] of the middle, without distortion, which says the
    focal length wherever the principal point is; position in base_link [m]; pitch [rad], positive
    looks down; distortion k1, k2, p1, p2, k3 (plumb_bob); rate [Hz], 0 means every control step;
    exposure [s], which blurs what moves; noise, standard deviation of a pixel in [0, 255].
    """

    width: int
    height: int
    vertical_fov: float
    position: tuple[float, float, float]
    pitch: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    rate: float = 0.0
    exposure: float = 0.0
    noise: float = 0.0
    delivery: Delivery = Delivery()
    #: Column and row [pixels, 0 in the middle of the first]; None: the middle of the image.
    principal_point: tuple[float, float] | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """Column and row of the principal point [pixels]."""
        return self.principal_point or ((self.width - 1) / 2, (self.height - 1) / 2)

    @property
    def focal(self) -> float:
        """Focal length [pixels], of square pixels."""
        return self.height / 2 / math.tan(self.vertical_fov / 2)


@dataclass(frozen=True)
class OdometryNoise:
    """
    Standard deviations of odometry errors: per-episode scales and bias, and random walks.

    translation_gain, yaw_gain: odometry over truth on average, as identification found it.
    """

    translation_scale: float
    yaw_scale: float
    yaw_bias: float
    translation_noise: float
    yaw_noise: float
    delivery: Delivery = Delivery()
    translation_gain: float = 1.0
    yaw_gain: float = 1.0


@dataclass(frozen=True)
class ImuNoise:
    """Standard deviations: gyroscope and its bias [rad/s], accelerometer [m/s^2]; rate [Hz]."""

    rate: float
    gyroscope: float
    gyroscope_bias: float
    accelerometer: float
    delivery: Delivery = Delivery()


@dataclass(frozen=True)
class RobotProfile:
    """
    One robot, for simulator, perception, safety and policy.

    camera: the first one, and camera_name what it is called. other_cameras: the others by name.
    style: how it is drawn. uncertainty: standard deviations of values by dotted key, as
    identification found them. driver: how the robot's driver speaks; topics, frames: role -> name
    of what it calls otherwise than the contract. Those three have nothing to do with what the
    robot is.
    """

    name: str
    style: str
    sources: tuple[str, ...]
    limits: VelocityLimits
    walk: Walk
    kick: Kick
    fall: Fall
    body: Body
    head: Head
    camera: CameraMount
    other_cameras: dict[str, CameraMount]
    odometry: OdometryNoise
    imu: ImuNoise
    uncertainty: dict[str, float]
    driver: Driver = USUAL_DRIVER
    topics: dict[str, str] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    camera_name: str = FIRST

    @property
    def cameras(self) -> dict[str, CameraMount]:
        """All cameras by name, the first one first."""
        return {self.camera_name: self.camera, **self.other_cameras}

    @property
    def lower_camera(self) -> CameraMount | None:
        """The camera of the key `lower_camera`, which only the simulator has."""
        return self.other_cameras.get(LOWER)

    @property
    def eyes(self) -> dict[str, CameraMount]:
        """The cameras that perception uses: all of the key `cameras`, or that of `camera`."""
        if self.camera_name == FIRST:
            return {FIRST: self.camera}
        return self.cameras

    @property
    def can_kick(self) -> bool:
        """Whether it has a foot to kick with: a base with wheels has none."""
        return self.style != wheels.KIND

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> RobotProfile:
        """Read a profile by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('robots', name)
        return cls.read(load_yaml(path), path)

    @classmethod
    def read(cls, values: Plain, source: str | os.PathLike[str]) -> RobotProfile:
        """Build a profile from the values of a file; ConfigError names `source` and the key."""
        if values.get('kind') == wheels.KIND:
            values = wheels.expand(values, source)
        root = Section(values, source)
        if root.has('kind'):
            root.choice('kind', ('walker',))
        cameras = _cameras(root)
        first = next(iter(cameras))
        profile = cls(
            name=root.text('name'),
            style=root.choice('style', STYLES),
            sources=root.texts('sources'),
            limits=read_limits(root.section('limits')),
            walk=_walk(root.section('walk')),
            kick=_numbers(root.section('kick'), Kick, low=0.0, high=20),
            fall=_numbers(root.section('fall'), Fall, low=0.01, high=60),
            body=_numbers(root.section('body'), Body, low=0.001, high=200),
            head=_head(root.section('head')),
            camera=cameras.pop(first),
            camera_name=first,
            other_cameras=cameras,
            odometry=_odometry(root.section('odometry')),
            imu=_numbers(root.section('imu'), ImuNoise, low=0, high=1000),
            uncertainty=_uncertainty(root.section('uncertainty'))
            if root.has('uncertainty')
            else {},
            driver=read_driver(root.section('driver')) if root.has('driver') else USUAL_DRIVER,
            topics=read_topics(root.section('topics'), tuple(cameras))
            if root.has('topics')
            else {},
            frames=read_frames(root.section('frames')) if root.has('frames') else {},
        )
        root.close()
        profile._check(source)
        return profile

    def _check(self, source: str | os.PathLike[str]) -> None:
        """Raise ConfigError where values contradict each other."""
        body, head = self.body, self.head
        for key, wrong, problem in (
            ('head.pan', not head.pan[0] <= 0 <= head.pan[1], '0 is not within the limits'),
            ('head.tilt', not head.tilt[0] <= 0 <= head.tilt[1], '0 is not within the limits'),
            (
                'head.joints.names',
                head.joints.names is not None
                and (len(head.joints.names) != 2 or len({*head.joints.names, ''}) != 3),
                'two different names are expected, of pan and of tilt',
            ),
            (
                'head.joints.signs',
                not set(head.joints.signs) <= {-1.0, 1.0},
                'a sign is 1 or -1',
            ),
            (
                'body.shoulder_height',
                body.shoulder_height <= body.hip_height,
                'is not higher than hip_height',
            ),
            (
                'body.head_height',
                body.head_height <= body.shoulder_height,
                'is not higher than shoulder_height',
            ),
            ('body.height', body.height < body.head_height, 'is less than head_height'),
            (
                'body.foot_front',
                body.foot_front > body.foot_length,
                'is more than foot_length: base_link would be behind the feet',
            ),
            (
                'body.stance_width',
                body.stance_width < body.foot_width,
                'is less than foot_width: the feet would overlap',
            ),
            *(
                (
                    f'{name}.principal_point',
                    not (mount.centre[0] < mount.width and mount.centre[1] < mount.height),
                    'is outside the image',
                )
                for name, mount in self.camera_sections()
            ),
            *self._oddities(),
        ):
            if wrong:
                raise Contradiction(f'{source}: {key}: {problem}', key)

    def camera_sections(self) -> list[tuple[str, CameraMount]]:
        """Return the cameras by the key of the profile under which each stands."""
        keys = {FIRST: 'camera', LOWER: 'lower_camera'} if self.camera_name == FIRST else {}
        return [(keys.get(name, f'cameras.{name}'), mount) for name, mount in self.cameras.items()]

    def _oddities(self) -> list[tuple[str, bool, str]]:
        """Return key, whether it is so, and what: measures that no one robot has."""
        body, head, walks = self.body, self.head, self.can_kick
        wide = max(body.height, body.foot_length, body.shoulder_width)
        density = body.mass / (body.height * body.shoulder_width * body.foot_length)
        points = [('head.neck', head.neck)]
        points += [(f'{name}.position', mount.position) for name, mount in self.camera_sections()]
        found = [
            (
                'body.height',
                body.height > 1.5 * body.head_height,
                'is more than one and a half times head_height',
            ),
            (
                'body.head_radius',
                body.head_radius > 0.5 * body.height,
                'is more than half the height',
            ),
            (
                'body.foot_length',
                walks and body.foot_length > body.height,
                'is more than the height',
            ),
            (
                'body.shoulder_width',
                walks and body.shoulder_width > 2 * body.height,
                'is more than twice the height',
            ),
            (
                'body.stance_width',
                body.stance_width > max(body.height, body.foot_length),
                'is more than the height: the legs do not reach as far',
            ),
            (
                'body.mass' if walks else 'base.mass',
                not _LIGHTEST <= density <= _HEAVIEST,
                f'{body.mass:g} kg do not fit the measures: {density:.3g} kg in a cubic metre',
            ),
            ('kick.reach', self.kick.reach > body.height, 'is more than the height'),
        ]
        for key, (x, y, z) in points:
            found += [
                (key, z <= 0, 'is in the ground, or on it: the third number is its height'),
                (
                    key,
                    z > 1.25 * body.height,
                    f'is higher than the robot, which is {body.height:g} m high',
                ),
                (
                    key,
                    math.hypot(x, y) > wide,
                    f'is {math.hypot(x, y):g} m aside of a robot that measures {wide:g} m',
                ),
            ]
        for name, mount in self.camera_sections():
            lowest = mount.pitch + mount.vertical_fov / 2 + head.tilt[1]
            found += [
                (
                    f'{name}.pitch',
                    lowest <= 0,
                    'has the camera look over the ground, however the head turns: positive '
                    'looks down',
                ),
                (
                    f'{name}.exposure',
                    mount.rate * mount.exposure > 1,
                    f'is longer than an image at {mount.rate:g} Hz lasts',
                ),
            ]
        return found

    def as_dict(self) -> Plain:
        """Return what the robot is as plain values, for hashes."""
        values = asdict(self)
        for key in ('driver', 'topics', 'frames'):
            del values[key]
        del values['head']['joints'], values['camera_name'], values['other_cameras']
        # Hashes of before a key came stay what they were.
        if self.head.gaze is None:
            del values['head']['gaze']
        cameras = {name: asdict(mount) for name, mount in self.cameras.items()}
        for camera in cameras.values():
            if camera['principal_point'] is None:
                del camera['principal_point']
        if self.camera_name == FIRST:
            values['camera'], values['lower_camera'] = cameras[FIRST], cameras.get(LOWER)
        else:
            values['cameras'] = cameras
            del values['camera']
        return values


def read_limits(section: Section) -> VelocityLimits:
    """Read the limits; to a side there may be none. ConfigError names a wrong one."""
    limits = VelocityLimits(
        forward=section.number('forward', 0.01, 10),
        backward=section.number('backward', 0.01, 10),
        side=section.number('side', 0, 10),
        turn=section.number('turn', 0.01, 10),
    )
    section.close()
    return limits


def _numbers(section: Section, kind: type[Numbers], low: float, high: float) -> Numbers:
    """Read a dataclass of numbers in [low, high], and of a delivery if it has one."""
    values: Plain = {}
    for key in (each.name for each in fields(kind)):
        if key == 'delivery':
            values[key] = _numbers(section.section(key), Delivery, 0, 1)
        else:
            values[key] = section.number(key, low, high)
    section.close()
    return kind(**values)


def _odometry(section: Section) -> OdometryNoise:
    gains = {key: section.number(key, 0.5, 2) for key in ('translation_gain', 'yaw_gain')}
    noise = {
        key: section.number(key, 0, 1)
        for key in ('translation_scale', 'yaw_scale', 'yaw_bias', 'translation_noise', 'yaw_noise')
    }
    delivery = _numbers(section.section('delivery'), Delivery, 0, 1)
    section.close()
    return OdometryNoise(**noise, delivery=delivery, **gains)


def _walk(section: Section) -> Walk:
    walk = Walk(
        response_time=section.numbers('response_time', 3, 0.01, 5),
        delay=section.number('delay', 0, 1),
        slip=section.number('slip', 0, 1),
        step_frequency=section.number('step_frequency', 0.1, 20),
        sway=_numbers(section.section('sway'), Sway, 0, 0.5),
    )
    section.close()
    return walk


def _head(section: Section) -> Head:
    head = Head(
        neck=section.numbers('neck', 3, -5, 5),
        pan=section.numbers('pan', 2, -3.2, 3.2),
        tilt=section.numbers('tilt', 2, -1.6, 1.6),
        speed=section.number('speed', 0.01, 50),
        joints=_joints(section.section('joints')) if section.has('joints') else HeadJoints(),
        gaze=_gaze(section.section('gaze')) if section.has('gaze') else None,
    )
    section.close()
    return head


def _gaze(section: Section) -> GazeRule:
    gaze = GazeRule(
        speed=section.number('speed', 0.01, 50),
        patience=section.number('patience', 0, 60),
        sweep=section.number('sweep', 0, 3.2),
        period=section.number('period', 0.1, 60),
        tilt=section.number('tilt', -1.6, 1.6),
    )
    section.close()
    return gaze


def _joints(section: Section) -> HeadJoints:
    usual = HeadJoints()
    joints = HeadJoints(
        section.texts('names') if section.has('names') else None,
        section.numbers('signs', 2, -1, 1) if section.has('signs') else usual.signs,
        section.numbers('offsets', 2, -3.2, 3.2) if section.has('offsets') else usual.offsets,
    )
    section.close()
    return joints


def _cameras(root: Section) -> dict[str, CameraMount]:
    """Read `cameras` by name, or `camera` and `lower_camera`; the first one first."""
    if not root.has('cameras'):
        cameras = {FIRST: _camera(root.section('camera'))}
        if root.has('lower_camera'):
            cameras[LOWER] = _camera(root.section('lower_camera'))
        return cameras
    for key in ('camera', 'lower_camera'):
        if root.has(key):
            root.fail(key, 'is one of `cameras`, where there are such: put it there by its name')
    section = root.section('cameras')
    cameras = {}
    for name in section.keys():
        check_camera(section, name)
        cameras[name] = _camera(section.section(name))
    section.close()
    if not cameras:
        root.fail('cameras', 'at least one camera is expected, by its name')
    return cameras


def _camera(section: Section) -> CameraMount:
    camera = CameraMount(
        width=section.integer('width', 16, 4096),
        height=section.integer('height', 16, 4096),
        vertical_fov=section.number('vertical_fov', 0.1, 3.0),
        position=section.numbers('position', 3, -5, 5),
        pitch=section.number('pitch', -1.6, 1.6),
        distortion=section.numbers('distortion', 5, -10, 10),
        rate=section.number('rate', 0, 1000),
        exposure=section.number('exposure', 0, 1),
        noise=section.number('noise', 0, 255),
        delivery=_numbers(section.section('delivery'), Delivery, 0, 1),
        principal_point=section.numbers('principal_point', 2, 0, 4095)
        if section.has('principal_point')
        else None,
    )
    section.close()
    return camera


def _uncertainty(section: Section) -> dict[str, float]:
    return {key: section.number(key, 0) for key in section.keys()}
