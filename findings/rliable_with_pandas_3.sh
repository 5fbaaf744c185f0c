#!/bin/sh
# Finding: rliable installs together with pandas 3 without a complaint, and cannot be imported there.
# Versions: rliable 1.2.0, pandas 3.1.1, Python 3.11
# Input: `pip install rliable==1.2.0 pandas==3.1.1`, which pip resolves, then `import rliable.library`.
# Behaviour: a TypeError while a dependency is imported; a user finds out only when all scores are
#   there. With pandas below 3 the import works.
# Seen:
#   TypeError: deprecate_kwarg() missing 1 required positional argument: 'new_arg_name'
set -eu
. "$(dirname "$0")/common.sh"
environment rliable==1.2.0 pandas==3.1.1
run <<'END'
import sys

try:
    import rliable.library  # noqa: F401
except TypeError as error:
    print(f'TypeError: {error}')
    if 'deprecate_kwarg' not in str(error):
        sys.exit('another error than that of deprecate_kwarg')
else:
    sys.exit('rliable can be imported beside pandas 3 now')
END
