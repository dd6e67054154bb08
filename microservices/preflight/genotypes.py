"""Ploidy and phase of all genotypes, by the text of GT, many at a time.

Three ways, each for what the one before leaves: rows of `<tab>a|b` with one-digit alleles, settled by two
reductions over 32-bit words; single words, settled by two tables; the rest (alleles of several digits, other
ploidies, rubbish) by walking along all of them at once.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from microservices.preflight.columns import TAB, Bytes, Indices, Mask, Records, read_windows
from microservices.preflight.issues import IssueLog

Words = NDArray[np.uint32]  # little-endian: tab, allele, separator, allele
Codes = NDArray[np.uint8]

# Bits that say what a call is.
FIRST_MISSING, SECOND_MISSING, PHASED, UNPHASED, HAPLOID, POLYPLOID, UNREADABLE = (1 << bit for bit in range(7))
BOTH_MISSING = FIRST_MISSING | SECOND_MISSING

ALLELE_DIGITS = 4  # no record has more alleles than that many digits can number
IS_DIGIT = np.zeros(256, bool)
IS_DIGIT[list(b"0123456789")] = True
IS_ALLELE = IS_DIGIT.copy()
IS_ALLELE[ord(".")] = True
IS_SEPARATOR = np.zeros(256, bool)
IS_SEPARATOR[list(b"|/")] = True
IS_END = np.zeros(256, bool)
IS_END[list(b"\t:\n\r")] = True

# The bits of a word that the alleles 0–3 (0x30–0x33) share; words with the two separators, in those bits.
SHARED_BITS = np.uint32(0xFCFFFCFF)
BARS = np.frombuffer(b"\t0|0", "<u4")[0]
SLASHES = np.frombuffer(b"\t0/0", "<u4")[0]


def make_tables() -> tuple[Codes, Codes]:
    """Codes by half-word: of tab and first allele; of separator and second allele."""
    first, second = (np.full((256, 256), UNREADABLE, np.uint8) for _ in range(2))  # [high byte, low byte]
    first[IS_DIGIT, TAB] = 0
    first[ord("."), TAB] = FIRST_MISSING
    for separator, code in ((ord("|"), PHASED), (ord("/"), UNPHASED)):
        second[IS_DIGIT, separator] = code
        second[ord("."), separator] = code | SECOND_MISSING
    second[:, IS_END] = HAPLOID
    return first.reshape(-1), second.reshape(-1)


FIRST_HALF, SECOND_HALF = make_tables()


@dataclass
class PhaseTally:
    """Calls with a bar, with a slash, and missing ones with a slash; the line of the first of each (0: none).

    A haploid call tells nothing about phase, nor does a missing one with a bar."""

    counts: dict[str, int] = field(default_factory=lambda: {"phased": 0, "unphased": 0, "missing_unphased": 0})
    lines: dict[str, int] = field(default_factory=lambda: {"phased": 0, "unphased": 0, "missing_unphased": 0})

    def add(self, kind: str, per_row: Indices, numbers: Indices) -> None:
        self.counts[kind] += int(per_row.sum())
        if per_row.any():
            line = int(numbers[(per_row > 0).argmax()])
            self.lines[kind] = min(line, self.lines[kind] or line)

    def add_codes(self, codes: Codes, numbers: Indices) -> None:
        self.add("phased", count_codes(codes, PHASED), numbers)
        self.add("unphased", count_codes(codes, UNPHASED), numbers)
        self.add("missing_unphased", np.count_nonzero(codes == UNPHASED | BOTH_MISSING, axis=1), numbers)


def count_codes(codes: Codes, separator: int) -> Indices:
    """Per row, the diploid calls with this separator that are not missing altogether."""
    counts: Indices = np.count_nonzero(codes - np.uint8(separator) < BOTH_MISSING, axis=1)  # below 0 wraps
    return counts


def scan_genotypes(records: Records, samples: int, tally: PhaseTally, log: IssueLog) -> None:
    """Count the calls of all records into the tally; what is wrong with FORMAT, columns or calls is logged."""
    records = drop_without_genotypes(records, log)
    format_length = records.tabs[:, 8] - records.tabs[:, 7] - 1
    even = (format_length == 2) & (records.ends - records.tabs[:, 8] == 4 * samples)
    settled = np.zeros(len(even), bool)
    if even.any():
        settled[even] = scan_even_rows(records.select(even), samples, tally)
    if not settled.all():
        scan_uneven_rows(records.select(~settled), samples, tally, log)


def drop_without_genotypes(records: Records, log: IssueLog) -> Records:
    text, begin = records.text, records.tabs[:, 7] + 1
    good = (text[begin] == ord("G")) & (text[begin + 1] == ord("T"))
    good &= (text[begin + 2] == TAB) | (text[begin + 2] == ord(":"))
    if not good.all():
        row = int(good.argmin())
        found = records.quote(int(begin[row]), int(records.tabs[row, 8])) or "empty"
        log.add("gt_not_first", int((~good).sum()), line=int(records.numbers[row]), format=found)
    return records.select(good)


def scan_even_rows(records: Records, samples: int, tally: PhaseTally) -> Mask:
    """Rows as long as `<tab>a|b` for each sample: True for those that are just that; these are counted."""
    words = read_windows(records.text, records.tabs[:, 8], 4 * samples).view("<u4")
    common = np.bitwise_and.reduce(words, axis=1) & SHARED_BITS
    same = common == (np.bitwise_or.reduce(words, axis=1) & SHARED_BITS)
    phased, unphased = same & (common == BARS), same & (common == SLASHES)
    tally.add("phased", phased * np.int64(samples), records.numbers)
    tally.add("unphased", unphased * np.int64(samples), records.numbers)
    settled: Mask = phased | unphased
    rest = ~settled
    if rest.any():
        codes = classify_words(words[rest])
        diploid = (codes < HAPLOID).all(axis=1)
        tally.add_codes(codes[diploid], records.numbers[rest][diploid])
        settled[rest] = diploid
    return settled


def classify_words(words: Words) -> Codes:
    """The code of each call, haploid or diploid with one-digit alleles; UNREADABLE is set for all others. What
    stands behind a diploid call is not looked at."""
    codes: Codes = np.take(FIRST_HALF, words & 0xFFFF) | np.take(SECOND_HALF, words >> 16)
    return codes


def scan_uneven_rows(records: Records, samples: int, tally: PhaseTally, log: IssueLog) -> None:
    """Rows of any form: the tabs of the whole chunk are looked up."""
    tabs = np.flatnonzero(records.text == TAB)
    columns = np.searchsorted(tabs, records.ends) - np.searchsorted(tabs, records.tabs[:, 8])
    right = columns == samples
    if not right.all():
        line = int(records.numbers[right.argmin()])
        log.add("column_count", int((~right).sum()), line=line, expected=9 + samples)
        records = records.select(right)
    at = tabs[np.searchsorted(tabs, records.tabs[:, 8])[:, None] + np.arange(samples)]
    codes = classify_calls(records.text, at)
    tally.add_codes(codes, records.numbers)
    if (codes & (POLYPLOID | UNREADABLE)).any():
        log_calls("polyploid_genotype", codes == POLYPLOID, records, at, log)
        log_calls("malformed_genotype", codes >= UNREADABLE, records, at, log)


def classify_calls(text: Bytes, at: Indices) -> Codes:
    """The code of the call behind each tab."""
    codes = classify_words(np.ndarray((len(text) - 3,), "<u4", buffer=text, strides=(1,))[at])
    undecided = (codes >= UNREADABLE) | ((codes < HAPLOID) & ~IS_END[text[at + 4]])
    if undecided.any():
        codes[undecided] = walk_calls(text, at[undecided] + 1)
    return codes


def walk_calls(text: Bytes, begin: Indices) -> Codes:
    """The code of the call that begins at each byte, whatever its alleles' lengths."""
    first_end = skip_alleles(text, begin)
    separator = text[first_end]
    second_end = skip_alleles(text, first_end + 1)
    behind = text[second_end]
    haploid = (first_end > begin) & IS_END[separator]
    more = (first_end > begin) & IS_SEPARATOR[separator] & (second_end > first_end + 1)
    codes = np.full(len(begin), UNREADABLE, np.uint8)
    codes[haploid] = HAPLOID
    codes[more & IS_SEPARATOR[behind]] = POLYPLOID
    missing = FIRST_MISSING * (text[begin] == ord(".")) + SECOND_MISSING * (text[first_end + 1] == ord("."))
    diploid = more & IS_END[behind]
    codes[diploid] = (np.where(separator == ord("|"), PHASED, UNPHASED) + missing)[diploid]
    return codes


def skip_alleles(text: Bytes, at: Indices) -> Indices:
    """The byte behind the allele that begins at each byte; the byte itself where none begins."""
    end: Indices = at + IS_ALLELE[text[at]]
    number = IS_DIGIT[text[at]]
    for _ in range(ALLELE_DIGITS - 1):
        number = number & IS_DIGIT[text[end]]
        end = end + number
    return end


def log_calls(code: str, wrong: Mask, records: Records, at: Indices, log: IssueLog) -> None:
    if count := int(wrong.sum()):
        row, sample = np.unravel_index(int(wrong.argmax()), wrong.shape)
        begin = int(at[row, sample]) + 1
        columns = records.text[begin : begin + 40].tobytes().splitlines()[0:1] or [b""]
        text = Records.quote(records, begin, begin + len(columns[0].split(b"\t")[0])) or "an empty column"
        log.add(code, count, line=int(records.numbers[row]), text=text)
