"""How sure imputation is of a site, by Minimac's definitions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SiteQuality:
    """One value per site.

    `af` is the mean haplotype dosage; `r2` the variance of the haplotype dosages over that expected from the
    frequency; `avg_cs` the mean probability of the likelier allele.
    """

    af: Values
    r2: Values
    avg_cs: Values


def estimate_quality(dosages: Values) -> SiteQuality:
    """`dosages` is sites x haplotypes; a site that does not vary has R² 0."""
    af: Values = dosages.mean(axis=1)
    expected = af * (1 - af)
    variance = (dosages**2).mean(axis=1) - af**2
    r2 = np.divide(variance, expected, out=np.zeros_like(af), where=expected > 1e-12)
    avg_cs: Values = np.maximum(dosages, 1 - dosages).mean(axis=1)
    return SiteQuality(af, np.clip(r2, 0.0, None), avg_cs)


def empirical_r2(left_out: Values, called: NDArray[np.int8]) -> Values:
    """Squared correlation of what would have been imputed with what was called, per typed site; missing calls
    do not count, and a site without variation has 0."""
    weight = (called >= 0).astype(np.float64)
    count = np.maximum(weight.sum(axis=1, keepdims=True), 1)
    x = (left_out - (left_out * weight).sum(axis=1, keepdims=True) / count) * weight
    y = (called - (called * weight).sum(axis=1, keepdims=True) / count) * weight
    spread = (x**2).sum(axis=1) * (y**2).sum(axis=1)
    r2: Values = np.divide((x * y).sum(axis=1) ** 2, spread, out=np.zeros(len(x)), where=spread > 1e-12)
    return r2
