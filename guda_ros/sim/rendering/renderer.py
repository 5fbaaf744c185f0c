"""Camera images of a MuJoCo model, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from guda_ros.errors import GudaError
from guda_ros.sim.physics.mjcf import suffix
from guda_ros.sim.physics.posture import is_on_a_head, LIMB, Posture
from guda_ros.sim.rendering import gl, scenery

_DRAWN_GROUPS = (0, 1, scenery.HEAD_GROUP)


class RenderingUnavailable(GudaError):
    """Nothing can be drawn on this machine; the message says what to install."""


class Renderer:
    """One OpenGL context that draws images of one size; close it, or use it in `with`."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int, samples: int = 0) -> None:
        """
        Open the context.

        :param samples: for each pixel, against jagged edges; 4 take three times as long as none.
        :raises RenderingUnavailable: if no OpenGL library loads or none gives a context.
        """
        self._renderer = None
        if gl.unavailable():
            raise RenderingUnavailable(f'{gl.unavailable()}. {gl.remedy()}')
        gl.load_triton()
        # The buffer is as large as the image: a larger one costs time with a software renderer.
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        model.vis.quality.offsamples = samples
        try:
            self._renderer = mujoco.Renderer(model, height, width)
        except Exception as error:  # every OpenGL binding has exceptions of its own
            raise RenderingUnavailable(f'OpenGL gave no context: {error}. {gl.blame()}') from error
        self._model = model
        self._swing = _swinging(model)
        self._roots = model.body_rootid[model.geom_bodyid]
        self._heads = model.geom_group == scenery.HEAD_GROUP
        names = sorted(
            (model.camera(index).name for index in range(model.ncam)),
            key=lambda name: not name.startswith('head'),
        )
        self._options = {name: mujoco.MjvOption() for name in names}
        for name, options in self._options.items():
            options.geomgroup[:] = 0
            options.geomgroup[list(_DRAWN_GROUPS)] = 1
            options.geomgroup[scenery.HEAD_GROUP] = not is_on_a_head(model, name)
            options.sitegroup[:] = 0

    def render(
        self, data: mujoco.MjData, camera: str = 'head', postures: Sequence[Posture] = ()
    ) -> np.ndarray:
        """Return an image (height, width, 3), RGB uint8; KeyError names the cameras there are."""
        if self._renderer is None:
            raise RuntimeError('the renderer is closed')
        if camera not in self._options:
            raise KeyError(f'unknown camera {camera!r}; known: {", ".join(self._options)}')
        for posture in postures:
            posture.turn_head(self._model)
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_camlight(self._model, data)
        for posture in postures:
            posture.apply(self._model, data)
        # A robot's camera, inside of its head, sees the heads of the others.
        owner = self._model.body_rootid[self._model.camera(camera).bodyid[0]]
        seen = self._heads & (self._roots != owner)
        self._model.geom_group[seen] = 1
        self._renderer.update_scene(data, camera, self._options[camera])
        self._model.geom_group[seen] = scenery.HEAD_GROUP
        if not is_on_a_head(self._model, camera):
            self._paint_ball_shadow(data)
            for robot in self._swing:
                self._swing_limbs(data, robot)
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        return self._renderer.render()

    def _paint_ball_shadow(self, data: mujoco.MjData) -> None:
        """Add discs under the ball; as geoms of the model they would roll with it."""
        scene = self._renderer.scene
        if not self._model.geom('ball').rgba[3]:
            return
        position = data.geom('ball').xpos
        radius = self._model.geom('ball').size[0]
        for layer, size in enumerate((1.0, 0.85, 0.7), 1):
            mujoco.mjv_initGeom(
                scene.geoms[scene.ngeom],
                mujoco.mjtGeom.mjGEOM_ELLIPSOID,
                np.array([size * radius, size * radius, 0.0005]),
                np.array([position[0], position[1], 0.002 + 0.001 * layer]),
                np.eye(3).ravel(),
                np.array([0.0, 0.05, 0.0, 0.2], dtype=np.float32),
            )
            scene.ngeom += 1

    def _swing_limbs(self, data: mujoco.MjData, robot: int) -> None:
        """Let the drawn legs and arms walk in time with the speed; the physics has no legs."""
        velocity = data.act[3 * robot : 3 * robot + 3]
        effort = min(1.0, np.hypot(velocity[0], velocity[1]) / 0.1 + abs(velocity[2]) / 1.0)
        if effort < 0.05:
            return
        phase = 2 * np.pi * scenery.STEP_FREQUENCY * data.time
        forward = data.body(f'robot{suffix(robot)}').xmat.reshape(3, 3)[:, 0]
        scene = self._renderer.scene
        for index in range(scene.ngeom):
            geom = scene.geoms[index]
            if geom.objid in self._swing[robot] and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                side, reach, lift = self._swing[robot][geom.objid]
                # No foot comes farther forward than the edge that pushes the ball.
                along = reach * effort * (np.sin(phase) * side - 1)
                geom.pos += along * forward
                geom.pos[2] += lift * effort * max(0.0, np.cos(phase) * side)

    def close(self) -> None:
        """Free the context."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> Renderer:
        """Return the renderer."""
        return self

    def __exit__(self, *_) -> None:
        """Free the context."""
        self.close()


def _swinging(model: mujoco.MjModel) -> dict[int, dict[int, tuple[float, float, float]]]:
    """Return by robot for the geoms of limbs their side, and how far they swing and lift [m]."""
    found = {}
    for index in range(model.ngeom):
        limb = LIMB.match(model.geom(index).name)
        if limb and limb[2] in scenery.SWING:
            robot = int(limb[3] or 0)
            neck = model.body(f'head{suffix(robot)}').pos[2]
            side = 1 if limb[1] == 'left' else -1
            reach, lift = scenery.SWING[limb[2]]
            found.setdefault(robot, {})[index] = (
                side * np.sign(reach),
                neck * abs(reach),
                neck * lift,
            )
    return found
