"""The instruments that Prometheus reads. No customer data in labels."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_WAITS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.jobs = Counter(
            "appliance_jobs", "Attempts of jobs by how they ended.", ("kind", "outcome"), registry=self.registry
        )
        self.job_wait = Histogram(
            "appliance_job_wait_seconds",
            "From when a job fell due to its claim.",
            ("kind",),
            buckets=_WAITS,
            registry=self.registry,
        )
        self.job_time = Histogram(
            "appliance_job_seconds", "How long an attempt took.", ("kind",), buckets=_WAITS, registry=self.registry
        )
        self.webhooks = Counter(
            "appliance_webhooks", "Webhooks by what became of them.", ("hook", "result"), registry=self.registry
        )
