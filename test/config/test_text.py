import pytest
import yaml

from guda_ros.config.files import ConfigError
from guda_ros.config.text import with_entry, with_item, with_values

TEXT = """\
# A robot.
name: first
sources: []
walk:           # how it walks
  response_time: [0.1, 0.2, 0.3]        # s
  delay: 0.0    # s
odometry:
  noise: 0.01
  delivery: {latency: 0.0}      # s
  # nothing more
imu:
  rate: 100
"""


def test_values_change_and_comments_stay():
    text = with_values(
        TEXT,
        {
            'name': 'second',
            'walk.response_time.1': 0.456789,
            'walk.delay': 0.00001234,
            'odometry.delivery.latency': 0.5,
        },
    )
    assert yaml.safe_load(text) == {
        'name': 'second',
        'sources': [],
        'walk': {'response_time': [0.1, 0.4568, 0.3], 'delay': 0.00001234},
        'odometry': {'noise': 0.01, 'delivery': {'latency': 0.5}},
        'imu': {'rate': 100},
    }
    for comment in ('# A robot.', '# how it walks', '# s\n', '# nothing more'):
        assert comment in text
    assert len(text.splitlines()) == len(TEXT.splitlines())


def test_a_key_that_is_new_is_put_at_the_end_of_its_section():
    text = with_values(TEXT, {'odometry.gain': 1.02})
    assert yaml.safe_load(text)['odometry'] == {
        'noise': 0.01,
        'delivery': {'latency': 0.0},
        'gain': 1.02,
    }
    assert text.index('# s\n  gain: 1.02\n') > 0


def test_an_entry_makes_its_section_and_is_replaced_later():
    text = with_entry(TEXT, 'uncertainty', 'walk.delay', 0.02, 'of what was found')
    assert 'uncertainty:  # of what was found\n' in text
    text = with_entry(text, 'uncertainty', 'walk.gain', 0.1)
    text = with_entry(text, 'uncertainty', 'walk.delay', 0.01)
    assert yaml.safe_load(text)['uncertainty'] == {'walk.delay': 0.01, 'walk.gain': 0.1}


def test_items_are_appended_to_empty_and_other_lists():
    text = with_item(TEXT, 'sources', 'drive: "one", #2')
    text = with_item(text, 'sources', 'another')
    assert yaml.safe_load(text)['sources'] == ['drive: "one", #2', 'another']
    assert 'walk:           # how it walks' in text


def test_words_that_mean_something_else_in_yaml_are_quoted():
    for name in ('true', 'null', 'off', '12'):
        assert yaml.safe_load(with_values(TEXT, {'name': name}))['name'] == name


def test_a_section_that_is_missing_is_named():
    with pytest.raises(ConfigError, match='my.yaml: legs: is missing'):
        with_values(TEXT, {'legs.length': 1.0}, 'my.yaml')
    with pytest.raises(ConfigError, match='not valid YAML'):
        with_values('a: [', {'a': 1.0})
