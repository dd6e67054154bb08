"""Shapes of GA4GH: service-info 1.0.0 and Service Registry 1.0.0. Names are theirs (camel case)."""

from pydantic import BaseModel, ConfigDict, Field, RootModel

from microservices.service_registry.schemas import UtcTime


class ServiceType(BaseModel):
    model_config = ConfigDict(frozen=True)

    group: str
    artifact: str
    version: str


class Organization(BaseModel):
    name: str
    url: str


class _Described(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: str
    name: str
    type: ServiceType
    description: str
    organization: Organization
    version: str


class Service(_Described):
    documentation_url: str = Field(alias="documentationUrl")
    environment: str


class ExternalService(_Described):
    """`url`: what the paths of the service's interface are relative to."""

    created_at: UtcTime = Field(alias="createdAt")
    updated_at: UtcTime = Field(alias="updatedAt")
    url: str


class ExternalServices(RootModel[list[ExternalService]]):
    pass


class ServiceTypes(RootModel[list[ServiceType]]):
    pass
