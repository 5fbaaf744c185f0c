"""Robot profiles made from Python."""

import pytest

import guda_ros
from guda_ros.errors import GudaError


def test_a_new_robot_is_returned_and_written_with_the_values_of_its_base(tmp_path):
    out = tmp_path / 'tall.yaml'
    made = guda_ros.new_robot(
        'tall', base='nao_v6', values={'body.mass': 6.2, 'camera.vertical_fov': '60deg'}, out=out
    )
    base = guda_ros.RobotProfile.load('nao_v6')
    assert made == guda_ros.RobotProfile.load(out)
    assert (made.name, made.body.mass, made.limits) == ('tall', 6.2, base.limits)
    assert made.camera.vertical_fov == pytest.approx(1.0471976)


@pytest.mark.parametrize(
    'name, values, said',
    [
        ('Tall', {}, 'is no name'),
        ('tall', {'body.masss': 1.0}, 'body.masss: there is no such key'),
        ('tall', {'body.mass': -1.0}, 'body.mass'),
    ],
)
def test_a_robot_that_cannot_be_is_not_written(name, values, said, tmp_path):
    with pytest.raises(GudaError, match=said):
        guda_ros.new_robot(name, values=values, out=tmp_path / 'tall.yaml')
    assert not list(tmp_path.iterdir())
