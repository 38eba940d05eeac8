"""Every SQL statement of the product: the writer, the reader, and one module for each aggregate."""

from appliance.store.sql import Row
from appliance.store.store import Store
from appliance.store.tx import Tx

__all__ = ["Row", "Store", "Tx"]
