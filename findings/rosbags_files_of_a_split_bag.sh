#!/bin/sh
# Finding: the messages of a bag of several files come file by file, so that time goes back between files.
# Versions: rosbags 0.11.9, Python 3.11
# Input: two bags with stamps 1, 3, 5 and 2, 4, 6, and one bag whose metadata.yaml lists both files:
#   the times of its files overlap.
# Behaviour: AnyReader merges two bags by time, and the messages of one file come by time whatever
#   order they were written in, but the files of one bag follow each other. With a window of time
#   each file is cut, and the order stays wrong.
# Seen:
#   two bags [1, 2, 3, 4, 5, 6]
#   one bag of two files [1, 3, 5, 2, 4, 6]
#   from 2 to 5 [3, 2, 4]
set -eu
. "$(dirname "$0")/common.sh"
environment rosbags==0.11.9
run <<'END'
from pathlib import Path
import shutil
import sys

from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from ruamel.yaml import YAML

store, name = get_typestore(Stores.ROS2_JAZZY), 'std_msgs/msg/String'
content = store.serialize_cdr(store.types[name](data='x'), name)
yaml, about = YAML(typ='safe', pure=True), {}
for bag, stamps in (('one', (1, 3, 5)), ('two', (2, 4, 6))):
    with Writer(Path(bag), version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(f'/{bag}', name, typestore=store)
        for stamp in stamps:
            writer.write(connection, stamp, content)
    about[bag] = yaml.load(Path(bag, 'metadata.yaml'))['rosbag2_bagfile_information']
both, other = about['one'], about['two']
for key in ('relative_file_paths', 'topics_with_message_count', 'files'):
    both[key] = both[key] + other[key]
both['message_count'], both['duration'] = 6, {'nanoseconds': 5}
Path('both').mkdir()
for bag in ('one', 'two'):
    shutil.copy(f'{bag}/{bag}.mcap', 'both')
yaml.dump({'rosbag2_bagfile_information': both}, Path('both/metadata.yaml'))


def stamps(*bags, **window):
    with AnyReader([Path(bag) for bag in bags]) as reader:
        return [stamp for _, stamp, _ in reader.messages(**window)]


print('two bags', stamps('one', 'two'))
print('one bag of two files', stamps('both'))
print('from 2 to 5', stamps('both', start=2, stop=5))
if stamps('one', 'two') != [1, 2, 3, 4, 5, 6] or stamps('both') != [1, 3, 5, 2, 4, 6]:
    sys.exit('the order of the messages is another one now')
END
