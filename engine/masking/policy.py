"""A project's privacy policy: which level holds where, and which elements are exceptions."""

import hashlib
import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from engine.masking.attributes import Tables
from engine.masking.flags import UNMASKED
from engine.masking.identities import identity_token, looks_personal
from engine.masking.levels import Level
from engine.masking.masker import Masker
from engine.masking.selectors import RECORDER_BLOCKS, RECORDER_MASKS, SelectorSet

RULES_VERSION: Final = 3
"""Grows when the rules themselves change what is kept."""

MAX_URL_CHARACTERS: Final = 16_000
_MAX_CACHED_URLS: Final = 2_000
_GLOB_SPECIAL: Final = re.compile(r"[\[?]")
_DEFAULT_PORT: Final = re.compile(r"(?<=^http:)(//.*):80$|(?<=^https:)(//.*):443$")


class PolicyError(ValueError):
    """A policy's url rule cannot be used; the message names it."""


class Policy:
    """Privacy settings in the form the engine uses.

    Args:
        level: The level where no rule matches.
        mask: Selectors of elements to mask as at the conservative level.
        unmask: Selectors of elements to show as at the light level.
        block: Selectors of elements to leave out.
        rules: Pairs of a glob over origin and path (`https://shop.example/pay/*`; or a path alone, `/pay/*`, at any
            origin) and a level. The first that matches holds; query and fragment are not looked at.
        key: Makes the tokens of names that may not be kept, see `Masker`.
        hash_identifiers: Whether ids of people that look like personal data become tokens too; needs `key`.
        echo: Whether what was typed into masked fields is masked where the page shows it again; needs `key`.
        custom_events: Names of custom events that are kept and told, without what else these say.

    Raises:
        SelectorError: If a selector cannot be used.
        PolicyError: If a url rule cannot match.
        ValueError: If a level is none, or a key is missing.
    """

    def __init__(  # noqa: PLR0913  # one for each setting
        self,
        *,
        level: Level | str = Level.MEDIUM,
        mask: Sequence[str] = (),
        unmask: Sequence[str] = (),
        block: Sequence[str] = (),
        rules: Sequence[tuple[str, Level | str]] = (),
        key: bytes | None = None,
        hash_identifiers: bool = False,
        echo: bool = False,
        custom_events: Sequence[str] = (),
    ) -> None:
        self.level = Level(level)
        self.selectors = SelectorSet.compile((*RECORDER_BLOCKS, *block), (*RECORDER_MASKS, *mask), unmask)
        self._rules = [(_compiled_glob(glob), Level(rule_level)) for glob, rule_level in rules]
        self.strictest = min([self.level, *(rule_level for _, rule_level in self._rules)], key=lambda at: at.strictness)
        levels = {self.level, *(rule_level for _, rule_level in self._rules)}
        self.reads_labels = Level.LIGHT in levels or bool(unmask)
        """Whether any field may be shown, so that labels have to be read to know which may not."""
        self.unmasks_by_place = any(flag == UNMASKED for flag, _ in self.selectors.placed)
        """Whether a change elsewhere can end what an `unmask` selector shows."""
        if (hash_identifiers or echo) and not key:
            raise ValueError("identifiers and echoes are hashed with a key, and there is none")
        self.echo_key = key if echo else None
        self.custom_events = frozenset(custom_events)
        self._key = key
        self._identity_key = key if hash_identifiers else None
        self._tables = Tables()
        self._maskers: dict[Level, Masker] = {}
        self._levels: dict[str, Level] = {}
        parts = [RULES_VERSION, self.level, list(mask), list(unmask), list(block), [list(rule) for rule in rules], echo]
        if custom_events:
            parts.append(sorted(self.custom_events))
        self.version = hashlib.blake2b(msgspec.json.encode(parts), digest_size=6).hexdigest()

    def level_for(self, url: str) -> Level:
        """Return the level of a page; the strictest one of the policy for a URL that does not parse."""
        if not self._rules:
            return self.level
        level = self._levels.get(url)
        if level is None:
            level = self._judge(url)
            if len(self._levels) >= _MAX_CACHED_URLS:
                self._levels.clear()
            self._levels[url] = level
        return level

    def identity(self, user_id: str | None) -> str | None:
        """Return a user's or visitor's id as it may be stored."""
        if self._identity_key is None or user_id is None or not looks_personal(user_id):
            return user_id
        return identity_token(self._identity_key, user_id)

    def masker(self, level: Level, key: bytes | None = None) -> Masker:
        """Return the masker of a level; with `key` (one session's) a new one that shares all decisions."""
        if key is not None:
            return self._made(level, key)
        if level not in self._maskers:
            self._maskers[level] = self._made(level, self._key)
        return self._maskers[level]

    def _made(self, level: Level, key: bytes | None) -> Masker:
        return Masker(level, key, self._tables, self.version, self.custom_events)

    def _judge(self, url: str) -> Level:
        address = _origin_and_path(url)
        if address is None:
            return self.strictest
        # A server takes `/%70ay` for `/pay`, and `/pay/` too, so a rule must as well.
        plain = {address, unquote(address)}
        spellings = plain | {spelling.rstrip("/") for spelling in plain} | {f"{spelling}/" for spelling in plain}
        return next((level for pattern, level in self._rules if any(map(pattern.match, spellings))), self.level)


def _compiled_glob(glob: str) -> re.Pattern[str]:
    if not glob.strip():
        raise PolicyError("url rule '': empty")
    if "#" in glob or "?" in glob:
        raise PolicyError(f"url rule {glob!r}: query and fragment are not looked at, leave them out")
    if glob.startswith("/"):
        # A path is matched from its beginning: the host holds no slash.
        return re.compile("[^/]*//[^/]*" + translate(_GLOB_SPECIAL.sub(r"[\g<0>]", glob)))
    scheme, separator, rest = glob.partition("://")
    host, slash, path = (rest if separator else glob).partition("/")
    origin = f"{scheme.lower()}://{host.lower()}" if separator else f"*://{host.lower()}"
    return re.compile(translate(_GLOB_SPECIAL.sub(r"[\g<0>]", origin + slash + path)))


def _origin_and_path(url: str) -> str | None:
    if len(url) > MAX_URL_CHARACTERS:
        return None
    try:
        parts = urlsplit(url.strip().replace("\\", "/"))
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    if not host:
        return None
    origin = _DEFAULT_PORT.sub(r"\1\2", f"{parts.scheme}://{host}")
    return f"{origin}{parts.path or '/'}"
