"""Export of policies to ONNX files that carry their contract (control.exported_policy)."""

from __future__ import annotations

from dataclasses import asdict
import json
import os
from pathlib import Path

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.registry import SOCCER
from guda_ros.learning.networks import OBSERVATION_CLIP, PolicyNetwork, TrainingError

#: Old enough for the onnxruntime of every supported platform.
_OPSET = 13
_IR_VERSION = 8


def export_policy(
    path: str | os.PathLike[str],
    network: PolicyNetwork,
    contract: ContractBase,
    algorithm: str,
    training: dict | None = None,
) -> Path:
    """
    Write a policy as an ONNX file.

    What was at `path` is replaced only when the new file is complete. Input `observation`
    (batch, D) float32 as the contract lays it out: normalisation is inside; output `action`
    (batch, A) float32: of a policy with action chunks the first one, so that it needs no memory
    and every observation is answered anew. Metadata: contract (JSON), contract_hash, algorithm,
    task (if it is not soccer_push), limits (of a robot), normalisation, training (JSON).

    :param training: what is to be known about the training: data, seed, arguments; plain values.
    :raises TrainingError: if the network does not fit the contract or has weights that are not
        finite.
    :raises OSError: if the file cannot be written.
    """
    import onnx

    from guda_ros.data.files import atomic_target

    path = as_path(path)
    size = len(contract.observation_names)
    weights = {
        name: value.detach().cpu().numpy().astype(np.float32)
        for name, value in network.state_dict().items()
    }
    found = weights['normaliser.mean'].shape[0], weights['action_range.reach'].shape[0]
    if found != (size, contract.action_size):
        raise TrainingError(
            f'the network turns {found[0]} numbers into {found[1]}, the contract {contract.name} '
            f'has {size} and {contract.action_size}; train it for this contract'
        )
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise TrainingError(f'{name}: a weight is not finite; train the policy again')
    graph = _graph(weights, network, size, contract.action_size)
    model = onnx.helper.make_model(
        graph,
        producer_name='guda_ros',
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid('', _OPSET)],
    )
    properties = {
        'contract': contract.to_json(),
        'contract_hash': contract.hash,
        'algorithm': algorithm,
    }
    if contract.task != SOCCER:
        properties['task'] = contract.task
    if isinstance(contract, Contract):
        properties['limits'] = json.dumps(asdict(contract.limits))
    properties['normalisation'] = json.dumps(_normalisation(weights, contract))
    properties['training'] = json.dumps(training or {}, sort_keys=True)
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    with atomic_target(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return path


def _normalisation(weights: dict[str, np.ndarray], contract: ContractBase) -> dict:
    return {
        'observation': list(contract.observation_names),
        'mean': weights['normaliser.mean'].tolist(),
        # 0 for what was constant, which the policy ignores.
        'std': [1.0 / scale if scale else 0.0 for scale in weights['normaliser.scale'].tolist()],
        'clip': OBSERVATION_CLIP,
        'action_centre': weights['action_range.centre'].tolist(),
        'action_half_range': weights['action_range.reach'].tolist(),
    }


def _graph(weights: dict[str, np.ndarray], network: PolicyNetwork, size: int, actions: int):
    from onnx import helper, numpy_helper, TensorProto

    constants = {
        'low': np.float32(-OBSERVATION_CLIP),
        'high': np.float32(OBSERVATION_CLIP),
    }
    nodes = [
        helper.make_node('Sub', ['observation', 'normaliser.mean'], ['centred']),
        helper.make_node('Mul', ['centred', 'normaliser.scale'], ['scaled']),
        helper.make_node('Clip', ['scaled', 'low', 'high'], ['hidden_0']),
    ]
    last = len(network.layers) - 1
    for index in range(last + 1):
        nodes.append(
            helper.make_node(
                'Gemm',
                [f'hidden_{index}', f'layers.{index}.weight', f'layers.{index}.bias'],
                [f'linear_{index}'],
                transB=1,
            )
        )
        if index < last:
            nodes.append(helper.make_node('Relu', [f'linear_{index}'], [f'hidden_{index + 1}']))
    means = f'linear_{last}'
    if network.components > 1:
        count = network.components
        constants |= {
            'begin': np.array([0]),
            'weights_end': np.array([count]),
            'means_end': np.array([count * (1 + actions)]),
            'columns': np.array([1]),
            'components': np.array([0, count, actions]),
            'depth': np.array(count),
            'off_on': np.array([0.0, 1.0], dtype=np.float32),
            'likeliest_shape': np.array([0, count, 1]),
        }
        nodes += [
            helper.make_node('Slice', [means, 'begin', 'weights_end', 'columns'], ['weights']),
            helper.make_node('Slice', [means, 'weights_end', 'means_end', 'columns'], ['flat']),
            helper.make_node('ArgMax', ['weights'], ['best'], axis=1, keepdims=0),
            helper.make_node('OneHot', ['best', 'depth', 'off_on'], ['chosen'], axis=1),
            helper.make_node('Reshape', ['chosen', 'likeliest_shape'], ['mask']),
            helper.make_node('Reshape', ['flat', 'components'], ['candidates']),
            helper.make_node('Mul', ['candidates', 'mask'], ['masked']),
            helper.make_node('ReduceSum', ['masked', 'columns'], ['mean'], keepdims=0),
        ]
        means = 'mean'
    nodes += [
        helper.make_node('Tanh', [means], ['output']),
        helper.make_node('Mul', ['output', 'action_range.reach'], ['stretched']),
        helper.make_node('Add', ['stretched', 'action_range.centre'], ['action']),
    ]
    initializers = [
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in (*weights.items(), *constants.items())
    ]
    return helper.make_graph(
        nodes,
        'policy',
        [helper.make_tensor_value_info('observation', TensorProto.FLOAT, ['batch', size])],
        [helper.make_tensor_value_info('action', TensorProto.FLOAT, ['batch', actions])],
        initializers,
    )
