"""The delays and limits of the server, with the real server's values as defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """Seconds throughout.

    `ready_delay_s` is how long the server waits between the reply to a join and the "Subscribed" message; rows
    committed in that gap are lost to the channel. The real server takes 2-26 ms warm, up to 2.9 s cold.
    `changes_every_s` is how often the server looks for changes of tables; 0 tells of them at once, which no real server
    does: it takes 0.5 when idle and 0.1 when busy. `refresh_delay_s` is how long the old claims stay in force after a
    new token. `publication_check_s` is how long a change of the publication may go unnoticed.
    """

    ready_delay_s: float = 0.0
    changes_every_s: float = 0.0
    refresh_delay_s: float = 2.0
    handshake_refusal_delay_s: float = 2.0
    join_refusal_delay_s: float = 5.0
    idle_timeout_s: float = 66.0
    publication_check_s: float = 60.0
