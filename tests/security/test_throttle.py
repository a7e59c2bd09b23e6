"""The token bucket."""

import pytest

from lineshaft.core.clock import NS_PER_S
from lineshaft.security.throttle import Throttle, neighbourhood


class Clock:
    now_ns = 0

    def __call__(self):
        return self.now_ns

    def wait(self, seconds):
        self.now_ns += int(seconds * NS_PER_S)


def test_a_burst_passes_then_one_at_a_time():
    clock = Clock()
    throttle = Throttle(burst=3, refill_s=10, clock=clock)
    assert [throttle.take("a") for _ in range(4)] == [0, 0, 0, 10]
    assert throttle.take("b") == 0
    clock.wait(4)
    assert throttle.take("a") == pytest.approx(6)
    clock.wait(6)
    assert throttle.take("a") == 0
    assert throttle.take("a") == 10
    clock.wait(1000)
    assert [bool(throttle.take("a")) for _ in range(4)] == [False, False, False, True]


def test_what_is_given_back_can_be_taken_again():
    throttle = Throttle(burst=1, refill_s=10, clock=Clock())
    assert throttle.take("a") == 0
    throttle.give_back("a")
    throttle.give_back("a")
    assert [bool(throttle.take("a")) for _ in range(2)] == [False, True]
    throttle.clear("a")
    assert throttle.take("a") == 0


def test_a_clock_that_is_set_back_locks_nobody_out_for_longer():
    clock = Clock()
    clock.wait(1000)
    throttle = Throttle(burst=1, refill_s=10, clock=clock)
    throttle.take("a")
    clock.wait(-500)
    assert throttle.take("a") == 10
    clock.wait(10)
    assert throttle.take("a") == 0


def test_memory_is_bounded_and_full_buckets_take_none():
    throttle = Throttle(burst=2, refill_s=10, clock=Clock(), keys_max=5)
    for n in range(100):
        throttle.take(str(n))
    assert len(throttle) == 5
    throttle.give_back("99")
    assert len(throttle) == 4


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_address_stands_for_all_that_one_host_has(address, counted_as):
    assert neighbourhood(address) == counted_as
