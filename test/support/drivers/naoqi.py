"""
NAO V6 with naoqi_driver2, by its sources (src/naoqi_driver.cpp, src/converters).

Each message has a call of now() of its own for a stamp. Twist goes to ALMotion.move, which walks
on until it is told otherwise. The odometry is that of the torso, in a frame that began somewhere.
"""

from __future__ import annotations

from drivers.description import Camera, Description, Stream
from guda_ros.soccer.robot import HeadJoints

_LEG = ('HipYawPitch', 'HipRoll', 'HipPitch', 'KneePitch', 'AnklePitch', 'AnkleRoll')
_ARM = ('ShoulderPitch', 'ShoulderRoll', 'ElbowYaw', 'ElbowRoll', 'WristYaw', 'Hand')

# The calibrations of 320x240 in src/converters/camera_info_definitions.hpp.
NAOQI = Description(
    robot='nao_v6',
    values={
        'topics.image': 'camera/bottom/image_raw',
        'topics.camera_info': 'camera/bottom/camera_info',
        'topics.imu': 'imu/torso',
        'frames.camera': 'CameraBottom_optical_frame',
        'camera.width': 320,
        'camera.height': 240,
        'camera.vertical_fov': '46.5deg',
        'camera.position': '.0507 0 .4777',
        'camera.pitch': '39.7deg',
        'camera.principal_point': '156.194 126.007',
        'camera.distortion': '-.048187 .020186 .003036 -.001722 0',
        'camera.rate': 10,
    },
    # As the profile nao_v6 says: with cmd_vel:=naoqi/cmd_vel, behind the adapter's watchdog.
    command='naoqi/cmd_vel',
    odom=Stream('odom', 15.0, 0.0213, 'odom'),
    base_frame='base_link',
    cameras=(
        Camera(
            'head',
            Stream('camera/bottom/image_raw', 10.0, 0.0471, 'CameraBottom_optical_frame'),
            'camera/bottom/camera_info',
            'rgb8',
            (278.236008818534, 279.380102992049),
            (156.194471689706, 126.007123836447),
            (-0.0481869853715082, 0.0201858398559121, 0.0030362056699177, -0.00172241952442813, 0),
        ),
        Camera(
            'lower',
            Stream('camera/front/image_raw', 10.0, 0.0139, 'CameraTop_optical_frame'),
            'camera/front/camera_info',
            'rgb8',
            (274.139508945831, 275.741846757374),
            (141.184472810944, 106.693773654172),
            (-0.0870160932911717, 0.128210165050533, 0.003379500659424, -0.00106205540818586, 0),
        ),
    ),
    imu=Stream('imu/torso', 10.0, 0.0337, 'base_link'),
    joint_states=Stream('joint_states', 50.0, 0.0057),
    joints=(
        *('HeadYaw', 'HeadPitch'),
        *(f'L{joint}' for joint in (*_ARM, *_LEG)),
        *(f'R{joint}' for joint in (*_LEG[1:], *_ARM)),
    ),
    head=HeadJoints(('HeadYaw', 'HeadPitch')),
    height=0.33,
    lean=(0.01, -0.03),
)
