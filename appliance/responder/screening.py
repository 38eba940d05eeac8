"""What of a model's answer may be sent: its words, without its thoughts, its template and our rules. Pure.

A flaw is the one answer's own. It says nothing about the provider, which did answer.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from appliance.model import TextKey
from appliance.ports import Reply
from appliance.responder import prompt
from appliance.texts import SENTENCE_END, strip_markup

MAX_ANSWER = 4_000  # characters; the one Twilio message is cut from it later
RUN = 12  # words of our rules in a row: nobody says so many of them by chance
_DRESS = r"[\s*_`\\]{0,4}"  # a model may write its mark as Markdown
_MARKER = re.compile(
    "".join(
        [
            r"[\[［]{2}",
            _DRESS,
            "(",
            "|".join(_DRESS.join(word) for word in ("HANDOFF", "NOREPLY")),
            ")",
            _DRESS,
            r"[\]］]{2}",
        ]
    ),
    re.IGNORECASE,
)

_THOUGHT = (
    r"(?:\w{1,20}:)?(?:think|thinking|antThinking|thoughts?|thought_process|reasoning|reflection|scratchpad|analysis)"
)
_THOUGHTS = re.compile(
    rf"(?P<close></{_THOUGHT}>|\[/THINK\]|◁/think▷|<\|(?:end(?:_of)?_|/){_THOUGHT}\|>|<unused95>)"
    rf"|<{_THOUGHT}(?:\s[^<>]{{0,80}})?>|\[THINK\]|◁think▷|<\|(?:(?:begin|start)(?:_of)?_)?{_THOUGHT}\|>|<unused94>",
    re.IGNORECASE,
)
# Channels of gpt-oss; a server that drops the tokens leaves "analysis…assistantfinal…" of them.
_CHANNEL = re.compile(r"<\|channel\|?>")
_FINAL = re.compile(r"<\|channel\|?>\s*final\b[^<]{0,40}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>")
_BARE_CHANNEL = re.compile(r"(?:analysis|commentary)(?=[A-Z])")

_TOKEN = re.compile(
    r"<[|｜][^<>\n]{0,100}?[|｜]?>|<[A-Za-z_]{1,30}[|｜]>|<[|｜]|[|｜]>"  # <|im_end|> <|channel> <channel|>, and halves
    r"|</?s>|<(?:bos|eos|pad|unk|sop|eop)>|</?(?:start|end)_of_\w{1,20}>|<</?SYS>>"
    r"|\[/?(?:INST|THINK|gMASK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|control_\d+)\]"
    r"|</?(?:tool_calls?|tool_responses?|function_calls?|function|invoke|parameter)\b[^<>\n]{0,100}>"
    rf"|</?{_THOUGHT}(?:\s[^<>]{{0,80}})?>|◁/?think▷|<(?:unused|extra_id_|reserved_)\d+>|<0x[0-9A-F]{{2}}>",
    re.IGNORECASE,
)
# After these the answer is over; what follows is a turn that the model made up.
_OVER = re.compile(r"end|eo[tsm]|</?s>|return|start|begin|\|(?:user|assistant|system)\||\[INST|SYS", re.IGNORECASE)
_ROLE = r"(?:system|user|assistant|model|final|tool)"
_HEAD = re.compile(
    rf"\A(?:\s*(?:\[INST\](?:(?!\[/?INST\]).)*\[/INST\]|(?:{_TOKEN.pattern})(?:\s*{_ROLE}(?=\s*(?:\n|<|:))\s*:?)?))*"
    r"\s*(?:#{2,4}\s*(?:response|assistant|answer)\s*:?|assistant\s*(?::|\n))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_NEXT_TURN = re.compile(
    r"\n[ \t]*#{2,4}[ \t]*(?:human|user|instruction|input|system|assistant|response)\b"
    r"|(?:\n[ \t]*|(?<=[.!?…]))(?-i:user|assistant|model)[ \t]*\n",
    re.IGNORECASE,
)
_CALL = re.compile(r'(?:```\w*\s*)?[\[{](?=.{0,400}"(?:arguments|parameters|tool_calls|function_call)"\s*:)', re.DOTALL)
_PIPES = str.maketrans("│┃║∣⎜⎟⎸⎹⏐", "|||||||||")
# An SMS may be sent with plain look-alikes for these, and without what nobody sees: a token must not arise from that.
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u20d2\u20d3"))
_LOOK_ALIKES = str.maketrans("∣⎜⎟⎸⎹⏐‹﹤＜›﹥＞［］／", "||||||<<<>>>[]/")
_RULER = frozenset("|+:-= ─━═┄┈┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬╭╮╰╯╞╪╡")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why an answer cannot be sent as it is. `reason` is safe for cards.

    `fits`: what of it may be sent all the same. `is_cut`: it came to the limit on tokens, so more of them may help;
    `is_wordless`: with nothing but thoughts.
    """

    reason: str
    fits: Reply | None = None
    is_cut: bool = False
    is_wordless: bool = False


def read(content: str, model: str, *, is_cut: bool = False, empty: str = "the answer was empty") -> Reply | Flaw:
    """Turn what the model wrote into a reply, or say what is wrong with it; `empty` says why there may be no words.

    A handover mark wins wherever it stands: a person then sees the conversation, and no mark reaches a customer.
    """
    content = content.translate(_UNSEEN)
    if _TOKEN.search(content.translate(_LOOK_ALIKES)):
        content = content.translate(_LOOK_ALIKES)
    said = prompt.plain(_spoken(content).lstrip()[:MAX_ANSWER])
    if repeats(said, _RULES):
        return Flaw("the answer repeated our rules")
    said = _HEAD.sub("", said, count=1)
    token = _TOKEN.search(said)
    turn = _NEXT_TURN.search(said, 0, token.start() if token else len(said))
    end = turn or token
    said = said[: end.start()] if end else said
    marks = {re.sub(r"[\W_]", "", mark).upper() for mark in _MARKER.findall(said)}
    text = flattened(_MARKER.sub("", said))
    if _CALL.match(text):
        return Flaw("a tool call in place of an answer")
    if token and not turn and not _OVER.search(token[0]):
        return Flaw("control tokens in the answer", _reply(_whole_sentences(text + " "), marks, model))
    bare = strip_markup(strip_markup(text)).translate(_LOOK_ALIKES)
    if _TOKEN.search(bare):  # put together when marks and markup are taken off
        return Flaw("control tokens in the answer")
    if is_cut and not end:
        is_wordless = not text and not marks
        why = empty if is_wordless else "the answer was longer than ai.max_output_tokens allows"
        return Flaw(why, _reply(_whole_sentences(text), marks, model), is_cut=True, is_wordless=is_wordless)
    return _reply(text, marks, model) or Flaw(empty)


def _spoken(content: str) -> str:
    """Without the thoughts of a reasoning model; some servers swallow the opening tag, a cut one lacks the end."""
    kept: list[str] = []
    start, thinks = 0, False
    for mark in _THOUGHTS.finditer(content):
        if mark["close"]:
            if not thinks:
                kept.clear()
            start, thinks = mark.end(), False
        elif not thinks:
            kept.append(content[start : mark.start()])
            thinks = True
    said = "".join(kept) if thinks else "".join(kept) + content[start:]
    if channel := _CHANNEL.search(said):
        finals = list(_FINAL.finditer(said))
        return said[finals[-1].end() :] if finals else said[: channel.start()]
    if _BARE_CHANNEL.match(said.lstrip()):
        return said.rpartition("assistantfinal")[2] if "assistantfinal" in said else ""
    return said


def _reply(text: str, marks: Collection[str], model: str) -> Reply | None:
    """None where there is nothing to say."""
    if "HANDOFF" in marks or text == prompt.HANDOFF:
        return Reply(source=model, key=TextKey.HANDOFF)
    if text and (not marks or re.search(r"\w", text)):  # what stood around a mark is no answer
        return Reply(source=model, text=text)
    return Reply(source=f"{model}: no reply needed") if marks else None


def _whole_sentences(text: str) -> str:
    """Without the one that was cut, since half a price is a wrong price; of a mark it is known what it was to be."""
    end = max((match.end() for match in SENTENCE_END.finditer(text)), default=0)
    return prompt.HANDOFF if text[end:].lstrip().startswith("[[") else text[:end].rstrip()


def flattened(text: str) -> str:
    """A table as lines: its first column, a colon, the others. A telephone shows pipes as they are typed."""
    lines = text.translate(_PIPES).split("\n")
    rulers = [_is_ruler(line) for line in lines]
    is_table = any(rulers) or sum(line.count("|") >= 2 for line in lines) >= 2
    found: list[str] = []
    for line, is_ruler in zip(lines, rulers, strict=True):
        if is_ruler:
            continue
        cells = [cell.rstrip(":") for cell in map(str.strip, line.split("|")) if cell]
        is_row = "|" in line and (is_table or strip_markup(line).lstrip().startswith("|"))
        row = ": ".join(filter(None, [*cells[:1], ", ".join(cells[1:])]))
        found.append(row if is_row else line)
    return "\n".join(found).strip()


def _is_ruler(line: str) -> bool:
    """The line between the head of a table and its rows, or around it."""
    signs = set(line.strip())
    return signs <= _RULER and bool(signs & set("-=─━═")) and len(signs - {" ", ":"}) > 1


def repeats(text: str, runs: frozenset[tuple[str, ...]]) -> bool:
    return not runs.isdisjoint(_runs(text))


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words: Sequence[str] = re.findall(r"\w+", text.casefold())
    return frozenset(tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))


_RULES = _runs(prompt.RULES)
