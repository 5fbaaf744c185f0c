"""Sets of transitions and Minari data sets (HDF5), exported policies (ONNX), checkpoints."""

from __future__ import annotations

from contextlib import suppress
import hashlib
import io
import json
from pathlib import Path
import random
import zipfile

from fuzz_bags import judge_episode
from fuzz_mutants import mutate_bytes, mutate_json, mutate_values, VALUES
from fuzz_runner import guda, Kind, Mutant, Refused
from fuzz_texts import judge_contract, must
import numpy as np

from guda_ros.data.contract import Contract

_NUMBERS = (1e300, 1e39, 1e6, float('nan'), float('inf'), -1, 0, 2**31, 255)


def with_fitting_hash(values: dict, rng: random.Random) -> dict:
    """Return texts `contract` and `contract_hash` of which the first was changed."""
    text = mutate_json(values['contract'], rng)
    hashed = hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]
    return {**values, 'contract': text, 'contract_hash': hashed}


class DataSets(Kind):
    """HDF5 files: sets of transitions, and Minari data sets with their metadata.json."""

    def prepare(self, folder: Path) -> None:
        from dataset_scene import CONTRACT, make_episode, make_transitions

        from guda_ros.data.sets.minari import write_minari

        folder.mkdir(parents=True)
        made = make_transitions(60)
        made.save(folder / 'set.h5')
        self.transitions = (folder / 'set.h5').read_bytes()
        episodes = [make_episode('a'), make_episode('b', 'timeout', seed=2)]
        write_minari(folder / 'minari', episodes, CONTRACT)
        self.minari = {
            f'minari/{file.relative_to(folder / "minari")}': file.read_bytes()
            for file in sorted((folder / 'minari').rglob('*'))
            if file.is_file()
        }

    def valid(self) -> list[Mutant]:
        return [Mutant({'set.h5': self.transitions}, 'set.h5'), Mutant(self.minari, 'minari')]

    def mutant(self, rng: random.Random) -> Mutant:
        if rng.random() < 0.5:
            return Mutant({'set.h5': self._changed(self.transitions, rng)}, 'set.h5')
        files = dict(self.minari)
        name = rng.choice(list(files))
        if rng.random() < 0.03:
            del files[name]
        elif name.endswith('.json'):
            files[name] = self._json(files[name].decode(), rng)
        else:
            files[name] = self._changed(files[name], rng)
        return Mutant(files, 'minari')

    def _json(self, text: str, rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return mutate_json(text, rng).encode(errors='replace')
        values = with_fitting_hash(json.loads(text), rng)
        return json.dumps(values).encode(errors='replace')

    def _changed(self, content: bytes, rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return mutate_bytes(content, rng)
        import h5py

        image = io.BytesIO(content)
        with h5py.File(image, 'r+') as file, np.errstate(all='ignore'):
            for _ in range(rng.choice((1, 1, 2))):
                with suppress(
                    KeyError, TypeError, ValueError, OSError, RuntimeError, OverflowError
                ):
                    self._change(file, rng)
        return image.getvalue()

    def _change(self, file, rng: random.Random) -> None:
        import h5py

        found: list = []
        file.visititems(lambda name, item: found.append((name, item)))
        name, item = rng.choice(found)
        what = rng.randrange(9)
        if what <= 2 and isinstance(item, h5py.Dataset) and item.shape and item.size < 10**6:
            value = rng.choice(_NUMBERS)
            if rng.random() < 0.5:
                item[...] = np.full(item.shape, value).astype(item.dtype)
            else:
                item[rng.randrange(item.shape[0])] = np.array(value).astype(item.dtype)
        elif what == 3:
            del file[name]
        elif what == 4:
            self._instead(file, name, item, rng)
        elif what == 5 and isinstance(item, h5py.Dataset) and item.chunks:
            item.resize((rng.choice((0, 1, 10**6, 10**10, 2**60)), *item.shape[1:]))
        elif what == 6 and isinstance(item, h5py.Dataset) and not item.shape:
            text = item[()].decode() if isinstance(item[()], bytes) else str(item[()])
            del file[name]
            file[name] = mutate_json(text, rng)
        elif what == 7 and 'contract' in file.attrs:
            for key, value in with_fitting_hash(dict(file.attrs), rng).items():
                file.attrs[key] = value
        else:
            where = rng.choice((file, item))
            key = rng.choice([*where.attrs, 'task', 'id', 'seed', 'verdict'])
            value = rng.choice(VALUES)
            where.attrs[key] = json.dumps(value) if isinstance(value, (dict, list)) else value

    def _instead(self, file, name: str, item, rng: random.Random) -> None:
        """Put something else in the place of an item."""
        import h5py

        del file[name]
        what = rng.randrange(8)
        shape = getattr(item, 'shape', None) or (5,)
        if what == 0:
            file.create_group(name)
        elif what == 1:
            file[name] = h5py.SoftLink(f'/{name}')
        elif what == 2:
            file[name] = h5py.ExternalLink('letter.txt', '/x')
        elif what == 3:
            file.create_dataset(
                name, shape=(10**10, *shape[1:]), dtype='f8', chunks=(1, *shape[1:])
            )
        elif what == 4:
            file[name] = np.zeros(rng.choice(((1,), (0,), (60, 2), (6,), (60, 10, 2), (5, 3))))
        elif what == 5:
            file.create_dataset(name, data=['text'] * shape[0], dtype=h5py.string_dtype())
        elif what == 6:
            kind = np.dtype(rng.choice(('i1', 'u8', 'f2', 'c8', 'S3', '?', 'f8,i4')))
            file.create_dataset(name, shape=shape, dtype=kind)
        else:
            file[name] = rng.choice(('text', 5, 'null', '{}', '[' * 500))

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.data.sets.minari import read_minari
        from guda_ros.data.sets.sources import read_steps
        from guda_ros.data.transitions import TransitionSet

        if path.suffix == '.h5':
            made = TransitionSet.load(path)
            judge_contract(made.contract)
            for name in ('states', 'actions', 'next_states', 'rewards'):
                must(bool((np.abs(getattr(made, name)) < 1e4).all()), f'{name} far away')
            made.success(), made.rule_counts(), made.observations()
            guda('info', path)
            if rng.random() < 0.1:
                guda('data', 'export', path, '--format', 'npz', '--out', out / 'set.npz')
            return
        sound = True
        try:
            guda('data', 'doctor', path)
        except Refused:
            sound = False
        guda('data', 'info', path)
        for episode in read_minari(path):
            judge_episode(episode, sound)
        read_steps(path)


def write_network(path: Path, contract: Contract) -> None:
    """Write a policy with the nodes and the metadata that `guda export` gives one."""
    import onnx
    from onnx import helper, numpy_helper

    size, rng = len(contract.observation_names), np.random.default_rng(0)
    arrays = {
        'mean': np.zeros(size), 'scale': np.ones(size), 'low': np.float64(-10),
        'high': np.float64(10), 'w0': rng.normal(size=(8, size)) / 10, 'b0': np.zeros(8),
        'w1': rng.normal(size=(3, 8)) / 10, 'b1': np.zeros(3), 'reach': np.ones(3),
    }  # fmt: skip
    nodes = [
        helper.make_node('Sub', ['observation', 'mean'], ['centred']),
        helper.make_node('Mul', ['centred', 'scale'], ['scaled']),
        helper.make_node('Clip', ['scaled', 'low', 'high'], ['h0']),
        helper.make_node('Gemm', ['h0', 'w0', 'b0'], ['l0'], transB=1),
        helper.make_node('Relu', ['l0'], ['h1']),
        helper.make_node('Gemm', ['h1', 'w1', 'b1'], ['l1'], transB=1),
        helper.make_node('Tanh', ['l1'], ['output']),
        helper.make_node('Mul', ['output', 'reach'], ['action']),
    ]
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ['batch', width])
        for name, width in (('observation', size), ('action', 3))
    ]
    graph = helper.make_graph(
        nodes, 'policy', values[:1], values[1:],
        [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in arrays.items()],
    )  # fmt: skip
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid('', 17)])
    training = {
        'algorithm': 'bc', 'chunk': 1, 'command': 'guda train', 'seed': 0, 'updates': 60,
        'versions': {'guda_ros': '1'}, 'validation': {'success': 0.5, 'update': 20},
    }  # fmt: skip
    normalisation = {
        'observation': list(contract.observation_names), 'mean': [0.0] * size,
        'std': [1.0] * size, 'clip': 10.0, 'action_centre': [0.0] * 3,
        'action_half_range': [1.0] * 3,
    }  # fmt: skip
    limits = {
        name: getattr(contract.limits, name) for name in ('forward', 'backward', 'side', 'turn')
    }
    helper.set_model_props(
        model,
        {
            'contract': contract.to_json(),
            'contract_hash': contract.hash,
            'algorithm': 'bc',
            'limits': json.dumps(limits),
            'normalisation': json.dumps(normalisation),
            'training': json.dumps(training),
        },
    )
    path.write_bytes(model.SerializeToString())


class Policies(Kind):
    """Exported policies."""

    def prepare(self, folder: Path) -> None:
        from policy_file import write_policy

        folder.mkdir(parents=True)
        write_network(folder / 'network.onnx', Contract.load())
        write_policy(folder / 'walk.onnx', divide=True)
        self.models = [path.read_bytes() for path in sorted(folder.glob('*.onnx'))]

    def valid(self) -> list[Mutant]:
        return [Mutant({'p.onnx': model}, 'p.onnx') for model in self.models]

    def mutant(self, rng: random.Random) -> Mutant:
        content = rng.choice(self.models)
        if rng.random() < 0.45:
            content = mutate_bytes(content, rng)
        else:
            content = self._changed(content, rng)
        return Mutant({'p.onnx': content}, 'p.onnx')

    def _changed(self, content: bytes, rng: random.Random) -> bytes:
        import onnx

        model = onnx.ModelProto.FromString(content)
        for _ in range(rng.choice((1, 1, 2))):
            if rng.random() < 0.6:
                self._metadata(model, rng)
            else:
                with suppress(ValueError, TypeError, IndexError):
                    self._graph(model.graph, rng)
        return model.SerializeToString()

    def _metadata(self, model, rng: random.Random) -> None:
        values = {entry.key: entry.value for entry in model.metadata_props}
        key = rng.choice([*values, 'task'])
        if key == 'contract' or rng.random() < 0.3:
            values = with_fitting_hash(values, rng)
        elif key in ('training', 'limits', 'normalisation') and rng.random() < 0.8:
            values[key] = mutate_json(values.get(key, '{}'), rng)
        elif rng.random() < 0.3:
            values.pop(key, None)
        else:
            values[key] = str(rng.choice(('', 'null', '5', '[]', '{}', 'x' * 3000, 'pointmaze')))
        del model.metadata_props[:]
        for name, value in values.items():
            model.metadata_props.add(key=name, value=value.encode(errors='replace').decode())

    def _graph(self, graph, rng: random.Random) -> None:
        import onnx

        what = rng.randrange(9)
        node, tensor = rng.choice(graph.node), rng.choice(graph.initializer)
        if what == 0:
            node.op_type = rng.choice(
                ('Relu', 'Softmax', 'Div', 'Log', 'MatMul', 'Cast', 'Nope', '')
            )
        elif what == 1:
            node.input[rng.randrange(len(node.input))] = rng.choice(('action', 'mean', '', 'x'))
        elif what == 2:
            tensor.dims[0] = rng.choice((0, -1, 1, 7, 2**31, 2**40, 2**62))
        elif what == 3:
            tensor.data_type = rng.randrange(25)
        elif what == 4:
            tensor.raw_data = mutate_bytes(tensor.raw_data, rng)
        elif what == 5:
            array = np.full(list(tensor.dims), rng.choice((np.nan, np.inf, 1e38)), np.float32)
            tensor.raw_data = array.tobytes()
        elif what == 6:
            value = rng.choice([*graph.input, *graph.output]).type.tensor_type
            value.elem_type = rng.choice((1, 2, 7, 11))
        elif what == 7:
            value = rng.choice([*graph.input, *graph.output]).type.tensor_type
            value.shape.dim[rng.randrange(2)].dim_value = rng.choice((0, 1, 2, 5, 2**31, -1))
        else:
            node.attribute.append(onnx.helper.make_attribute('transB', rng.choice((0, 1, 7))))

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.control.exported_policy import ExportedPolicy

        policy = ExportedPolicy.load(path)
        judge_contract(policy.contract)
        observations = np.random.default_rng(0).normal(
            size=(3, len(policy.contract.observation_names))
        )
        actions = policy.predict(observations)
        must(actions.shape == (3, 3) and not (np.abs(actions) > 1).any(), 'actions')
        guda('policy', 'info', path)
        json.loads(guda('policy', 'info', '--json', path))
        guda('info', path)


class Checkpoints(Kind):
    """Checkpoints of trainings: done ones, and such as go on."""

    def prepare(self, folder: Path) -> None:
        from learning_data import learner
        import torch

        from guda_ros.learning.checkpoint import save_checkpoint

        folder.mkdir(parents=True)
        self.learner = lambda: learner('bc', seeds=(0, 1), updates=40, hidden=(8, 8))
        half = self.learner()
        half.learn(lambda now: now.updates < 20)
        save_checkpoint(folder / 'half.pt', half, {'command': 'guda train', 'rules': {'raw': 5}})
        done = self.learner().learn()
        save_checkpoint(folder / 'done.pt', done, {'command': 'guda train', 'rules': {'raw': 5}})
        self.files = [path.read_bytes() for path in sorted(folder.glob('*.pt'))]
        self.contents = [torch.load(io.BytesIO(data), weights_only=True) for data in self.files]

    def valid(self) -> list[Mutant]:
        return [Mutant({'p.pt': content}, 'p.pt') for content in self.files]

    def mutant(self, rng: random.Random) -> Mutant:
        what = rng.random()
        if what < 0.35:
            content = mutate_bytes(rng.choice(self.files), rng)
        elif what < 0.5:
            content = self._repacked(rng.choice(self.files), rng)
        else:
            content = self._changed(rng.choice(self.contents), rng)
        return Mutant({'p.pt': content}, 'p.pt')

    def _repacked(self, content: bytes, rng: random.Random) -> bytes:
        """Change the bytes of one part, so that its checksum fits."""
        packed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, 'w') as new:
            chosen = rng.choice(
                [name for name in old.namelist() if name.endswith('.pkl')] * 4 + old.namelist()
            )
            for name in old.namelist():
                data = old.read(name)
                new.writestr(name, mutate_bytes(data, rng) if name == chosen else data)
        return packed.getvalue()

    def _changed(self, content: dict, rng: random.Random) -> bytes:
        import torch

        where = rng.choice(((), (), ('policies',), ('info',), ('state',)))
        if rng.random() < 0.2:
            content = with_fitting_hash({**content, 'contract_hash': ''}, rng)
        else:
            content = mutate_values(content, rng, where)
        if rng.random() < 0.3:
            tensors = [
                tensor
                for policy in _list(content.get('policies') if isinstance(content, dict) else ())
                if isinstance(policy, dict) and isinstance(policy.get('network'), dict)
                for tensor in policy['network'].values()
                if isinstance(tensor, torch.Tensor)
            ]
            if tensors:
                rng.choice(tensors).reshape(-1)[0] = rng.choice((float('nan'), float('inf'), 1e38))
        packed = io.BytesIO()
        try:
            torch.save(content, packed)
        except Exception:  # Not everything that is drawn can be packed.
            return mutate_bytes(self.files[0], rng)
        return packed.getvalue()

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.errors import GudaError
        from guda_ros.learning.checkpoint import load_checkpoint, resume_checkpoint

        if rng.random() < 0.3:
            learner = self.learner()
            with suppress(GudaError):
                if resume_checkpoint(path, learner):
                    learner.learn(lambda now: now.updates < 30)
        guda('info', path)
        result, contract, info = load_checkpoint(path)
        judge_contract(contract)
        size = len(contract.observation_names)
        actions = result.network.predict(np.zeros((2, size)))
        must(actions.shape == (2, 3), 'actions')
        if rng.random() < 0.1:
            guda('export', path, '--out', out / 'p.onnx')


def _list(value) -> list:
    return value if isinstance(value, list) else []
