"""Arrows between modules point down: words, rules, store, use cases; adapters only through ports; assembly on top."""

from pathlib import Path

import pytest

from tests.support.layers import Layer, faults

APPLIANCE = Path(__file__).parents[1] / "appliance"
RULES = [
    *("clock", "config", "inbox.keywords", "inbox.missed", "language", "metrics", "outbox.permission"),
    *("ports", "printable", "queue.circuit", "queue.retry", "texts", "twilio.codes", "twilio.webhook"),
]
USE_CASES = [
    *("chores", "handlers", "inbox.intake", "inbox.catch_up", "operations", "outbox.delivery"),
    *("outbox.doubt", "outbox.follow_up", "outbox.send", "outbox.settle", "queue.gate", "queue.outage"),
    *("queue.outcome", "queue.tolerance", "reply"),
]
TWILIO = ["twilio.sender", "twilio.client", "twilio.log"]
LAYERS = {
    "words": Layer(["model", "errors", "wire"]),
    "rules": Layer(RULES, ["words"]),
    "store": Layer(["store"], ["words", "rules"]),
    "use cases": Layer(USE_CASES, ["words", "rules", "store"]),
    "adapters": Layer(["responder", TWILIO, "simulator"], ["words", "rules"], rooms_apart=True),
    "drivers": Layer(
        ["logs", "queue.schedule", "queue.worker", "systemd", "web"], ["words", "rules", "store", "use cases"]
    ),
    "assembly": Layer(
        ["__main__", "app", "cli", "demo", "opening", "process", "pulse"],
        ["words", "rules", "store", "use cases", "adapters", "drivers"],
    ),
}


def test_every_arrow_points_down() -> None:
    """Each module is in one layer and imports only what lies below it; no cycle, no private name, SQL in the store."""
    assert faults(APPLIANCE, LAYERS, "store") == []


BAD = {
    "nobody.py": ("", "bad.nobody: is in 0 layers"),
    "model.py": ("from bad.rule import x\n", "bad.model:1: words must not import rules (bad.rule)"),
    "rule.py": ("import bad.adapter.one\n", "bad.rule:1: rules must not import adapters (bad.adapter.one)"),
    "lazy.py": ('import_module("bad.adapter.one")\n', "bad.lazy:1: rules must not import adapters (bad.adapter.one)"),
    "adapter/one.py": ("from bad.wire import x\n", "bad.adapter.one:1: adapters must not import adapters (bad.wire)"),
    "wire.py": ("\nfrom bad.model import _hidden\n", "bad.wire:2: imports the private name _hidden"),
    "ring.py": ("from bad import stone\n", "cycle: bad.ring -> bad.stone -> bad.ring"),
    "stone.py": ("def late():\n    from bad.ring import x\n", "cycle: bad.ring -> bad.stone -> bad.ring"),
    "near.py": ("from . import model\n", "bad.near:1: relative import"),
    "base.py": ("import sqlite3\nsqlite3.Error\nsqlite3.connect()\n", "bad.base:3: SQL outside store"),
    "query.py": ('x = "SELECT 1 FROM jobs"\n', "bad.query:1: SQL outside store"),
    "call.py": ("\n\nx.execute(y)\n", "bad.call:3: SQL outside store"),
}
BAD_LAYERS = {
    "words": Layer(["model"]),
    "rules": Layer(["rule", "lazy", "ring", "stone", "near", "base", "query", "call"], ["words"]),
    "store": Layer(["store"], ["words"]),
    "adapters": Layer(["adapter", "wire"], ["words"], rooms_apart=True),
}


@pytest.fixture
def bad_tree(tmp_path: Path) -> Path:
    """A package in which each file has one fault, and a store that has none."""
    sources = {name: source for name, (source, _) in BAD.items()}
    good = {"__init__.py": "", "store/sql.py": 'import sqlite3\nfrom bad import model\nx.execute("SELECT 1")\n'}
    for name, source in (sources | good).items():
        path = tmp_path / "bad" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path / "bad"


def test_the_checker_finds_each_kind_of_fault(bad_tree: Path) -> None:
    """A tree with one fault of each kind gets exactly these sentences."""
    assert set(faults(bad_tree, BAD_LAYERS, "store")) == {
        *(sentence for _, sentence in BAD.values()),
        "cycle: bad.adapter.one -> bad.wire -> bad.model -> bad.rule -> bad.adapter.one",
    }


def test_a_module_in_two_layers(bad_tree: Path) -> None:
    """A module that two layers claim is a fault."""
    twice = BAD_LAYERS | {"drivers": Layer(["model"])}

    assert "bad.model: is in 2 layers" in faults(bad_tree, twice, "store")
