"""What the routes stand on, made once per process and handed to them by FastAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, cast

import redis
from celery import Celery
from fastapi import Depends, Request
from sqlalchemy import Engine

from langflix.api.counters import Metrics
from langflix.api.guesses import Guesses
from langflix.api.hub import Hub
from langflix.api.lately import Lately
from langflix.data.engine import connect
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue import app as queue
from langflix.settings import Settings

REDIS_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Services:
    """The doors to the outside; none is opened before its first use."""

    settings: Settings
    engine: Engine
    redis: redis.Redis
    celery: Celery
    storage: Storage
    metrics: Metrics
    share: Share | None
    events: Hub
    guesses: Guesses = field(default_factory=Guesses)
    #: States for strangers, by the question.
    lately: Mapping[str, Lately[Literal["ok", "degraded", "failed"]]] = field(
        default_factory=lambda: {"ready": Lately(), "detailed": Lately()}
    )

    @classmethod
    def of(cls, settings: Settings) -> Services:
        """Return the doors that ``settings`` describe."""
        endpoint = settings.need_redis()
        return cls(
            settings=settings,
            engine=connect(settings.need_database()),
            redis=redis.Redis.from_url(
                endpoint.with_password(),
                socket_timeout=REDIS_TIMEOUT_S,
                socket_connect_timeout=REDIS_TIMEOUT_S,
            ),
            celery=queue.create(settings),
            storage=Storage(settings.data_dir),
            metrics=Metrics(),
            share=Share(settings.media_dir) if settings.media_dir else None,
            events=Hub(settings.need_database()),
        )

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.redis.close()
        self.celery.close()


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Given = Annotated[Services, Depends(_services)]
