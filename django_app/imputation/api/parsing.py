from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from microservices.kernel.errors import TooLargeError


class BoundedJSONParser(JSONParser):
    """JSON that is large or nested without end is the sender's mistake, not ours."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)  # a chunked body has told nobody its length
        if len(body) > most:
            raise TooLargeError("The body is larger than 2 MiB.")
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
