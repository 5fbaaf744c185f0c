"""Checkpoints: what was trained comes back, and what is no checkpoint is named."""

from fuzz_kinds import KINDS
from fuzz_runner import FAULTS, read_one, rng_of
from learning_data import CONTRACT, learner, random_set, SIZE
import numpy as np
import pytest
import torch

from guda_ros.errors import GudaError
from guda_ros.learning.checkpoint import load_checkpoint, resume_checkpoint, save_checkpoint
from guda_ros.learning.networks import TrainingError


def test_a_policy_comes_back_with_its_history(tmp_path):
    path = tmp_path / 'policy.pt'
    trained = learner('td3_bc', seeds=(3, 5)).learn()
    save_checkpoint(path, trained, {'arm': 'guided'})
    observations = np.random.default_rng(1).normal(0, 3, (50, SIZE))
    for seed in (3, 5):
        loaded, contract, info = load_checkpoint(path, seed)
        expected = trained.result(seed)
        np.testing.assert_array_equal(
            loaded.network.predict(observations), expected.network.predict(observations)
        )
        assert loaded.history == expected.history and loaded.config == expected.config
        assert loaded.config['seed'] == seed and loaded.config['algorithm'] == 'td3_bc'
        assert (loaded.updates, loaded.seconds) == (80, expected.seconds)
    assert contract == CONTRACT
    assert info['arm'] == 'guided' and info['seeds'] == [3, 5] and info['total'] == 80
    assert info['data_hash'] == trained.data_hash
    assert set(info['versions']) == {'guda_ros', 'python', 'torch', 'numpy'}
    assert [file.name for file in tmp_path.iterdir()] == ['policy.pt']
    with pytest.raises(TrainingError, match=r'no seed 4'):
        load_checkpoint(path, 4)


def test_the_best_by_validation_is_kept_and_chosen(tmp_path):
    trained = learner('bc', seeds=(0, 1))
    rates = iter([0.2, 0.9, 0.6, 0.1, 0.6, 0.3])
    at_twenty = []

    def callback(now):
        now.validate(lambda network: next(rates))
        if now.updates == 20:
            at_twenty.append(now.policy(1))

    trained.learn(callback)
    assert [best['update'] for best in trained.best] == [60, 20]
    assert trained.result(0).history['validation/success'] == [0.2, 0.6, 0.6]
    save_checkpoint(tmp_path / 'it.pt', trained)
    loaded = load_checkpoint(tmp_path / 'it.pt')[0]
    assert loaded.config['seed'] == 1
    assert loaded.config['validation'] == {'success': 0.9, 'update': 20}
    observations = random_set(10).observations()
    np.testing.assert_array_equal(
        loaded.network.predict(observations), at_twenty[0].predict(observations)
    )


def test_damaged_and_foreign_files_are_refused_with_a_remedy(tmp_path):
    path = tmp_path / 'policy.pt'
    save_checkpoint(path, learner('bc').learn())
    whole = path.read_bytes()
    torch.save({'weights': torch.zeros(3)}, tmp_path / 'foreign.pt')
    for content in (whole[: len(whole) // 2], b'', (tmp_path / 'foreign.pt').read_bytes()):
        path.write_bytes(content)
        with pytest.raises(GudaError, match=r'policy\.pt: not a checkpoint.*train the policy ag'):
            load_checkpoint(path)


def test_no_flipped_byte_goes_unnoticed(tmp_path):
    path = tmp_path / 'policy.pt'
    save_checkpoint(path, learner('bc').learn())
    whole = path.read_bytes()
    expected = load_checkpoint(path)[0].network.state_dict()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = load_checkpoint(path)[0].network.state_dict()
        except TrainingError:
            refused += 1
        else:
            # Padding between the parts.
            assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert refused > 20


def test_damaged_checkpoints_are_refused_in_words_or_rightly_taken(tmp_path):
    kind = KINDS['checkpoint']()
    kind.prepare(tmp_path / 'seeds')
    for index in range(40):
        rng = rng_of(7, 'checkpoint', index)
        outcome = read_one(kind, kind.mutant(rng), tmp_path / 'work', rng)
        assert outcome.what not in FAULTS, f'input {index}: {outcome.where}\n{outcome.text}'


def _without_a_layer(policy):
    del policy['network']['layers.1.bias']


@pytest.mark.parametrize(
    'change, problem',
    [
        (lambda p: p.update(hidden=[10**9, 8]), 'hidden: .* is not what the weights are'),
        (lambda p: p.update(components=10**9), 'components: .* is not what the weights are'),
        (lambda p: p.update(updates=-1), 'updates: a whole number from 0'),
        (lambda p: p.update(seconds=float('nan')), 'seconds: a time is expected'),
        (lambda p: p['config'].update(seed='x'), 'seed: a whole number from 0'),
        (lambda p: p['config'].update(algorithm=torch.zeros(1)), 'algorithm: a name'),
        (_without_a_layer, 'layers.1.bias'),
        (lambda p: p['network']['layers.0.bias'].fill_(float('nan')), 'layers.0.bias: finite'),
        (
            lambda p: p['network'].update({'normaliser.mean': torch.zeros(200)}),
            r'normaliser\.mean: \d+ numbers are expected',
        ),
    ],
)
def test_a_checkpoint_whose_values_cannot_be_is_refused(tmp_path, change, problem):
    path = tmp_path / 'policy.pt'
    save_checkpoint(path, learner('bc').learn())
    content = torch.load(path, weights_only=True)
    change(content['policies'][0])
    torch.save(content, path)
    with pytest.raises(TrainingError, match=rf'policy\.pt: not a checkpoint.*{problem}'):
        load_checkpoint(path)


def test_a_state_that_is_not_of_the_weights_does_not_go_on(tmp_path):
    path, half = tmp_path / 'half.pt', learner('bc')
    half.learn(lambda now: False)
    save_checkpoint(path, half)
    content = torch.load(path, weights_only=True)
    (optimizer,) = content['state']['optimizers'].values()
    optimizer['inner']['state'][0]['exp_avg'] = torch.zeros(2, 2)
    torch.save(content, path)
    with pytest.raises(TrainingError, match='exp_avg: .* numbers are expected'):
        resume_checkpoint(path, learner('bc'))
    del optimizer['inner']['state'][0]['exp_avg']
    torch.save(content, path)
    with pytest.raises(TrainingError, match='two moments are expected'):
        resume_checkpoint(path, learner('bc'))


def test_another_training_does_not_go_on(tmp_path):
    path = tmp_path / 'half.pt'
    first = learner('bc')
    first.learn(lambda now: False)
    save_checkpoint(path, first)
    for other, message in (
        (learner('bc', learning_rate=0.5), 'learning_rate: 0.5 now, 0.001 there'),
        (learner('bc', random_set(499)), 'data: '),
        (learner('bc', seeds=(1,)), 'seed: 1 now, 0 there'),
        (learner('bc', seeds=(0, 1)), '2 seeds now, 1 there'),
        (learner('iql'), 'algorithm: iql now, bc there'),
    ):
        with pytest.raises(TrainingError, match=message):
            resume_checkpoint(path, other)
    judged = {'starts': 50}
    with pytest.raises(TrainingError, match='starts: 50 now, None there'):
        resume_checkpoint(path, learner('bc'), judged)
    save_checkpoint(path, first, judged)
    assert resume_checkpoint(path, learner('bc'), judged)


def test_a_training_from_before_an_argument_goes_on(tmp_path):
    path = tmp_path / 'checkpoint.pt'
    save_checkpoint(path, learner('rebrac', updates=10, bc_updates=10))
    content = torch.load(path, weights_only=True)
    for policy in content['policies']:
        del policy['config']['settle'], policy['config']['bounded']
    torch.save(content, path)
    assert resume_checkpoint(path, learner('rebrac', updates=10, bc_updates=10))
    with pytest.raises(TrainingError, match='settle: True now, False there'):
        resume_checkpoint(path, learner('rebrac', updates=10, bc_updates=10, settle=True))


def test_a_finished_training_has_nothing_to_go_on_with(tmp_path):
    path = tmp_path / 'done.pt'
    save_checkpoint(path, learner('bc').learn())
    assert not resume_checkpoint(path, learner('bc'))
