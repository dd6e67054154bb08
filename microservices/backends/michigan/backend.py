"""One Cloudgene server, spoken to as one account: every question of `Backend`, each answered in its own module."""

from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.credential import check_credential
from microservices.backends.michigan.description import describe_site
from microservices.backends.michigan.download import fetch_file
from microservices.backends.michigan.jobs import (
    cancel_job,
    list_all_jobs,
    read_failure_log,
    read_status,
    refuse_deletion,
    restart_job,
)
from microservices.backends.michigan.probe import probe_server
from microservices.backends.michigan.results import list_results, unpack_results
from microservices.backends.michigan.submission import submit_run


class MichiganBackend(CloudgeneClient):
    """`Backend` for Cloudgene 3, and for Cloudgene 2 where it differs."""

    probe = probe_server
    describe = describe_site
    verify_credential = check_credential
    submit = submit_run
    status = read_status
    list_jobs = list_all_jobs
    list_states = list_all_jobs
    cancel = cancel_job
    restart = restart_job
    delete = refuse_deletion
    failure_log = read_failure_log
    results = list_results
    fetch = fetch_file
    unpack = unpack_results
