"""
Write a data set in LeRobot's format, version 3.0, without images; it needs pyarrow only.

meta/info.json, meta/stats.json, meta/tasks.parquet, meta/episodes/ and data/ as documented at
https://huggingface.co/docs/lerobot/lerobot-dataset-v3. Every trajectory is an episode there. The
format has no observation after the last action: it is in next.observation.state and
next.observation.environment_state, which every step has.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.files import atomic_target
from guda_ros.data.sets.trajectories import Trajectory
from guda_ros.data.transitions import DataSetError
from guda_ros.soccer import world

_FILE = 'chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
_TASK = 'push the ball into the goal'


def write_lerobot(
    path: str | os.PathLike[str], parts: Sequence[Trajectory], contract: Contract
) -> None:
    """
    Write trajectories; the folder appears when it is complete.

    observation.state is the contract's observation, observation.environment_state the world state.

    :raises DataSetError: if it exists, cannot be written, or the rate is not a whole number.
    """
    if contract.rate != int(contract.rate):
        raise DataSetError(
            f'LeRobot knows whole rates only, not the {contract.rate:g} Hz of the contract'
        )
    if os.path.exists(path):
        raise DataSetError(
            f'{path}: exists already and is not overwritten; remove it or choose another name'
        )
    columns = [_columns(number, part, contract) for number, part in enumerate(parts)]
    begins = np.cumsum([0, *(len(part) for part in parts)])
    for begin, part in zip(begins, columns):
        part['index'] += begin
    try:
        with atomic_target(path) as temporary:
            _write_meta(temporary / 'meta', parts, columns, begins, contract)
            _write_data(temporary / 'data' / _FILE.format(chunk_index=0, file_index=0), columns)
    except OSError as error:
        raise DataSetError(
            f'{path}: cannot be written: {error}; is there room on the disk, and '
            'may you write there?'
        ) from error


def _columns(number: int, part: Trajectory, contract: Contract) -> dict[str, np.ndarray]:
    count = len(part)
    done = part.terminations | part.timeouts
    return {
        'observation.state': part.observations,
        'observation.environment_state': part.states.astype(np.float32),
        'next.observation.state': part.next_observations,
        'next.observation.environment_state': part.next_states.astype(np.float32),
        'action': part.actions,
        'next.reward': part.rewards,
        'next.done': done,
        'next.success': done & part.success,
        'timestamp': (np.arange(count) / contract.rate).astype(np.float32),
        'frame_index': np.arange(count),
        'episode_index': np.full(count, number),
        'index': np.arange(count),
        'task_index': np.zeros(count, dtype=np.int64),
    }


def _features(contract: Contract) -> dict[str, dict]:
    features = {
        'observation.state': ('float32', list(contract.observation_names)),
        'observation.environment_state': ('float32', list(world.FIELDS)),
        'next.observation.state': ('float32', list(contract.observation_names)),
        'next.observation.environment_state': ('float32', list(world.FIELDS)),
        'action': ('float32', list(contract.action)),
        'next.reward': ('float32', None),
        'next.done': ('bool', None),
        'next.success': ('bool', None),
        'timestamp': ('float32', None),
        'frame_index': ('int64', None),
        'episode_index': ('int64', None),
        'index': ('int64', None),
        'task_index': ('int64', None),
    }
    return {
        name: {'dtype': dtype, 'shape': [len(names or [0])], 'names': names}
        for name, (dtype, names) in features.items()
    }


def _write_meta(
    folder: Path,
    parts: Sequence[Trajectory],
    columns: Sequence[dict[str, np.ndarray]],
    begins: np.ndarray,
    contract: Contract,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    info = {
        'codebase_version': 'v3.0',
        'robot_type': contract.robot,
        'total_episodes': len(parts),
        'total_frames': int(begins[-1]),
        'total_tasks': 1,
        'chunks_size': 1000,
        'data_files_size_in_mb': 100,
        'video_files_size_in_mb': 200,
        'fps': int(contract.rate),
        'splits': {'train': f'0:{len(parts)}'},
        'data_path': f'data/{_FILE}',
        'video_path': None,
        'features': _features(contract),
    }
    whole = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
    for name, content in (('info.json', info), ('stats.json', _statistics(whole))):
        (folder / name).write_text(json.dumps(content, indent=1), encoding='utf-8')
    # The note that makes pandas take the names of tasks as the index of its rows.
    index = {
        'index_columns': ['task'],
        'column_indexes': [],
        'columns': [
            {
                'name': name,
                'field_name': name,
                'pandas_type': kind,
                'numpy_type': numpy,
                'metadata': None,
            }
            for name, kind, numpy in (
                ('task_index', 'int64', 'int64'),
                ('task', 'unicode', 'object'),
            )
        ],
    }
    tasks = pa.table({'task_index': [0], 'task': [_TASK]})
    pq.write_table(
        tasks.replace_schema_metadata({'pandas': json.dumps(index)}), folder / 'tasks.parquet'
    )
    rows = []
    for number, part in enumerate(parts):
        row = {
            'episode_index': number,
            'tasks': [_TASK],
            'length': len(part),
            'dataset_from_index': int(begins[number]),
            'dataset_to_index': int(begins[number + 1]),
            'data/chunk_index': 0,
            'data/file_index': 0,
            'meta/episodes/chunk_index': 0,
            'meta/episodes/file_index': 0,
            'guda/episode': part.episode.id,
            'guda/verdict': part.episode.verdict,
            'guda/first_step': part.first,
        }
        for feature, statistics in _statistics(columns[number]).items():
            row.update({f'stats/{feature}/{name}': value for name, value in statistics.items()})
        rows.append(row)
    target = folder / 'episodes' / _FILE.format(chunk_index=0, file_index=0)
    target.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), target)


def _statistics(columns: dict[str, np.ndarray]) -> dict[str, dict[str, list]]:
    statistics = {}
    for name, column in columns.items():
        column = column.reshape(len(column), -1).astype(np.float64)
        statistics[name] = {
            key: getattr(column, key)(axis=0).tolist() for key in ('min', 'max', 'mean', 'std')
        }
        statistics[name]['count'] = [len(column)]
    return statistics


def _write_data(path: str | os.PathLike[str], columns: Sequence[dict[str, np.ndarray]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True)
    tables = [
        pa.table({name: _arrow(column) for name, column in part.items()}) for part in columns
    ]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        # A row group an episode: one can be read without the others.
        for table in tables:
            writer.write_table(table)


def _arrow(column: np.ndarray):
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(column)
    return pa.FixedSizeListArray.from_arrays(pa.array(column.ravel()), column.shape[1])
