"""Which tests run in the same worker, since they share what is costly to start. (pytest-xdist's own groups are names
that it appends to the tests' ids, which pytest 9.2 no longer lets it do.)"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# What a test's id begins with → what its group shares.
_GROUPS = {
    "tests/e2e/": "platform",
    "tests/django_app/test_sync.py": "processes of Django and the registry",
    "tests/backends_wes/test_wes_contract.py": "WES site",
    "tests/backends_wes/test_wes_sapporo.py": "WES site",
    "tests/django_app/test_wizard_real_sites.py": "WES site",
    "tests/sandbox_wes/": "WES site",
}
# Files whose tests share something that takes seconds to start.
_WHOLE_FILES = (
    "tests/local/",
    "tests/notification/",
    "tests/sandbox/",
    "tests/service_registry/",
    "tests/backends/test_sandbox_contract.py",
    "tests/django_app/test_microservices_console.py",
    "tests/job_processor/test_real_target.py",
)


class GroupScheduling(LoadScopeScheduling):
    """Groups whole, the largest first; every other test wherever there is room."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        alone = nodeid.partition("::")[0] if nodeid.startswith(_WHOLE_FILES) else nodeid
        return next((group for start, group in _GROUPS.items() if nodeid.startswith(start)), alone)
