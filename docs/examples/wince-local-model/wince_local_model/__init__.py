"""Summaries in the words of a language model of your own, behind the chat interface that most model servers speak."""

from collections.abc import Callable, Mapping
from urllib.request import Request, urlopen

import msgspec

from replay.summary.types import Summary

INSTRUCTION = (
    "You are given an account of one visit to a web site. Retell it for a support agent in at most five plain "
    "sentences. Use only what is in the account; keep all numbers as they are written; add none."
)
MAX_ANSWER_BYTES = 64 << 10
PATIENCE_SECONDS = 30


class Message(msgspec.Struct):
    """A message of a chat."""

    role: str
    content: str


class Choice(msgspec.Struct):
    """One of the answers the server offers."""

    message: Message


class Answer(msgspec.Struct):
    """What is read of the server's answer."""

    choices: list[Choice]


def make(options: Mapping[str, str]) -> Callable[[Summary], str]:
    """Make the function. Raises ValueError if an option is wrong: Wince says so when it starts."""
    unknown = set(options) - {"url", "model"}
    if unknown:
        raise ValueError(f"there is no option {min(unknown)}")
    url = options.get("url", "http://127.0.0.1:11434/v1/chat/completions")
    if not url.startswith(("http://", "https://")):
        raise ValueError("url is an address of http or https")
    model = options.get("model", "llama3.2")

    def rephrase(summary: Summary) -> str:
        """Send the account, and nothing else, and give what comes back. Whatever this raises, Wince is not harmed."""
        messages = [Message("system", INSTRUCTION), Message("user", f"{summary.headline}\n\n{summary.text()}")]
        body = msgspec.json.encode({"model": model, "messages": messages, "temperature": 0, "stream": False})
        request = Request(url, body, {"content-type": "application/json"})  # noqa: S310 - checked above
        with urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - checked above
            answer = msgspec.json.decode(response.read(MAX_ANSWER_BYTES), type=Answer)
        return answer.choices[0].message.content.strip()

    return rephrase
