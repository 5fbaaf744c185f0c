"""Pictures of the field for RViz and Foxglove."""

from __future__ import annotations

from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from guda_ros.soccer.field import Field
from guda_ros.soccer.field_lines import line_segments


def field_markers(field: Field, frame: str) -> MarkerArray:
    """Return the carpet, the lines and the goals of a field in `frame`, whose origin is `map`."""
    carpet = _marker(frame, 0, Marker.CUBE, (0.07, 0.30, 0.10))
    carpet.scale.x = field.length + 2 * field.border
    carpet.scale.y = field.width + 2 * field.border
    carpet.scale.z, carpet.pose.position.z = 0.01, -0.01
    lines = _marker(frame, 1, Marker.LINE_LIST, (1.0, 1.0, 1.0))
    lines.scale.x = field.line_width
    for start, end in line_segments(field).tolist():
        lines.points += [Point(x=start[0], y=start[1]), Point(x=end[0], y=end[1])]
    goals = _marker(frame, 2, Marker.LINE_LIST, (0.9, 0.9, 0.9))
    goals.scale.x = 2 * field.post_radius
    for side in field.goal_sides:
        x, half, top = side * field.length / 2, field.goal_width / 2, field.goal_height
        for start, end in (
            ((-half, 0.0), (-half, top)),
            ((-half, top), (half, top)),
            ((half, top), (half, 0.0)),
        ):
            goals.points += [Point(x=x, y=start[0], z=start[1]), Point(x=x, y=end[0], z=end[1])]
    return MarkerArray(markers=[carpet, lines, goals])


def _marker(frame: str, number: int, kind: int, colour: tuple[float, float, float]) -> Marker:
    marker = Marker(ns='field', id=number, type=kind, action=Marker.ADD)
    marker.header.frame_id = frame
    marker.pose.orientation.w = 1.0
    red, green, blue = map(float, colour)
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return marker
