#!/bin/sh
# Finding: SAC writes use_sde into the dictionary that it is given as policy_kwargs, and TD3 refuses the same one then.
# Versions: stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.13.0, Python 3.11
# Input: one dictionary, {'net_arch': [8]}, for two models of one environment.
# Behaviour: the constructor of SAC leaves {'net_arch': [8], 'use_sde': False} in the caller's dictionary; TD3's policy
#   raises TypeError for that key. With a dictionary of its own each model is made.
# Seen:
#   before {'net_arch': [8]}
#   after SAC {'net_arch': [8], 'use_sde': False}
#   TD3: TypeError: TD3Policy.__init__() got an unexpected keyword argument 'use_sde'
#   TD3 with its own dictionary: made
set -eu
. "$(dirname "$0")/common.sh"
environment 'stable-baselines3==2.9.2' 'gymnasium==1.4.0' 'torch==2.13.0'
run <<'END'
import sys

import gymnasium
from stable_baselines3 import SAC, TD3

arguments = {'net_arch': [8]}
print('before', arguments)
env = gymnasium.make('Pendulum-v1')
SAC('MlpPolicy', env, policy_kwargs=arguments, device='cpu', buffer_size=10)
print('after SAC', arguments)
changed = 'use_sde' in arguments
try:
    TD3('MlpPolicy', env, policy_kwargs=arguments, device='cpu', buffer_size=10)
    refused = False
    print('TD3: made')
except TypeError as error:
    refused = True
    print(f'TD3: TypeError: {error}')
TD3('MlpPolicy', env, policy_kwargs={'net_arch': [8]}, device='cpu', buffer_size=10)
print('TD3 with its own dictionary: made')
if not changed:
    sys.exit("SAC leaves the caller's dictionary as it was now")
if not refused:
    sys.exit('TD3 takes the key now')
END
