"""What the routes are given: the parts that `main` put together, and where a request comes from."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database
from microservices.kernel.requests import request_id_var
from microservices.user_service.logic.audit import Origin
from microservices.user_service.logic.desk import LoginDesk
from microservices.user_service.logic.revocations import RevocationHerald
from microservices.user_service.logic.signing_keys import KeyRing
from microservices.user_service.logic.throttle import LoginThrottle
from microservices.user_service.settings import Settings


@dataclass(frozen=True)
class Authority:
    settings: Settings
    database: Database
    cipher: FieldCipher
    keyring: KeyRing
    throttle: LoginThrottle
    herald: RevocationHerald

    @property
    def login_desk(self) -> LoginDesk:
        return LoginDesk(self.database, self.cipher, self.keyring, self.throttle, self.herald)


def get_authority(request: Request) -> Authority:
    authority: Authority = request.app.state.authority
    return authority


def get_origin(request: Request) -> Origin:
    """The peer's address; behind a proxy that uvicorn trusts, the one that the proxy tells of."""
    return Origin(address=request.client.host if request.client else "", request_id=request_id_var.get())


AuthorityDep = Annotated[Authority, Depends(get_authority)]
OriginDep = Annotated[Origin, Depends(get_origin)]
