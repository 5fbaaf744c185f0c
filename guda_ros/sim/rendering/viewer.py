"""MuJoCo's interactive viewer on a running simulation."""

from __future__ import annotations

import warnings

import mujoco.viewer

from guda_ros.errors import GudaError
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering import scenery


class Viewer:
    """A window that shows a simulation; use it in `with`. Mouse and keys: F1 in the window."""

    def __init__(self, simulation: SoccerSimulation) -> None:
        """
        Open the window.

        :raises GudaError: if there is no display that it could open on.
        """
        # Asked before: where there is no display, MuJoCo's viewer ends the process.
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            if not mujoco.viewer.glfw.init():
                raise GudaError(
                    'no window opens: the display that DISPLAY or WAYLAND_DISPLAY '
                    'names is not there; a film needs none: --out view.webm'
                )
        self._viewer = mujoco.viewer.launch_passive(
            simulation.model, simulation.data, show_left_ui=False, show_right_ui=False
        )
        with self._viewer.lock():
            # Hidden are the shapes that collide and are not drawn.
            self._viewer.opt.geomgroup[:] = 0
            self._viewer.opt.geomgroup[[0, 1, scenery.HEAD_GROUP]] = 1
            self._viewer.cam.distance = simulation.contract.field.width
            self._viewer.cam.elevation = -35

    def show(self) -> bool:
        """Show the present state; False when the window was closed."""
        self._viewer.sync()
        return self._viewer.is_running()

    def __enter__(self) -> Viewer:
        """Return the viewer."""
        return self

    def __exit__(self, *_) -> None:
        """Close the window."""
        self._viewer.close()
