"""`crossfade edge authority|bootstrap|run`: edges on machines of their own."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.clock import SteadyClock
from crossfade.base.errors import InputError, NotFound, Unavailable
from crossfade.base.host_port import HostPort, host_port
from crossfade.cli.output import Format, OutputOption, day, note, show

if TYPE_CHECKING:
    from crossfade.adapters.envoy.bootstrap import Identity

_YEAR = 365
_MOST_DAYS = 3650

_Days = Annotated[
    int, typer.Option(min=1, max=_MOST_DAYS, help="So many days the certificate is good.")
]


def authority(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    renew: Annotated[
        bool, typer.Option("--renew", help="Make the hub another certificate.")
    ] = False,
    days: _Days = _YEAR,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Make the authority by which hub and edges of other machines know each other.

    Hubs need ca.pem, hub.pem and hub.key, and CROSSFADE_EDGE_TLS set to the folder; ca.key signs
    for new edges, and may be kept elsewhere.  What is there stays, so it may be repeated.
    """
    from crossfade.adapters.envoy.authority import EdgeAuthority
    from crossfade.base.certificates import Validity

    files, now = EdgeAuthority(folder), SteadyClock().now()
    made = files.make(Validity(now, _MOST_DAYS))
    if made or renew or not files.has_hub():
        files.certify_hub(Validity(now, days))
    ends = files.hub_ends_at()
    data = {"folder": str(folder.absolute()), "made": made, "hub_certificate_ends": day(ends)}
    word = "is made" if made else "was there"
    text = f"the authority {word}; the hub's certificate is good until {day(ends)}"
    show(data, output, lambda: text)
    note(f"hubs: CROSSFADE_EDGE_TLS={folder.absolute()} CROSSFADE_EDGE_LISTEN=0.0.0.0:17443")


def bootstrap(  # noqa: PLR0913 - one argument for each option of the command
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the edge is called.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the configuration goes.")],
    hub_address: Annotated[
        list[str],
        typer.Option(metavar="HOST:PORT", help="Where a hub listens for edges; all that may lead."),
    ],
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where users come in, as 0.0.0.0:80.")
    ],
    authority: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="What `crossfade edge authority` has made."),
    ] = None,
    admin_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of Envoy's own page, on 127.0.0.1.")
    ] = 9901,
    days: _Days = _YEAR,
) -> None:
    """
    Write what an edge on any machine is started with: `crossfade edge run FILE`, or an Envoy.

    FILE has the key of the edge: bring it there unseen.  Written anew, it has another one.
    """
    import json

    from crossfade.adapters.envoy.bootstrap import Listener, remote_edge_bootstrap
    from crossfade.base.certificates import ends_at
    from crossfade.base.files import write_text
    from crossfade.core.fleet.naming import edge_name

    known = edge_name(name)
    hubs = [_hub(each) for each in hub_address]
    users = _listener(listen, admin_port)
    identity = _identity(known, hubs, authority, days)
    made = remote_edge_bootstrap(
        known,
        [(each.host, each.port) for each in hubs],
        admin_port,
        Listener(users.host, users.port),
        identity,
    )
    try:
        write_text(file, json.dumps(made, indent=2) + "\n")
    except OSError as error:
        raise Unavailable(
            f"the file {file} cannot be written: {error.strerror}",
            hint="give a file in a folder that is there",
        ) from error
    until = f", good until {day(ends_at(identity.own.pem))}" if identity else ""
    note(f"edge {known} is in {file}{until}; start it with `crossfade edge run {file}`")


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `edge bootstrap` wrote it.")],
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Threads.", show_default="one for each core")
    ] = None,
) -> None:
    """Become the edge: Envoy in the foreground, until SIGTERM or Ctrl-C."""
    from crossfade.adapters.envoy.bootstrap import edge_command

    if not file.is_file():
        raise NotFound(
            f"there is no file {file}", hint="`crossfade edge bootstrap NAME FILE` writes one"
        )
    argv = edge_command(file.absolute(), workers or os.cpu_count() or 1)
    os.execv(argv[0], argv)  # noqa: S606 - that is what it is for


def _hub(text: str) -> HostPort:
    found = host_port(text, "--hub-address")
    if found.is_unspecified:
        raise InputError(
            "--hub-address is where a hub listens, and no edge gets there by it",
            hint="give the name or address of the hub's machine",
            value=text,
        )
    return found


def _listener(text: str, admin_port: int) -> HostPort:
    found = host_port(text, "--listen")
    if not found.is_address:
        raise InputError(
            "--listen names no IP address",
            hint="give one of that machine, or 0.0.0.0 for all that it has",
            value=text,
        )
    if found.port == admin_port:
        raise InputError(
            "users and Envoy's own page cannot have one port",
            hint="give another one with --admin-port",
            port=admin_port,
        )
    return found


def _identity(
    edge: str, hubs: list[HostPort], authority: Path | None, days: int
) -> "Identity | None":
    if authority is None:
        if all(each.is_loopback for each in hubs):
            return None
        raise InputError(
            "a hub of another machine knows edges by certificates",
            hint="`crossfade edge authority FOLDER` makes an authority; give it with --authority",
        )
    from crossfade.adapters.envoy.authority import EdgeAuthority
    from crossfade.base.certificates import Validity

    return EdgeAuthority(authority).identity(edge, Validity(SteadyClock().now(), days))
