"""How well each run was imputed, from what the site says of its sites."""

import gzip
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import pysam
import pytest

from microservices.job_processor.logic.accuracy import InfoStream, Tally
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.coverage import Coverage, Gap, judge_coverage, tell_losses
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.cloudgene_stub import make_archive
from tests.job_processor.conftest import Person, World, bring_to_site, poll

HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
LINE = b"chr1\t5\t.\tA\tC\t.\t.\tMAF=0.1\n"
SITES = (
    ("chr20", 100, "AF=0.0005;MAF=0.0005;R2=0.2;IMPUTED"),
    ("chr20", 200, "AF=0.999;MAF=0.001;R2=0.4;IMPUTED"),
    ("chr20", 300, "AF=0.002;MAF=0.002;R2=0.5;IMPUTED"),
    ("chr20", 400, "AF=0.3;MAF=0.3;R2=0.99;ER2=0.7;TYPED"),
    ("chr20", 500, "AF=0.7;R2=0.9;IMPUTED"),
    ("chr20", 600, "IMPUTED;MAF=0.5;R2=."),
    ("chr20", 700, "AF=0;MAF=0;R2=0;IMPUTED"),
    ("chr20", 800, "MAF=0.01;IMPUTED"),
)


def write_info(sites: Iterable[tuple[str, int, str]], folder: Path) -> bytes:
    path = folder / "sites.info.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as file:
        file.write(HEADER.encode())
        for chromosome, position, info in sites:
            file.write(f"{chromosome}\t{position}\t.\tA\tC\t.\tPASS\t{info}\n".encode())
    return path.read_bytes()


def bin_of(maf_over: float, maf_up_to: float, sites: int, mean_r2: float | None) -> dict[str, Any]:
    r2 = None if mean_r2 is None else pytest.approx(mean_r2)
    return {"maf_over": maf_over, "maf_up_to": maf_up_to, "sites": sites, "mean_r2": r2}


def tell_tally(content: bytes, piece: int = 1 << 16) -> Tally | None:
    info = InfoStream(io.BytesIO(content))
    stream = io.BufferedReader(info, piece)
    passed_on = b""
    while data := stream.read(piece):
        passed_on += data
    assert passed_on == content
    return info.tally


def complete_run(world: World, person: Person, files: dict[str, bytes], **wish: Any) -> tuple[str, UUID]:
    """A job whose site has sent `files`, one archive for each."""
    job_id, run_id = person.submit_job(**wish)
    submit_run(world.engine, run_id)
    job = world.site.jobs[-1]
    world.site.finish(job)
    password = job.fields["password"]
    job.output = {f"{name}.zip": make_archive(password, (name,), {name: content}) for name, content in files.items()}
    assert poll(world, run_id) == [run_id]
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    return job_id, run_id


def get_summary(world: World, person: Person, job_id: str) -> Any:
    answer = world.client.get(f"/api/v1/jobs/{job_id}/results/summary", headers=person.headers)
    assert answer.status_code == 200
    return answer.json()


def test_a_completed_run_says_how_well_it_was_imputed(world: World, person: Person, tmp_path: Path) -> None:
    more = [("chrX", 5, "MAF=0.2;R2=0.7;IMPUTED"), ("chr3", 9, "MAF=0.2;R2=0.8;IMPUTED"), ("chr3", 7, "TYPED")]
    files = {"chr20.info.gz": write_info(SITES, tmp_path), "rest.info.gz": write_info(more, tmp_path)}
    job_id, run_id = complete_run(world, person, files)
    assert get_summary(world, person, job_id) == {
        "runs": [
            {
                "run_id": str(run_id),
                "service_id": str(world.peers.service_id),
                "panel_id": str(world.peers.panel_id),
                "sites_in": 1500,
                "sites_total": 11,
                "sites_imputed": 9,
                "bins": [
                    bin_of(0, 0.001, 2, 0.3),
                    bin_of(0.001, 0.005, 1, 0.5),
                    bin_of(0.005, 0.01, 1, None),
                    bin_of(0.01, 0.05, 0, None),
                    bin_of(0.05, 0.5, 4, 0.8),
                ],
                "chromosomes": [
                    {"name": "chr3", "sites": 2, "start": 7, "end": 9},
                    {"name": "chr20", "sites": 8, "start": 100, "end": 800},
                    {"name": "chrX", "sites": 1, "start": 5, "end": 5},
                ],
                "chromosomes_expected": ["chr20"],
                "missing": [],
                "gaps": [],
                "warning": None,
            }
        ]
    }


def test_results_arrive_unchanged_though_they_were_read_on_the_way(
    world: World, person: Person, tmp_path: Path
) -> None:
    content = write_info(SITES * 3000, tmp_path)
    _job_id, run_id = complete_run(world, person, {"chr20.info.gz": content})
    assert world.peers.stored[str(run_id), "chr20.info.gz"] == content


def test_a_file_that_was_collected_twice_counts_once(world: World, person: Person, tmp_path: Path) -> None:
    job_id, run_id = bring_to_site(world, person)
    job = world.site.jobs[-1]
    world.site.finish(job)
    name = "chr20.info.gz"
    job.output = {"a.zip": make_archive(job.fields["password"], (name, "x"), {name: write_info(SITES, tmp_path)})}
    poll(world, run_id)
    for down in (True, False):
        world.peers.file_manager_down = down
        collect_results(world.engine, run_id)
    assert get_summary(world, person, job_id)["runs"][0]["sites_total"] == len(SITES)


def test_a_job_without_such_files_has_an_empty_summary(world: World, person: Person) -> None:
    job_id, _run_id = complete_run(world, person, {"chr20.dose.txt": b"nothing about sites"})
    assert get_summary(world, person, job_id) == {"runs": []}
    unfinished, _ = bring_to_site(world, person)
    assert get_summary(world, person, unfinished) == {"runs": []}


def test_a_strangers_summary_does_not_exist(world: World, person: Person, tmp_path: Path) -> None:
    job_id, _run_id = complete_run(world, person, {"chr20.info.gz": write_info(SITES, tmp_path)})
    answer = world.client.get(f"/api/v1/jobs/{job_id}/results/summary", headers=world.new_person().headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


NO_LISTS = {
    "nothing": b"",
    "plain text": b"plain text, however it is called",
    "another table": gzip.compress(b"SNP\tREF(0)\tALT(1)\tMAF\tRsq\n1:5:A:C\tA\tC\t0.1\t0.9\n"),
    "a position that is none": gzip.compress(LINE.replace(b"5", b"five", 1)),
    "a name that is no text": gzip.compress(LINE.replace(b"chr1", b"\xff")),
    "a name that no database keeps": gzip.compress(LINE.replace(b"chr1", b"chr\x001")),
    "a name without end": gzip.compress(LINE.replace(b"chr1", b"chr1" * 100)),
    "a position beyond all chromosomes": gzip.compress(LINE.replace(b"5", b"3000000000", 1)),
    "an endless line": gzip.compress(b"x" * (3 << 20)),
    "no sites": gzip.compress(HEADER.encode()),
    "a wrong checksum": gzip.compress(LINE)[:-8] + b"xxxxxxxx",
    "a cut file": gzip.compress(LINE * 9)[:-9],
    "chromosomes without number": gzip.compress(b"".join(LINE.replace(b"1", b"%d" % n, 1) for n in range(2000))),
}


@pytest.mark.parametrize("content", NO_LISTS.values(), ids=NO_LISTS.keys())
def test_a_file_that_is_no_such_list_has_no_tally_and_passes_unharmed(content: bytes) -> None:
    assert tell_tally(content) is None


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_list_is_read_alike_in_pieces_of_any_size(tmp_path: Path, piece: int) -> None:
    content = write_info(SITES * 20, tmp_path)
    assert tell_tally(content, piece) == tell_tally(content)
    assert tell_tally(gzip.compress(gzip.decompress(content)), piece) == tell_tally(content)


def test_a_list_without_r2_has_sites_and_no_r2() -> None:
    beyond = LINE.replace(b"MAF=0.1", b"MAF=0.1;R2=1e308") * 2  # together no number that a database keeps
    tally = tell_tally(gzip.compress(LINE + LINE.replace(b"MAF=0.1\n", b"AF=nan;R2=inf\n") + beyond))
    assert tally is not None
    assert (tally.sites, tally.typed, tally.bins[-1].sites, tally.bins[-1].mean_r2) == (4, 0, 3, None)


def write_vcf(infos: Iterable[str], folder: Path, *, header: str = "", samples: int = 2) -> bytes:
    genotypes = "\tGT:DS" + "\t0|1:0.98" * samples
    names = "\tFORMAT" + "".join(f"\tP{n}" for n in range(samples))
    path = folder / "sites.vcf.gz"
    with pysam.BGZFile(str(path), "wb", index=None) as file:
        file.write(f"{header}{HEADER.rstrip()}{names}\n".encode())
        for position, info in enumerate(infos, 1):
            file.write(f"chr20\t{position}\t.\tA\tC\t.\tPASS\t{info}{genotypes}\n".encode())
    return path.read_bytes()


BEAGLE = ["AF=0.3;DR2=0.8;IMP", "AF=0.4;DR2=1.00", "AF=0.001,0.2;DR2=0.3,0.9;IMP"]


def test_an_imputed_vcf_tells_by_itself_where_no_other_file_does(world: World, person: Person, tmp_path: Path) -> None:
    files = {
        "imputed.vcf.gz": write_vcf(BEAGLE, tmp_path, header="##INFO=<ID=IMP,Number=0>\n"),
        "phased.vcf.gz": write_vcf(["AF=0.3"] * 9, tmp_path),
    }
    job_id, _run_id = complete_run(world, person, files)
    (summary,) = get_summary(world, person, job_id)["runs"]
    assert (summary["sites_total"], summary["sites_imputed"]) == (3, 2)
    assert summary["bins"][0] == bin_of(0, 0.001, 1, 0.3)
    assert summary["bins"][4] == bin_of(0.05, 0.5, 1, 0.8)


def test_an_info_file_speaks_for_the_vcf_beside_it(world: World, person: Person, tmp_path: Path) -> None:
    job_id, run_id = bring_to_site(world, person)
    job = world.site.jobs[-1]
    world.site.finish(job)
    contents = {
        "chr20.dose.vcf.gz": write_vcf(["MAF=0.3;R2=0.1"] * 5, tmp_path),
        "chr20.info.gz": write_info(SITES, tmp_path),
    }
    job.output = {"chr_20.zip": make_archive(job.fields["password"], tuple(contents), contents)}
    poll(world, run_id)
    collect_results(world.engine, run_id)
    assert get_summary(world, person, job_id)["runs"][0]["sites_total"] == len(SITES)


def test_genotypes_of_very_many_people_are_passed_over(tmp_path: Path) -> None:
    tally = tell_tally(write_vcf(["MAF=0.3;R2=0.5;IMPUTED"] * 4, tmp_path, samples=150_000))
    assert tally is not None
    assert (tally.sites, tally.bins[-1].mean_r2, tally.of_genotypes) == (4, 0.5, True)


def test_a_chromosome_that_a_site_dropped_is_missed(world: World, person: Person, tmp_path: Path) -> None:
    sites = {f"chr{n}": [40] for n in range(1, 23)}
    file_id = person.add_file(chromosomes=list(sites), sites_per_mb=sites)
    kept = [(name, 100, "MAF=0.2;R2=0.7;IMPUTED") for name in sites if name != "chr7"]
    files = {"all.info.gz": write_info(kept, tmp_path)}
    job_id, _run_id = complete_run(world, person, files, input_file_ids=[str(file_id)])
    run = person.get_run(job_id)
    told = "21 of 22 chromosomes; missing chr7."
    assert (run["status"], run["error"]) == ("completed", None)
    assert told in run["message"]
    history = world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()["items"]
    assert any(told in event["message"] for event in history)
    (summary,) = get_summary(world, person, job_id)["runs"]
    assert (len(summary["chromosomes_expected"]), summary["missing"]) == (22, ["chr7"])
    assert (summary["warning"], summary["gaps"]) == (told, [])


def test_a_success_without_any_genotypes_is_said_to_miss_all_of_them(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    job = world.site.jobs[-1]
    world.site.finish(job)
    job.output = {"qc_report.txt": b"all well"}
    poll(world, run_id)
    collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], "0 of 1 chromosomes; missing chr20." in run["message"]) == ("completed", True)
    assert get_summary(world, person, job_id)["runs"][0]["missing"] == ["chr20"]


def cover(typed: list[int], results: Iterable[int], *, same_build: bool = True) -> Coverage:
    tally = Tally()
    for window in results:
        tally.add_site("20", window * 1_000_000 + 7, b"MAF=0.2;R2=0.5")
    return judge_coverage({"chr20": typed}, tally, same_build=same_build)


def test_a_hole_is_where_typed_sites_have_no_results() -> None:
    typed = [9] * 20 + [0] * 5 + [9] * 20
    coverage = cover(typed, [*range(5), *range(31, 45)])
    assert coverage.gaps == [Gap("chr20", 5_000_001, 31_000_000, 21 * 9)]
    assert tell_losses(coverage) == "No results at chr20:5–31 Mb, where your data have sites."


def test_no_hole_is_where_nothing_was_typed_or_hardly_anything_is_lacking() -> None:
    assert cover([9] * 3 + [0] * 9 + [9] * 3, [0, 1, 2, 12, 13, 14]).is_whole
    assert cover([9, 9, 4, 9], [0, 1, 3]).is_whole


def test_ten_typed_sites_are_worth_a_word_and_a_hole_ends_at_the_last_of_them() -> None:
    assert cover([9, 9, 0, 9], [0, 3]).is_whole
    assert cover([9, 4, 6, 0, 9], [0, 4]).gaps == [Gap("chr20", 1_000_001, 3_000_000, 10)]


def test_of_very_many_holes_the_first_ten_are_told() -> None:
    told = tell_losses(cover([9, 10] * 12, range(0, 24, 2)))
    assert told.count("chr20:") == 10
    assert " and 2 more places, where" in told


def test_positions_of_another_build_are_not_compared() -> None:
    assert cover([9] * 20, [0], same_build=False).is_whole


def test_what_is_known_of_no_place_is_missed_by_name_only() -> None:
    assert cover([], [3]).is_whole
    assert cover([], []).missing == ["chr20"]


def test_chromosomes_are_the_same_however_they_are_called() -> None:
    tally = Tally()
    for name in ("chrX", "MT", "1", "CHR2"):
        tally.add_site(name, 1, b"")
    assert judge_coverage({"23": [], "chrM": [], "chr1": [], "2": []}, tally, same_build=True).is_whole
