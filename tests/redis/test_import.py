from __future__ import annotations

import subprocess
import sys


def test_without_the_extra_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['redis'] = None; import pipeflow.redis"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError" in done.stderr.splitlines()[-1]
    assert 'pip install "pipeflow[redis]"' in done.stderr.splitlines()[-1]


def test_nobody_who_does_not_ask_imports_it() -> None:
    code = "import sys, pipeflow, pipeflow.testing; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
