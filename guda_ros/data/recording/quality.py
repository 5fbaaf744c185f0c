"""Judge, before the operator moves on, whether an episode is good enough to learn from."""

from __future__ import annotations

from typing import Any

from guda_ros.data.pairing import SampleTally
from guda_ros.data.recording.alarms import ENOUGH, SPOILING, StreamAlarms
from guda_ros.data.verdicts import BROKEN_OFF

#: The largest share of a stream that may be missing, or stale, in a good episode.
MAX_LOST = 0.02


def quality_report(
    verdict: str,
    tally: SampleTally,
    alarms: StreamAlarms,
    refused: int = 0,
    slowest_sync: float = 0.0,
) -> dict[str, Any]:
    """
    Return the quality report that a recording carries, as plain values.

    good: whether to learn from it; reasons: why not, as sentences; problems: whatever is missing;
    lost: the largest share of missing samples of the control steps; alarms and streams: see
    StreamAlarms.report, with seconds after the start; refused: messages that the full disk did not
    take; slowest_sync [s].
    """
    report = alarms.report()
    reasons = []
    if verdict in BROKEN_OFF:
        reasons.append(f'it was broken off ({verdict or "no verdict"})')
    if tally.lost > MAX_LOST:
        reasons.append(f'{tally.lost:.0%} of the samples of its steps are missing')
    reasons += [
        f'{role}: {stream["lost"]} of {stream["messages"] + stream["lost"]} were lost'
        for role, stream in report['streams'].items()
        if role not in tally.indifferent
        and stream['lost'] > MAX_LOST * (stream['messages'] + stream['lost'])
    ]
    # A stream that is late for a moment is an alarm, but no loss.
    reasons += [
        f'{role}: {stream["rate"]:.1f} Hz instead of {stream["wanted_rate"]:g} Hz'
        for role, stream in report['streams'].items()
        if stream['wanted_rate']
        and stream['rate'] is not None
        and stream['rate'] < ENOUGH * stream['wanted_rate']
    ]
    for alarm in alarms.total(SPOILING):
        messages = report['streams'].get(alarm.role, {}).get('messages', 0)
        if alarm.kind == 'stale' and alarm.count <= MAX_LOST * messages:
            continue
        where = f'{alarm.role}: ' if alarm.role else ''
        reasons.append(f'{where}{alarm.text}, {alarm.first:.1f} s after the start')
    if refused:
        reasons.append(f'{refused} messages were refused by the full disk')
    return {
        'good': not reasons,
        'reasons': reasons,
        'problems': tally.problems(),
        'lost': round(tally.lost, 6),
        'refused': refused,
        'slowest_sync': round(slowest_sync, 4),
        **report,
    }
