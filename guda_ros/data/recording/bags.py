"""Open rosbag2 bags, ours and others', after a look at what their metadata.yaml claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

import yaml

from guda_ros.config.yaml12 import parse_of_program
from guda_ros.data.recording.info import load_definitions, METADATA_FILE

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Reader

#: Bytes of the largest metadata.yaml that is read: some hundred times ours.
_LARGEST = 2**24
#: Of times [ns] of reception: those of a signed integer of 64 bits.
_LATEST = 2**63 - 1


def read_metadata(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """
    Return what metadata.yaml says below `rosbag2_bagfile_information`.

    :raises OSError: if it cannot be read. :raises ValueError: if it is something else; the message
        says what.
    """
    with open(Path(folder) / METADATA_FILE, 'rb') as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f'{METADATA_FILE} is larger than {_LARGEST // 2**20} MB')
    try:
        found = parse_of_program(content.decode('utf-8-sig'))
    except yaml.YAMLError as error:
        raise ValueError(f'{METADATA_FILE} is not valid YAML: {error}') from error
    information = found.get('rosbag2_bagfile_information') if isinstance(found, dict) else None
    if not isinstance(information, dict):
        raise ValueError(f'{METADATA_FILE} does not describe a bag')
    return information


def open_bag(path: str | os.PathLike[str]) -> Reader:
    """
    Return an open reader of a bag: a folder, or a file of one.

    :raises Exception: of any kind if it cannot be read; a parser of damaged bytes may raise
        anything.
    """
    from rosbags.rosbag2 import Reader

    path = Path(path)
    if path.is_dir():
        # Before the reader, whose parser of YAML ends the process on some damaged files.
        read_metadata(path)
    bag = Reader(path)
    bag.open()
    for item in bag.connections:
        if not (
            isinstance(item.topic, str)
            and isinstance(item.msgtype, str)
            and isinstance(item.msgcount, int)
        ):
            close_bag(bag)
            raise ValueError('a topic has no name, no type or no number of messages')
    return bag


def close_bag(bag: Reader) -> None:
    """Close a bag; its reader clears what it took from metadata.yaml, whatever that is."""
    with suppress(AttributeError, TypeError):
        bag.close()


def read_messages(
    bag: Reader, connections: Sequence[Connection], damaged: Callable[[Exception], Exception]
) -> Iterator[tuple[Connection, int, Any]]:
    """
    Yield connection, time of reception [ns] and message, in order of reception.

    :param bag: with the interface of a rosbags Reader. :param connections: of it, at least one.
    :param damaged: gives what is raised where a message cannot be read, by what is wrong with it.
    """
    definitions = load_definitions()
    source = bag.messages(connections)
    while True:
        try:
            connection, stamp, data = next(source)
            if not is_reception(stamp):
                raise ValueError(f'a message was received at {stamp}, which is no time')
            message = definitions.deserialize_cdr(data, connection.msgtype)
        except StopIteration:
            return
        except Exception as error:  # A parser of damaged bytes may raise anything.
            raise damaged(error) from error
        yield connection, stamp, message


def is_reception(time: object) -> bool:
    """Tell whether something can be a message's time of reception [ns]."""
    return isinstance(time, int) and 0 <= time <= _LATEST
