"""What all tests begin with."""

import signal

# A job in the background of a script begins with Ctrl-C ignored, and hands that on to processes
# whose answer to Ctrl-C is tested.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass
else:
    # How long an example takes depends on what else the machine does.
    settings.register_profile(
        'untimed', deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile('untimed')
