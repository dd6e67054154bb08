"""A site's words and logs as people may see them."""

import re

from microservices.backends.markup import strip_markup

# Inputs and outputs travel by signed addresses, which engines print: whoever has the query has the file.
_SIGNED = re.compile(r"(\bhttps?://[^\s\"'<>?]+)\?[^\s\"'<>]+")


def clean_words(text: str) -> str:
    """Plain text without markup, passwords, or the queries of addresses."""
    return strip_markup(_SIGNED.sub(r"\1?...", text))
