"""Build guda_ros for pip, which reads the extras, and for colcon, which reads package.xml."""

from glob import glob
import os
import re

from setuptools import find_packages, setup

package_name = 'guda_ros'

# What runs on the robot; a distribution brings most of it as system packages.
robot_requires = [
    'mcap>=1.5',
    'numpy>=1.26',
    'onnxruntime>=1.17',
    'opencv-python-headless>=4.6',
    'PyYAML>=6.0',
    'rosbags>=0.11',
]

extras = {
    # ROS 2 itself, for machines without a distribution (x86-64 Linux).
    'ros': [
        'ros-rclpy[fastrtps]>=7.1.6',
        'ros-builtin-interfaces',
        'ros-diagnostic-msgs',
        'ros-geometry-msgs',
        'ros-lifecycle-msgs',
        'ros-nav-msgs',
        'ros-rcl-interfaces',
        'ros-rosgraph-msgs',
        'ros-sensor-msgs',
        'ros-std-msgs',
        'ros-std-srvs',
        'ros-visualization-msgs',
    ],
    # A gamepad driver, where no joy_node runs.
    'gamepad': [
        'pygame>=2.5',
    ],
    'sim': [
        'mujoco>=4.0',
        'glfw>=2.0',
    ],
    'train': [
        'gymnasium>=1.0',
        'h5py>=3.11',
        'Jinja2>=3.1',
        'matplotlib>=3.8',
        'minari>=0.5.3',
        'numba>=0.60',
        'onnx>=1.17',
        'Pillow>=10',
        'stable-baselines3>=2.6',
        'torch>=2.5',
    ],
    # `guda data export --format lerobot`.
    'lerobot': [
        'pyarrow>=14',
    ],
    # Parking and the mazes.
    'benchmarks': [
        'gymnasium-robotics>=1.4.2',
        'highway-env>=1.12.1',
    ],
    # `make docs`.
    'docs': [
        'furo>=2025.9',
        'myst-parser>=5.0',
        'sphinx>=9.0',
    ],
    'test': [
        'build>=1.2',
        'catkin-pkg>=1.0',
        'hypothesis>=6.100',
        'pytest>=7.4',
        'pytest-xdist>=3.6',
        'twine>=6.1',
    ],
    # `make lint`; exact, because every version finds something else.
    'lint': [
        'mypy==2.4.1',
        'pre-commit>=4.0',
        'ruff==0.17.5',
        'types-PyYAML>=6.0',
    ],
}


def read_me():
    """Return the first page without pictures of, and links to, what lies beside it."""
    with open('README.md', encoding='utf-8') as file:
        text = file.read()
    here = r'\[([^]\n]*)\]\((?!\w+:|#)[^)\s]+\)'
    return re.sub(here, r'\1', re.sub('!' + here + r'\n', '', text))


def files_below(top):
    """Return the files of a folder and its sub-folders that are to be shipped, by folder."""
    found = {}
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith(('.', '__pycache__')))
        kept = [os.path.join(folder, name) for name in sorted(names) if not name.startswith('.')]
        if kept:
            found[folder] = kept
    return found


def package_data():
    """Return what a package needs besides Python modules, relative to the package."""
    return [
        os.path.relpath(path, package_name)
        for paths in files_below(package_name).values()
        for path in paths
        if not path.endswith(('.py', '.pyc'))
    ]


setup(
    name=package_name,
    version='0.1.0',
    description='Teach a real soccer robot a skill from a handful of demonstrations.',
    long_description=read_me(),
    long_description_content_type='text/markdown',
    # The repository does not know where it is published, so no url is given; package.xml must have
    # an address of the maintainer, which is one that belongs to nobody.
    keywords='ros2 robotics robot-soccer imitation-learning offline-rl data-augmentation mujoco',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Environment :: Console',
        'Intended Audience :: Developers',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3 :: Only',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Typing :: Typed',
    ],
    author='guda_ros maintainers',
    maintainer='guda_ros maintainers',
    maintainer_email='maintainers@guda-ros.example.org',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=[package_name, package_name + '.*']),
    package_data={package_name: package_data()},
    zip_safe=False,
    install_requires=robot_requires,
    extras_require=extras,
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/launch', sorted(glob('launch/*.launch.py'))),
        # What `ros2 run guda_ros NAME` finds, whether pip or colcon installs: as console scripts,
        # names such as `policy` would lie on everybody's path.
        ('lib/' + package_name, sorted(glob('scripts/*'))),
    ]
    + [
        (f'share/{package_name}/{folder}', paths)
        for folder, paths in files_below('config').items()
    ],
    entry_points={
        'console_scripts': [
            'guda = guda_ros.cli.main:main',
            'guda-node = guda_ros.nodes.__main__:main',
        ],
    },
)
