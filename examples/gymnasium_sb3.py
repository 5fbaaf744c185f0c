"""Learn by trial and error in an environment of guda_ros, with PPO of stable-baselines3."""

import argparse

import gymnasium
import numpy as np
from stable_baselines3 import PPO

import guda_ros  # noqa: F401, makes the environments known to Gymnasium


def main():
    """Train for some steps, then play a few episodes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--env', default='guda_ros/PushBallToGoal-v0', help='or guda_ros/Soccer-v0'
    )
    parser.add_argument('--steps', type=int, default=20_000, help='of training')
    parser.add_argument('--episodes', type=int, default=5, help='to play afterwards')
    args = parser.parse_args()

    env = gymnasium.make(args.env)
    model = PPO('MlpPolicy', env, n_steps=512, seed=0, device='cpu')
    model.learn(args.steps)

    for episode in range(args.episodes):
        observation, _ = env.reset(seed=episode)
        total, over = 0.0, False
        while not over:
            action, _ = model.predict(observation, deterministic=True)
            observation, reward, terminated, truncated, info = env.step(action)
            total, over = total + reward, terminated or truncated
        ended = 'reached the goal' if np.any(info['is_success']) else 'did not'
        print(f'episode {episode}: return {total:.1f}, {ended}')


if __name__ == '__main__':
    main()
