"""Slack: blocks, one thread a lead in each conversation, buttons that come back as activity."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from notifiers.http import retry_after
from notifiers.message import Message
from notifiers.outcome import UNCONFIGURED, Refused, Retryable, Sent, Suppressed
from notifiers.outside import Outside
from notifiers.sandbox import slack_text

EVENT_TYPE = "leadstream_notice"
ACTION_PREFIX = "leadstream."
_LABELS = {"accepted": "Accept", "declined": "Decline", "contacted": "Contacted", "claimed": "Claim"}
_OURS_TO_MEND = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "missing_scope",
        "not_in_channel",
    }
)
_THEIRS_TO_MEND = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})

# The SDK logs requests at debug level, and a request holds names. This logger passes nothing on.
_SILENT = logging.Logger("leadstream.slack", logging.CRITICAL + 1)


async def send(message: Message, key: str, outside: Outside, timeout_seconds: float) -> Sent:
    """Post the message, in the lead's thread where there is one. The key travels as message metadata.

    Slack cannot tell a repeat: when the message may be one, the conversation is searched for the key first.
    Raises Retryable, Refused or Suppressed.
    """
    slack = outside.settings.slack
    if slack is None:
        raise Suppressed(UNCONFIGURED)
    client = AsyncWebClient(
        slack.token.get_secret_value(), slack.base_url, session=outside.session, logger=_SILENT, retry_handlers=[]
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            if message.may_be_repeat and slack.looks_up_repeats:
                found = await _found(client, message, key)
                if found is not None:
                    return Sent(found, was_known=True)
            return await _posted(client, message, key)
    except SlackApiError as error:
        raise sorted_error(error.response) from None
    except aiohttp.ClientConnectorError:
        raise Retryable("Slack cannot be reached") from None
    except TimeoutError:
        raise Retryable("Slack did not answer in time", may_have_arrived=True) from None
    except (SlackClientError, aiohttp.ClientError, OSError, ValueError) as error:
        raise Retryable(f"Slack broke off: {type(error).__name__}", may_have_arrived=True) from None


async def _posted(client: AsyncWebClient, message: Message, key: str) -> Sent:
    response = await client.chat_postMessage(
        channel=message.receipt.get("channel", message.to),
        thread_ts=message.receipt.get("ts"),
        text=slack_text(message.body.subject),
        blocks=blocks(message),
        metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        link_names=False,
        parse="none",
        unfurl_links=False,
        unfurl_media=False,
    )
    if message.receipt:
        return Sent(message.receipt)
    return Sent(_receipt(response.get("channel"), response.get("ts")))


async def _found(client: AsyncWebClient, message: Message, key: str) -> Mapping[str, str] | None:
    """Return the receipt of the message that carries `key`, None if it is not among the latest 100 or may not look."""
    try:
        if message.receipt:
            found = await client.conversations_replies(
                channel=message.receipt["channel"], ts=message.receipt["ts"], limit=100, include_all_metadata=True
            )
        else:
            channel = message.to
            if channel.startswith(("U", "W")):
                opened = await client.conversations_open(users=channel)
                channel = opened["channel"]["id"]
            found = await client.conversations_history(channel=channel, limit=100, include_all_metadata=True)
            message_channel = channel
    except (SlackApiError, KeyError, TypeError):
        return None
    for row in found.get("messages") or ():
        if (row.get("metadata") or {}).get("event_payload", {}).get("key") == key:
            return message.receipt or _receipt(message_channel, row.get("ts"))
    return None


def _receipt(channel: Any, ts: Any) -> dict[str, str]:
    return {"channel": str(channel), "ts": str(ts)} if channel and ts else {}


def sorted_error(response: Any) -> Retryable | Refused:
    """Return what a failed Slack answer means. Its own words may quote the message; only the error code is kept."""
    status = int(getattr(response, "status_code", 0) or 0)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code == "ratelimited":
        after = retry_after(getattr(response, "headers", {}) or {})
        return Retryable("Slack is rate-limiting", after_seconds=after, is_throttled=True)
    if status >= 500 or code in _THEIRS_TO_MEND:
        return Retryable(f"Slack answered {code or status}", may_have_arrived=status != 503)
    if code in _OURS_TO_MEND:
        return Retryable(f"Slack answered {code}")
    return Refused(f"Slack answered {code[:60] or status}")


def blocks(message: Message) -> list[dict[str, Any]]:
    """Return the message as blocks. Every text is shown as it is: verbatim, escaped, without mentions."""
    rows: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.body.subject[:150], "emoji": False}},
        {"type": "section", "text": _mrkdwn(message.body.text)},
    ]
    fields = [_mrkdwn(f"*{label}*\n{slack_text(value[:300])}") for label, value in message.facts]
    rows.extend({"type": "section", "fields": fields[start : start + 10]} for start in range(0, len(fields), 10))
    if message.may_be_repeat:
        rows.append({"type": "context", "elements": [_mrkdwn("You may have had this notice before.")]})
    elements = [_button(name, message.lead_id) for name in message.buttons]
    if message.link:
        text = {"type": "plain_text", "text": "Open the lead"}
        elements.append({"type": "button", "action_id": f"{ACTION_PREFIX}open", "text": text, "url": message.link})
    if elements:
        rows.append({"type": "actions", "elements": elements})
    return rows


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _button(name: str, lead_id: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": _LABELS[name]}
    return {"type": "button", "action_id": f"{ACTION_PREFIX}{name}", "value": lead_id, "text": text}
