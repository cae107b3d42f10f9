"""``python -m services.gateway``: run the gateway until SIGTERM."""

from services.gateway.app import create_app
from services.gateway.server import make_server
from services.gateway.settings import Settings
from shared.scratch import scratch_folder
from shared.telemetry import configure_logging
from shared.tracing import TracingSettings, configure_tracing


def main() -> None:
    """Read the settings and serve."""
    settings = Settings.from_environment()
    configure_logging("gateway", settings.log)
    configure_tracing("gateway", TracingSettings())
    with scratch_folder():
        make_server(create_app(settings), settings.gateway).run_until_signal()


if __name__ == "__main__":
    main()
