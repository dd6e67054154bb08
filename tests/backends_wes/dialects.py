"""What each kind of WES server says of itself, as recorded from running ones."""

from typing import Any

RUN = "c7ab1b6b-0c37-4c58-9d4a-1c1f3a0d9a11"

SAPPORO: dict[str, Any] = {
    "id": "sapporo-service",
    "name": "Sapporo",
    "type": {"group": "sapporo-wes", "artifact": "wes", "version": "sapporo-wes-2.1.0"},
    "version": "2.4.0",
    "workflow_type_versions": {"CWL": {"workflow_type_version": ["v1.0", "v1.2"]}},
    "supported_wes_versions": ["sapporo-wes-2.1.0"],
    "workflow_engine_versions": {"cwltool": {"workflow_engine_version": ["3.1"]}},
    "default_workflow_engine_parameters": {"snakemake": []},
}
SPECIFICATION_1_1: dict[str, Any] = {
    "id": "org.example.wes",
    "name": "A WES",
    "type": {"group": "org.ga4gh", "artifact": "wes", "version": "1.1.0"},
    "version": "7.2",
    "workflow_type_versions": {"CWL": {"workflow_type_version": ["v1.2"]}},
    "supported_wes_versions": ["1.0.0", "1.1.0"],
}
TOIL: dict[str, Any] = {
    "version": "9.3.0",
    "workflow_type_versions": {"cwl": {"workflow_type_version": ["v1.0", "v1.2"]}},
    "supported_wes_versions": ["1.0.0"],
    "workflow_engine_versions": {"toil": "9.3.0"},
    "default_workflow_engine_parameters": [],
    "system_state_counts": {"COMPLETE": 1},
    "tags": {},
}
WESKIT: dict[str, Any] = {
    "contact_info_url": "mailto:nobody@example.org",
    "auth_instructions_url": "https://example.org",
    "supported_wes_versions": ["1.0.0"],
    "workflow_type_versions": {
        "NFL": {"workflow_type_version": ["22.10.0"]},
        "SMK": {"workflow_type_version": ["6.10.0"]},
    },
    "workflow_engine_versions": {"NFL": "22.10.0", "SMK": "6.10.0"},
}
STARTER_KIT: dict[str, Any] = {
    "id": "org.example.starter",
    "name": "GA4GH Starter Kit WES",
    "type": {"group": "org.ga4gh", "artifact": "wes", "version": "1.0.1"},
    "version": "0.3.2",
    "workflow_type_versions": {"NEXTFLOW": ["21.04.0"], "WDL": ["1.0"]},
    "workflow_engine_versions": {"NATIVE": "1.0.0"},
}
WES_SERVICE: dict[str, Any] = {
    "workflow_type_versions": {"CWL": {"workflow_type_version": ["v1.0"]}},
    "supported_wes_versions": ["0.3.0", "1.0.0"],
    "workflow_engine_versions": {"cwl-runner": "1"},
}
ALL = {
    "sapporo": SAPPORO,
    "specification 1.1": SPECIFICATION_1_1,
    "toil": TOIL,
    "weskit": WESKIT,
    "starter kit": STARTER_KIT,
    "wes-service": WES_SERVICE,
}
