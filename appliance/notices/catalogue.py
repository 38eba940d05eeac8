"""Every kind of card, in words. `docs/cards.md` is made of it."""

from collections.abc import Mapping

from appliance.notices.box import OF_THE_BOX
from appliance.notices.customers import OF_CUSTOMERS
from appliance.notices.notice import Notice

CATALOGUE: Mapping[str, Notice] = {**OF_CUSTOMERS, **OF_THE_BOX}
