"""
TurtleBot 4 of ROS 2 Humble: a Create 3 that hears Twist, and an OAK-D on the base.

What the Create 3 publishes is best effort (rclcpp::SensorDataQoS). Its wheels stop half a second
after the last command (wheels_stop_threshold_sec). Images come over the network compressed.
"""

from __future__ import annotations

from drivers.description import Camera, Description, Stream

_CAMERA, _FRAME = 'oakd/rgb/preview', 'oakd_rgb_camera_optical_frame'

TURTLEBOT4 = Description(
    robot='turtlebot4',
    values={
        'driver.image_transport': 'compressed',
        'topics.image': f'{_CAMERA}/image_raw',
        'topics.camera_info': f'{_CAMERA}/camera_info',
        'topics.imu': 'imu',
        'frames.camera': _FRAME,
        'camera.rate': 15,
    },
    command='cmd_vel',
    odom=Stream('odom', 20.0, 0.0118, 'odom', reliable=False),
    base_frame='base_link',
    cameras=(
        Camera(
            'head',
            Stream(f'{_CAMERA}/image_raw', 15.0, 0.0437, _FRAME),
            f'{_CAMERA}/camera_info',
            'jpeg',
            # 0.9 rad over 240 rows.
            (248.42, 248.42),
            (159.5, 119.5),
            (0.0, 0.0, 0.0, 0.0, 0.0),
        ),
    ),
    imu=Stream('imu', 62.5, 0.0051, 'imu_link', reliable=False),
    patience=0.5,
)
