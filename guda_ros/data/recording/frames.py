"""The frames in which what is recorded has to come, looked at message by message."""

from __future__ import annotations

from guda_ros.data.contract import Contract
from guda_ros.data.recording.serialization import header_frame


def expected_frames(contract: Contract) -> dict[str, str]:
    """Return role -> frame_id of what is read from recordings."""
    frames = contract.frames
    return {
        'odom': frames['odom'],
        'ball': frames['odom'],
        'pose': frames['map'],
        'ground_truth_robot': frames['map'],
        'ground_truth_ball': frames['map'],
    }


def unfit_frame(key: str, found: str, expected: str) -> tuple[str, str]:
    """
    Return what is wrong with a frame, and what to do.

    :param key: of the frame in `frames` of a robot profile.
    """
    return (
        f'comes in frame {found!r} where {expected!r} is expected',
        f'put `frames: {{{key}: {found}}}` into the robot profile'
        if found
        else f'let who publishes it name it: frame_id {expected}',
    )


class FrameCheck:
    """Notice messages in a frame that a reader of the recording would refuse."""

    def __init__(self, contract: Contract) -> None:
        self._expected = expected_frames(contract)
        #: Role -> what is wrong with its latest message.
        self.problems: dict[str, str] = {}

    def look(self, role: str, data: bytes) -> str:
        """Return what is wrong with the frame of a serialized message; empty if nothing is."""
        expected = self._expected.get(role)
        if expected is None:
            return ''
        found = header_frame(data)
        if found == expected:
            self.problems.pop(role, None)
            return ''
        key = 'odom' if role in ('odom', 'ball') else 'map'
        self.problems[role] = ': '.join(unfit_frame(key, found, expected))
        return self.problems[role]
