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

from guda_ros.cli.common import add_domain, add_names, DOMAIN_OR_DRIVERS, load_contract, names_of
from guda_ros.cli.screens.evaluation import tell
from guda_ros.errors import GudaError
from guda_ros.evaluation.usual_starts import USUAL_SETS
from guda_ros.workflows.terminal.arguments import positive

EXAMPLE = """\
guda evaluate runs/demo/train/guided_*.onnx --demonstrator clean --out runs/judged
  guda evaluate runs/demo/train/raw_*.onnx --out runs/raw
  guda evaluate --compare runs/judged runs/raw --out runs/compared
  guda evaluate runs/demo/train/guided_0.onnx --ros --starts 3 --recordings runs/ros
  guda evaluate runs/demo/train/guided_0.onnx --robot-trial --domain 0 --out runs/trials
      # with a robot whose driver is in domain 0; --rehearse instead of --robot-trial tries it"""
#: As in guda_ros.workflows.evaluate, which needs the simulator.
STYLES = ('clean', 'imperfect')


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
        + '; attack-validation-v1 is for choosing settings; of other tasks: test, validation)',
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
    add_names(parser)
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
    parser.add_argument(
        '--no-check',
        action='store_true',
        help='with --robot-trial: begin without what `guda preflight` looks at, or although it '
        'lacks something',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    _refuse_useless(args)
    if args.compare:
        from guda_ros.workflows.evaluate import compare
        from guda_ros.workflows.judging import protect_trials

        evaluation = compare(args.compare, command=args.command)
        protect_trials(args.out, evaluation.policies)
        tell(evaluation, args.out)
        return 0
    if args.robot_trial or args.rehearse:
        from guda_ros.workflows.robot_trials.evaluate import evaluate_on_robot

        (policy,) = args.policies
        evaluation = evaluate_on_robot(
            policy,
            args.out,
            rehearse=args.rehearse,
            starts=args.set,
            count=args.starts,
            contract=args.contract,
            robot=args.robot,
            ungrouped=args.ungrouped,
            network=args.network,
            require_deadman=False if args.no_deadman else None,
            sim_time=args.sim_time,
            check=not args.no_check,
            domain=args.domain,
            log_dir=args.log_dir,
            names=names_of(args),
            command=args.command,
        )
        tell(evaluation, args.out)
        return 0
    from guda_ros.workflows.judging import protect_trials

    protect_trials(args.out)
    how = {
        'starts': args.set,
        'count': args.starts,
        'robot': args.robot,
        'ungrouped': args.ungrouped,
        'command': args.command,
        'say': print,
    }
    if args.ros:
        from guda_ros.workflows.evaluate_ros import evaluate_through_ros

        evaluation = evaluate_through_ros(
            args.policies,
            recordings=args.recordings,
            contract=args.contract,
            domain=args.domain,
            log_dir=args.log_dir,
            names=names_of(args),
            **how,
        )
    else:
        from guda_ros.workflows.evaluate import evaluate

        contract = load_contract(args) if args.demonstrator else None
        evaluation = evaluate(
            args.policies, demonstrators=args.demonstrator, contract=contract, **how
        )
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
        (args.no_check, '--no-check'),
    ):
        if given and not args.robot_trial:
            raise GudaError(f'{name} goes with --robot-trial alone')
    if args.out and args.out.exists() and not args.out.is_dir():
        raise GudaError(f'{args.out}: is a file; --out names a folder')
