"""Which access tokens are accepted, and when the keys to verify them are fetched."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from fastapi import FastAPI, Response
from hypothesis import given
from hypothesis import strategies as st

from microservices.kernel import auth
from microservices.kernel.auth import TokenVerifier, sign_claims
from microservices.kernel.errors import DependencyUnavailableError, UnauthenticatedError
from microservices.kernel.testing import TokenAuthority, serve_app


class KeyServer:
    """Publishes what it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: Any = []
        self.status = 200
        self.asked = 0
        self.app = FastAPI()
        self.app.get("/jwks")(self.answer)

    def answer(self) -> Response:
        self.asked += 1
        return Response(json.dumps({"keys": self.keys}), status_code=self.status)


@pytest.fixture
def server(authority: TokenAuthority) -> KeyServer:
    server = KeyServer()
    server.keys = [authority.jwk]
    return server


@pytest.fixture
def url(server: KeyServer) -> Iterator[str]:
    with serve_app(server.app) as base:
        yield f"{base}/jwks"


@pytest.fixture
def verifier(url: str) -> TokenVerifier:
    return TokenVerifier(url)


@pytest.fixture(scope="module")
def static_verifier(authority: TokenAuthority) -> TokenVerifier:
    """Has the keys without asking anybody."""

    class StaticVerifier(TokenVerifier):
        def load_keys(self) -> list[dict[str, Any]]:
            return [authority.jwk]

    return StaticVerifier("")


def encode(part: object) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_claims(**others: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": "imputehub", "aud": "imputehub", "iat": now, "exp": now + 600, "sub": str(uuid4())}
    return {name: value for name, value in (claims | others).items() if value is not None}


def sign(authority: TokenAuthority, claims: dict[str, Any], **headers: Any) -> str:
    return sign_claims(claims, private_key_pem=authority.private_key_pem, headers={"kid": "test"} | headers)


def test_a_person_s_token_tells_who_they_are(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    user_id, organization_id = uuid4(), uuid4()
    claims = make_claims(sub=str(user_id), org=str(organization_id), roles=["curator"], tier="local")
    principal = static_verifier.verify(sign(authority, claims))
    assert principal.person == (user_id, organization_id)
    assert (principal.client_id, principal.roles, principal.tier) == (None, frozenset({"curator"}), "local")


def test_a_service_s_token_tells_what_it_may_do(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    claims = make_claims(sub="service:job_processor", scope="files:read files:write")
    principal = static_verifier.verify(sign(authority, claims))
    assert (principal.client_id, principal.user_id) == ("job_processor", None)
    assert principal.scopes == {"files:read", "files:write"}


def test_the_token_itself_is_not_shown(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    token = sign(authority, make_claims())
    assert token not in repr(static_verifier.verify(token))


@pytest.mark.parametrize(
    "change",
    [
        *({"aud": "another"}, {"aud": None}, {"aud": ["another"]}, {"iss": "another"}, {"iss": None}),
        *({"exp": 1}, {"exp": None}, {"exp": "soon"}, {"iat": None}, {"nbf": 2**40}),
        *({"sub": None}, {"sub": "nobody"}, {"sub": 5}, {"sub": "service:"}, {"org": 5}, {"org": "x"}, {"scope": 5}),
    ],
    ids=str,
)
def test_claims_that_are_wrong_or_missing_are_refused(
    static_verifier: TokenVerifier, authority: TokenAuthority, change: dict[str, Any]
) -> None:
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(sign(authority, make_claims(**change)))


@pytest.mark.parametrize(
    "headers",
    [{"crit": ["exp"]}, {"crit": []}, {"kid": "unknown"}, {"kid": 5}, {"kid": ["test"]}, {"kid": None}],
    ids=str,
)
def test_headers_that_are_not_ours_are_refused(
    static_verifier: TokenVerifier, authority: TokenAuthority, headers: dict[str, Any]
) -> None:
    assert static_verifier.verify(sign(authority, make_claims()))
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(sign(authority, make_claims(), **headers))


def list_public_forms(authority: TokenAuthority) -> list[bytes]:
    public = load_pem_private_key(authority.private_key_pem.encode(), None).public_key()
    forms = [public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo) for form in (Encoding.PEM, Encoding.DER)]
    return [*forms, forms[0].strip(), json.dumps(authority.jwk).encode(), b""]


def test_an_hmac_with_the_public_key_is_no_signature(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512), ("ES256", hashlib.sha256)):
        body = f"{encode({'alg': algorithm, 'typ': 'JWT', 'kid': 'test'})}.{encode(make_claims())}"
        for key in list_public_forms(authority):
            token = f"{body}.{encode(hmac.new(key, body.encode(), digest).digest())}"
            with pytest.raises(UnauthenticatedError):
                static_verifier.verify(token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, ["ES256"], "RS256", "ES384"])
def test_a_token_that_names_another_algorithm_is_refused(
    static_verifier: TokenVerifier, authority: TokenAuthority, algorithm: object
) -> None:
    signature = sign(authority, make_claims()).split(".")[2]
    for end in ("", signature):
        token = f"{encode({'alg': algorithm, 'kid': 'test'})}.{encode(make_claims())}.{end}"
        with pytest.raises(UnauthenticatedError):
            static_verifier.verify(token)


def test_what_was_changed_after_signing_is_refused(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    header, _, signature = sign(authority, make_claims()).split(".")
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(f"{header}.{encode(make_claims(roles=['admin']))}.{signature}")


def test_another_key_of_the_same_name_is_refused(static_verifier: TokenVerifier) -> None:
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(sign(TokenAuthority(), make_claims()))


@given(token=st.one_of(st.text(max_size=200), st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join)))
def test_noise_is_refused(static_verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(token)


@given(
    parts=st.lists(
        st.recursive(st.none() | st.integers() | st.text(), lambda x: st.dictionaries(st.text(), x)),
        min_size=2,
        max_size=2,
    )
)
def test_json_that_is_no_token_is_refused(static_verifier: TokenVerifier, parts: list[Any]) -> None:
    with pytest.raises(UnauthenticatedError):
        static_verifier.verify(".".join([*map(encode, parts), "AAAA"]))


def test_a_token_that_was_verified_once_still_ends(static_verifier: TokenVerifier, authority: TokenAuthority) -> None:
    token = sign(authority, make_claims(exp=int(time.time()) + 60))
    assert static_verifier.verify(token) is static_verifier.recall(token)
    with time_machine.travel(timedelta(seconds=61)):
        assert static_verifier.recall(token) is None
        with pytest.raises(UnauthenticatedError):
            static_verifier.verify(token)


def test_the_last_good_keys_are_kept_while_the_authority_is_away(server: KeyServer, authority: TokenAuthority) -> None:
    with serve_app(server.app) as base:
        verifier = TokenVerifier(f"{base}/jwks")
        verifier.verify(sign(authority, make_claims()))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/jwks")
    assert verifier.verify(sign(authority, make_claims()))
    with pytest.raises(UnauthenticatedError):
        verifier.verify(sign(authority, make_claims(), kid="unknown"))
    assert verifier.verify(sign(authority, make_claims()))


@pytest.mark.parametrize("keys", [[], None, "x", [{"kty": "oct", "kid": "test"}], [{}], [5]], ids=str)
def test_an_authority_that_talks_nonsense_does_not_take_the_keys_away(
    server: KeyServer, verifier: TokenVerifier, authority: TokenAuthority, keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_REFETCH_AT_MOST_EVERY_S", 0)
    verifier.verify(sign(authority, make_claims()))
    server.keys = keys
    with pytest.raises(UnauthenticatedError):
        verifier.verify(sign(authority, make_claims(), kid="unknown"))
    assert server.asked == 2
    assert verifier.verify(sign(authority, make_claims()))


def test_without_any_keys_nobody_is_told_that_their_token_is_bad(
    server: KeyServer, verifier: TokenVerifier, authority: TokenAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_RETRY_WITHOUT_KEYS_S", 0)
    server.status = 500
    token = sign(authority, make_claims())
    with pytest.raises(DependencyUnavailableError):
        verifier.verify(token)
    server.status = 200
    assert verifier.verify(token)


def test_made_up_key_ids_do_not_make_us_ask_each_time(
    server: KeyServer, verifier: TokenVerifier, authority: TokenAuthority
) -> None:
    verifier.verify(sign(authority, make_claims()))
    server.status = 500
    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            verifier.verify(sign(authority, make_claims(), kid=uuid4().hex))
    assert server.asked == 1


def test_a_new_key_is_fetched_when_it_is_first_met(
    server: KeyServer, verifier: TokenVerifier, authority: TokenAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_REFETCH_AT_MOST_EVERY_S", 0)
    verifier.verify(sign(authority, make_claims()))
    successor = TokenAuthority()
    server.keys = [authority.jwk, successor.jwk | {"kid": "second"}]
    assert verifier.verify(sign(successor, make_claims(), kid="second"))
    assert verifier.verify(sign(authority, make_claims()))
    assert server.asked == 2
