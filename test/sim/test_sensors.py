"""Sensors of the twin without ROS: delivery, IMU, lens, exposure, noise and the whole suite."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.perception.ball_detector import BallDetector
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.pipeline import Perception
from guda_ros.sim.physics.sensor_suite import World
from guda_ros.sim.physics.sensors import Courier, ImuModel, LensModel, Mail
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering.camera import RobotCameras, Shot
from guda_ros.soccer.robot import Delivery, ImuNoise, RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')
BALL = CONTRACT.field.ball
MS = 1_000_000
EXACT = ImuNoise(100.0, 0.0, 0.0, 0.0)
START = np.array([1.0, 0.0, 0.0, 1.8, 0.2])


def rng(seed=0):
    return np.random.default_rng(seed)


def test_without_delivery_messages_arrive_at_once():
    mail = Mail(Delivery())
    mail.send(5, 'a')
    assert mail.arrived(4) == []
    assert mail.arrived(5) == ['a'] and mail.arrived(6) == []


def test_latency_jitter_and_dropout_are_those_of_the_profile():
    courier = Courier(Delivery(0.1, 0.02, 0.25))
    courier.reset(rng(1))
    # So far apart that no message waits for the one before.
    sent = [number * 1000 * MS for number in range(20000)]
    arrivals = [courier.arrival(now) for now in sent]
    delays = np.array(
        [(there - now) / 1e9 for now, there in zip(sent, arrivals) if there is not None]
    )
    assert 1 - len(delays) / len(sent) == pytest.approx(0.25, abs=0.01)
    assert delays.mean() == pytest.approx(0.1, abs=0.001)
    assert delays.std() == pytest.approx(0.02, rel=0.03)
    assert delays.min() >= 0


def test_messages_keep_their_order_and_a_reset_drops_them():
    mail = Mail(Delivery(0.05, 0.05, 0.1))
    mail.reset(rng(2))
    got = []
    for now in range(0, 1000 * MS, 10 * MS):
        mail.send(now, now)
        got += mail.arrived(now)
    assert got == sorted(got) and 60 < len(got) < 95
    mail.send(10**12, 'late')
    mail.reset(rng(2))
    assert mail.arrived(2 * 10**12) == []


def test_an_imu_at_rest_feels_gravity_and_nothing_else():
    imu = ImuModel(EXACT)
    for step in range(3):
        gyroscope, accelerometer = imu.sample(step * 0.01, 0.7, np.zeros(3), (0, 0, 0))
    np.testing.assert_allclose(gyroscope, 0, atol=1e-12)
    np.testing.assert_allclose(accelerometer, [0, 0, 9.81], atol=1e-12)


def test_an_imu_on_a_circle_feels_the_centripetal_force():
    imu, speed, turn = ImuModel(EXACT), 0.2, 1.5
    for step in range(5):
        time = step * 0.001
        gyroscope, accelerometer = imu.sample(time, turn * time, [speed, 0, turn], (0, 0, 0))
    np.testing.assert_allclose(gyroscope, [0, 0, turn], atol=1e-9)
    np.testing.assert_allclose(accelerometer, [0, speed * turn, 9.81], atol=1e-3)


def test_a_leaning_imu_sees_gravity_turn_and_measures_the_rate():
    imu, lean, rate = ImuModel(EXACT), 0.2, 0.5
    # Pitch forward is positive: the nose goes down, and gravity pulls the robot ahead.
    imu.sample(0.0, 0.0, np.zeros(3), (0.0, 0.0, lean - 0.01 * rate))
    gyroscope, accelerometer = imu.sample(0.01, 0.0, np.zeros(3), (0.0, 0.0, lean))
    np.testing.assert_allclose(gyroscope, [0, rate, 0], atol=1e-9)
    np.testing.assert_allclose(
        accelerometer, 9.81 * np.array([-np.sin(lean), 0, np.cos(lean)]), atol=1e-9
    )
    imu.reset(rng())
    _, accelerometer = imu.sample(0.0, 0.0, np.zeros(3), (0.0, lean, 0.0))
    np.testing.assert_allclose(
        accelerometer, 9.81 * np.array([0, np.sin(lean), np.cos(lean)]), atol=1e-9
    )


def test_a_swaying_imu_is_accelerated_sideways():
    imu, amplitude, omega, dt = ImuModel(EXACT), 0.02, 10.0, 0.001
    felt = []
    for step in range(1000):
        sway = amplitude * np.sin(omega * step * dt)
        felt.append(imu.sample(step * dt, 0.3, np.zeros(3), (sway, 0.0, 0.0))[1][1])
    time = np.arange(1000) * dt
    expected = -amplitude * omega**2 * np.sin(omega * time)
    np.testing.assert_allclose(felt[3:], expected[3:], atol=0.05)


def test_imu_noise_and_bias_have_the_spread_of_the_profile():
    noise = ImuNoise(100.0, 0.05, 0.2, 0.3)
    imu, biases, rates, forces = ImuModel(noise), [], [], []
    for seed in range(300):
        imu.reset(rng(seed))
        samples = np.array(
            [imu.sample(step * 0.01, 0.0, np.zeros(3), (0, 0, 0)) for step in range(50)]
        )
        biases.append(samples[:, 0].mean(axis=0))
        rates.append(samples[:, 0] - biases[-1])
        forces.append(samples[:, 1] - [0, 0, 9.81])
    assert np.std(biases) == pytest.approx(0.2, rel=0.1)
    assert np.std(rates) == pytest.approx(0.05, rel=0.05)
    assert np.std(forces) == pytest.approx(0.3, rel=0.05)


BARREL = (-0.25, 0.08, 0.001, -0.001, 0.0)


def mount(**values):
    return replace(ROBOT.camera, width=320, height=240, vertical_fov=0.9, **values)


def test_a_lens_draws_wider_around_the_same_middle():
    lens = LensModel(mount(distortion=BARREL))
    width, height = lens.size
    assert width > 320 and height > 240 and (width - 320) % 2 == (height - 240) % 2 == 0
    # The focal length in pixels is that of the middle.
    assert height / 2 / np.tan(lens.vertical_fov / 2) == pytest.approx(120 / np.tan(0.45))
    plain = LensModel(mount())
    assert plain.size == (320, 240) and plain.vertical_fov == 0.9
    picture = rng().integers(0, 256, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(plain.apply(picture, rng()), picture)


def test_a_lens_that_would_show_what_is_behind_the_camera_is_refused():
    with pytest.raises(GudaError, match='distortion.*vertical_fov'):
        LensModel(mount(distortion=(-0.9, 0.0, 0.0, 0.0, 0.0)))


def test_pixel_noise_has_the_spread_of_the_profile_and_follows_its_seed():
    lens = LensModel(mount(noise=6.0))
    grey = np.full((240, 320, 3), 128, np.uint8)
    noisy = lens.apply(grey, rng(1)).astype(float) - 128
    assert noisy.std() == pytest.approx(6.0, rel=0.03) and abs(noisy.mean()) < 0.2
    np.testing.assert_array_equal(lens.apply(grey, rng(2)), lens.apply(grey, rng(2)))
    assert (lens.apply(grey, rng(2)) != lens.apply(grey, rng(3))).any()
    # At the ends of the range it is cut off and does not wrap around.
    assert lens.apply(np.full_like(grey, 255), rng(1)).min() > 200


@pytest.fixture
def cameras():
    made = []

    def create(robot):
        simulation = SoccerSimulation(CONTRACT, robot, kick=True)
        made.append(RobotCameras(simulation, [robot]))
        own = SoccerSimulation(CONTRACT, robot, visual=False, kick=True)
        return made[-1], own

    # A state of the model with scenery fits the one without: it has no more joints.
    yield create
    for one in made:
        one.close()


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('ball', [(0.8, 0.35), (1.1, -0.4)])
def test_perception_finds_the_ball_in_the_picture_of_a_distorting_camera(cameras, ball):
    robot = replace(ROBOT, camera=mount(distortion=BARREL))
    pictures, simulation = cameras(robot)
    simulation.reset(np.array([0.0, 0.0, 0.0, *ball]))
    image = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))
    assert image.shape == (240, 320, 3)
    camera = CameraModel.from_mount(robot.camera)
    found = BallDetector(camera, BALL).detect(image[..., ::-1])
    np.testing.assert_allclose(found.position, ball, atol=0.02)
    flat = CameraModel.from_mount(replace(robot.camera, distortion=(0.0,) * 5))
    naive = BallDetector(flat, BALL).detect(image[..., ::-1])
    assert naive is None or np.linalg.norm(naive.position - ball) > 0.02


#: Of naoqi_driver2's front camera at 320 x 240, and beyond a corner's quarter.
POINTS = [(141.0, 107.0), (159.5, 119.5), (201.25, 90.5), (20.0, 230.0)]


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize('distortion', [(0.0,) * 5, BARREL])
def test_a_drawn_point_is_where_opencv_projects_it(cameras, point, distortion):
    """A ball far from the robot is small: its middle in the picture, by the colour alone."""
    robot = replace(ROBOT, camera=mount(principal_point=point, distortion=distortion))
    pictures, simulation = cameras(robot)
    camera, focal = CameraModel.from_mount(robot.camera), robot.camera.focal
    assert camera.centre == point
    matrix = np.array([[focal, 0, point[0]], [0, focal, point[1]], [0, 0, 1]])
    seen = 0
    for place in [(0.8, 0.0), (1.0, 0.35), (1.0, -0.35), (1.6, 0.5), (1.6, -0.5), (2.4, 0.0)]:
        centre = np.array([*place, BALL.radius])
        in_optics = camera.rotation @ (centre - camera.position)
        pixel = cv2.projectPoints(
            in_optics[None], np.zeros(3), np.zeros(3), matrix, np.array(distortion)
        )[0].ravel()
        outline = camera.sphere_outline(centre, BALL.radius)
        reach = outline.half_size + 2
        if not ((outline.centre > reach).all() and (outline.centre < [319, 239] - reach).all()):
            continue
        simulation.reset(np.array([0.0, 0.0, 0.0, *place]))
        image = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))[..., ::-1]
        mask = BallDetector(camera, BALL).segment(np.ascontiguousarray(image))
        middle = np.argwhere(mask > 0).mean(axis=0)[::-1]
        # What of a ball's outline lies off the projection of its middle is known.
        np.testing.assert_allclose(middle, outline.centre, atol=0.6)
        np.testing.assert_allclose(pixel, outline.centre, atol=1.5)
        found = BallDetector(camera, BALL).detect(np.ascontiguousarray(image))
        np.testing.assert_allclose(found.position, place, atol=0.03)
        seen += 1
    assert seen >= 1


def test_a_principal_point_in_the_middle_changes_nothing():
    middle = LensModel(mount(principal_point=(159.5, 119.5)))
    picture = rng().integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert middle.size == (320, 240)
    np.testing.assert_array_equal(middle.apply(picture, rng()), picture)


@pytest.mark.parametrize('column, row', [(19, -12), (0, 7), (-30, 0)])
def test_a_principal_point_moves_the_picture_by_whole_pixels_without_loss(column, row):
    lens = LensModel(mount(principal_point=(159.5 + column, 119.5 + row)))
    wide, high = lens.size
    picture = rng().integers(0, 256, (high, wide, 3), dtype=np.uint8)
    left, top = (wide - 320) // 2 - column, (high - 240) // 2 - row
    np.testing.assert_array_equal(
        lens.apply(picture, rng()), picture[top : top + 240, left : left + 320]
    )


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('pan, tilt, ball', [(0.9, 0.1, (0.6, 0.9)), (-0.6, -0.25, (1.6, -0.9))])
def test_perception_finds_the_ball_with_the_head_turned(cameras, pan, tilt, ball):
    pictures, simulation = cameras(ROBOT)
    simulation.reset(np.array([0.0, 0.0, 0.0, *ball]))
    simulation.look(pan, tilt)
    for _ in range(10):
        simulation.step(np.zeros(3))
    image = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))[..., ::-1]
    perception = Perception(CONTRACT, ROBOT)
    perception.look(*simulation.head())
    np.testing.assert_allclose(perception.detector.detect(image).position, ball, atol=0.02)
    # Back at zero it works with the camera that it began with.
    perception.look(0.0, 0.0)
    np.testing.assert_allclose(
        perception.camera.rotation, CameraModel.from_mount(ROBOT.camera).rotation, atol=1e-12
    )


@pytest.mark.needs('drawing')
def test_an_exposure_blurs_what_moves_and_nothing_else(cameras):
    robot = replace(ROBOT, camera=mount(exposure=0.03))
    pictures, simulation = cameras(robot)
    simulation.reset(np.array([0.0, 0.0, 0.0, 0.9, 0.0]))
    sharp = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))
    state = simulation.world_state()
    simulation.set_world_state(state, velocity=np.array([0.0, 0.0, 2.0]))
    blurred = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))

    def edges(image):
        return np.abs(np.diff(image.astype(float), axis=1)).mean()

    assert edges(blurred) < 0.8 * edges(sharp)
    # It ends at the given state: the middle of the blur is half an exposure of turning away.
    turned = simulation.world_state()
    turned[2] -= 0.03 * 2.0 / 2
    simulation.set_world_state(turned)
    middle = pictures.draw(Shot('head', 0, 0, simulation.physics_state()))

    def column(image):
        """Return where the ball is: the middle of what is much redder than blue."""
        red = np.clip(image[..., 0].astype(float) - image[..., 2] - 20, 0, None)
        return (red.sum(axis=0) @ np.arange(320)) / red.sum()

    assert column(blurred) == pytest.approx(column(middle), abs=0.5)
    assert abs(column(sharp) - column(middle)) > 4


def world(robot, **options):
    return World(CONTRACT, [robot], options.pop('rate', 100.0), **options)


def test_each_sensor_has_its_rate_and_its_delivery():
    robot = replace(
        ROBOT,
        imu=replace(ROBOT.imu, rate=50.0, delivery=Delivery(0.05, 0, 0)),
        odometry=replace(ROBOT.odometry, delivery=Delivery(0.02, 0, 0.3)),
    )
    own = world(robot)
    sensors, now = own.sensors[0], 10**9
    own.reset(now, START, seed=3)
    got = []
    for step in range(200):
        sensors.sense(now, step % 10 == 0)
        got += [(now, sample) for sample in sensors.arrived(now)]
        own.simulation.step(np.array([0.2, 0.0, 0.3]))
        now += 10 * MS
    imu = [(there, sample.stamp) for there, sample in got if sample.sensor == 'imu']
    odometry = [(there, sample.stamp) for there, sample in got if sample.sensor == 'odometry']
    np.testing.assert_allclose(np.diff([stamp for _, stamp in imu]), 20 * MS)
    assert {there - stamp for there, stamp in imu} == {50 * MS}
    assert {there - stamp for there, stamp in odometry} == {20 * MS}
    assert len(odometry) / 198 == pytest.approx(0.7, abs=0.1)


def test_a_fallen_robot_feels_gravity_from_another_side():
    exact = replace(ROBOT, imu=replace(EXACT, delivery=Delivery()))
    own = world(exact)
    own.reset(0, START, 0)
    # A blow from behind fells it to the front: then its chest, its x axis, points down.
    own.simulation.push(np.array([2.0, 0.0]))
    felt, turned = [], []
    steps = round(100 * (ROBOT.fall.fall_time + 0.3))
    for step in range(steps):
        own.sensors[0].sense(step * 10 * MS, step % 10 == 0)
        for sample in own.sensors[0].arrived(step * 10 * MS):
            if sample.sensor == 'imu':
                felt.append(sample.accelerometer)
                turned.append(sample.gyroscope[1] * 0.01)
        own.simulation.step(np.zeros(3))
    assert min(sample[0] for sample in felt) == pytest.approx(-9.81, abs=0.7)
    assert max(np.cumsum(turned)) == pytest.approx(np.pi / 2, abs=0.1)


def test_a_robot_that_fell_aslant_feels_gravity_along_the_way_it_fell():
    own = world(replace(ROBOT, imu=replace(EXACT, delivery=Delivery())))
    own.reset(0, START, 0)
    direction = np.radians(40)
    own.simulation.push(2.0 * np.array([np.cos(direction), np.sin(direction)]))
    turned = np.zeros(3)
    for step in range(round(100 * (ROBOT.fall.fall_time + 0.3))):
        own.sensors[0].sense(step * 10 * MS, step % 10 == 0)
        for sample in own.sensors[0].arrived(step * 10 * MS):
            if sample.sensor == 'imu':
                last = sample
                turned += sample.gyroscope * 0.01
        own.simulation.step(np.zeros(3))
    np.testing.assert_allclose(
        last.accelerometer, [-9.81 * np.cos(direction), -9.81 * np.sin(direction), 0], atol=0.02
    )
    # The axis of the fall lies across its direction.
    np.testing.assert_allclose(
        turned, np.pi / 2 * np.array([-np.sin(direction), np.cos(direction), 0]), atol=0.03
    )


@pytest.mark.parametrize('moving', [(), (0.3, -0.1)])
def test_the_draws_of_an_episode_do_not_depend_on_those_before(moving):
    own = world(ROBOT, randomisation='default')
    own.reset(0, np.append(START, moving), 5, index=4)
    first, seed = own.simulation.parameters, own.simulation.seed
    own.reset(0, np.append(START, moving), 5, index=4)
    assert own.simulation.parameters == first and own.simulation.seed == seed
    own.reset(0, START, 5, index=4)
    assert own.simulation.parameters == first


def test_the_same_seed_gives_the_same_samples_and_another_one_others():
    def run(seed):
        own = world(ROBOT, rate=10.0, randomisation='default')
        own.reset(10**9, START, seed, index=4)
        values = []
        for step in range(30):
            now = 10**9 + step * 100 * MS
            own.sensors[0].sense(now, True)
            for sample in own.sensors[0].arrived(now):
                values.append(
                    sample.pose
                    if sample.sensor == 'odometry'
                    else np.concatenate([sample.gyroscope, sample.accelerometer])
                )
            own.simulation.step(np.array([0.2, 0.05, 0.5]))
        return np.concatenate(values), own.simulation.world_state(), own.simulation.parameters

    first, again, other = run(5), run(5), run(6)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[2] == again[2] and first[2] != other[2]
    assert (first[0] != other[0]).any()


def test_a_camera_is_read_at_its_own_rate_and_only_if_somebody_watches():
    class Counter:
        def __init__(self):
            self.stamps = []

        def take(self, shot):
            self.stamps.append(shot.stamp)

        def pictures(self, now, robot):
            return []

    from guda_ros.sim.physics.sensor_suite import SensorSuite

    robot = replace(ROBOT, camera=mount(rate=30.0), other_cameras={})
    simulation = SoccerSimulation(replace(CONTRACT, rate=100.0), robot, visual=False)
    counter = Counter()
    sensors = SensorSuite(robot, simulation, counter, 0.01)
    for watched, expected in ((True, 30), (False, 0)):
        counter.stamps.clear()
        sensors.reset(0, START[:3], [0])
        for step in range(100):
            sensors.sense(step * 10 * MS, step % 10 == 0, lambda camera, on=watched: on)
        assert len(counter.stamps) == expected
        assert all(25 * MS < gap < 45 * MS for gap in np.diff(counter.stamps))
