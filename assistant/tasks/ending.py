"""How a model's answer ended, as its reader must know it."""

from __future__ import annotations

from langchain_core.messages import AIMessage

FILTERED = "模型服务器的内容过滤器中断了回答，其文字未采用。"
ONLY_THOUGHTS = (
    "模型的思考用完了长度上限，没有写出正文；可在 bedside.toml 中为该引擎设 "
    "enable_thinking = false，或改用不先思考的模型。"
)


class Ending:
    """Follows the messages of one answer."""

    def __init__(self) -> None:
        self._reason = ""
        self._thoughts = self._text = False

    def see(self, message: AIMessage) -> None:
        """Note what a piece, or the whole, of the answer says of its end."""
        self._text = self._text or bool(message.text.strip())
        self._thoughts = self._thoughts or bool(message.additional_kwargs.get("reasoning_content"))
        self._reason = message.response_metadata.get("finish_reason") or self._reason

    @property
    def cut(self) -> bool:
        """Whether the limit of length ended it."""
        return self._reason == "length"

    @property
    def filtered(self) -> bool:
        """Whether a filter cut it or put its own words in its place: none of it may be used."""
        return self._reason == "content_filter"

    @property
    def only_thoughts(self) -> bool:
        """Whether the model did not come to an answer."""
        return self._thoughts and not self._text

    def warnings(self, when_cut: str) -> list[str]:
        """What must be said; ``when_cut``: of an answer that the limit of length ended."""
        if self.filtered:
            return [FILTERED]
        if self.only_thoughts:
            return [ONLY_THOUGHTS]
        return [when_cut] if self.cut else []
