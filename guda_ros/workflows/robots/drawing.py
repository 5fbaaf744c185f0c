"""Draw a robot."""

from __future__ import annotations

import os
from pathlib import Path

from guda_ros.arguments import as_path, as_whole
from guda_ros.data.files import atomic_target
from guda_ros.errors import GudaError, naming_extras
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.robots.making import refuse_file


@naming_extras()
def draw_robot(
    robot: str | os.PathLike | RobotProfile, out: str | os.PathLike, *, size: int = 640
) -> Path:
    """
    Draw a robot from its profile, as `guda robot show --render` does.

        guda_ros.draw_robot('booster_t1', 'booster_t1.png')

    :param robot: profile in config/robots, a YAML file or a RobotProfile.
    :param out: picture to write, .png or .jpg.
    :param size: of its sides [pixels].
    :return: the picture's path.
    :raises GudaError: if it cannot be drawn here, or `out` is there.
    """
    import cv2

    from guda_ros.sim.rendering.stills import portrait

    if not isinstance(robot, RobotProfile):
        robot = RobotProfile.load(robot)
    out = as_path(out, 'out')
    as_whole(size, 'size', 1)
    if out.suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise GudaError(f'{out}: a picture is a .png or .jpg file')
    refuse_file(out)
    done, data = cv2.imencode(out.suffix, portrait(robot, size, size)[..., ::-1])
    if not done:
        raise GudaError(f'{out}: the picture could not be encoded')
    with atomic_target(out) as temporary:
        temporary.write_bytes(data.tobytes())
    return out
