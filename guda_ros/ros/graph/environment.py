"""What ROS 2 processes need around them: discovery, transport, and a domain of their own."""

from __future__ import annotations

from collections.abc import Mapping
import errno
import fcntl
import importlib.util
import os
from pathlib import Path
import socket
import sys
import tempfile
from typing import TextIO

from guda_ros.config.files import config_directories
from guda_ros.errors import GudaError

#: Domains whose ports lie below the range from which Linux hands out ports to others.
DOMAINS = range(1, 102)
_BOOTSTRAP = '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
_PARTICIPANTS = 32
#: What leads to a discovery server or to other computers: nodes that are to meet on this one wait
#: for it in vain.
_ELSEWHERE = ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER', 'ROS_SUPER_CLIENT')
#: Variables of rcutils that are 0 or 1; with anything else no logger works.
_SWITCHES = (
    'RCUTILS_COLORIZED_OUTPUT',
    'RCUTILS_LOGGING_BUFFERED_STREAM',
    'RCUTILS_LOGGING_USE_STDOUT',
)
#: Libraries of middlewares, and those of their kind that are none by themselves.
_RMW, _RMW_PARTS = 'librmw_*_cpp.so', {'rmw_fastrtps_shared_cpp'}


class EnvironmentProblem(GudaError):
    """ROS 2 cannot run like this on this machine; the message says what to do."""


class DomainInUse(EnvironmentProblem):
    """Somebody else is in the DDS domain."""


def dds_profile() -> Path:
    """Return the Fast DDS profile for nodes on one machine."""
    for directory in config_directories():
        path = directory / 'dds' / 'fastdds_local.xml'
        if path.is_file():
            return path
    raise EnvironmentProblem(
        'config/dds/fastdds_local.xml is not installed; install guda_ros again'
    )


def ros_environment(
    domain: int,
    log_dir: str | os.PathLike[str] | None = None,
    *,
    local: bool = True,
    base: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    Return the environment variables for ROS 2 processes of one graph.

    :param domain: ROS_DOMAIN_ID.
    :param log_dir: folder for rclpy's own logs (ROS_LOG_DIR).
    :param local: keep discovery and data on this machine; a profile or discovery range that the
        user has set already is kept. False for a robot whose operator sits at another computer.
    :param base: variables to start from, os.environ by default.
    :raises EnvironmentProblem: if a variable that is set keeps nodes from working or from meeting,
        such as an RMW_IMPLEMENTATION that is not there.
    """
    environment = dict(os.environ if base is None else base)
    require_rmw(environment)
    _require_variables(environment)
    environment['ROS_DOMAIN_ID'] = str(domain)
    if local:
        environment.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        environment.setdefault('FASTDDS_DEFAULT_PROFILES_FILE', str(dds_profile()))
        if environment.get('ROS_DISTRO') in ('humble', 'iron', 'jazzy'):
            # The name in Fast DDS 2; Fast DDS 3 warns about it.
            environment.setdefault(
                'FASTRTPS_DEFAULT_PROFILES_FILE', environment['FASTDDS_DEFAULT_PROFILES_FILE']
            )
        for variable in _ELSEWHERE:
            environment.pop(variable, None)
    if log_dir is not None:
        environment['ROS_LOG_DIR'] = str(Path(log_dir).resolve())
    elif not environment.get('HOME') and not environment.get('ROS_LOG_DIR'):
        environment['ROS_LOG_DIR'] = os.path.join(tempfile.gettempdir(), 'guda_ros_log')
    if not environment.get('LD_LIBRARY_PATH'):
        # The ROS wheels find their libraries by executing Python again with LD_LIBRARY_PATH set;
        # this mark without the path would tell the child that it had been done.
        environment.pop(_BOOTSTRAP, None)
    environment['PYTHONUNBUFFERED'] = '1'
    for variable in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        environment.setdefault(variable, '1')
    root = str(Path(__file__).resolve().parents[3])
    paths = [path for path in environment.get('PYTHONPATH', '').split(os.pathsep) if path]
    if root not in paths:
        environment['PYTHONPATH'] = os.pathsep.join([root, *paths])
    return environment


def require_rmw(environment: Mapping[str, str]) -> None:
    """
    Refuse a middleware that this ROS has not: rcl would end every process with exit code 102.

    :raises EnvironmentProblem: naming those that are there.
    """
    wanted = environment.get('RMW_IMPLEMENTATION')
    there = rmw_implementations(environment)
    if wanted and there and wanted not in there:
        raise EnvironmentProblem(
            f'RMW_IMPLEMENTATION is {wanted!r}, and the ROS 2 of this Python has '
            f'{", ".join(there)} only: unset RMW_IMPLEMENTATION (it is often set in ~/.bashrc)'
        )


def _require_variables(environment: Mapping[str, str]) -> None:
    """Refuse what a shell sets and what keeps nodes from meeting, or from starting."""
    wrong = []
    if environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper() == 'OFF':
        wrong.append(('ROS_AUTOMATIC_DISCOVERY_RANGE', 'is OFF: no node finds another one'))
    wrong += [
        (name, f'is {environment[name]!r}, and only 0 and 1 are known: no node could log')
        for name in _SWITCHES
        if environment.get(name, '0') not in ('', '0', '1')
    ]
    if wrong:
        name, why = wrong[0]
        raise EnvironmentProblem(f'{name} {why}; unset {name} (it is often set in ~/.bashrc)')


def rmw_implementations(environment: Mapping[str, str]) -> list[str]:
    """Return the middlewares that processes with these variables find; none if it is not known."""
    folders = [Path(sys.prefix, 'lib')]
    if importlib.util.find_spec('ros_wheels_bootstrapper') is None:
        for variable, below in (('LD_LIBRARY_PATH', ''), ('AMENT_PREFIX_PATH', 'lib')):
            parts = environment.get(variable, '').split(os.pathsep)
            folders += [Path(part, below) for part in parts if part]
    names = {file.name[len('lib') : -len('.so')] for part in folders for file in part.glob(_RMW)}
    return sorted(name for name in names - _RMW_PARTS if '__' not in name)


def adopt(environment: Mapping[str, str]) -> None:
    """Take the ROS variables of a graph over into this process, before it makes a context."""
    for key in _ELSEWHERE:
        if key not in environment:
            os.environ.pop(key, None)
    for key, value in environment.items():
        if key.startswith(('ROS_', 'FASTDDS_', 'FASTRTPS_', 'RMW_')):
            os.environ[key] = value


class DomainClaim:
    """A DDS domain held by this process until `release` or its end."""

    def __init__(self, number: int, lock: TextIO | None) -> None:
        self.number = number
        self._lock = lock

    def release(self) -> None:
        """Give the domain back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> DomainClaim:
        return self

    def __exit__(self, *_) -> None:
        self.release()


def join_domain(number: int) -> DomainClaim:
    """
    Reserve the place of the one graph beside a robot's driver, whoever else is in the domain.

    :raises DomainInUse: if this machine has such a graph there: two would both move the robot.
    """
    _check_number(number)
    claim = _try_claim(number, probe=False, lock='robot')
    if claim is None:
        raise DomainInUse(
            f'in ROS domain {number} there is a graph of this machine with the robot already: two '
            'would both move it; stop the other one first'
        )
    return claim


def driver_domain(domain: int | None = None) -> int:
    """
    Return the ROS domain of a robot's driver: the one that is given, ROS_DOMAIN_ID or 0.

    :raises EnvironmentProblem: if ROS_DOMAIN_ID is no number.
    """
    if domain is not None:
        return domain
    named = os.environ.get('ROS_DOMAIN_ID') or '0'
    if not named.isdigit():
        raise EnvironmentProblem(
            f'ROS_DOMAIN_ID is {named!r}: a number is expected, or give --domain'
        )
    return int(named)


def claim_domain(requested: int | None = None, *, probe: bool = True) -> DomainClaim:
    """
    Reserve a DDS domain for a graph of nodes.

    :param requested: its number, 0 to 232; None takes the first free one.
    :param probe: refuse a domain in which another program takes part on this machine.
    :raises DomainInUse: if the requested domain, or all of them, are taken.
    """
    if requested is not None:
        _check_number(requested)
        claim = _try_claim(requested, probe)
        if claim is None:
            raise DomainInUse(
                f'ROS domain {requested} is in use on this machine: stop the other program, '
                'choose another domain, or let a free one be chosen'
            )
        return claim
    for number in DOMAINS:
        claim = _try_claim(number, probe)
        if claim is not None:
            return claim
    raise DomainInUse(
        f'all ROS domains from {DOMAINS.start} to {DOMAINS.stop - 1} are in use on '
        'this machine: stop a graph that is no longer needed'
    )


def _check_number(domain: int) -> None:
    if not 0 <= domain <= 232:
        raise EnvironmentProblem(f'ROS domain {domain}: a number from 0 to 232 is expected')


def _try_claim(number: int, probe: bool, lock: str = 'domain') -> DomainClaim | None:
    path = os.path.join(tempfile.gettempdir(), f'guda_ros_{lock}_{number}.lock')
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:
        # Another user's file on a machine with protected /tmp: the lock works on a read-only one.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    lock = os.fdopen(descriptor, 'rb')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    if probe and domain_is_busy(number):
        lock.close()
        return None
    return DomainClaim(number, lock)


def domain_is_busy(number: int) -> bool:
    """Tell whether a participant here holds a unicast port of a domain (RTPS 2.5, 9.6.2)."""
    for index in range(_PARTICIPANTS):
        port = 7400 + 250 * number + 10 + 2 * index
        if port > 65535:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return True
    return False
