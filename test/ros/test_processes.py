import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from ros_helpers import alive, shared_memory_of, simulator, wait_for

from guda_ros.errors import GudaError
from guda_ros.ros.graph.environment import claim_domain, domain_is_busy, DomainInUse
from guda_ros.ros.graph.processes import GraphError, GraphProcesses
from guda_ros.ros.graph.shared_memory import shared_memory_files
from guda_ros.ros.graph.table import build_graph, GraphOptions, NodeSpec

ROOT = Path(__file__).resolve().parents[2]
SAFETY = NodeSpec('safety', 'safety', parameters={'use_sim_time': True})

PARENT = """
import sys, time
from ros_helpers import shared_memory_of, simulator
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.ros.graph.processes import GraphProcesses
graph = GraphProcesses([NodeSpec('safety', 'safety', parameters={'use_sim_time': True}),
                        simulator()], log_dir=sys.argv[1]).start().wait_ready(60)
print(*graph.pids.values(), flush=True)
print(*shared_memory_of(graph), flush=True)
time.sleep(600)
"""


def left_over(names):
    """Return what is in shared memory of the names that a graph used."""
    return set(names) & set(shared_memory_files())


def segments(names):
    """Return the names that nobody else can have taken since: segments are random, ports not."""
    return {name for name in names if 'port' not in name}


def test_two_graphs_run_side_by_side_and_leave_nothing_behind(tmp_path, domain):
    with GraphProcesses([SAFETY, simulator()], None, tmp_path / 'a', domain) as first:
        with GraphProcesses([SAFETY], log_dir=tmp_path / 'b') as second:
            first.wait_ready(60)
            second.wait_ready(60)
            assert first.domain == domain != second.domain
            with claim_domain() as third:
                assert third.number != second.domain
            assert domain_is_busy(first.domain) and domain_is_busy(second.domain)
            assert {'safety', 'simulator'} <= first.monitor.names()
            assert 'simulator' not in second.monitor.names()
            with pytest.raises(DomainInUse):
                GraphProcesses([SAFETY], domain=first.domain).start()
            used, pids = shared_memory_of(second), list(second.pids.values())
            assert used
        assert not any(map(alive, pids)) and not left_over(segments(used))
        first.check()
        used, pids = shared_memory_of(first), list(first.pids.values())
    assert not any(map(alive, pids)) and not left_over(segments(used))
    assert not domain_is_busy(domain)


def test_a_killed_node_is_named_and_leaves_nothing_behind(tmp_path):
    with GraphProcesses([SAFETY, simulator()], log_dir=tmp_path) as graph:
        graph.wait_ready(60)
        used, pids = shared_memory_of(graph), graph.pids
        os.kill(pids['simulator'], signal.SIGKILL)
        with pytest.raises(GraphError, match='node simulator was ended by SIGKILL'):
            wait_for(graph.check, 5)
    assert not any(map(alive, pids.values())) and not left_over(segments(used))


def test_killing_the_parent_ends_the_nodes_and_leaves_nothing_behind(tmp_path):
    paths = [str(ROOT / 'test' / 'support'), str(ROOT)]
    parent = subprocess.Popen(
        [sys.executable, '-c', PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)},
    )
    try:
        pids = [int(word) for word in parent.stdout.readline().split()]
        used = segments(parent.stdout.readline().split())
        assert len(pids) == 2 and used and all(map(alive, pids))
    finally:
        parent.kill()
        parent.wait()
    assert wait_for(lambda: not any(map(alive, pids)), 10)
    assert wait_for(lambda: not left_over(used), 10)


def test_a_node_that_cannot_start_is_named_with_its_reason(tmp_path):
    with GraphProcesses([SAFETY, simulator(robot='pepper')], log_dir=tmp_path) as graph:
        with pytest.raises(GraphError) as failure:
            graph.wait_ready(60)
    text = str(failure.value)
    assert 'node simulator ended with exit code 1' in text
    assert "unknown name 'pepper'" in text and 'nao_v6' in text and 'Traceback' not in text


def test_a_missing_gl_library_is_named(tmp_path):
    with GraphProcesses(
        [simulator(camera=True)], log_dir=tmp_path, environment={'MUJOCO_GL': 'disable'}
    ) as graph:
        with pytest.raises(GraphError, match='MUJOCO_GL=disable switches rendering off'):
            graph.wait_ready(60)


def test_a_missing_policy_file_is_named(tmp_path):
    options = GraphOptions(policy=str(tmp_path / 'none.onnx'))
    policy = [spec for spec in build_graph('evaluate', options) if spec.name == 'policy']
    with GraphProcesses(policy, log_dir=tmp_path) as graph:
        with pytest.raises(GraphError, match=r'none\.onnx: cannot be read'):
            graph.wait_ready(60)


def test_a_node_that_hangs_is_named(tmp_path):
    with GraphProcesses([simulator(autostart=False)], log_dir=tmp_path) as graph:
        graph.wait_ready(60)
    waiting = NodeSpec(
        'safety', 'nobody_answers_for', parameters={'use_sim_time': True}, lifecycle=True
    )
    with GraphProcesses([waiting], log_dir=tmp_path) as graph:
        with pytest.raises(GraphError, match=r'not ready after 3 s: nobody_answers_for'):
            graph.wait_ready(3)


def test_a_graph_is_started_once(tmp_path):
    with pytest.raises(GudaError, match='unknown graph'):
        GraphProcesses('colect')
    graph = GraphProcesses([], log_dir=tmp_path)
    with pytest.raises(GraphError, match='not running'):
        graph.domain  # noqa: B018
    with graph:
        with pytest.raises(GraphError, match='running already'):
            graph.start()
