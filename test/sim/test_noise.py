"""Random numbers by counter: their distribution, independence and bytes."""

import numpy as np
import pytest

from guda_ros.sim.physics import noise

COUNT = 400_000
#: How far a mean of COUNT independent numbers of variance 1 is from its expectation, 5 sigma.
FAR = 5 / np.sqrt(COUNT)


@pytest.mark.parametrize(
    'seed, step, channel',
    [(np.arange(COUNT), 0, 0), (7, np.arange(COUNT), 3), (7, 3, np.arange(COUNT))],
    ids=['seeds', 'steps', 'channels'],
)
def test_numbers_are_uniform_and_normal_along_every_counter(seed, step, channel):
    flat = noise.uniform(seed, step, channel)
    assert flat.min() >= 0 and flat.max() < 1
    shares = np.histogram(flat, 20, (0, 1))[0] / COUNT
    np.testing.assert_allclose(shares, 0.05, atol=5 * np.sqrt(0.05 / COUNT))
    bell = noise.normal(seed, step, channel)
    assert abs(bell.mean()) < FAR
    assert abs((bell**2).mean() - 1) < FAR * np.sqrt(2)
    assert abs((bell**3).mean()) < FAR * np.sqrt(15)
    assert abs((bell**4).mean() - 3) < FAR * np.sqrt(96) + 0.02
    for edge, share in ((-1, 0.158655), (0, 0.5), (2, 0.977250)):
        assert abs((bell < edge).mean() - share) < 0.5 * FAR
    # neighbours have nothing to do with each other
    assert abs((bell[1:] * bell[:-1]).mean()) < FAR


def test_neighbouring_seeds_steps_and_channels_are_independent():
    index = np.arange(COUNT)
    base = noise.normal(index, 5, 9)
    for other in (
        noise.normal(index + 1, 5, 9),
        noise.normal(index, 6, 9),
        noise.normal(index, 5, 10),
        noise.normal(5, index, 9),
        noise.normal(9, 5, index),
    ):
        assert abs((base * other).mean()) < FAR
    # a changed bit of any counter changes half of the bits
    for changed in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        flipped = noise.bits(index, 5, 9) ^ noise.bits(
            index ^ changed[0], 5 ^ changed[1], 9 ^ changed[2]
        )
        share = np.unpackbits(flipped.view(np.uint8)).mean()
        assert share == pytest.approx(0.5, abs=0.001)


def test_a_number_is_the_same_alone_in_any_array_and_from_any_memory():
    seeds = np.arange(100, 131)
    many = noise.normal(seeds[:, None], np.arange(7)[:, None, None], np.arange(3))
    strided = noise.normal(
        np.repeat(seeds, 2)[::2, None], np.arange(7)[:, None, None], np.arange(3)
    )
    assert many.shape == (7, 31, 3) and many.tobytes() == strided.tobytes()
    for row in (0, 17, 30):
        alone = noise.normal(float(seeds[row]), 4, np.arange(3))
        assert alone.tobytes() == many[4, row].tobytes()


def test_channels_and_episode_seeds_differ():
    assert noise.channel('slip.0.turn') == noise.channel('slip.0.turn')
    assert noise.channel('slip.0.turn') != noise.channel('slip.1.turn')
    seeds = noise.episode_seed(3, np.arange(1000)[:, None], np.arange(100))
    assert len(np.unique(seeds)) == 100_000
    assert (
        seeds.max() < noise.SEED_LIMIT and (seeds.astype(float).astype(np.uint64) == seeds).all()
    )
