"""
What `import guda_ros` gives: the names that a person works with, and where each of them lives.

    import guda_ros

    guda_ros.convert('runs/mine/recordings', out='runs/mine/dataset')
    guda_ros.augment('runs/mine/dataset', 'guided', out='runs/mine/guided.h5')
    training = guda_ros.train(['runs/mine/dataset', 'runs/mine/guided.h5'], out='runs/mine/bc.pt')
    policy = training.export('runs/mine/bc.onnx')
    print(guda_ros.evaluate(policy).success_rates)

What these verbs of `guda` do is a function of the same name: demo, up, record, convert, augment,
train, export, evaluate, benchmark, identify, perceive. Others are called otherwise:

    guda record --drive          record_drive
    guda guide check             check_guide
    guda evaluate --ros          evaluate_through_ros
    guda evaluate --robot-trial  evaluate_on_robot
    guda evaluate --compare      compare
    guda check robot             check_robot
    guda preflight               preflight
    guda identify --record       record_drive_on_robot
    guda robot new               new_robot
    guda robot show              draw_robot
    guda policy info             policy_info
    guda info PATH               inspect
    guda info                    installation
    guda data report             report
    guda data doctor             doctor
    guda data repair             repair
    guda data merge              merge
    guda data split              split
    guda data trim               trim
    guda data export             export_data
    guda data import             import_bags
    guda data replay             replay
    guda data replay --on robot  replay_on_robot
    guda sim collect             collect
    guda perceive evaluate       evaluate_perception
    guda perceive render         render_scenes
    guda perceive train          train_perception
    guda calibrate board         calibrate_board
    guda calibrate camera        calibrate_camera
    guda calibrate mount         calibrate_mount

`guda teleop`, `guda game` and `guda sim train`, `evaluate` and `view` have none.

A module is imported when one of its names is first used: `import guda_ros` takes neither NumPy nor
PyTorch nor MuJoCo, and a robot never does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from guda_ros.errors import naming_extras

if TYPE_CHECKING:
    from guda_ros.augmentation.guides import Guide as Guide
    from guda_ros.augmentation.guides import load_guide as load_guide
    from guda_ros.augmentation.pipeline import AcceptanceReport as AcceptanceReport
    from guda_ros.augmentation.registry import load_task as load_task
    from guda_ros.augmentation.registry import task_names as task_names
    from guda_ros.augmentation.task import Task as Task
    from guda_ros.control.exported_policy import ExportedPolicy as ExportedPolicy
    from guda_ros.data.contract import Contract as Contract
    from guda_ros.data.contract_base import ContractMismatch as ContractMismatch
    from guda_ros.data.episodes import Episode as Episode
    from guda_ros.data.episodes import read_episode
    from guda_ros.data.recording.reader import list_recordings as list_recordings
    from guda_ros.data.recording.reader import RecordingReader as RecordingReader
    from guda_ros.data.recording.repair import repair as repair
    from guda_ros.data.sets.minari import write_minari
    from guda_ros.data.sets.sources import read_source
    from guda_ros.data.sets.sources import Source as Source
    from guda_ros.data.transitions import TransitionSet as TransitionSet
    from guda_ros.evaluation.results import Evaluation as Evaluation
    from guda_ros.evaluation.results import load_results as load_results
    from guda_ros.identification.identify import Identification as Identification
    from guda_ros.learning.awac import AWAC as AWAC
    from guda_ros.learning.bc import BC as BC
    from guda_ros.learning.checkpoint import load_checkpoint as load_checkpoint
    from guda_ros.learning.cql import CQL as CQL
    from guda_ros.learning.export import export_policy as export_policy
    from guda_ros.learning.iql import IQL as IQL
    from guda_ros.learning.rebrac import ReBRAC as ReBRAC
    from guda_ros.learning.td3_bc import TD3BC as TD3BC
    from guda_ros.online.augmented_replay import AugmentedReplayBuffer as AugmentedReplayBuffer
    from guda_ros.online.dafs import GoalDAF as GoalDAF
    from guda_ros.online.dafs import GuideDAF as GuideDAF
    from guda_ros.online.dafs import SwapDAF as SwapDAF
    from guda_ros.online.dafs import World as World
    from guda_ros.online.props import PROPS as PROPS
    from guda_ros.online.replay_log import AugmentationLog as AugmentationLog
    from guda_ros.sim.env import SoccerEnv as SoccerEnv
    from guda_ros.sim.vector_env import SoccerVectorEnv as SoccerVectorEnv
    from guda_ros.soccer.field import Field as Field
    from guda_ros.soccer.robot import RobotProfile as RobotProfile
    from guda_ros.workflows.augment import augment as augment
    from guda_ros.workflows.augment import Augmentation as Augmentation
    from guda_ros.workflows.benchmark import benchmark as benchmark
    from guda_ros.workflows.calibration.board import calibrate_board as calibrate_board
    from guda_ros.workflows.calibration.lens import calibrate_camera as calibrate_camera
    from guda_ros.workflows.calibration.mount import calibrate_mount as calibrate_mount
    from guda_ros.workflows.calibration.profiles import Calibration as Calibration
    from guda_ros.workflows.check_guide import check_guide as check_guide
    from guda_ros.workflows.check_guide import GuideCheck as GuideCheck
    from guda_ros.workflows.collect import collect as collect
    from guda_ros.workflows.convert import convert as convert
    from guda_ros.workflows.data.checking import Checkup as Checkup
    from guda_ros.workflows.data.checking import doctor as doctor
    from guda_ros.workflows.data.checking import report as report
    from guda_ros.workflows.data.editing import merge as merge
    from guda_ros.workflows.data.editing import split as split
    from guda_ros.workflows.data.editing import trim as trim
    from guda_ros.workflows.data.exchange import DataExport as DataExport
    from guda_ros.workflows.data.exchange import export_data as export_data
    from guda_ros.workflows.data.exchange import import_bags as import_bags
    from guda_ros.workflows.data.replay import Replay as Replay
    from guda_ros.workflows.data.replay import replay as replay
    from guda_ros.workflows.data.replay import replay_on_robot as replay_on_robot
    from guda_ros.workflows.demo import demo as demo
    from guda_ros.workflows.evaluate import compare as compare
    from guda_ros.workflows.evaluate import evaluate as evaluate
    from guda_ros.workflows.evaluate_ros import evaluate_through_ros as evaluate_through_ros
    from guda_ros.workflows.export import export as export
    from guda_ros.workflows.identify import identify as identify
    from guda_ros.workflows.inspection.files import Checkpoint as Checkpoint
    from guda_ros.workflows.inspection.files import ForeignBag as ForeignBag
    from guda_ros.workflows.inspection.files import inspect as inspect
    from guda_ros.workflows.inspection.files import policy_info as policy_info
    from guda_ros.workflows.inspection.files import Recordings as Recordings
    from guda_ros.workflows.inspection.installation import installation as installation
    from guda_ros.workflows.perception.evaluating import (
        evaluate_perception as evaluate_perception,
    )
    from guda_ros.workflows.perception.looking import Look as Look
    from guda_ros.workflows.perception.looking import perceive as perceive
    from guda_ros.workflows.perception.training import render_scenes as render_scenes
    from guda_ros.workflows.perception.training import train_perception as train_perception
    from guda_ros.workflows.record import Outcome as Outcome
    from guda_ros.workflows.record import record as record
    from guda_ros.workflows.record import record_drive as record_drive
    from guda_ros.workflows.robot_trials.evaluate import evaluate_on_robot as evaluate_on_robot
    from guda_ros.workflows.robots.checking import check_robot as check_robot
    from guda_ros.workflows.robots.checking import RobotCheck as RobotCheck
    from guda_ros.workflows.robots.drawing import draw_robot as draw_robot
    from guda_ros.workflows.robots.driving import record_drive_on_robot as record_drive_on_robot
    from guda_ros.workflows.robots.making import new_robot as new_robot
    from guda_ros.workflows.robots.preflight import preflight as preflight
    from guda_ros.workflows.train import load_transitions
    from guda_ros.workflows.train import train as train
    from guda_ros.workflows.train import Training as Training
    from guda_ros.workflows.up import up as up

    load_contract = Contract.load
    read_dataset = read_source
    read_recording = read_episode
    read_transitions = load_transitions
    write_dataset = write_minari

#: Public name -> module of guda_ros and attribute.
HOMES = {
    # What the verbs of `guda` do.
    'up': 'workflows.up:up',
    'record': 'workflows.record:record',
    'record_drive': 'workflows.record:record_drive',
    'record_drive_on_robot': 'workflows.robots.driving:record_drive_on_robot',
    'Outcome': 'workflows.record:Outcome',
    'collect': 'workflows.collect:collect',
    'convert': 'workflows.convert:convert',
    'augment': 'workflows.augment:augment',
    'check_guide': 'workflows.check_guide:check_guide',
    'train': 'workflows.train:train',
    'export': 'workflows.export:export',
    'evaluate': 'workflows.evaluate:evaluate',
    'evaluate_through_ros': 'workflows.evaluate_ros:evaluate_through_ros',
    'evaluate_on_robot': 'workflows.robot_trials.evaluate:evaluate_on_robot',
    'compare': 'workflows.evaluate:compare',
    'benchmark': 'workflows.benchmark:benchmark',
    'identify': 'workflows.identify:identify',
    'perceive': 'workflows.perception.looking:perceive',
    'evaluate_perception': 'workflows.perception.evaluating:evaluate_perception',
    'render_scenes': 'workflows.perception.training:render_scenes',
    'train_perception': 'workflows.perception.training:train_perception',
    'calibrate_board': 'workflows.calibration.board:calibrate_board',
    'calibrate_camera': 'workflows.calibration.lens:calibrate_camera',
    'calibrate_mount': 'workflows.calibration.mount:calibrate_mount',
    'inspect': 'workflows.inspection.files:inspect',
    'policy_info': 'workflows.inspection.files:policy_info',
    'installation': 'workflows.inspection.installation:installation',
    'report': 'workflows.data.checking:report',
    'doctor': 'workflows.data.checking:doctor',
    'repair': 'data.recording.repair:repair',
    'merge': 'workflows.data.editing:merge',
    'split': 'workflows.data.editing:split',
    'trim': 'workflows.data.editing:trim',
    'replay': 'workflows.data.replay:replay',
    'replay_on_robot': 'workflows.data.replay:replay_on_robot',
    'export_data': 'workflows.data.exchange:export_data',
    'import_bags': 'workflows.data.exchange:import_bags',
    'demo': 'workflows.demo:demo',
    # What they return.
    'Augmentation': 'workflows.augment:Augmentation',
    'GuideCheck': 'workflows.check_guide:GuideCheck',
    'AcceptanceReport': 'augmentation.pipeline:AcceptanceReport',
    'Training': 'workflows.train:Training',
    'Evaluation': 'evaluation.results:Evaluation',
    'Checkup': 'workflows.data.checking:Checkup',
    'Recordings': 'workflows.inspection.files:Recordings',
    'Checkpoint': 'workflows.inspection.files:Checkpoint',
    'ForeignBag': 'workflows.inspection.files:ForeignBag',
    'Replay': 'workflows.data.replay:Replay',
    'DataExport': 'workflows.data.exchange:DataExport',
    'Look': 'workflows.perception.looking:Look',
    'Calibration': 'workflows.calibration.profiles:Calibration',
    'Identification': 'identification.identify:Identification',
    # Contracts, robots and fields.
    'Contract': 'data.contract:Contract',
    'ContractMismatch': 'data.contract_base:ContractMismatch',
    'load_contract': 'data.contract:Contract.load',
    'RobotProfile': 'soccer.robot:RobotProfile',
    'check_robot': 'workflows.robots.checking:check_robot',
    'preflight': 'workflows.robots.preflight:preflight',
    'RobotCheck': 'workflows.robots.checking:RobotCheck',
    'new_robot': 'workflows.robots.making:new_robot',
    'draw_robot': 'workflows.robots.drawing:draw_robot',
    'Field': 'soccer.field:Field',
    # Data sets and recordings.
    'Episode': 'data.episodes:Episode',
    'Source': 'data.sets.sources:Source',
    'TransitionSet': 'data.transitions:TransitionSet',
    'RecordingReader': 'data.recording.reader:RecordingReader',
    'list_recordings': 'data.recording.reader:list_recordings',
    'read_dataset': 'data.sets.sources:read_source',
    'read_recording': 'data.episodes:read_episode',
    'read_transitions': 'workflows.train:load_transitions',
    'write_dataset': 'data.sets.minari:write_minari',
    # Tasks and guides.
    'Task': 'augmentation.task:Task',
    'load_task': 'augmentation.registry:load_task',
    'task_names': 'augmentation.registry:task_names',
    'Guide': 'augmentation.guides:Guide',
    'load_guide': 'augmentation.guides:load_guide',
    # Learners and policies.
    'BC': 'learning.bc:BC',
    'TD3BC': 'learning.td3_bc:TD3BC',
    'AWAC': 'learning.awac:AWAC',
    'CQL': 'learning.cql:CQL',
    'IQL': 'learning.iql:IQL',
    'ReBRAC': 'learning.rebrac:ReBRAC',
    'load_checkpoint': 'learning.checkpoint:load_checkpoint',
    'export_policy': 'learning.export:export_policy',
    'ExportedPolicy': 'control.exported_policy:ExportedPolicy',
    'load_results': 'evaluation.results:load_results',
    # Online learning.
    'AugmentedReplayBuffer': 'online.augmented_replay:AugmentedReplayBuffer',
    'AugmentationLog': 'online.replay_log:AugmentationLog',
    'GuideDAF': 'online.dafs:GuideDAF',
    'SwapDAF': 'online.dafs:SwapDAF',
    'GoalDAF': 'online.dafs:GoalDAF',
    'World': 'online.dafs:World',
    'PROPS': 'online.props:PROPS',
    # Environments.
    'SoccerEnv': 'sim.env:SoccerEnv',
    'SoccerVectorEnv': 'sim.vector_env:SoccerVectorEnv',
}
__all__ = list(HOMES)

if not TYPE_CHECKING:

    def __getattr__(name: str):
        """Return a public name; ModuleNotFoundError says which extra it needs that is absent."""
        if name not in HOMES:
            raise AttributeError(f'guda_ros has no attribute {name!r}')
        module, _, path = HOMES[name].partition(':')
        with naming_extras():
            found = importlib.import_module(f'guda_ros.{module}')
        for attribute in path.split('.'):
            found = getattr(found, attribute)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
