"""The base of all errors that a user can mend; `guda` prints their message without a traceback."""


class GudaError(Exception):
    """Something is wrong outside the code: the message says what, and what to do."""
