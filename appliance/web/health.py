"""Is it alive, is it ready, and how does it do: /healthz, /readyz, /metrics. No customer data in labels."""

from collections.abc import Iterable, Iterator, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from appliance import logs
from appliance.model import SECOND, OutboxState
from appliance.operations.status import Status, status
from appliance.store import Store, Tx
from appliance.store.box import Fact
from appliance.store.cards import CardKind
from appliance.web.access import METRICS_PATH
from appliance.web.desk import Faults
from appliance.web.errors import json_response

UNSETTLED = (OutboxState.READY, OutboxState.SENDING, OutboxState.DOUBT, OutboxState.PARKED)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self.alive)
        app.router.add_get("/readyz", self.ready)

    async def alive(self, _request: web.Request) -> web.Response:
        return json_response({"alive": True})

    async def ready(self, _request: web.Request) -> web.Response:
        reasons = await self._faults()
        return json_response({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


class MetricsPage:
    def __init__(self, store: Store, registry: CollectorRegistry) -> None:
        self._store = store
        self._registry = registry

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(METRICS_PATH, self.metrics)

    async def metrics(self, _request: web.Request) -> web.Response:
        counted, twice, accounts = await self._store.inspect(
            lambda tx: (status(tx, 0), tx.counts.sent_twice(), [*_of_accounts(tx), *_of_the_box(tx)])
        )
        families = [*self._registry.collect(), *_from_store(counted, twice, self._store), *accounts]
        body = generate_latest(_Snapshot(families))
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


class _Snapshot(Collector):
    """Metrics collected already: what the store says must be awaited, a collector cannot wait."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _from_store(counted: Status, twice: int, store: Store) -> Iterator[Metric]:
    depths = {name: value for name, value in counted.queue.items() if name != "oldest_ready_seconds"}
    oldest = counted.queue["oldest_ready_seconds"]
    dispositions = {name: value for name, value in counted.messages.items() if name not in ("received", "orphaned")}
    yield _labelled("appliance_messages", "Received messages by what became of them.", "disposition", dispositions)
    yield _labelled("appliance_queue_jobs", "Jobs by phase.", "phase", depths)
    yield GaugeMetricFamily("appliance_queue_oldest_ready_seconds", "How long the longest waiting job is due.", oldest)
    yield _labelled("appliance_outbox_messages", "Replies by state.", "state", counted.outbox)
    yield _labelled("appliance_conversations", "Conversations by status.", "status", counted.conversations)
    yield GaugeMetricFamily("appliance_orphans", "Messages to unknown numbers.", counted.messages["orphaned"])
    yield GaugeMetricFamily("appliance_wal_bytes", "Size of the database's write-ahead log.", store.wal_bytes())
    yield CounterMetricFamily("appliance_commit_batches", "Commits, each of one batch of work.", store.batches)
    yield CounterMetricFamily("appliance_log_lines_dropped", "What the log's reader was too slow for.", logs.dropped())
    yield CounterMetricFamily("appliance_second_sids", "Replies that Twilio reports as two messages.", twice)


def _of_accounts(tx: Tx) -> Iterator[Metric]:
    """By the accounts' names in the configuration."""
    names = ["account", "state"]
    unsettled = GaugeMetricFamily("appliance_account_unsettled", "Replies on their way, by account.", labels=names)
    unreadable = GaugeMetricFamily(
        "appliance_account_log_unreadable", "1: Twilio's log cannot be read.", labels=["account"]
    )
    counted, silent = tx.counts.unsettled(), tx.box.accounts(Fact.LOG_UNREADABLE_SINCE)
    for account in tx.channels.accounts():
        unreadable.add_metric([account], account in silent)
        for state in UNSETTLED:
            unsettled.add_metric([account, state], counted.get((account, state), 0))
    yield unsettled
    yield unreadable


def _of_the_box(tx: Tx) -> Iterator[Metric]:
    counted = tx.cards.counted_in_the_box()
    by_kind = {str(kind): counted.get(kind, 0) for kind in CardKind}
    yield _labelled("appliance_cards", "Open cards: what needs the owner.", "kind", by_kind)
    age = GaugeMetricFamily("appliance_backup_age_seconds", "Since the last copy that was taken; none: there is none.")
    taken_at = tx.box.number(Fact.BACKUP_AT)
    if taken_at is not None:
        age.add_metric([], max(0, tx.now - taken_at) / SECOND)
    yield age


def _labelled(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family
