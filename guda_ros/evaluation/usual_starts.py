"""Which set of starts policies are judged from unless the user names one."""

#: By where they are judged; guda_ros.evaluation.start_sets says what is in each.
USUAL_SETS = {'batch': 'attack-v1', 'ros': 'attack-ros-v1', 'robot': 'placed-v1'}
