"""What a trace shows of calls to the outside. Over OpenTelemetry's API alone: nothing is kept, sent or set up here."""
