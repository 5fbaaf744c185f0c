"""Export of policies to ONNX files that carry their contract (control.exported_policy)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.learning.networks import OBSERVATION_CLIP, PolicyNetwork, TrainingError

#: Old enough for the onnxruntime of every supported platform.
_OPSET = 13
_IR_VERSION = 8


def export_policy(
    path: str | os.PathLike,
    network: PolicyNetwork,
    contract: Contract,
    algorithm: str,
    training: dict | None = None,
) -> Path:
    """
    Write a policy as an ONNX file.

    What was at `path` is replaced only when the new file is complete. Input `observation`
    (batch, D) float32 as the contract lays it out: normalisation is inside; output `action`
    (batch, 3) float32 in [-1, 1]. Metadata: contract (JSON), contract_hash, algorithm, training
    (JSON).

    :param training: what is to be known about the training: data, seed, arguments; plain values.
    :raises TrainingError: if the network does not fit the contract or has weights that are not
        finite.
    :raises OSError: if the file cannot be written.
    """
    import onnx

    from guda_ros.data.files import atomic_target

    size = len(contract.observation_names)
    weights = {
        name: value.detach().cpu().numpy().astype(np.float32)
        for name, value in network.state_dict().items()
    }
    found = weights['normaliser.mean'].shape[0], network.layers[-1].out_features
    if found != (size, len(contract.action)):
        raise TrainingError(
            f'the network turns {found[0]} numbers into {found[1]}, the contract {contract.name} '
            f'has {size} and {len(contract.action)}; train it for this contract'
        )
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise TrainingError(f'{name}: a weight is not finite; train the policy again')
    graph = _graph(weights, len(network.layers), size, len(contract.action))
    model = onnx.helper.make_model(
        graph,
        producer_name='guda_ros',
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid('', _OPSET)],
    )
    onnx.helper.set_model_props(
        model,
        {
            'contract': contract.to_json(),
            'contract_hash': contract.hash,
            'algorithm': algorithm,
            'training': json.dumps(training or {}, sort_keys=True),
        },
    )
    onnx.checker.check_model(model)
    with atomic_target(path) as temporary:
        Path(temporary).write_bytes(model.SerializeToString())
    return Path(path)


def _graph(weights, layers, size, actions):
    from onnx import helper, numpy_helper, TensorProto

    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    initializers += [
        numpy_helper.from_array(np.array(value, dtype=np.float32), name)
        for name, value in (('low', -OBSERVATION_CLIP), ('high', OBSERVATION_CLIP))
    ]
    nodes = [
        helper.make_node('Sub', ['observation', 'normaliser.mean'], ['centred']),
        helper.make_node('Mul', ['centred', 'normaliser.scale'], ['scaled']),
        helper.make_node('Clip', ['scaled', 'low', 'high'], ['hidden_0']),
    ]
    for index in range(layers):
        nodes.append(
            helper.make_node(
                'Gemm',
                [f'hidden_{index}', f'layers.{index}.weight', f'layers.{index}.bias'],
                [f'linear_{index}'],
                transB=1,
            )
        )
        last = index == layers - 1
        nodes.append(
            helper.make_node(
                'Tanh' if last else 'Relu',
                [f'linear_{index}'],
                ['action' if last else f'hidden_{index + 1}'],
            )
        )
    return helper.make_graph(
        nodes,
        'policy',
        [helper.make_tensor_value_info('observation', TensorProto.FLOAT, ['batch', size])],
        [helper.make_tensor_value_info('action', TensorProto.FLOAT, ['batch', actions])],
        initializers,
    )
