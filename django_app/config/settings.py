"""Django's settings, made from the environment once, when the process first needs them."""

from importlib.metadata import version

from django.templatetags.static import static

from django_app.config.environment import Environment, read_database_url

ENVIRONMENT = Environment()

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
ALLOWED_HOSTS = ENVIRONMENT.host_names
DATABASES = read_database_url(ENVIRONMENT.database_url.get_secret_value())
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOT_URLCONF = "django_app.config.urls"
ASGI_APPLICATION = "django_app.config.asgi.application"
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "import_export",
    "django_app.outbox",
    "django_app.imputation",
    "django_app.staff",
]
MIDDLEWARE = [
    "django_app.config.requests.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_app.staff.middleware.RightMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# The admin's files are found in the installed packages: nothing has to be collected before a start.
STATIC_URL = "/admin/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

# A name with a control character shall not keep the others from being exported.
IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True

# Logs are the kernel's; each entry point calls `configure_logs`.
LOGGING_CONFIG = None

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_IS_HTTPS = ENVIRONMENT.public_url.startswith("https://")
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.public_origin]
CSRF_COOKIE_NAME = "imputehub_admin_csrf"
CSRF_COOKIE_PATH = "/admin/"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_NAME = "imputehub_admin_session"
SESSION_COOKIE_PATH = "/admin/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_AGE = 8 * 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a page with a thousand panels or sites
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["django_app.imputation.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["django_app.imputation.api.authentication.IsCurator"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["django_app.imputation.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "django_app.imputation.api.problems.answer_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "django",
    "DESCRIPTION": "Curation of imputation sites and their reference panels.",
    "VERSION": version("imputehub"),
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "django_app.imputation.api.schema.describe_refusals",
    ],
}
# The interface's own green, by unfold's shades.
PINE = {
    "50": "#f1f7f5", "100": "#dcece8", "200": "#b9d8d1", "300": "#8cbdb3", "400": "#63a497", "500": "#4d9a8d",
    "600": "#1f6058", "700": "#194f49", "800": "#153f3b", "900": "#12312f", "950": "#0a1f1e",
}  # fmt: skip
UNFOLD = {
    "SITE_TITLE": "ImputeHub curation",
    "SITE_HEADER": "ImputeHub curation",
    "COLORS": {"primary": PINE},
    "SITE_ICON": lambda _request: static("imputation/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("imputation/mark.svg")}],
    "SCRIPTS": [lambda _request: static("imputation/icons.js")],
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "django_app.staff.forms.StaffLoginForm"},
    "SIDEBAR": {"navigation": "django_app.imputation.admin.navigation.list_pages"},
}

# Changes are delivered to these: name → base address.
OUTBOX_SUBSCRIBERS = {"service_registry": ENVIRONMENT.registry_url}
OUTBOX_SWEEP_S = 5.0

CELERY_BROKER_URL = ENVIRONMENT.broker_url.get_secret_value()
CELERY_BROKER_TRANSPORT = "microservices.kernel.broker:Transport"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 1,
    "health_check_interval": 10,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "deliver-outbox": {
        "task": "outbox.deliver",
        "schedule": OUTBOX_SWEEP_S,
        "options": {"expires": OUTBOX_SWEEP_S},
    },
    "prune-outbox": {"task": "outbox.prune", "schedule": 3600.0, "options": {"expires": 3600.0}},
}
