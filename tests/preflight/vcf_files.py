"""VCFs made for the tests: text, and the bytes of files around it."""

import gzip
import struct
import zlib
from pathlib import Path

from microservices.preflight import Issue, QualityReport, check_vcf

EOF_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CONTIG_20 = {"hg19": "##contig=<ID=20,length=63025520>", "hg38": "##contig=<ID=chr20,length=64444167>"}


def name_samples(count: int) -> list[str]:
    return [f"S{number}" for number in range(count)]


def make_header(samples: list[str], meta: list[str] | None = None) -> str:
    columns = [
        "#CHROM",
        "POS",
        "ID",
        "REF",
        "ALT",
        "QUAL",
        "FILTER",
        "INFO",
        *(["FORMAT"] if samples else []),
        *samples,
    ]
    meta = [CONTIG_20["hg19"]] if meta is None else meta
    return "\n".join(["##fileformat=VCFv4.2", *meta, "\t".join(columns)]) + "\n"


def make_record(
    calls: list[str], chromosome: str = "20", position: object = 1000, form: str = "GT", info: str = "."
) -> str:
    return "\t".join([chromosome, str(position), ".", "A", "G", ".", "PASS", info, form, *calls]) + "\n"


def make_vcf(records: list[str] | None = None, samples: int = 20, meta: list[str] | None = None) -> str:
    """20 samples and three unphased records on chromosome 20 of hg19, unless told otherwise."""
    if records is None:
        records = [make_record(["0/1"] * samples, position=position) for position in (1000, 2000, 3000)]
    return make_header(name_samples(samples), meta) + "".join(records)


def compress_block(text: bytes, flush: int = zlib.Z_FINISH) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    data = deflater.compress(text) + deflater.flush(flush)
    head = struct.pack("<4BI2BH2sHH", 31, 139, 8, 4, 0, 0, 255, 6, b"BC", 2, len(data) + 25)
    return head + data + struct.pack("<II", zlib.crc32(text), len(text))


def bgzip(text: str | bytes, block: int = 60_000, end: bytes = EOF_BLOCK) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return b"".join(compress_block(raw[at : at + block]) for at in range(0, len(raw), block)) + end


def gzip_plainly(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def check_bytes(folder: Path, data: bytes) -> QualityReport:
    path = folder / "file.vcf.gz"
    path.write_bytes(data)
    return check_vcf(path)


def check_text(folder: Path, text: str) -> QualityReport:
    return check_bytes(folder, bgzip(text))


def list_codes(report: QualityReport) -> list[str]:
    return [issue.code for issue in report.issues]


def find_issue(report: QualityReport, code: str) -> Issue:
    found = [issue for issue in report.issues if issue.code == code]
    assert found, f"{code} is missing: {report.issues}"
    return found[0]
