"""Exported policies: what a network answers, and which files are refused."""

import json
import subprocess
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest

from guda_ros.control.exported_policy import ExportedPolicy, PolicyFileError
from guda_ros.data.contract import Contract

CONTRACT = Contract.load()
SIZE = len(CONTRACT.observation_names)


def write_policy(
    path,
    *,
    contract=CONTRACT,
    size=SIZE,
    outputs=3,
    metadata=None,
    bias=None,
    name='observation',
    kind=TensorProto.FLOAT,
):
    """Write the policy action[i] = 2 * observation[i] + bias[i]."""
    weights = np.zeros((size, outputs), np.float32)
    for index in range(min(size, outputs)):
        weights[index, index] = 2.0
    bias = np.float32([0.5, 0.0, -0.25][:outputs] if bias is None else bias)
    graph = helper.make_graph(
        [
            helper.make_node('MatMul', [name, 'weights'], ['product']),
            helper.make_node('Add', ['product', 'bias'], ['action']),
        ],
        'policy',
        [helper.make_tensor_value_info(name, kind, ['batch', size])],
        [helper.make_tensor_value_info('action', kind, ['batch', outputs])],
        [
            numpy_helper.from_array(
                weights if kind == TensorProto.FLOAT else weights.astype(float), 'weights'
            ),
            numpy_helper.from_array(
                bias if kind == TensorProto.FLOAT else bias.astype(float), 'bias'
            ),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)])
    model.ir_version = 8
    values = {
        'contract': contract.to_json(),
        'contract_hash': contract.hash,
        'algorithm': 'bc',
        'training': json.dumps({'seed': 3}),
    }
    values.update(metadata or {})
    helper.set_model_props(model, {key: value for key, value in values.items() if value})
    onnx.save(model, path)
    return path


@pytest.fixture
def file(tmp_path):
    return write_policy(tmp_path / 'policy.onnx')


def test_prediction_is_the_network_clipped_to_one(file):
    policy = ExportedPolicy.load(file)
    observation = np.zeros(SIZE)
    observation[:3] = [0.1, 0.2, -3.0]
    # 2 * 0.1 + 0.5, 2 * 0.2 + 0 and 2 * -3 - 0.25, clipped.
    np.testing.assert_allclose(policy.predict(observation), [0.7, 0.4, -1.0], rtol=1e-6)


def test_batches_are_predicted_row_by_row(file):
    policy = ExportedPolicy.load(file)
    observations = np.random.default_rng(0).normal(size=(5, SIZE)) * 0.1
    actions = policy.predict(observations)
    assert actions.shape == (5, 3)
    for observation, action in zip(observations, actions):
        np.testing.assert_array_equal(policy.predict(observation), action)


def test_metadata_and_contract_travel_with_the_file(file):
    policy = ExportedPolicy.load(file, CONTRACT)
    assert policy.contract == CONTRACT
    assert policy.metadata['algorithm'] == 'bc' and policy.metadata['training'] == {'seed': 3}


@pytest.mark.parametrize(
    'observation',
    [
        np.zeros(SIZE + 1),
        np.zeros((2, SIZE - 1)),
        np.zeros((1, 1, SIZE)),
        0.0,
        np.full(SIZE, np.nan),
        np.full(SIZE, np.inf),
    ],
)
def test_senseless_observations_are_refused(file, observation):
    with pytest.raises(ValueError, match='observations'):
        ExportedPolicy.load(file).predict(observation)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(PolicyFileError, match='No such file'):
        ExportedPolicy.load(tmp_path / 'none.onnx')
    with pytest.raises(PolicyFileError, match='cannot be read'):
        ExportedPolicy.load(tmp_path)


def test_truncated_file_is_refused_wherever_it_was_cut(file):
    content = file.read_bytes()
    for size in (
        0,
        1,
        10,
        len(content) // 4,
        len(content) // 2,
        len(content) - 40,
        len(content) - 1,
    ):
        file.write_bytes(content[:size])
        with pytest.raises(PolicyFileError, match='policy.onnx'):
            ExportedPolicy.load(file)


def test_file_that_is_no_model_is_refused(file):
    file.write_bytes(b'\x89PNG not a network')
    with pytest.raises(PolicyFileError, match='no ONNX model'):
        ExportedPolicy.load(file)


def test_policy_of_another_contract_is_refused_naming_what_differs(tmp_path):
    values = json.loads(CONTRACT.to_json())
    values['rate'] = 20.0
    other = Contract.from_json(json.dumps(values))
    path = write_policy(tmp_path / 'policy.onnx', contract=other)
    assert ExportedPolicy.load(path).contract.rate == 20.0
    with pytest.raises(PolicyFileError, match=r'rate: 10.0 != 20.0'):
        ExportedPolicy.load(path, CONTRACT)


@pytest.mark.parametrize(
    'change, message',
    [
        ({'metadata': {'contract': ''}}, 'lacks contract'),
        ({'metadata': {'algorithm': '', 'training': ''}}, 'lacks algorithm, training'),
        ({'metadata': {'contract_hash': '0' * 16}}, 'was altered'),
        ({'metadata': {'contract': '{"name": 1}'}}, 'metadata cannot be read'),
        ({'metadata': {'training': '{'}}, 'metadata cannot be read'),
        ({'size': SIZE - 1}, rf'\(batch, {SIZE}\)'),
        ({'outputs': 2}, r'\(batch, 3\)'),
        ({'name': 'image'}, "'observation' is expected"),
        ({'kind': TensorProto.DOUBLE}, 'must be float32'),
        ({'bias': [np.nan, 0, 0]}, 'finite numbers are expected'),
    ],
)
def test_foreign_or_altered_models_are_refused(tmp_path, change, message):
    path = write_policy(tmp_path / 'policy.onnx', **change)
    with pytest.raises(PolicyFileError, match=message):
        ExportedPolicy.load(path)


@pytest.mark.parametrize(
    'metadata, problem',
    [
        ({'training': '[]'}, 'training: a mapping is expected'),
        ({'training': '{"chunk": "x"}'}, 'training: chunk: a whole number from 1'),
        ({'training': '{"seed": "\\ud800"}'}, 'control characters'),
        ({'limits': '{"forward": "x"}'}, 'limits: forward: 1 numbers are expected'),
        ({'limits': '{"forward": 1' + '0' * 400 + '}'}, 'limits: forward: 1 numbers are expected'),
        ({'limits': 'x'}, 'Expecting value'),
        ({'normalisation': '{}'}, "'clip'"),
        ({'normalisation': '{"clip": 10, "mean": [1]}'}, r'normalisation: mean: \d+ numbers'),
        ({'algorithm': 'a\0b'}, 'control characters'),
    ],
)
def test_metadata_that_are_not_of_their_kind_are_refused(tmp_path, metadata, problem):
    write_policy(tmp_path / 'policy.onnx', metadata=metadata)
    with pytest.raises(PolicyFileError, match=f'its metadata cannot be read .*{problem}'):
        ExportedPolicy.load(tmp_path / 'policy.onnx')


def test_metadata_that_somebody_added_are_read_as_they_are(tmp_path):
    write_policy(tmp_path / 'policy.onnx', metadata={'author': 'not JSON'})
    documents = ExportedPolicy.load(tmp_path / 'policy.onnx').documents
    assert documents['author'] == 'not JSON' and documents['contract']['rate'] == 10.0


def test_loading_and_running_a_policy_needs_one_thread_and_no_learning_library(file):
    code = f"""
import os, sys
import numpy as np
import onnxruntime
from guda_ros.control.exported_policy import ExportedPolicy
before = len(os.listdir('/proc/self/task'))
policy = ExportedPolicy.load({str(file)!r})
for _ in range(50):
    policy.predict(np.zeros({SIZE}))
print(len(os.listdir('/proc/self/task')) - before)
for name in ('torch', 'mujoco', 'stable_baselines3', 'gymnasium', 'minari', 'onnx', 'rclpy'):
    assert name not in sys.modules, name
"""
    result = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env={'PATH': '', 'OMP_NUM_THREADS': '1', 'HOME': '/tmp'},
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == 0
