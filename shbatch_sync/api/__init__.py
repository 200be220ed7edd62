"""The client of the Batch Processing V2 API; the only part of the package that talks HTTP."""
