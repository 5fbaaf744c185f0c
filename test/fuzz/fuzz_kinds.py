"""The kinds of files that are fuzzed, by name."""

from fuzz_arrays import Checkpoints, DataSets, Policies
from fuzz_bags import Bags, Recordings
from fuzz_runner import Kind
from fuzz_texts import Contracts, Guides, Mappings, Profile

KINDS: dict[str, type[Kind]] = {
    'profile': Profile,
    'contract': Contracts,
    'guide': Guides,
    'mapping': Mappings,
    'bag': Bags,
    'mcap': Recordings,
    'hdf5': DataSets,
    'onnx': Policies,
    'checkpoint': Checkpoints,
}
