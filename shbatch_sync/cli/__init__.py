"""The command line: the only importer of click, one module a command."""
