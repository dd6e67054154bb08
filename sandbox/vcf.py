"""VCF files of the sandbox: read by htslib (pysam), written as text into BGZF."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

MISSING = -1
_NUCLEOTIDES = {"A", "C", "G", "T"}


class VcfError(Exception):
    """The file is not a VCF that can be read."""


@dataclass(frozen=True)
class Haplotypes:
    """Called alleles of people at the sites of one contig: `alleles` is sites x 2 people, MISSING where not
    called; the two of a person stand side by side and their order means nothing unless `phased`."""

    contig: str
    samples: list[str]
    positions: NDArray[np.int64]
    ref: NDArray[np.bytes_]
    alt: NDArray[np.bytes_]
    alleles: NDArray[np.int8]
    phased: bool = True

    @property
    def keys(self) -> list[tuple[int, bytes, bytes]]:
        """(position, ref, alt) of every site, in order."""
        return list(zip(self.positions.tolist(), self.ref.tolist(), self.alt.tolist(), strict=True))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Haplotypes":
        """Only these sites."""
        return replace(
            self,
            positions=self.positions[rows],
            ref=self.ref[rows],
            alt=self.alt[rows],
            alleles=self.alleles[rows],
        )


@dataclass(frozen=True)
class Record:
    """One line of a VCF; `alleles` has two entries for each person."""

    contig: str
    position: int
    name: str
    ref: str
    alts: tuple[str, ...]
    filters: list[str]
    alleles: list[int]
    phased: bool


def _read_call(sample: pysam.VariantRecordSample) -> tuple[int, int]:
    indices = sample.allele_indices or ()
    called = [MISSING if index is None else index for index in indices[:2]]
    return (called[0], called[1]) if len(called) == 2 else ((called or [MISSING])[0], MISSING)


def _read_record(record: pysam.VariantRecord) -> Record:
    alleles: list[int] = []
    phased = True
    for sample in record.samples.values():
        alleles.extend(_read_call(sample))
        phased = phased and sample.phased
    alts = record.alts or ()
    filters = [str(key) for key in record.filter.keys()]  # noqa: SIM118 - not a dict
    name = record.id or f"{record.chrom}:{record.pos}:{record.ref}:{','.join(alts)}"
    return Record(record.chrom, record.pos, name, record.ref or "N", alts, filters, alleles, phased)


@contextmanager
def open_vcf(path: Path) -> Iterator[pysam.VariantFile]:
    """An open VCF; raises VcfError when the file is none or breaks off. htslib is kept from writing to standard
    error: it finds fault with every file that has no index."""
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as file:
            yield file
    except (OSError, ValueError) as error:
        raise VcfError(f"{path.name} cannot be read as VCF: {error}") from error
    finally:
        pysam.set_verbosity(verbosity)


def read_samples(path: Path) -> list[str]:
    """The sample names of a file; raises VcfError."""
    with open_vcf(path) as file:
        return list(file.header.samples)


def read_records(path: Path) -> Iterator[Record]:
    """Every record in the order of the file; raises VcfError when the file is none or breaks off."""
    with open_vcf(path) as file:
        yield from map(_read_record, file)


def read_haplotypes(path: Path) -> Haplotypes:
    """The SNPs with two alleles of a file of one contig; raises VcfError when there are none."""
    samples = read_samples(path)
    records = [record for record in read_records(path) if is_plain_snp(record)]
    if not records:
        raise VcfError(f"{path.name} holds no SNP with two alleles.")
    if len({record.contig for record in records}) > 1:
        raise VcfError(f"{path.name} holds more than one chromosome.")
    return stack_records(records, samples)


def is_plain_snp(record: Record) -> bool:
    """One alternative allele, and both are single letters of A, C, G, T."""
    return len(record.alts) == 1 and {record.ref, record.alts[0]} <= _NUCLEOTIDES


def stack_records(records: Sequence[Record], samples: list[str]) -> Haplotypes:
    """Plain SNPs of one contig as arrays."""
    return Haplotypes(
        contig=records[0].contig,
        samples=samples,
        positions=np.array([record.position for record in records], dtype=np.int64),
        ref=np.array([record.ref for record in records], dtype="S1"),
        alt=np.array([record.alts[0] for record in records], dtype="S1"),
        alleles=np.array([record.alleles for record in records], dtype=np.int8),
        phased=all(record.phased for record in records),
    )


def write_haplotypes(path: Path, haplotypes: Haplotypes, header: Sequence[str] = ()) -> None:
    """A bgzip-compressed VCF with GT only; the same content gives the same bytes."""
    lines = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        *header,
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *haplotypes.samples]),
    ]
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(("\n".join(lines) + "\n").encode())
        for (position, ref, alt), calls in zip(haplotypes.keys, _format_calls(haplotypes), strict=True):
            fixed = f"{haplotypes.contig}\t{position}\t.\t{ref.decode()}\t{alt.decode()}\t.\tPASS\t.\tGT"
            file.write(fixed.encode() + calls.tobytes() + b"\n")


def _format_calls(haplotypes: Haplotypes) -> NDArray[np.uint8]:
    """The genotype columns as text, one row of bytes per site: tab, allele, separator, allele for each person."""
    sites, columns = haplotypes.alleles.shape
    text = np.empty((sites, columns // 2, 4), dtype=np.uint8)
    letters = np.where(haplotypes.alleles == MISSING, ord("."), haplotypes.alleles + ord("0"))
    text[:, :, 0] = ord("\t")
    text[:, :, 1] = letters[:, 0::2]
    text[:, :, 2] = ord("|" if haplotypes.phased else "/")
    text[:, :, 3] = letters[:, 1::2]
    return text.reshape(sites, -1)
