"""A Twilio on loopback with a phone in the browser: the demo, rehearsals and the tests use it."""

from appliance.simulator.app import run_simulator, simulator_app
from appliance.simulator.faults import Fault, Faults
from appliance.simulator.ledger import Change, Entry, Ledger
from appliance.simulator.phone import Phone
from appliance.simulator.twilio import SANDBOX, Twilio

__all__ = [
    "SANDBOX",
    "Change",
    "Entry",
    "Fault",
    "Faults",
    "Ledger",
    "Phone",
    "Twilio",
    "run_simulator",
    "simulator_app",
]
