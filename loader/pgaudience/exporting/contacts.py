"""E-mail addresses and phone numbers as ad platforms take them: normalised, then SHA-256 as lowercase hexadecimal.

Google: https://developers.google.com/google-ads/api/reference/rpc/latest/UserIdentifier (trimmed, in lower case; phone
numbers in E.164, with the plus sign). Meta: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/
customer-information-parameters (trimmed, in lower case; phone numbers as digits alone, country code first).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from pgaudience.errors import PgaudienceError

Platform = Literal["google", "meta"]


@dataclass(slots=True)
class Contacts:
    """Which attributes are contacts, and how they are written; `unusable` counts those that are none, by attribute."""

    emails: Collection[str] = ()
    phones: Collection[str] = ()
    region: str | None = None
    platform: Platform = "google"
    unusable: Counter[str] = field(default_factory=lambda: Counter[str]())

    def __post_init__(self) -> None:
        """Raise PgaudienceError where phonenumbers is needed and not installed, or the region is none it knows."""
        if self.phones:
            known: Collection[str] = _phonenumbers().SUPPORTED_REGIONS
            if self.region is not None and self.region not in known:
                raise PgaudienceError(f"there is no region {self.region!r}", "Give two letters: --region FR")

    def hashed(self, attributes: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the attributes, with every contact hashed; null where there is none that could be one."""
        return {name: self._hashed(name, value) for name, value in attributes.items()}

    def _hashed(self, name: str, value: str | None) -> str | None:
        if name not in self.emails and name not in self.phones:
            return value
        if value is None or not value.strip():
            return None
        normal = email(value) if name in self.emails else phone(value, self.region, self.platform)
        if normal is None:
            self.unusable[name] += 1
            return None
        return hashlib.sha256(normal.encode()).hexdigest()


def email(text: str) -> str | None:
    """Return an address trimmed and in lower case; None where it is no address."""
    found = text.strip().lower()
    name, at, domain = found.rpartition("@")
    return found if at and name and "." in domain.strip(".") and not any(map(str.isspace, found)) else None


def phone(text: str, region: str | None, platform: Platform) -> str | None:
    """Return a number with its country code, that of the region where it has none; None where it is no number."""
    phonenumbers = _phonenumbers()
    text = text.strip()
    try:
        number = phonenumbers.parse("+" + text[2:] if text.startswith("00") else text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    written: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if platform == "google" else written.removeprefix("+")


def _phonenumbers() -> Any:
    try:
        return import_module("phonenumbers")
    except ImportError as error:
        raise PgaudienceError(
            "normalising phone numbers needs phonenumbers", 'pip install "pgaudience[phones]"'
        ) from error
