"""What a worker process holds while it works: its database, its peers, the sites and one event loop."""

import asyncio
import os
import socket
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.peers import Peers
from microservices.job_processor.settings import Settings
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database
from microservices.kernel.tasks import LoopThread

LINES_PER_SITE = 12


@dataclass
class Engine:
    settings: Settings
    database: Database
    peers: Peers
    sites: Sites
    cipher: FieldCipher
    loop: LoopThread = field(default_factory=LoopThread)
    watched: set[UUID] = field(default_factory=set)
    """The runs whose sites are being asked at this moment; used on the loop only."""
    sending: set[str] = field(default_factory=set)
    """Marks of the attempts that this process may be sending."""
    lines_to_sites: defaultdict[UUID, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(LINES_PER_SITE))
    )
    """So many of a site's runs are asked about at once: a slow one is not flooded, and others have their own."""
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}")


def start_engine(settings: Settings) -> Engine:
    peers = Peers(settings)
    database = Database(settings.database_url.get_secret_value(), pool_size=20, application_name="job_worker")
    cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    return Engine(settings, database, peers, Sites(peers, settings.bucket_access), cipher)
