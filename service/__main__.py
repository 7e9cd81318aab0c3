"""Be ``diaba``: ``python -m service`` does what the command does."""

from service.cli import main

if __name__ == "__main__":
    main()
