"""
Run the kubelet as the node of any Kubernetes API.

    python -m crossfade.sandbox.kube.kubelet --kubeconfig FILE --node NAME --root FOLDER
"""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from crossfade.base.clock import SteadyClock
from crossfade.sandbox.certificates import new_authority, write_server
from crossfade.sandbox.kube.http_client import from_kubeconfig
from crossfade.sandbox.kube.kubelet.capacity import host_capacity
from crossfade.sandbox.kube.kubelet.endpoint import Endpoint
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.service import Kubelet


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Run pods as processes of this machine.")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--context", default="", help="default: the current one")
    parser.add_argument("--node", required=True, help="name of the Node to be")
    parser.add_argument("--root", type=Path, required=True, help="folder for logs and volumes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(arguments))


async def serve(arguments: argparse.Namespace) -> None:
    """Run kubelet and log server until a signal comes."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    client = from_kubeconfig(arguments.kubeconfig, arguments.context)
    clock = SteadyClock()
    options = KubeletOptions(clock=clock)
    kubelet = Kubelet(client, arguments.node, host_capacity(), arguments.root, options)
    folder = _folder(arguments.root)
    write_server(new_authority(clock.now()), arguments.node, folder, clock.now())
    endpoint = Endpoint(kubelet.log_reader)
    server = await endpoint.serve(options.address, folder / "server.crt", folder / "server.key")
    kubelet.log_port = server.sockets[0].getsockname()[1]
    async with server, asyncio.TaskGroup() as group:
        work = group.create_task(kubelet.run())
        await stop.wait()
        work.cancel()
    await client.close()


def _folder(root: Path) -> Path:
    folder = root / "tls"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
