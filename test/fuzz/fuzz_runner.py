"""
Read mutated inputs in worker processes, and tell what became of each.

A worker is a process of its own with a bound on its memory, so that a C library that ends the
process, or that never comes back, is seen and the next input is read by another worker. Each input
follows from seed, kind and its number, as far as the valid files are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
import io
import json
import os
from pathlib import Path
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from guda_ros.errors import GudaError

#: Processor time [s] of one input before it counts as hanging, and wall time before it is stuck.
CPU_LIMIT, WALL_LIMIT = 10.0, 300.0
#: Bytes that reading one may take beside what reading a valid one took.
MEMORY_BOUND = 2**30
#: What becomes of an input.
REFUSED, TAKEN, NONSENSE, TRACEBACK, HANG, CRASH, MEMORY, DAMAGE = (
    'refused', 'taken', 'nonsense', 'traceback', 'hang', 'crash', 'memory', 'damage',
)  # fmt: skip
FAULTS = (NONSENSE, TRACEBACK, HANG, CRASH, MEMORY, DAMAGE)


class Refused(Exception):
    """A command said what is wrong with an input, and ended with an exit code."""


class Nonsense(Exception):
    """What cannot be was taken."""


@dataclass(frozen=True)
class Mutant:
    """
    Files by name, below a folder, and which of them is read.

    change: what was done; may_move: the reader may rename the files, but loses no byte of them.
    """

    files: dict[str, bytes]
    path: str
    may_move: bool = False


class Kind(ABC):
    """Inputs of one kind: valid ones, changed ones, and how they are read."""

    #: Errors, beside GudaError, by which the reader says what is wrong.
    errors: tuple[type[Exception], ...] = ()

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Make valid inputs in a folder."""

    @abstractmethod
    def valid(self) -> list[Mutant]:
        """Return the valid inputs."""

    @abstractmethod
    def mutant(self, rng: random.Random) -> Mutant:
        """Return a changed input."""

    @abstractmethod
    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        """
        Read an input as users do; `out` is a folder for what is made of it.

        :raises GudaError, Refused: if it is refused. :raises Nonsense: if what cannot be is taken.
        """


def guda(*arguments: str | os.PathLike) -> str:
    """Run the command line in this process and return what it prints; Refused with its error."""
    from guda_ros.cli import main as command

    if not hasattr(command.build_parser, 'cache_info'):
        # Half of the time of a short command goes into its parser, which is always the same.
        command.build_parser = cache(command.build_parser)
    told, wrong = (io.TextIOWrapper(io.BytesIO(), 'utf-8', write_through=True) for _ in range(2))
    try:
        with redirect_stdout(told), redirect_stderr(wrong):
            code = command.main([str(argument) for argument in arguments])
    except SystemExit as error:
        raise Refused(f'usage: {error}') from error
    text = told.buffer.getvalue().decode('utf-8', 'replace')
    if code:
        message = wrong.buffer.getvalue().decode('utf-8', 'replace')
        if not (message.strip() or text.strip()):
            raise Nonsense(f'exit code {code} without a word')
        raise Refused(message or text)
    return text


def rng_of(seed: int, kind: str, index: int) -> random.Random:
    """Return the source of all that is drawn for an input."""
    return random.Random(f'{seed}/{kind}/{index}')


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a folder."""
    return {
        str(Path(base, name).relative_to(folder)): Path(base, name).read_bytes()
        for base, _, names in os.walk(folder)
        for name in names
    }


_NEIGHBOURS = {'letter.txt': b'a letter\n', 'other/notes.yaml': b'a: 1\n'}


@dataclass
class Outcome:
    """What became of an input: one of the words above; where and text of a fault."""

    what: str
    where: str = ''
    text: str = ''


def read_one(kind: Kind, mutant: Mutant, folder: Path, rng: random.Random) -> Outcome:
    """Put a mutant into an empty folder among others, read it, and look at the files again."""
    given, out = folder / 'given', folder / 'out'
    for path in (given, out):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    files = {**mutant.files, **_NEIGHBOURS}
    for name, content in files.items():
        (given / name).parent.mkdir(parents=True, exist_ok=True)
        (given / name).write_bytes(content)
    outcome = _read(kind, given / mutant.path, out, rng)
    found = contents(given)
    if mutant.may_move:
        kept = Counter(found.values())
        lost = [name for name, content in files.items() if not kept[content]]
    else:
        lost = [name for name in {**files, **found} if files.get(name) != found.get(name)]
    if lost and outcome.what not in FAULTS:
        outcome = Outcome(DAMAGE, ', '.join(sorted(lost))[:80], 'files changed: ' + str(lost))
    return outcome


def _read(kind: Kind, path: Path, out: Path, rng: random.Random) -> Outcome:
    try:
        kind.read(path, out, rng)
    except (GudaError, Refused, *kind.errors) as error:
        return Outcome(REFUSED, text=str(error))
    except Nonsense as error:
        return Outcome(NONSENSE, str(error)[:60], str(error))
    except MemoryError:
        return Outcome(MEMORY, _where(), traceback.format_exc())
    except Exception as error:
        where = f'{type(error).__name__} at {_where()}'
        return Outcome(TRACEBACK, where, traceback.format_exc())
    return Outcome(TAKEN)


def _where() -> str:
    """Return the last line of the package in the traceback of what is handled."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    own = [frame for frame in frames if '/guda_ros/' in frame.filename] or list(frames)
    file = own[-1].filename.rpartition('/guda_ros/')[2]
    return f'{file}:{own[-1].lineno}'


def _status(name: str) -> int:
    """Return a value of /proc/self/status in bytes."""
    text = Path('/proc/self/status').read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name)) * 1024


def work(kind: Kind, name: str, seed: int, first: int, count: int, bound: int) -> Iterator[dict]:
    """Read inputs from number `first` on; yield a report of each, and first of the readiness."""
    folder = Path(tempfile.mkdtemp(prefix='fuzz-'))
    try:
        kind.prepare(folder / 'seeds')
        for mutant in kind.valid():
            outcome = read_one(kind, mutant, folder / 'work', rng_of(seed, name, -1))
            if outcome.what != TAKEN:
                raise AssertionError(f'{name}: a valid input was not taken: {outcome}')
        if bound:
            limit = _status('VmSize') + bound
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        Path('/proc/self/clear_refs').write_text('5')
        before = _status('VmRSS')
        yield {'ready': True}
        for index in range(first, first + count):
            rng = rng_of(seed, name, index)
            with _cpu_limit():
                outcome = read_one(kind, kind.mutant(rng), folder / 'work', rng)
            yield {
                'index': index,
                'what': outcome.what,
                'where': outcome.where,
                'text': outcome.text[-4000:],
                'memory': max(0, _status('VmHWM') - before),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cpu_limit() -> Iterator[None]:
    # Nobody handles it: the kernel ends the process, whatever a C library does just then.
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@dataclass
class Result:
    """What became of the inputs of a kind; peak: bytes beside what valid ones took."""

    kind: str
    counts: Counter = field(default_factory=Counter)
    peak: int = 0
    #: (what, where) -> numbers of the inputs, and the text of the first.
    faults: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        return sum(self.counts.values())

    def add(self, index: int, outcome: Outcome) -> None:
        """Count an input."""
        self.counts[outcome.what] += 1
        if outcome.what in FAULTS:
            key = outcome.what, outcome.where
            self.faults.setdefault(key, []).append(index)
            self.texts.setdefault(key, outcome.text)


def fuzz(
    name: str, seed: int, count: int, command: list[str], say: Callable[[str], None] = print
) -> Result:
    """
    Have workers read the inputs of a kind, one after the other.

    :param command: starts a worker that prints what `work` yields as lines of JSON; the first
        number and the count follow as arguments.
    """
    result, done = Result(name), 0
    while done < count:
        # What a worker leaves that did not come to its end goes with the folder.
        folder = tempfile.TemporaryDirectory(prefix='fuzz-')
        worker = subprocess.Popen(
            [*command, str(done), str(count - done)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, 'TMPDIR': folder.name},
        )
        try:
            ready, ended = False, None
            for report in _reports(worker):
                if 'ready' in report:
                    ready = True
                    continue
                done = report['index'] + 1
                result.peak = max(result.peak, report['memory'])
                result.add(
                    report['index'], Outcome(report['what'], report['where'], report['text'])
                )
        except TimeoutError:
            ended = Outcome(HANG, 'stuck', f'no end within {WALL_LIMIT:g} s')
        finally:
            worker.kill()
            _, wrong = worker.communicate()
            folder.cleanup()
        told = wrong.decode(errors='replace')
        if not ready:
            raise RuntimeError(f'a worker of {name} did not start:\n{told}')
        if done < count:
            ended = ended or _end_of(worker.returncode, told)
            result.add(done, ended)
            done += 1
    return result


def _end_of(code: int, told: str) -> Outcome:
    if code == -signal.SIGPROF:
        return Outcome(HANG, 'computes', f'no end within {CPU_LIMIT:g} s of processor time')
    name = signal.Signals(-code).name if code < 0 else f'exit code {code}'
    return Outcome(CRASH, name, told[-4000:])


def _reports(worker: subprocess.Popen) -> Iterator[dict]:
    """Yield what a worker prints; TimeoutError if it says nothing for too long."""
    rest = b''
    while True:
        if not select.select([worker.stdout], [], [], WALL_LIMIT)[0]:
            raise TimeoutError
        read = os.read(worker.stdout.fileno(), 2**16)
        if not read:
            worker.wait()
            return
        *lines, rest = (rest + read).split(b'\n')
        for line in lines:
            yield json.loads(line)


def table(results: list[Result]) -> str:
    """Return the results as a table in Markdown."""
    rows = [
        '| kind | inputs | refused | rightly taken | nonsense taken | tracebacks | hangs '
        '| crashes | beyond the bound | files changed | peak memory [MB] |',
        '|---|' + '---:|' * 10,
    ]
    for result in results:
        counts = [
            result.counts[what]
            for what in (REFUSED, TAKEN, NONSENSE, TRACEBACK, HANG, CRASH, MEMORY, DAMAGE)
        ]
        cells = [result.kind, result.inputs, *counts, f'{result.peak / 1e6:.0f}']
        rows.append('| ' + ' | '.join(map(str, cells)) + ' |')
    return '\n'.join(rows)
