"""The model-based baseline: parts of recorded states, and dynamics that are learnt."""

import subprocess
import sys

import numpy as np
from push_ball_scene import assert_same, CONTRACT, source_rows, walk_and_push
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.rules.base import change_of
from guda_ros.augmentation.verify import verify
from guda_ros.config.files import ConfigError
from guda_ros.learning.dynamics import Component, FactoredDynamics
from guda_ros.learning.networks import TrainingError
from guda_ros.tasks.push_ball.task import PushBallToGoal

GUIDE = """\
name: mine
task: push_ball_to_goal
rules:
  only: {{kind: model, share: 1.0, updates: {updates}, scatter: {scatter}}}
"""


def guide_of(folder, updates=300, scatter=0.1):
    path = folder / 'mine.yaml'
    path.write_text(GUIDE.format(updates=updates, scatter=scatter))
    return load_guide(path)


@pytest.fixture(scope='module')
def recorded():
    return walk_and_push()


@pytest.fixture(scope='module')
def made(recorded, tmp_path_factory):
    return augment(recorded, guide_of(tmp_path_factory.mktemp('guide')), 3000, 0)[0]


def test_the_model_is_near_the_world_but_not_exact(recorded, made):
    task = PushBallToGoal(CONTRACT)
    found = verify(task, made, 3000)
    still = np.linalg.norm((made.next_states - made.states)[:, :2], axis=1)
    assert 1e-6 < found.position[0] < 0.3 * np.median(still)
    assert not task.check(made.states, made.actions, made.next_states).any()
    # The reward is the task's own, of what the model says.
    np.testing.assert_allclose(made.rewards, CONTRACT.reward(made.next_states), atol=1e-7)


def test_parts_of_different_steps_are_put_together(recorded, made):
    rows = source_rows(made, recorded)
    change = change_of(PushBallToGoal.layout, made.parameters)
    apart = np.isnan(made.parameters[:, made.parameter_names.index('ball_turn')])
    for part in (apart, ~apart):
        change = change_of(PushBallToGoal.layout, made.parameters[part])
        np.testing.assert_allclose(
            change.states(recorded.states[rows[part]]), made.states[part], atol=1e-5
        )
    np.testing.assert_array_equal(made.actions, recorded.actions[rows])
    between = made.states[:, 2:4] - made.states[:, :2]
    before = recorded.states[rows, 2:4] - recorded.states[rows, :2]
    differs = np.linalg.norm(between - before, axis=1) > 0.5
    # While the two touch they are moved as one.
    assert differs[apart].mean() > 0.3 and not differs[~apart].any()


def test_same_seed_same_transitions(tmp_path, recorded):
    guide = guide_of(tmp_path, updates=20)
    one, other = (augment(recorded, guide, 500, 1, threads=count)[0] for count in (1, 2))
    assert_same(one, other)


def test_components_that_are_apart_do_not_feel_each_other():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(400, 3))
    actions = rng.normal(size=(400, 1))
    after = states + np.stack([0.1 * actions[:, 0], 0 * states[:, 1], 0 * states[:, 1]], axis=1)
    components = {'actor': Component((0,)), 'thing': Component((1, 2), (2,))}
    together = np.zeros(400, dtype=bool)
    dynamics = FactoredDynamics(components, 'actor', 200).fit(states, actions, after, together)
    found = dynamics.predict(states, actions, together)
    assert np.abs(found[:, 0] - after[:, 0]).max() < 0.1
    other = states.copy()
    other[:, 1:] += 5
    np.testing.assert_array_equal(dynamics.predict(other, actions, together)[:, 0], found[:, 0])
    np.testing.assert_array_equal(
        dynamics.predict(states, actions + 1, together)[:, 1:], found[:, 1:]
    )
    assert np.abs(dynamics.predict(other, actions, together)[:, 2]).max() <= np.pi


def test_nothing_to_learn_from_is_said():
    dynamics = FactoredDynamics({'actor': Component((0,))}, 'actor', 5)
    with pytest.raises(TrainingError, match='no steps'):
        dynamics.fit(np.zeros((0, 1)), np.zeros((0, 1)), np.zeros((0, 1)), np.zeros(0, bool))
    wrong = np.full((3, 1), np.nan)
    with pytest.raises(TrainingError, match='not finite'):
        dynamics.fit(wrong, np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3, bool))


def test_errors_of_a_guide_name_the_field(tmp_path):
    with pytest.raises(ConfigError, match='rules.only.updates'):
        guide_of(tmp_path, updates=0)


def test_reading_the_guide_needs_no_torch():
    code = (
        'import sys; from guda_ros.augmentation.guides import load_guide; '
        'load_guide("push_ball_model"); sys.exit("torch" in sys.modules)'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
