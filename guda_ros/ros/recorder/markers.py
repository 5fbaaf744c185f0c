"""Markers of what live augmentation accepted, for RViz and Foxglove."""

from __future__ import annotations

import math

from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from guda_ros.augmentation.coverage import CELL

_ROBOT, _BALL, _POSITION = (0.0, 0.45, 0.70), (0.84, 0.37, 0.0), (0.94, 0.89, 0.26)
#: Length [m] of the stroke that shows a heading.
_STROKE = 0.12


def augmentation_markers(report: dict, frame: str) -> MarkerArray:
    """
    Return the accepted stretches, the positions of the ball that are covered, and words.

    :param report: of LiveAugmenter.run.
    :param frame: the name of `map`.
    """
    robot = _marker(frame, 'robot', Marker.LINE_LIST, _ROBOT, 0.9)
    ball = _marker(frame, 'ball', Marker.LINE_LIST, _BALL, 0.9)
    starts = _marker(frame, 'ball_starts', Marker.POINTS, _BALL, 0.9)
    robot.scale.x, ball.scale.x = 0.015, 0.02
    starts.scale.x = starts.scale.y = 0.05
    for path in report['stretches']:
        for begin, end in zip(path[:-1], path[1:]):
            for thing, first, height in ((robot, 0, 0.02), (ball, 3, 0.03)):
                # In a task without a ball a row ends with the robot.
                thing.points += [
                    Point(x=row[first], y=row[first + 1], z=height)
                    for row in (begin, end)
                    if len(row) > first
                ]
        x, y, yaw = path[0][:3]
        if len(path[0]) > 3:
            starts.points.append(Point(x=path[0][3], y=path[0][4], z=0.03))
        robot.points += [
            Point(x=x, y=y, z=0.02),
            Point(x=x + _STROKE * math.cos(yaw), y=y + _STROKE * math.sin(yaw), z=0.02),
        ]
    places = _marker(frame, 'places', Marker.CUBE_LIST, _POSITION, 0.3)
    places.scale.x = places.scale.y = 0.9 * CELL
    places.scale.z = 0.005
    left, low = report['origin']
    most = max((count for row in report['places'] for count in row), default=0)
    for column, row in enumerate(report['places']):
        for number, count in enumerate(row):
            if count:
                places.points.append(
                    Point(x=left + (column + 0.5) * CELL, y=low + (number + 0.5) * CELL, z=0.0)
                )
                share = 0.1 + 0.4 * math.log1p(count) / math.log1p(most)
                places.colors.append(_colour(_POSITION, share))
    words = _marker(frame, 'words', Marker.TEXT_VIEW_FACING, (1.0, 1.0, 1.0), 1.0)
    words.scale.z = 0.25
    words.pose.position.y = low + (len(report['places'][0]) + 0.8) * CELL
    words.pose.position.z = 0.1
    words.text = (
        f'{report["episodes"]} episodes, {report["covered"]:.0%} of the approaches '
        f'covered, {report["acceptance"]:.0%} accepted'
    )
    if report['next']:
        words.text += f'\nshow next: robot {report["next"]}'
    markers = [places, robot, ball, starts, words]
    for marker in markers:
        # A list without a point is no marker that can be shown.
        if marker is not words and not marker.points:
            marker.action = Marker.DELETE
    return MarkerArray(markers=markers)


def _marker(frame: str, name: str, kind: int, colour, opaque: float) -> Marker:
    marker = Marker(ns=name, id=0, type=kind, action=Marker.ADD)
    marker.header.frame_id = frame
    marker.pose.orientation.w = 1.0
    marker.color = _colour(colour, opaque)
    return marker


def _colour(colour, opaque: float) -> ColorRGBA:
    red, green, blue = colour
    return ColorRGBA(r=red, g=green, b=blue, a=float(opaque))
