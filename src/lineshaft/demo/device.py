"""`python -m lineshaft.demo.device cnc-1 --port 4840`: one device of the demo factory.

Each device is a process of its own, so that it can be killed like a real one. It ends when the
process that started it does.
"""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from pathlib import Path

from lineshaft.core.clock import now_ns
from lineshaft.demo.addresses import MAPS
from lineshaft.demo.aside import die_with
from lineshaft.demo.cnc import MAKES
from lineshaft.demo.machines import PLACES, Factory
from lineshaft.demo.world import first_midnight

READY = "ready"
"""What a device prints on a line of its own once it answers."""


def parser() -> argparse.ArgumentParser:
    """What a device may be told."""
    made = argparse.ArgumentParser(prog="python -m lineshaft.demo.device", description=__doc__)
    made.add_argument(
        "device",
        nargs="+",
        choices=["broker", *PLACES],
        metavar="DEVICE",
        help=f"broker, or one of {', '.join(PLACES)}; several CNCs share a server",
    )
    made.add_argument("--port", type=int, required=True, help="port; for MQTT, the broker's")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--epoch", type=int, help="first midnight of the factory, ns since 1970")
    made.add_argument("--folder", type=Path, default=Path("demo-data/factory"))
    made.add_argument("--parent", type=int, help="end when this process does")
    made.add_argument("--ledger", type=Path, help="note what the MQTT broker has acknowledged")
    return made  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Be the device until told to stop."""
    args = parser().parse_args(arguments)
    if args.parent:
        die_with(args.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN if args.parent else signal.default_int_handler)
    if args.device == ["broker"]:
        from lineshaft.demo.broker import become  # noqa: PLC0415 - see _work

        become(args.folder.resolve() / "broker", args.port)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_until_told(_work(args)))


async def _until_told(work: Coroutine[None, None, None]) -> None:
    """Run until SIGTERM."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work, name="device")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _work(args: argparse.Namespace) -> None:
    # Each device loads its own protocol alone: imports are what starting takes longest.
    from lineshaft.demo.live import Live  # noqa: PLC0415

    epoch_ns = args.epoch or first_midnight(now_ns())
    factory = Factory(args.seed, epoch_ns, args.folder / "logbook.jsonl")
    machines = [Live(factory, name) for name in args.device]
    if set(args.device) <= set(MAKES):
        from lineshaft.demo import opcua_device  # noqa: PLC0415

        await opcua_device.serve(machines, args.port, _ready)
    elif len(machines) > 1:
        raise SystemExit("only machining centres share a server")
    elif args.device[0] in MAPS:
        from lineshaft.demo import modbus_device  # noqa: PLC0415

        await modbus_device.serve(machines[0], args.port, _ready)
    else:
        from lineshaft.demo import mqtt_device  # noqa: PLC0415

        await mqtt_device.serve(machines[0], args.port, _ready, args.ledger)


def _ready() -> None:
    print(READY, flush=True)  # noqa: T201 - the factory waits for this line


if __name__ == "__main__":
    main()
