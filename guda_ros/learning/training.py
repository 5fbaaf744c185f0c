"""A training as a person runs it: checkpoints, validation, logs, and a stop that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from guda_ros.arguments import as_folder
from guda_ros.learning.checkpoint import require_writable, save_checkpoint
from guda_ros.learning.learner import Learner
from guda_ros.learning.networks import PolicyNetwork, TrainingError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def train_to_file(
    learner: Learner,
    path: str | os.PathLike | None,
    info: dict | None = None,
    checkpoint_every: float = 30.0,
    evaluate: Callable[[PolicyNetwork], float] | None = None,
    evaluations: int = 5,
    report: Callable[[Learner], None] | None = None,
    writer: SummaryWriter | None = None,
) -> bool:
    """
    Train to the end and keep a checkpoint at `path`; return False if Ctrl-C stopped it before.

    The first Ctrl-C lets the update under way finish and saves, so that training can go on from
    exactly there. What a kill leaves behind is the last checkpoint.

    :param path: None to write nothing; then Ctrl-C is the caller's.
    :param checkpoint_every: seconds between two checkpoints; 0 for one at every log entry.
    :param evaluate: judges a policy, such as by its success from validation starts. Called
        `evaluations` times, evenly spread and at the end; the best policy is the one kept.
    :param report: called after every log entry.
    :param writer: of TensorBoard (torch.utils.tensorboard.SummaryWriter).
    :raises OSError: if nothing can be written to `path`, before anything is trained.
    """
    if path is not None:
        require_writable(path)
    marks = {
        -(-round(learner.total * number / evaluations) // learner.config.log_every)
        * learner.config.log_every
        for number in range(1, evaluations + 1)
    }
    marks = {min(mark, learner.total) for mark in marks}
    saved = time.monotonic()

    def after_log(_: Learner) -> None:
        nonlocal saved
        if evaluate and learner.updates in marks:
            learner.validate(evaluate)
        if writer:
            _write(learner, writer)
        if report:
            report(learner)
        due = path is not None and time.monotonic() - saved >= checkpoint_every
        if due and learner.updates < learner.total:
            save_checkpoint(path, learner, info)
            saved = time.monotonic()

    if path is None:
        learner.learn(after_log)
        return True
    with _stopped_by_interrupt(learner):
        learner.learn(after_log)
    save_checkpoint(path, learner, info)
    return learner.updates == learner.total


def tensorboard_writer(folder: str | os.PathLike[str], updates: int = 0) -> SummaryWriter:
    """
    Return a writer of logs for TensorBoard, to be closed by `with`.

    :param updates: at which training goes on; what a killed one had logged after it is hidden.
    :raises TrainingError: if the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise TrainingError(
            f'logs for TensorBoard need the package {error.name}: '
            'python -m pip install tensorboard'
        ) from error
    return SummaryWriter(str(as_folder(folder, 'tensorboard')), purge_step=updates + 1)


def _write(learner: Learner, writer) -> None:
    for name, column in learner.history.items():
        if name != 'update' and column and column[-1] is not None:
            for seed, value in zip(learner.seeds, column[-1]):
                writer.add_scalar(f'{name}/seed_{seed}', value, learner.updates)


@contextlib.contextmanager
def _stopped_by_interrupt(learner: Learner) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number, frame) -> None:
        # Whoever presses it again does not want to wait.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        learner.stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
