"""Values of which not every field travels: VIEW."""

from typing import Annotated, Protocol

import attrs

from infinitic_common import Channel, View, Workflow, channel, new_service


class Public(View):
    """What everybody may see."""


class Private(Public):
    """What only its owner may see."""


@attrs.frozen
class Request:
    user_id: str
    company: Annotated[str | None, Private] = None
    password: str | None = None


@attrs.frozen
class User:
    user_id: str
    company: str | None = None
    password: Annotated[str | None, Private] = None


class UserService(Protocol):
    def user(self, request: Request) -> User: ...
    def user_of_public(self, request: Annotated[Request, Public]) -> User: ...
    def public_user(self, request: Request) -> Annotated[User, Public]: ...
    async def users(self, requests: list[Request]) -> Annotated[list[User], Public]: ...


class UserServiceImpl(UserService):
    def user(self, request: Request) -> User:
        return User(request.user_id, request.company, request.password)

    def user_of_public(self, request: Request) -> User:
        return self.user(request)

    def public_user(self, request: Request) -> User:
        return self.user(request)

    async def users(self, requests: list[Request]) -> list[User]:
        return [self.user(request) for request in requests]


class Views(Protocol):
    requests: Channel[Annotated[Request, Public]] = channel()

    def plain(self, request: Request) -> User: ...
    def service_parameter(self, request: Request) -> User: ...
    def service_result(self, request: Request) -> User: ...
    async def service_results(self, request: Request) -> list[User]: ...
    def workflow_parameter(self, request: Annotated[Request, Public]) -> User: ...
    def workflow_result(self, request: Request) -> Annotated[User, Public]: ...
    async def workflow_result_awaited(self, request: Request) -> Annotated[User, Public]: ...
    def received(self) -> User: ...


class ViewsImpl(Workflow, Views):
    service = new_service(UserService)

    def plain(self, request: Request) -> User:
        return self.service.user(request)

    def service_parameter(self, request: Request) -> User:
        return self.service.user_of_public(request)

    def service_result(self, request: Request) -> User:
        return self.service.public_user(request)

    async def service_results(self, request: Request) -> list[User]:
        return await self.service.users([request, request])

    def workflow_parameter(self, request: Request) -> User:
        return self.service.user(request)

    def workflow_result(self, request: Request) -> User:
        return self.service.user(request)

    async def workflow_result_awaited(self, request: Request) -> User:
        return await self.dispatch(self.service.user, request)

    def received(self) -> User:
        return self.service.user(self.requests.receive().result())
