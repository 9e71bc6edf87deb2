"""The span of one request to a provider: its name and how it ended, never what was asked or answered."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, StatusCode, get_tracer

_TRACER = get_tracer("leadstream.enrichment")  # does nothing until the process sets a provider


@contextmanager
def call_span(provider: str) -> Iterator[None]:
    """Time the block as a call, a child of whatever span is current. An error's text may hold data and stays out."""
    with _TRACER.start_as_current_span(
        f"provider {provider}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
