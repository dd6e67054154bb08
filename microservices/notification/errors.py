from microservices.kernel.errors import NotFoundError


class NotificationNotFoundError(NotFoundError):
    code, title = "notification_not_found", "There is no such notification"
