"""Training does without PyTorch's compiler, whose import takes longer than a small training."""

import os
import subprocess
import sys

import torch

from guda_ros.learning.compiler import plain_step

SCRIPT = """
import sys
from learning_data import learner

for name in ('bc', 'td3_bc'):
    trained = learner(name, updates=3)
    trained.learn()
    trained.load_state_dict(trained.state_dict())
print('torch._dynamo' in sys.modules)
"""


def test_what_is_trained_goes_on_without_the_compiler():
    result = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        check=False,
    )
    assert result.stdout.split() == ['False'], result.stderr


def test_the_plain_step_is_that_of_the_optimiser():
    found = []
    for plain in (True, False):
        weight = torch.arange(4.0, requires_grad=True)
        optimizer = torch.optim.AdamW([weight], lr=0.1, fused=True)
        step = plain_step(optimizer) if plain else optimizer.step
        for _ in range(3):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            with torch.no_grad():
                step()
        found.append(weight.detach())
    assert torch.equal(*found) and not torch.equal(found[0], torch.arange(4.0))
