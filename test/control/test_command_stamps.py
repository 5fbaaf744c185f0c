from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np

from guda_ros.control.command_stamps import CommandStamps, PATIENCE

PERIOD = 100_000_000


@st.composite
def _arrivals(draw):
    """Return sent messages (kind, number, sent) with delays, of which some headers are lost."""
    count = draw(st.integers(1, 12))
    events = []
    for number in range(count):
        sent = (number + 1) * PERIOD + draw(st.integers(0, 20_000_000))
        delay = st.floats(0.0, 0.9 * PATIENCE)
        events.append(('command', number, sent + 50_000, sent * 1e-9 + draw(delay)))
        if draw(st.booleans()):
            events.append(('header', number, sent, sent * 1e-9 + draw(delay)))
    return count, sorted(events, key=lambda event: event[3])


@settings(max_examples=300, deadline=None)
@given(_arrivals())
def test_every_command_gets_the_stamp_of_its_own_header_whatever_comes_late_or_never(arrivals):
    count, events = arrivals
    stamps, told = CommandStamps(), []
    headed = {number for kind, number, _, _ in events if kind == 'header'}
    for kind, number, sent, now in events:
        if kind == 'header':
            told += stamps.header(sent, 7_000 + number, 'policy', now)
        else:
            received = round(now * 1e9)
            told += stamps.command(sent, received, np.full(3, float(number)), now)
    told += stamps.due(now + 2 * PATIENCE)
    received = {number: round(now * 1e9) for kind, number, _, now in events if kind == 'command'}
    found = {int(known.command[0]): (known.stamp, known.commander) for known in told}
    assert len(told) == count
    assert found == {
        number: (7_000 + number, 'policy') if number in headed else (received[number], '')
        for number in range(count)
    }


def test_a_command_without_a_header_waits_no_longer_than_its_patience():
    stamps = CommandStamps()
    assert stamps.command(5, 123, np.ones(3), now=1.0) == []
    assert stamps.due(1.0 + 0.9 * PATIENCE) == []
    (known,) = stamps.due(1.0 + PATIENCE)
    assert (known.stamp, known.commander) == (123, '')
