"""What a batch came to, and what becomes of a record that a stage stumbled over."""

import traceback
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from streams.inbox import Batch, SetAside
from streams.stage import Context

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """refused: by place, what is not handled (again). nows: each partition's last clock. set_aside: dead letters."""

    refused: dict[int, SetAside]
    context: Context = field(default_factory=dict)
    nows: dict[int, datetime] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)


def stumbled(batch: Batch, place: int, error: Exception, step: str) -> SetAside:
    """Return the dead letter of a record that a stage stumbled over. Where, but not what: the text may hold data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
    event = batch.events[place]
    log.error(
        "record.unhandled",
        step=step,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        event_id=event.id,
        error=type(error).__name__,
        where=where,
    )
    return SetAside(batch.messages[place], type(error).__name__, f"unexpected {type(error).__name__} at {where}")
