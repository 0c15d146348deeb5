"""Errors: a message is reduced to its class, the words engines use, and a fingerprint; a stack to its frames."""

import hashlib
import re
from typing import Final

from engine.masking.decisions import MASK
from engine.masking.error_words import ERROR_WORDS
from engine.masking.identifiers import MASKED_NAME, passes_name
from engine.masking.urls import mask_url, url_scheme
from engine.masking.values import has_secret, normalise

MAX_MESSAGE_CHARACTERS: Final = 2_000
MAX_STACK_CHARACTERS: Final = 64_000
MAX_FRAMES: Final = 50
MAX_FRAME_CHARACTERS: Final = 2_000

UNSPECIFIC: Final = "Error"
"""The class an error has that names none."""

_CLASS: Final = re.compile(
    r"\s*(?:Uncaught\s+)?(?:\(in promise\)\s*)?(?:Uncaught\s+)?((?:[A-Z][A-Za-z]{0,60})?(?:Error|Exception))\b:?"
)
_NAMED: Final = re.compile(r"(?:Uncaught )?(?:\(in promise\) )?((?:[A-Z][A-Za-z]{0,60})?(?:Error|Exception))(?=:|\n|$)")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:(?://)?[^\s'\"()<>]{2,}|(?<![\w/])/[\w.-]+/[^\s'\"()<>]*")
_QUOTED: Final = re.compile(
    r"(?<!\w)'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|\u2018[^\u2019\n]*\u2019|\u201c[^\u201d\n]*\u201d|«[^»\n]*»"
)
_BRACKETED: Final = re.compile(r"[{\[<][^{}\[\]<>]*[}\]>]")
_VALUE: Final = re.compile(r"\S*[\d@=%\\]\S*")
_WORD: Final = re.compile(r"[^\s.,:;!?()*'\"/+-]+")
_MASKS: Final = re.compile(r"\*\*\*(?:[\s.,/+'\"-]*\*\*\*)+")
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")

_V8_FRAME: Final = re.compile(
    r"\s*at (?:(?P<function>[^()]{1,300}?) \()?(?P<url>[^()\s]{1,1500}):(?P<line>\d{1,9}):(?P<column>\d{1,9})\)?\s*"
)
_OTHER_FRAME: Final = re.compile(
    r"\s*(?P<function>[^@\n]{0,300})@(?P<url>\S{1,1500}?):(?P<line>\d{1,9}):(?P<column>\d{1,9})\s*"
)
_CONSOLE_FRAME: Final = re.compile(
    r"\s*(?:(?P<function>[^()]{1,300}?) \()?(?P<url>[^()\s]{1,1500}):(?P<line>\d{1,9}):(?P<column>\d{1,9})\)?\s*"
)
_FRAMES: Final = (_V8_FRAME, _OTHER_FRAME, _CONSOLE_FRAME)
_FUNCTION_NOISE: Final = re.compile(r"^\s*(?:at |async |new |get |set |static )+| \[as [^\]]*\]|[<>*/]")


def error_class(message: str) -> str:
    """Return the class a message begins with (`TypeError`), `""` if it names none."""
    match = _CLASS.match(message[:MAX_MESSAGE_CHARACTERS])
    return match[1] if match and passes_name(match[1]) else ""


def error_type_of(*texts: str) -> str:
    """Return the class by which the first of these messages or stacks names its error, `""` if none does."""
    for text in texts:
        found = _NAMED.match(text)
        if found:
            return found[1]
    return ""


def error_template(message: str) -> str:
    """Reduce a message to class, the words of engines and libraries, and a fingerprint of the whole template.

    Digits, URLs, quoted and bracketed parts and every word that is not on the list become `***`; the fingerprint
    (8 letters) tells apart messages that look alike then. `""` for an empty message.
    """
    text = normalise(message[:MAX_MESSAGE_CHARACTERS]).strip()
    if not text:
        return ""
    name = error_class(text)
    rest = _CLASS.sub("", text, count=1) if name else text
    template = _without_values(rest)
    words = _WORD.sub(_known_word, template)
    shown = _MASKS.sub(MASK, " ".join(words.split()))
    return " ".join(part for part in (f"{name}:" if name else "", shown, f"#{_fingerprint(name + template)}") if part)


def scrub_message(message: str) -> str:
    """Remove URLs' secrets, quoted parts and whatever a detector finds from a message that is kept otherwise."""
    scrubbed = scrub_words(message[:MAX_MESSAGE_CHARACTERS])
    return error_template(message) if scrubbed is None else scrubbed


def scrub_words(text: str) -> str | None:
    """Mask each word a detector fires on, URLs by their rule; `None` if a secret is spread over several words."""
    masked = _URL.sub(_masked_url, normalise(text))
    words = [MASK if has_secret(word) and "://" not in word else word for word in masked.split(" ")]
    scrubbed = " ".join(words)
    return None if has_secret(_URL.sub("", scrubbed)) else scrubbed


def stack_frames(stack: str) -> list[tuple[str, str, int, int]]:
    """Return the frames of a stack, innermost first, at most 50: function (`""`: unnamed), masked URL, line, column.

    Function names are as sent: the caller applies rule i. Lines that are no frame (the message) are left out.
    """
    frames = []
    for line in stack[:MAX_STACK_CHARACTERS].split("\n"):
        frame = _frame(line) if len(line) <= MAX_FRAME_CHARACTERS else None
        if frame is not None:
            frames.append(frame)
            if len(frames) == MAX_FRAMES:
                break
    return frames


def frames(stack: str) -> tuple[str, ...]:
    """Write a stack's frames as `function@url:line:column`, innermost first, at most 50.

    A function whose name may not be kept is `masked`: frames of one error must look alike in every session.
    """
    return tuple(
        f"{function if not function or passes_name(function) else MASKED_NAME}@{url}:{line}:{column}"
        for function, url, line, column in stack_frames(stack)
    )


def masked_stack(stack: str, message: str) -> str:
    """Reduce a stack to its frames, one a line, below its error's class if only the stack tells a special one."""
    named = "" if error_type_of(message) else error_type_of(stack)
    is_told = named != UNSPECIFIC and passes_name(named)
    return "\n".join([named, *frames(stack)] if is_told else frames(stack))


def masked_error(text: str) -> str:
    """Reduce a message that may have its stack below it: the template of the first line, and the frames of the rest."""
    message, line_break, stack = text.partition("\n")
    return error_template(message) + line_break + "\n".join(frames(stack))


def _frame(line: str) -> tuple[str, str, int, int] | None:
    for pattern in _FRAMES:
        match = pattern.fullmatch(line)
        if match:
            function = _FUNCTION_NOISE.sub("", match["function"] or "")
            url = match["url"] if url_scheme(match["url"]) or match["url"].startswith("/") else ""
            if "@" in match["url"] and not url:
                # What stands before the first of several @ is no function, but maybe a mail address.
                function = MASKED_NAME
            return function.strip(), mask_url(url), int(match["line"]), int(match["column"])
    return None


def _without_values(text: str) -> str:
    for pattern in (_URL, _QUOTED, _BRACKETED, _VALUE):
        text = pattern.sub(MASK, text)
    return text


def _known_word(match: re.Match[str]) -> str:
    return match[0] if match[0].lower() in ERROR_WORDS or match[0] == "t" else MASK


def _masked_url(match: re.Match[str]) -> str:
    return mask_url(match[0]) or MASK


def _fingerprint(template: str) -> str:
    digest = hashlib.blake2b(template.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return digest.translate(_LETTERS)
