"""PyTorch's compiler, which nothing here uses, is not imported for optimisers."""

from __future__ import annotations

from collections.abc import Callable
import inspect
import sys
from types import FunctionType

import torch

#: Where torch._compile keeps what it calls instead of a function.
_MARK = '__dynamo_disable'


def plain_step(optimizer: torch.optim.Optimizer) -> Callable[[], object]:
    """
    Return the step of an optimiser as its class has it: without hooks, schedulers and profiles.

    PyTorch's own wrapper imports torch._dynamo, which takes two seconds, to be ready for a
    compiler. To be called where no gradient is kept (torch.no_grad), as that wrapper does.
    """
    return inspect.unwrap(type(optimizer).step).__get__(optimizer)


def leave_compiler_out() -> None:
    """
    Let optimisers be made without torch._dynamo, too.

    PyTorch imports it when the first one is made, only to learn that functions of optimisers are
    not to be compiled, and then keeps for each what to call instead. Kept here is the function
    itself. Nothing changes where the compiler was imported before.
    """
    if 'torch._dynamo' in sys.modules:
        return
    for function in vars(torch.optim.Optimizer).values():
        if not isinstance(function, FunctionType):
            continue
        if function.__code__.co_filename.endswith('_compile.py'):
            plain = getattr(function, '__wrapped__', None)
            if plain is not None and not hasattr(plain, _MARK):
                setattr(plain, _MARK, plain)
