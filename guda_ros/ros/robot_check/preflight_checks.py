"""What must be right before the first motion, beside the driver: pure findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import datetime

from guda_ros.data.contract import Contract
from guda_ros.ros.robot_check.findings import Finding, FITS, LACKS, NOTE, WARNING
from guda_ros.soccer.driver import Driver
from guda_ros.soccer.robot import RobotProfile, VelocityLimits

#: Room [bytes] for an afternoon's recordings, a MB a second.
ENOUGH = 4_000_000_000
#: A robot whose odometry moves by less [m, rad] while it is told to stand stands.
STILL = 0.02, 0.05


@dataclass(frozen=True)
class Gamepad:
    """
    What came on `joy`.

    publishers: nodes that publish it. messages: how many came. problem: why they cannot be
    understood. held: names of what a person holds.
    """

    publishers: tuple[str, ...] = ()
    messages: int = 0
    problem: str = ''
    held: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StopTrial:
    """
    What became of pressing the emergency stop and releasing it.

    latched: who had latched it before, empty if nobody had; then it is not released. answered:
    whether the safety node could be asked at all. pressed, released: whether its state told so.
    zero: whether a command of zero was sent. refusal: why it was not released. samples: messages
    of odometry within `seconds` [s] of standing, with the distance [m] and angle [rad] they tell.
    """

    answered: bool = False
    latched: str = ''
    pressed: bool = False
    zero: bool = False
    released: bool = False
    refusal: str = ''
    seconds: float = 0.0
    samples: int = 0
    moved: float = 0.0
    turned: float = 0.0


def check_limits(limits: VelocityLimits, driver: Driver) -> Finding:
    """Return how fast the robot may go, and whether that of its commands is limited, too."""
    speeds = (
        f'{limits.forward:g} m/s ahead, {limits.backward:g} back, {limits.side:g} aside, '
        f'{limits.turn:.2g} rad/s'
    )
    if not any(driver.acceleration):
        return Finding(
            'limits',
            'acceleration',
            NOTE,
            f'{speeds}; of acceleration none',
            'name driver.acceleration and driver.jerk in the robot profile: a policy leaps',
        )
    ahead, aside, turn = driver.acceleration
    more = f'{ahead:g}, {aside:g} m/s2, {turn:g} rad/s2'
    return Finding('limits', 'speeds', FITS, f'{speeds}; {more}')


def check_contract(contract: Contract, robot: RobotProfile) -> Finding:
    """Return by which contract the robot acts."""
    text = f'{contract.task} at {contract.rate:g} Hz on {contract.field.name} as {robot.name}'
    return Finding('contract', 'task', FITS, f'{text} ({contract.hash[:12]})')


def check_policy(name: str, problem: str) -> Finding:
    """Return whether a policy's file is of the contract."""
    if not problem:
        return Finding('policy', 'contract', FITS, f'{name} is of this contract')
    found, _, todo = problem.partition('\n')
    return Finding('policy', 'contract', LACKS, found, ' '.join(todo.split()))


def check_disk(folder: str, free: int | None, reserve: int) -> Finding:
    """
    Return whether there is room for recordings.

    :param free: bytes; None if the folder cannot be written.
    :param reserve: bytes without which no episode begins.
    """
    if free is None:
        todo = 'name a folder that can be written'
        return Finding('disk', 'folder', LACKS, f'{folder} cannot be written', todo)
    text = f'{free / 1e9:.1f} GB free for {folder}'
    if free < reserve:
        return Finding('disk', 'room', LACKS, text, 'make room: no episode begins without it')
    if free < ENOUGH:
        return Finding('disk', 'room', WARNING, text, 'make room: images take a MB a second')
    return Finding('disk', 'room', FITS, text)


def check_clock(now: float, installed: float) -> Finding:
    """
    Return whether this computer's clock can be right.

    :param now: of the system clock [s]. :param installed: when this package was written [s].
    """
    told = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    text = f'{told:%Y-%m-%d %H:%M} UTC'
    if now < installed:
        return Finding(
            'clock',
            'date',
            LACKS,
            f'{text}, before this program was installed',
            'set the clock (chrony, ntp, `sudo date -s`): recordings bear its time',
        )
    return Finding('clock', 'date', FITS, text)


def check_gamepad(pad: Gamepad, required: bool) -> Iterator[Finding]:
    """Yield whether a person can hold the dead-man; `required` if nothing moves without it."""
    if not pad.publishers:
        yield Finding(
            'gamepad',
            'there',
            LACKS if required else NOTE,
            'nobody publishes joy' + ('' if required else '; stand by to catch the robot'),
            'start `ros2 run joy joy_node` or `python -m guda_ros.nodes.joystick`, or drive by '
            '`guda teleop robot`, which asks for neither'
            if required
            else '',
        )
        return
    if len(pad.publishers) > 1:
        yield Finding(
            'gamepad',
            'rivals',
            WARNING,
            f'{", ".join(pad.publishers)} publish joy: they contradict each other',
            'stop all but one',
        )
    level = LACKS if required else WARNING
    if not pad.messages:
        todo = 'plug it in and press a button; is it asleep?'
        yield Finding('gamepad', 'heard', level, f'{pad.publishers[0]} says nothing', todo)
    elif pad.problem:
        todo = '--set safety.joystick=MAP and --set teleop.joystick=MAP'
        yield Finding('gamepad', 'map', level, pad.problem, todo)
    elif pad.held & {'deadman', 'emergency_stop'}:
        held = ' and '.join(sorted(pad.held & {'deadman', 'emergency_stop'})).replace('_', ' ')
        yield Finding('gamepad', 'held', LACKS, f'its {held} is held', 'let go before it begins')
    else:
        yield Finding('gamepad', 'heard', FITS, f'{pad.publishers[0]}, nothing is held')


def check_stop(trial: StopTrial) -> Iterator[Finding]:
    """Yield whether the emergency stop acts, and whether the robot stands by it."""
    subject = 'emergency stop'
    if not trial.answered:
        yield Finding(
            subject,
            'safety',
            LACKS,
            'no safety node answers',
            'start the graph of the robot (`guda up robot`), and look at its log',
        )
        return
    if trial.latched:
        yield Finding(
            subject,
            'latched',
            LACKS,
            f'was latched already, by {trial.latched}, and stays so',
            'release it when it is safe: the release button of the gamepad, or '
            '`ros2 service call /safety/release std_srvs/srv/Trigger`',
        )
    elif not (trial.pressed and trial.zero):
        found = 'a command of zero was not sent' if trial.pressed else 'pressing it was not seen'
        yield Finding(
            subject, 'press', LACKS, found, 'do not let it move: look at the safety node'
        )
    elif not trial.released:
        yield Finding(
            subject,
            'release',
            LACKS,
            trial.refusal or 'its release was not seen',
            'let go of everything that commands motion and look again',
        )
    else:
        yield Finding(subject, 'press', FITS, 'pressed, zero sent, released')
    yield _silence(trial)


def _silence(trial: StopTrial) -> Finding:
    if trial.samples < 2:
        return Finding(
            'silence',
            'odometry',
            LACKS,
            'no odometry tells whether the robot stands',
            "let the robot's driver send it",
        )
    text = f'{trial.moved:.3f} m and {trial.turned:.3f} rad in {trial.seconds:.1f} s of zero'
    if trial.moved > STILL[0] or trial.turned > STILL[1]:
        return Finding(
            'silence',
            'odometry',
            LACKS,
            f'it moves although it is told to stand: {text}',
            'stop whoever else drives it; a robot that steps in place or slides does not stand, '
            'nor does an odometry that drifts',
        )
    return Finding('silence', 'odometry', FITS, f'stands when told to: {text}')
