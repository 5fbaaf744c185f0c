"""Make the ONNX file that runs on a robot, with contract and normalisation inside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from guda_ros.arguments import as_path
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.files import refuse_existing
from guda_ros.errors import naming_extras
from guda_ros.learning.checkpoint import load_checkpoint
from guda_ros.learning.export import export_policy
from guda_ros.learning.networks import TrainingResult
from guda_ros.workflows.progress import Say, silent

if TYPE_CHECKING:
    from guda_ros.data.contract_base import ContractBase


@naming_extras()
def export(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    seed: int | None = None,
    *,
    overwrite: bool = False,
    say: Say = silent,
) -> ExportedPolicy:
    """
    Write a policy file (ONNX) and return the policy in it, as `guda export` does.

        policy = guda_ros.export('runs/mine/guided.pt', 'runs/mine/guided.onnx')
        actions = policy.predict(observations)  # (n, D) -> (n, 3) in [-1, 1]

    :param checkpoint: file that `guda train` wrote; for one that is in memory see `Training`.
    :param seed: which of several, by default the best by validation.
    :raises GudaError: if the checkpoint cannot be used, or `out` is there and not `overwrite`.
    """
    checkpoint, out = as_path(checkpoint, 'checkpoint'), as_path(out, 'out')
    refuse_existing(out, overwrite)
    result, contract, info = load_checkpoint(checkpoint, seed)
    return write_policy(out, result, contract, info, say)


def write_policy(
    out: str | os.PathLike,
    result: TrainingResult,
    contract: ContractBase,
    info: dict,
    say: Say = silent,
) -> ExportedPolicy:
    """
    Write the policy of a training and return it as it is read back.

    :param info: of the training, as load_checkpoint returns it.
    """
    if result.updates < info['total']:
        say(f'note: stopped after {result.updates} of {info["total"]} updates')
    export_policy(
        out, result.network, contract, result.config['algorithm'], {**result.config, **info}
    )
    return ExportedPolicy.load(out)
