"""One unit of work, as a closure sees it: the aggregates over one connection.

`store.write(lambda tx: …)` runs the closure inside the writer's transaction: all of it is committed, or none.
"""

from collections.abc import Collection
from typing import Any

from appliance.store.attempts import Attempts
from appliance.store.box import Box
from appliance.store.cards import Cards
from appliance.store.contacts import Contacts
from appliance.store.conversations import Conversations
from appliance.store.counts import Counts
from appliance.store.events import DeliveryEvents
from appliance.store.figures import Figures
from appliance.store.forgotten import Forgotten
from appliance.store.handovers import Handovers
from appliance.store.history import History
from appliance.store.integrity import Integrity
from appliance.store.jobs import Jobs
from appliance.store.knowledge import Knowledge
from appliance.store.letters import Letters
from appliance.store.links import Links
from appliance.store.messages import Messages
from appliance.store.news import Level, News
from appliance.store.organizations import Channels, Organizations
from appliance.store.outbox import Outbox
from appliance.store.pauses import Pauses
from appliance.store.persons import Persons
from appliance.store.sql import Sql
from appliance.store.statements import Statements
from appliance.store.texts import Texts
from appliance.store.threads import Threads
from appliance.store.times import Times
from appliance.store.topic_answers import TopicAnswers
from appliance.store.unanswered import Unanswered
from appliance.store.users import Users


class Tx:
    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self.attempts = Attempts(sql)
        self.box = Box(sql)
        self.cards = Cards(sql)
        self.channels = Channels(sql)
        self.contacts = Contacts(sql)
        self.conversations = Conversations(sql)
        self.counts = Counts(sql)
        self.events = DeliveryEvents(sql)
        self.figures = Figures(sql)
        self.forgotten = Forgotten(sql)
        self.handovers = Handovers(sql)
        self.history = History(sql)
        self.integrity = Integrity(sql)
        self.jobs = Jobs(sql)
        self.knowledge = Knowledge(sql)
        self.letters = Letters(sql)
        self.links = Links(sql)
        self.messages = Messages(sql)
        self.organizations = Organizations(sql)
        self.outbox = Outbox(sql)
        self.pauses = Pauses(sql)
        self.persons = Persons(sql)
        self.statements = Statements(sql)
        self.texts = Texts(sql)
        self.threads = Threads(sql)
        self.times = Times(sql)
        self.topic_answers = TopicAnswers(sql)
        self.unanswered = Unanswered(sql)
        self.users = Users(sql)
        self.news: list[News] = []
        self.commit_seconds = 0.0  # of the last batch

    def tell(
        self, event: str, level: Level = "debug", *, trouble: str = "", over: Collection[str] = (), **facts: Any
    ) -> None:
        """Have it told, in the log and in figures, as soon as this unit is on disk; see News."""
        self.news.append(News(event, level, trouble, over, facts))

    @property
    def now(self) -> int:
        return self.sql.now
