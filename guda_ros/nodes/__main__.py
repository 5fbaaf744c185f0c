"""Start a node by its name: `guda-node policy --ros-args -p policy:=policy.onnx`."""

from __future__ import annotations

import importlib
from pathlib import Path
import sys

from guda_ros.errors import extra_of

#: What can be started; each is a module of this package with a main function.
NODES = sorted(
    path.stem for path in Path(__file__).parent.glob('*.py') if not path.stem.startswith('_')
)


def main() -> int | None:
    """Start the node that the first argument names, with the other arguments."""
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-h', '--help'):
        print(f'usage: guda-node NAME [--ros-args ...]\n\n{__doc__}\n\nnodes: {", ".join(NODES)}')
        return 0
    if name not in NODES:
        print(f'guda-node: unknown node {name!r}; known: {", ".join(NODES)}', file=sys.stderr)
        return 2
    try:
        node = importlib.import_module(f'guda_ros.nodes.{name}')
    except ModuleNotFoundError as error:
        extra = extra_of(error.name or '')
        if extra is None:
            raise
        print(f'guda-node: needs the Python module {error.name}: {extra}', file=sys.stderr)
        return 1
    del sys.argv[1]
    return node.main()


if __name__ == '__main__':
    sys.exit(main())
