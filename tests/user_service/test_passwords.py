import subprocess
import sys

import pytest

ONE = "print(check_password(None, 'x'))"
MANY = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as threads:
    print(any(threads.map(lambda _: check_password(None, 'x'), range(8))))
"""


@pytest.mark.parametrize("program", [ONE, MANY], ids=["one", "many at once"])
def test_the_first_log_ins_of_a_process_may_be_of_accounts_that_do_not_exist(program: str) -> None:
    lines = f"from microservices.user_service.logic.passwords import check_password\n{program}"
    result = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False, timeout=60)
    assert result.stdout == "False\n", result.stderr
