"""Input validation: which uploads are refused before anything is computed, in the words of imputationserver2."""

from dataclasses import dataclass
from pathlib import Path

import pysam

from sandbox.cloudgene.pipeline.task import PipelineError, Task
from sandbox.engine.choice import check_phasing, choose_engine
from sandbox.engine.window import EngineError
from sandbox.genome import bare_chromosome
from sandbox.panel import PanelDescription
from sandbox.vcf import Record, VcfError, read_records, read_samples

_CHROMOSOMES = {*(str(number) for number in range(1, 23)), "X", "MT"}


@dataclass(frozen=True)
class Upload:
    """One readable file: all its records are of `contig`."""

    contig: str
    samples: list[str]
    records: list[Record]

    @property
    def phased(self) -> bool:
        """No record has an unphased call."""
        return all(record.phased for record in self.records)


def validate_uploads(task: Task, panel: PanelDescription) -> list[Upload]:
    """Raises PipelineError with the text for the group Input Validation."""
    paths = sorted(path for path in task.files if path.name.endswith(".vcf.gz"))
    if not paths:
        raise PipelineError("No vcf.gz input files detected.")
    uploads = [_read_upload(path, task) for path in paths]
    _check_samples(uploads, task)
    _check_choices(uploads, task, panel)
    return uploads


def _read_upload(path: Path, task: Task) -> Upload:
    try:
        pysam.tabix_index(str(path), preset="vcf", force=True, index=str(task.work / f"{path.name}.tbi"))
        samples, records = read_samples(path), list(read_records(path))
    except (OSError, VcfError) as error:
        words = str(error).replace(str(path), path.name)
        raise PipelineError(f"The provided VCF file is malformed. {words}") from error
    if not records:
        raise PipelineError(f"The provided VCF file {path.name} contains no variants.")
    contigs = {record.contig for record in records}
    if len(contigs) > 1:
        raise PipelineError("The provided VCF file contains more than one chromosome. Please upload one file each.")
    contig = contigs.pop()
    _check_contig(contig, task.build)
    return Upload(contig, samples, records)


def _check_contig(contig: str, build: str) -> None:
    """hg19 wants bare names, hg38 wants the prefix: so a wrong build is noticed."""
    if bare_chromosome(contig) not in _CHROMOSOMES:
        raise PipelineError(f"Invalid chromosome found: {contig}")
    if contig.startswith("chr") != (build == "hg38"):
        wanted = contig.removeprefix("chr") if build == "hg19" else f"chr{contig}"
        raise PipelineError(
            f"Your upload data contains chromosome '{contig}'. This is not a valid {build} encoding. "
            f"Please ensure that your input data is build {build} and chromosome is encoded as '{wanted}'."
        )


def _check_samples(uploads: list[Upload], task: Task) -> None:
    first, *others = (len(upload.samples) for upload in uploads)
    for other in others:
        if other != first:
            raise PipelineError(
                "Please double check, if all uploaded VCF files include the same amount of samples "
                f"({first} vs {other})"
            )
    if first < task.min_samples:
        raise PipelineError(f"At least {task.min_samples} samples must be uploaded.")
    if first > task.max_samples:
        raise PipelineError(f"The maximum number of samples is {task.max_samples}. Please contact the site.")


def _check_choices(uploads: list[Upload], task: Task, panel: PanelDescription) -> None:
    known = {key.lower() for key in panel.populations} | {"off"}
    if task.population.lower() not in known:
        choices = "<br>".join(f"- {key}" for key in sorted(known))
        raise PipelineError(
            f"Population '{task.population}' is not supported by reference panel '{panel.id}'. "
            f"Supported populations:<br>{choices}"
        )
    if task.imputes:
        try:
            check_phasing(choose_engine(task.engine), all(upload.phased for upload in uploads), task.phasing)
        except EngineError as error:
            raise PipelineError(str(error)) from error


def describe_uploads(uploads: list[Upload], task: Task, panel: PanelDescription, chunks: int) -> str:
    """The one message of a successful validation."""
    snps = sum(len(upload.records) for upload in uploads)
    phased = all(upload.phased for upload in uploads)
    lines = [
        f"{len(uploads)} valid VCF file(s) found.",
        f"Samples: {len(uploads[0].samples)}",
        f"Chromosomes: {' '.join(bare_chromosome(upload.contig) for upload in uploads)}",
        f"SNPs: {snps}",
        f"Chunks: {chunks}",
        f"Datatype: {'phased' if phased else 'unphased'}",
        f"Build: {task.build}",
        f"Reference Panel: {panel.id} ({panel.build})",
        f"Population: {task.population}",
        f"Phasing: {task.phasing}",
        f"Mode: {'imputation' if task.imputes else 'qc_only'}",
    ]
    if task.r2_filter != "0":
        lines.append(f"Rsq filter: {task.r2_filter}")
    return "\n".join(lines)
