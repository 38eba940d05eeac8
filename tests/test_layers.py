"""Arrows between rooms point down: words, rules, store, use cases; adapters only through ports; assembly on top."""

from pathlib import Path

import pytest

from tests.support.layers import faults

APPLIANCE = Path(__file__).parents[1] / "appliance"
# Each room, from the bottom up, and the rooms that it may import. Nothing else is imported, and all of this is.
NEEDS = {
    # words
    "appliance": "",
    "wire": "",
    "errors": "",
    "printable": "",
    "systemd": "",
    "metrics": "appliance",
    "model": "wire",
    "ports": "model wire",
    "clock": "model ports",
    "texts": "model",
    "logs": "printable",
    "language": "model",
    "config": "errors model wire",
    "links": "wire",
    # adapters: nobody but the assembly imports them, and they never import each other
    "twilio.codes": "wire",
    "twilio.encoding": "texts",
    "twilio.webhook": "wire",
    "twilio.misfit": "model twilio.webhook wire",
    "twilio": "links model ports twilio.codes twilio.encoding wire",
    "responder": "language links model ports printable texts wire",
    "simulator": "model wire",
    # the one file, and what it has to survive
    "store": "errors model ports wire",
    "timekeeping": "clock errors model ports store",
    "restoration": "model store",
    "people": "model store wire",
    # who is told of their work
    "journal": "metrics store",
    # use cases
    "queue": "clock config errors links metrics model ports restoration store timekeeping",
    "inbox.keywords": "language model wire",
    "reply.shelf": "language model store",
    "reply.hours": "model",
    "handover.charge": "model store",
    "inbox": "config errors handover.charge inbox.keywords links model people ports queue restoration store timekeeping wire",
    "handover": "config handover.charge inbox model people ports queue store",
    "outbox.permission": "config model store",
    "outbox": "clock config handover.charge model outbox.permission people ports queue restoration store texts twilio.codes twilio.encoding wire",
    "reply": "clock config handover.charge inbox language links model outbox.permission ports queue reply.hours reply.shelf store texts twilio.encoding wire",
    "statement": "config inbox inbox.keywords model ports queue restoration store wire",
    "notices": "model store twilio.codes wire",
    "chores": "config errors model ports queue store",
    "operations.verdict": "notices",
    "operations.lines": "links model notices",
    "operations": (
        "appliance config errors handover.charge inbox inbox.keywords language links model notices operations.lines "
        "operations.verdict outbox outbox.permission people ports queue reply.hours reply.shelf statement store texts "
        "twilio.codes twilio.encoding wire"
    ),
    "watch": "config errors links model notices operations ports queue store timekeeping wire",
    "privacy": "appliance config errors inbox inbox.keywords model operations outbox ports printable queue store wire",
    "diagnosis": "config errors model notices ports store timekeeping wire",
    # drivers and assembly
    "web.desk": "config diagnosis links notices operations ports queue reply.shelf store",
    "web.pages": "appliance config diagnosis errors links logs model notices operations operations.lines printable privacy store texts web.desk wire",
    "web": "chores config diagnosis errors inbox links logs metrics model operations outbox ports privacy queue reply.shelf store twilio.misfit twilio.webhook web.desk web.pages wire",
    "pulse": "errors ports queue store systemd",
    "opening": "config errors ports restoration store systemd web",
    "assembly": "clock config diagnosis links metrics model operations ports responder store twilio wire",
    "engine": (
        "assembly chores clock config errors handover inbox links metrics model outbox ports privacy queue reply reply.shelf "
        "responder restoration statement store timekeeping watch web"
    ),
    "app": "appliance assembly clock config engine errors inbox journal logs metrics model opening ports pulse outbox store systemd watch web web.desk",
    "demo": "app config errors logs model operations printable simulator store wire",
    "cli": (
        "app appliance assembly clock config demo diagnosis engine errors logs model notices opening operations.lines "
        "operations.verdict printable store wire"
    ),
    "__main__": "cli",
}
ROOMS = {room: needs.split() for room, needs in NEEDS.items()}


def test_every_arrow_points_down() -> None:
    """Each module imports only what its room may; no cycle, no private name, SQL in the store; no stale permission."""
    assert faults(APPLIANCE, ROOMS, "store") == []


def test_the_top_level_is_what_is_everybodys() -> None:
    """At most twenty modules stand beside the rooms."""
    assert len(list(APPLIANCE.glob("*.py"))) <= 20


BAD = {
    "nobody.py": ("", "bad.nobody: is in no room of the table"),
    "model.py": ("from bad.rule import x\n", "bad.model:1: model must not import rule (bad.rule)"),
    "rule.py": ("import bad.adapter.one\n", "bad.rule:1: rule must not import adapter (bad.adapter.one)"),
    "lazy.py": ('import_module("bad.adapter.one")\n', "bad.lazy:1: lazy must not import adapter (bad.adapter.one)"),
    "adapter/one.py": ("from bad.wire import x\n", "bad.adapter.one:1: adapter must not import wire (bad.wire)"),
    "wire.py": ("\nfrom bad.model import _hidden\n", "bad.wire:2: imports the private name _hidden"),
    "ring.py": ("from bad import stone\n", "cycle: bad.ring -> bad.stone -> bad.ring"),
    "stone.py": ("def late():\n    from bad.ring import x\n", "cycle: bad.ring -> bad.stone -> bad.ring"),
    "near.py": ("from . import model\n", "bad.near:1: relative import"),
    "base.py": ("import sqlite3\nsqlite3.Error\nsqlite3.connect()\n", "bad.base:3: SQL outside store"),
    "query.py": ('x = "SELECT 1 FROM jobs"\n', "bad.query:1: SQL outside store"),
    "call.py": ("\n\nx.execute(y)\n", "bad.call:3: SQL outside store"),
    "inner/door.py": (
        "from bad.inner.safe import x\n",
        "bad.inner.door:1: inner must not import inner.safe (bad.inner.safe)",
    ),
}
BAD_ROOMS = {
    "model": [],
    "rule": [],
    "lazy": [],
    "store": ["model"],
    "wire": ["model"],
    "adapter": [],
    "stone": ["ring"],
    "ring": ["stone"],
    "near": [],
    "base": ["model"],
    "query": [],
    "call": [],
    "inner.safe": [],
    "inner": [],
}


@pytest.fixture
def bad_tree(tmp_path: Path) -> Path:
    """A package in which each file has one fault, and a store that has none."""
    sources = {name: source for name, (source, _) in BAD.items()}
    good = {"__init__.py": "", "store/sql.py": 'import sqlite3\nfrom bad import model\nx.execute("SELECT 1")\n'}
    for name, source in (sources | good | {"inner/safe.py": ""}).items():
        path = tmp_path / "bad" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path / "bad"


def test_the_checker_finds_each_kind_of_fault(bad_tree: Path) -> None:
    """A tree with one fault of each kind, and a table with two, get exactly these sentences."""
    assert set(faults(bad_tree, {"bad": [], **BAD_ROOMS}, "store")) == {
        *(sentence for _, sentence in BAD.values()),
        "cycle: bad.adapter.one -> bad.wire -> bad.model -> bad.rule -> bad.adapter.one",
        "table: nothing in base imports model",
        "table: stone may not import ring, which stands after it",
    }
