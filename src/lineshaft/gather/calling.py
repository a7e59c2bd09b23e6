"""Calling methods of machines, guarded: off by default, within limits, on record before and after.

The rules are those of writing: a right, an entry in the settings, limits, a pace, an interlock, a
connected device. What cannot be audited is not done; what was not answered is not done again.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lineshaft.core.access import Action, Audit, Authorizer, Identity
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Denied, Invalid, LineshaftError, LinkLost, Refused
from lineshaft.core.event import Event
from lineshaft.core.path import check_path
from lineshaft.drivers import Driver, Method
from lineshaft.gather import ArgumentRule, CallRule, Latest
from lineshaft.gather.device import State
from lineshaft.gather.devices import Devices
from lineshaft.gather.interlocks import check_interlock


class Caller:
    """The guard between people and the methods of machines."""

    def __init__(
        self, devices: Devices, latest: Latest, authorizer: Authorizer, audit: Audit
    ) -> None:
        self._devices, self._latest = devices, latest
        self._authorizer, self._audit = authorizer, audit
        self._rules: dict[str, CallRule] = {}
        self._called_ns: dict[str, int] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def allow(self, rules: Sequence[CallRule]) -> None:
        """Take these rules instead of the present ones."""
        self._rules = {r.method: r for r in rules}

    def rules(self) -> Mapping[str, CallRule]:
        """The rules, by the path of their method."""
        return self._rules

    def methods(self) -> list[Method]:
        """Methods that may be called and that a device knows now, by path."""
        found = (m for d in self._devices.all() for m in d.driver.methods())
        return sorted((m for m in found if m.path in self._rules), key=lambda m: m.path)

    async def call(self, who: Identity, method: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Have a machine carry out a method; its outputs by name.

        Raises:
            Denied: `who` may not.
            Refused: settings, limits, interlock, pace or device say no.
            LinkLost: it does not answer; whether it was done is not known.
            Unavailable: it cannot be put on record, and is not done.
        """
        if method not in self._rules:
            return await self._call(who, method, inputs)
        async with self._turns.setdefault(method, asyncio.Lock()):
            return await self._call(who, method, inputs)

    async def _call(self, who: Identity, method: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(inputs)
        try:
            rule, driver = self._check(who, method, given)
        except LineshaftError as error:
            await self._note("call.refused", who, method, inputs=given, problem=str(error))
            raise
        await self._note("call.begun", who, method, inputs=given)
        self._called_ns[method] = now_ns()
        try:
            async with asyncio.timeout(rule.timeout_s):
                outputs = await driver.call(method, given)
        except TimeoutError:
            await self._note("call.failed", who, method, problem="no answer")
            raise LinkLost(
                f"{method}: {driver.name} did not answer within {rule.timeout_s:g} s; whether"
                " it was done is not known",
                remedy="Look at the machine before trying again.",
            ) from None
        except LineshaftError as error:
            await self._note("call.failed", who, method, problem=str(error))
            raise
        except asyncio.CancelledError:
            # Who asked waits no longer; what became of it is on record all the same.
            problem = "nobody waited for the answer; whether it was done is not known"
            await asyncio.shield(self._note("call.failed", who, method, problem=problem))
            raise
        await self._note("call.done", who, method, outputs=outputs)
        return outputs

    # ---- the checks

    def _check(
        self, who: Identity, method: str, inputs: Mapping[str, Any]
    ) -> tuple[CallRule, Driver]:
        if not self._authorizer.allows(who, Action.WRITE, method):
            raise Denied(f"{who.name} may not call {method}", remedy="Ask an administrator.")
        rule = self._rules.get(method)
        if rule is None:
            raise Refused(
                f"method {method} may not be called",
                remedy="An engineer adds it to the settings under [[calls]].",
            )
        driver = self._driver_of(method)
        for name, value in inputs.items():
            _check_argument(f"{method}: {name}", rule.arguments.get(name), value)
        passed_s = (now_ns() - self._called_ns.get(method, 0)) / NS_PER_S
        if passed_s < rule.wait_s:
            raise Refused(
                f"{method} was called {passed_s:.0f} s ago, and {rule.wait_s:g} s must pass",
                remedy="Wait, then call it again.",
            )
        if rule.interlock:
            check_interlock(method, rule.interlock, self._latest)
        return rule, driver

    def _driver_of(self, method: str) -> Driver:
        for device in self._devices.all():
            if device.state is State.CONNECTED and any(
                m.path == method for m in device.driver.methods()
            ):
                return device.driver
        raise Refused(
            f"no connected device has a method {method}",
            remedy="Name it in `methods` of the connection, and see that the device is there.",
        )

    async def _note(self, kind: str, who: Identity, path: str, **data: object) -> None:
        await self._audit.note(Event(kind=kind, path=path, actor=who.name, data=data))


def _check_argument(what: str, rule: ArgumentRule | None, value: object) -> None:
    """See that an argument may be given.

    Raises:
        Refused: it is outside its limits, or it has none and could be anything.
    """
    if rule is None:
        if isinstance(value, bool | str):
            return
        raise Refused(
            f"{what} has no entry in `arguments` of its [[calls]]",
            remedy="An engineer sets its limits, or an empty entry when it may be anything.",
        )
    if rule.values and not any(value == v and _alike(value, v) for v in rule.values):
        raise Refused(f"{what} is {value!r:.60}, wanted one of {list(rule.values)}")
    if rule.low is None and rule.high is None:
        return
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    low = -math.inf if rule.low is None else rule.low
    high = math.inf if rule.high is None else rule.high
    if not low <= number <= high:
        raise Refused(
            f"{what} is {value!r:.60}, wanted a number from {low:g} to {high:g}",
            remedy="Choose a value within the limits.",
        )


def _alike(one: object, other: object) -> bool:
    """Whether both are truth values or neither is: 1 is no True."""
    return isinstance(one, bool) is isinstance(other, bool)


def check_calls(rules: Sequence[CallRule]) -> None:
    """See that rules can be kept to.

    Raises:
        Invalid: a method is no path or stands twice, or a range holds nothing.
    """
    seen: set[str] = set()
    for rule in rules:
        check_path(rule.method)
        if rule.method in seen:
            raise Invalid(
                f"[[calls]] method {rule.method!r} stands twice", remedy="Join the two entries."
            )
        seen.add(rule.method)
        for name, one in rule.arguments.items():
            if one.low is not None and one.high is not None and not one.low <= one.high:
                raise Invalid(
                    f"[[calls]] {rule.method}: {name} goes from {one.low:g} to {one.high:g}",
                    remedy="Give low not above high.",
                )
