"""Questions and what is answered to them: 医：发烧过没有？患：没有。"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.text.assertion.answers import Answers
from knowledge.text.lexicon import Match

_QUESTION = re.compile(r"[^。,;?!\n]{2,40}\?")
_ASKS = re.compile(r"吗|没有\?|没\?|有没有|是不是|有无|([\u4e00-\u9fff])不\1|否|呢\?|不\?")
# What is asked of something that is taken for granted: 头晕多久了？
_WHICH = re.compile(r"多久|多长|几[天次年月个]|哪|什么|怎么|怎样|如何|何时|多少")
_REPLY = re.compile(
    r"[\s\"”’]*(?:(?:患[者儿]|病人|家[长属]|母亲|父亲|妈妈|患|答|男|女|本人)(?:答|回答|说|诉)?:)?"
    r"[ \t\"“‘]*"
    r"[他她我也都就这那倒]{0,3}(?:(?P<no>没有?|无|不(?!清|知|记|好说|一定|太清)|否|从来没|从没|未)"
    r"|(?P<unsure>不(?:太)?清|不知|不记|说不|记不|可能|好像|不一定)"
    r"|(?P<yes>[^,，。;?!\n无没不未]{0,8}[有会]|是|对|嗯|痛|疼|咳|吐|偶尔|经常|一直))"
)


def read_dialogue(text: str, matches: Sequence[Match], answers: Answers) -> None:
    """What is asked counts as it is answered; without an answer that is understood, as open."""
    number = 0
    for question in _QUESTION.finditer(text):
        while number < len(matches) and matches[number].start < question.start():
            number += 1
        first = number
        while number < len(matches) and matches[number].start < question.end():
            number += 1
        if _WHICH.search(question[0]):
            answers.taken[question.end() - 1] = 1
            continue
        reply = _REPLY.match(text, question.end())
        if first == number or not _ASKS.search(question[0]) or reply is None:
            continue
        answers.taken[question.start() : question.end()] = b"\1" * (
            question.end() - question.start()
        )
        for index in range(first, number):
            if reply["unsure"]:
                answers.open.add(index)
            else:
                answers.present.setdefault(index, reply["yes"] is not None)
