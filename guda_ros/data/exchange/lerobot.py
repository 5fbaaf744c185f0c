"""
Write a data set in LeRobot's format, version 3.0; it needs pyarrow, and OpenCV for pictures.

meta/info.json, meta/stats.json, meta/tasks.parquet, meta/episodes/, data/ and videos/ as
documented at https://huggingface.co/docs/lerobot/lerobot-dataset-v3. Every trajectory is an
episode there. The format has no observation after the last action: it is in
next.observation.state and next.observation.environment_state, which every step has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
import json
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.exchange import lerobot_statistics
from guda_ros.data.exchange.lerobot_statistics import Statistics
from guda_ros.data.exchange.pictures import FilmWriter, RecordedPictures
from guda_ros.data.files import atomic_target
from guda_ros.data.registry import SOCCER
from guda_ros.data.sets.trajectories import Trajectory
from guda_ros.data.transitions import DataSetError
from guda_ros.soccer import world

if TYPE_CHECKING:
    from pyarrow import Array

_FILE = 'chunk-{chunk_index:03d}/file-{file_index:03d}'
_TABLE = f'{_FILE}.parquet'
_VIDEO = f'videos/{{video_key}}/{_FILE}.mp4'
#: Name of the head camera's pictures.
_CAMERA = 'observation.images.head'
#: A file of pictures is not continued with another episode beyond this [MB], and there are so many
#: in a folder; LeRobot's own numbers.
_VIDEO_SIZE, _CHUNK = 200, 1000
#: Nor beyond this [s]: LeRobot's loader finds pictures by times in 32 bits, within .1 ms.
_VIDEO_TIME = 900


def write_lerobot(
    path: str | os.PathLike[str],
    parts: Sequence[Trajectory],
    contract: Contract,
    pictures: RecordedPictures | None = None,
) -> None:
    """
    Write trajectories; the folder appears when it is complete.

    observation.state is the contract's observation, observation.environment_state the world state,
    observation.images.head what the camera saw then.

    :param pictures: every step of `parts` has one there; none are written without.
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
    statistics = [
        {name: lerobot_statistics.column_statistics(column) for name, column in part.items()}
        for part in columns
    ]
    features = _features(contract)
    places: list[dict[str, Any]] = [{} for _ in parts]
    try:
        with atomic_target(path) as temporary:
            if pictures:
                codec, places, seen = _write_pictures(temporary, parts, contract.rate, pictures)
                features[_CAMERA] = _camera(codec, contract.rate, pictures.size)
                for one, statistic in zip(statistics, seen):
                    one[_CAMERA] = statistic
            _write_meta(temporary / 'meta', parts, statistics, begins, contract, features, places)
            _write_data(temporary / 'data' / _TABLE.format(chunk_index=0, file_index=0), columns)
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
        # Stored as float32; its statistics are of these.
        'timestamp': np.arange(count) / contract.rate,
        'frame_index': np.arange(count),
        'episode_index': np.full(count, number),
        'index': np.arange(count),
        'task_index': np.zeros(count, dtype=np.int64),
    }


def _features(contract: Contract) -> dict[str, dict[str, Any]]:
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


def _camera(codec: str, rate: float, size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    return {
        'dtype': 'video',
        'shape': [height, width, 3],
        'names': ['height', 'width', 'channels'],
        'info': {
            'video.height': height,
            'video.width': width,
            'video.codec': codec,
            'video.pix_fmt': 'yuv420p',
            'video.is_depth_map': False,
            'video.fps': int(rate),
            'video.channels': 3,
            'has_audio': False,
        },
    }


def _write_pictures(
    folder: Path, parts: Sequence[Trajectory], rate: float, pictures: RecordedPictures
) -> tuple[str, list[dict[str, Any]], list[Statistics]]:
    """Write films; return their codec, where each part is in them, and its statistics."""
    places: list[dict[str, Any]] = []
    statistics = []
    number, codec, rest = 0, '', list(parts)
    while rest:
        place = {'chunk_index': number // _CHUNK, 'file_index': number % _CHUNK}
        path = folder / _VIDEO.format(video_key=_CAMERA, **place)
        with FilmWriter(path, rate, pictures.size) as film:
            codec = film.codec
            while rest and (not film.frames or _has_room(film, rate)):
                part, begin, sample = rest.pop(0), film.frames, []
                wanted = set(lerobot_statistics.sampled_rows(len(part)))
                for row, picture in enumerate(pictures.of(part.episode, part.stamps)):
                    film.write(picture)
                    if row in wanted:
                        sample.append(lerobot_statistics.smaller(picture)[..., ::-1].copy())
                statistics.append(lerobot_statistics.picture_statistics(sample))
                times = {
                    'from_timestamp': begin / rate,
                    'to_timestamp': film.frames / rate,
                }
                places.append(
                    {f'videos/{_CAMERA}/{key}': v for key, v in {**place, **times}.items()}
                )
        number += 1
    return codec, places, statistics


def _has_room(film: FilmWriter, rate: float) -> bool:
    size = film.path.stat().st_size / 2**20
    return size < _VIDEO_SIZE and film.frames / rate < _VIDEO_TIME


def _write_meta(
    folder: Path,
    parts: Sequence[Trajectory],
    statistics: Sequence[dict[str, Statistics]],
    begins: np.ndarray,
    contract: Contract,
    features: dict[str, dict[str, Any]],
    places: Sequence[dict[str, Any]],
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    task = (
        'push the ball into the goal'
        if contract.task == SOCCER
        else contract.name.replace('_', ' ')
    )
    info = {
        'codebase_version': 'v3.0',
        'robot_type': contract.robot,
        'total_episodes': len(parts),
        'total_frames': int(begins[-1]),
        'total_tasks': 1,
        'chunks_size': _CHUNK,
        'data_files_size_in_mb': 100,
        'video_files_size_in_mb': _VIDEO_SIZE,
        'fps': int(contract.rate),
        'splits': {'train': f'0:{len(parts)}'},
        'data_path': f'data/{_TABLE}',
        'video_path': _VIDEO if _CAMERA in features else None,
        'features': features,
    }
    whole = {
        name: reduce(lerobot_statistics.joined, (one[name] for one in statistics))
        for name in features
    }
    for name, content in (
        ('info.json', info),
        ('stats.json', {name: _listed(one) for name, one in whole.items()}),
    ):
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
    tasks = pa.table({'task_index': [0], 'task': [task]})
    pq.write_table(
        tasks.replace_schema_metadata({'pandas': json.dumps(index)}), folder / 'tasks.parquet'
    )
    rows = []
    for number, part in enumerate(parts):
        row = {
            'episode_index': number,
            'tasks': [task],
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
        row.update(places[number])
        for feature, one in statistics[number].items():
            row.update({f'stats/{feature}/{name}': v for name, v in _listed(one).items()})
        rows.append(row)
    target = folder / 'episodes' / _TABLE.format(chunk_index=0, file_index=0)
    target.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), target)


def _listed(statistics: Statistics) -> dict[str, list[Any]]:
    return {name: value.tolist() for name, value in statistics.items()}


def _write_data(path: Path, columns: Sequence[dict[str, np.ndarray]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True)
    tables = [
        pa.table(
            {
                name: _arrow(column.astype(np.float32) if name == 'timestamp' else column)
                for name, column in part.items()
            }
        )
        for part in columns
    ]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        # A row group an episode: one can be read without the others.
        for table in tables:
            writer.write_table(table)


def _arrow(column: np.ndarray) -> Array:
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(column)
    return pa.FixedSizeListArray.from_arrays(pa.array(column.ravel()), column.shape[1])
