#!/bin/sh
# Finding: a parameter file with a list such as [1.0, 2, 3] stops the node, though each number is taken alone.
# Versions: ros-rclpy 9.1.2 (Kilted as wheels), Python 3.11
# Input: valid YAML parameter files with lists of numbers, some written without a point.
# Behaviour: a list of whole numbers and of decimal ones is not widened to decimal ones: the whole
#   file is refused, and creating the node raises. The message names the line, not the parameter.
# Seen:
#   [1.0, 2, 3]: Sequence should be of same type. Value type 'integer' do not belong at line_num 3
#   [1, 1.5, 2]: Sequence should be of same type. Value type 'double' do not belong at line_num 3
#   [1e3, 2.5]: [1000.0, 2.5]
set -eu
. "$(dirname "$0")/common.sh"
environment 'ros-rclpy[fastrtps]==9.1.2'
run <<'END'
from pathlib import Path
import re
import sys

import rclpy

rclpy.init()
answers = []
for text in ('[1.0, 2, 3]', '[1, 1.5, 2]', '[1e3, 2.5]'):
    Path('file.yaml').write_text(f'/**:\n  ros__parameters:\n    values: {text}\n')
    try:
        node = rclpy.create_node(
            'finding',
            cli_args=['--ros-args', '--params-file', 'file.yaml'],
            automatically_declare_parameters_from_overrides=True,
        )
        answer = str(list(node.get_parameter('values').value))
        node.destroy_node()
    except Exception as error:
        answer = re.search(r'Error: (.*?line_num \d+)', str(error)).group(1)
    print(f'{text}: {answer}', flush=True)
    answers.append('same type' in answer)
if answers != [True, True, False]:
    sys.exit('lists of whole and decimal numbers are treated otherwise now')
END
