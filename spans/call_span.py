"""The span of one call to the outside: its name and how it ended, never what was said, asked or answered."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, get_current_span, get_tracer

_TRACER = get_tracer("leadstream.outside")  # does nothing until the process sets a provider


@contextmanager
def call_span(kind: str, name: str) -> Iterator[None]:
    """Time the block as a call, a child of the current span; without one, nobody asked for a trace.

    An error's text may hold data and stays out.

    kind: what is called, such as "provider" or "channel". name: which one, as the settings name it.
    """
    if get_current_span() is INVALID_SPAN:
        yield
        return
    with _TRACER.start_as_current_span(
        f"{kind} {name}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
