#!/bin/sh
# Finding: fewer solver iterations with a high impratio throw a ball 20 m up, and no warning is counted.
# Versions: mujoco 4.0.0, Python 3.11
# Input: a ball of 0.1 m on a plane, pushed along it by a box at 0.5 m/s; 3 iterations of the solver in
#   place of 100, with 5 of its line search in place of 50; impratio 100; step 0.005 s, elliptic cones.
# Behaviour: options that are meant to save time and to keep contacts from slipping change how high
#   the ball's middle comes in 4 s by a factor of 190, while all counters of mjData.warning stay
#   at 0. With either option alone it stays below two radii.
# Seen:
#   iterations 100, impratio 1: 0.104 m, warnings 0
#   iterations 100, impratio 100: 0.106 m, warnings 0
#   iterations 3, impratio 1: 0.123 m, warnings 0
#   iterations 3, impratio 100: 20.448 m, warnings 0
set -eu
. "$(dirname "$0")/common.sh"
environment mujoco==4.0.0
run <<'END'
import sys

import mujoco

MODEL = """
<mujoco><option cone="elliptic" iterations="{}" ls_iterations="{}" impratio="{}" timestep=".005"/>
<worldbody>
  <geom type="plane" size="20 20 1" condim="6" friction=".7 .005 .002"/>
  <body pos="0 0 .1"><freejoint/>
    <geom size=".1" mass=".4" condim="6" friction=".7 .005 .002"/></body>
  <body pos="-.5 0 .3"><joint name="way" type="slide" axis="1 0 0" damping="1"/>
    <geom type="box" size=".1 .15 .25" mass="5"/></body>
</worldbody><actuator><velocity joint="way" kv="500"/></actuator></mujoco>"""
high = {}
for iterations, search in ((100, 50), (3, 5)):
    for ratio in (1, 100):
        model = mujoco.MjModel.from_xml_string(MODEL.format(iterations, search, ratio))
        data, top = mujoco.MjData(model), 0.0
        data.ctrl[0] = 0.5
        while data.time < 4:
            mujoco.mj_step(model, data)
            top = max(top, data.qpos[2])
        high[iterations, ratio] = top
        warnings = sum(int(warning.number) for warning in data.warning)
        print(f'iterations {iterations}, impratio {ratio}: {top:.3f} m, warnings {warnings}')
        if warnings:
            sys.exit('MuJoCo counts a warning now')
if max(high[100, 1], high[100, 100], high[3, 1]) > 0.2:
    sys.exit('the ball leaves the ground with one of the two options alone')
if high[3, 100] < 1:
    sys.exit('the ball stays on the ground with both options')
END
