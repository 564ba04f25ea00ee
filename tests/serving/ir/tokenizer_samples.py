"""Texts for tokenizer tests, and small tokenizers trained on them with the published options."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, trainers
from tokenizers import pre_tokenizers as pre

SHARED = Path(__file__).parents[4] / "shared" / "data"
_CLINICAL = """\
患者男，62岁，因“反复胸闷、气促3年，加重1周”入院。
查体：T 36.8℃，P 92次/分，R 20次/分，BP 148/92mmHg，神志清楚，双肺底可闻及少量湿啰音。
既往高血压病史10年，最高血压180/110mmHg，口服苯磺酸氨氯地平片5mg qd，血压控制尚可。
血常规：WBC 11.2×10^9/L，N 82.5%，Hb 118g/L，PLT 256×10^9/L；CRP 36.4mg/L。
心电图示窦性心律，V1-V4导联ST段抬高0.2mV，肌钙蛋白I 3.42ng/mL（参考值<0.04）。
胸部CT：右肺上叶后段见一大小约1.8cm×1.5cm结节影，边缘毛糙，可见分叶及胸膜牵拉。
入院诊断：1.冠状动脉粥样硬化性心脏病 不稳定型心绞痛 心功能Ⅱ级；2.高血压病3级（很高危）。
予阿司匹林100mg、氯吡格雷75mg抗血小板，阿托伐他汀20mg调脂，低分子肝素4000IU皮下注射q12h。
患儿，女，3岁2月，发热伴咳嗽2天，体温最高39.6℃，无抽搐，无呕吐腹泻，精神食欲稍差。
否认肝炎、结核等传染病史，否认药物过敏史，否认输血史，预防接种史不详。
腹部平软，右下腹麦氏点压痛（+），反跳痛（±），肠鸣音3次/分，Murphy征阴性。
术后第1天，切口敷料干燥，引流管通畅，引出淡红色液体约80mL，未诉特殊不适。
出院医嘱：低盐低脂饮食，规律服药，1月后门诊复查肝肾功能及血脂，不适随诊。
空腹血糖9.8mmol/L，餐后2小时血糖15.6mmol/L，糖化血红蛋白8.4%，予二甲双胍0.5g tid。
头颅MRI：左侧基底节区急性脑梗死，DWI呈高信号，ADC呈低信号，NIHSS评分6分。
甲状腺功能：TSH 0.01mIU/L，FT3 12.6pmol/L，FT4 38.2pmol/L，考虑Graves病。
病理：（胃窦）中分化腺癌，侵及固有肌层，脉管内未见癌栓，淋巴结转移2/15。
咳嗽、咳痰伴喘息反复发作20余年，活动后气促，桶状胸，双肺呼吸音减低，可闻及哮鸣音。
No known drug allergies. Isoprenaline 2 ug/min i.v. was started for the bradycardia.
The patient denies chest pain; ECG shows sinus rhythm with a rate of 76 bpm.
"""
CLINICAL = tuple(_CLINICAL.splitlines())
EDGES = (
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    " 前面有空格",
    "  two before, two after  ",
    "a  b   c    d",
    "姓名\t张三\t\t性别\t男",
    "第一行\n\n第二行\r\n\r\n  第三行\n\n\n",
    " \n \n ",
    "\u3000\u3000全角空格\u3000与\u00a0不换行空格\u2009",
    "👨‍👩‍👧‍👦 🇨🇳 👍🏽 ❤️ 🫀🩺",
    "e\u0301a\u0308o\u0302 combining, é composed",
    "\u1100\u1161\u11a8 각 がぎ か\u3099",
    "ﬁ①Ⅳ㎡㎎µΩ≥±∅",
    "\x01\x02\x08\x1b\x7f\x85 control",
    "\u200b\u200d\ufeff\u2028\u2029",
    "𠀀𪚥龘䶮",
    "שלום नमस्ते สวัสดี Привет مرحبا",
    "don't DON'T I'LL we've it's",
    "12345678901234567890 3.14e-5 0.90%",
    "isoprenaline, Isoproterenol, aesop, eop, sop",
    "▁literal ▁▁ block",
    "<0x0A> <unk> <x> [MASK <|not special",
    '{"a": [1, 2.5, {"b": "值"}], "c": null}',
    "def f(x):\n\treturn x  # 注释\n",
    "https://example.org/a?b=c&d=%20#e",
    "！？。，、；：“”‘’（）《》【】——……",
    "pneumono" * 300,
    "咳" * 2000,
    " " * 700,
    "\n" * 300,
    "！" * 300,
)
SAMPLES = CLINICAL + EDGES


def shared_lines(count: int) -> list[str]:
    """Lines of Chinese clinical text from five sources beside the checkout."""
    sources = (
        "ner/cmeee_v1_train.jsonl.gz",
        "ner/yidu_s4k_train.jsonl.gz",
        "normalization/chip_cdn_train.jsonl.gz",
        "cases/dxy_pediatric_dialogues.jsonl.gz",
        "promptcblue/train_mix.jsonl.gz",
    )
    lines: list[str] = []
    for source in sources:
        found = 0
        with gzip.open(SHARED / source, "rt", encoding="utf-8") as file:
            for record in file:
                text = next((t for t in _texts(json.loads(record)) if len(t) >= 8), "")
                if text:
                    lines.append(text)
                    found += 1
                if found == count // len(sources):
                    break
    return lines


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def sentencepiece_model(**options: Any) -> bytes:
    """A model as Llama's and ChatGLM2's: BPE, byte fallback, white space kept, no normalisation."""
    chosen: dict[str, Any] = {
        "model_type": "bpe",
        "vocab_size": 900,
        "byte_fallback": True,
        "character_coverage": 0.99,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
        "split_digits": True,
        "num_threads": 1,
        "minloglevel": 2,
    } | options
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CLINICAL * 3), model_writer=written, **chosen
    )
    return written.getvalue()


def byte_level(
    pattern: str, specials: list[AddedToken], *, nfc: bool, whole_first: bool = False
) -> Tokenizer:
    """A byte-level BPE as Qwen's and Llama 3's."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=whole_first))
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre.Sequence(
        [
            pre.Split(Regex(pattern), "isolated"),
            pre.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1200, show_progress=False, initial_alphabet=pre.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(CLINICAL * 3, trainer)
    tokenizer.add_tokens(specials)
    return tokenizer
