"""A low-bit process without a model: what it says is what the prompt said.

Modes: ``echo``; ``slow``: a token every 20 ms; ``failed``: cannot load; ``picky``: only the plain
AVX kernel runs; ``dead``: ends while loading; ``error``: fails on a prompt that holds an X.
"""

import os
import sys
import time

sys.path.insert(0, os.getcwd())

from lowbit.channel import Channel
from lowbit.service import LoadFailed, Service, Token

mode = sys.argv[1]
channel = Channel()
order = channel.take(wait=True)
print("whatever a library prints")
if mode == "failed":
    channel.send({"failed": {"message": str(LoadFailed("The tensor x is missing."))}})
    sys.exit()
if mode == "dead":
    sys.exit(3)
channel.send({"progress": {"stage": "imported"}})
if mode == "picky" and not os.environ["LLAMA_CPP_LIB"].endswith("libllama_avx.so"):
    os.abort()
channel.send({"progress": {"stage": "kernel"}})
assert "BEDSIDE_SECRET" not in os.environ
assert "PYTHONPATH" not in os.environ
end_id = order["end_ids"][0]


def tokens(request):
    prompt, most = request["input_ids"], request["sampling"]["max_tokens"]
    if mode == "error" and ord("X") in prompt:
        raise RuntimeError("words of the prompt")
    for count, token in enumerate([*prompt, end_id], start=1):
        if mode == "slow":
            time.sleep(0.02)
        finish = "stop" if token == end_id else "length" if count == most else None
        yield Token(token, -0.5 if request["sampling"]["logprobs"] else None, finish)
        if finish:
            return


channel.send({"ready": {}})
Service(channel, tokens, order["max_running"]).run()
