"""/topics: what the assistant knows, what it was asked and did not know, and what a customer would be told."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from appliance.errors import RequestError
from appliance.model import TextKey
from appliance.operations import knowledge, topics, unanswered
from appliance.operations.knowledge import Trial
from appliance.operations.markdown import MAX_TITLE, MAX_TOPIC
from appliance.operations.topics import Draft
from appliance.operations.unanswered import Lesson
from appliance.store import Tx
from appliance.store.unanswered import Group
from appliance.texts import MAX_LENGTH
from appliance.web.pages.charts import score
from appliance.web.pages.page import Page, back
from appliance.web.pages.phones import name_in, written
from appliance.web.pages.site import ID, Site
from appliance.web.pages.words import Words

TOPICS = "/topics"
SCORES = 5
IN_ADDRESS = 600  # characters of a question
TELL = "tell-"  # a box to tick, and whom to tell
_TELL = re.compile(rf"{TELL}([0-9]{{1,18}})", re.ASCII)
_FIXED = {
    TextKey.MENU: "It is not sure, and asks which topic is meant.",
    TextKey.GREETING: "It greets back.",
    TextKey.HANDOFF: "A person is asked for.",
}


class Topics:
    def add_to(self, site: Site) -> None:
        site.get(TOPICS, self.list)
        site.post(TOPICS, self.create, shows=self.new)
        site.get(f"{TOPICS}/new", self.new)
        site.get(f"{TOPICS}/test", self.list)
        site.post(f"{TOPICS}/test", self.ask_model, shows=self.list)
        site.get(f"{TOPICS}/{ID}", self.topic)
        site.post(f"{TOPICS}/{ID}", self.save, shows=self.topic)
        site.post(f"{TOPICS}/{ID}/delete", self.delete)
        site.post(f"{TOPICS}/unanswered/{ID}/put-away", self.put_away)

    async def list(self, page: Page) -> web.StreamResponse:
        """With `?q=` what the offline responder would say, and why: it costs nothing and nobody is told."""
        return await self._list(page, page.request.query.get("q", ""), asks_model=False)

    async def ask_model(self, page: Page) -> web.StreamResponse:
        """The same by the model, which costs what an answer costs."""
        return await self._list(page, page.form.get("q", ""), asks_model=True)

    async def _list(self, page: Page, question: str, *, asks_model: bool) -> web.StreamResponse:
        tried, desk, organization = None, page.desk, page.visit.organization
        if question.strip() and not page.refusal:
            try:
                dialogue = await desk.store.read(lambda tx: knowledge.asked(tx, organization, desk.shelves, question))
                ai, responder = desk.config.ai, desk.responder
                tried = await knowledge.trial(desk.offline, dialogue, responder, ai, asks_model=asks_model)
            except RequestError as error:
                page.refusal, page.status = page.words.t(error.words, **error.values), error.status
        offers_model = desk.config.ai.provider == "llm" and not asks_model
        return await page.show(
            "topics.html",
            lambda tx: (
                _look(tx, page)
                | {"question": question, "tried": tried, "offers_model": offers_model}
                | (_told(tried, page.words, organization.language) if tried else {})
            ),
        )

    async def new(self, page: Page) -> web.StreamResponse:
        """`?question=`, or `?unanswered=` and which one: to teach it. Also what a refusal shows again."""
        return await page.show("topic.html", lambda tx: _new(tx, page))

    async def create(self, page: Page) -> web.StreamResponse:
        form, organization = page.form, page.visit.organization
        if form.get("do") == "preview":
            return await self.new(page)
        question = form.get("question", "")[: knowledge.MAX_QUESTION]
        wanted = topics.draft(form.get("title", ""), form.get("body", ""), form.get("aliases", ""))
        tell = {int(found[1]) for found in map(_TELL.fullmatch, form) if found}
        by, config = page.visit.user.email, page.desk.config
        await page.write(
            lambda tx: topics.teach(tx, organization, wanted, question, by, tell=tell, config=config)
        )  # fmt: skip
        is_short = 0 < len(question) <= IN_ADDRESS
        raise back(f"{TOPICS}?{urlencode({'q': question})}#test" if is_short else TOPICS)

    async def topic(self, page: Page) -> web.StreamResponse:
        return await page.show("topic.html", lambda tx: _topic(tx, page))

    async def save(self, page: Page) -> web.StreamResponse:
        form, organization = page.form, page.visit.organization
        if form.get("do") == "preview":
            return await self.topic(page)
        wanted = topics.draft(form.get("title", ""), form.get("body", ""), form.get("aliases", ""))
        topic_id, version, by = page.id, form.get("version", ""), page.visit.user.email
        await page.write(lambda tx: topics.save(tx, organization, topic_id, wanted, version, by))
        raise back(TOPICS)

    async def delete(self, page: Page) -> web.StreamResponse:
        topic_id = page.id
        await page.write(lambda tx: topics.delete(tx, page.visit.organization, topic_id))
        raise back(TOPICS)

    async def put_away(self, page: Page) -> web.StreamResponse:
        question_id = page.id
        await page.write(lambda tx: unanswered.put_away(tx, page.visit.organization, question_id))
        raise back(TOPICS)


def _look(tx: Tx, page: Page) -> dict[str, object]:
    organization = page.visit.organization
    groups = unanswered.of_the_week(tx, organization)
    return {
        "overview": topics.overview(tx, organization),
        "groups": [(group, _often(group, page.words)) for group in groups],
    }


def _often(group: Group, words: Words) -> str:
    """ "4 times, by 3 people, last today"."""
    last = words.day(group.last_at).partition(",")[0]  # within the last week, so that the weekday tells it
    if group.times == 1:
        return words.t("once, {day}", day=last)
    times = words.n("{count} time", "{count} times", group.times)
    if group.people == 1:
        return words.t("{times} by the same person, last {day}", times=times, day=last)
    people = words.n("{count} person", "{count} people", group.people)
    return words.t("{times} by {people}, last {day}", times=times, people=people, day=last)


def _told(tried: Trial, words: Words, language: str) -> dict[str, object]:
    """What stands below the answer."""
    best, mark = next(iter(tried.scores), None), Markup('<mark lang="{}">{}</mark>')
    why = ""
    if tried.unknown:
        why = words.t("No topic answers this")
    elif tried.key in _FIXED:
        why = words.t(_FIXED[tried.key])
    return {
        "why": why,
        "scores": [
            (each, round(each.score * 100), score(round(each.score * 100), answers=each.score >= tried.threshold))
            for each in tried.scores[:SCORES]
            if each.score
        ],
        "found": Markup(", ").join(mark.format(language, each) for each in best.found) if best else "",
        "ids": {each.topic: each.id for each in tried.scores},
        "threshold": round(tried.threshold * 100),
    }


def _new(tx: Tx, page: Page) -> dict[str, object]:
    form, query, organization = page.form, page.request.query, page.visit.organization
    question = form.get("question", query.get("question", ""))[: knowledge.MAX_QUESTION]
    if not form and (asked := query.get("unanswered", "")):
        is_id = asked.isascii() and asked.isdigit() and len(asked) < 19
        question = unanswered.question(tx, organization, int(asked) if is_id else 0)
    lesson = unanswered.lesson(tx, organization, question.strip())
    begun = topics.suggested(question, organization.language)
    return _form(form, begun) | {
        "topic": None,
        "lesson": lesson,
        "asked": _asked(lesson, page.words, organization.language),
        "tell": [
            (name, name_in(asker.name) or written(asker.address), not form or name in form)
            for asker in lesson.waiting
            for name in [f"{TELL}{asker.contact_id}"]
        ],
    }


def _asked(lesson: Lesson, words: Words, language: str) -> Markup:
    """Who asked what, with the customer's words in bold."""
    asked = {"question": lesson.question, "language": language}
    if lesson.group is None:
        return words.h('Asked in the test box: <b lang="{language}">“{question}”</b>', **asked)
    people = lesson.group.people
    if people == 1:
        return words.h('One person asked <b lang="{language}">“{question}”</b> and got no answer.', **asked)
    return words.h(
        '{people} people asked <b lang="{language}">“{question}”</b> and got no answer.',
        people=words.number(people),
        **asked,
    )


def _topic(tx: Tx, page: Page) -> dict[str, object]:
    view = topics.view(tx, page.visit.organization, page.id)
    topic, form = view.kept.topic, page.form
    is_behind = page.status == 409
    stored = Draft(topic.title, topic.body, topic.aliases)
    return _form(form, stored) | {
        "topic": topic,
        "view": view,
        "version": view.version if is_behind or not form else form.get("version", ""),
        "stored": stored if is_behind else None,
        "changed": _changed(view.kept.updated_at, view.kept.changed_by, page.words),
        "lesson": None,
    }


def _changed(at: int, by: str, words: Words) -> str:
    day = words.day(at)
    if not by:
        return words.t("changed {day}", day=day)
    who = words.t("the command line or the API") if by in ("cli", "api") else by
    return words.t("changed {day} by {who}", day=day, who=who)


def _form(form: Mapping[str, str], begun: Draft) -> dict[str, object]:
    """What was filled in, else what to begin with; and how that looks."""
    title, body = form.get("title", begun.title), form.get("body", begun.body)
    room = MAX_LENGTH if len(body) <= MAX_LENGTH else MAX_TOPIC
    shown = Draft(title, body, ()).shown
    return {
        "title": title,
        "body": body,
        "aliases": form.get("aliases", "\n".join(begun.aliases)),
        "shown": shown,
        "is_cut": len(body) > MAX_LENGTH,
        "room": room,
        "longest_title": MAX_TITLE,
    }
