"""
Judge policies from fixed starts that no training saw.

Without --ros: in the batched simulator, on the true state; the ball only while the head camera
sees it. With --ros: through the whole ROS graph, in lock-step, on what perception sees, behind the
safety node; the episodes are recorded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_domain, load_contract, positive, print_table, robot_of
from guda_ros.errors import GudaError

HELP = 'success of policies from fixed starts, in simulation or through the ROS graph'
EXAMPLE = (
    'guda evaluate runs/demo/train/guided_*.onnx --demonstrator clean --starts 200\n'
    '  guda evaluate runs/demo/train/guided_0.onnx --ros --starts 20 --recordings /tmp/judged'
)
STYLES = ('clean', 'imperfect')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'policies', type=Path, nargs='*', metavar='POLICY', help='files that `guda export` made'
    )
    parser.add_argument(
        '--demonstrator',
        choices=STYLES,
        action='append',
        default=[],
        help='judge the scripted demonstrator too; may be repeated',
    )
    parser.add_argument(
        '--starts',
        type=positive,
        default=None,
        metavar='N',
        help='number of starts (default: 200, with --ros 20)',
    )
    parser.add_argument(
        '--purpose',
        choices=('test', 'validation'),
        default='test',
        help='which fixed starts: validation to choose settings by, test to report '
        '(default: %(default)s; --ros has its own)',
    )
    parser.add_argument('--ros', action='store_true', help='run one policy through the ROS graph')
    parser.add_argument(
        '--recordings',
        type=Path,
        default=Path('recordings'),
        metavar='DIR',
        help='with --ros: where episodes are recorded, a folder for each policy; an interrupted '
        'job continues there (default: %(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, default=None, metavar='FILE', help='write the outcomes as JSON'
    )
    parser.add_argument(
        '--robot', default=None, metavar='NAME', help="robot profile (default: the contract's)"
    )
    parser.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='contract of the demonstrator and, with --ros, of the graph; a policy brings its own '
        '(default: %(default)s)',
    )
    add_domain(parser)


def evaluate_file(policy: Path, purpose: str, count: int, robot_name: str | None = None):
    """Run an exported policy from the first `count` starts of a purpose."""
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.evaluation.sight import SightedPolicy
    from guda_ros.soccer.starts import fixed_starts

    loaded = ExportedPolicy.load(policy)
    contract = loaded.contract
    robot = robot_of(contract, robot_name)
    starts = fixed_starts(purpose, count, contract.field)
    controller = SightedPolicy(loaded.predict, contract, robot, count)
    return evaluate_policy(controller, contract, robot, starts)


def evaluate_demonstrator(
    style: str, contract, purpose: str, count: int, seed: int = 0, robot_name: str | None = None
):
    """
    Run the scripted demonstrator from the first `count` starts of a purpose.

    :param style: clean, or imperfect as it was when it was recorded.
    :param seed: of the imperfections.
    """
    import numpy as np

    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.starts import fixed_starts
    from guda_ros.tasks.soccer_demonstrator import Demonstrator, DemonstratorStyle

    styles = [
        DemonstratorStyle.clean()
        if style == 'clean'
        else DemonstratorStyle.imperfect(10_000 * (seed + 1) + index)
        for index in range(count)
    ]
    demonstrator = Demonstrator(
        contract.limits, contract.field, np.random.default_rng([seed, 17]), styles, contract.period
    )
    return evaluate_policy(
        demonstrator,
        contract,
        robot_of(contract, robot_name),
        fixed_starts(purpose, count, contract.field),
        memoryless=False,
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    if not args.policies and not args.demonstrator:
        raise GudaError('give a policy file, --demonstrator, or both')
    if args.ros:
        return _through_ros(args)
    import numpy as np

    from guda_ros.cli.stages import write_json
    from guda_ros.evaluation.statistics import wilson_interval

    count = args.starts or 200
    results = {
        str(path): evaluate_file(path, args.purpose, count, args.robot) for path in args.policies
    }
    for style in args.demonstrator:
        contract = load_contract(args)
        results[f'demonstrator, {style}'] = evaluate_demonstrator(
            style, contract, args.purpose, count, robot_name=args.robot
        )
    rows, content = [], {}
    for name, result in results.items():
        interval = wilson_interval(int(result.success.sum()), count)
        median = float(np.median(result.seconds_to_goal)) if result.success.any() else float('nan')
        rows.append(
            [
                name,
                result.rate,
                f'{interval.low:.2f} to {interval.high:.2f}',
                median,
                int(result.out.sum()),
                int((~result.success & ~result.out).sum()),
            ]
        )
        content[name] = {
            'success': result.success.tolist(),
            'steps': result.steps.tolist(),
            'out': result.out.tolist(),
        }
    print_table(
        rows, ['policy', 'success', '95 % interval', 'median s to goal', 'ball out', 'time out']
    )
    print(
        f'{count} {args.purpose} starts, the same for each; intervals (Wilson) cover the starts, '
        'not the training seeds'
    )
    if args.out:
        write_json(args.out, {'purpose': args.purpose, 'starts': count, 'results': content})
        print(f'{args.out}: written')
    return 0


def claim_recordings(folder: Path, policy: Path, purpose: str = 'ros_test') -> None:
    """
    Note in a folder that the recordings of a purpose in it are those of one policy file.

    :raises GudaError: if it holds recordings of another policy, or of one that is not known: they
        would be taken for this one's.
    """
    import hashlib
    import json

    from guda_ros.cli.stages import write_json

    mark = folder / 'policy.json'
    mine = hashlib.sha256(policy.read_bytes()).hexdigest()
    try:
        found = json.loads(mark.read_text(encoding='utf-8'))['sha256']
    except (OSError, ValueError, TypeError, KeyError):
        found = None
    if found != mine:
        if any(folder.glob(f'{purpose}_*')):
            raise GudaError(
                f'{folder}: holds episodes of another policy; choose another folder with '
                '--recordings'
            )
        write_json(mark, {'policy': str(policy), 'sha256': mine})


def _through_ros(args: argparse.Namespace) -> int:
    from guda_ros.cli.record import run_episodes
    from guda_ros.cli.stages import write_json
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.evaluation.statistics import wilson_interval
    from guda_ros.ros.graphs import GraphOptions

    if len(args.policies) != 1 or args.demonstrator:
        raise GudaError('--ros judges one policy file at a time')
    policy = args.policies[0]
    contract = ExportedPolicy.load(policy).contract
    claim_recordings(args.recordings, policy)
    options = GraphOptions(
        policy=str(policy),
        contract=args.contract,
        robot=args.robot or '',
        purpose='ros_test',
        recordings=str(args.recordings),
    )
    outcomes = run_episodes(
        'evaluate', options, args.starts or 20, contract, args.domain, args.log_dir
    )
    scored = sum(outcome['verdict'] == 'scored' for outcome in outcomes)
    interval = wilson_interval(scored, len(outcomes))
    print(
        f'{scored} of {len(outcomes)} scored through the ROS graph '
        f'(95 % interval {interval.low:.2f} to {interval.high:.2f})'
    )
    if args.out:
        write_json(args.out, {'policy': str(policy), 'episodes': outcomes})
    return 0
