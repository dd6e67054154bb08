"""The pipeline's judgement: refusals, quality control and the traps of submitted values."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam
import pytest

from sandbox.cloudgene.downloads import format_size
from sandbox.cloudgene.pipeline.archives import pack_archive
from sandbox.cloudgene.pipeline.chunks import cut_chunks
from sandbox.cloudgene.pipeline.reports import describe_remainder, describe_statistics, find_failure
from sandbox.cloudgene.pipeline.sites import Judgement, Verdict, judge_sites
from sandbox.cloudgene.pipeline.task import PipelineError, Task, load_task
from sandbox.cloudgene.pipeline.validation import validate_uploads
from sandbox.cloudgene.submission import store_value
from sandbox.panel import PanelContig, read_description
from sandbox.simulator import Simulation
from sandbox.vcf import Record


@pytest.fixture
def task(simulation: Simulation, tmp_path: Path) -> Task:
    work = tmp_path / "work"
    work.mkdir()
    return Task(
        files=[simulation.cohort], output=tmp_path, work=work, panel_folder=simulation.panel, build="hg38",
        population="eur", phasing="no_phasing", r2_filter="0", mode="imputation", aes=True, meta=False,
        password="Abcdefghij1", engine="lshmm", chunk_size=200_000, overlap=100_000, processes=1, min_samples=20,
        max_samples=50_000,
    )  # fmt: skip


def refuse(task: Task) -> str:
    with pytest.raises(PipelineError) as refusal:
        validate_uploads(task, read_description(task.panel_folder))
    return str(refusal.value)


def write_lines(path: Path, lines: list[str]) -> Path:
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(("\n".join(lines) + "\n").encode())
    return path


def read_lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_task_survives_its_journey(task: Task) -> None:
    assert load_task(task.dump().decode()) == task


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"files": []}, "No vcf.gz input files detected."),
        ({"min_samples": 21}, "At least 21 samples must be uploaded."),
        ({"max_samples": 19}, "The maximum number of samples is 19."),
        ({"population": "mixed"}, "Population 'mixed' is not supported by reference panel 'simulated-hg38'."),
        ({"build": "hg19"}, "contains chromosome 'chr20'. This is not a valid hg19 encoding."),
    ],
)
def test_refusals(task: Task, change: dict[str, str], words: str) -> None:
    assert words in refuse(replace(task, **change))  # type: ignore[arg-type]


def test_population_ignores_case_and_off_is_always_one(task: Task) -> None:
    for population in ("EUR", "off"):
        changed = replace(task, population=population)
        assert len(validate_uploads(changed, read_description(task.panel_folder))) == 1


def test_files_of_other_names_are_passed_over(task: Task, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert len(validate_uploads(replace(task, files=[*task.files, tmp_path / "notes.txt"]), read_description(task.panel_folder))) == 1  # fmt: skip  # noqa: E501


def test_damaged_files_are_called_malformed(task: Task, simulation: Simulation, tmp_path: Path) -> None:
    lines = read_lines(simulation.cohort)
    head = [line for line in lines if line.startswith("#")]
    body = lines[len(head) :]
    plain = tmp_path / "plain.vcf.gz"
    plain.write_bytes(gzip.compress("\n".join(lines).encode()))
    empty = tmp_path / "empty.vcf.gz"
    empty.write_bytes(b"")
    unsorted = write_lines(tmp_path / "unsorted.vcf.gz", [*head, *reversed(body)])
    for path in (plain, empty, unsorted):
        words = refuse(replace(task, files=[path]))
        assert words.startswith("The provided VCF file is malformed.")
        assert str(tmp_path) not in words


def test_chromosomes_are_checked(task: Task, simulation: Simulation, tmp_path: Path) -> None:
    lines = read_lines(simulation.cohort)
    on_y = [line.replace("chr20", "chrY") for line in lines]
    assert refuse(replace(task, files=[write_lines(tmp_path / "y.vcf.gz", on_y)])) == "Invalid chromosome found: chrY"
    two = [*lines, lines[-1].replace("chr20", "chr21")]
    assert "more than one chromosome" in refuse(replace(task, files=[write_lines(tmp_path / "two.vcf.gz", two)]))


def test_files_must_hold_the_same_number_of_samples(task: Task, simulation: Simulation, tmp_path: Path) -> None:
    lines = [line.rsplit("\t", 1)[0] if "\t" in line else line for line in read_lines(simulation.cohort)]
    fewer = write_lines(tmp_path / "zz.vcf.gz", lines)
    words = refuse(replace(task, files=[simulation.cohort, fewer]))
    assert "same amount of samples (20 vs 19)" in words


PANEL = PanelContig(
    "chr20",
    np.arange(1, 9, dtype=np.int64) * 10,
    np.array(list("AAAAAAAA"), dtype="S1"),
    np.array(list("GGGGTCGG"), dtype="S1"),
    np.packbits(np.array([[0, 1, 1, 0]] * 8, dtype=np.uint8), axis=1),
    np.array(["eur"] * 4),
)


def site_of(position: int, ref: str, alt: str, calls: str = "01010101", filters: list[str] | None = None) -> Record:
    alleles = [-1 if call == "." else int(call) for call in calls]
    return Record("chr20", position, f"s{position}", ref, tuple(alt.split(",")), filters or [], alleles, True)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (site_of(10, "A", "G"), Verdict.MATCH),
        (site_of(20, "G", "A"), Verdict.SWITCH),
        (site_of(30, "T", "C"), Verdict.FLIP),
        (site_of(40, "C", "T"), Verdict.FLIP_AND_SWITCH),
        (site_of(50, "A", "T"), Verdict.AMBIGUOUS),
        (site_of(60, "A", "G"), Verdict.MISMATCH),
        (site_of(10, "A", "G", filters=["q10"]), Verdict.FILTERED),
        (site_of(10, "A", "N"), Verdict.INVALID),
        (site_of(10, "A", "G,T"), Verdict.MULTIALLELIC),
        (site_of(10, "AC", "G"), Verdict.NO_SNP),
        (site_of(10, "A", "G", calls="00000000"), Verdict.MONOMORPHIC),
        (site_of(10, "A", "G", calls="01....01"), Verdict.CALL_RATE),
    ],
)
def test_each_fault_of_a_site_is_counted(record: Record, verdict: Verdict) -> None:
    judgement = Judgement()
    judge_sites(judgement, [record], PANEL, "eur")
    assert judgement.counts[verdict] == 1
    kept = verdict in (Verdict.MATCH, Verdict.AMBIGUOUS)
    assert len(judgement.matched) == int(kept)
    assert len(judgement.excluded) == int(not kept)


def test_duplicates_and_typed_only_sites() -> None:
    judgement = Judgement()
    judge_sites(judgement, [site_of(10, "A", "G"), site_of(10, "A", "G"), site_of(15, "A", "G")], PANEL, "off")
    assert judgement.counts[Verdict.DUPLICATE] == 1
    assert [record.position for record in judgement.typed_only] == [15]
    assert judgement.overlap == 50.0
    assert "Reference Overlap: 50.00 %\nMatch: 1\n" in describe_statistics(judgement)


def test_chunks_are_lost_for_overlap_size_and_call_rate() -> None:
    dense = [site_of(position, "A", "G") for position in (10, 20, 30)]
    assert [chunk.fault for chunk in cut_chunks(dense, [], 100)] == [None]
    assert [chunk.fault for chunk in cut_chunks(dense[:2], [], 100)] == ["< 3 SNPs"]
    assert "overlap" in str(cut_chunks(dense[:1], dense, 100)[0].fault)
    poor = [site_of(position, "A", "G", calls="..010101") for position in (10, 20, 30)]
    assert "call rate" in str(cut_chunks(poor, [], 100)[0].fault)


def test_a_job_fails_without_chunks_and_for_too_many_flips() -> None:
    judgement = Judgement()
    lost = cut_chunks([site_of(10, "A", "G")], [], 100)
    assert "No chunks passed the QC step." in str(find_failure(judgement, lost))
    assert "1 Chunk(s) excluded: < 3 SNPs" in describe_remainder(judgement, lost)
    judgement.counts[Verdict.FLIP] = 101
    assert "More than 100 obvious strand flips" in str(find_failure(judgement, lost))


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("007", "7"),
        ("1.50", "1.5"),
        ("plain1", "plain1"),
        ('a&b<c>"', "a&amp;b&lt;c&gt;&quot;"),
        ("é", "&eacute;"),
        ("ж", "&#1078;"),
    ],
)
def test_values_change_on_arrival(sent: str, stored: str) -> None:
    assert store_value(sent) == stored


def test_a_password_that_a_shell_would_read_breaks_the_archive(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="password"):
        pack_archive(tmp_path / "x.zip", [], "cost$5")
    assert not list(tmp_path.iterdir())


def test_sizes_are_rounded_down() -> None:
    assert [format_size(size) for size in (402, 1535, 1024**2 * 3 - 1, 5 * 1024**3)] == [
        "402 bytes", "1 KB", "2 MB", "5 GB",
    ]  # fmt: skip
