"""The engine on a small simulation, forced to `lshmm` so that it is tested on every machine."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam
import pytest

from sandbox.accuracy import score
from sandbox.engine.choice import check_phasing, choose_engine
from sandbox.engine.imputation import Options, impute_chromosome
from sandbox.engine.quality import empirical_r2, estimate_quality
from sandbox.engine.window import EngineError
from sandbox.panel import read_contig
from sandbox.simulator import Simulation
from sandbox.vcf import read_haplotypes

OPTIONS = Options(panel="simulated", engine="lshmm", chunk_size=200_000, overlap=100_000, processes=1)


def impute(simulation: Simulation, out: Path, options: Options = OPTIONS) -> list[tuple[int, int]]:
    progress: list[tuple[int, int]] = []
    target = read_haplotypes(simulation.cohort)
    panel = read_contig(simulation.panel, "chr20")
    impute_chromosome(target, panel, out, options, lambda done, total: progress.append((done, total)))
    return progress


@pytest.fixture(scope="module")
def imputed(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("imputed")
    progress = impute(simulation, out, replace(OPTIONS, meta=True))
    assert progress == [(n, len(progress) - 1) for n in range(len(progress))]
    assert len(progress) >= 3
    return out


def test_masked_common_sites_are_imputed_accurately(simulation: Simulation, imputed: Path) -> None:
    bins = score(imputed / "chr20.dose.vcf.gz", simulation.truth, simulation.cohort, simulation.panel)
    common = bins[-1]
    assert common.sites > 100
    assert common.r2 is not None
    assert common.r2 > 0.95


def test_every_panel_site_is_in_the_results_once_and_in_order(simulation: Simulation, imputed: Path) -> None:
    results = read_haplotypes(imputed / "chr20.dose.vcf.gz")
    assert results.keys == read_contig(simulation.panel, "chr20").keys


def test_probabilities_and_dosages_agree(imputed: Path) -> None:
    with pysam.VariantFile(str(imputed / "chr20.dose.vcf.gz")) as file:
        for record in file:
            sample = record.samples[0]
            first, second = sample["HDS"]
            assert list(record.format.keys()) == ["GT", "DS", "GP", "HDS"]
            assert sample["DS"] == pytest.approx(first + second, abs=2e-3)
            assert sum(sample["GP"]) == pytest.approx(1, abs=2e-3)
            assert sample["GP"][2] == pytest.approx(first * second, abs=2e-3)


def test_header_names_pipeline_phasing_and_panel(imputed: Path) -> None:
    with pysam.VariantFile(str(imputed / "chr20.info.gz")) as file:
        header = str(file.header)
        typed = [record for record in file if "TYPED" in record.info]
    assert "##mis_pipeline=" in header
    assert "##mis_phasing=no_phasing" in header
    assert "##mis_panel=simulated" in header
    assert "FORMAT" not in header.splitlines()[-1]
    assert np.mean([record.info["ER2"] for record in typed]) > 0.8


def test_called_alleles_are_kept(simulation: Simulation, imputed: Path) -> None:
    target, results = read_haplotypes(simulation.cohort), read_haplotypes(imputed / "chr20.dose.vcf.gz")
    rows = {key: row for row, key in enumerate(results.keys)}
    assert all((results.alleles[rows[key]] == target.alleles[n]).all() for n, key in enumerate(target.keys))


def test_meta_adds_indexed_leave_one_out_dosages(imputed: Path) -> None:
    assert (imputed / "chr20.empiricalDose.vcf.gz.tbi").is_file()
    with pysam.VariantFile(str(imputed / "chr20.empiricalDose.vcf.gz")) as file:
        assert all(len(record.samples[0]["LDS"]) == 2 for record in file)


def test_same_input_gives_the_same_bytes(simulation: Simulation, imputed: Path, tmp_path: Path) -> None:
    impute(simulation, tmp_path)
    for name in ("chr20.dose.vcf.gz", "chr20.info.gz"):
        assert (tmp_path / name).read_bytes() == (imputed / name).read_bytes()
    assert not (tmp_path / "chr20.empiricalDose.vcf.gz").exists()


def test_r2_filter_drops_uncertain_imputed_sites_only(simulation: Simulation, imputed: Path, tmp_path: Path) -> None:
    impute(simulation, tmp_path, replace(OPTIONS, r2_filter=0.3))
    with pysam.VariantFile(str(tmp_path / "chr20.info.gz")) as file:
        kept = list(file)
    assert all(record.info["R2"] >= 0.3 for record in kept if "IMPUTED" in record.info)
    assert sum("TYPED" in record.info for record in kept) == simulation.typed_sites


def test_missing_calls_are_imputed(simulation: Simulation, tmp_path: Path) -> None:
    target = read_haplotypes(simulation.cohort)
    holes = target.alleles.copy()
    holes[::10, ::7] = -1
    panel = read_contig(simulation.panel, "chr20")
    files = impute_chromosome(replace(target, alleles=holes), panel, tmp_path, OPTIONS, lambda done, total: None)
    results = read_haplotypes(files[0])
    rows = {key: row for row, key in enumerate(results.keys)}
    filled = np.array([results.alleles[rows[key]] for key in target.keys])
    assert (filled >= 0).all()
    assert (filled == target.alleles)[holes < 0].mean() > 0.95


@pytest.mark.parametrize(
    ("phasing", "words"),
    [("no_phasing", "Please select an algorithm for phasing"), ("eagle", "no phasing engine")],
)
def test_unphased_data_is_refused(phasing: str, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        check_phasing(choose_engine("lshmm"), phased=False, phasing=phasing)


def test_unknown_engine_is_refused_and_auto_finds_one() -> None:
    with pytest.raises(EngineError, match="choose one of"):
        choose_engine("magic")
    assert choose_engine("auto").name in {"beagle", "minimac4", "lshmm"}


def test_r2_is_variance_over_expected_variance() -> None:
    certain = np.array([[0.0, 1.0, 0.0, 1.0]])
    vague = np.full((1, 4), 0.5)
    assert estimate_quality(certain).r2[0] == pytest.approx(1)
    assert estimate_quality(vague).r2[0] == pytest.approx(0)
    assert estimate_quality(vague).avg_cs[0] == pytest.approx(0.5)


def test_empirical_r2_leaves_missing_calls_out() -> None:
    called = np.array([[0, 1, 0, 1, -1]], dtype=np.int8)
    assert empirical_r2(np.array([[0.1, 0.9, 0.1, 0.9, 0.5]]), called)[0] == pytest.approx(1)


def test_program_refuses_a_panel_that_is_none(simulation: Simulation, tmp_path: Path) -> None:
    inputs = ["--target", str(simulation.cohort), "--panel", str(tmp_path), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "sandbox.engine", *inputs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is not a reference panel" in done.stderr


def test_accuracy_program_prints_bins(simulation: Simulation, imputed: Path) -> None:
    files = {"imputed": imputed / "chr20.dose.vcf.gz", "truth": simulation.truth, "typed": simulation.cohort}
    options = [str(part) for name, path in files.items() for part in (f"--{name}", path)]
    command = [sys.executable, "-m", "sandbox.accuracy", *options, "--panel", str(simulation.panel)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [row["maf_up_to"] for row in json.loads(done.stdout)["bins"]] == [0.005, 0.01, 0.05, 0.5]
    assert done.stderr == ""
