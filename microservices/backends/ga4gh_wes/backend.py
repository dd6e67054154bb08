"""One WES server, spoken to as one account: every question of `Backend`, each answered in its own module."""

from microservices.backends.ga4gh_wes.catalogue import check_credential, probe_server
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.description import describe_site
from microservices.backends.ga4gh_wes.logs import read_failure_log
from microservices.backends.ga4gh_wes.removal import delete_run, refuse_restart
from microservices.backends.ga4gh_wes.results import fetch_file, list_results, unpack_results
from microservices.backends.ga4gh_wes.runs import cancel_run, list_all_runs, list_run_states, read_status
from microservices.backends.ga4gh_wes.submission import submit_run


class WesBackend(WesClient):
    """`Backend` for WES 1.0 and 1.1."""

    probe = probe_server
    describe = describe_site
    verify_credential = check_credential
    submit = submit_run
    status = read_status
    list_jobs = list_all_runs
    list_states = list_run_states
    cancel = cancel_run
    restart = refuse_restart
    delete = delete_run
    failure_log = read_failure_log
    results = list_results
    fetch = fetch_file
    unpack = unpack_results
