"""Run an exported policy with onnxruntime and NumPy alone: python onnx_policy.py POLICY.onnx."""

import json
import sys

import numpy as np
import onnxruntime


def main(path):
    """Print what the policy sees and does, and what it answers to an observation."""
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    about = session.get_modelmeta().custom_metadata_map
    names = json.loads(about['normalisation'])['observation']
    print(f'{about["algorithm"]} for the contract {about["contract_hash"]}')
    # Observations are given as the contract lays them out: the network normalises them itself.
    observation = np.zeros((1, len(names)), dtype=np.float32)
    (action,) = session.run(['action'], {'observation': observation})
    for name, value in zip(names, observation[0]):
        print(f'  {name:<24} {value:g}')
    print('action:', ', '.join(f'{value:.3f}' for value in action[0]))
    limits = json.loads(about.get('limits', '{}'))
    if limits:
        # Of a robot: forward, left and turn, of which 1 stands for the limit.
        high = np.array([limits['forward'], limits['side'], limits['turn']])
        low = np.array([limits['backward'], limits['side'], limits['turn']])
        command = action[0] * np.where(action[0] < 0, low, high)
        print('command (m/s, m/s, rad/s):', ', '.join(f'{value:.3f}' for value in command))


if __name__ == '__main__':
    main(sys.argv[1])
