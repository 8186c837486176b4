"""`analysis-worker flags`, `enable`, `disable`, `rollout`, `rollback`: who gets which feature as jobs."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from analysis_worker.cli.operator import EXIT_REFUSED, JsonOption, ReasonOption, fail, operations, print_json

_MASTER = "all"
KeyArgument = Annotated[str, typer.Argument(help="The flag, or all for the master switch.")]


class FlagRow(BaseModel):
    key: str
    enabled: bool
    rollout_bps: int
    allow_users: int
    deny_users: int
    types: list[str]
    updated_by: str
    updated_at: datetime


class HealthRow(BaseModel):
    healthy: bool
    why: str | None
    changed_at: datetime
    workers: int
    wait_seconds: float | None
    attempts: int
    error_rate: float | None


class Overview(BaseModel):
    """The answer of describe_flags."""

    flags: list[FlagRow]
    health: HealthRow


def flags(json: JsonOption = False) -> None:
    """Show every flag, and whether jobs get done."""
    with operations() as opened:
        answer = opened.call("describe_flags", {})
    if json:
        print_json(answer)
    else:
        _show(Overview.model_validate(answer))


def enable(key: KeyArgument, reason: ReasonOption = None, json: JsonOption = False) -> None:
    """Switch a flag on again, for the share of users that it had."""
    _change("enable_flag", {"key": key, "reason": reason}, json)


def disable(key: KeyArgument, reason: ReasonOption = None, json: JsonOption = False) -> None:
    """Switch a flag off: synchronous for everybody, from the next call on. Jobs already enqueued are finished."""
    _change("disable_flag", {"key": key, "reason": reason}, json)


def rollout(
    key: Annotated[str, typer.Argument(help="The flag.")],
    share: Annotated[str, typer.Argument(help="Of users, like 10% or 0.5%.")],
    reason: ReasonOption = None,
    json: JsonOption = False,
) -> None:
    """Switch a flag on for a share of users. A larger share keeps all who had it."""
    _change("roll_out_flag", {"key": key, "rollout_bps": _parse_share(share), "reason": reason}, json)


def rollback(
    reason: ReasonOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Make everything synchronous for everybody, from the next call on; `enable all` is the way back.

    Asks first where somebody sits at the terminal.
    """
    if not yes and sys.stdin.isatty() and not typer.confirm("Make everything synchronous for everybody?", err=True):
        fail("nothing was changed", EXIT_REFUSED)
    _change("roll_back", {"reason": reason}, json)


COMMANDS = (flags, enable, disable, rollout, rollback)


def _change(function: str, arguments: dict[str, Any], json: bool) -> None:
    with operations() as opened:
        answer = opened.call(function, arguments)
        if json:
            print_json(answer)
        else:
            typer.echo(f"{answer['key']}: {'changed' if answer['changed'] else 'was so already'}\n")
            _show(Overview.model_validate(opened.call("describe_flags", {})))


def _show(overview: Overview) -> None:
    typer.echo(_describe_health(overview.health))
    for flag in overview.flags:
        typer.echo(_describe_flag(flag))
    if not all(flag.enabled for flag in overview.flags if flag.key == _MASTER):
        typer.echo("Everything is synchronous, whatever the flags say, until `analysis-worker enable all`.")


def _describe_health(health: HealthRow) -> str:
    state = "healthy" if health.healthy else f"unhealthy ({health.why})"
    numbers = [f"workers {health.workers}"]
    if health.wait_seconds is not None:
        numbers.append(f"longest wait {health.wait_seconds:.0f} s")
    if health.error_rate is not None:
        numbers.append(f"{health.error_rate:.1%} of {health.attempts} attempts failed")
    return f"{state} since {health.changed_at:%Y-%m-%d %H:%M:%S %Z}: {', '.join(numbers)}"


def _describe_flag(flag: FlagRow) -> str:
    share = "" if flag.key == _MASTER else f"{flag.rollout_bps / 100:g}%"
    lists = f"+{flag.allow_users} -{flag.deny_users}" if flag.allow_users or flag.deny_users else ""
    changed = f"{flag.updated_at:%Y-%m-%d %H:%M} {flag.updated_by}"
    state = "on" if flag.enabled else "off"
    return f"  {flag.key:<12} {state:<4} {share:>7} {lists:>9}  {changed}  {' '.join(flag.types)}".rstrip()


def _parse_share(text: str) -> int:
    """Hundredths of a percent."""
    match = re.fullmatch(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?", text)
    share = int(match[1] + (match[2] or "").ljust(2, "0")) if match else -1
    if not 0 <= share <= 10000:
        raise typer.BadParameter(f"{text!r} is no share: 0% to 100%, in steps of 0.01%")
    return share
