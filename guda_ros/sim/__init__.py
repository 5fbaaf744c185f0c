"""The MuJoCo twin: physics of one or many robots, camera images, odometry; no ROS."""

from guda_ros.sim.rendering import gl

# MuJoCo reads MUJOCO_GL once, while it is imported, so this comes before every module of this
# package.
gl.choose_backend()
