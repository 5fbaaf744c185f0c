"""Random soccer scenes of given families as MuJoCo models, and pictures of them with labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
import re

import cv2
import mujoco
import numpy as np

from guda_ros.perception.camera import CameraModel
from guda_ros.perception_training import textures
from guda_ros.perception_training.families import draw_mount, Families, turned_mount
from guda_ros.perception_training.sensor import develop
from guda_ros.sim.physics.sensors import LensModel
from guda_ros.sim.rendering import figures, gl
from guda_ros.sim.rendering.scenery import field_lines, goal_net, mesh_attributes
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import CameraMount, RobotProfile

#: Fields and the robots that are drawn as figures.
_FIELDS = ('spl', 'kid_size')
_FIGURES = {'nao': 'nao_v6', 'figure_booster': 'booster_t1', 'figure_op3': 'robotis_op3'}
#: Balls of a scene, each of its own print and size.
_BALLS = 3
#: Cameras of a scene.
_LENSES = 3
#: Standing things of a scene, and clutter that is as large as a ball.
_STANDING, _CLUTTER = 6, 5
#: Where things wait that are not in a picture [m].
_AWAY = np.array([0.0, 0.0, -50.0])
#: Largest picture that is drawn before the lens [pixels].
_LARGEST = (1400, 1050)


@dataclass(frozen=True)
class Frame:
    """
    A rendered picture and what is in it.

    :param image: (height, width, 3), BGR uint8.
    :param camera: how it was taken; positions are in base_link.
    :param radius: of the ball [m].
    :param place: (2,) of the ball in base_link [m]; None without one.
    :param box: (4,) left, top, right, bottom of the ball's outline within the picture [pixels].
    :param seen: share of the whole outline that is seen.
    :param families: names of what the scene is made of, by kind.
    """

    image: np.ndarray
    camera: CameraModel
    radius: float
    place: np.ndarray | None
    box: np.ndarray | None
    seen: float
    families: dict[str, str]


class SceneRenderer:
    """
    Draw pictures of random scenes, always the same for the same families and seed.

    A scene is a model with its own textures; several pictures are taken of each, from other places
    and in another light. Close it, or use it in `with`.
    """

    def __init__(self, families: Families, seed: int, pictures: int = 24) -> None:
        """
        Open an OpenGL context.

        :param pictures: of each scene.
        :raises GudaError: if nothing can be drawn here.
        """
        from guda_ros.sim.rendering.renderer import RenderingUnavailable

        if gl.unavailable():
            raise RenderingUnavailable(f'{gl.unavailable()}. {gl.remedy()}')
        gl.load_triton()
        self._families, self._seed, self._pictures = families, seed, pictures
        self._gl = mujoco.GLContext(*_LARGEST)
        self._gl.make_current()
        self._context: mujoco.MjrContext | None = None
        self._scene_index = -1

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._context is not None:
            self._context.free()
            self._context = None
        self._gl.free()

    def __enter__(self) -> SceneRenderer:
        """Return the renderer."""
        return self

    def __exit__(self, *_) -> None:
        """Free the OpenGL context."""
        self.close()

    def frame(self, index: int) -> Frame:
        """Return picture number `index`."""
        scene = index // self._pictures
        if scene != self._scene_index:
            self._open(scene)
        rng = np.random.default_rng([self._seed, 2, index])
        return self._take(rng)

    def _open(self, scene: int) -> None:
        rng = np.random.default_rng([self._seed, 1, scene])
        self._field = Field.load(rng.choice(_FIELDS))
        # What all pictures of a scene share.
        self._names = {
            kind: str(rng.choice(getattr(self._families, kind))) for kind in ('turfs', 'backdrops')
        }
        self._robots = [str(rng.choice(self._families.robots)) for _ in range(_STANDING)]
        self._radii = [0.05, *rng.uniform(0.05, 0.11, _BALLS - 1)]
        self._prints = [str(rng.choice(self._families.prints)) for _ in range(_BALLS)]
        self._lenses = [self._draw_lens(rng) for _ in range(_LENSES)]
        text, assets = _mjcf(
            self._field, self._names, self._robots, self._prints, self._radii, rng
        )
        self._model = mujoco.MjModel.from_xml_string(text, assets)
        self._data = mujoco.MjData(self._model)
        if self._context is not None:
            self._context.free()
        model = self._model
        model.vis.global_.offwidth, model.vis.global_.offheight = _LARGEST
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=2000)
        self._options = mujoco.MjvOption()
        self._options.geomgroup[:] = 1
        self._look = mujoco.MjvCamera()
        self._look.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._look.fixedcamid = model.camera('eye').id
        self._original = {
            'rgba': model.mat_rgba.copy(),
            'ambient': model.vis.headlight.ambient.copy(),
        }
        self._scene_index = scene

    def _draw_lens(self, rng: np.random.Generator) -> tuple[str, CameraMount, LensModel]:
        """Return a camera's family, the camera, and its lens: slow to work out."""
        while True:
            family = str(rng.choice(self._families.cameras))
            mount = draw_mount(family, rng)
            lens = LensModel(mount)
            if lens.size[0] <= _LARGEST[0] and lens.size[1] <= _LARGEST[1]:
                return family, mount, lens

    def _take(self, rng: np.random.Generator) -> Frame:
        model, data = self._model, self._data
        camera_family, mount, lens = self._lenses[rng.integers(_LENSES)]
        mount = turned_mount(camera_family, mount, rng)
        light = str(rng.choice(self._families.lights))
        roll = rng.normal(0, math.radians(1.5))
        camera = _rolled(CameraModel.from_mount(mount), roll)
        which = int(rng.integers(_BALLS))
        radius = self._radii[which]
        place = _place(camera, radius, rng) if rng.random() < 0.85 else None
        robot = self._pose(place, rng)
        self._arrange(robot, place, which, rng)
        self._light(light, rng)
        index = model.camera('eye').id
        turn = world.rotate(np.eye(2), robot[2]).T
        base = np.eye(3)
        base[:2, :2] = turn
        model.cam_pos[index] = np.append(robot[:2], 0) + base @ camera.position
        # MuJoCo looks along -z with y up; the optical frame has z ahead and y down.
        axes = base @ camera.rotation.T @ np.diag([1.0, -1.0, -1.0])
        mujoco.mju_mat2Quat(model.cam_quat[index], axes.ravel())
        model.cam_fovy[index] = math.degrees(lens.vertical_fov)
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        rgb, ball = self._draw(lens, f'ball{which}', shadows=rng.random() < 0.5)
        names = {
            **self._names,
            'prints': self._prints[which],
            'cameras': camera_family,
            'lights': light,
        }
        image = develop(lens.apply(rgb, rng), rng)
        box, seen = None, 0.0
        if place is not None:
            shown = lens.bend(ball, cv2.INTER_NEAREST)
            box, seen = _label(camera, place, radius, shown)
        return Frame(image, camera, radius, place, box, seen, names)

    def _pose(self, place: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """Return where the robot stands (3,) in `map`, so that the ball is near the field."""
        half = np.array([self._field.length, self._field.width]) / 2
        for _ in range(50):
            pose = np.append(rng.uniform(-half, half), rng.uniform(-np.pi, np.pi))
            if place is None:
                return pose
            ball = world.from_frame(place, pose)
            if (np.abs(ball) < half + 0.4).all():
                return pose
        return pose

    def _arrange(
        self,
        robot: np.ndarray,
        place: np.ndarray | None,
        which: int,
        rng: np.random.Generator,
    ) -> None:
        """Put ball, robots, people and clutter where they are in this picture."""
        model, data = self._model, self._data
        for other in range(_BALLS):
            data.mocap_pos[model.body(f'ball{other}').mocapid[0]] = _AWAY
        if place is not None:
            ball = model.body(f'ball{which}').mocapid[0]
            radius = self._radii[which]
            data.mocap_pos[ball] = np.append(world.from_frame(place, robot), radius)
            quaternion = rng.normal(size=4)
            data.mocap_quat[ball] = quaternion / np.linalg.norm(quaternion)
        for index in range(_STANDING):
            body = model.body(f'standing{index}').mocapid[0]
            if rng.random() < 0.45:
                data.mocap_pos[body] = _AWAY
                continue
            if place is not None and rng.random() < 0.3:
                # Beside or behind the ball, sometimes before it.
                at = place + rng.uniform(0.14, 0.5) * _direction(rng)
            else:
                at = rng.uniform(0.6, 8) * _direction(rng, np.pi / 4)
            if np.hypot(*at) < 0.45:
                at = at + [0.6, 0]
            data.mocap_pos[body] = np.append(world.from_frame(at, robot), 0)
            angle = rng.uniform(-np.pi, np.pi)
            data.mocap_quat[body] = [math.cos(angle / 2), 0, 0, math.sin(angle / 2)]
        for index in range(_CLUTTER):
            body = model.body(f'clutter{index}').mocapid[0]
            if rng.random() < 0.6:
                data.mocap_pos[body] = _AWAY
                continue
            at = rng.uniform(0.5, 6) * _direction(rng, np.pi / 4)
            if place is not None and np.hypot(*(at - place)) < 0.25:
                at = at + 0.5
            data.mocap_pos[body] = np.append(world.from_frame(at, robot), 0)
            angle = rng.uniform(-np.pi, np.pi)
            data.mocap_quat[body] = [math.cos(angle / 2), 0, 0, math.sin(angle / 2)]

    def _light(self, family: str, rng: np.random.Generator) -> None:
        """Set lights, and the colours that vary with the picture."""
        model = self._model
        model.vis.headlight.diffuse[:] = rng.uniform(0, 0.15)
        warm = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.6, 1.0)])
        strength, ambient, low, spread = {
            'hall': (0.5, 0.42, 0.15, 0.4),
            'sun': (0.9, 0.25, 0.5, 1.2),
            'dim': (0.25, 0.25, 0.2, 0.8),
            'lamps': (0.6, 0.2, 0.1, 0.6),
            'window_side': (0.7, 0.22, 1.2, 2.0),
            'evening': (0.6, 0.15, 1.0, 2.4),
        }[family]
        model.vis.headlight.ambient[:] = ambient * rng.uniform(0.8, 1.25)
        for light in range(model.nlight):
            share = rng.uniform(0.5, 1.1) if light == 0 else rng.uniform(0, 0.5)
            model.light_diffuse[light] = strength * share * warm
            model.light_specular[light] = rng.uniform(0, 0.5)
            tilt = rng.uniform(low, spread) * _direction(rng)
            direction = np.append(tilt, -1.0)
            model.light_dir[light] = direction / np.linalg.norm(direction)
        rgba = self._original['rgba']
        model.mat_rgba[:] = rgba
        for name in ('turf', 'backdrop', 'line', 'net', 'post'):
            index = model.material(name).id
            model.mat_rgba[index, :3] = np.clip(
                rgba[index, :3] * rng.uniform(0.75, 1.15) * rng.normal(1, 0.03, 3), 0, 1
            )
        # Worn lines let the turf through.
        model.mat_rgba[model.material('line').id, 3] = rng.uniform(0.45, 1.0)

    def _draw(self, lens: LensModel, name: str, shadows: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return a picture (h, w, 3), RGB, and where the ball is (0, 255), before the lens."""
        model, data, scene = self._model, self._data, self._scene
        width, height = lens.size
        rectangle = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjv_updateScene(
            model,
            data,
            self._options,
            None,
            self._look,
            mujoco.mjtCatBit.mjCAT_ALL,
            scene,
        )
        scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        rgb = self._render(rectangle)
        scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = True
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        ids = self._render(rectangle)
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = False
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = False
        ball = model.geom(name).id
        mark = next(
            (
                scene.geoms[index].segid
                for index in range(scene.ngeom)
                if scene.geoms[index].objid == ball
                and scene.geoms[index].objtype == mujoco.mjtObj.mjOBJ_GEOM
            ),
            None,
        )
        found = np.zeros((height, width), np.uint8)
        if mark is not None:
            code = mark + 1
            wanted = np.array([code & 255, code >> 8 & 255, code >> 16 & 255], np.uint8)
            found = cv2.inRange(ids, wanted, wanted)
        return np.ascontiguousarray(rgb[::-1]), np.ascontiguousarray(found[::-1])

    def _render(self, rectangle: mujoco.MjrRect) -> np.ndarray:
        """Draw the scene as its flags are, and return the pixels (h, w, 3) from the bottom up."""
        pixels = np.empty((rectangle.height, rectangle.width, 3), np.uint8)
        mujoco.mjr_render(rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(pixels, None, rectangle, self._context)
        return pixels


def _rolled(camera: CameraModel, roll: float) -> CameraModel:
    """Return a camera that is turned about its axis [rad]."""
    cos, sin = math.cos(roll), math.sin(roll)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return replace(camera, rotation=turn @ camera.rotation)


def _direction(rng: np.random.Generator, half: float = np.pi) -> np.ndarray:
    angle = rng.uniform(-half, half)
    return np.array([math.cos(angle), math.sin(angle)])


def _place(camera: CameraModel, radius: float, rng: np.random.Generator) -> np.ndarray | None:
    """Return a place (2,) in base_link at which a ball is in view, at least in part."""
    for _ in range(60):
        place = math.exp(rng.uniform(math.log(0.15), math.log(7.5))) * _direction(rng, 0.9)
        outline = camera.sphere_outline(np.append(place, radius), radius)
        if not np.isfinite(outline.centre).all() or outline.half_size.max() > 200:
            continue
        margin = rng.choice([-0.4, 1.0], p=[0.15, 0.85]) * outline.half_size
        size = np.array([camera.width, camera.height]) - 1
        if (outline.centre > margin).all() and (outline.centre < size - margin).all():
            return place
    return None


def _label(
    camera: CameraModel, place: np.ndarray, radius: float, ball: np.ndarray
) -> tuple[np.ndarray | None, float]:
    """Return the box (4,) of the outline within the picture, and the share that is seen."""
    outline = camera.sphere_outline(np.append(place, radius), radius)
    pixels = cv2.countNonZero(ball)
    seen = min(1.0, pixels / max(outline.area, 1.0))
    if not pixels:
        return None, 0.0
    low = np.maximum(outline.centre - outline.half_size, -0.5)
    high = np.minimum(
        outline.centre + outline.half_size, [camera.width - 0.5, camera.height - 0.5]
    )
    if (high - low).min() < 1:
        return None, seen
    return np.concatenate([low, high]), seen


def _png(rgb: np.ndarray) -> bytes:
    return cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()


def _sphere() -> str:
    """Return MJCF attributes of a mesh of a sphere of radius one with a print's coordinates."""
    rows, columns = 16, 32
    vertices, coordinates, faces = [], [], []
    for i in range(rows + 1):
        latitude = math.pi * (i / rows - 0.5)
        for j in range(columns + 1):
            longitude = 2 * math.pi * j / columns
            vertices += [
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            ]
            coordinates += [j / columns, i / rows]
    for i in range(rows):
        for j in range(columns):
            a = i * (columns + 1) + j
            b = a + columns + 1
            if i:
                faces += [a, a + 1, b + 1]
            if i < rows - 1:
                faces += [a, b + 1, b]
    return (
        f'vertex="{figures.text(vertices)}" texcoord="{figures.text(coordinates)}" '
        f'normal="{figures.text(vertices)}" face="{" ".join(map(str, faces))}"'
    )


def _mjcf(
    field: Field,
    names: dict[str, str],
    robots: list[str],
    prints: list[str],
    radii: list[float],
    rng: np.random.Generator,
) -> tuple[str, dict[str, bytes]]:
    """Return a scene and the files that it names."""
    assets = {
        **{
            f'print{index}.png': _png(textures.ball_print(family, rng))
            for index, family in enumerate(prints)
        },
        'turf.png': _png(textures.turf(names['turfs'], rng)),
        'backdrop.png': _png(textures.backdrop(names['backdrops'], rng)),
    }
    profiles = {kind: RobotProfile.load(_FIGURES[kind]) for kind in set(robots) & set(_FIGURES)}
    drawn = {kind: figures.draw(profile) for kind, profile in profiles.items()}
    meshes = '\n'.join(line for figure in drawn.values() for line in figure.assets)
    standing = '\n'.join(
        f'<body name="standing{index}" mocap="true">{_standing(kind, drawn, rng)}</body>'
        for index, kind in enumerate(robots)
    )
    clutter = '\n'.join(
        f'<body name="clutter{index}" mocap="true">{_clutter(rng)}</body>'
        for index in range(_CLUTTER)
    )
    far = np.array([field.length, field.width]) / 2 + field.border
    behind = rng.uniform(0.0, 3.0) * (rng.random() < 0.7)
    tall = rng.uniform(0.3, 3.0)
    walls = []
    for axis in range(2):
        for side in (-1, 1):
            at, half = np.zeros(2), far + behind + 0.3
            at[axis] = side * (far[axis] + behind + 0.1)
            half[axis] = 0.02
            walls.append(
                f'<geom type="box" size="{half[0]} {half[1]} {tall}" pos="{at[0]} {at[1]} {tall}" '
                'material="backdrop"/>'
            )
    balls = _balls(radii, rng)
    sky = [_rgb(rng.uniform(0.0, 1.0, 3) * rng.uniform(0.2, 1)) for _ in range(2)]
    repeat = rng.uniform(0.4, 3.0)
    hall = _rgb(rng.uniform(0.1, 0.8) * np.ones(3))
    post = _rgb(np.ones(3) if rng.random() < 0.7 else rng.random(3))
    text = f"""
<mujoco>
  <statistic extent="1" center="0 0 0"/>
  <visual><map znear=".02" zfar="60"/><quality shadowsize="1024" offsamples="0"/></visual>
  <default><geom contype="0" conaffinity="0" mass="0"/></default>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="{sky[0]}" rgb2="{sky[1]}"
      width="64" height="384"/>
    {balls[0]}
    <texture name="turf" type="2d" file="turf.png"/>
    <texture name="backdrop" type="2d" file="backdrop.png"/>
    <material name="turf" texture="turf" texuniform="true" texrepeat="{repeat} {repeat}"
      specular="{rng.uniform(0, 0.15)}" shininess=".1"/>
    <material name="backdrop" texture="backdrop" texrepeat="3 1" specular=".05"/>
    <material name="line" rgba=".95 .95 .95 1" specular="0" emission="{rng.uniform(0, 0.2)}"/>
    <material name="net" rgba=".9 .9 .9 1" specular="0"/>
    <material name="post" rgba="{post} 1" specular=".3"/>
    {figures.materials() if drawn else ''}
    {meshes}
    <mesh name="lines" inertia="shell" {mesh_attributes(*field_lines(field))}/>
    <mesh name="net" inertia="shell" {mesh_attributes(*goal_net(field))}/>
  </asset>
  <worldbody>
    <light name="first" directional="true" pos="0 0 8" dir="0 0 -1" castshadow="true"/>
    <light name="second" directional="true" pos="0 0 8" dir="0 0 -1" castshadow="false"/>
    <camera name="eye" pos="0 0 1"/>
    <geom type="plane" size="{far[0]} {far[1]} 1" material="turf"/>
    <geom type="plane" size="30 30 1" pos="0 0 -.02" rgba="{hall} 1"/>
    <geom type="mesh" mesh="lines" material="line"/>
    {_goals(field)}
    {' '.join(walls)}
    {_worn(field, rng)}
    {standing}
    {clutter}
    {balls[1]}
  </worldbody>
</mujoco>
"""
    return text, assets


def _balls(radii: list[float], rng: np.random.Generator) -> tuple[str, str]:
    """Return assets and bodies of balls."""
    assets, bodies = [], []
    sphere = _sphere()
    for index, radius in enumerate(radii):
        assets.append(
            f'<texture name="print{index}" type="2d" file="print{index}.png"/>'
            f'<material name="print{index}" texture="print{index}" '
            f'specular="{rng.uniform(0, 0.5)}" shininess="{rng.uniform(0.1, 0.7)}"/>'
            f'<mesh name="sphere{index}" inertia="shell" scale="{radius} {radius} {radius}" '
            f'{sphere}/>'
        )
        bodies.append(
            f'<body name="ball{index}" mocap="true"><geom name="ball{index}" type="mesh" '
            f'mesh="sphere{index}" material="print{index}"/></body>'
        )
    return '\n'.join(assets), '\n'.join(bodies)


def _rgb(colour: np.ndarray) -> str:
    return figures.text(np.clip(colour, 0, 1))


def _goals(field: Field) -> str:
    radius, parts = field.post_radius, []
    half, top = field.goal_width / 2 + radius, field.goal_height
    for side in field.goal_sides:
        x, back = side * field.length / 2, side * (field.length / 2 + field.goal_depth)
        turn = 0 if side > 0 else math.pi
        parts += [
            *(
                f'<geom type="cylinder" size="{radius} {top / 2}" pos="{x} {y} {top / 2}" '
                'material="post"/>'
                for y in (-half, half)
            ),
            f'<geom type="capsule" size="{radius}" fromto="{x} {-half} {top} {x} {half} {top}" '
            'material="post"/>',
            f'<geom type="capsule" size="{radius / 2}" material="post" '
            f'fromto="{back} {-half} .03 {back} {half} .03"/>',
            f'<geom type="mesh" mesh="net" material="net" euler="0 0 {math.degrees(turn)}"/>',
        ]
    return '\n    '.join(parts)


def _worn(field: Field, rng: np.random.Generator) -> str:
    """Return flat spots that hide pieces of lines and mark the turf."""
    spots = []
    for _ in range(rng.integers(0, 25)):
        x, y = rng.uniform(-0.5, 0.5, 2) * [field.length, field.width]
        if rng.random() < 0.6:
            y = rng.choice([-0.5, 0.5]) * field.width * rng.uniform(0.95, 1.02)
        dark = rng.random() < 0.7
        colour = np.array([0.1, 0.25, 0.1]) if dark else rng.uniform(0.5, 1) * np.ones(3)
        spots.append(
            f'<geom type="ellipsoid" size="{rng.uniform(0.02, 0.25)} {rng.uniform(0.02, 0.2)} '
            f'.0005" pos="{x} {y} .003" rgba="{_rgb(colour)} {rng.uniform(0.1, 0.8)}"/>'
        )
    return '\n    '.join(spots)


def _part(rng: np.random.Generator) -> np.ndarray:
    """Return a colour of robots' and people's parts: white, grey, black, or any."""
    kind = rng.random()
    if kind < 0.35:
        return rng.uniform(0.8, 1.0) * np.ones(3)
    if kind < 0.7:
        return rng.uniform(0.02, 0.5) * np.ones(3)
    return rng.random(3)


def _standing(kind: str, drawn: dict[str, figures.Figure], rng: np.random.Generator) -> str:
    if kind in drawn:
        text = re.sub(r'<camera[^>]*/>', '', drawn[kind].fragment)
        return re.sub(r'(?<=<geom )name="[^"]*" |(?<=<body )name="[^"]*" ', '', text)
    size = rng.uniform(2.2, 3.2) if kind == 'people' else rng.uniform(0.7, 2.0)
    leg, width = 0.26 * size, 0.05 * size * rng.uniform(0.8, 1.3)
    limb, shoe, trunk = _part(rng), _part(rng), _part(rng)
    thick = rng.uniform(0.02, 0.035) * size
    parts = []
    for side in (-1, 1):
        step = rng.uniform(-0.05, 0.05) * size
        foot = (0.08 * size, 0.04 * size, rng.uniform(0.015, 0.03) * size)
        shape = 'ellipsoid' if kind != 'blocks' else 'box'
        parts.append(
            f'<geom type="{shape}" size="{figures.text(np.array(foot) * 0.9)}" '
            f'pos="{step + 0.03 * size} {side * width} {foot[2]}" rgba="{_rgb(shoe)} 1"/>'
        )
        if kind == 'blocks':
            parts.append(
                f'<geom type="box" size="{thick} {thick} {leg / 2}" '
                f'pos="{step / 2} {side * width} {leg / 2 + 0.02}" rgba="{_rgb(limb)} 1"/>'
            )
        else:
            parts.append(
                f'<geom type="capsule" size="{thick}" rgba="{_rgb(limb)} 1" '
                f'fromto="{step} {side * width} .05 0 {side * width} {leg}"/>'
            )
    # Joints, lamps and hands are round, too, and no balls.
    parts += _round_things(size, width, thick, leg, rng)
    middle = leg + 0.16 * size
    form = 'box' if kind == 'blocks' else 'ellipsoid'
    parts += [
        f'<geom type="{form}" size="{0.07 * size} {0.1 * size} {0.17 * size}" '
        f'pos="0 0 {middle}" rgba="{_rgb(trunk)} 1"/>',
        f'<geom type="sphere" size="{0.055 * size}" pos="0 0 {middle + 0.22 * size}" '
        f'rgba="{_rgb(_part(rng))} 1"/>',
    ]
    return '\n'.join(parts)


def _round_things(
    size: float, width: float, thick: float, leg: float, rng: np.random.Generator
) -> list[str]:
    """Return discs, rings and spheres at knees, hips, chest, head and hands of a figure."""
    parts = []

    def disc(place: np.ndarray, axis: np.ndarray, radius: float, colour: np.ndarray) -> None:
        start, end = place - 0.004 * axis, place + 0.006 * axis
        parts.append(
            f'<geom type="cylinder" size="{radius}" rgba="{_rgb(colour)} 1" '
            f'fromto="{figures.text(start)} {figures.text(end)}"/>'
        )

    spots = [
        (np.array([thick, side * width, height]), np.array([1.0, 0.0, 0.0]))
        for side in (-1, 1)
        for height in (0.45 * leg, 0.9 * leg)
    ]
    spots += [
        (np.array([0.0, side * (width + thick), height]), np.array([0.0, float(side), 0.0]))
        for side in (-1, 1)
        for height in (0.08 * leg, 0.45 * leg, leg)
    ]
    spots += [
        (np.array([0.075 * size, side * 0.025 * size, leg + z * size]), np.array([1.0, 0.0, 0.0]))
        for side in (-1, 1)
        for z in (0.2, 0.39)
    ]
    for place, axis in spots:
        if rng.random() < 0.5:
            continue
        radius = rng.uniform(0.012, 0.035) * size
        for ring in range(rng.integers(1, 4)):
            disc(place + 0.003 * ring * axis, axis, radius * (1 - 0.3 * ring), _part(rng))
    hand, form = rng.uniform(0.02, 0.05) * size, rng.choice(['sphere', 'box'])
    colour = _rgb(_part(rng))
    for side in (-1, 1):
        at = [rng.uniform(-0.05, 0.08) * size, side * 0.14 * size, leg + rng.uniform(0, 0.1)]
        parts.append(
            f'<geom type="{form}" size="{hand} {hand} {hand}" pos="{figures.text(at)}" '
            f'rgba="{colour} 1"/>'
        )
    return parts


def _clutter(rng: np.random.Generator) -> str:
    """Return a thing on the field that is no ball."""
    colour = _rgb(_part(rng))
    size = rng.uniform(0.03, 0.12)
    kind = rng.integers(0, 5)
    if kind == 0:
        return (
            f'<geom type="cylinder" size="{size} {size * rng.uniform(0.5, 2)}" '
            f'pos="0 0 {size}" rgba="{colour} 1"/>'
        )
    if kind == 1:
        return f'<geom type="box" size="{size} {size} {size}" pos="0 0 {size}" rgba="{colour} 1"/>'
    if kind == 2:
        # A flat disc or a penalty mark.
        return (
            f'<geom type="ellipsoid" size="{size} {size * rng.uniform(0.4, 1)} .004" '
            f'pos="0 0 .003" rgba="{colour} 1"/>'
        )
    if kind == 3:
        parts = [
            f'<geom type="capsule" size="{rng.uniform(0.004, 0.012)}" rgba="{colour} 1" '
            f'fromto="{figures.text(np.append(rng.normal(0, size, 2), 0.01))} '
            f'{figures.text(np.append(rng.normal(0, size, 2), 0.03))}"/>'
            for _ in range(6)
        ]
        return '\n'.join(parts)
    return (
        f'<geom type="ellipsoid" size="{size * 1.6} {size * 0.6} {size * 0.5}" '
        f'pos="0 0 {size * 0.5}" rgba="{colour} 1"/>'
    )
