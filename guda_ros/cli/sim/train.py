"""
Train a policy from scratch in the simulator: PPO, SAC, TD3 or DDPG of stable-baselines3, or PROPS.

It learns on starts drawn from its seed, is judged as it goes on validation starts, and the policy
that did best there is tried once on test starts, with an interval over the starts. What is left in
the folder OUT, for each seed: model.zip and normalisation.pkl (stable-baselines3), policy.onnx
(for `guda` and the robot) and run.json; and of all seeds curve.png, curve.csv and curve.json.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError
from guda_ros.workflows.terminal.arguments import natural, positive

if TYPE_CHECKING:
    from guda_ros.online.training import OnlineConfig

HELP = 'train a policy from scratch, with PPO, SAC and others'
EXAMPLE = """\
guda sim train ppo_penalty
  guda sim train ppo_penalty --seeds 0 1 2 --out runs/penalty
  guda sim train sac_penalty --minutes 30 --tensorboard runs/logs
  guda sim train sac_penalty --guide random --m 0.5 --alpha 0.5
  guda sim train ppo_penalty --props"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        'config', metavar='CONFIG', help='an experiment in config/online, or a YAML file'
    )
    parser.add_argument(
        '--seeds',
        type=natural,
        nargs='+',
        default=[0],
        metavar='N',
        help='training seeds (default: 0)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=None,
        metavar='DIR',
        help="default: runs/ and the config's name",
    )
    parser.add_argument(
        '--steps',
        type=positive,
        default=None,
        metavar='N',
        help="environment steps at most (default: the config's)",
    )
    parser.add_argument(
        '--minutes',
        type=float,
        default=None,
        metavar='M',
        help="wall time at most (default: the config's)",
    )
    parser.add_argument(
        '--test-starts',
        type=positive,
        default=200,
        metavar='N',
        help='test starts at the end (default: %(default)s)',
    )
    parser.add_argument(
        '--checkpoints', action='store_true', help='keep the model of every evaluation'
    )
    parser.add_argument(
        '--tensorboard',
        type=Path,
        default=None,
        metavar='DIR',
        help='write logs for TensorBoard (which must be installed)',
    )
    parser.add_argument(
        '--props',
        action='store_true',
        help="collect with a behaviour policy (PROPS) where the config's algorithm is ppo",
    )
    parser.add_argument(
        '--guide',
        default=None,
        metavar='GUIDE',
        help='augment the replay of sac, td3 or ddpg by this guide (default: as the config says)',
    )
    parser.add_argument(
        '--m',
        type=float,
        default=None,
        metavar='M',
        help="augmented copies of an environment step (default: the config's, or 1)",
    )
    parser.add_argument(
        '--alpha',
        type=float,
        default=None,
        metavar='A',
        help="augmented steps in a batch for each observed one (default: the config's, or 1)",
    )
    parser.add_argument('--overwrite', action='store_true', help='train again what is in OUT')


def run(args: argparse.Namespace) -> None:
    """Train, judge and draw."""
    from guda_ros.workflows.players import RUN

    name = Path(args.config).stem
    out = args.out or Path('runs') / name
    folders = {seed: out / f'seed_{seed}' for seed in args.seeds}
    for folder in folders.values():
        if (folder / RUN).exists() and not args.overwrite:
            raise GudaError(f'{folder}: trained already; give another --out or --overwrite')
    from guda_ros.config.files import find_config
    from guda_ros.online.training import OnlineConfig
    from guda_ros.workflows.train_from_scratch import train_seed, write_curves

    config = OnlineConfig.load(find_config('online', args.config))
    if args.minutes is not None and not args.minutes > 0:
        raise GudaError('--minutes must be above 0')
    changes = {
        key: getattr(args, key) for key in ('steps', 'minutes') if getattr(args, key) is not None
    }
    config = _with_methods(replace(config, **changes), args)
    runs = []
    for seed, folder in folders.items():
        result = train_seed(
            config, seed, folder, args.test_starts, args.checkpoints, args.tensorboard, print
        )
        runs.append(result)
        write_curves(out, name, runs)
    print(f'{out / "curve.png"}: written, and curve.csv, curve.json')


def _with_methods(config: OnlineConfig, args: argparse.Namespace) -> OnlineConfig:
    """Return the experiment with what the options say of PROPS and augmentation."""
    from guda_ros.online.augmentation_config import AugmentationConfig
    from guda_ros.online.policies import OFF_POLICY

    if args.props and config.algorithm not in ('ppo', 'props'):
        raise GudaError(
            f'--props is for ppo, and the algorithm of the config is {config.algorithm}'
        )
    if args.props:
        config = replace(config, algorithm='props')
    given = {
        key: getattr(args, key)
        for key in ('guide', 'm', 'alpha')
        if getattr(args, key) is not None
    }
    if not given:
        return config
    if config.algorithm not in OFF_POLICY:
        raise GudaError(
            f'--{next(iter(given))} augments the replay of {", ".join(OFF_POLICY)}, and the '
            f'algorithm of the config is {config.algorithm}'
        )
    for key in ('m', 'alpha'):
        if key in given and not 0 <= given[key] <= 1000:
            raise GudaError(f'--{key} must be from 0 to 1000')
    if config.augmentation is None and 'guide' not in given:
        raise GudaError('--m and --alpha need --guide, or a config with augmentation')
    augmentation = config.augmentation or AugmentationConfig(None)
    return replace(config, augmentation=replace(augmentation, **given))
