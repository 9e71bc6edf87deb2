"""Where the demo's notices arrive: a mail server and a webhook receiver in this process, on loopback."""

import base64
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from streams.broker.ports import free_ports

_HOST = "127.0.0.1"
_MAIL_PORT = 8025


@dataclass(slots=True)
class Arrived:
    """What has arrived so far, counted by the sinks' threads. to_reps, to_leads: mails; webhooks: verified ones."""

    to_reps: int = 0
    to_leads: int = 0
    webhooks: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Sinks:
    """The running sinks. secret: what webhooks must be signed with."""

    smtp_port: int
    webhook_url: str
    secret: str
    arrived: Arrived


@contextmanager
def listening(rep_domain: str) -> Iterator[Sinks]:
    """Yield sinks on free ports. rep_domain: mail to it is to reps, any other to leads."""
    arrived = Arrived()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    mail = Controller(_MailSink(arrived, rep_domain), hostname=_HOST, port=next(free_ports(_MAIL_PORT)))
    mail.start()
    hooks = ThreadingHTTPServer((_HOST, 0), _receiver(arrived, Webhook(secret)))
    thread = threading.Thread(target=hooks.serve_forever, name="demo-webhooks", daemon=True)
    thread.start()
    try:
        yield Sinks(mail.port, f"http://{_HOST}:{hooks.server_port}/crm", secret, arrived)
    finally:
        hooks.shutdown()
        thread.join()
        hooks.server_close()
        mail.stop()


class _MailSink:
    def __init__(self, arrived: Arrived, rep_domain: str) -> None:
        self._arrived = arrived
        self._suffix = f"@{rep_domain}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd)
        with self._arrived.lock:
            for recipient in envelope.rcpt_tos:
                if recipient.endswith(self._suffix):
                    self._arrived.to_reps += 1
                else:
                    self._arrived.to_leads += 1
        return "250 OK"


def _receiver(arrived: Arrived, webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                webhook.verify(body, dict(self.headers.items()))
            except WebhookVerificationError:
                status = 401
            else:
                status = 200
            with arrived.lock:
                if status == 200:
                    arrived.webhooks += 1
                else:
                    arrived.refused += 1
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the live table has the screen."""

    return Receiver
