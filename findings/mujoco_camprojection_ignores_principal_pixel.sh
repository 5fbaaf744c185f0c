#!/bin/sh
# Finding: the sensor camprojection leaves out the camera's principalpixel, which what is drawn heeds.
# Versions: mujoco 4.0.0, Python 3.11
# Input: a camera of 320x240 pixels with focalpixel 200 and principalpixel (40, 20), and a site on
#   its optical axis.
# Behaviour: the sensor says (160, 120), the middle of the picture, as without a principal point. The
#   frustum of the drawn scene is shifted: its middle lies 40 pixels to +x of the optical axis, so
#   that the site is drawn at 160 - 40 and not at 160 + 40 as (cx, cy) of OpenCV would have it.
# Seen:
#   principalpixel 0 0: sensor [160. 120.], middle of the frustum 0.0 pixels to +x of the axis
#   principalpixel 40 20: sensor [160. 120.], middle of the frustum 40.0 pixels to +x of the axis
set -eu
. "$(dirname "$0")/common.sh"
environment mujoco==4.0.0
run <<'END'
import sys

import mujoco
import numpy as np

MODEL = """
<mujoco><worldbody>
  <geom size=".01" pos="0 0 -3"/><site name="point" pos="0 0 -2"/>
  <camera name="eye" resolution="320 240" sensorsize=".0032 .0024" focalpixel="200 200"
    principalpixel="{}"/>
</worldbody><sensor><camprojection site="point" camera="eye"/></sensor></mujoco>"""
sensed, shifts = [], []
for principal in ('0 0', '40 20'):
    model = mujoco.MjModel.from_xml_string(MODEL.format(principal))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    scene, camera = mujoco.MjvScene(model, 10), mujoco.MjvCamera()
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
    mujoco.mjv_updateScene(
        model, data, mujoco.MjvOption(), None, camera, mujoco.mjtCatBit.mjCAT_ALL, scene
    )
    view = scene.camera[0]
    shifts.append(view.frustum_center / view.frustum_near * 200)
    sensed.append(np.array(data.sensordata))
    print(f'principalpixel {principal}: sensor {sensed[-1]}, middle of the frustum '
          f'{shifts[-1]:.1f} pixels to +x of the axis')
if not np.array_equal(*sensed):
    sys.exit('the sensor heeds the principal point now')
if abs(shifts[1] - 40) > 0.01:
    sys.exit('the frustum is shifted otherwise than 40 pixels to +x')
END
