"""Judge a policy on a robot: a person places robot and ball and presses a key for the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import replace
import os

from guda_ros.arguments import as_folder, as_path_or, if_given
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract, robot_of
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.results import Evaluation
from guda_ros.evaluation.start_sets import StartSet
from guda_ros.evaluation.trials import TrialLog
from guda_ros.ros.graph.environment import driver_domain
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions, GRAPHS
from guda_ros.soccer.driver import NO_ADAPTER
from guda_ros.workflows.judging import choose_starts, list_policies, make_evaluation, Policy
from guda_ros.workflows.progress import Say
from guda_ros.workflows.robot_trials.stand_in import stand_in_spec, StandIn
from guda_ros.workflows.terminal.operator import Operator, TerminalOperator


@naming_extras()
def evaluate_on_robot(
    policy: Policy,
    out: str | os.PathLike,
    *,
    rehearse: bool = False,
    starts: str | os.PathLike | StartSet | None = None,
    count: int | None = None,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    ungrouped: bool = False,
    network: bool = False,
    require_deadman: bool | None = None,
    sim_time: bool = False,
    check: bool = True,
    operator: Operator | None = None,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    names: RosNames = USUAL_NAMES,
    command: str = '',
    say: Say = print,
) -> Evaluation:
    """
    Judge a policy on a robot, as `guda evaluate --robot-trial` does; a person gives the verdicts.

        judged = guda_ros.evaluate_on_robot('guided.onnx', 'runs/trials', rehearse=True)
        print(judged.success_rates)

    :param policy: policy file or ExportedPolicy, of the contract.
    :param out: folder for results.json and the recordings; each trial is saved at once, and trials
        that are there count.
    :param rehearse: with a simulated robot in the place of the robot.
    :param starts: set of starts: its name, a YAML file or a StartSet (default: placed-v1).
    :param count: only the first so many starts.
    :param contract: of the graph: task in config/tasks, or a YAML file.
    :param robot: profile, by default the contract's.
    :param ungrouped: take the file for no training seed of a kind.
    :param network: the robot is another computer.
    :param require_deadman: whether the policy moves the robot only while a person holds the
        dead-man's button; by default as the graph `robot` has it, and never in a rehearsal.
    :param sim_time: follow /clock, because a simulator stands in for the robot.
    :param check: look first whether the robot may move (`preflight`), and begin only if it may;
        not in a rehearsal.
    :param operator: who places robot and ball and judges; by default whoever sits at the terminal.
    :param domain: ROS domain, by default $ROS_DOMAIN_ID or 0; of a rehearsal the first free one.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :param names: namespace, remaps, file of parameters and log level of the nodes.
    :return: of all trials so far.
    :raises GudaError: if something lacks before the first motion, the policy cannot be judged, a
        node dies, there is no terminal, or `out` holds other results.
    """
    loaded, folder = Contract.load(contract, robot), as_folder(out, 'out')
    policy = as_path_or(policy, ExportedPolicy, 'policy')
    log_dir = if_given(as_folder, log_dir, 'log_dir')
    (listed,), _ = list_policies([policy], 'robot', loaded, ungrouped)
    robot_of(loaded, robot)
    chosen = choose_starts(starts, 'robot', loaded, count)
    simulated = rehearse or sim_time
    notes = ['A rehearsal: a simulated robot took the place of the robot.'] if simulated else []
    empty = make_evaluation(loaded, robot, chosen, [listed], [command], notes)
    log = TrialLog.resume(empty, folder)
    if log.episodes:
        say(f'{len(log.episodes)} of {len(chosen)} trials were made before and are kept')
    if log.next_start is None:
        return log.evaluation
    told = {'use_sim_time': True} if simulated else {}
    overrides = dict.fromkeys((*GRAPHS['robot'].nodes, 'policy'), told) if told else {}
    if rehearse:
        # A simulated robot that was stopped is no reason to begin stopped.
        overrides['safety'] = {**told, 'memory': ''}
    options = GraphOptions(
        contract=os.fspath(contract),
        robot=os.fspath(robot or ''),
        # The simulated robot hears cmd_vel itself.
        adapter=NO_ADAPTER if rehearse else '',
        policy=listed.file,
        recordings=str(folder / 'recordings'),
        require_deadman=False if rehearse else require_deadman,
        local=not network,
        names=names,
        overrides=overrides,
    )
    with ExitStack() as stack:
        person = stack.enter_context(operator or TerminalOperator())
        stand_in = None
        if rehearse:
            stand_in = stack.enter_context(_stand_in(contract, robot, loaded, domain, names))
        domain = stand_in.domain if stand_in else driver_domain(domain)
        graph = stack.enter_context(GraphProcesses('robot', options, log_dir, domain, join=True))
        say(f'graph robot in ROS domain {domain}, logs in {graph.log_dir}')
        graph.wait_ready()
        if check and not rehearse:
            _look_first(graph, listed.file, say)
        # Only now: starting the graph has set the environment that rclpy reads.
        from guda_ros.ros.episode.referee import Referee
        from guda_ros.workflows.robot_trials.session import Session

        referee = stack.enter_context(Referee(domain, loaded, simulated, names))
        referee.wait_for_time()
        Session(log, loaded, graph, referee, person, folder, stand_in).run()
    return log.evaluation


def _look_first(graph: GraphProcesses, policy: str, say: Say) -> None:
    """Raise GudaError if something lacks without which a robot is not to move."""
    from guda_ros.ros.robot_check.findings import table
    from guda_ros.workflows.robots.preflight import preflight_graph

    found = preflight_graph(graph, policy=policy, say=say)
    for line in table(found.problems):
        say(f'  {line}')
    if not found.fits:
        lacks = ', '.join(dict.fromkeys(finding.subject for finding in found.lacks))
        raise GudaError(
            f'the robot is not to move yet, it lacks {lacks}: see above; `guda preflight` looks '
            'again, --no-check begins nevertheless'
        )


@contextmanager
def _stand_in(
    name: str,
    robot: str | os.PathLike | None,
    contract: Contract,
    domain: int | None,
    names: RosNames,
) -> Iterator[StandIn]:
    """Run a simulated robot that has nothing of a referee: driver topics alone."""
    spec = replace(stand_in_spec(name, robot or ''), names=names)
    with GraphProcesses([spec], None, None, domain) as graph:
        graph.wait_ready()
        yield StandIn(graph, contract)
