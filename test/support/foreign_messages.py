"""
Make Python packages of messages that no wheel has, from their published definitions.

The generators, templates and headers of rosidl lie in the environment; a C compiler is needed. One
library holds all of a package, with the type support of Fast DDS only.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig

PREFIX = Path(sys.prefix)
SHARE = PREFIX / 'share'
#: Packages whose messages others are made of.
BASES = ('builtin_interfaces', 'service_msgs', 'std_msgs', 'geometry_msgs')

#: Definitions by package and file, as published:
#: - tf2_msgs: https://github.com/ros2/geometry2;
#: - booster_msgs, booster_interface: https://github.com/BoosterRobotics/booster_robotics_sdk_ros2
#:   and what its users write and read;
#: - unitree_api: https://github.com/unitreerobotics/unitree_ros2 (cyclonedds_ws/src/unitree);
#: - op3_walking_module_msgs: https://github.com/ROBOTIS-GIT/ROBOTIS-OP3-msgs;
#: - naoqi_bridge_msgs: https://github.com/ros-naoqi/naoqi_bridge_msgs2.
DEFINITIONS = {
    'tf2_msgs': {'msg/TFMessage.msg': 'geometry_msgs/TransformStamped[] transforms\n'},
    'booster_msgs': {
        'msg/RpcReqMsg.msg': 'string uuid\nstring header\nstring body\n',
        'msg/RpcRespMsg.msg': 'string uuid\nstring header\nstring body\n',
    },
    'booster_interface': {
        'msg/FallDownState.msg': 'uint8 fall_down_state\nbool is_recovery_available\n',
        'msg/BatteryState.msg': 'float32 voltage\nfloat32 current\nfloat32 soc\n'
        'float32 average_voltage\n',
        'msg/Odometer.msg': 'float32 x\nfloat32 y\nfloat32 theta\n',
        'msg/BoosterApiReqMsg.msg': 'int64 api_id\nstring body\n',
        'msg/BoosterApiRespMsg.msg': 'int64 status\nstring body\n',
        'srv/RpcService.srv': 'BoosterApiReqMsg msg\n---\nBoosterApiRespMsg msg\n',
    },
    'unitree_api': {
        'msg/RequestIdentity.msg': 'int64 id\nint64 api_id\n',
        'msg/RequestLease.msg': 'int64 id\n',
        'msg/RequestPolicy.msg': 'int32 priority\nbool noreply\n',
        'msg/RequestHeader.msg': 'RequestIdentity identity\nRequestLease lease\n'
        'RequestPolicy policy\n',
        'msg/Request.msg': 'RequestHeader header\nstring parameter\nuint8[] binary\n',
        'msg/ResponseStatus.msg': 'int32 code\n',
        'msg/ResponseHeader.msg': 'RequestIdentity identity\nResponseStatus status\n',
        'msg/Response.msg': 'ResponseHeader header\nstring data\nint8[] binary\n',
    },
    'op3_walking_module_msgs': {
        'msg/WalkingParam.msg': ''.join(
            f'float32 {name}\n'
            for name in (
                'init_x_offset',
                'init_y_offset',
                'init_z_offset',
                'init_roll_offset',
                'init_pitch_offset',
                'init_yaw_offset',
                'period_time',
                'dsp_ratio',
                'step_fb_ratio',
                'x_move_amplitude',
                'y_move_amplitude',
                'z_move_amplitude',
                'angle_move_amplitude',
            )
        )
        + 'bool move_aim_on\nbool balance_enable\n'
        + ''.join(
            f'float32 {name}\n'
            for name in (
                'balance_hip_roll_gain',
                'balance_knee_gain',
                'balance_ankle_roll_gain',
                'balance_ankle_pitch_gain',
                'y_swap_amplitude',
                'z_swap_amplitude',
                'arm_swing_gain',
                'pelvis_offset',
                'hip_pitch_offset',
            )
        )
        + 'int32 p_gain\nint32 i_gain\nint32 d_gain\n',
        'srv/GetWalkingParam.srv': 'bool get_param\n---\nWalkingParam parameters\n',
    },
    'naoqi_bridge_msgs': {
        'msg/JointAnglesWithSpeed.msg': 'std_msgs/Header header\nstring[] joint_names\n'
        'float32[] joint_angles\nfloat32 speed\nuint8 relative\n',
    },
}


def lacks() -> str:
    """Return what is missing to make messages, empty if nothing is."""
    if shutil.which('g++') is None:
        return 'no C++ compiler'
    if not Path(sysconfig.get_path('include'), 'Python.h').is_file():
        return "no headers of Python's"
    for package in ('rosidl_generator_c', 'rosidl_generator_py', 'rosidl_typesupport_fastrtps_c'):
        if not (SHARE / package / 'resource').is_dir():
            return f'no templates of {package}'
    return ''


def make(package: str, folder: Path) -> None:
    """
    Make a package of DEFINITIONS importable from a folder that is on the path.

    In a process of its own: the parser of the generators is slow, and keeps what it has read.
    """
    command = [sys.executable, __file__, package, str(folder)]
    environment = {**os.environ, 'AMENT_PREFIX_PATH': str(PREFIX)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def _generate(package: str, folder: Path) -> None:
    from rosidl_adapter.msg import convert_msg_to_idl
    from rosidl_adapter.srv import convert_srv_to_idl
    from rosidl_generator_c import generate_c
    from rosidl_generator_py import generate_py
    from rosidl_generator_type_description import generate_type_hash
    from rosidl_typesupport_c import generate_c as generate_support
    from rosidl_typesupport_fastrtps_c import generate_typesupport_fastrtps_c

    source, build, made = folder / 'src' / package, folder / 'build' / package, folder / package
    files = []
    for name, text in DEFINITIONS[package].items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        convert = convert_msg_to_idl if path.suffix == '.msg' else convert_srv_to_idl
        convert(source, package, Path(name), path.parent)
        files.append(Path(name).with_suffix('.idl'))
    needed = [
        f'{base}:{path}' for base in BASES for path in sorted((SHARE / base).glob('*/*.idl'))
    ]
    described = [f'{file}:{build / file.with_suffix(".json")}' for file in files]

    def arguments(generator: str, output: Path, **more) -> str:
        output.mkdir(parents=True, exist_ok=True)
        content = {
            'package_name': package,
            'output_dir': str(output),
            'template_dir': str(SHARE / generator / 'resource'),
            'idl_tuples': [f'{source}:{file}' for file in files],
            'ros_interface_files': [str(source / name) for name in DEFINITIONS[package]],
            'ros_interface_dependencies': needed,
            'target_dependencies': [],
            'type_description_tuples': described,
            **more,
        }
        path = folder / f'{package}_{generator}.json'
        path.write_text(json.dumps(content), encoding='utf-8')
        return str(path)

    paths = [f'{base}:{SHARE / base}' for base in BASES]
    generate_type_hash(arguments('rosidl_generator_type_description', build, include_paths=paths))
    # Headers are included as package/msg/...; the library has them all.
    headers = build / 'include' / package
    generate_c(arguments('rosidl_generator_c', headers))
    generate_typesupport_fastrtps_c(arguments('rosidl_typesupport_fastrtps_c', headers))
    generate_support(arguments('rosidl_typesupport_c', headers), ['rosidl_typesupport_fastrtps_c'])
    generate_py(arguments('rosidl_generator_py', made), ['rosidl_typesupport_c'])
    for generator in ('rosidl_generator_c', 'rosidl_typesupport_fastrtps_c'):
        name = f'{generator}__visibility_control.h'
        text = (SHARE / generator / 'resource' / f'{name}.in').read_text(encoding='utf-8')
        text = text.replace('@PROJECT_NAME@', package)
        text = text.replace('@PROJECT_NAME_UPPER@', package.upper())
        (headers / 'msg' / name).write_text(text, encoding='utf-8')
    _compile(package, build, made)


def _compile(package: str, build: Path, made: Path) -> None:
    include = sorted((PREFIX / 'include').glob('*/'))
    flags = ['-fPIC', '-O0', '-w', f'-I{build / "include"}', f'-I{PREFIX / "include"}']
    flags += [f'-I{path}' for path in include]
    import numpy

    flags += [f'-I{sysconfig.get_path("include")}', f'-I{numpy.get_include()}']
    objects = []
    for path in sorted([*build.rglob('*.c'), *build.rglob('*.cpp'), *made.rglob('*.c')]):
        target = build / f'{len(objects)}.o'
        language = ['g++', '-std=c++17'] if path.suffix == '.cpp' else ['gcc', '-std=gnu11']
        subprocess.run([*language, *flags, '-c', str(path), '-o', str(target)], check=True)
        objects.append(str(target))
    library = PREFIX / 'lib'
    names = ['rosidl_runtime_c', 'rosidl_typesupport_c', 'rosidl_typesupport_fastrtps_c']
    names += ['rosidl_typesupport_fastrtps_cpp', 'fastcdr', 'rcutils']
    for base in BASES:
        names += [
            f'{base}__{part}'
            for part in (
                'rosidl_generator_c',
                'rosidl_typesupport_fastrtps_c',
                'rosidl_generator_py',
            )
            if (library / f'lib{base}__{part}.so').is_file()
        ]
    subprocess.run(
        [
            'g++',
            '-shared',
            *objects,
            '-o',
            str(made / f'{package}_s__rosidl_typesupport_c.so'),
            f'-L{library}',
            f'-Wl,-rpath,{library}',
            *(f'-l{name}' for name in names),
        ],
        check=True,
    )


if __name__ == '__main__':
    _generate(sys.argv[1], Path(sys.argv[2]))
