#!/bin/sh
# Finding: the newest onnxruntime refuses what the newest onnx makes, however old the operators are.
# Versions: onnx 1.23.2, onnxruntime 1.31.1, Python 3.11
# Input: a graph of a single Relu of opset 13, made by onnx.helper.make_model and accepted by the checker.
# Behaviour: make_model stamps its newest IR version, 14, which onnxruntime does not know yet; asking for
#   an old opset does not lower it. With ir_version=8 the same graph loads.
# Seen:
#   IR version 14, opset 13: refused
#   IR version 8, opset 13: loaded
set -eu
. "$(dirname "$0")/common.sh"
environment onnx==1.23.2 onnxruntime==1.31.1
run <<'END'
import sys

import onnx
from onnx import helper, TensorProto
import onnxruntime

ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n']) for name in 'xy']
graph = helper.make_graph([helper.make_node('Relu', ['x'], ['y'])], 'g', ends[:1], ends[1:])
answers = []
for options in ({}, {'ir_version': 8}):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], **options)
    onnx.checker.check_model(model)
    try:
        onnxruntime.InferenceSession(model.SerializeToString())
        answers.append('loaded')
    except Exception as error:
        answers.append('refused' if 'IR version' in str(error) else str(error))
    print(f'IR version {model.ir_version}, opset 13: {answers[-1]}')
if answers != ['refused', 'loaded']:
    sys.exit('onnxruntime takes another set of IR versions now')
END
