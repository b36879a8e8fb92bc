"""How long a text is in cell broadcast (3GPP TS 23.041): pages of 82 octets."""

from __future__ import annotations

# 3GPP TS 23.038, 6.2.1: the default alphabet, and the signs that take two of its places (6.2.1.1)
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("\f^{}\\[~]|€")

GSM_PAGE = 93  # septets in 82 octets
UCS2_PAGE = 40  # UTF-16 units in the 80 octets that the sign of the language leaves
MOST_PAGES = 15  # of one message (9.4.1.2.4)


def in_gsm(text: str) -> bool:
    """Whether the GSM alphabet has every sign of it."""
    return GSM.issuperset(set(text) - GSM_TWICE)


def pages(text: str) -> int:
    """Pages that a text fills: in the GSM alphabet if it can be, else in UCS-2. At least one."""
    if in_gsm(text):
        size, page = len(text) + sum(sign in GSM_TWICE for sign in text), GSM_PAGE
    else:
        size, page = len(text.encode("utf-16-le")) // 2, UCS2_PAGE
    return max(1, -(-size // page))
