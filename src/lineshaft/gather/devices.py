"""All devices of the plant: started, stopped and exchanged one by one."""

import asyncio
from collections.abc import Iterable

from lineshaft.core.errors import Invalid, LinkLost, Missing, Refused
from lineshaft.drivers import Condition, Driver
from lineshaft.gather import Alarms, Config, Declare
from lineshaft.gather.device import Device, State
from lineshaft.spines import Spine
from lineshaft.web.metrics import Metric


class Devices:
    """Runs every driver in a task of its own, so that none disturbs another."""

    def __init__(self, config: Config, spine: Spine, namespace: Declare) -> None:
        self._config, self._spine, self._namespace = config, spine, namespace
        self._devices: dict[str, Device] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.alarms: Alarms | None = None
        """Who keeps what devices tell of their alarms."""

    async def run(self) -> None:
        """Keep all devices running until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for device in self._devices.values():
                self._start(device)
            await asyncio.Event().wait()

    def add(self, driver: Driver, *, file: bool = True) -> None:
        """Take a driver in; it starts now, or with `run`.

        Raises:
            Invalid: the name is taken.
        """
        if driver.name in self._devices:
            raise Invalid(f"a device {driver.name!r} exists already", remedy="Choose another name.")
        device = Device(driver, self._spine, self._namespace, self._config, file=file)
        device.alarms = self.alarms
        self._devices[driver.name] = device
        if self._group:
            self._start(device)

    async def remove(self, name: str) -> None:
        """Stop a device and forget it.

        Raises:
            Missing: there is none of that name.
        """
        self.device(name)
        task = self._tasks.pop(name, None)
        if task:
            task.cancel()
            await asyncio.wait([task])
            await self._devices[name].leave()
        del self._devices[name]

    def retry(self, name: str) -> None:
        """Ask a parked device to try again.

        Raises:
            Missing: there is none of that name.
        """
        self.device(name).retry.set()

    def device(self, name: str) -> Device:
        """The device of that name.

        Raises:
            Missing: there is none.
        """
        if name not in self._devices:
            raise Missing(
                f"there is no device {name!r}; there are: {', '.join(self._devices) or 'none'}"
            )
        return self._devices[name]

    async def acknowledge(self, name: str, condition: Condition, comment: str) -> None:
        """Tell a device that somebody has seen its alarm.

        Raises:
            Refused: there is no such device, or it says no.
            LinkLost: it is not connected, or does not answer.
        """
        device = self._devices.get(name)
        if device is None:
            raise Refused(f"{condition.name}: there is no device {name!r} any more")
        if device.state is not State.CONNECTED:
            raise LinkLost(f"{condition.name}: {name} is not connected")
        await device.driver.acknowledge(condition, comment)

    def all(self) -> Iterable[Device]:
        """Every device, in the order of the settings."""
        return self._devices.values()

    def owner(self, path: str) -> Device | None:
        """The device that reads the point, or None."""
        return next((d for d in self._devices.values() if path in d.points), None)

    def metrics(self) -> list[Metric]:
        """Figures for monitoring."""
        names = [({"device": d.name}, d) for d in self._devices.values()]
        return [
            Metric(
                "device_up",
                "gauge",
                "Whether the device is connected.",
                tuple((n, float(d.state is State.CONNECTED)) for n, d in names),
            ),
            Metric(
                "device_samples_total",
                "counter",
                "Samples handed over and confirmed.",
                tuple((n, float(d.samples)) for n, d in names),
            ),
            Metric(
                "device_reconnects_total",
                "counter",
                "Times the link came back.",
                tuple((n, float(d.reconnects)) for n, d in names),
            ),
            Metric(
                "device_defects_total",
                "counter",
                "Times the driver failed in a way it never should.",
                tuple((n, float(d.defects)) for n, d in names),
            ),
            Metric(
                "device_lost_total",
                "counter",
                "Samples that could not be brought over, by reason.",
                tuple(
                    (n | {"reason": reason}, float(count))
                    for n, d in names
                    for reason, count in d.lost_by_reason().items()
                ),
            ),
        ]

    def _start(self, device: Device) -> None:
        assert self._group  # noqa: S101 - only called while running
        self._tasks[device.name] = self._group.create_task(
            device.run(), name=f"device {device.name}"
        )
