"""The executor of nodes calls what rclpy's calls, and misses nothing that comes or goes."""

import time

from domains import own_domain
import pytest
import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.ros.executor import _InvalidHandle, QuietExecutor


@pytest.fixture(scope='module')
def domain_of_all():
    with own_domain() as number:
        yield number


@pytest.fixture
def context(domain_of_all):
    made = Context()
    rclpy.init(
        context=made, domain_id=domain_of_all, signal_handler_options=SignalHandlerOptions.NO
    )
    yield made
    made.try_shutdown()


@pytest.fixture
def node(context):
    made = rclpy.create_node('one', context=context)
    yield made
    made.destroy_node()


def spin(executor, done, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, 'nothing came in time'
        executor.spin_once(timeout_sec=0.1)


@pytest.fixture
def executor(context, node):
    made = QuietExecutor(context=context)
    made.add_node(node)
    yield made
    made.shutdown()


def test_it_knows_the_executor_of_this_rclpy(executor):
    assert executor._known and issubclass(_InvalidHandle, Exception)


@pytest.mark.parametrize('known', [True, False])
def test_messages_timers_services_and_guard_conditions_are_called(node, executor, known):
    # Where it does not know the inside of an executor, it waits as that does.
    executor._known = known
    heard, ticks, woken, asked = [], [], [], []

    def answer(request, response):
        asked.append(request)
        response.success = True
        return response

    node.create_subscription(String, 'word', lambda message: heard.append(message.data), 10)
    node.create_timer(0.01, lambda: ticks.append(1))
    node.create_service(Trigger, 'ask', answer)
    guard = node.create_guard_condition(lambda: woken.append(1))
    word, client = node.create_publisher(String, 'word', 10), node.create_client(Trigger, 'ask')
    spin(executor, lambda: word.get_subscription_count() and client.service_is_ready())
    for text in 'abc':
        word.publish(String(data=text))
    guard.trigger()
    future = client.call_async(Trigger.Request())
    spin(executor, lambda: len(heard) == 3 and future.done() and woken and len(ticks) > 2)
    assert heard == ['a', 'b', 'c'] and future.result().success and len(asked) == 1


def test_what_is_made_later_is_called_and_what_is_destroyed_is_not(node, executor):
    heard = []
    word = node.create_publisher(String, 'word', 10)
    executor.spin_once(timeout_sec=0)
    first = node.create_subscription(String, 'word', lambda m: heard.append((1, m.data)), 10)
    spin(executor, word.get_subscription_count)
    word.publish(String(data='a'))
    spin(executor, lambda: heard)
    node.destroy_subscription(first)
    node.create_subscription(String, 'word', lambda m: heard.append((2, m.data)), 10)
    other = rclpy.create_node('two', context=node.context)
    executor.add_node(other)
    other.create_subscription(String, 'word', lambda m: heard.append((3, m.data)), 10)
    spin(executor, lambda: word.get_subscription_count() == 2)
    word.publish(String(data='b'))
    spin(executor, lambda: len(heard) == 3)
    executor.remove_node(other)
    other.destroy_node()
    assert heard[0] == (1, 'a') and sorted(heard[1:]) == [(2, 'b'), (3, 'b')]


def test_a_callback_may_destroy_what_is_called_next(node, executor):
    called = []

    def call(me):
        called.append(me)
        node.destroy_timer(timers[1 - me])

    timers = [node.create_timer(0.001, lambda me=me: call(me)) for me in range(2)]
    time.sleep(0.01)
    spin(executor, lambda: len(called) > 5)
    assert len(set(called)) == 1


def test_a_callback_that_waits_goes_on_while_others_are_called(node, executor):
    told, ticks = [], []
    client = node.create_client(Trigger, 'ask', callback_group=ReentrantCallbackGroup())

    async def ask():
        timer.cancel()
        told.append((await client.call_async(Trigger.Request())).message)

    def answer(request, response):
        response.message = 'yes'
        return response

    own = ReentrantCallbackGroup()
    node.create_service(Trigger, 'ask', answer)
    spin(executor, client.service_is_ready)
    timer = node.create_timer(0.001, ask, callback_group=own)
    node.create_timer(0.01, lambda: ticks.append(len(told)))
    spin(executor, lambda: told and ticks and ticks[-1])
    assert told == ['yes']


def test_incompatible_quality_of_service_is_told(node, executor):
    told = []
    node.create_subscription(
        String,
        'word',
        told.append,
        QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE),
        event_callbacks=rclpy.event_handler.SubscriptionEventCallbacks(
            incompatible_qos=lambda event: told.append(event.total_count)
        ),
    )
    node.create_publisher(
        String, 'word', QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    )
    spin(executor, lambda: told)
    assert told == [1]


def test_without_work_a_wait_ends_with_its_time_out(node, executor):
    heard = []
    node.create_subscription(String, 'word', heard.append, 10)
    node.create_timer(1000.0, lambda: heard.append(1))
    for timeout in (0, 0.05, 0):
        executor.spin_once(timeout_sec=timeout)
    assert heard == []


def test_the_end_of_the_context_ends_the_wait(context, node, executor):
    node.create_timer(0.01, context.try_shutdown)
    with pytest.raises(ExternalShutdownException):
        spin(executor, lambda: False)


def test_an_error_of_a_callback_arrives_and_the_next_callbacks_are_called(node, executor):
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) == 1:
            raise ValueError('the first one')

    node.create_timer(0.005, tick)
    with pytest.raises(ValueError, match='the first one'):
        spin(executor, lambda: False)
    spin(executor, lambda: len(ticks) > 2)
