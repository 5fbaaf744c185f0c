"""Experiments of `guda sim train` with augmented replay and PROPS."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch

from guda_ros.cli.sim import train
from guda_ros.config.files import ConfigError, find_config
from guda_ros.errors import GudaError
from guda_ros.learning.compiler import leave_compiler_out
from guda_ros.online.augmentation_config import AugmentationConfig
from guda_ros.online.policies import ALGORITHMS
from guda_ros.online.training import load_network, OnlineConfig, train_online
from guda_ros.sim.episodes import EpisodeBatch

leave_compiler_out()
OFF = {'learning_starts': 16, 'buffer_size': 400, 'batch_size': 8, 'train_freq': 4}


def load(name):
    return OnlineConfig.load(find_config('online', name))


def tiny(config, **changes):
    small = {'environments': 4, 'threads': 1, 'steps': 64, 'evaluate_every': 32, 'hidden': (8,)}
    return replace(config, **{**small, **changes})


@pytest.mark.parametrize(
    ('name', 'changes'),
    [
        ('props_penalty', {'arguments': {'n_steps': 8, 'batch_size': 16, 'refit_every': 8}}),
        ('sac_augmented_penalty', {'arguments': OFF}),
        ('sac_augmented_penalty', {'algorithm': 'td3', 'arguments': {**OFF, 'action_noise': 0.1}}),
        (
            'sac_augmented_penalty',
            {'algorithm': 'ddpg', 'arguments': OFF, 'augmentation': AugmentationConfig(None)},
        ),
    ],
)
def test_an_experiment_trains_and_its_policy_is_that_of_the_model(name, changes, tmp_path):
    config = tiny(load(name), **changes)
    if config.augmentation:
        points = ((0, 2.0), (64, 1.0))
        config = replace(config, augmentation=replace(config.augmentation, chunk=16, m=points))
    episodes = EpisodeBatch(4, config.scenario, config.contract, rewards=config.rewards)
    found = train_online(config, episodes, lambda network: 0.0, tmp_path, seed=1)
    assert [progress.steps for progress in found.history] == [0, 32, 64]
    model = ALGORITHMS[config.algorithm].load(tmp_path / 'model.zip', device='cpu')
    network = load_network(tmp_path, config.algorithm, episodes)
    seen = np.random.default_rng(0).normal(0, 2, (9, *episodes.observation_space.shape))
    seen = seen.astype(np.float32)
    expected, _ = model.predict(
        network.normaliser(torch.as_tensor(seen)).numpy(), None, None, True
    )
    np.testing.assert_allclose(network.predict(seen), expected, atol=1e-4)
    assert np.abs(expected).max() > 0
    assert ('augmentation' in config.as_dict()) == (config.augmentation is not None)


def options(**given):
    return argparse.Namespace(**{'props': False, 'guide': None, 'm': None, 'alpha': None, **given})


def test_options_change_the_experiment():
    ppo, sac, augmented = map(load, ('ppo_penalty', 'sac_penalty', 'sac_augmented_penalty'))
    assert train._with_methods(ppo, options()) is ppo
    assert train._with_methods(ppo, options(props=True)).algorithm == 'props'
    found = train._with_methods(sac, options(guide='guided', m=0.25)).augmentation
    assert (found.guide, found.m, found.alpha) == ('guided', 0.25, 1.0)
    found = train._with_methods(augmented, options(alpha=0.1)).augmentation
    assert found == replace(augmented.augmentation, alpha=0.1)
    for config, given, words in (
        (sac, {'props': True}, 'is for ppo'),
        (ppo, {'guide': 'random'}, 'augments the replay of sac'),
        (sac, {'m': 1.0}, 'need --guide'),
        (augmented, {'m': float('nan')}, 'from 0 to 1000'),
    ):
        with pytest.raises(GudaError, match=words):
            train._with_methods(config, options(**given))


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ('m: 1.0', 'm: -1', 'augmentation.m: -1 is outside'),
        ('m: 1.0', 'm: {often: 2}', 'augmentation.m: a number, or numbers by'),
        ('alpha: 0.5', 'alpha: {0: many}', 'augmentation.alpha.0: a number is expected'),
        ('chunk', 'chunks', 'augmentation.chunks: is not a known key'),
        ('algorithm: sac', 'algorithm: ppo', 'augmentation: is for sac, td3, ddpg, not ppo'),
    ],
)
def test_a_wrong_key_of_augmentation_is_named(old, new, words, tmp_path):
    path = tmp_path / 'wrong.yaml'
    text = find_config('online', 'sac_augmented_penalty').read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words):
        OnlineConfig.load(path)


def test_numbers_by_environment_steps_are_read_in_order(tmp_path):
    path = tmp_path / 'points.yaml'
    text = find_config('online', 'sac_augmented_penalty').read_text()
    path.write_text(text.replace('m: 1.0', 'm: {1000: 0.5, 0: 2}', 1))
    assert OnlineConfig.load(path).augmentation.m == ((0, 2.0), (1000, 0.5))


def test_a_guide_of_another_task_is_refused_before_training():
    config = AugmentationConfig('push_ball_random')
    with pytest.raises(GudaError, match='for the task push_ball_to_goal'):
        config.arguments(EpisodeBatch(1, 'penalty'))
