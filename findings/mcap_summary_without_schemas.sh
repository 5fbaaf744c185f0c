#!/bin/sh
# Finding: a file that the library's writer made without schemas in its summary cannot be read by its reader.
# Versions: mcap 1.6.0, Python 3.11
# Input: ten messages, written with Writer(repeat_schemas=False), and again with repeat_channels=False.
#   Schemas and channels are then in the chunks only, where every file has them; repeating them in
#   the summary is left to the writer.
# Behaviour: make_reader(...).iter_messages() raises a bare KeyError with the number of the schema or
#   the channel. StreamReader reads all ten messages of the same bytes.
# Seen:
#   repeat_schemas=False: make_reader KeyError(1), StreamReader 10 messages
#   repeat_channels=False: make_reader KeyError(1), StreamReader 10 messages
#   {}: make_reader 10, StreamReader 10 messages
set -eu
. "$(dirname "$0")/common.sh"
environment mcap==1.6.0
run <<'END'
import io
import sys

from mcap.reader import make_reader
from mcap.records import Message
from mcap.stream_reader import StreamReader
from mcap.writer import Writer

results = []
for options in ({'repeat_schemas': False}, {'repeat_channels': False}, {}):
    file = io.BytesIO()
    writer = Writer(file, **options)
    writer.start()
    schema = writer.register_schema('number', 'jsonschema', b'{"type": "object"}')
    channel = writer.register_channel('topic', 'json', schema)
    for stamp in range(10):
        writer.add_message(channel, stamp, b'{}', stamp)
    writer.finish()
    content = file.getvalue()
    try:
        found = len(list(make_reader(io.BytesIO(content)).iter_messages()))
    except KeyError as error:
        found = repr(error)
    records = list(StreamReader(io.BytesIO(content)).records)
    streamed = sum(isinstance(record, Message) for record in records)
    named = ', '.join(f'{key}={value}' for key, value in options.items()) or '{}'
    print(f'{named}: make_reader {found}, StreamReader {streamed} messages')
    results.append((found, streamed))
if results != [('KeyError(1)', 10), ('KeyError(1)', 10), (10, 10)]:
    sys.exit('the reader copes with another set of these files now')
END
