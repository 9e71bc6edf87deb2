"""Mail over SMTP: text and HTML, one thread a lead and recipient, the same Message-ID at every try."""

import hashlib
import quopri
import re
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.utils import formataddr, formatdate

import aiosmtplib

from notifiers.mail_html import html_of
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Refused, Retryable, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.settings import SmtpSettings
from notifiers.unsubscribe import unsubscribe_link

_CRLF = "\r\n"
_LONGEST_LINE = 76
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Hand the message to the mail server. A repeat carries the same Message-ID.

    Raises Retryable (4xx, no connection), Refused (5xx, impossible address) or Suppressed.
    """
    smtp = outside.settings.smtp
    if smtp is None or outside.mails is None:
        raise Suppressed(UNCONFIGURED)
    mail = compose(message, key, outside)
    try:
        async with outside.mails.lent(timeout_seconds) as client:
            await client.sendmail(_address(smtp.sender), _address(message.to), mail)
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
        raise _sorted(error) from None
    except aiosmtplib.SMTPConnectError:
        raise Retryable("the mail server cannot be reached") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        # After DATA a lost connection does not tell whether the server took the mail.
        raise Retryable(f"the mail server broke off: {type(error).__name__}", may_have_arrived=True) from None
    return Sent()


def _sorted(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException) -> Retryable | Refused:
    # The server's words may quote the address, so only its code is kept.
    codes = [r.code for r in error.recipients] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error.code]
    code = codes[0] if codes else 550
    is_account = isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPSenderRefused)
    if 500 <= code < 600 and not is_account:
        return Refused(f"the mail server answered {code}")
    return Retryable(f"the mail server answered {code}")


def compose(message: Message, key: str, outside: Outside) -> bytes:
    """Return the mail as it goes out. Raises Refused where an address cannot stand in a header.

    The standard library encodes each header and part; only the joining is ours, for `EmailMessage` and its generator
    take twenty times as long (decision 0215).
    """
    boundary = f"=_{key}"  # quoted-printable never has "=_" in it
    headers = _headers(message, key, outside) | {
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    lines = [_line(name, value).encode() for name, value in headers.items()]
    for text, subtype in ((text_of(message), "plain"), (html_of(message), "html")):
        lines += [
            b"",
            f"--{boundary}".encode(),
            f"Content-Type: text/{subtype}; charset=utf-8".encode(),
            b"Content-Transfer-Encoding: quoted-printable",
            b"",
            quopri.encodestring(text.encode()).replace(b"\n", b"\r\n"),
        ]
    return b"\r\n".join((*lines, f"--{boundary}--".encode(), b""))


def _line(name: str, value: str) -> str:
    if value.isascii() and len(name) + len(value) < _LONGEST_LINE:
        return f"{name}: {value}"
    return f"{name}: {Header(value, None if value.isascii() else 'utf-8', header_name=name).encode(linesep=_CRLF)}"


def _headers(message: Message, key: str, outside: Outside) -> dict[str, str]:
    """Return the headers, checked: one line each, and addresses that are ones."""
    smtp, settings = outside.settings.smtp, outside.settings
    assert smtp is not None
    root = f"<{hashlib.sha256(f'{message.lead_id}/{message.recipient}'.encode()).hexdigest()[:32]}@{_domain(smtp)}>"
    try:
        headers = {
            "From": formataddr((_header(message.sender_name or smtp.sender_name), _address(smtp.sender))),
            "To": _address(message.to),
            "Subject": _header(message.body.subject),
            "Date": formatdate(),
            "Message-ID": f"<{key}@{_domain(smtp)}>",
            "In-Reply-To": root,
            "References": root,
            "Auto-Submitted": "auto-generated",
        }
        if message.reply_to:
            headers["Reply-To"] = _address(message.reply_to)
        if message.audience == "lead" and (link := unsubscribe_link(settings, message.person)) is not None:
            headers["List-Unsubscribe"] = f"<{link}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if any(_CONTROL.search(value) for value in headers.values()):
            raise ValueError("a header is one line")
    except (ValueError, IndexError, HeaderParseError):
        raise Refused("the address cannot be written to") from None
    return headers


def _address(spec: str) -> str:
    """Return an address as it stands in a header and an envelope. Raises what `Address` raises."""
    address = Address(addr_spec=spec)
    return f"{address.username}@{address.domain.encode('idna').decode()}" if not spec.isascii() else address.addr_spec


def text_of(message: Message) -> str:
    """Return the plain part: text, facts, link."""
    facts = "\n".join(f"{label}: {value}" for label, value in message.facts)
    link = f"Open the lead: {message.link}" if message.link else ""
    return "\n\n".join(part for part in (message.body.text, facts, link) if part) + "\n"


def _header(text: str) -> str:
    # Given "=?utf-8?q?=0aBcc:…?=", email before Python 3.11.10 decodes it and writes the new line into the header.
    return text.replace("=?", "= ?")


def _domain(smtp: SmtpSettings) -> str:
    return smtp.sender.rsplit("@", 1)[-1]
