"""Policies of stable-baselines3 that can be exported like those of offline learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from stable_baselines3 import DDPG, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecNormalize
import torch
from torch import nn

from guda_ros.learning.networks import Normaliser, OBSERVATION_CLIP, PolicyNetwork
from guda_ros.online.props import PROPS

if TYPE_CHECKING:
    from guda_ros.online.vec_env import BatchVecEnv

ALGORITHMS = {'ppo': PPO, 'props': PROPS, 'sac': SAC, 'td3': TD3, 'ddpg': DDPG}
#: Those with a replay buffer, which can be augmented.
OFF_POLICY = ('sac', 'td3', 'ddpg')


class BoundedActorCriticPolicy(ActorCriticPolicy):
    """
    An actor-critic whose mean action is bounded by tanh.

    Its deterministic action is that of a PolicyNetwork; an unbounded mean that is clipped later,
    the default, also drifts far outside of [-1, 1], where its gradient says nothing.
    """

    def _build(self, lr_schedule) -> None:
        super()._build(lr_schedule)
        # The optimizer of the base class has the parameters already: tanh brings none.
        self.action_net = nn.Sequential(self.action_net, nn.Tanh())


def policy_arguments(algorithm: str, hidden: tuple[int, ...]) -> dict:
    """Return the policy class and its arguments for ALGORITHMS[algorithm], as keywords."""
    shared = {'net_arch': list(hidden), 'activation_fn': nn.ReLU}
    if algorithm not in OFF_POLICY:
        return {'policy': BoundedActorCriticPolicy, 'policy_kwargs': shared}
    return {'policy': 'MlpPolicy', 'policy_kwargs': shared}


def normalised(env: BatchVecEnv) -> VecNormalize:
    """Return a vector environment with observations and rewards normalised as they come."""
    return VecNormalize(env, clip_obs=OBSERVATION_CLIP)


def to_network(model: BaseAlgorithm) -> PolicyNetwork:
    """
    Return the deterministic policy of a model, its normalisation included.

    :param model: made with policy_arguments, on an environment of `normalised`.
    """
    statistics = model.get_vec_normalize_env().obs_rms
    normaliser = Normaliser(statistics.mean, np.sqrt(statistics.var + 1e-8))
    policy = model.policy
    if isinstance(model, PPO):
        parts = [*policy.mlp_extractor.policy_net, policy.action_net[0]]
    elif isinstance(model, TD3):
        parts = [*policy.actor.mu]
    else:
        parts = [*policy.actor.latent_pi, policy.actor.mu]
    layers = [part for part in parts if isinstance(part, nn.Linear)]
    hidden = tuple(layer.out_features for layer in layers[:-1])
    network = PolicyNetwork(normaliser, hidden, torch.Generator().manual_seed(0))
    for mine, theirs in zip(network.layers, layers):
        mine.load_state_dict(theirs.state_dict())
    return network
