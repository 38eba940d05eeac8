"""The instruments that Prometheus reads; `docs/metrics.md` says what each counts. No customer data in labels."""

import re
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector

from appliance import __version__

_WAITS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_COMMITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"appliance_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str, buckets: Sequence[float] = _WAITS) -> Histogram:
            return Histogram(f"appliance_{name}", text, labels, buckets=buckets, registry=registry)

        build = Gauge("appliance_build_info", "Always 1; which version this is.", ("version",), registry=registry)
        build.labels(__version__).set(1)
        self.jobs = counter("jobs", "Attempts of jobs by how they ended.", "kind", "outcome")
        self.job_wait = histogram("job_wait_seconds", "From when a job fell due to its claim.", "kind")
        self.job_time = histogram("job_seconds", "How long an attempt took.", "kind")
        self.webhooks = counter("webhooks", "Webhooks by what became of them.", "hook", "result")
        self.misfits = counter("signatures_refused", "Webhooks whose signature did not fit.", "hook")
        self.model_calls = counter("model_calls", "Requests to the model's server by what came back.", "outcome")
        self.model_tokens = counter("model_tokens", "Tokens as the model's server counts them.", "direction")
        text = "Calls of Twilio's API: answered, or what ails the link."
        self.twilio_calls = counter("twilio_calls", text, "account", "outcome")
        self.sends = counter("sends", "Messages handed to Twilio by what became of them.", "account", "outcome")
        self.segments = counter("segments", "Segments of what Twilio took, as its answer has them.")
        self.price = counter("price", "What Twilio says of the price of those that it was asked about.", "currency")
        self.doubts = counter("doubts", "Sends of which nobody knew what became of them.")
        text = "How long a COMMIT took; in it SQLite syncs the write-ahead log."
        self.commit_time = histogram("commit_seconds", text, buckets=_COMMITS)

    def called_model(self, outcome: str, tokens: tuple[int, int] | None) -> None:
        self.model_calls.labels(outcome).inc()
        for direction, count in zip(("in", "out"), tokens or (), strict=False):
            self.model_tokens.labels(direction).inc(count)

    def priced(self, price: float | None, currency: str) -> None:
        """Where Twilio does not say it yet, nothing is counted."""
        if price is not None and re.fullmatch("[A-Z]{3}", currency):
            self.price.labels(currency).inc(abs(price))
