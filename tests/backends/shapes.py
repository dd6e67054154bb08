"""JSON as Cloudgene 3 and Cloudgene 2 send it."""

from typing import Any

JOB = "job-20261122-125458-111"


def server(**more: Any) -> dict[str, Any]:
    return {
        "name": "Example Imputation Server",
        "background": "#343a40",
        "footer": "",
        "emailRequired": True,
        "oauth": [],
        "user": {"username": "alice", "mail": "alice@example.org", "admin": False, "name": "Alice Example"},
        "apps": [
            {"id": "imputationserver2@2.0.12", "name": "Genotype Imputation", "version": "2.0.12"},
            {"id": "imputationserver-hla@1.0.0", "name": "HLA Imputation", "version": "1.0.0"},
        ],
        "deprecatedApps": [],
        "experimentalApps": [],
        "loggedIn": True,
        "navigation": [],
        "maintenace": False,
        **more,
    }


def stranger_server(**more: Any) -> dict[str, Any]:
    shown = server(apps=[], loggedIn=False, **more)
    del shown["user"], shown["deprecatedApps"], shown["experimentalApps"]
    return shown


def choice(key: str, value: str | None, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "label": None, "values": None, "enabled": False, **more}


def application() -> dict[str, Any]:
    """One panel of each build, and one whose name does not tell; bound populations."""
    panels = {
        "apps@1000g-phase-3-v5@2.0.0": ("1000G Phase 3 v5 (GRCh37/hg19)", ["afr", "eur", "off"]),
        "apps@h3africa-v6hc-s@1.0.0": ("H3Africa v6 (GRCh38/hg38)", ["all"]),
        "apps@mystery@1.0.0": ("Mystery <b>Panel</b>", []),
    }
    populations = [
        choice(key, None, label=name, values=[choice(code, code.upper()) for code in codes])
        for key, (name, codes) in panels.items()
    ]
    return {
        "id": "imputationserver2",
        "name": "Genotype Imputation",
        "version": "2.0.12",
        "description": "…",
        "author": None,
        "params": [
            {"id": "mylabel", "description": "<b>Input</b>", "type": "separator", "visible": True, "required": False},
            {
                "id": "refpanel",
                "description": "Reference Panel",
                "type": "app_list",
                "values": [choice(key, name) for key, (name, _) in panels.items()],
            },
            {"id": "files", "type": "local_folder", "source": "upload", "required": True},
            {"id": "population", "type": "binded_list", "bind": "refpanel", "values": populations},
            {"id": "aesEncryption", "type": "checkbox", "value": "no", "values": [choice("true", "yes")]},
        ],
        "s3Workspace": False,
        "footer": None,
    }


def job(state: int, position: int = -1, **more: Any) -> dict[str, Any]:
    return {
        "id": JOB,
        "name": "ih-mark-1",
        "application": "Genotype Imputation 2.0.12",
        "applicationId": "imputationserver2@2.0.12",
        "state": state,
        "positionInQueue": position,
        "submittedOn": 1795352098111,
        "startTime": 1795352099000,
        "endTime": 0,
        "currentTime": 1795352105000,
        "deletedOn": -1,
        "steps": [],
        "outputParams": [],
        "username": "alice",
        "userAgent": "stub",
        "logs": "",
        "workspaceSize": None,
        **more,
    }


def step(name: str, *messages: tuple[str, int]) -> dict[str, Any]:
    entries = [{"success": True, "message": text, "type": kind, "time": 1795352102223} for text, kind in messages]
    return {"id": 1002, "name": name, "empty": not messages, "logMessages": entries}


def running_steps(*counters: str) -> list[dict[str, Any]]:
    """The four groups of a job that runs, with its counters."""
    return [
        step("Input Validation", ("1 valid VCF file(s) found.\nSamples: 51\nChunks: 4", 0)),
        step("Quality Control", ("<b>Statistics:</b>\nMatch: 7,735\nSNPs call rate < 90%: 0", 0)),
        step("Phasing and Imputation", *((f"<b>{counter}</b><div class='progress'></div>", 3) for counter in counters)),
        step("Summary"),
    ]


def outputs(*files: tuple[str, str, str, int]) -> list[dict[str, Any]]:
    """(name, hash, size, count) each, as the `output` of a job."""
    listed = [
        {"name": name, "path": f"{JOB}/output/{name}", "hash": code, "count": count, "size": size, "parameterId": 0}
        for name, code, size, count in files
    ]
    return [
        {
            "id": 5000,
            "name": "output",
            "description": "Downloads",
            "download": True,
            "hash": "4fifR4",
            "files": listed,
            "tree": [],
        }
    ]


def cloudgene2_job(state: int, **more: Any) -> dict[str, Any]:
    return {
        "app": None,
        "application": "Genotype Imputation (Minimac4) 2.1.9",
        "canceld": False,
        "complete": True,
        "currentTime": 1795352105000,
        "endTime": 1795352104000,
        "id": JOB,
        "name": "ih-mark-1",
        "positionInQueue": 0,
        "progress": -1,
        "setupRunning": False,
        "startTime": 0,
        "state": state,
        "submittedOn": 1795352098111,
        "workspaceSize": "",
        **more,
    }
