"""The HTTP API: `app.app` is the Lambda handler, one module a resource, everything they share in `operations`."""
