"""Names are the robot's: namespace, remaps, parameter file and log level of a graph's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import re

from guda_ros.errors import GudaError

LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
_NAMESPACE = re.compile(r'/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*/?', re.ASCII)
#: A name in a rule of ROS 2, perhaps of one node: NODE:NAME.
_NAME = re.compile(r'(\w+:)?(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)


@dataclass(frozen=True)
class RosNames:
    """
    What a robot calls things, and what its person wants of all nodes.

    namespace: of all nodes, such as `red`. remaps: name -> name instead, as ROS 2 takes them
    (`image_raw`, or `perception:image_raw` for one node). params_file: YAML file of parameters
    (`NODE: {ros__parameters: {...}}`), which goes over what the graph says, and under
    `GraphOptions.overrides`. log_level: debug, info, warn, error or fatal, or LOGGER:=LEVEL.

    :raises GudaError: for what ROS 2 would not take.
    """

    namespace: str = ''
    remaps: Mapping[str, str] = field(default_factory=dict)
    params_file: str = ''
    log_level: str = ''

    def __post_init__(self) -> None:
        """Refuse what ROS 2 would not take."""
        if self.namespace and not _NAMESPACE.fullmatch(self.namespace):
            raise GudaError(
                f'namespace {self.namespace!r}: letters, digits and _ are expected, such as red'
            )
        for source, target in self.remaps.items():
            if '__ns' in source or '__node' in source or '__name' in source:
                raise GudaError(
                    f'remap {source}:={target}: --namespace moves all nodes; their own names stay'
                )
            if not (_NAME.fullmatch(source) and _NAME.fullmatch(target)):
                raise GudaError(f'remap {source}:={target}: is no pair of names')
        if self.log_level and self.log_level.rpartition(':=')[2].lower() not in LEVELS:
            raise GudaError(
                f'log level {self.log_level!r}: one of {", ".join(LEVELS)}, or LOGGER:=LEVEL'
            )

    @property
    def prefix(self) -> str:
        """The namespace with the slash before it, or nothing."""
        return f'/{self.namespace.strip("/")}' if self.namespace else ''

    @property
    def rules(self) -> list[str]:
        """The arguments of a node that follow `--ros-args`, for namespace and remaps."""
        rules = [f'__ns:={self.prefix}'] if self.namespace else []
        rules += [f'{source}:={target}' for source, target in self.remaps.items()]
        return [argument for rule in rules for argument in ('-r', rule)]

    @property
    def arguments(self) -> list[str]:
        """The `cli_args` of a node of this process that is to be one of the graph."""
        return ['--ros-args', *self.rules] if self.rules else []


#: A graph with the usual names.
USUAL_NAMES = RosNames()


def read_remaps(texts: Iterable[str]) -> dict[str, str]:
    """Read FROM:=TO texts; GudaError names one that is none."""
    remaps = {}
    for text in texts:
        source, sign, target = text.partition(':=')
        if not (source and sign and target):
            raise GudaError(f'--remap {text}: FROM:=TO is expected')
        remaps[source] = target
    return remaps
