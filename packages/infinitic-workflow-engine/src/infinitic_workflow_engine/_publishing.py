"""Emissions leave: wave after wave, one publish for each topic of a wave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from infinitic_common.transport import OutgoingMessage, Topic, Transport
from infinitic_workflow_engine._core.turn import Emission

Wave = dict[Topic, list[OutgoingMessage]]


async def publish(transport: Transport, emissions: Iterable[Emission]) -> None:
    """Publish all; returns when the broker has them.

    Messages of a wave that share a topic keep their order.
    """
    waves: dict[int, Wave] = {}
    for emission in emissions:
        wave = waves.setdefault(emission.wave, {})
        wave.setdefault(emission.topic, []).append(emission.message)
    for number in sorted(waves):
        await _publish_wave(transport, waves[number])


async def _publish_wave(transport: Transport, wave: Wave) -> None:
    if len(wave) == 1:
        [(topic, messages)] = wave.items()
        await transport.publish(topic, messages)
        return
    await asyncio.gather(*(transport.publish(topic, messages) for topic, messages in wave.items()))
