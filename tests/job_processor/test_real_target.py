"""Public genotypes through a site that really imputes, and home again: our figures are those of the engine's own file.

IMPUTEHUB_TEST_DATA names the directory that holds `targets/` and `panels/`. The beginning of chromosome 20 is enough
here; IMPUTEHUB_TEST_MEGABASES (4 to 64, which is all of it and takes some minutes) takes more, and lets some of it
get lost.
"""

import gzip
import io
import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

import numpy as np
import pysam
import pytest

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.submission import submit_run
from microservices.preflight import check_vcf
from sandbox.panel import PanelContig, PanelDescription, write_panel
from sandbox.vcf import read_haplotypes
from tests.job_processor.conftest import Person, World, poll
from tests.sandbox.sandbox_site import RunningSite
from tests.sandbox.test_sandbox_control import spoil
from tests.waiting import wait_until

MEGABASES = int(os.environ.get("IMPUTEHUB_TEST_MEGABASES", "2"))
IMPUTATION_S = 60 + 10 * MEGABASES
EDGES = (0.0, 0.001, 0.005, 0.01, 0.05, 0.5)

pytestmark = pytest.mark.skipif(
    "IMPUTEHUB_TEST_DATA" not in os.environ,
    reason="IMPUTEHUB_TEST_DATA is not set: NO PUBLIC GENOTYPES ARE IMPUTED",
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its beginning as text, as its header declares too little for htslib to write it."""
    source = Path(os.environ["IMPUTEHUB_TEST_DATA"]) / "targets" / "chr20.51samples.phased.hg19.vcf.gz"
    target = tmp_path_factory.mktemp("real") / "cohort.vcf.gz"
    with gzip.open(source) as whole, pysam.BGZFile(str(target), "wb", None) as part:
        for line in whole:
            if line.startswith(b"#") or int(line.split(b"\t", 2)[1]) <= MEGABASES * 1_000_000:
                part.write(line)
    return target


def cut_panel(source: Path, target: Path) -> Path:
    with pysam.VariantFile(str(source)) as whole, pysam.VariantFile(str(target), "wb", header=whole.header) as part:
        for record in whole.fetch("20", 0, MEGABASES * 1_000_000):
            part.write(record)
    return target


@pytest.fixture(scope="module")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """With HapMap's own haplotypes, in chunks of a megabase."""
    folder = tmp_path_factory.mktemp("real-site")
    public = Path(os.environ["IMPUTEHUB_TEST_DATA"]) / "panels" / "hapmap2-hg19"
    panel = cut_panel(public / "hapmap_r22.chr20.CEU.hg19.recode.bcf", folder / "panel.bcf")
    haplotypes = read_haplotypes(panel)
    bits = np.packbits(haplotypes.alleles.astype(np.uint8), axis=1)
    groups = np.array(["eur"] * haplotypes.alleles.shape[1])
    contig = PanelContig("20", haplotypes.positions, haplotypes.ref, haplotypes.alt, bits, groups)
    told = PanelDescription("hapmap2", "2.0.0", "HapMap 2 (hg19)", "hg19", {"eur": "EUR"}, ["20"], len(groups))
    write_panel(folder / "panels" / "hapmap2", told, [contig])
    site = RunningSite(folder, ["alice"], "--chunk-size", "1000000", "--overlap", "250000", "--processes", "2")
    yield site
    site.stop()
    shutil.rmtree(folder)


def impute(world: World, person: Person, site: RunningSite, cohort: Path) -> tuple[str, UUID]:
    """A job of the cohort at the site, to its end."""
    panel = {
        "id": str(world.peers.panel_id),
        "name": "HapMap 2",
        "panel_id": "apps@hapmap2@2.0.0",
        "populations": ["eur"],
    }
    world.peers.site = {"base_url": site.url, "panels": [panel | {"build": "hg19"}]}
    world.peers.credentials[str(person.user_id), str(world.peers.service_id)] = site.log_in("alice").token
    file_id = person.add_file(size=cohort.stat().st_size)
    world.peers.contents[file_id] = cohort.read_bytes()
    world.peers.quality[file_id] = check_vcf(cohort).model_dump(mode="json")
    job_id, run_id = person.submit_job(input_file_ids=[str(file_id)], build="hg19", population="EUR")
    submit_run(world.engine, run_id)
    wait_until(lambda: poll(world, run_id) == [run_id], within_s=IMPUTATION_S)
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    return job_id, run_id


def read_engine_r2(content: bytes) -> list[tuple[float, float]]:
    """(minor allele frequency, R²) of each imputed site in the engine's own file."""
    lines = [line for line in gzip.decompress(content).decode().splitlines() if not line.startswith("#")]
    infos = [dict(part.partition("=")[::2] for part in line.split("\t")[7].split(";")) for line in lines]
    return [(float(info["MAF"]), float(info["R2"])) for info in infos if "IMPUTED" in info]


def get_summary(world: World, person: Person, job_id: str) -> dict[str, Any]:
    answer = world.client.get(f"/api/v1/jobs/{job_id}/results/summary", headers=person.headers).json()
    summary: dict[str, Any] = answer["runs"][0]
    return summary


def test_public_genotypes_come_back_with_the_r2_that_the_engine_told(
    world: World, person: Person, real_site: RunningSite, cohort: Path
) -> None:
    job_id, run_id = impute(world, person, real_site, cohort)
    summary = get_summary(world, person, job_id)
    engine = read_engine_r2(world.peers.stored[str(run_id), "chr20.info.gz"])
    assert (summary["sites_imputed"], summary["warning"]) == (len(engine), None)
    for told, (over, up_to) in zip(summary["bins"], pairwise(EDGES), strict=True):
        r2 = [value for maf, value in engine if over < maf <= up_to]
        assert (told["sites"], told["mean_r2"]) == (len(r2), pytest.approx(fmean(r2)) if r2 else None)
    assert summary["bins"][-1]["mean_r2"] > 0.6
    dose = io.BytesIO(world.peers.stored[str(run_id), "chr20.dose.vcf.gz"])
    assert dose.getbuffer().nbytes > 100_000


@pytest.mark.skipif(MEGABASES < 4, reason="IMPUTEHUB_TEST_MEGABASES is below 4: nothing is long enough to get lost")
def test_what_the_pipeline_loses_on_the_way_is_told(
    world: World, person: Person, real_site: RunningSite, cohort: Path
) -> None:
    spoil(real_site, "lose_chunk", times=1)
    job_id, _run_id = impute(world, person, real_site, cohort)
    quarter = MEGABASES // 4
    assert f"No results at 20:{quarter}–{MEGABASES - quarter} Mb" in person.get_run(job_id)["message"]
    (gap,) = get_summary(world, person, job_id)["gaps"]
    assert (gap["start"], gap["end"]) == (quarter * 1_000_000 + 1, (MEGABASES - quarter) * 1_000_000)
    assert gap["typed_sites"] > 100
