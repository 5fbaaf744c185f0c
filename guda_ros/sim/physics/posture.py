"""How a robot is drawn beyond its planar body: head, sway of its cameras, kicking leg, lying."""

from __future__ import annotations

from dataclasses import dataclass
import re

import mujoco
import numpy as np

from guda_ros.sim.physics.mjcf import suffix
from guda_ros.sim.rendering.scenery import head_quaternion

#: How far parts of the leg follow the kicking foot, as a share.
_KICK = {'sole': 1.0, 'foot': 1.0, 'shin': 0.7, 'knee': 0.5, 'thigh': 0.2}
#: Names of a limb's geoms: side, part and the robot's index, if it is not the first.
LIMB = re.compile(r'(left|right)_([a-z]+)(?:\.\d+)?(?:_(\d+))?$')
#: What is this low [m] on the robot is its shadow, which does not fall with it.
_SHADOW = 0.007


@dataclass(frozen=True)
class Posture:
    """
    A robot's posture, which changes pictures and nothing else.

    index: of the robot. head: pan, tilt [rad]. sway: lateral [m], roll, pitch [rad]. lying: from 0
    to 1, falling toward `direction` [rad, in base_link]. side: 1 or -1, the left or right foot
    kicks, and is `foot` [m] ahead of its place.
    """

    index: int
    head: np.ndarray
    sway: np.ndarray
    lying: float
    direction: float
    side: float
    foot: float

    def turn_head(self, model: mujoco.MjModel) -> None:
        """Turn the body of the head; kinematics is to follow."""
        model.body(f'head{suffix(self.index)}').quat = head_quaternion(*self.head)

    def apply(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Move the drawn robot and its cameras, after kinematics."""
        if self.side and self.foot:
            self._kick(model, data)
        if self.lying:
            self._lie_down(model, data)
        elif self.sway.any():
            self._sway(model, data)

    def _sway(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        body = self._body(model)
        frame, origin = data.xmat[body].reshape(3, 3), data.xpos[body]
        lateral, roll, pitch = self.sway
        rotation = frame @ _rotation([0, 1, 0], pitch) @ _rotation([1, 0, 0], roll) @ frame.T
        for camera in self._cameras(model):
            if is_on_a_head(model, camera):
                data.cam_xpos[camera] = (
                    origin + rotation @ (data.cam_xpos[camera] - origin) + lateral * frame[:, 1]
                )
                data.cam_xmat[camera] = (rotation @ data.cam_xmat[camera].reshape(3, 3)).ravel()

    def _kick(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        forward = data.xmat[self._body(model)].reshape(3, 3)[:, 0]
        label = 'left' if self.side > 0 else 'right'
        for geom in self._geoms(model):
            limb = LIMB.match(model.geom(geom).name)
            if limb and limb[1] == label and limb[2] in _KICK:
                data.geom_xpos[geom] += _KICK[limb[2]] * self.foot * forward

    def _lie_down(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        body = self._body(model)
        frame, origin = data.xmat[body].reshape(3, 3), data.xpos[body]
        axis = [-np.sin(self.direction), np.cos(self.direction), 0.0]
        rotation = frame @ _rotation(axis, self.lying * np.pi / 2) @ frame.T
        lift = np.array([0.0, 0.0, 0.06 * self.lying])
        for geom in self._geoms(model):
            if model.geom_bodyid[geom] != body or model.geom_pos[geom, 2] > _SHADOW:
                data.geom_xpos[geom] = origin + rotation @ (data.geom_xpos[geom] - origin) + lift
                data.geom_xmat[geom] = (rotation @ data.geom_xmat[geom].reshape(3, 3)).ravel()
        for camera in self._cameras(model):
            if is_on_a_head(model, camera):
                data.cam_xpos[camera] = origin + rotation @ (data.cam_xpos[camera] - origin) + lift
                data.cam_xmat[camera] = (rotation @ data.cam_xmat[camera].reshape(3, 3)).ravel()

    def _body(self, model: mujoco.MjModel) -> int:
        return model.body(f'robot{suffix(self.index)}').id

    def _geoms(self, model: mujoco.MjModel) -> np.ndarray:
        return np.flatnonzero(model.body_rootid[model.geom_bodyid] == self._body(model))

    def _cameras(self, model: mujoco.MjModel) -> np.ndarray:
        return np.flatnonzero(model.body_rootid[model.cam_bodyid] == self._body(model))


def is_on_a_head(model: mujoco.MjModel, camera: int | str) -> bool:
    """Tell of a camera, by number or name, whether it is a robot's and not one to watch from."""
    if isinstance(camera, str):
        camera = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
    return camera >= 0 and model.body(model.cam_bodyid[camera]).name.startswith('head')


def _rotation(axis: list[float], angle: float) -> np.ndarray:
    """Return the matrix of a turn about a unit axis."""
    quat, matrix = np.zeros(4), np.zeros(9)
    mujoco.mju_axisAngle2Quat(quat, np.array(axis, dtype=np.float64), angle)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
