"""What perception's networks learn from and are judged on: renders, pictures, training."""

# It chooses the OpenGL library before MuJoCo is imported.
import guda_ros.sim  # noqa: F401
