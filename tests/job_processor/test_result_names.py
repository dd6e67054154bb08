"""What results are called: each has a name of its own, and is listed with those of its attempt."""

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.cloudgene_stub import make_archive
from tests.job_processor.conftest import Person, World, bring_to_end, poll


def test_results_of_one_name_in_two_archives_are_both_kept(world: World, person: Person) -> None:
    job_id, run_id, job = bring_to_end(world, person, {})
    names = ("notes.txt", "sub/notes.txt", "sub_notes.txt")
    job.output = {f"chr_{n}.zip": make_archive(job.fields["password"], names) for n in (1, 2)}
    collect_results(world.engine, run_id)
    assert (person.get_run(job_id)["status"], person.get_run(job_id)["results"]) == ("completed", 6)
    assert {name for _run, name in world.peers.stored} == {
        "notes.txt",
        "sub_notes.txt",
        "chr_1_sub_notes.txt",
        "chr_2_notes.txt",
        "chr_2_sub_notes.txt",
        "chr_2_2_sub_notes.txt",
    }


def test_files_whose_names_differ_in_a_slash_only_are_not_mixed_up(world: World, person: Person) -> None:
    _job_id, run_id, _job = bring_to_end(world, person, {"a/b.txt": b"one", "a_b.txt": b"two"})
    world.peers.file_manager_down = True
    collect_results(world.engine, run_id)
    world.peers.file_manager_down = False
    world.site.jobs[0].output = {"a_b.txt": b"two", "a/b.txt": b"one"}
    collect_results(world.engine, run_id)
    assert {name: content for (_run, name), content in world.peers.stored.items()} == {
        "a_b.txt": b"two",
        "a_b_a_b.txt": b"one",
    }


def test_a_name_of_any_length_comes_home(world: World, person: Person) -> None:
    long = "é" * 115 + ".txt"
    job_id, run_id, _job = bring_to_end(world, person, {f"{'x' * 30}/{long}": b"content"})
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    ((_run, name),) = world.peers.stored
    assert name.endswith("é.txt")


def list_results(world: World, person: Person, job_id: str, query: str = "") -> list[str]:
    """Names, page by page."""
    names, cursor = [], ""
    while True:
        answer = world.client.get(f"/api/v1/jobs/{job_id}/results?{query}{cursor}", headers=person.headers).json()
        names += [item["filename"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            assert answer["total"] == len(names)
            return names
        cursor = f"&cursor={answer['next_cursor']}"


def test_results_of_a_former_attempt_are_not_shown_with_the_new_ones(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person, {"former.txt": b"1", "bad.zip": b"no archive"})
    for _ in range(4):
        collect_results(world.engine, run_id)
    assert list_results(world, person, job_id) == ["former.txt"]
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    assert list_results(world, person, job_id) == ["former.txt"]  # the site may have the rest
    world.site.jobs[0].state = 7
    submit_run(world.engine, run_id)
    assert list_results(world, person, job_id) == []
    world.site.finish(world.site.jobs[1])
    world.site.jobs[1].output = {"new.txt": b"2"}
    assert poll(world, run_id) == [run_id]
    collect_results(world.engine, run_id)
    assert list_results(world, person, job_id) == ["new.txt"]


def test_results_are_listed_in_pages(world: World, person: Person) -> None:
    names = [f"report_{number}.txt" for number in range(5)]
    job_id, run_id, _job = bring_to_end(world, person, dict.fromkeys(reversed(names), b"x"))
    collect_results(world.engine, run_id)
    assert list_results(world, person, job_id) == list_results(world, person, job_id, "limit=2") == names
