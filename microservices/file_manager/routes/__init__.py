"""The HTTP side: people's files, the content of files, and what our other services ask."""

from microservices.file_manager.routes import content, files, internal

ROUTERS = [files.router, content.router, internal.router]
