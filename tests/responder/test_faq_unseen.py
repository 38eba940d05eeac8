"""That the unseen tables, first and second, are sound: so many questions, right topics that their bases have, nothing twice."""

import pytest

from appliance.operations import markdown
from tests.support import faq_questions, faq_second, faq_unseen
from tests.support.faq_unseen import UnseenTable

TABLES = (*faq_unseen.TABLES, *faq_second.TABLES)
EVERY_TABLE = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


@EVERY_TABLE
def test_a_table_has_thirty_questions_for_its_base_and_twelve_that_are_not(table: UnseenTable) -> None:
    """The size that was agreed before the FAQ was changed."""
    assert (len(table.answerable), len(table.unanswerable)) == (30, 12)
    assert sum(bool(right) for right in table.questions.values()) == 30


@EVERY_TABLE
def test_every_right_topic_is_in_the_base_once(table: UnseenTable) -> None:
    """A right topic is one of its base, and no title is there twice."""
    titles = [entry.title for entry in markdown.parse(table.markdown)]
    assert 14 <= len(titles) == len(set(titles)) <= 22
    assert frozenset().union(*table.questions.values()) <= set(titles)


def test_no_question_is_asked_twice_nor_taken_from_the_older_tables() -> None:
    """Nothing is counted twice, and nothing was developed on."""
    asked = [question for table in TABLES for question in (*table.answerable, *table.unanswerable)]
    older = {question for table in faq_questions.TABLES for question in table.questions}
    assert len(asked) == len(set(asked)) == 42 * len(TABLES)
    assert older.isdisjoint(asked)
