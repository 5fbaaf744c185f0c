"""All drivers by name."""

from drivers.naoqi import NAOQI
from drivers.op3 import OP3
from drivers.turtlebot4 import TURTLEBOT4

DRIVERS = {'naoqi': NAOQI, 'turtlebot4': TURTLEBOT4, 'op3': OP3}
