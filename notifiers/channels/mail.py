"""Mail over SMTP: text and HTML, one thread a lead and recipient, the same Message-ID at every try."""

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from notifiers.mail_html import html_of
from notifiers.message import Message
from notifiers.outcome import Refused, Retryable, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.settings import SmtpSettings
from notifiers.unsubscribe import unsubscribe_link


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Hand the message to the mail server. A repeat carries the same Message-ID.

    Raises Retryable (4xx, no connection), Refused (5xx, impossible address) or Suppressed.
    """
    smtp = outside.settings.smtp
    if smtp is None:
        raise Suppressed("channel not configured")
    mail = compose(message, key, outside)
    try:
        await aiosmtplib.send(
            mail,
            hostname=smtp.host,
            port=smtp.port,
            username=smtp.username,
            password=smtp.password.get_secret_value() if smtp.password else None,
            use_tls=smtp.use_tls,
            start_tls=smtp.start_tls,
            timeout=timeout_seconds,
        )
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


def compose(message: Message, key: str, outside: Outside) -> EmailMessage:
    """Return the mail. Raises Refused where the address cannot stand in a header."""
    smtp, settings = outside.settings.smtp, outside.settings
    assert smtp is not None
    mail = EmailMessage()
    try:
        mail["From"] = _address(_header(message.sender_name or smtp.sender_name), smtp.sender)
        mail["To"] = _address("", message.to)
        if message.reply_to:
            mail["Reply-To"] = _address("", message.reply_to)
        mail["Subject"] = _header(message.body.subject)
    except (ValueError, IndexError):
        raise Refused("the address cannot be written to") from None
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{key}@{_domain(smtp)}>"
    root = f"<{hashlib.sha256(f'{message.lead_id}/{message.recipient}'.encode()).hexdigest()[:32]}@{_domain(smtp)}>"
    mail["In-Reply-To"] = root
    mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    if message.audience == "lead":
        link = unsubscribe_link(settings, message.person)
        if link is not None:
            mail["List-Unsubscribe"] = f"<{link}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text_of(message))
    mail.add_alternative(html_of(message), subtype="html")
    return mail


def text_of(message: Message) -> str:
    """Return the plain part: text, facts, link."""
    facts = "\n".join(f"{label}: {value}" for label, value in message.facts)
    link = f"Open the lead: {message.link}" if message.link else ""
    return "\n\n".join(part for part in (message.body.text, facts, link) if part) + "\n"


def _header(text: str) -> str:
    # Given "=?utf-8?q?=0aBcc:…?=", email before Python 3.11.10 decodes it and writes the new line into the header.
    return text.replace("=?", "= ?")


def _address(name: str, spec: str) -> Address:
    return Address(display_name=name, addr_spec=spec)


def _domain(smtp: SmtpSettings) -> str:
    return smtp.sender.rsplit("@", 1)[-1]
