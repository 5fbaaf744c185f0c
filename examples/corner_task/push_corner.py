"""A task of a robot with its own goal: the ball is to come to rest in a corner of the field."""

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import SuccessWords
from guda_ros.soccer.observation import Feature
from guda_ros.tasks.soccer.task import SoccerPush

RADIUS = 0.35  # m, about the goal point


class PushCornerContract(Contract):
    """What differs from soccer: where the ball is to come, when it is there, and one feature."""

    task = 'push_corner'
    # What reports call success.
    words = SuccessWords(
        'arrival', 'arrived', 'arrives', f'the ball within {RADIUS} m of the corner'
    )
    # A feature brings the names of its numbers, the most that they can be, and the numbers.
    features = {
        **Contract.features,
        'to_corner': Feature(
            ('to_corner_x', 'to_corner_y'),
            lambda field: (field.length + field.border, field.width + field.border),
            lambda scene: scene.goal - scene.ball,
        ),
    }

    @property
    def goal(self):
        return np.array([self.field.length / 2 - 0.5, self.field.width / 2 - 0.5])

    def scored(self, ball):
        return np.linalg.norm(np.asarray(ball) - self.goal, axis=-1) < RADIUS


class PushCorner(SoccerPush):
    """The same world as soccer_push; reward, ends and observation are those of the contract."""

    name, contract_class = 'push_corner', PushCornerContract

    @property
    def mouth(self):
        x, y = self.contract.goal
        return ((x - RADIUS / 2, x + RADIUS / 2), (y - RADIUS / 2, y + RADIUS / 2))
