"""An episode collector with a clock that a test sets."""

from __future__ import annotations

import recording_scene as scene

from guda_ros.data.contract import Contract
from guda_ros.data.recording.collector import EpisodeCollector, RecorderSettings
from guda_ros.data.recording.reader import (
    RecordingInfo,
)

CONTRACT = Contract.load()


class Bench:
    """A collector with a clock that a test sets and a list of what it announced."""

    def __init__(self, folder, settings=None):
        self.folder = folder
        self.now = 0.0
        self.announced = []
        self.collector = EpisodeCollector(
            folder,
            CONTRACT,
            scene.TOPICS,
            settings or RecorderSettings(),
            clock=lambda: self.now,
            on_change=lambda: self.announced.append(self.collector.status),
        )

    def begin(self, name='a'):
        self.collector.begin(RecordingInfo(name, seed=7, start_stamp=scene.START))

    def step(self, step, *without, behind=0):
        """Take the samples of a step `behind` [ns] after they were sent."""
        for role, data in scene.samples(step).items():
            if role not in without:
                self.collector.take(role, scene.START + step * scene.PERIOD + behind, data)

    def end(self, step, verdict='scored'):
        self.collector.end(verdict, scene.START + step * scene.PERIOD)
