"""What a question costs the FAQ where an organization has 500 topics: milliseconds of one core's time, and memory.

`make bench` prints it. The topics are sentences of the test tree's Portuguese businesses, mixed anew for each one with
words of its own, so that every topic shares most of its words with others as in real knowledge; each has some 300
characters and two other names. The questions are all that the tables ask. A question is counted with the full-text search that
proposes, as it is in a reply job.
"""

import random
import re
import statistics
import time
import tracemalloc

from appliance.responder.faq import decide
from tests.support import faq_questions, faq_unseen
from tests.support.faq_scores import Base

TOPICS = 500
LENGTH = 300  # characters of a body
SEED = 20


def knowledge() -> str:
    """Markdown of `TOPICS` topics."""
    chance = random.Random(SEED)
    tables = [table for table in (*faq_questions.TABLES, *faq_unseen.TABLES) if table.language == "pt-BR"]
    said = "\n".join(line for table in tables for line in table.markdown.splitlines() if not line.startswith("#"))
    sentences = [sentence.strip() for sentence in re.split(r"(?<=[.!?])\s+", said) if len(sentence) > 20]
    words = sorted(set(re.findall(r"[^\W\d_]{5,}", said)))
    topics = []
    for number in range(TOPICS):
        own = [chance.choice(words) + chance.choice(words)[-3:] for _ in range(8)]
        body = ""
        while len(body) < LENGTH:
            body += f"{chance.choice(sentences)} {chance.choice(own)} "
        title = " ".join(chance.sample(words, 2)).capitalize()
        topics.append(f"# {title} {number}\n{body}\nTambém: {own[0]}, {own[1]}")
    return "\n".join(topics)


def main() -> None:
    tables = (*faq_questions.TABLES, *faq_unseen.TABLES)
    questions = [question for table in tables if table.language == "pt-BR" for question in table.questions]
    base = Base(knowledge())
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    base.shelf.alike("oi")
    weights = (tracemalloc.get_traced_memory()[0] - before) / 2**20
    for question in questions:
        decide(base.dialogue(question))
    all_in_all = (tracemalloc.get_traced_memory()[0] - before) / 2**20
    tracemalloc.stop()
    took = []
    for question in questions:
        began = time.thread_time()
        decide(base.dialogue(question))
        took.append(1000 * (time.thread_time() - began))
    began = time.thread_time()
    Base(knowledge()).shelf.alike("oi")
    made = time.thread_time() - began
    print(
        f"faq: {TOPICS} topics, {len(questions)} questions: {statistics.median(took):.1f} ms each in the middle, ",
        end="",
    )
    print(f"{statistics.quantiles(took, n=20)[-1]:.1f} ms for 19 of 20, {max(took):.1f} ms at most")
    print(
        f"faq: the index takes {weights:.1f} MiB, {all_in_all:.1f} with what was read of topics; made in {made:.2f} s"
    )


if __name__ == "__main__":
    main()
