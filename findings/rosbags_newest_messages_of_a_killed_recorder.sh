#!/bin/sh
# Finding: the messages that SQLite keeps in the -wal file beside a .db3 are left out, and nothing is said.
# Versions: rosbags 0.11.9, Python 3.11
# Input: a bag in sqlite3 whose writer was killed, with the database's -wal file beside it, as SQLite's
#   own documentation describes; sqlite3 reads all of its messages.
# Behaviour: rosbags opens the database as immutable, for which SQLite does not look at the -wal file,
#   and hands out the messages that had been checkpointed before; no error, no warning.
# Seen:
#   sqlite3: 20 messages, rosbags: 12 messages
set -eu
. "$(dirname "$0")/common.sh"
environment rosbags==0.11.9
run <<'END'
from contextlib import closing
from pathlib import Path
import shutil
import sqlite3
import sys

from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

types = get_typestore(Stores.ROS2_HUMBLE)
String = types.types['std_msgs/msg/String']
with Writer(Path('bag'), version=9, storage_plugin=StoragePlugin.SQLITE3) as bag:
    topic = bag.add_connection('/said', String.__msgtype__, typestore=types)
    for second in range(20):
        data = bytes(types.serialize_cdr(String(str(second)), String.__msgtype__))
        bag.write(topic, second * 10**9, data)
(written,) = Path('bag').glob('*.db3')
Path('killed').mkdir()
with closing(sqlite3.connect(written)) as database:
    rows = database.execute('SELECT * FROM messages ORDER BY timestamp').fetchall()
    database.execute('DELETE FROM messages WHERE timestamp >= ?', (rows[12][2],))
    database.commit()
    database.execute('PRAGMA journal_mode = WAL')
    database.execute('PRAGMA wal_autocheckpoint = 0')
    database.executemany('INSERT INTO messages VALUES (?, ?, ?, ?)', rows[12:])
    database.commit()
    # The state at this moment is what a kill leaves.
    for file in Path('bag').glob('*.db3*'):
        shutil.copy(file, Path('killed', file.name))
with Reader(Path('killed', written.name)) as reader:
    found = sum(1 for _ in reader.messages())
with closing(sqlite3.connect(Path('killed', written.name))) as database:
    (there,) = database.execute('SELECT COUNT(*) FROM messages').fetchone()
print(f'sqlite3: {there} messages, rosbags: {found} messages')
if (there, found) != (20, 12):
    sys.exit('another number of messages than stated')
END
