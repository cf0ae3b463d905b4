"""What an upload looks like, for the OpenAPI document."""

from typing import Any

UPLOAD_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["graph"],
                "properties": {
                    "graph": {
                        "type": "string",
                        "format": "binary",
                        "description": "ONNX, at most 20 MB: from `features` float32 [rows, features] to `cost` "
                        "float32 [rows], with ONNX's own operators only",
                    },
                    "manifest": {
                        "type": "string",
                        "contentMediaType": "application/json",
                        "description": "What is known of it; every part may be left out, and for an existing model all",
                        "examples": ['{"workload": "cpu-utilization", "label": "v1.3.0"}'],
                    },
                },
            },
            "encoding": {"manifest": {"contentType": "application/json"}},
        }
    },
}
