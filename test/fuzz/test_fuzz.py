"""A few damaged files of each kind, and that the fuzzer sees what a reader does to it."""

from collections import Counter
from pathlib import Path
import random
import sys

from fuzz_kinds import KINDS
from fuzz_runner import FAULTS, fuzz, read_one, REFUSED, rng_of, table, TAKEN
import pytest

HERE = Path(__file__).resolve().parent
#: Those of checkpoints are read beside the other tests that load torch.
LIGHT = [name for name in KINDS if name != 'checkpoint']

#: Readers that do, one after the other, what none may do.
BROKEN = """
import json, os, sys
sys.path[:0] = {path!r}
import fuzz_runner
from fuzz_runner import GudaError, Kind, Mutant, Nonsense, work

class Broken(Kind):
    number = int(sys.argv[1]) - 1
    def prepare(self, folder): pass
    def valid(self): return []
    def mutant(self, rng):
        self.number += 1
        return Mutant({{'given.txt': b'x'}}, 'given.txt')
    def read(self, path, out, rng):
        if self.number == 1: raise GudaError('no such thing')
        if self.number == 2: raise KeyError('x')
        if self.number == 3: os.abort()
        if self.number == 4: path.write_bytes(b'y')
        if self.number == 5: (path.parent / 'letter.txt').unlink()
        if self.number == 6: (path.parent / 'new.txt').write_bytes(b'y')
        if self.number == 7: bytearray(2**31)
        if self.number == 8: raise Nonsense('far away')
        if self.number == 9:
            while True: pass

fuzz_runner.CPU_LIMIT = 0.2
for report in work(Broken(), 'broken', 1, int(sys.argv[1]), int(sys.argv[2]), 2**28):
    print(json.dumps(report), flush=True)
"""


@pytest.mark.parametrize('name', LIGHT)
def test_damaged_files_are_refused_in_words_or_rightly_taken(tmp_path, name):
    kind, counts = KINDS[name](), Counter()
    kind.prepare(tmp_path / 'seeds')
    outcome = read_one(kind, kind.valid()[-1], tmp_path / 'work', random.Random(0))
    assert outcome.what == TAKEN, outcome
    for index in range(25 if name in ('bag', 'mcap') else 40):
        rng = rng_of(7, name, index)
        outcome = read_one(kind, kind.mutant(rng), tmp_path / 'work', rng)
        assert outcome.what not in FAULTS, f'input {index}: {outcome.where}\n{outcome.text}'
        counts[outcome.what] += 1
    assert counts[REFUSED] > 5


def test_whatever_a_reader_does_to_an_input_or_to_its_process_is_counted(tmp_path):
    script = tmp_path / 'broken.py'
    script.write_text(BROKEN.format(path=[str(HERE.parents[1]), str(HERE)]))
    result = fuzz('broken', 1, 11, [sys.executable, str(script)])
    found = {numbers[0]: what for (what, _), numbers in result.faults.items()}
    assert found == {
        2: 'traceback', 3: 'crash', 4: 'damage', 5: 'damage', 6: 'damage', 7: 'memory',
        8: 'nonsense', 9: 'hang',
    }  # fmt: skip
    assert result.inputs == 11 and result.counts['refused'] == 1 and result.counts['taken'] == 2
    assert '| broken | 11 | 1 | 2 | 1 | 1 | 1 | 1 | 1 | 3 |' in table([result])


def test_an_input_follows_from_seed_kind_and_number_alone(tmp_path):
    made = []
    for attempt in range(2):
        kind = KINDS['contract']()
        kind.prepare(tmp_path / str(attempt))
        made.append([kind.mutant(rng_of(3, 'contract', index)).files for index in range(10)])
    assert made[0] == made[1]
