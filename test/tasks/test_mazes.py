"""PointMaze and AntMaze: maps, dynamics beside gymnasium-robotics, guides, demonstrators."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.registry import load_task
from guda_ros.augmentation.verify import verify
from guda_ros.cli.main import main
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.soccer.world import wrap_angle_fast
from guda_ros.tasks.maze.ant_gait import torques, yaw
from guda_ros.tasks.maze.demonstrator import record
from guda_ros.tasks.maze.map import MAPS, MazeMap
from guda_ros.tasks.maze.rule import free_positions
from guda_ros.tasks.maze.task import AntMazeUmaze, MazeContract, PointMazeLarge, PointMazeUmaze

POINT = ('pointmaze_umaze', 'pointmaze_medium', 'pointmaze_large')
ANT = ('antmaze_umaze', 'antmaze_medium', 'antmaze_large')


@pytest.fixture(scope='module')
def robotics():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        module = pytest.importorskip(
            'gymnasium_robotics', reason='the extra [benchmarks] is not installed'
        )
        import gymnasium

        gymnasium.register_envs(module)
        yield gymnasium


@pytest.fixture(scope='module')
def recorded(robotics):
    return record(PointMazeUmaze(), 0)


def point_steps(task, places, velocity=(1.0, 0.2)):
    """Return steps at places (M, 2), as if no wall were there; no simulator is needed."""
    places = np.asarray(places, dtype=float)
    states = np.column_stack([places, np.tile(velocity, (len(places), 1))])
    after = states + np.array([*np.multiply(velocity, 0.01), 0.0, 0.0])
    count = len(states)
    return TransitionSet(
        contract=task.contract,
        states=states,
        actions=np.tile([0.5, -0.25], (count, 1)),
        next_states=after,
        rewards=task.reward(None, None, after),
        terminations=np.zeros(count, dtype=bool),
        source_episode=np.zeros(count),
        source_step=np.arange(count),
        rule=np.zeros(count),
        episode_ids=['one'],
        episode_success=[True],
    )


@pytest.mark.parametrize('name', sorted(MAPS))
def test_places_and_cells_fit_and_the_way_leads_to_the_goal(name):
    maze = MazeMap(name, 2.0)
    np.testing.assert_array_equal(maze.cells(maze.middles(maze.free)), maze.free)
    for cell in maze.free:
        place, steps = maze.middles(cell), 0
        while np.any(maze.cell_directions[tuple(maze.cells(place))]):
            place, steps = place + 2.0 * maze.cell_directions[tuple(maze.cells(place))], steps + 1
            assert maze.clearance(place) == pytest.approx(1.0) and steps < 40
        assert tuple(maze.cells(place)) == maze.cell_of_mark('G')
        assert steps == maze.distances(maze.cell_of_mark('G'))[tuple(cell)]


def test_clearance_is_the_distance_to_the_nearest_wall():
    maze = MazeMap('umaze', 1.0)
    # Cell (1, 1) is at (-1, 1), with walls above, to the left and below.
    places = np.array(
        [[-1.0, 1.0], [-1.4, 1.0], [-1.0, 1.3], [-0.2, 0.6], [1.0, 0.0], [0.0, 0.0], [0.6, 0.7]]
    )
    np.testing.assert_allclose(
        maze.clearance(places), [0.5, 0.1, 0.2, 0.1, 0.5, 0.0, np.hypot(0.1, 0.2)]
    )


def test_guided_steps_lead_along_the_way_and_random_ones_anywhere():
    task = PointMazeLarge()
    recorded = point_steps(task, [[-4.5, 2.5]])
    guided, report = augment(recorded, load_guide('pointmaze_large_guided'), 4000, 0)
    assert report.acceptance == 1.0
    cells = task.map.cells(guided.states[:, :2])
    # It is the action that leads there; the velocity is 38 degrees off it.
    assert off_way(task, guided, guided.actions).max() <= np.pi / 4 + 1e-6
    assert off_way(task, guided, guided.states[:, 2:]).max() > 1.3
    # Actions turn with it, and every free cell is visited.
    turned = np.arctan2(guided.actions[:, 1], guided.actions[:, 0]) - np.arctan2(
        guided.states[:, 3], guided.states[:, 2]
    )
    np.testing.assert_allclose(
        wrap_angle_fast(turned - np.arctan2(-0.25, 0.5) + np.arctan2(0.2, 1.0)), 0.0, atol=1e-6
    )
    assert {tuple(cell) for cell in cells} == {tuple(cell) for cell in task.map.free}
    assert (task.map.clearance(guided.states[:, :2]) >= task.radius).all()
    random, _ = augment(recorded, load_guide('pointmaze_large_random'), 4000, 0)
    heading = np.arctan2(random.states[:, 3], random.states[:, 2])
    assert len(np.unique(np.round(heading, 6))) == 4


def off_way(task, steps, vectors):
    """Return how far (M,) [rad] vectors (M, 2) of steps point off the shortest way."""
    ways = task.map.directions(steps.states[:, :2])
    return np.abs(
        wrap_angle_fast(
            np.arctan2(vectors[:, 1], vectors[:, 0]) - np.arctan2(ways[:, 1], ways[:, 0])
        )
    )


def test_guides_may_turn_by_the_step_or_not_at_all(tmp_path):
    task, text = PointMazeLarge(), load_guide('pointmaze_large_guided').text
    recorded = point_steps(task, [[-4.5, 2.5], [-4.4, 2.5]])

    def made(*rows):
        (tmp_path / 'mine.yaml').write_text(
            text.replace('turn: way', '\n    '.join(rows)).replace('by: action', '')
        )
        steps, report = augment(recorded, load_guide(tmp_path / 'mine.yaml'), 3000, 0)
        assert report.acceptance == 1.0
        return steps, off_way(task, steps, steps.next_states[:, :2] - steps.states[:, :2])

    _, off = made('turn: way', 'by: step')
    assert 0.7 < off.max() <= np.pi / 4 + 1e-6
    steps, off = made('turn: none', 'aim: 20')
    np.testing.assert_array_equal(steps.states[:, 2:], np.tile([1.0, 0.2], (3000, 1)))
    assert 0.3 < off.max() <= np.radians(20) + 1e-6
    # The two steps together lead from the first place to where the second one ends.
    steps, off = made('turn: none', 'aim: 20', 'over: 2')
    first = steps.source_step == 0
    assert off[~first].max() <= np.radians(20) + 1e-6 < off[first].max()


def test_ways_lead_back_to_the_middle_of_the_aisle_and_of_the_goal():
    maze = MazeMap('umaze', 2.0)
    # The cell (1, 2), whose way is to the left, and the goal's, whose middle is at (-2, 2).
    places = np.array([[0.0, 2.0], [0.3, 2.5], [0.3, 1.5], [-1.5, 2.0], [-2.3, 1.6]])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        maze.directions(places),
        [[-1, 0], [-half, -half], [-half, half], [-1, 0], [0.6, 0.8]],
        atol=1e-12,
    )


def test_who_follows_the_ways_reaches_the_goal_and_touches_no_wall():
    for task in (PointMazeLarge(), AntMazeUmaze()):
        places, step = free_positions(task, 100), task.map.scale / 25
        for _ in range(25 * 30):
            places = places + step * task.map.directions(places)
            assert task.map.clearance(places).min() > 0.9 * task.radius
        assert np.linalg.norm(places - task.goal, axis=1).max() <= 2 * step


def test_rewards_are_those_of_where_the_step_ends():
    task = PointMazeUmaze()
    made, _ = augment(
        point_steps(task, [[1.0, 1.0]]), load_guide('pointmaze_umaze_random'), 5000, 0
    )
    near = np.linalg.norm(made.next_states[:, :2] - task.goal, axis=1) <= 0.45
    np.testing.assert_array_equal(made.rewards, near)
    assert near.any() and not made.terminations.any()


def test_steps_at_walls_are_not_moved():
    task = PointMazeUmaze()
    # .1 m from the wall the ball touches it.
    steps = point_steps(task, [[-1.4, 1.0], [-1.0, 1.0]])
    np.testing.assert_array_equal(task.movable(steps), [False, True])
    made, _ = augment(steps, load_guide('pointmaze_umaze_random'), 500, 0)
    assert set(made.source_step) == {1}


@pytest.mark.parametrize(
    'change, message',
    [
        (('turn: way', 'turn: left'), 'mine.yaml:9: rules.to_goal.turn'),
        (('turn: way', 'turn: none\n    aim: 200'), 'mine.yaml:10: rules.to_goal.aim'),
        (('turn: way', 'turn: way\n    colour: 1'), 'mine.yaml:10: rules.to_goal.colour'),
    ],
)
def test_errors_of_a_guide_name_file_line_and_field(tmp_path, capsys, change, message):
    text = load_guide('pointmaze_umaze_guided').text
    assert change[0] in text
    (tmp_path / 'mine.yaml').write_text(text.replace(*change))
    assert main(['guide', 'check', str(tmp_path / 'mine.yaml')]) == 1
    assert message in capsys.readouterr().err


def test_what_is_no_recording_is_refused(tmp_path):
    with pytest.raises(DataSetError, match='experiments/collect_maze.py pointmaze_umaze'):
        PointMazeUmaze.read(tmp_path / 'initial_0.npz')
    with pytest.raises(DataSetError, match='no such file'):
        PointMazeUmaze.read(tmp_path / 'initial_0.h5')
    with pytest.raises(ValueError, match='maze'):
        MazeContract.from_json('{"name": "x"}')


@pytest.mark.parametrize('name', POINT + ANT)
def test_mazes_are_those_of_gymnasium_robotics(robotics, name):
    task = load_task(name)()
    spec = robotics.spec(task.model)
    theirs = np.array([[cell == 1 for cell in row] for row in spec.kwargs['maze_map']])
    np.testing.assert_array_equal(task.map.walls, theirs)
    assert task.max_steps == spec.max_episode_steps


def test_point_moves_as_in_gymnasium_robotics_walls_too(robotics):
    task = PointMazeUmaze()
    env = robotics.make(task.model).unwrapped
    env.reset(seed=0, options={'goal_cell': np.array(task.map.cell_of_mark('G'))})
    rng, touched = np.random.default_rng(0), 0
    state = task.start(1, rng)
    env.point_env.set_state(state[0, :2], state[0, 2:])
    for index in range(300):
        if index % 25 == 0:
            action = rng.uniform(-1.2, 1.2, 2)
        seen, *_ = env.step(action)
        state = task.step(state, action[None])
        # The solver begins elsewhere: where nothing is touched that is all the difference.
        np.testing.assert_allclose(state[0], seen['observation'], atol=1e-6)
        assert task.contract.observe(state)[0] == pytest.approx(seen['observation'], abs=1e-6)
        touched += task.map.clearance(state[0, :2]) < 0.102
    assert touched > 20
    env.close()


def test_recordings_and_augmentations_are_stepped_again_without_an_error(recorded):
    task = PointMazeUmaze()
    for guide in ('pointmaze_umaze_guided', 'pointmaze_umaze_random'):
        made, _ = augment(recorded, load_guide(guide), 3000, 0)
        for steps in (recorded, made):
            found = verify(task, steps, 1000)
            assert found.position[1] < 1e-12 and found.reward[1] == 0


def test_the_demonstrator_reaches_the_goal_and_a_seed_gives_the_same(recorded, robotics):
    assert len(recorded) == 1500 and len(recorded.episode_ids) == 5
    assert any(recorded.episode_success) and not all(recorded.episode_success)
    task = PointMazeUmaze()
    assert (task.map.clearance(recorded.states[:, :2]) > 0).all()
    again = record(task, 0)
    np.testing.assert_array_equal(again.states, recorded.states)
    np.testing.assert_array_equal(again.actions, recorded.actions)


def test_an_evaluation_earns_a_step_at_the_goal(robotics):
    task = PointMazeUmaze()

    def to_goal(seen):
        place = seen[:, :2].astype(float)
        target = place + task.map.cell_directions[tuple(task.map.cells(place).T)]
        middle = task.map.middles(task.map.cells(target))
        return np.clip(10 * (middle - place) - 3 * seen[:, 2:], -1, 1)

    found = task.evaluate(to_goal, 10, seed=0)
    assert found.successes.all()
    # Once there it stays: it earns 1 in each step from then on.
    np.testing.assert_array_equal(found.returns, 300 - found.steps + 1)
    still = task.evaluate(lambda seen: np.zeros((len(seen), 2)), 10, seed=0)
    assert not still.successes.any() and (still.returns == 0).all()


def test_script_writes_the_same_bytes_for_a_seed(tmp_path, robotics):
    for folder in ('a', 'b'):
        subprocess.run(
            [
                sys.executable,
                'experiments/collect_maze.py',
                'pointmaze_umaze',
                '--sets',
                '1',
                '--first',
                '3',
                '--out',
                str(tmp_path / folder),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    one, other = (
        (tmp_path / folder / 'pointmaze_umaze' / 'initial_3.h5').read_bytes()
        for folder in ('a', 'b')
    )
    assert one == other
    assert len(PointMazeUmaze.initial_data(tmp_path / 'a', 7)) == 1500


def test_ant_moves_as_in_gymnasium_robotics(robotics):
    task = AntMazeUmaze()
    env = robotics.make(task.model).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    state = task.start(1, rng)
    env.ant_env.set_state(state[0, :15], state[0, 15:])
    for _ in range(20):
        action = rng.uniform(-1, 1, 8)
        seen, *_ = env.step(action)
        # Each step from where theirs was: the solver begins elsewhere, and contacts are stiff.
        state = task.step(state, action[None])
        theirs = np.concatenate([seen['achieved_goal'], seen['observation']])
        np.testing.assert_allclose(state[0], theirs, atol=1e-3)
        state = theirs[None]
    env.close()


def test_ant_walks_alike_along_each_of_its_sides_without_turning(robotics):
    task, sides = AntMazeUmaze(), np.arange(4) * np.pi / 2
    begin = task.start(1, np.random.default_rng(0)).repeat(4, axis=0)
    begin[:, :2] = task.map.middles(np.array([1, 2]))
    states = begin
    # Few enough steps that no wall is reached.
    for _ in range(25):
        states = task.step(states, torques(states, sides))
    x, y = (states - begin)[:, :2].T
    along = np.cos(sides) * x + np.sin(sides) * y
    np.testing.assert_allclose(along, along[0], atol=0.25)
    assert along.min() > 0.4
    np.testing.assert_allclose(yaw(states), 0.0, atol=0.3)


def test_an_ant_that_is_turned_with_its_legs_counted_anew_moves_alike(robotics):
    task = AntMazeUmaze()
    rng = np.random.default_rng(0)
    states, actions = task.start(40, rng), rng.uniform(-1, 1, (40, 8)).astype(np.float32)
    states[:, :2] = task.map.middles(np.array([1, 2]))
    states[:, 3:] += rng.normal(0, 0.2, (40, 26))
    states[:, 3:7] /= np.linalg.norm(states[:, 3:7], axis=1, keepdims=True)
    after = task.step(states, actions)
    way = (after - states)[:, :2]
    quarters = np.arange(40) % 4
    angle = quarters * np.pi / 2
    turned, moved = np.stack([states, after]), actions.copy()
    task.turn_body(turned, moved, quarters)
    again = task.step(turned[0], moved)
    x, y = (again - turned[0])[:, :2].T
    np.testing.assert_allclose(np.cos(angle) * x + np.sin(angle) * y, way[:, 0], atol=1e-9)
    np.testing.assert_allclose(np.cos(angle) * y - np.sin(angle) * x, way[:, 1], atol=1e-9)
    np.testing.assert_allclose(again[:, 2:], turned[1][:, 2:], atol=1e-9)
    # The rest of a full turn brings it back.
    task.turn_body(turned, moved, 4 - quarters)
    np.testing.assert_array_equal(turned[0], states)
    np.testing.assert_array_equal(moved, actions)


def test_recordings_of_the_ant_and_what_is_made_of_them_are_stepped_again(robotics):
    task, recorded = AntMazeUmaze(), record(AntMazeUmaze(), 0)
    assert len(recorded) == 818
    for guide in ('antmaze_umaze_guided', 'antmaze_umaze_random'):
        made, report = augment(recorded, load_guide(guide), 500, 0)
        assert report.acceptance == 1.0
        again = task.step(made.states, made.actions)
        np.testing.assert_allclose(again, made.next_states, atol=1e-10)


def test_ant_steps_are_taken_along_the_way_and_it_looks_where_it_looked():
    task = AntMazeUmaze()
    rng = np.random.default_rng(0)
    count = 200
    states = np.zeros((count, 29))
    states[:, 3] = 1.0
    after, angle = states.copy(), rng.uniform(-np.pi, np.pi, count)
    states[:, :2] = after[:, :2] = task.map.middles(np.array([1, 2]))
    after[:, :2] += 0.05 * np.column_stack([np.cos(angle), np.sin(angle)])
    steps = TransitionSet(
        contract=task.contract,
        states=states,
        actions=rng.uniform(-1, 1, (count, 8)),
        next_states=after,
        rewards=np.zeros(count),
        terminations=np.zeros(count, dtype=bool),
        source_episode=np.zeros(count),
        source_step=2 * np.arange(count),
        rule=np.zeros(count),
        episode_ids=['one'],
        episode_success=[False],
    )
    made, report = augment(steps, load_guide('antmaze_umaze_guided'), 3000, 0)
    assert report.acceptance == 1.0
    assert off_way(task, made, made.next_states[:, :2] - made.states[:, :2]).max() < 0.786
    np.testing.assert_array_equal(made.states[:, 3:7], states[0, 3:7] + np.zeros((3000, 1)))
    rows = made.source_step // 2
    np.testing.assert_allclose(
        np.sort(np.abs(made.actions), axis=1),
        np.sort(np.abs(steps.actions[rows]), axis=1),
        atol=1e-6,
    )
    random, _ = augment(steps, load_guide('antmaze_umaze_random'), 3000, 0)
    moved = random.next_states[:, :2] - random.states[:, :2]
    assert len(np.unique(np.round(np.arctan2(*moved.T), 6))) > 3 * count
