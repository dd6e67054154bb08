"""Whose it is to act when a job has failed at a site, told from the site's own words."""

import re
from collections.abc import Iterable
from typing import Literal

from microservices.backends.base import SiteMessage

# The steps of an imputation server in which it judges what was sent; what goes wrong later is its own.
_JUDGING_STEPS = ("input validation", "quality control")
# How pipelines speak of what was sent (`imputationserver2`, and workflows that took over its words); they are found
# also in a log, which is all that some sites give.
_ABOUT_INPUT = re.compile(
    r"\byour (?:input|upload(?:ed)?) (?:data|files?)\b|\bprovided VCF file\b|\buploaded VCF files\b|no vcf\.gz input"
    r"|\binvalid chromosome found\b|\bno chunks passed\b|(?:strand flips|allele switches) have been detected"
    r"|\bsamples must be uploaded\b|\bmaximum number of samples\b|is not supported by reference panel\b"
    r"|\bnonPAR region includes\b|\bhas none of the typed sites\b|\bcannot be read as VCF\b"
    r"|\bholds more than one chromosome\b",
    re.IGNORECASE,
)
# A site that breaks while it judges has not found fault with anything.
_BREAKDOWN = re.compile(
    r"\bexception\b|\bout of memory\b|\bno space left\b|\btraceback\b|\bsegmentation fault\b|\bexit (?:code|status)\b",
    re.IGNORECASE,
)


def tell_whose(messages: Iterable[SiteMessage]) -> Literal["input", "site"]:
    """`input` where the site found fault with what it was sent; what cannot be told is the site's own."""
    errors = [message for message in messages if message.level == "error"]
    if any(_ABOUT_INPUT.search(error.text) for error in errors):
        return "input"
    judged = [error for error in errors if error.step.lower().startswith(_JUDGING_STEPS)]
    return "input" if judged and not any(_BREAKDOWN.search(error.text) for error in judged) else "site"
