"""One client's WebSocket: frames in, channels behind, frames out in order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from supabase_local.realtime import protocol
from supabase_local.realtime.channel import Channel
from supabase_local.realtime.services import Services

_log = logging.getLogger(__name__)


class Socket:
    """`token` is the role key that opened the connection."""

    def __init__(self, services: Services, version: protocol.Version, token: str) -> None:
        self._services = services
        self._version = version
        self._token = token
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._channels: dict[str, tuple[Channel, asyncio.Task[None]]] = {}

    async def serve(self, ws: web.WebSocketResponse) -> None:
        """Until the client leaves, or has sent nothing for the idle timeout."""
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write(ws))
            try:
                await self._read(ws, tasks)
            finally:
                for _, task in self._channels.values():
                    task.cancel()
                writer.cancel()

    async def _read(self, ws: web.WebSocketResponse, tasks: asyncio.TaskGroup) -> None:
        while True:
            try:
                message = await ws.receive(self._services.options.idle_timeout_s)
            except TimeoutError:
                await self._services.faults.thawed()
                await ws.close(code=WSCloseCode.OK)
                return
            await self._services.faults.thawed()
            match message.type:
                case WSMsgType.TEXT:
                    try:
                        frame = protocol.decode(self._version, message.data)
                    except protocol.FrameError:
                        await ws.close(code=WSCloseCode.INTERNAL_ERROR)
                        return
                    self._handle(frame, tasks)
                case WSMsgType.PING:
                    with suppress(ConnectionError):
                        await ws.pong(message.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    await ws.close()
                    return

    async def _write(self, ws: web.WebSocketResponse) -> None:
        while True:
            frame = await self._outbox.get()
            await self._services.faults.thawed()
            try:
                await (ws.send_str(frame) if isinstance(frame, str) else ws.send_bytes(frame))
            except ConnectionError:
                return

    def _handle(self, frame: protocol.Received, tasks: asyncio.TaskGroup) -> None:
        channel, task = self._channels.get(frame.topic, (None, None))
        match frame.event:
            case "heartbeat" if frame.topic == protocol.HEARTBEAT_TOPIC:
                self._send(protocol.reply(frame, "ok", {}))
            case "phx_join" if frame.topic.startswith(protocol.TOPIC_PREFIX):
                self._join(frame, tasks)
            case "phx_leave":
                self._send(protocol.reply(frame, "ok", {}))
                if channel is not None and task is not None:
                    task.cancel()
                    self._forget(channel)
                    self._send(protocol.close(frame.topic, channel.join_ref))
            case _ if channel is None:
                self._send(protocol.reply(frame, "error", {"reason": "unmatched topic"}))
            case "access_token":
                channel.refresh(frame.payload)
            case "broadcast":
                channel.say(frame)
            case _:
                pass  # presence of clients is not served

    def _join(self, frame: protocol.Received, tasks: asyncio.TaskGroup) -> None:
        replaced, old_task = self._channels.pop(frame.topic, (None, None))
        if old_task is not None:
            old_task.cancel()
        channel = Channel(self._services, frame, self._token, self._send)
        task = tasks.create_task(channel.run(replaced.join_ref if replaced else None))
        self._channels[frame.topic] = (channel, task)
        task.add_done_callback(lambda _: self._forget(channel))

    def _forget(self, channel: Channel) -> None:
        if self._channels.get(channel.topic, (None,))[0] is channel:
            del self._channels[channel.topic]

    def _send(self, frame: protocol.Frame) -> None:
        try:
            self._outbox.put_nowait(protocol.encode(self._version, frame))
        except protocol.FrameError as error:
            _log.error("a broadcast is lost: %s", error)
