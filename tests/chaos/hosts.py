"""Hosts of their own on this machine: network namespaces, each with one cable to the stack, which can be pulled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.chaos.proxy import running_proxy
from tests.chaos.ways import Way

_NETWORK = "198.51.100"


class NoHostsError(Exception):
    """This machine lets us make none: that takes root and `ip`."""


@dataclass(frozen=True, slots=True)
class Host:
    """`reach` says where the stack is, seen from there."""

    name: str
    cable: str
    reach: Mapping[str, str]

    @property
    def enter(self) -> list[str]:
        """What a command that is to run there begins with; it stays the same process."""
        return ["ip", "netns", "exec", self.name]

    def pull_cable(self) -> None:
        _ip("link", "set", self.cable, "down")

    def plug_cable(self) -> None:
        _ip("link", "set", self.cable, "up")


@contextmanager
def running_hosts(count: int, way: Way) -> Iterator[list[Host]]:
    """Raises NoHostsError. Addresses are of a network that is kept for documentation, if this machine is not in it."""
    if _ip("route", "show", "to", "root", f"{_NETWORK}.0/24"):
        raise NoHostsError(f"{_NETWORK}.0/24 is in use")
    with ExitStack() as exits:
        yield [exits.enter_context(_running_host(number, way)) for number in range(count)]


@contextmanager
def _running_host(number: int, way: Way) -> Iterator[Host]:
    name, cable = f"analysis-{os.getpid()}-{number}", f"aw{os.getpid()}-{number}"
    here, there = f"{_NETWORK}.{4 * number + 1}", f"{_NETWORK}.{4 * number + 2}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("address", "add", f"{here}/30", "dev", cable)
        _ip("link", "set", cable, "up")
        _ip("-netns", name, "address", "add", f"{there}/30", "dev", "eth0")
        _ip("-netns", name, "link", "set", "eth0", "up")
        with running_proxy(way.port, here) as proxy:
            yield Host(name, cable, way.variables(here, proxy.port))
    finally:
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> str:
    try:
        return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=10).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise NoHostsError(f"ip {' '.join(arguments)}: {getattr(error, 'stderr', error)}") from error
