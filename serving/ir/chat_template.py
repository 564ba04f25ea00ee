"""Chat templates: Jinja texts that turn messages into the prompt a family was trained on.

A message has ``role`` (system, user, assistant, and for tools observation or tool) and
``content``; ``tools`` are function descriptions, plain or as the OpenAI API wraps them.  The
templates keep to what GenAI's renderer knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from serving.ir.token_set import TokenizerError

# 问/答 rounds know no system role: its text goes before the first question.
_CHATGLM = """\
{%- set ns = namespace(round=0, system='', rounds=false) -%}
{%- for message in messages -%}
{%- if message.role == 'assistant' -%}{%- set ns.rounds = true -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set ns.system = ns.system + message.content + '\\n' -%}
{%- elif message.role == 'assistant' -%}
{{- message.content + '\\n' -}}
{%- set ns.round = ns.round + 1 -%}
{%- elif ns.rounds -%}
{{- '[Round ' + ns.round|string + ']\\n问：' + ns.system + message.content + '\\n答：' -}}
{%- set ns.system = '' -%}
{%- else -%}
{{- ns.system + message.content -}}
{%- set ns.system = '' -%}
{%- endif -%}
{%- endfor -%}
{{- '[gMASK]<sop>' -}}
"""
_CHATGLM2 = """\
{%- set ns = namespace(round=1, system='') -%}
{{- '[gMASK]sop' -}}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set ns.system = ns.system + message.content + '\\n\\n' -%}
{%- elif message.role == 'assistant' -%}
{{- message.content + '\\n\\n' -}}
{%- set ns.round = ns.round + 1 -%}
{%- else -%}
{{- '[Round ' + ns.round|string + ']\\n\\n问：' + ns.system + message.content + '\\n\\n答：' -}}
{%- set ns.system = '' -%}
{%- endif -%}
{%- endfor -%}
"""
# The space after the line break stands for the one that sentencepiece puts before a content
# encoded by itself.  After its role the assistant names the tool that it calls, or ends the line;
# without tools the line is ended for it, so that the answer, also one held to a schema, starts
# at once.
_CHATGLM3 = """\
{%- set functions = tools if tools else [] -%}
{%- if functions and functions[0].function is defined -%}
{%- set functions = functions | map(attribute='function') | list -%}
{%- endif -%}
{{- '[gMASK]sop' -}}
{%- if functions -%}
{%- if messages[0].role == 'system' -%}
{%- set head = messages[0].content -%}
{%- set messages = messages[1:] -%}
{%- else -%}
{%- set head = 'Answer the following questions as best as you can. \
You have access to the following tools:' -%}
{%- endif -%}
{{- '<|system|>\\n ' + head + '\\n' + (functions | tojson(indent=4)) -}}
{%- endif -%}
{%- for message in messages -%}
{%- set body = '\\n' + (' ' + message.content if message.content else '') -%}
{%- if message.role == 'tool' or message.role == 'observation' -%}
{{- '<|observation|>' + body -}}
{%- elif message.role == 'assistant' and message.tool_calls -%}
{%- for call in message.tool_calls -%}
{%- set call = call.function if call.function is defined else call -%}
{{- '<|assistant|>' + call.name + '\\n ```python\\ntool_call(' -}}
{%- if call.arguments is mapping -%}
{%- for name, value in call.arguments.items() -%}
{{- name + '=' -}}
{%- if value is string -%}{{- "'" + value + "'" -}}{%- else -%}{{- value | tojson -}}{%- endif -%}
{{- '' if loop.last else ', ' -}}
{%- endfor -%}
{%- else -%}
{{- call.arguments -}}
{%- endif -%}
{{- ')\\n```' -}}
{%- endfor -%}
{%- else -%}
{{- '<|' + message.role + '|>' + (message.metadata if message.metadata else '') + body -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' + ('' if tools else '\\n') -}}
{%- endif -%}
"""
_GLM4 = """\
{{- '[gMASK]<sop>' -}}
{%- if tools -%}
{{- '<|system|>\\n' -}}
{%- if messages[0].role == 'system' -%}
{{- messages[0].content + '\\n\\n' -}}
{%- set messages = messages[1:] -%}
{%- endif -%}
{{- '# 可用工具' -}}
{%- for tool in tools -%}
{%- set function = tool.function if tool.function is defined else tool -%}
{{- '\\n\\n## ' + function.name + '\\n\\n' + (function | tojson(indent=4)) -}}
{{- '\\n在调用上述函数时，请使用 Json 格式表示调用的参数。' -}}
{%- endfor -%}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' or message.role == 'observation' -%}
{{- '<|observation|>\\n' + message.content -}}
{%- elif message.role == 'assistant' and message.tool_calls -%}
{%- for call in message.tool_calls -%}
{%- set call = call.function if call.function is defined else call -%}
{{- '<|assistant|>' + call.name + '\\n' -}}
{{- call.arguments if call.arguments is string else call.arguments | tojson -}}
{%- endfor -%}
{%- else -%}
{{- '<|' + message.role + '|>' + (message.metadata if message.metadata else '') + '\\n' -}}
{{- message.content -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' + ('' if tools else '\\n') -}}
{%- endif -%}
"""
_QWEN = """\
{%- set ns = namespace(system='') -%}
{%- if messages[0].role == 'system' -%}
{%- set ns.system = messages[0].content -%}
{%- set messages = messages[1:] -%}
{%- endif -%}
{%- if tools -%}
{%- set ns.system = ns.system + ('\\n\\n' if ns.system else '') + '# Tools\\n\\n<tools>' -%}
{%- for tool in tools -%}
{%- set ns.system = ns.system + '\\n' + (tool | tojson) -%}
{%- endfor -%}
{%- set ns.system = ns.system + '\\n</tools>\\n\\nFor each call, answer with its name and \
arguments as JSON within tags:\\n<tool_call>\\n{"name": <name>, "arguments": <arguments>}\
\\n</tool_call>' -%}
{%- endif -%}
{%- if ns.system -%}
{{- '<|im_start|>system\\n' + ns.system + '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' or message.role == 'observation' -%}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response>' -}}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + (message.content if message.content else '') -}}
{%- for call in message.tool_calls if message.tool_calls -%}
{%- set call = call.function if call.function is defined else call -%}
{{- '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' -}}
{{- call.arguments if call.arguments is string else call.arguments | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
_LLAMA3 = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- set role = 'ipython' if message.role in ['tool', 'observation'] else message.role -%}
{{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' + message.content + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
{%- endif -%}
"""
# Headings in the manner of Alpaca, as fine-tunes of the first Llama in Chinese use them.
_LLAMA = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{{- message.content + '\\n' -}}
{%- elif message.role == 'assistant' -%}
{{- message.content + '\\n' -}}
{%- else -%}
{{- '### 问题:\\n' + message.content + '\\n### 回答:\\n' -}}
{%- endif -%}
{%- endfor -%}
"""
_OWN = {"chatglm": _CHATGLM, "chatglm2": _CHATGLM2, "chatglm3": _CHATGLM3, "glm4": _GLM4}


def choose(family: str, published: str, has: Callable[[str], bool]) -> str:
    """The template of a model.

    ``published``: the one that came with it, "" for none; it is taken except for the models that
    GLM's authors published with code instead.  ``has`` tells whether a special token exists.
    """
    if family in _OWN:
        return _OWN[family]
    if published:
        return published
    if has("<|observation|>"):
        return _GLM4
    if has("<|im_start|>"):
        return _QWEN
    return _LLAMA3 if has("<|start_header_id|>") else _LLAMA


def published(folder: Path, settings: Mapping[str, Any]) -> str:
    """The template beside a checkpoint: in a file of its own, or in ``tokenizer_config.json``.

    Raises:
        TokenizerError: a file that should hold it cannot be read.
    """
    try:
        if (path := folder / "chat_template.jinja").is_file():
            return path.read_text(encoding="utf-8-sig")
        found = settings.get("chat_template")
        if (path := folder / "chat_template.json").is_file():
            found = json.loads(path.read_bytes())["chat_template"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TokenizerError(f"{path} cannot be read; copy it again or remove it.") from error
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found}
        found = named.get("default")
    return found if isinstance(found, str) else ""
