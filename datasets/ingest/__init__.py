"""From an upload to a published dataset, in stages that may be run twice or killed at any line. See ``pipeline``."""
