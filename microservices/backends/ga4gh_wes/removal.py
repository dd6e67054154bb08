"""What the specification leaves out: deleting an ended run, which Sapporo offers, and restarting one, as none does."""

from microservices.backends.base import SiteJob
from microservices.backends.failures import refuse_unoffered
from microservices.backends.ga4gh_wes.answers import explain_answer
from microservices.backends.ga4gh_wes.catalogue import read_info
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.dialect import list_capabilities, recognise


async def delete_run(client: WesClient, run_id: str) -> None:
    """`DELETE /runs/{id}` of Sapporo; any other kind of server is not even asked."""
    dialect = recognise(await read_info(client))
    if not list_capabilities(dialect).deletes:
        raise refuse_unoffered(
            f"A server of the kind {dialect.software} cannot be asked to delete the run {run_id}.",
            "Ask the site's operators.",
        )
    answer = await client.call(client.address_run(run_id), method="DELETE")
    if answer.status not in (200, 404) or answer.document is None:
        raise explain_answer(answer)


async def refuse_restart(client: WesClient, run_id: str) -> SiteJob:
    """WES knows no restart: a run that the server gave up is submitted again, as a new one."""
    raise refuse_unoffered(f"A WES server cannot restart the run {run_id}.", "Retry the run to submit it again.")
