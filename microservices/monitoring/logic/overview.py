"""All of it at one glance: our services as measured, and the external sites as the registry tells whoever asks."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from microservices.kernel.service_tokens import PeerClient
from microservices.monitoring.logic.figures import read_figures
from microservices.monitoring.logic.sites import summarise_sites
from microservices.monitoring.schemas import Overview


def read_overview(session: Session, names: Sequence[str], registry: PeerClient, token: str) -> Overview:
    figures = read_figures(session, names)
    return Overview(**dict(figures), sites=summarise_sites(registry, token))
