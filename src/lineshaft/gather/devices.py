"""All devices of the plant: started, stopped and exchanged one by one."""

import asyncio
from collections.abc import Iterable

from lineshaft.core.errors import Invalid, Missing
from lineshaft.drivers import Driver
from lineshaft.gather import Config, Declare
from lineshaft.gather.device import Device, State
from lineshaft.spines import Spine


class Devices:
    """Runs every driver in a task of its own, so that none disturbs another."""

    def __init__(self, config: Config, spine: Spine, namespace: Declare) -> None:
        self._config, self._spine, self._namespace = config, spine, namespace
        self._devices: dict[str, Device] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

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

    def all(self) -> Iterable[Device]:
        """Every device, in the order of the settings."""
        return self._devices.values()

    def owner(self, path: str) -> Device | None:
        """The device that reads the point, or None."""
        return next((d for d in self._devices.values() if path in d.points), None)

    def metrics(self) -> Iterable[tuple[str, dict[str, str], float]]:
        """Figures for monitoring: name, labels, value."""
        for device in self._devices.values():
            label = {"device": device.name}
            yield "device_up", label, float(device.state is State.CONNECTED)
            yield "device_samples_total", label, float(device.samples)
            yield "device_reconnects_total", label, float(device.reconnects)
            yield "device_defects_total", label, float(device.defects)
            for reason, count in device.view().lost.items():
                yield "device_lost_total", label | {"reason": reason}, float(count)

    def _start(self, device: Device) -> None:
        assert self._group  # noqa: S101 - only called while running
        self._tasks[device.name] = self._group.create_task(
            device.run(), name=f"device {device.name}"
        )
