"""What the activities of this service work with."""

import threading
from dataclasses import dataclass, field
from uuid import UUID

from microservices.file_manager.logic.links import LinkSigner
from microservices.file_manager.logic.presence import Presence
from microservices.file_manager.logic.storage import Storage
from microservices.file_manager.settings import Settings
from microservices.kernel.db import Database
from microservices.kernel.service_tokens import PeerClient, ServiceTokens


@dataclass
class Engine:
    """`new_upload` wakes this process's checker; `writing`: the objects that this process is writing."""

    settings: Settings
    database: Database
    storage: Storage
    links: LinkSigner
    presence: Presence
    tokens: ServiceTokens
    jobs: PeerClient
    writing: set[UUID] = field(default_factory=set)
    new_upload: threading.Event = field(default_factory=threading.Event)


def start_engine(settings: Settings, database: Database) -> Engine:
    tokens = ServiceTokens(settings.authority_url, "file_manager", settings.client_secret)
    return Engine(
        settings=settings,
        database=database,
        storage=Storage(settings.storage_url),
        links=LinkSigner(settings.url_signing_keys.get_secret_value(), settings.public_url),
        presence=Presence(database),
        tokens=tokens,
        jobs=PeerClient("job_processor", settings.job_processor_url, tokens),
    )
