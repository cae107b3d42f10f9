"""``python -m paraphe``: the command line, where its script is not installed."""

from paraphe.cli.main import app

if __name__ == "__main__":
    app(prog_name="paraphe")
