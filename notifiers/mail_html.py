"""A notice as the HTML part of a mail: what mail programs show, which know little CSS and no style sheets."""

from notifiers.message import Message
from notifiers.sandbox import html_text

_FONT = "font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
# A word of ten thousand letters breaks instead of widening the page.
_BREAKS = "overflow-wrap:anywhere;word-break:break-word"
_PAGE = f"max-width:600px;margin:0;padding:16px;{_FONT};{_BREAKS}"
_TABLE = "width:100%;margin:16px 0;border-collapse:collapse;table-layout:fixed"
_LINE = "padding:6px 0;border-top:1px solid #d5d9df;vertical-align:top;text-align:left;font-weight:normal"
_LABEL = f"{_LINE};width:30%;color:#5b6470"
_BUTTON = (
    "display:inline-block;padding:10px 18px;border-radius:6px;background:#1f5fbf;color:#ffffff;text-decoration:none"
)


def html_of(message: Message) -> str:
    """Return the page: text, facts, a button to the lead. Everything is escaped; each value has its own direction."""
    rows = "".join(
        f'<tr><th scope="row" style="{_LABEL}">{html_text(label)}</th>'
        f'<td dir="auto" style="{_LINE};{_BREAKS}">{html_text(value)}</td></tr>'
        for label, value in message.facts
    )
    table = f'<table style="{_TABLE}">{rows}</table>' if rows else ""
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html_text(message.body.subject)}</title></head>"
        f'<body style="margin:0"><div style="{_PAGE}"><div dir="auto">{message.body.html}</div>'
        f"{table}{_button(message.link)}</div></body></html>"
    )


def _button(link: str | None) -> str:
    if not link or not link.startswith(("https://", "http://")):
        return ""
    return f'<p style="margin:16px 0"><a style="{_BUTTON}" href="{html_text(link)}">Open the lead</a></p>'
