"""What can be set about the web pages, read from ``PARAPHE_WEB_<NAME>``."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.db.login_attempts import AttemptLimits
from shared.db.sessions import SessionLimits


class WebSettings(BaseSettings):
    """Accounts, sessions and pages in the browser."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_WEB_", extra="ignore", frozen=True)

    idle_s: float = Field(default=300, gt=0, description="a session without activity ends after this long")
    warn_s: float = Field(default=60, ge=0, description="the person is warned this long before")
    session_hours: float = Field(default=12, gt=0, description="a session ends at this age in any case")
    signup_open: bool = Field(default=True, description="whether people may make accounts (operators) themselves")
    signup_client: str = Field(default="default", description="the client such accounts belong to")
    behind_tls: bool = Field(
        default=False, description="TLS ends at a proxy: cookies are marked Secure, browsers told to stay with HTTPS"
    )
    login_window_s: float = Field(default=900, gt=0, description="failed log-ins count for this long")
    login_failures: int = Field(default=8, ge=1, description="from one address for one account, then it must wait")
    login_failures_address: int = Field(default=60, ge=1, description="from one address for all accounts")
    login_failures_account: int = Field(default=100, ge=1, description="for one account from all addresses")
    files_at_once: int = Field(default=500, ge=1, description="files one may choose at a time on the submit page")

    @property
    def session_limits(self) -> SessionLimits:
        """When sessions end."""
        return SessionLimits(self.idle_s, self.session_hours * 3600)

    @property
    def attempt_limits(self) -> AttemptLimits:
        """How often one may guess."""
        return AttemptLimits(
            self.login_window_s, self.login_failures, self.login_failures_address, self.login_failures_account
        )
