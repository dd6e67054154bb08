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


def complete_run(world: World, person: Person, files: dict[str, bytes]) -> tuple[str, UUID]:
    """A job whose site has sent `files`, one archive for each."""
    job_id, run_id = bring_to_site(world, person)
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
    tally = tell_tally(gzip.compress(LINE + LINE.replace(b"MAF=0.1\n", b"AF=nan;R2=inf")))
    assert tally is not None
    assert (tally.sites, tally.typed, tally.bins[-1].sites, tally.bins[-1].mean_r2) == (2, 0, 1, None)
