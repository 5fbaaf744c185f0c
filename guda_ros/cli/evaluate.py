"""
Judge policies from fixed starts that no training saw, and compare them start by start.

By default: in the batched simulator, on the true state, but the ball only while the head camera
sees it. --ros: through the whole ROS graph, in lock-step, on what perception sees, behind the
safety node. --robot-trial: on the robot; you place robot and ball as told and press a key for what
became of it. --compare: results that were saved before. --out writes the same report for all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_domain, DOMAIN_OR_DRIVERS, load_contract, positive
from guda_ros.cli.screens.evaluation import tell
from guda_ros.errors import GudaError

HELP = 'success of policies from fixed starts, in simulation, through ROS or on the robot'
EXAMPLE = (
    'guda evaluate runs/demo/train/guided_*.onnx --demonstrator clean --out runs/judged\n'
    '  guda evaluate runs/demo/train/guided_0.onnx --ros --recordings /tmp/judged\n'
    '  guda evaluate guided.onnx --robot-trial --domain 0 --out trials/guided\n'
    '  guda evaluate --compare runs/judged trials/guided --out runs/compared'
)
STYLES = ('clean', 'imperfect')
#: The set of starts unless the user names one.
USUAL_SETS = {'batch': 'attack-v1', 'ros': 'attack-ros-v1', 'robot': 'placed-v1'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'policies',
        type=Path,
        nargs='*',
        metavar='POLICY',
        help='files that `guda export` made; '
        'those of one name that end in _0, _1, ... are taken for training seeds of one kind',
    )
    parser.add_argument(
        '--demonstrator',
        choices=STYLES,
        action='append',
        default=[],
        help='judge the scripted demonstrator too; may be repeated',
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument('--ros', action='store_true', help='run policies through the ROS graph')
    how.add_argument(
        '--robot-trial', action='store_true', help='run one policy on the robot; you judge'
    )
    how.add_argument(
        '--rehearse',
        action='store_true',
        help='the same with a simulated robot, which places itself: to learn the procedure',
    )
    how.add_argument(
        '--compare',
        type=Path,
        nargs='+',
        metavar='RESULT',
        help='report on saved results (files, or folders that --out made)',
    )
    parser.add_argument(
        '--set',
        default=None,
        metavar='NAME',
        help='set of starts, or a YAML file (default: '
        + ', '.join(f'{name} {how}' for how, name in USUAL_SETS.items())
        + '; attack-validation-v1 is for choosing settings)',
    )
    parser.add_argument(
        '--starts',
        type=positive,
        default=None,
        metavar='N',
        help='only the first N starts of the set, or more than are usual',
    )
    parser.add_argument(
        '--ungrouped', action='store_true', help='take no files for seeds of one kind'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=None,
        metavar='DIR',
        help='write results.json and report.html there; trials on the robot need it and continue '
        'in it',
    )
    parser.add_argument(
        '--recordings',
        type=Path,
        default=Path('recordings'),
        metavar='DIR',
        help='with --ros: where episodes are recorded, a folder for each policy; an interrupted '
        'job continues there (default: %(default)s)',
    )
    parser.add_argument(
        '--robot', default=None, metavar='NAME', help="robot profile (default: the contract's)"
    )
    parser.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='contract of the demonstrator and of a graph; a policy brings its own '
        '(default: %(default)s)',
    )
    add_domain(parser, domain=DOMAIN_OR_DRIVERS)
    parser.add_argument(
        '--network',
        action='store_true',
        help='with --robot-trial: the robot is another computer (default: this machine only)',
    )
    parser.add_argument(
        '--no-deadman',
        action='store_true',
        help="with --robot-trial: the policy moves the robot without the gamepad's dead-man "
        'button; stand by to catch it',
    )
    parser.add_argument(
        '--sim-time',
        action='store_true',
        help='with --robot-trial: follow /clock, because a simulator stands in for the robot',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.data.contract import robot_of

    _refuse_useless(args)
    if args.compare:
        return _compare(args)
    means = 'ros' if args.ros else 'robot' if args.robot_trial or args.rehearse else 'batch'
    policies, contract = _policies(args, means)
    robot_of(contract, args.robot)
    starts = _starts(args, means, contract)
    if means == 'robot':
        from guda_ros.cli.evaluate_robot import judge_on_robot

        evaluation = judge_on_robot(policies[0], contract, starts, args, _evaluation)
    elif means == 'ros':
        from guda_ros.workflows.evaluate_ros import judge_through_ros

        _protect_trials(args.out)
        judged = judge_through_ros(policies, contract, starts, args)
        evaluation = _evaluation(args, contract, starts, judged)
    else:
        from guda_ros.workflows.evaluate import judge_in_batch

        _protect_trials(args.out)
        print(f'{starts.name}: {len(starts)} starts, the same for each')
        judged = judge_in_batch(policies, args.demonstrator, contract, starts, args.robot)
        evaluation = _evaluation(args, contract, starts, judged)
    tell(evaluation, args.out)
    return 0


def _refuse_useless(args: argparse.Namespace) -> None:
    """Raise GudaError for arguments that would be ignored, or that do not go together."""
    on_robot = args.robot_trial or args.rehearse
    if args.compare:
        if args.policies or args.demonstrator or args.set or args.starts:
            raise GudaError('--compare takes saved results alone: no policies, no starts')
        return
    if not args.policies and not args.demonstrator:
        raise GudaError('give a policy file, --demonstrator, or both')
    if args.demonstrator and (args.ros or on_robot):
        raise GudaError('--demonstrator is judged in the batched simulator alone')
    if on_robot and len(args.policies) != 1:
        raise GudaError('on a robot one policy is judged at a time; compare them with --compare')
    if on_robot and not args.out:
        raise GudaError('trials on a robot need --out: every trial is saved there at once')
    for given, name in (
        (args.network, '--network'),
        (args.no_deadman, '--no-deadman'),
        (args.sim_time, '--sim-time'),
    ):
        if given and not args.robot_trial:
            raise GudaError(f'{name} goes with --robot-trial alone')
    if args.out and args.out.exists() and not args.out.is_dir():
        raise GudaError(f'{args.out}: is a file; --out names a folder')


def _protect_trials(out: Path | None, kept=()) -> None:
    """Raise GudaError if a folder holds trials on a robot that are not among those kept."""
    from guda_ros.evaluation.results import FILE, load_results

    if not out or not (out / FILE).exists():
        return
    again = {(policy.means, policy.sha256, policy.episodes) for policy in kept}
    for policy in load_results(out).policies:
        known = (policy.means, policy.sha256, policy.episodes) in again
        if policy.means == 'robot' and not known:
            raise GudaError(
                f'{out}: holds trials of {policy.name} on a robot, which would be lost; choose '
                'another folder with --out'
            )


def _policies(args: argparse.Namespace, means: str) -> tuple[list, object]:
    """Return PolicyResult without episodes for each file, and the contract that all share."""
    import hashlib

    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.evaluation.results import group_names, PolicyResult

    contract = load_contract(args) if args.demonstrator or means != 'batch' else None
    first, listed = 'the contract of this command', []
    paths = list(dict.fromkeys(path.resolve() for path in args.policies))
    for path, (name, group, seed) in zip(paths, group_names(paths)):
        loaded = ExportedPolicy.load(path)
        if contract is None:
            contract, first = loaded.contract, str(path)
        if loaded.contract.hash != contract.hash:
            differences = '\n  '.join(contract.differences(loaded.contract))
            raise GudaError(
                f'{path}: is for another contract than {first} (expected != found):\n  '
                f'{differences}\nJudge policies of one contract at a time.'
            )
        listed.append(
            PolicyResult(
                name=name,
                group=name if args.ungrouped else group,
                means=means,
                episodes=(),
                seed=seed,
                file=str(path),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                algorithm=str(loaded.metadata['algorithm']),
            )
        )
    return listed, contract


def _starts(args: argparse.Namespace, means: str, contract):
    from guda_ros.evaluation.start_sets import load_start_set

    return load_start_set(args.set or USUAL_SETS[means], contract.field, args.starts)


def _evaluation(args: argparse.Namespace, contract, starts, policies, notes=()):
    """Return the Evaluation of policies that were judged by this command."""
    from datetime import datetime, timezone
    import os
    import platform

    from guda_ros.evaluation.pages.page import environment_versions
    from guda_ros.evaluation.results import Evaluation

    evaluation = Evaluation(
        contract=contract,
        robot=args.robot or contract.robot,
        starts=starts,
        policies=tuple(policies),
        made_at=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        machine=f'{platform.system()} {platform.machine()}, {os.cpu_count()} cores',
        versions=environment_versions(),
        commands=(args.command,),
        notes=tuple(notes),
    )
    try:
        evaluation.check()
    except ValueError as error:
        raise GudaError(str(error)) from error
    return evaluation


def _compare(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from guda_ros.evaluation.results import combine, load_results

    results = [(str(path), load_results(path)) for path in args.compare]
    combined = combine(results)
    _protect_trials(args.out, combined.policies)
    here = _evaluation(args, combined.contract, combined.starts, combined.policies)
    tell(replace(combined, made_at=here.made_at, commands=here.commands), args.out)
    return 0
