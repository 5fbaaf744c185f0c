"""YAML files as people write them: by version 1.2, in UTF-8, each key once."""

import math

from hypothesis import example, given
from hypothesis import strategies as st
import pytest
import yaml

from guda_ros.config import yaml12
from guda_ros.config.files import (
    config_directories,
    ConfigError,
    find_config,
    load_yaml,
    read_config_text,
    Section,
)
from guda_ros.config.yaml12 import parse, parse_of_program
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.up import read_overrides


@pytest.mark.parametrize(
    'text, value',
    [
        ('3e-4', 3e-4),
        ('1E3', 1000.0),
        ('1e3', 1000.0),
        ('.5e2', 50.0),
        ('5.', 5.0),
        ('+1', 1),
        ('010', 10),
        ('0x10', 16),
        ('0o17', 15),
        ('-.inf', -math.inf),
        ('no', 'no'),
        ('on', 'on'),
        ('1:30', '1:30'),
        ('1_000', '1_000'),
        ('2026-01-01', '2026-01-01'),
        ('true', True),
        ('~', None),
        ('0,3', '0,3'),
        ('[1e-3, 2]', [0.001, 2]),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text, value):
    # The table of YAML 1.2.2, section 10.3.2.
    found = parse(f'key: {text}')['key']
    assert found == value and type(found) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
def test_every_number_that_python_writes_is_read_again(value):
    for text in (repr(value), f'{value:e}', f'{value:E}'):
        assert parse(f'- {text}') == [float(text)]


@pytest.mark.parametrize(
    'text, problem',
    [
        ('a: 1\nb: 2\na: 3', "the key 'a' stands twice, in lines 1 and 3"),
        ('a: {b: 1, b: 1}', "the key 'b' stands twice"),
        ('a: &x [*x]', 'aliases repeat'),
        ('\n'.join(['a0: &a0 [1]'] + [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]'
                                      for i in range(1, 10)]), 'aliases repeat'),
        ('[' * 5000, 'nested too deeply'),
        ('a: ' + '9' * 5000, 'digits'),
        ('a:\tb: 1', 'line 1'),
        ('a: !!python/name:os.getcwd', 'could not determine a constructor'),
        ('a: !!bool maybe', 'not what its tag'),
        ('a: !!timestamp soon', 'not what its tag'),
        ('b: &b {x: 1}\na: {<<: *b, y: 1, y: 2}', "the key 'y' stands twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_file(tmp_path, text, problem):
    file = tmp_path / 'mine.yaml'
    file.write_text(text)
    with pytest.raises(ConfigError, match=problem) as error:
        load_yaml(file)
    assert str(error.value).startswith(f'{file}: not valid YAML: ')


def test_keys_may_be_taken_over_from_another_mapping():
    assert parse('base: &b {x: 1}\nmine: {<<: *b, y: 2}')['mine'] == {'x': 1, 'y': 2}


def test_what_was_taken_over_and_changed_may_be_taken_over_again_before_it_is_read():
    text = 'base: &b {x: 1}\ndeep:\n  inner: &m {<<: *b, x: 2}\ntop: {<<: *m}'
    assert parse(text) == {'base': {'x': 1}, 'deep': {'inner': {'x': 2}}, 'top': {'x': 2}}


@pytest.mark.parametrize(
    'content, problem',
    [
        ('# für\na: 1'.encode('latin-1'), r'not UTF-8 \(byte 0xfc in line 1\); save it as UTF-8'),
        ('a: 1\nb: ä'.encode('latin-1'), 'byte 0xe4 in line 2'),
        ('a: 1'.encode('utf-16'), 'not UTF-8'),
        (b'a: ' + b'1' * 1_100_000, 'larger than 1 MB'),
        (b'a: \x00', 'not valid YAML'),
    ],
)
def test_a_file_that_is_no_text_in_utf_8_is_named(tmp_path, content, problem):
    file = tmp_path / 'mine.yaml'
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=problem):
        load_yaml(file)


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_bytes('\ufeffa: 1\r\nb: ü\r\n'.encode())
    assert load_yaml(file) == {'a': 1, 'b': 'ü'}


def test_a_profile_takes_scientific_numbers(tmp_path):
    file = tmp_path / 'sci.yaml'
    text = find_config('robots', 'nao_v6').read_text()
    assert 'yaw_bias: 0.0005' in text
    file.write_text(text.replace('yaw_bias: 0.0005', 'yaw_bias: 5e-4'))
    assert RobotProfile.load(file) == RobotProfile.load('nao_v6')


@pytest.mark.parametrize(
    'value, problem',
    [
        ('0,3', "'0,3': write 0.3"),
        ('3e', "'3e'$"),
        ('0.3', "'0.3': write it without quotes"),
        (1e400, 'a finite number is expected'),
        (math.nan, 'nan is outside'),
    ],
)
def test_a_number_that_is_none_is_told_with_what_may_be_meant(value, problem):
    with pytest.raises(ConfigError, match=problem):
        Section({'speed': value}, 'mine.yaml').number('speed')


def test_a_home_folder_is_found_in_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'r.yaml').write_text('a: 1')
    assert find_config('robots', '~/r.yaml') == tmp_path / 'r.yaml'


def test_values_on_the_command_line_are_read_in_the_same_way():
    assert read_overrides(['safety.x=3e-4', 'safety.y=no']) == {'safety': {'x': 3e-4, 'y': 'no'}}
    with pytest.raises(Exception, match='is not a YAML value'):
        read_overrides(['safety.x=[1'])


@pytest.mark.skipif(not yaml.__with_libyaml__, reason='PyYAML came without libyaml')
def test_what_is_shipped_is_read_by_the_parser_in_c(monkeypatch):
    files = [path for folder in config_directories() for path in sorted(folder.glob('*/*.yaml'))]
    assert len(files) > 20
    # There is no other parser to fall back on.
    monkeypatch.setattr(yaml12, 'Loader', None)
    for path in files:
        assert parse(read_config_text(path)), path


def test_the_other_readers_of_yaml_are_not_changed():
    assert yaml.safe_load('no') is False


@pytest.mark.parametrize(
    'text, problem',
    [
        ('a: "b\\0c"', 'a: a text without control characters is expected'),
        ('a: "\\ud800"', 'half a character'),
    ],
)
def test_texts_that_nobody_could_print_are_refused(tmp_path, text, problem):
    path = tmp_path / 'it.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        Section(load_yaml(path), path).text('a')


@pytest.mark.parametrize(
    'text', ['a: 1' + '0' * 400, 'a: 0x' + 'f' * 5000, 'a: "' + 'x' * 9000 + '"']
)
def test_a_value_of_any_size_is_refused_in_a_short_message(tmp_path, text):
    path = tmp_path / 'it.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match='a: .* expected') as caught:
        Section(load_yaml(path), path).number('a')
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    'text, problem',
    [
        ('[' * 60 + ']' * 60, 'nested too deeply'),
        ('a: &x [*x]', 'aliases repeat'),
        ('a: 2024-13-45', 'not what it seems'),
        ('a: [', 'flow node|expected'),
    ],
)
def test_what_programs_write_is_bounded_too(text, problem):
    assert parse_of_program('a: [1, {b: 2}]') == {'a': [1, {'b': 2}]}
    with pytest.raises(yaml.YAMLError, match=problem):
        parse_of_program(text)
