"""A training that was killed or stopped goes on as if nothing had happened."""

import multiprocessing
import os
from pathlib import Path
import signal
import time

from learning_data import learner
import numpy as np
import pytest
import torch

from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.learning.checkpoint import load_checkpoint, resume_checkpoint, save_checkpoint
from guda_ros.learning.training import train_to_file

#: Updates until the checkpoint that the killed process leaves behind.
SAVED = 40


def train_until_killed(name, path, ready):
    """Save a checkpoint on the way, and wait for the kill in the middle of a later update."""
    trained = learner(name, seeds=(0, 7))
    update = trained._update

    def slow(*arguments):
        if trained.updates == SAVED + 7:
            ready.set()
            time.sleep(60)
        return update(*arguments)

    def save(now):
        if now.updates == SAVED:
            save_checkpoint(path, now)

    trained._update = slow
    trained.learn(save)


@pytest.mark.parametrize('name', ALGORITHMS)
def test_after_a_kill_it_ends_as_if_uninterrupted(name, tmp_path):
    path = tmp_path / 'checkpoint.pt'
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['guda_ros.learning.algorithms'])
    ready = context.Event()
    child = context.Process(target=train_until_killed, args=(name, path, ready))
    child.start()
    try:
        assert ready.wait(60)
    finally:
        child.kill()
        child.join(30)
    assert child.exitcode == -signal.SIGKILL
    whole = learner(name, seeds=(0, 7)).learn()
    again = learner(name, seeds=(0, 7))
    assert resume_checkpoint(path, again)
    assert again.updates == SAVED
    again.learn()
    assert again.updates == whole.updates
    assert again.history == whole.history
    mine, theirs = again.state_dict(), whole.state_dict()
    assert mine['networks'].keys() == theirs['networks'].keys()
    for network, parameters in theirs['networks'].items():
        for key, value in parameters.items():
            assert torch.equal(mine['networks'][network][key], value), f'{network}.{key}'


def test_a_stop_between_log_entries_loses_nothing(tmp_path):
    whole, stopped = learner('td3_bc').learn(), learner('td3_bc')
    update = stopped._update

    def interrupted(*arguments):
        if stopped.updates == 50:
            os.kill(os.getpid(), signal.SIGINT)
        return update(*arguments)

    stopped._update = interrupted
    path = tmp_path / 'it.pt'
    before = signal.getsignal(signal.SIGINT)
    assert not train_to_file(stopped, path)
    assert signal.getsignal(signal.SIGINT) is before
    assert stopped.updates == 51
    # It is usable as it is.
    assert np.isfinite(load_checkpoint(path)[0].network.predict(np.zeros((1, 14)))).all()
    again = learner('td3_bc')
    assert resume_checkpoint(path, again)
    assert train_to_file(again, path)
    assert again.history == whole.history
    observations = np.random.default_rng(0).normal(size=(20, again.sizes[0]))
    np.testing.assert_array_equal(again.predict(observations)[0], whole.predict(observations)[0])


def test_validation_and_checkpoints_on_the_way(tmp_path):
    seen, told = [], []
    path = tmp_path / 'it.pt'
    trained = learner('bc')

    def evaluate(network):
        seen.append(trained.updates)
        return 1.0 / len(seen)

    def report(now):
        told.append((now.updates, path.exists()))

    assert train_to_file(
        trained,
        path,
        {'a': 1},
        checkpoint_every=0,
        evaluate=evaluate,
        evaluations=2,
        report=report,
    )
    # Half-way comes at the next log entry.
    assert seen == [40, 60]
    assert told == [(20, False), (40, True), (60, True)]
    loaded, _, info = load_checkpoint(path)
    assert loaded.config['validation'] == {'success': 1.0, 'update': 40} and info['a'] == 1


def test_logs_for_tensorboard(tmp_path):
    written = []

    class Writer:
        def add_scalar(self, *arguments):
            written.append(arguments)

    train_to_file(learner('bc', seeds=(0, 4)), tmp_path / 'it.pt', writer=Writer())
    assert [(name, step) for name, _, step in written][:2] == [
        ('losses/policy_loss/seed_0', 20),
        ('losses/policy_loss/seed_4', 20),
    ]
    assert len(written) == 6


@pytest.mark.parametrize('name', ALGORITHMS)
def test_a_seed_gets_among_others_what_it_gets_alone(name):
    together, alone = learner(name, seeds=(0, 3, 9)).learn(), learner(name, seeds=(3,)).learn()
    assert together.result(3).history['update'] == alone.result().history['update']
    observations = np.random.default_rng(0).normal(size=(20, alone.sizes[0]))
    mine = together.policy(3).predict(observations)
    np.testing.assert_allclose(mine, alone.predict(observations)[0], atol=2e-3)
    assert np.abs(together.policy(9).predict(observations) - mine).max() > 1e-2


@pytest.mark.parametrize('name', ALGORITHMS)
def test_the_same_seed_gives_the_same_policy(name):
    state = torch.get_rng_state()
    observations = np.random.default_rng(0).normal(size=(20, 14))
    first, again, other = (
        learner(name, seeds=(seed,)).learn().predict(observations)[0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    assert torch.equal(state, torch.get_rng_state())


def test_a_stop_just_before_training_is_not_lost():
    trained = learner('bc')
    trained.stop()
    assert trained.learn().updates == 0
    assert trained.learn().updates == trained.total


def test_learn_follows_stable_baselines3():
    trained = learner('bc')
    assert trained.learn(lambda now: False) is trained
    assert trained.updates == 20
    actions, state = trained.predict(np.zeros(14), deterministic=True)
    assert actions.shape == (3,) and state is None
    with pytest.raises(ValueError, match='deterministically'):
        trained.predict(np.zeros(14), deterministic=False)


def test_what_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / 'file').touch()
    for path in (tmp_path, tmp_path / 'file' / 'it.pt', Path('/proc/none/it.pt')):
        trained = learner('bc')
        with pytest.raises(OSError):
            train_to_file(trained, path)
        assert trained.updates == 0


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / 'it.pt'
    trained = learner('bc').learn()
    save_checkpoint(path, trained)
    before = path.read_bytes()

    def full(self, content):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(OSError, match='No space'):
        save_checkpoint(path, trained)
    monkeypatch.undo()
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
