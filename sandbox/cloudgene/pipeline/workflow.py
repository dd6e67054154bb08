"""The steps of a job in order, each telling what it does."""

import secrets
import string
import sys
from pathlib import Path

from sandbox.cloudgene.pipeline.archives import pack_archive
from sandbox.cloudgene.pipeline.chunks import Chunk, cut_chunks, lose_chunks
from sandbox.cloudgene.pipeline.messages import Group, Kind, tell, tell_progress
from sandbox.cloudgene.pipeline.reports import (
    describe_remainder,
    describe_statistics,
    find_failure,
    write_frequency_plot,
    write_report,
    write_statistics,
)
from sandbox.cloudgene.pipeline.sites import Judgement, judge_sites
from sandbox.cloudgene.pipeline.task import PipelineError, Task
from sandbox.cloudgene.pipeline.validation import Upload, describe_uploads, validate_uploads
from sandbox.engine.choice import choose_engine
from sandbox.engine.imputation import Options, impute_chromosome
from sandbox.genome import bare_chromosome
from sandbox.panel import PanelContig, PanelDescription, read_contig, read_description
from sandbox.vcf import Haplotypes, stack_records

PIPELINE = "imputationserver2-sandbox"


def run_workflow(task: Task) -> None:
    """Raises PipelineError; its text is for the log, as the messages have said what the owner may know."""
    panel = read_description(task.panel_folder)
    uploads = _validate(task, panel)
    judgement, chunks = _control_quality(task, panel, uploads)
    if task.imputes:
        _impute(task, panel, uploads, judgement, lose_chunks(chunks, task.fault))
    tell(Group.SUMMARY, "Data have been exported successfully.")


def _validate(task: Task, panel: PanelDescription) -> list[Upload]:
    try:
        uploads = validate_uploads(task, panel)
    except PipelineError as error:
        tell(Group.VALIDATION, str(error), Kind.ERROR)
        raise
    chunks = sum(len(cut_chunks(upload.records, [], task.chunk_size)) for upload in uploads)
    tell(Group.VALIDATION, describe_uploads(uploads, task, panel, chunks))
    return uploads


def _control_quality(task: Task, panel: PanelDescription, uploads: list[Upload]) -> tuple[Judgement, list[Chunk]]:
    _check_build(task, panel)
    tell(Group.QUALITY, "Calculating QC Statistics")
    judgement = Judgement()
    for upload in uploads:
        judge_sites(judgement, upload.records, _find_contig(task, panel, upload.contig), task.population)
    chunks = [chunk for upload in uploads for chunk in _cut_upload(judgement, upload.contig, task.chunk_size)]
    failure = find_failure(judgement, chunks)
    remainder = describe_remainder(judgement, chunks)
    texts = [describe_statistics(judgement), f"{remainder}\n{failure}" if failure else remainder]
    tell(Group.QUALITY, texts[0])
    tell(Group.QUALITY, texts[1], Kind.ERROR if failure else Kind.WARNING)
    write_statistics(task.output / "statistics", judgement, chunks)
    write_report(task.output / "qc_report.txt", texts)
    if failure:
        raise PipelineError("Quality control failed.")
    _compare_frequencies(task, panel, judgement)
    return judgement, [chunk for chunk in chunks if not chunk.fault]


def _check_build(task: Task, panel: PanelDescription) -> None:
    if task.build == panel.build:
        return
    tell(Group.QUALITY, f"Uploaded data is {task.build} and reference is {panel.build}.", Kind.WARNING)
    words = f"This site has no lift-over from {task.build} to {panel.build}. Please upload {panel.build} data."
    tell(Group.QUALITY, words, Kind.ERROR)
    raise PipelineError(words)


def _find_contig(task: Task, panel: PanelDescription, contig: str) -> PanelContig | None:
    return read_contig(task.panel_folder, contig) if contig in panel.contigs else None


def _cut_upload(judgement: Judgement, contig: str, size: int) -> list[Chunk]:
    matched = [record for record in judgement.matched if record.contig == contig]
    return cut_chunks(matched, [record for record in judgement.typed_only if record.contig == contig], size)


def _compare_frequencies(task: Task, panel: PanelDescription, judgement: Judgement) -> None:
    if task.population.lower() == "off":
        tell(Group.QUALITY, "Skip allele frequency check.", Kind.WARNING)
    else:
        write_frequency_plot(task.output / "quality-control.html", judgement.frequencies, panel.name)


def _impute(
    task: Task, panel: PanelDescription, uploads: list[Upload], judgement: Judgement, chunks: list[Chunk]
) -> None:
    title = "Imputation" if all(upload.phased for upload in uploads) else "Phasing and Imputation"
    tell(Group.IMPUTATION, "Processing data...", Kind.RUNNING, task=title)
    options = _choose_options(task, panel)
    finished, archives = 0, []
    for upload in uploads:
        target = _stack_matched(judgement, upload)
        starts = [chunk.start for chunk in chunks if chunk.contig == upload.contig]
        if not starts:
            continue
        before = finished

        def report(done: int, _: int, before: int = before) -> None:
            tell_progress(title, before + done, len(chunks))

        out = task.work / bare_chromosome(upload.contig)
        contig = read_contig(task.panel_folder, upload.contig)
        archives.append((out.name, impute_chromosome(target, contig, out, options, report, starts)))
        finished += len(starts)
    _pack(task, archives)


def _choose_options(task: Task, panel: PanelDescription) -> Options:
    try:
        r2_filter = float(task.r2_filter)
    except ValueError as error:
        raise PipelineError(f"r2Filter is not a number: {task.r2_filter}") from error
    return Options(
        panel=panel.id,
        engine=choose_engine(task.engine).name,
        phasing=task.phasing,
        pipeline=PIPELINE,
        chunk_size=task.chunk_size,
        overlap=task.overlap,
        r2_filter=r2_filter,
        meta=task.meta,
        processes=task.processes,
    )


def _stack_matched(judgement: Judgement, upload: Upload) -> Haplotypes:
    """Sites that the panel lacks are left out: nothing is imputed from them."""
    return stack_records([record for record in judgement.matched if record.contig == upload.contig], upload.samples)


def _pack(task: Task, archives: list[tuple[str, list[Path]]]) -> None:
    password = task.password or _make_password()
    title = "Compression and Encryption"
    for number, (chromosome, members) in enumerate(archives, start=1):
        tell_progress(title, number - 1, len(archives))
        pack_archive(task.output / f"chr_{chromosome}.zip", members, password)
        tell_progress(title, number, len(archives))
    if not task.aes:
        words = "This site writes no traditional zip encryption: the archives are encrypted with AES-256."
        tell(Group.IMPUTATION, words, Kind.WARNING)
    if not task.password:
        words = f"Email notification is disabled. All results are encrypted with password <b>{password}</b>"
        tell(Group.SUMMARY, words)


def _make_password() -> str:
    sys.stderr.write("No password was given: one was made.\n")
    return "".join(secrets.choice(string.ascii_letters) for _ in range(16))
