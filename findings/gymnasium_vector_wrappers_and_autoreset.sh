#!/bin/sh
# Finding: vector observation wrappers refuse an autoreset mode by naming it as one that they expect.
# Versions: gymnasium 1.4.0, Python 3.11
# Input: gymnasium.make_vec('CartPole-v1') in each of the three modes of AutoresetMode.
# Behaviour: NormalizeObservation refuses SAME_STEP with "NEXT_STEP or DISABLED" expected, and then
#   refuses DISABLED, too, in other words; DtypeObservation takes DISABLED. NormalizeReward and
#   RecordEpisodeStatistics take all three, so that a pipeline that runs with them stops when the
#   observations are normalised as well.
# Seen:
#   NEXT_STEP NormalizeObservation: taken
#   NEXT_STEP DtypeObservation: taken
#   NEXT_STEP NormalizeReward: taken
#   SAME_STEP NormalizeObservation: Expected autoreset_mode to be NEXT_STEP or DISABLED, got AutoresetMode.SAME_STEP
#   SAME_STEP DtypeObservation: Expected autoreset_mode to be NEXT_STEP or DISABLED, got AutoresetMode.SAME_STEP
#   SAME_STEP NormalizeReward: taken
#   DISABLED NormalizeObservation: Expected env.metadata['autoreset_mode'] to be AutoresetMode.NEXT_STEP, got AutoresetMode.DISABLED
#   DISABLED DtypeObservation: taken
#   DISABLED NormalizeReward: taken
set -eu
. "$(dirname "$0")/common.sh"
environment gymnasium==1.4.0
run <<'END'
import sys

import gymnasium
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector
import numpy as np

WRAPPERS = {
    'NormalizeObservation': vector.NormalizeObservation,
    'DtypeObservation': lambda envs: vector.DtypeObservation(envs, np.float64),
    'NormalizeReward': vector.NormalizeReward,
}
taken = {}
for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED):
    for name, wrap in WRAPPERS.items():
        envs = gymnasium.make_vec(
            'CartPole-v1', 2, vectorization_mode='sync', vector_kwargs={'autoreset_mode': mode}
        )
        try:
            wrap(envs)
            answer = 'taken'
        except ValueError as error:
            answer = str(error)
        taken[mode.name, name] = answer
        print(f'{mode.name} {name}: {answer}')
refused = {key for key, answer in taken.items() if answer != 'taken'}
if 'NEXT_STEP or DISABLED' not in taken['SAME_STEP', 'NormalizeObservation']:
    sys.exit('NormalizeObservation takes SAME_STEP, or asks for something else')
if refused != {('SAME_STEP', 'NormalizeObservation'), ('SAME_STEP', 'DtypeObservation'),
               ('DISABLED', 'NormalizeObservation')}:
    sys.exit(f'refused are now {sorted(refused)}')
END
