"""The executor of the nodes, with real entities of rclpy in one process."""

import threading
import time

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.callback_groups import ReentrantCallbackGroup  # noqa: E402
from rclpy.clock import Clock, ClockType  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.event_handler import SubscriptionEventCallbacks  # noqa: E402
from rclpy.executors import ExternalShutdownException  # noqa: E402
from rclpy.signals import SignalHandlerOptions  # noqa: E402
from rclpy.task import Future  # noqa: E402
from std_msgs.msg import Header  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from guda_ros.ros import environment as env  # noqa: E402
from guda_ros.ros import executor  # noqa: E402
from guda_ros.ros.qos import DEFAULT, SENSOR_DATA  # noqa: E402


class Spinning:
    """A node that is spun by the executor until something holds."""

    def __init__(self, domain):
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain,
                   signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node('spun', context=self.context)
        self.executor = executor.QuietExecutor(context=self.context)
        self.executor.add_node(self.node)
        # So that no wait lasts for ever.
        self.ticks = 0
        self.timer = self.node.create_timer(
            0.02, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _tick(self):
        self.ticks += 1

    def until(self, holds, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline
            self.executor.spin_once()

    def close(self):
        self.executor.release()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture(params=[True, False])
def spinning(tmp_path, monkeypatch, request):
    # Both with rclpy as it is known, and as with one that is not.
    assert executor._KNOWN
    monkeypatch.setattr(executor, '_KNOWN', request.param)
    claim = env.claim_domain()
    for name, value in env.ros_environment(claim.number, tmp_path).items():
        monkeypatch.setenv(name, value)
    spinning = Spinning(claim.number)
    yield spinning
    spinning.close()
    claim.release()


def test_messages_timers_guards_and_services_are_served_each_once_and_in_order(spinning):
    node, taken, calls = spinning.node, [], []
    node.create_subscription(Header, 'text', lambda message: taken.append(message.frame_id), 100)
    publisher = node.create_publisher(Header, 'text', 100)
    guard = node.create_guard_condition(lambda: calls.append('guard'))
    node.create_service(Trigger, 'ask', lambda _, response: calls.append('service') or response)
    client = node.create_client(Trigger, 'ask')
    spinning.until(lambda: client.service_is_ready() and publisher.get_subscription_count())
    sent = [str(number) for number in range(50)]
    for text in sent:
        publisher.publish(Header(frame_id=text))
    guard.trigger()
    answer = client.call_async(Trigger.Request())
    spinning.until(lambda: len(taken) >= 50 and answer.done() and 'guard' in calls)
    ticks = spinning.ticks
    spinning.until(lambda: spinning.ticks > ticks + 3)
    assert taken == sent
    assert sorted(calls) == ['guard', 'service']


def test_what_is_created_and_destroyed_while_spinning_is_noticed(spinning):
    node, taken = spinning.node, []
    publisher = node.create_publisher(Header, 'text', DEFAULT)
    for name in ('first', 'second'):
        subscription = node.create_subscription(
            Header, 'text', lambda message, name=name: taken.append(name), DEFAULT)
        spinning.until(lambda: publisher.get_subscription_count() == 1)
        publisher.publish(Header())
        spinning.until(lambda name=name: name in taken)
        node.destroy_subscription(subscription)
        spinning.until(lambda: publisher.get_subscription_count() == 0)
    assert taken == ['first', 'second']


def test_a_service_that_waits_lets_other_callbacks_set_what_it_waits_for(spinning):
    node, done = spinning.node, Future(executor=spinning.executor)

    async def answer(_, response):
        response.message = await done
        return response

    node.create_service(Trigger, 'ask', answer, callback_group=ReentrantCallbackGroup())
    client = node.create_client(Trigger, 'ask')
    spinning.until(client.service_is_ready)
    asked = client.call_async(Trigger.Request())
    ticks = spinning.ticks
    spinning.until(lambda: spinning.ticks > ticks + 3)
    assert not asked.done()
    node.create_guard_condition(lambda: done.set_result('at last')).trigger()
    spinning.until(asked.done)
    assert asked.result().message == 'at last'


def test_an_incompatible_quality_of_service_is_still_told(spinning):
    told = []
    spinning.node.create_subscription(
        Header, 'text', lambda message: None, DEFAULT,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=told.append))
    spinning.until(lambda: spinning.ticks > 2)
    spinning.node.create_publisher(Header, 'text', SENSOR_DATA)
    spinning.until(lambda: told)
    assert told[0].total_count == 1


def test_timeouts_conditions_and_the_end_of_the_context_are_those_of_rclpy(spinning):
    spinning.until(lambda: spinning.ticks > 2)
    done = Future(executor=spinning.executor)
    done.set_result(1)
    spinning.timer.cancel()
    # Nothing comes any more, so each of these would wait for ever.
    spinning.executor.spin_once(timeout_sec=0.01)
    spinning.executor.spin_once_until_future_complete(done)
    threading.Timer(0.2, spinning.context.shutdown).start()
    with pytest.raises(ExternalShutdownException):
        while True:
            spinning.executor.spin_once()
