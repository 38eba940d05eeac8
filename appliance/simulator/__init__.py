"""A Twilio on loopback with a phone in the browser: the demo, rehearsals and the tests use it."""

from appliance.simulator.app import run_simulator, simulator_app
from appliance.simulator.canonical import with_ninth_digit, without_ninth_digit
from appliance.simulator.faults import Fault, Faults
from appliance.simulator.incident import Incident
from appliance.simulator.lag import Lag, by_filter, each_its_own, replicas
from appliance.simulator.ledger import Change, Entry, Ledger
from appliance.simulator.listing import Query
from appliance.simulator.phone import Phone
from appliance.simulator.twilio import Twilio
from appliance.wire import SANDBOX

__all__ = [
    "SANDBOX",
    "Change",
    "Entry",
    "Fault",
    "Faults",
    "Incident",
    "Lag",
    "Ledger",
    "Phone",
    "Query",
    "Twilio",
    "by_filter",
    "each_its_own",
    "replicas",
    "run_simulator",
    "simulator_app",
    "with_ninth_digit",
    "without_ninth_digit",
]
