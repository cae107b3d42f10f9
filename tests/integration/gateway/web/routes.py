"""Every address of the gateway and who may use it. A test fails when one is missing here."""

from dataclasses import dataclass
from uuid import UUID

from shared.db.accounts import Role

ANYBODY = frozenset({None, *Role})
LOGGED_IN = frozenset(Role)
SUBMITTERS = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
NOBODY: frozenset[Role | None] = frozenset()

PAGES: dict[tuple[str, str], frozenset[Role | None]] = {
    ("GET", "/login"): ANYBODY,
    ("POST", "/login"): ANYBODY,
    ("POST", "/logout"): ANYBODY,
    ("GET", "/signup"): ANYBODY,
    ("POST", "/signup"): ANYBODY,
    ("POST", "/language"): ANYBODY,
    ("GET", "/about"): ANYBODY,
    ("GET", "/help"): ANYBODY,
    ("GET", "/"): LOGGED_IN,
    ("GET", "/account"): LOGGED_IN,
    ("POST", "/account/password"): LOGGED_IN,
    ("POST", "/session/touch"): LOGGED_IN,
    ("GET", "/history"): LOGGED_IN,
    ("GET", "/history.csv"): LOGGED_IN,
    ("GET", "/statistics"): LOGGED_IN,
    ("GET", "/statistics.csv"): LOGGED_IN,
    ("GET", "/jobs/{job_id}"): LOGGED_IN,
    ("GET", "/jobs/{job_id}/summary"): LOGGED_IN,
    ("GET", "/jobs/{job_id}/annotated.pdf"): LOGGED_IN,
    ("POST", "/jobs/{job_id}/training-consent"): SUBMITTERS,
    ("GET", "/review"): LOGGED_IN,
    ("GET", "/admin"): ADMINISTRATORS,
    ("POST", "/admin/jobs/{job_id}/replay"): ADMINISTRATORS,
    ("POST", "/admin/replay"): ADMINISTRATORS,
    ("POST", "/admin/deliveries/{delivery_id}/replay"): ADMINISTRATORS,
    ("GET", "/admin/audit"): ADMINISTRATORS,
    ("GET", "/admin/audit.csv"): ADMINISTRATORS,
    ("GET", "/admin/accounts"): ADMINISTRATORS,
    ("POST", "/admin/accounts"): ADMINISTRATORS,
    ("POST", "/admin/accounts/{account_id}/role"): ADMINISTRATORS,
    ("POST", "/admin/accounts/{account_id}/password"): ADMINISTRATORS,
    ("POST", "/admin/accounts/{account_id}/{what}"): ADMINISTRATORS,
    ("GET", "/admin/keys"): ADMINISTRATORS,
    ("POST", "/admin/keys"): ADMINISTRATORS,
    ("POST", "/admin/keys/{key_id}/revoke"): ADMINISTRATORS,
}

API: dict[tuple[str, str], frozenset[Role | None]] = {
    ("POST", "/v1/jobs"): SUBMITTERS,
    ("GET", "/v1/jobs/{job_id}"): LOGGED_IN,
    ("GET", "/v1/jobs"): LOGGED_IN,
    ("POST", "/v1/jobs/{job_id}/cancel"): SUBMITTERS,
    ("POST", "/v1/jobs/{job_id}/replay"): SUBMITTERS,
    ("DELETE", "/v1/jobs/{job_id}"): SUBMITTERS,
    ("POST", "/v1/uploads"): SUBMITTERS,
    ("GET", "/v1/jobs/{job_id}/events"): LOGGED_IN,
    ("GET", "/v1/jobs/{job_id}/deliveries"): LOGGED_IN,
    ("GET", "/v1/progress"): LOGGED_IN,
    ("GET", "/v1/jobs/{job_id}/pages/{number}.png"): LOGGED_IN,
    ("GET", "/v1/jobs/{job_id}/pages/{number}.jpg"): LOGGED_IN,
    ("GET", "/v1/jobs/{job_id}/pages/{number}/correction"): LOGGED_IN,
    ("PUT", "/v1/jobs/{job_id}/pages/{number}/correction"): LOGGED_IN,
    ("POST", "/v1/review/next"): LOGGED_IN,
    ("POST", "/v1/review/release"): LOGGED_IN,
    ("PUT", "/v1/jobs/{job_id}/training-consent"): SUBMITTERS,
    ("POST", "/predict"): SUBMITTERS,
    ("GET", "/v1/deliveries"): LOGGED_IN,
    ("POST", "/v1/deliveries/{delivery_id}/replay"): SUBMITTERS,
    # Keys, subscriptions and the secret that signs are managed with a key, or on the administration's pages.
    ("GET", "/v1/subscriptions"): NOBODY,
    ("POST", "/v1/subscriptions"): NOBODY,
    ("DELETE", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("POST", "/v1/webhook-secret/rotate"): NOBODY,
    ("GET", "/v1/alerts"): NOBODY,
    ("GET", "/v1/keys"): NOBODY,
    ("POST", "/v1/keys"): NOBODY,
    ("DELETE", "/v1/keys/{key_id}"): NOBODY,
}

# What makes a request whole where an empty one would be refused before anybody looked whose thing it is about.
BODIES = {
    "/v1/jobs/{job_id}/pages/{number}/correction": {"boxes": [], "no_signature": True},
    "/v1/jobs/{job_id}/training-consent": {"training_consent": True},
}
IF_MATCH = {"If-Match": "*"}
NOWHERE = UUID(int=0)


@dataclass(frozen=True)
class Things:
    """Something of each kind, to put into addresses."""

    job_id: str
    account_id: UUID
    key_id: UUID

    def address(self, path: str) -> str:
        """The address with these in it."""
        filled = path.format(
            job_id=self.job_id,
            number=1,
            account_id=self.account_id,
            key_id=self.key_id,
            what="enable",
            # Only the notifier makes these; its own tests try them with a stranger's key.
            delivery_id=NOWHERE,
            subscription_id=NOWHERE,
        )
        return f"{filled}?job={self.job_id}" if path == "/v1/progress" else filled
