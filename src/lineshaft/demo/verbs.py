"""The verb `lineshaft demo`."""

import argparse
import asyncio
import logging
from pathlib import Path


def verbs(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = subparsers.add_parser(
        "demo",
        help="run the demo factory: simulated machines on OPC UA, Modbus and MQTT",
        description="Run a small appliance factory on this machine, speaking the real protocols,"
        " and a plant that watches it. Ctrl-C stops both.",
    )
    verb.add_argument("--port", type=int, help="port of the console (default: 8080, if free)")
    verb.add_argument(
        "--data",
        type=Path,
        default=Path("demo-data"),
        help="folder for all the demo keeps (default: demo-data)",
    )
    verb.add_argument("--seed", type=int, default=1, help="another seed is another factory")
    verb.add_argument("--faults", action="store_true", help="break something now and then")
    verb.add_argument("--no-history", action="store_true", help="load no made-up past")
    verb.add_argument(
        "--fresh", action="store_true", help="delete the folder's demo and begin anew"
    )
    verb.set_defaults(call=demo)


def demo(args: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C."""
    import uvloop  # noqa: PLC0415 - other verbs start without it

    from lineshaft.demo.history import DAYS  # noqa: PLC0415
    from lineshaft.demo.run import Wish, run  # noqa: PLC0415 - loads the whole platform

    # That links break is what the demo is about; the devices page shows it.
    logging.getLogger("lineshaft.core.flow").setLevel(logging.ERROR)
    wish = Wish(
        folder=args.data.resolve(),
        seed=args.seed,
        port=args.port,
        faults=args.faults,
        days=0 if args.no_history else DAYS,
        fresh=args.fresh,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(wish, lambda line: print(line, flush=True)))
    return 0
