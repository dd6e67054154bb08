#!/usr/bin/env bash
# sapporo runs this for each run, with the run's folder as the only argument. The engine lives in the environment that
# started the site, not in sapporo's.
cd "${SANDBOX_WES_ROOT}" && exec "${SANDBOX_WES_PYTHON}" -m sandbox.wes.run "$1"
