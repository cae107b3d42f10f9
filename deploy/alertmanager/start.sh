#!/bin/sh
# Write Alertmanager's configuration from the environment, then start it. With --print, only show what would be written.
#
#   ALERT_SMTP_HOST      host:port of the mail server          ALERT_MAIL_FROM, ALERT_MAIL_TO
#   ALERT_SMTP_SECURITY  starttls (default), tls or none       ALERT_SMTP_USER, ALERT_SMTP_PASSWORD  if it asks for a login
#   ALERT_WEBHOOK_URL    also told of critical alerts          ALERT_WEBHOOK_TOKEN                   its bearer token
set -eu

: "$ALERT_SMTP_HOST" "$ALERT_MAIL_FROM" "$ALERT_MAIL_TO"  # without one of these we end right here
template="${ALERT_TEMPLATE:-/etc/alertmanager/alertmanager.yml.template}"
password_file=/tmp/smtp-password token_file=/tmp/webhook-token
login="" webhook="" require_tls=true

# A value as it stands between double quotes in YAML, and that as sed replaces by it: "&" and "\" mean something to it,
# "|" ends it.
quoted() { printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/[\\&|]/\\&/g'; }

# On port 465 ("tls") Alertmanager speaks TLS by itself and must not ask for STARTTLS.
if [ "${ALERT_SMTP_SECURITY:-starttls}" != starttls ]; then require_tls=false; fi
if [ -n "${ALERT_SMTP_USER:-}" ]; then
    login="smtp_auth_username: \"$(quoted "$ALERT_SMTP_USER")\"\n  smtp_auth_password_file: \"$password_file\""
fi
if [ -n "${ALERT_WEBHOOK_URL:-}" ]; then
    webhook="webhook_configs:\n      - url: \"$(quoted "$ALERT_WEBHOOK_URL")\"\n        send_resolved: true"
    if [ -n "${ALERT_WEBHOOK_TOKEN:-}" ]; then
        webhook="$webhook\n        http_config:\n          authorization: {type: Bearer, credentials_file: \"$token_file\"}"
    fi
fi

configuration() {
    sed -e "s|@ALERT_SMTP_HOST@|$(quoted "$ALERT_SMTP_HOST")|" \
        -e "s|@ALERT_MAIL_FROM@|$(quoted "$ALERT_MAIL_FROM")|" \
        -e "s|@ALERT_MAIL_TO@|$(quoted "$ALERT_MAIL_TO")|" \
        -e "s|@ALERT_SMTP_TLS@|$require_tls|" \
        -e "s|@SMTP_LOGIN@|$login|" \
        -e "s|@WEBHOOK@|$webhook|" \
        "$template"
}

if [ "${1:-}" = "--print" ]; then
    configuration
    exit
fi
umask 077
printf '%s' "${ALERT_SMTP_PASSWORD:-}" > "$password_file"
printf '%s' "${ALERT_WEBHOOK_TOKEN:-}" > "$token_file"
configuration > /tmp/alertmanager.yml
exec /bin/alertmanager --config.file=/tmp/alertmanager.yml --storage.path=/alertmanager "$@"
