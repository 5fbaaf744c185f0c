"""
Stand-ins for public drivers: processes of their own that behave as those do, over DDS.

What is common to all is in `driver`; `naoqi`, `turtlebot4` and `op3` say what differs. Beside the
topics of their original they have nothing but pipes: a test places robot and ball, and is told
where they are (`process`).
"""
