"""The intake as a process: settings in, uvicorn until SIGTERM or Ctrl-C."""

import os
from contextlib import ExitStack

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from streams.errors import Fatal
from streams.intake.api_key import key_digests
from streams.intake.app import Log, create_app
from streams.intake.desk import open_desk
from streams.intake.forms.kinds import FORMS
from streams.intake.forms.source import read_forms
from streams.intake.guides.guide import read_guides
from streams.intake.guides.router import Guides
from streams.intake.publisher import Publisher
from streams.intake.settings import IntakeSettings
from streams.settings import Settings
from streams.topology import org_of
from streams.tracing import Tracing

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_GRACE_SECONDS = 10


class NoKeys(Fatal):
    """The intake has no API key. Make one with `leadstream intake new-key NAME`, or, on loopback only, say --open."""


def require_guarded(settings: IntakeSettings) -> dict[str, str]:
    """Return the clients' key digests. Raises NoKeys where anybody could write, KeysInvalid."""
    digests = key_digests(settings)
    if settings.is_open and settings.host not in _LOOPBACK:
        raise NoKeys(f"--open is for the loopback interface, not for {settings.host}.")
    if not digests and not settings.is_open:
        raise NoKeys
    return digests


def serve(settings: IntakeSettings, process: Settings, log: Log) -> None:
    """Serve until told to stop; requests under way are finished. Raises NoKeys, KeysInvalid, FormsInvalid,
    GuidesInvalid, SettingsError."""
    digests = require_guarded(settings)
    forms = read_forms(settings.forms_file, os.environ, FORMS)
    guides = _guides(settings, process)
    cluster = process.cluster
    with ExitStack() as held:
        tracing = Tracing("intake", 0, process.traces_url) if process.traces_url else None
        if tracing is not None:
            held.callback(tracing.close)
        publisher = held.enter_context(Publisher(cluster, settings.ack_seconds, tracing))
        desk = held.enter_context(open_desk(cluster, process.channels, forms, guides))
        app = create_app(settings, publisher, digests, CollectorRegistry(), log, desk)
        log.info("intake.started", host=settings.host, port=settings.port, clients=len(digests))
        server(app, settings).run()


def _guides(settings: IntakeSettings, process: Settings) -> Guides | None:
    if settings.guides_file is None:
        return None
    return Guides(read_guides(settings.guides_file), process.person_key(), org_of(process))


def server(app: FastAPI, settings: IntakeSettings) -> uvicorn.Server:
    """Return the HTTP server of `app`; nothing listens yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,  # the path of PUT /reps/{id} and the address of the caller are nobody's business
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
