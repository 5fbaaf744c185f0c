"""What all tests begin with."""

import signal

# A job in the background of a script begins with Ctrl-C ignored, and hands that on to processes
# whose answer to Ctrl-C is tested.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
