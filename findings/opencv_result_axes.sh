#!/bin/sh
# Finding: lists of points come without OpenCV 4's middle axis from some functions, and with it from others.
# Versions: opencv-python-headless 5.0.0.93, Python 3.11
# Input: a drawn chessboard, a drawn line, a unit matrix.
# Behaviour: findChessboardCorners and findNonZero return (N, 2) and HoughLinesP (N, 4), where 4.x has
#   (N, 1, 2) and (N, 1, 4); goodFeaturesToTrack, findContours and projectPoints, whose results go
#   into the same functions, still return (N, 1, 2). Code such as `for x1, y1, x2, y2 in lines[:, 0]`
#   breaks, and `points[:, 0]` silently takes the x of all points for the points.
# Seen:
#   findChessboardCorners (35, 2)
#   findNonZero (4, 2)
#   HoughLinesP (1, 4)
#   goodFeaturesToTrack (10, 1, 2)
#   findContours (160, 1, 2)
#   projectPoints (2, 1, 2)
set -eu
. "$(dirname "$0")/common.sh"
environment opencv-python-headless==5.0.0.93
run <<'END'
import sys

import cv2
import numpy as np

board = np.full((300, 400), 255, np.uint8)
for row in range(6):
    for column in range(row % 2, 8, 2):
        board[40 + 30 * row : 70 + 30 * row, 60 + 30 * column : 90 + 30 * column] = 0
line = cv2.line(np.zeros((100, 100), np.uint8), (10, 50), (90, 50), 255, 1)
space = np.array([[0.0, 0, 1], [0.1, 0.1, 1]])
found = {
    'findChessboardCorners': cv2.findChessboardCorners(board, (7, 5))[1],
    'findNonZero': cv2.findNonZero(np.eye(4, dtype=np.uint8)),
    'HoughLinesP': cv2.HoughLinesP(line, 1, np.pi / 180, 20, minLineLength=20, maxLineGap=2),
    'goodFeaturesToTrack': cv2.goodFeaturesToTrack(board, 10, 0.01, 5),
    'findContours': cv2.findContours(line, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0],
    'projectPoints': cv2.projectPoints(space, np.zeros(3), np.zeros(3), np.eye(3), None)[0],
}
for name, result in found.items():
    print(name, result.shape)
if {name: result.ndim for name, result in found.items()} != dict(zip(found, (2, 2, 2, 3, 3, 3))):
    sys.exit('the axes of the results are others now')
END
