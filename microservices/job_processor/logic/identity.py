"""Which account at a site a credential stands for. A renewed token is the same account, another person's is not."""

import hashlib

from microservices.backends.base import CredentialCheck
from microservices.job_processor.logic.sites import Account


def identify_account(account: Account, check: CredentialCheck | None) -> str:
    """By the site's own name for it, or else by the credential itself, of which only a hash goes in.

    To be stored encrypted: a weak password could be guessed from the hash.
    """
    if account.credential is None or check is None:
        return account.source
    if check.account is not None:
        return f"{account.source} name {check.account}"
    return f"{account.source} hash {hashlib.sha256(account.credential.encode()).hexdigest()}"
