"""The pages that show the OpenAPI document."""
