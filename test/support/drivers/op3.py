"""
ROBOTIS OP3: usb_cam without a calibration file, the joints of its controller, walking by Twist.

The walking module hears WalkingParam and walks on at the last one; what turns Twist into that
also brings the odometry, which OP3 itself has not. Tilt is positive up: axis 0 -1 0 in the URDF.
"""

from __future__ import annotations

from drivers.description import Camera, Description, Stream
from guda_ros.soccer.robot import HeadJoints

_ARM = ('sho_pitch', 'sho_roll', 'el')
_LEG = ('hip_yaw', 'hip_roll', 'hip_pitch', 'knee', 'ank_pitch', 'ank_roll')

OP3 = Description(
    robot='robotis_op3',
    values={
        'driver.adapter': 'none',
        'driver.stamped': False,
        'topics.image': '/usb_cam_node/image_raw',
        'topics.camera_info': '/usb_cam_node/camera_info',
        'topics.joint_states': '/robotis/present_joint_states',
        'topics.head_command': '/robotis/head_control/set_joint_states',
        'topics.imu': '/robotis/open_cr/imu',
        'frames.camera': 'cam_link',
        'frames.base': 'body_link',
        # A quarter of the camera's, for a machine without a graphics card.
        'camera.width': 320,
        'camera.height': 180,
        'camera.noise': 0,
        'camera.exposure': 0,
    },
    command='cmd_vel',
    odom=Stream('odom', 25.0, 0.0177, 'odom'),
    base_frame='body_link',
    cameras=(
        Camera(
            'head',
            Stream('/usb_cam_node/image_raw', 30.0, 0.0093, 'cam_link', depth=100),
            '/usb_cam_node/camera_info',
            'yuv422_yuy2',
        ),
    ),
    imu=Stream('/robotis/open_cr/imu', 50.0, 0.0061, 'body_link'),
    joint_states=Stream('/robotis/present_joint_states', 125.0, 0.0023),
    joints=(
        *('head_pan', 'head_tilt'),
        *(f'{side}_{joint}' for joint in (*_ARM, *_LEG) for side in 'rl'),
    ),
    # The camera is level at zero; in the profile it looks .6 rad down there.
    head=HeadJoints(('head_pan', 'head_tilt'), (1.0, -1.0), (0.0, -0.6)),
    head_command='/robotis/head_control/set_joint_states',
    height=0.28,
)
