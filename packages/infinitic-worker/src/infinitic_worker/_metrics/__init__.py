"""What a worker counts and measures, by OpenTelemetry."""
