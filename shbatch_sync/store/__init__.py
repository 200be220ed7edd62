"""What is kept outside the process: files of a project, git, the ledger."""
