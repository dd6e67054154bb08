"""Both sides side by side, by version and by content."""

import secrets
from dataclasses import dataclass, replace
from uuid import UUID

from django_app.imputation.drift.copies import read_copies, read_copy
from django_app.imputation.drift.differences import describe_differences
from django_app.imputation.drift.findings import Finding, Kind, judge_site
from django_app.imputation.drift.own_sites import OwnSite, read_own_sites
from microservices.kernel.errors import ServiceError

_MOST_EXPLAINED = 50
_COMPARABLE: set[Kind] = {"behind", "ahead", "altered"}


@dataclass(frozen=True)
class Comparison:
    """`sites`: how many are in our catalogue."""

    sites: int
    findings: list[Finding]

    @property
    def in_sync(self) -> bool:
        return not any(finding.is_drift for finding in self.findings)


def find_drift() -> Comparison:
    """Looks twice when it finds something: what travelled during the first look is no drift.

    Raises `DependencyUnavailableError` when the registry does not answer.
    """
    first, _own = _compare()
    if first.in_sync:
        return first
    seen = {finding.key for finding in first.findings}
    second, own = _compare()
    lasting = [finding for finding in second.findings if finding.key in seen or not finding.is_drift]
    explained = [_explain(finding, own.get(finding.service_id)) for finding in lasting[:_MOST_EXPLAINED]]
    return Comparison(second.sites, explained + lasting[_MOST_EXPLAINED:])


def _compare() -> tuple[Comparison, dict[UUID, OwnSite]]:
    """The registry is asked first: what is delivered meanwhile can only make it look older than it is."""
    nonce = secrets.token_hex(32)
    copies = read_copies(nonce)
    own = read_own_sites(nonce)
    judged = (judge_site(key, own.get(key), copies.get(key)) for key in own.keys() | copies.keys())
    findings = sorted(filter(None, judged), key=lambda finding: (finding.name, str(finding.service_id)))
    return Comparison(sum(site.exists for site in own.values()), findings), own


def _explain(finding: Finding, own: OwnSite | None) -> Finding:
    """With the fields that differ; and the name of a site that only the registry knows."""
    ours = own.document if own else None
    if finding.kind not in _COMPARABLE and finding.kind != "stray":
        return finding
    try:
        theirs = read_copy(finding.service_id)
    except ServiceError as error:
        return replace(finding, differences=[error.detail])
    if ours is None:
        return replace(finding, name=theirs.name)
    found = describe_differences(ours, theirs)
    if finding.kind == "altered" and not found:
        found = ["credential: another one in the registry, or one that it cannot read"]
    return replace(finding, differences=found)
