"""`python -m shbatch_sync` is the same program as `shbatch-sync`."""

from shbatch_sync.cli.main import main

if __name__ == "__main__":
    main()
