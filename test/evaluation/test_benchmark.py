"""The benchmark: what it runs, what it keeps, how it goes on, and what its tables say."""

from __future__ import annotations

import csv
from dataclasses import replace
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from guda_ros.augmentation.task import Outcomes
from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError
from guda_ros.evaluation.benchmark.cells import (
    BenchmarkError,
    Cell,
    finished_cells,
    Group,
    load_cell,
    missing_groups,
    run_group,
    save_cell,
)
from guda_ros.evaluation.benchmark.plan import Plan
from guda_ros.evaluation.benchmark.tables import arms_of, differences, iqm, write_tables
from guda_ros.evaluation.set_quality import quality
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

PLAN = """
task: push_ball_to_goal
seeds: 4
rollouts: 3
starts_seed: 1
curve: {points: 2, rollouts: 2, starts_seed: 2}
augmentations:
  none: {}
  guided: {guide: push_ball_transitions, transitions: 500}
algorithms:
  bc: {updates: 6, hidden: [8]}
  iql: {updates: 6, hidden: [8], critic_hidden: [8]}
paper:
  bc: {guided: 68}
"""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Write two initial sets, 60 steps of walking at the ball each, as the authors store them."""
    folder = tmp_path_factory.mktemp('data')
    contract = PushBallModel()
    for number in range(2):
        rng = np.random.default_rng(number)
        states, rows = contract.reset(1, rng), []
        for _ in range(60):
            seen = contract.observe(states)
            action = np.column_stack([seen[:, 4], seen[:, 5], seen[:, 4]])
            action += rng.normal(0, 0.2, action.shape)
            rows.append((states[0], action[0], contract.step_states(states, action)[0]))
            states = rows[-1][2][None]
        before, actions, after = map(np.stack, zip(*rows))
        millimetres = np.array([1000, 1000, 1000, 1000, 1])
        np.savez(
            folder / f'initial_{number}.npz',
            world_states=before * millimetres,
            next_world_states=after * millimetres,
            actions=actions,
            rewards=contract.reward(after),
            episode=np.repeat([0, 1], 30),
        )
    return folder


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / 'small.yaml'
    path.write_text(PLAN)
    return Plan.load(path)


def cell_of(algorithm, augmentation, seed, returns, successes, data_seed=None):
    returns = np.asarray(returns, dtype=float)
    successes = np.asarray(successes, dtype=bool)
    about = {'data_seed': seed if data_seed is None else data_seed, 'rows': 9, 'seconds': 1.0}
    return Cell(
        algorithm,
        augmentation,
        seed,
        Outcomes(returns, successes, np.where(successes, 200, 500)),
        np.array([6]),
        returns[None, :2],
        successes[None, :2],
        about,
    )


@pytest.mark.parametrize(
    'old, new, message',
    [
        (
            'bc: {updates: 6',
            'ppo: {updates: 6',
            r'small.yaml: algorithms.ppo: is unknown; known: bc',
        ),
        (
            'updates: 6, hidden: [8]}\n  iql',
            'update: 6}\n  iql',
            'update: is not a known key of bc',
        ),
        ('starts_seed: 2}', 'starts_seed: 1}', 'starts_seed: the starts of the curve'),
        ('push_ball_to_goal', 'push_ball', 'unknown task'),
        ('transitions: 500', 'transitions: 0', 'augmentations.guided.transitions: 0 is outside'),
        ('seeds: 4', 'seedz: 4', 'seeds: is missing'),
    ],
)
def test_a_wrong_plan_is_refused_by_file_and_key(tmp_path, old, new, message):
    path = tmp_path / 'small.yaml'
    assert old in PLAN
    path.write_text(PLAN.replace(old, new, 1))
    with pytest.raises(Exception, match=message) as error:
        Plan.load(path)
    assert isinstance(error.value, ValueError)


def test_choices_leave_the_rest_out_and_name_what_there_is(plan):
    chosen = plan.choose(['iql'], ['guided'], 1, 12)
    assert list(chosen.algorithms) == ['iql'] and chosen.algorithms['iql'].updates == 12
    assert list(chosen.augmentations) == ['guided'] and chosen.seeds == 1
    with pytest.raises(ConfigError, match="no algorithm 'cql'; it has bc, iql"):
        plan.choose(['cql'])


def test_the_shipped_benchmarks_can_be_read():
    found = Plan.load('push_ball_to_goal')
    assert found.kind() is PushBallToGoal
    assert found.paper['awac']['guided'] == 206


def test_seeds_are_trained_together_and_know_their_initial_data(plan, data, tmp_path):
    groups = missing_groups(plan.choose(None, ['guided'], 12), data, tmp_path / 'out')
    first, second = tuple(range(10)), (10, 11)
    assert groups == [
        Group('guided', {'bc': first, 'iql': first}, {seed: seed % 2 for seed in first}),
        Group('guided', {'bc': second, 'iql': second}, {10: 0, 11: 1}),
    ]


def test_a_run_goes_on_with_what_is_missing_and_gets_the_same(plan, data, tmp_path):
    chosen = plan.choose(['bc'], ['guided'], 3)
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    for group in missing_groups(chosen, data, whole):
        run_group(chosen, str(data), str(whole), group)
    assert missing_groups(chosen, data, whole) == []
    before = {cell.seed: cell for cell in finished_cells(chosen, whole)}
    assert sorted(before) == [0, 1, 2]
    # As after a kill between the files of one group.
    for group in missing_groups(chosen, data, broken):
        run_group(chosen, str(data), str(broken), group)
    (broken / 'small' / 'bc' / 'guided' / 'seed_2.npz').unlink()
    left = missing_groups(chosen, data, broken)
    assert left == [Group('guided', {'bc': (2,)}, {0: 0, 1: 1, 2: 0})]
    run_group(chosen, str(data), str(broken), left[0])
    after = {cell.seed: cell for cell in finished_cells(chosen, broken)}
    for seed, cell in before.items():
        np.testing.assert_allclose(after[seed].outcomes.returns, cell.outcomes.returns, rtol=1e-3)
        np.testing.assert_array_equal(after[seed].updates, [3, 6])


def test_cells_of_other_arguments_or_data_are_refused(plan, data, tmp_path):
    chosen = plan.choose(['bc'], ['none'], 1)
    run_group(chosen, str(data), str(tmp_path), missing_groups(chosen, data, tmp_path)[0])
    with pytest.raises(BenchmarkError, match='updates: 7 now, 6 there'):
        missing_groups(chosen.choose(updates=7), data, tmp_path)
    other = tmp_path / 'other'
    other.mkdir()
    (other / 'initial_0.npz').write_bytes((data / 'initial_1.npz').read_bytes())
    with pytest.raises(BenchmarkError, match='data_hash'):
        missing_groups(chosen, other, tmp_path)


def test_a_cell_is_read_as_it_was_written_and_a_damaged_one_refused(tmp_path):
    path = tmp_path / 'seed_3.npz'
    cell = cell_of('bc', 'none', 3, [1, 2, 3], [True, False, True])
    save_cell(path, cell)
    found = load_cell(path)
    np.testing.assert_array_equal(found.outcomes.steps, [200, 500, 200])
    assert (found.algorithm, found.augmentation, found.seed) == ('bc', 'none', 3)
    assert found.about == cell.about
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BenchmarkError, match='damaged'):
        load_cell(path)


def test_scores_are_normalised_and_the_best_and_worst_quarter_left_out(plan):
    # 0.02 is random, 114.9 the demonstrator.
    means = [0.02, 114.9, 229.78, 1000.0]
    cells = [
        cell_of('bc', 'guided', seed, [mean] * 3, [True] * 3) for seed, mean in enumerate(means)
    ]
    [arm] = arms_of(plan, cells)
    np.testing.assert_allclose(arm.scores[:3, 0], [0, 100, 200])
    assert iqm(arm).value == pytest.approx(150)


def test_differences_are_paired_and_seeds_of_one_data_set_count_once(plan):
    base = {0: 100.0, 1: 300.0, 2: 120.0, 3: 280.0}
    cells = [
        cell_of(
            'bc',
            name,
            seed,
            [value + gain, value - 50 + gain, value],
            [gain > 0] * 3,
            data_seed=seed % 2,
        )
        for name, gain in (('none', 0.0), ('guided', 11.488))
        for seed, value in base.items()
    ]
    [found] = differences(arms_of(plan, cells))
    assert (found.first, found.second, found.seeds) == ('guided', 'none', 4)
    # 10 in two of three episodes, whichever the data: only the starts spread it.
    assert found.score.value == pytest.approx(20 / 3)
    assert 0 <= found.score.low < found.score.value < found.score.high <= 10 + 1e-9
    assert found.success.value == 1.0
    assert found.steps.value == -300


def test_ours_are_compared_with_the_rest_and_auto_and_guided_with_what_is_guided(plan):
    names = ('none', 'guided', 'guided_paper', 'auto')
    plan = replace(plan, augmentations=dict.fromkeys(names, plan.augmentations['none']))
    cells = [
        cell_of('bc', name, seed, [1.0, 2.0], [False, True]) for name in names for seed in (0, 1)
    ]
    assert {(row.first, row.second) for row in differences(arms_of(plan, cells))} == {
        ('guided', 'none'),
        ('guided_paper', 'none'),
        ('auto', 'none'),
        ('guided', 'guided_paper'),
        ('auto', 'guided'),
        ('auto', 'guided_paper'),
    }


def test_tables_have_a_row_for_every_cell_and_the_papers_figure(plan, tmp_path):
    cells = [
        cell_of('bc', name, seed, [1, 2, 3], [True, False, False])
        for name in ('none', 'guided')
        for seed in range(2)
    ]
    text = write_tables(plan, cells, tmp_path)
    with open(tmp_path / 'small_cells.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['augmentation'], row['seed']) for row in rows] == [
        ('none', '0'),
        ('none', '1'),
        ('guided', '0'),
        ('guided', '1'),
    ]
    assert rows[0]['return'] == '2.0' and rows[0]['steps_to_score'] == '200.0'
    line = next(line for line in text.splitlines() if line.startswith('| bc | guided | 2'))
    assert '| 68 |' in line and '33.3' in line
    assert 'guided − none' in text


def test_quality_of_recorded_steps_is_their_mean_return(data):
    task = PushBallToGoal()
    recorded = PushBallToGoal.initial_data(data, 0)
    found = quality(task, recorded)
    returns = recorded.rewards.reshape(2, 30).sum(axis=1)
    assert found.tq == pytest.approx((returns.mean() - 0.02) / (114.9 - 0.02), rel=1e-4)
    assert 0 < found.saco < 60 / 1000


def test_the_command_writes_tables_and_pictures(data, tmp_path, capsys):
    path = tmp_path / 'small.yaml'
    path.write_text(PLAN)
    out = tmp_path / 'out'
    arguments = ['benchmark', str(path), '--data', str(data), '--out', str(out)]
    assert main([*arguments, '--tables']) == 1
    assert 'no training of the benchmark small is finished' in capsys.readouterr().err
    some = [*arguments, '--algorithms', 'iql', '--seeds', '1', '--jobs', '1', '--quality']
    assert main(some) == 0
    assert '2 trainings to do' in capsys.readouterr().out
    assert main([*some, '--tables']) == 0
    names = {path.name for path in (out / 'results').iterdir()}
    assert names == {
        f'small{end}'
        for end in (
            '.md',
            '_cells.csv',
            '_summary.csv',
            '_paired.csv',
            '_curves.csv',
            '_quality.csv',
            '_scores.png',
            '_curves.png',
            '_quality.png',
        )
    }


@pytest.mark.long
def test_a_killed_run_is_finished_by_the_same_command(data, tmp_path):
    path = tmp_path / 'small.yaml'
    path.write_text(PLAN)
    out = tmp_path / 'out'
    command = [
        sys.executable,
        '-m',
        'guda_ros',
        'benchmark',
        str(path),
        '--data',
        str(data),
        '--out',
        str(out),
        '--jobs',
        '2',
    ]
    environment = {**os.environ, 'PYTHONPATH': str(Path(__file__).resolve().parents[2])}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (kept := list(out.rglob('seed_*.npz'))) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < len(kept) < 16
    times = {cell: cell.stat().st_mtime_ns for cell in kept}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(list(out.rglob('seed_*.npz'))) == 16
    assert {cell: cell.stat().st_mtime_ns for cell in kept} == times
