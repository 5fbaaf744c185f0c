"""A camera is calibrated live from a topic, raw or compressed, and silence is told."""

from threading import Event, Thread

from board_scene import Studio
import cv2
import pytest
from sensor_msgs.msg import CompressedImage, Image

from guda_ros.errors import GudaError
from guda_ros.identification.cameras.boards import Board
from guda_ros.ros import qos
from guda_ros.ros.conversions import image_message
from guda_ros.ros.graph.environment import claim_domain
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.image_stream import hear_images
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.calibration.lens import calibrate_camera

STUDIO, BOARD = Studio(), Board()


class Camera:
    """A driver that sends pictures round and round, in a thread, until it is stopped."""

    def __init__(self, domain, messages, topic):
        self._monitor = GraphMonitor(domain, 'camera')
        self._publisher = self._monitor.node.create_publisher(
            type(messages[0]), topic, qos.SENSOR_DATA
        )
        self._messages, self._stopped = messages, Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self):
        number = 0
        while not self._stopped.is_set():
            self._publisher.publish(self._messages[number // 3 % len(self._messages)])
            self._monitor.spin(0.03)
            number += 1

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self._monitor.close()


@pytest.fixture
def domain():
    claim = claim_domain()
    yield claim.number
    claim.release()


def test_a_lens_is_calibrated_live(domain, tmp_path):
    pictures = STUDIO.pictures(BOARD, 13, 1)
    messages = [image_message(bgr[..., ::-1].copy(), 0, 'camera') for bgr in pictures]
    assert isinstance(messages[0], Image)
    camera = Camera(domain, messages, 'camera/image_raw')
    told = []
    try:
        found = calibrate_camera(
            live='camera/image_raw',
            domain=domain,
            camera='lower_camera',
            seconds=120.0,
            enough=12,
            keep=tmp_path / 'kept',
            out=tmp_path / 'mine.yaml',
            say=told.append,
        )
    finally:
        camera.stop()
    assert abs(found.mount.focal - STUDIO.truth[0]) < 3
    assert RobotProfile.load(tmp_path / 'mine.yaml').lower_camera.distortion[0] < -0.2
    assert len(list((tmp_path / 'kept').iterdir())) == 12
    assert sum(line.startswith('view ') for line in told) == 12
    # What was kept gives the same, without a camera.
    again = calibrate_camera(tmp_path / 'kept', camera='lower_camera')
    assert again.mount.vertical_fov == pytest.approx(found.mount.vertical_fov, rel=1e-9)


def test_compressed_images_are_heard_and_silence_is_told(domain):
    bgr = STUDIO.pictures(BOARD, 1, 1)[0]
    message = CompressedImage(format='png', data=cv2.imencode('.png', bgr)[1].tobytes())
    camera = Camera(domain, [message], 'left/image/compressed')
    try:
        images = hear_images('left/image/compressed', domain, patience=60.0)
        assert (next(images) == bgr).all()
        images.close()
        with pytest.raises(GudaError, match='nobody publishes images on /right; there is /left'):
            next(hear_images('right', domain, patience=3.0))
    finally:
        camera.stop()
