"""Exports, opened, counted and trained on by the software of each format."""

import json

from dataset_scene import CONTRACT, make_episode, make_transitions
from export_readers import assert_all_arrived
import numpy as np
from pictures import jpeg_of, picture
import pytest
from recording_scene import write_recording
from throwaway import throwaway

from guda_ros.data.sets.minari import write_minari
from guda_ros.data.sets.sources import read_source
from guda_ros.data.sets.trajectories import trajectories
from guda_ros.data.transitions import transitions
from guda_ros.workflows.data.exchange import export_data

pytestmark = pytest.mark.long


@pytest.fixture(scope='module')
def episodes():
    """Three episodes of 40, 30 and 20 steps; the ball is lost at stamp 13 of the first."""
    lost = make_episode('a', steps=40)
    lost.valid[13] = False
    return [lost, make_episode('b', 'timeout', 30, seed=2), make_episode('c', 'out', 20, seed=3)]


@pytest.fixture(scope='module')
def dataset(tmp_path_factory, episodes):
    folder = tmp_path_factory.mktemp('data') / 'set'
    write_minari(folder, episodes, CONTRACT)
    return folder


@pytest.fixture(scope='module')
def d3rlpy(tmp_path_factory):
    return throwaway(
        tmp_path_factory.mktemp('d3rlpy'),
        'd3rlpy',
        ['d3rlpy==2.8.1', 'gym==0.26.2', 'gym_notices==0.1.0'],
        ['structlog==26.1.0', 'dataclasses-json==0.6.7', 'scikit-learn', 'tqdm', 'colorama']
        + ['click', 'einops'],
    )


@pytest.fixture(scope='module')
def robomimic(tmp_path_factory):
    return throwaway(
        tmp_path_factory.mktemp('robomimic'),
        'robomimic',
        # robomimic imports torchvision, whose binary part for CUDA it does not need here.
        ['robomimic==0.3.0', 'torchvision==0.24.1'],
        ['six', 'tqdm', 'termcolor', 'psutil', 'imageio', 'imageio-ffmpeg', 'tensorboard==2.21.0']
        + ['tensorboardX'],
    )


@pytest.fixture(scope='module')
def lerobot(tmp_path_factory):
    return throwaway(
        tmp_path_factory.mktemp('lerobot'),
        'lerobot',
        ['lerobot==0.4.4', 'torchvision==0.24.1', 'diffusers==0.35.2'],
        ['datasets==4.5.0', 'huggingface-hub==0.35.3', 'av==15.1.0', 'jsonlines==4.0.0']
        + ['draccus==0.10.0', 'einops==0.8.2', 'deepdiff==8.6.2', 'accelerate==1.15.0']
        + [
            'termcolor',
            'imageio',
            'pyserial==3.5',
            'pandas==3.1.1',
            'pyarrow==26.0.1',
            'packaging==25.0',
        ],
    )


#: Opens an NPZ as docs/data_sets.md says, keeps all its transitions, and trains for some steps.
D3RLPY = """
import json, sys, numpy as np, d3rlpy
data = np.load(sys.argv[1])
opened = d3rlpy.dataset.MDPDataset(data['observations'], data['actions'], data['rewards'],
    data['terminals'].astype(float), data['timeouts'].astype(float))
steps = [opened.transition_picker(episode, index)
         for episode in opened.episodes for index in range(episode.transition_count)]
np.savez(sys.argv[2], observations=[step.observation for step in steps],
    actions=[step.action for step in steps], following=[step.next_observation for step in steps],
    terminals=[step.terminal for step in steps])
algorithm = d3rlpy.algos.TD3PlusBCConfig(batch_size=32).create()
losses = [loss for _, loss in algorithm.fitter(opened, n_steps=100, n_steps_per_epoch=50,
    show_progress=False, logger_adapter=d3rlpy.logging.NoopAdapterFactory())]
print(json.dumps([opened.transition_count, len(steps), losses[-1]]))
"""


@pytest.mark.parametrize('augmented', [False, True])
def test_d3rlpy_reads_and_trains_on_every_transition(
    d3rlpy, dataset, episodes, tmp_path, augmented
):
    out, source, steps = tmp_path / 'data.npz', dataset, transitions(episodes, CONTRACT)
    if augmented:
        steps, source = make_transitions(500), tmp_path / 'steps.h5'
        for row in range(0, 400, 3):
            steps.states[row + 1] = steps.next_states[row]
            steps.source_episode[row + 1] = steps.source_episode[row]
            steps.rule[row + 1] = steps.rule[row]
        steps.save(source)
    export_data(source, 'npz', out)
    *counts, losses = json.loads(d3rlpy.run(D3RLPY, out, tmp_path / 'read.npz'))
    assert counts == [len(steps)] * 2
    assert losses and all(np.isfinite(value) for value in losses.values())
    with np.load(tmp_path / 'read.npz') as read:
        assert_all_arrived(
            [read[name] for name in ('observations', 'actions', 'following', 'terminals')], steps
        )


#: Steps with a ball that is known, out of a Minari set as docs/data_sets.md says, trained upon by
#: d3rlpy, and a step of the environment that the set recovers.
MINARI = """
import json, sys, numpy as np, minari, d3rlpy
opened = minari.MinariDataset(sys.argv[1])
columns = [[], [], [], [], []]
for episode in opened.iterate_episodes():
    valid = episode.infos['valid']
    usable = valid[:-1] & valid[1:] & np.isfinite(episode.actions).all(axis=1)
    ends = usable & ~np.append(usable[1:], False) & ~episode.terminations
    for column, values in zip(columns, (episode.observations[:-1], episode.actions,
            episode.rewards, episode.terminations.astype(float), ends.astype(float))):
        column.append(values[usable])
columns = [np.concatenate(column) for column in columns]
assert all(np.isfinite(column).all() for column in columns)
data = d3rlpy.dataset.MDPDataset(*columns)
algorithm = d3rlpy.algos.BCConfig(batch_size=32).create()
losses = [loss['loss'] for _, loss in algorithm.fitter(data, n_steps=300, n_steps_per_epoch=100,
    show_progress=False, logger_adapter=d3rlpy.logging.NoopAdapterFactory())]
environment = opened.recover_environment()
seen, _ = environment.reset(seed=1)
action = algorithm.predict(seen[None].astype(np.float32))[0]
following = environment.step(action)[0]
inside = bool(environment.observation_space.contains(following))
environment.close()
print(json.dumps([opened.total_episodes, opened.total_steps, len(columns[0]), losses, inside,
    str(environment.spec.id)]))
"""


def test_minari_opens_trains_and_steps_the_environment_that_a_set_recovers(
    d3rlpy, dataset, episodes
):
    found = json.loads(d3rlpy.run(MINARI, dataset))
    total, steps, usable, losses, inside, name = found
    assert (total, steps) == (3, 90) and usable == len(transitions(episodes, CONTRACT))
    print('BC of d3rlpy:', losses[0], '->', losses[-1])
    assert losses[-1] < losses[0] and inside and name == 'guda_ros/Soccer-v0'


_WITHOUT_CUDA = """
import torch
# The public torchvision is made for CUDA: without it one operator is not even declared.
if torch.version.cuda is None:
    operators = torch.library.Library('torchvision', 'DEF')
    operators.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
"""

#: Opens an HDF5 file as robomimic's train.py does, keeps what its loader hands out, and clones it.
ROBOMIMIC = (
    _WITHOUT_CUDA
    + """
import json, sys, numpy as np
import robomimic.utils.env_utils as env_utils
import robomimic.utils.file_utils as file_utils
import robomimic.utils.obs_utils as obs_utils
from robomimic.algo import algo_factory
from robomimic.config import config_factory
from robomimic.utils.dataset import SequenceDataset
config = config_factory('bc')
with config.unlocked():
    config.observation.modalities.obs.low_dim = ['observation']
obs_utils.initialize_obs_utils_with_config(config)
meta = file_utils.get_env_metadata_from_dataset(sys.argv[1])
kind = env_utils.get_env_type(env_meta=meta)
def open_set(**further):
    return SequenceDataset(sys.argv[1], ['observation'], ['actions', 'rewards', 'dones'],
        load_next_obs=True, seq_length=1, hdf5_cache_mode=None, **further)
data, held_out = open_set(), open_set(filter_by_attribute='valid')
rows = [data[index] for index in range(len(data))]
np.savez(sys.argv[2], observations=[row['obs']['observation'][0] for row in rows],
    actions=[row['actions'][0] for row in rows],
    following=[row['next_obs']['observation'][0] for row in rows],
    terminals=[row['dones'][0] for row in rows])
shapes = file_utils.get_shape_metadata_from_dataset(sys.argv[1], ['observation'])
model = algo_factory('bc', config, shapes['all_shapes'], shapes['ac_dim'], torch.device('cpu'))
torch.manual_seed(0)
losses = []
for epoch in range(30):
    loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
    model.on_epoch_end(epoch)
    found = []
    model.set_train()
    for batch in loader:
        batch = model.postprocess_batch_for_training(model.process_batch_for_training(batch),
            obs_normalization_stats=None)
        found.append(model.log_info(model.train_on_batch(batch, epoch))['Loss'])
    losses.append(float(np.mean(found)))
print(json.dumps([len(data), data.n_demos, kind, held_out.n_demos, losses[0], losses[-1]]))
"""
)


def test_robomimic_reads_every_transition_and_clones_it(robomimic, dataset, episodes, tmp_path):
    out = tmp_path / 'data.hdf5'
    export_data(dataset, 'robomimic', out, validation=0.34)
    found = json.loads(robomimic.run(ROBOMIMIC, out, tmp_path / 'read.npz'))
    steps = transitions(episodes, CONTRACT)
    assert found[:3] == [len(steps), 4, 2] and found[3] in (1, 2)
    print('BC of robomimic:', found[4], '->', found[5])
    assert found[5] < found[4]
    with np.load(tmp_path / 'read.npz') as read:
        assert_all_arrived(
            [read[name] for name in ('observations', 'actions', 'following', 'terminals')], steps
        )


EXPORT = """
import sys
from guda_ros.cli.main import main
sys.exit(main(['data', 'export', sys.argv[1], '--format', 'lerobot', '--out', sys.argv[2]]))
"""

#: Opens a folder by LeRobot's loader, keeps what it hands out, lets LeRobot's writer write the
#: same frames, and trains ACT, whose loss it tells.
LEROBOT = (
    _WITHOUT_CUDA
    + """
import json, pathlib, sys, numpy as np
from lerobot.configs.types import FeatureType
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.datasets.utils import DEFAULT_FEATURES, dataset_to_policy_features
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.act.processor_act import make_act_pre_post_processors
root, kept, originals = map(pathlib.Path, sys.argv[1:4])
data = LeRobotDataset('guda/test', root=root, video_backend='pyav')
items = [data[index] for index in range(len(data))]
np.savez(kept, **{key: np.stack([item[key].numpy() for item in items])
                  for key in data.features})
again = LeRobotDataset.create('guda/again', data.fps, root=root.parent / 'again', features={
    key: dict(feature) for key, feature in data.features.items() if key not in DEFAULT_FEATURES})
pictures = np.load(originals)['pictures']
def save():
    # As LeRobot 0.6 does: NumPy 2.4 takes no array of one number for a number.
    for key, feature in again.features.items():
        if tuple(feature['shape']) == (1,) and key in items[0] and key != 'episode_index':
            again.episode_buffer[key] = [np.reshape(one, ()) for one in again.episode_buffer[key]]
    again.save_episode()
number = 0
for index, item in enumerate(items):
    if int(item['episode_index']) != number:
        save()
        number += 1
    frame = {}
    for key, feature in again.features.items():
        if key in DEFAULT_FEATURES:
            continue
        if feature['dtype'] == 'video':
            frame[key] = pictures[index]
        else:
            frame[key] = item[key].numpy().reshape(feature['shape'])
    again.add_frame({**frame, 'task': item['task']})
save()
again.finalize()
again = LeRobotDataset('guda/again', root=root.parent / 'again', video_backend='pyav')
def episode_statistics(opened):
    import pyarrow.parquet as pq
    table = pq.read_table(next((opened.root / 'meta/episodes').rglob('*.parquet')))
    return {key: table[key].to_pylist() for key in table.column_names if key.startswith('stats/')}
def plain(opened):
    return json.loads((opened.root / 'meta/stats.json').read_text())
features = dataset_to_policy_features(data.features)
wanted = ('observation.state', 'observation.images.head')
outputs = {'action': features['action']}
config = ACTConfig(input_features={key: features[key] for key in wanted}, output_features=outputs,
    chunk_size=4, n_action_steps=4, dim_model=32, n_heads=2, dim_feedforward=64,
    n_encoder_layers=1, n_vae_encoder_layers=1, latent_dim=8, pretrained_backbone_weights=None,
    device='cpu')
policy = ACTPolicy(config).train()
before, _ = make_act_pre_post_processors(config, dataset_stats=data.meta.stats)
steps = {key: [0.0] for key in wanted}
steps['action'] = [step / data.fps for step in range(4)]
chunks = LeRobotDataset('guda/test', root=root, video_backend='pyav', delta_timestamps=steps)
torch.manual_seed(0)
loader = torch.utils.data.DataLoader(chunks, batch_size=8, shuffle=True)
adam = torch.optim.AdamW(policy.parameters(), lr=1e-3)
losses = []
for epoch in range(6):
    found = []
    for batch in loader:
        batch = before(batch)
        for key in wanted:
            batch[key] = batch[key].squeeze(1)
        loss, _ = policy.forward(batch)
        adam.zero_grad(); loss.backward(); adam.step()
        found.append(loss.item())
    losses.append(float(np.mean(found)))
print(json.dumps({'frames': len(data), 'episodes': data.num_episodes, 'losses': losses,
    'tasks': sorted({item['task'] for item in items}), 'info': data.features,
    'again': again.features, 'stats': [plain(data), plain(again)],
    'each': [episode_statistics(data), episode_statistics(again)]}))
"""
)


@pytest.fixture(scope='module')
def filmed(tmp_path_factory):
    """Two recordings with pictures; one lacks a picture, so that there are three episodes."""
    folder = tmp_path_factory.mktemp('filmed') / 'recordings'
    write_recording(folder, 24, 'a', jpeg=lambda k: None if k == 9 else jpeg_of(k))
    write_recording(folder, 10, 'b', 'out', seed=8, jpeg=lambda k: jpeg_of(k + 30))
    return folder


@pytest.fixture(scope='module')
def opened(lerobot, filmed, tmp_path_factory):
    folder = tmp_path_factory.mktemp('lerobot_set')
    lerobot.run(EXPORT, filmed, folder / 'set')
    source = read_source(filmed)
    seen = [np.arange(24) != 9, np.ones(10, dtype=bool)]
    parts = trajectories(source.episodes, source.contract, seen)
    firsts = [part.first + (30 if part.episode.id == 'b' else 0) for part in parts]
    numbers = np.concatenate([first + np.arange(len(part)) for first, part in zip(firsts, parts)])
    import cv2

    pictures = [
        cv2.imdecode(np.frombuffer(jpeg_of(int(k)), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        for k in numbers
    ]
    np.savez(folder / 'pictures.npz', pictures=np.stack(pictures))
    told = lerobot.run(LEROBOT, folder / 'set', folder / 'kept.npz', folder / 'pictures.npz')
    with np.load(folder / 'kept.npz') as kept:
        return json.loads(told), dict(kept), parts, numbers


def test_lerobot_hands_out_every_step_with_the_picture_of_its_stamp(opened):
    told, kept, parts, numbers = opened
    assert (told['episodes'], told['frames']) == (3, 33) == (len(parts), sum(map(len, parts)))
    for name, of in (
        ('observation.state', lambda part: part.observations),
        ('next.observation.state', lambda part: part.next_observations),
        ('action', lambda part: part.actions),
        ('next.reward', lambda part: part.rewards),
    ):
        np.testing.assert_array_equal(
            kept[name].reshape(33, -1), np.concatenate([of(p).reshape(len(p), -1) for p in parts])
        )
    films = kept['observation.images.head']
    assert films.shape == (33, 3, 120, 160)
    candidates = np.stack([picture(k)[..., ::-1] for k in range(45)]).astype(int)
    for film, number in zip(films, numbers):
        image = np.moveaxis(film, 0, -1) * 255
        assert int(np.argmin(np.abs(candidates - image).mean(axis=(1, 2, 3)))) == number


def test_statistics_are_those_that_lerobots_own_writer_makes(opened):
    told = opened[0]
    for ours, theirs in (told['stats'], told['each']):
        assert ours.keys() == theirs.keys()
    for feature, ours in told['stats'][0].items():
        theirs = told['stats'][1][feature]
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            # The squares of its pictures have 8 bits in this version; see the statistics.
            if feature.startswith('observation.images') and name == 'std':
                continue
            np.testing.assert_allclose(value, theirs[name], rtol=1e-6, atol=1e-7, err_msg=feature)
    for name, ours in told['each'][0].items():
        if name != 'stats/observation.images.head/std':
            for mine, other in zip(ours, told['each'][1][name]):
                np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-7, err_msg=name)


def test_features_are_those_of_lerobots_own_writer(opened):
    told = opened[0]
    ours, theirs = told['info'], told['again']
    assert ours.keys() == theirs.keys()
    for name, feature in ours.items():
        for key in ('dtype', 'shape', 'names'):
            assert feature[key] == theirs[name][key], name
    mine, other = (told[key]['observation.images.head']['info'] for key in ('info', 'again'))
    assert mine.keys() == other.keys()
    assert {key: mine[key] for key in mine if key != 'video.codec'} == {
        key: other[key] for key in other if key != 'video.codec'
    }


def test_lerobot_trains_a_policy_on_pictures_and_states(opened):
    losses = opened[0]['losses']
    print('ACT:', losses[0], '->', losses[-1])
    assert all(np.isfinite(losses)) and losses[-1] < losses[0]
