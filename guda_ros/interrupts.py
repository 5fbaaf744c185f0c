"""Ctrl-C in the middle of a call into an extension module."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import signal
import threading
from types import FrameType


@contextlib.contextmanager
def interrupts_first() -> Iterator[None]:
    """
    Raise KeyboardInterrupt in place of any error after Ctrl-C.

    In the middle of a call into an extension module, such as rclpy, Ctrl-C comes out as some other
    error. Where it is ignored, is somebody else's, or belongs to another thread, it stays so.
    """
    interrupted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(number, frame)

    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    except Exception as error:
        if interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)
