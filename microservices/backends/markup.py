"""A site's words as plain text.

Cloudgene's messages are HTML fragments, some escaped, with `<` and `>` also as plain signs ("call rate < 90%").
"""

import html
import re

_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_BLOCK = re.compile(r"<(script|style|title)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
# After a colon whatever comes; in a sentence only what looks generated, so that "password protection" stays.
_PASSWORD = re.compile(r"((?i:\bpassword\b)[\"']?(?:\s*[:=]\s*[\"']?|\s+(?=\S*[\dA-Z])))[^\s\"']{6,}")


def strip_markup(text: str) -> str:
    """Plain text without tags, entities or empty lines; passwords of archives, which sites print, are hidden."""
    if "<" in text:  # most messages of the thousands that are read each minute have none
        text = _TAG.sub("", _BREAK.sub("\n", _BLOCK.sub("", text)))
    lines = (line.strip() for line in html.unescape(text).splitlines())
    return hide_passwords("\n".join(line for line in lines if line))


def hide_passwords(text: str) -> str:
    """Job logs and last messages can tell the password of the results; people see them, so it goes."""
    return _PASSWORD.sub(r"\1hidden", text)
