"""What somebody who has just registered needs to try the sandbox's sites: genotypes, and a token of their own for each.

The sites know one account for newcomers, which nobody else uses. A Cloudgene server takes the newest token of an
account only, so the one that was given out before is given again for as long as the server takes it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from imputehub.client import PlatformError
from imputehub.demo.catalogue import describe_cloudgene_site, describe_mirror, describe_wes_site
from imputehub.demo.sandbox import make_site_token, prepare_cohort

NEWCOMER = "newcomer"


@dataclass(frozen=True)
class Trial:
    """`tokens`: what to paste on a site's page, by the site's name in the catalogue."""

    genotypes: Path
    tokens: dict[str, str]


def prepare_trial(home: Path, sites: dict[str, str]) -> Trial:
    """`sites`: as in `walk`. Raises `PlatformError` when a site does not answer."""
    account = _find_account(home)
    url = sites["sandbox_site"]
    token = _provide_token(home / "sandbox" / "newcomer.json", url, account)
    tokens = {describe_cloudgene_site(url)["name"]: token, describe_mirror(url)["name"]: token}
    if "sandbox_wes" in sites:
        tokens[describe_wes_site(sites["sandbox_wes"])["name"]] = f"{account['username']}:{account['password']}"
    return Trial(prepare_cohort(home).typed, tokens)


def _find_account(home: Path) -> dict[str, Any]:
    accounts: list[dict[str, Any]] = json.loads((home / "sandbox" / "accounts.json").read_text())
    for account in accounts:
        if account["username"] == NEWCOMER:
            return account
    raise PlatformError("The sandbox's sites have no account for newcomers yet: `imputehub down`, then `make demo`.")


def _provide_token(kept: Path, url: str, account: dict[str, Any]) -> str:
    try:
        token: str = json.loads(kept.read_text())["token"] if kept.exists() else ""
        if token and _is_taken(url, token):
            return token
        token = make_site_token(url, account)
    except httpx.HTTPError as error:
        raise PlatformError(f"The sandbox site at {url} gives no token: {error}") from error
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({"token": token}))
    return token


def _is_taken(url: str, token: str) -> bool:
    answer = httpx.post(f"{url}/api/v2/tokens/verify", json={"token": token}, timeout=10)
    return bool(answer.raise_for_status().json()["valid"])
