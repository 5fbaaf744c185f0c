"""Lay points that were seen of lines over the lines of the field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.perception.line_points import LinePoints, place_deviations
from guda_ros.soccer import world
from guda_ros.soccer.field_lines import LineMap

#: A point farther from every line than so many of its deviations is no point of a line.
GATE = 3.0
#: Points share the errors of camera and gait: together they weigh no more than so many.
EFFECTIVE = 3.0
#: Least deviation of a point that is believed [m].
FLOOR = 0.03
#: A point that is farther [m] from all lines is on none, and one whose deviation is larger than
#: DECISIVE [m] says little about that: lines are everywhere then.
NEAR, DECISIVE = 0.25, 0.08
#: A line nearer than this [m] that is in view is seen, unless something hides it.
IN_VIEW = 3.5


@dataclass(frozen=True, eq=False)
class Fit:
    """
    How well points lie on the lines from a pose.

    pose: (3,) x, y [m], yaw [rad] in map. information: (3, 3), what the points alone say of it.
    explained: the share of the points that lie on a line, where those count most of which the
    place is known well. misfit: the mean of squared distances in deviations, each at most GATE^2.
    """

    pose: np.ndarray
    information: np.ndarray
    explained: float
    misfit: float


def fit_lines(
    lines: LineMap,
    places: np.ndarray,
    deviations: np.ndarray,
    pose: np.ndarray,
    prior: np.ndarray | None = None,
    rounds: int = 4,
    looseness: float = 1.0,
) -> Fit:
    """
    Return the pose near `pose` from which the points lie on lines, by Gauss-Newton.

    Points that no line explains lose their weight (Geman-McClure).

    :param places: (n, 2) in base_link [m], n > 0. :param deviations: (n,) [m].
    :param pose: (3,) to begin with.
    :param prior: (3, 3), information of `pose` itself; None: none.
    :param looseness: by how much the deviations are widened in the first round; less from round
        to round.
    """
    start, pose = np.asarray(pose, dtype=np.float64), np.array(pose, dtype=np.float64)
    sigma = np.hypot(deviations, FLOOR)
    share = min(1.0, EFFECTIVE / len(places))
    information = np.zeros((3, 3))
    for index in range(rounds):
        wide = looseness ** (1 - index / max(rounds - 1, 1))
        distance, normal = lines.nearest(world.from_frame(places, pose))
        ratio = distance / (sigma * wide)
        weight = share / (1.0 + (ratio / GATE) ** 2) ** 2 / (sigma * wide) ** 2
        arm = world.rotate(places, pose[2])
        jacobian = np.column_stack([normal, normal[:, 1] * arm[:, 0] - normal[:, 0] * arm[:, 1]])
        information = (jacobian * weight[:, None]).T @ jacobian
        gradient = jacobian.T @ (weight * distance)
        normal_matrix = information + 1e-6 * np.eye(3)
        if prior is not None:
            away = pose - start
            away[2] = world.wrap_angle(away[2])
            normal_matrix = normal_matrix + prior
            gradient = gradient + prior @ away
        step = np.linalg.solve(normal_matrix, -gradient)
        pose = pose + step.clip(-0.3, 0.3)
        pose[2] = world.wrap_angle(pose[2])
    distance, _ = lines.nearest(world.from_frame(places, pose))
    ratio = np.abs(distance) / sigma
    counts = 1.0 / (1.0 + (sigma / DECISIVE) ** 2)
    on_line = np.abs(distance) < np.minimum(GATE * sigma, NEAR)
    return Fit(
        pose,
        information,
        float(counts @ on_line / counts.sum()),
        float((np.minimum(ratio, GATE) ** 2).mean()),
    )


def seen_share(lines: LineMap, points: LinePoints, pose: np.ndarray) -> float | None:
    """
    Return which share of the lines that are in view from a pose (3,) was seen there.

    :return: None where too little is in view to tell.
    """
    camera = points.camera
    places = world.to_frame(lines.points, pose)
    distance = np.hypot(*(places - camera.position[:2]).T)
    places, distance = places[distance < IN_VIEW], distance[distance < IN_VIEW]
    _, inside = camera.project(np.column_stack([places, np.zeros(len(places))]))
    places, distance = places[inside], distance[inside]
    if len(places) < 10:
        return None
    away = np.linalg.norm(places[:, None] - points.places, axis=-1).min(axis=1)
    return float((away < np.maximum(NEAR, 2 * place_deviations(camera, distance))).mean())


def search_poses(
    lines: LineMap, places: np.ndarray, count: int, step: float = 0.25, headings: int = 36
) -> np.ndarray:
    """
    Return the poses (k, 3), k <= count, on the whole carpet from which points lie best on lines.

    Poses and their mirror images about the centre of a field with two goals are alike: only those
    with yaw in [0, pi) are returned of those.

    :param places: (n, 2) in base_link [m]. :param step: between positions that are tried [m].
    """
    field = lines.field
    reach = np.array([field.length / 2, field.width / 2]) + min(field.border, 0.5)
    axes = [np.arange(-most, most + step / 2, step) for most in reach]
    grid = np.stack(np.meshgrid(*axes, indexing='ij'), axis=-1).reshape(-1, 2).astype(np.float32)
    turn = np.pi if field.goals == 2 else 2 * np.pi
    yaws = np.arange(headings * turn / (2 * np.pi)) * (2 * np.pi / headings)
    mean = np.stack(
        [
            lines.distances(grid[:, None] + world.rotate(places, yaw).astype(np.float32)).mean(1)
            for yaw in yaws
        ]
    )
    found: list[np.ndarray] = []
    for index in np.argsort(mean, axis=None):
        heading, cell = np.unravel_index(index, mean.shape)
        pose = np.array([*grid[cell], yaws[heading]])
        if not any(_alike(pose, other, field.goals == 2) for other in found):
            found.append(pose)
            if len(found) == count:
                break
    return np.array(found)


def _alike(pose: np.ndarray, other: np.ndarray, symmetric: bool) -> bool:
    """Tell whether two poses are too near to each other to be two places to begin from."""
    for candidate in (other, mirrored(other)) if symmetric else (other,):
        if (
            np.hypot(*(pose - candidate)[:2]) < 0.5
            and abs(world.wrap_angle(pose[2] - candidate[2])) < 0.4
        ):
            return True
    return False


def mirrored(pose: np.ndarray) -> np.ndarray:
    """Return the pose (3,) from which a field with two goals looks the same."""
    return np.array([-pose[0], -pose[1], world.wrap_angle(pose[2] + np.pi)])
