"""`python -m semcoder`: the same command line as the installed `semcoder`."""

from semcoder.cli import main

if __name__ == "__main__":
    main()
