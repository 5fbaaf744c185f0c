"""Small exported policies for tests."""

from __future__ import annotations

import numpy as np
import onnx

from guda_ros.data.contract import Contract
from guda_ros.data.registry import SOCCER


def write_policy(
    path,
    contract: Contract | None = None,
    action=(0.5, 0.0, 0.0),
    divide: bool = False,
    toward: str = 'ball_bearing_sin',
) -> None:
    """
    Write a policy that walks with `action` and turns toward the ball.

    :param toward: the number of the observation, the sine of a bearing, by which it turns.
    :param divide: answer NaN to all observations but zeros, which are tried when it is loaded.
    """
    contract = contract or Contract.load()
    names = contract.observation_names
    weights = np.zeros((len(names), 3), np.float32)
    weights[names.index(toward), 2] = 1.0
    nodes = [
        onnx.helper.make_node(
            'Gemm', ['observation', 'w', 'b'], ['action' if not divide else 'finite']
        )
    ]
    if divide:
        # (o - o) / (|o| summed > 0 ? 0 : 1): 0 / 1 for the zeros that loading tries, else 0 / 0.
        nodes += [
            onnx.helper.make_node('Sub', ['finite', 'finite'], ['zero']),
            onnx.helper.make_node('ReduceL1', ['observation'], ['size'], axes=[1]),
            onnx.helper.make_node('Sign', ['size'], ['some']),
            onnx.helper.make_node('Sub', ['one', 'some'], ['divisor']),
            onnx.helper.make_node('Div', ['zero', 'divisor'], ['nan']),
            onnx.helper.make_node('Add', ['finite', 'nan'], ['action']),
        ]
    graph = onnx.helper.make_graph(
        nodes,
        'walk',
        [
            onnx.helper.make_tensor_value_info(
                'observation', onnx.TensorProto.FLOAT, ['batch', len(names)]
            )
        ],
        [onnx.helper.make_tensor_value_info('action', onnx.TensorProto.FLOAT, ['batch', 3])],
        [
            onnx.numpy_helper.from_array(weights, 'w'),
            onnx.numpy_helper.from_array(np.array(action, np.float32), 'b'),
            onnx.numpy_helper.from_array(np.array([1.0], np.float32), 'one'),
        ],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 17)])
    model.ir_version = 8
    properties = {
        'contract': contract.to_json(),
        'contract_hash': contract.hash,
        'algorithm': 'test',
        'training': '{}',
    }
    if contract.task != SOCCER:
        properties['task'] = contract.task
    for key, value in properties.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
