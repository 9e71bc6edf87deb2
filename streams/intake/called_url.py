"""The URL of a request as its caller wrote it, which some callers sign."""

from fastapi import Request

from streams.intake.settings import IntakeSettings


def called_url(settings: IntakeSettings, request: Request) -> str:
    """Return the URL as the caller knows it: a proxy may have changed scheme and host."""
    public = settings.public_url.rstrip("/")
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{public}{request.url.path}{query}" if public else str(request.url)
