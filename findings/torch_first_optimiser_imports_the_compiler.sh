#!/bin/sh
# Finding: making the first optimiser imports PyTorch's compiler, some 800 modules, though nothing is compiled.
# Versions: torch 2.13.0, numpy 2.4.6, Python 3.11
# Input: one parameter of two numbers, and torch.optim.SGD of it, in eager mode on the CPU.
# Behaviour: before, torch._dynamo is not loaded; after the constructor it is, with hundreds of modules
#   (sympy among them), a second of CPU time and some 70 MB. A second optimiser costs nothing. Programs that
#   train for a moment, or start many processes, pay it in each.
# Seen:
#   import torch: torch._dynamo False
#   SGD made: torch._dynamo True sympy True hundreds of modules True
#   the second: further modules 0
set -eu
. "$(dirname "$0")/common.sh"
environment 'torch==2.13.0' 'numpy==2.4.6'
run <<'END'
import sys

import torch

loaded = 'torch._dynamo' in sys.modules
print('import torch: torch._dynamo', loaded)
before = len(sys.modules)
weights = torch.nn.Parameter(torch.zeros(2))
torch.optim.SGD([weights], lr=0.1)
more = len(sys.modules) - before
after = 'torch._dynamo' in sys.modules
print('SGD made: torch._dynamo', after, 'sympy', 'sympy' in sys.modules, 'hundreds of modules', more > 300)
before = len(sys.modules)
torch.optim.SGD([weights], lr=0.1)
print('the second: further modules', len(sys.modules) - before)
if loaded:
    sys.exit('importing torch loads the compiler now')
if not after or more <= 300:
    sys.exit('an optimiser is made without the compiler now')
END
