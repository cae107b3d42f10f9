"""The dashboard operators look at: is work being done, and if not, where does it stop?"""

from panels import Panel, Query, Row, lines, per_second, quantiles, stat

HEALTH = (
    Row(
        "Now",
        (
            stat(
                "Alerts firing",
                'count(ALERTS{alertstate="firing"}) or vector(0)',
                "short",
                "",
                (0, "green"),
                (1, "red"),
            ),
            stat("Queued", 'max(paraphe_jobs{state="queued"})'),
            stat("Being examined", 'max(paraphe_jobs{state="processing"})'),
            stat(
                "Oldest queued",
                "max(paraphe_oldest_queued_job_seconds)",
                "s",
                "Age of the job that has waited longest.",
                (0, "green"),
                (300, "orange"),
                (1800, "red"),
            ),
            stat("Detectors up", 'sum(up{job="paraphe-detector"}) or vector(0)'),
            stat("Webhooks pending", "max(paraphe_webhook_deliveries_pending)"),
        ),
    ),
    Row(
        "Jobs",
        (
            Panel("Outcomes", (per_second("paraphe_jobs_total", "state"),), "ops", stacked=True),
            lines("Failures by code", per_second("paraphe_jobs_total", "code", '{state="failed"}'), unit="ops"),
            lines(
                "From acceptance to outcome",
                *quantiles("paraphe_job_seconds", '{state="succeeded"}'),
                unit="s",
            ),
            lines(
                "Backlog",
                Query("max by (state) (paraphe_jobs)", "{{state}}"),
                Query("max by (topic) (paraphe_outbox_outstanding)", "outbox {{topic}}"),
            ),
            lines("Age of the oldest queued job", Query("max(paraphe_oldest_queued_job_seconds)", "age"), unit="s"),
            lines(
                "Repairs",
                Query("sum(rate(paraphe_leases_expired_total[$__rate_interval]))", "leases run out"),
                Query("sum(rate(paraphe_jobs_expired_total[$__rate_interval]))", "retention over"),
                Query(
                    "sum by (kind) (rate(paraphe_records_expired_total[$__rate_interval]))", "{{kind}} no longer kept"
                ),
                Query(
                    "sum by (topic) (rate(paraphe_reconciler_messages_sent_total[$__rate_interval]))",
                    "{{topic}} sent again",
                ),
                Query("sum(rate(paraphe_uploads_removed_total[$__rate_interval]))", "uploads removed"),
                Query("sum(rate(paraphe_orphans_removed_total[$__rate_interval]))", "orphans removed"),
                Query("max(paraphe_orphans_withheld)", "orphans withheld"),
                unit="ops",
            ),
        ),
    ),
    Row(
        "Gateway",
        (
            Panel(
                "Answers by status", (per_second("paraphe_gateway_requests_total", "status"),), "reqps", stacked=True
            ),
            lines(
                "Time to answer, by route (requests that wait included)",
                *quantiles("paraphe_gateway_request_seconds", by="route"),
                unit="s",
            ),
            lines(
                "Accepted jobs",
                Query(
                    "sum by (model, priority) (rate(paraphe_gateway_accepted_jobs_total[$__rate_interval]))",
                    "{{model}} {{priority}}",
                ),
                unit="ops",
            ),
            lines(
                "Documents received",
                Query("sum(rate(paraphe_gateway_upload_bytes_total[$__rate_interval]))", "bytes"),
                unit="Bps",
            ),
            lines(
                "Requests by route",
                per_second("paraphe_gateway_requests_total", "route"),
                unit="reqps",
                width=16,
            ),
        ),
    ),
    Row(
        "Detectors",
        (
            lines(
                "Pages",
                Query("sum by (instance) (rate(paraphe_detector_pages_total[$__rate_interval]))", "{{instance}}"),
                unit="ops",
            ),
            lines(
                "Seconds a job spends in each stage", *quantiles("paraphe_detector_stage_seconds", by="stage"), unit="s"
            ),
            lines(
                "Pages a forward",
                Query(
                    "sum(rate(paraphe_detector_batch_pages_sum[$__rate_interval]))"
                    " / sum(rate(paraphe_detector_batch_pages_count[$__rate_interval]))",
                    "mean",
                ),
            ),
            lines("Seconds a forward", *quantiles("paraphe_detector_forward_seconds"), unit="s"),
            lines("Jobs held", Query("sum by (instance) (paraphe_detector_jobs_held)", "{{instance}}")),
            lines(
                "Attempts, by end",
                Query(
                    "sum by (outcome, code) (rate(paraphe_detector_jobs_total[$__rate_interval]))",
                    "{{outcome}} {{code}}",
                ),
                unit="ops",
            ),
            lines(
                "Seconds since a message was taken",
                Query("time() - max by (instance) (paraphe_detector_last_claim_timestamp_seconds)", "{{instance}}"),
                unit="s",
            ),
            lines(
                "Repeat deliveries, dropped",
                Query("sum(rate(paraphe_detector_repeat_deliveries_total[$__rate_interval]))", "repeats"),
                unit="ops",
            ),
            Panel(
                "Models loaded",
                (
                    Query(
                        "count by (model, version, backend) (paraphe_detector_model_info)",
                        "{{model}} {{version}} {{backend}}",
                    ),
                ),
            ),
        ),
    ),
    Row(
        "Notifier",
        (
            Panel("Events", (per_second("paraphe_events_total", "kind"),), "ops", stacked=True),
            lines(
                "Attempts to deliver",
                per_second("paraphe_webhook_attempts_total", "succeeded", name="webhook"),
                per_second("paraphe_mail_attempts_total", "succeeded", name="mail"),
                unit="ops",
            ),
            lines("Seconds receivers of webhooks take", *quantiles("paraphe_webhook_attempt_seconds"), unit="s"),
            lines("Seconds the mail server takes", *quantiles("paraphe_mail_attempt_seconds"), unit="s"),
            lines(
                "Deliveries that ended, an hour",
                Query("sum by (state) (increase(paraphe_webhook_deliveries_total[1h]))", "webhook {{state}}"),
                Query("sum by (state) (increase(paraphe_mail_deliveries_total[1h]))", "mail {{state}}"),
            ),
            lines(
                "Deliveries pending, and given up",
                Query("max(paraphe_webhook_deliveries_pending)", "webhooks pending"),
                Query("max(paraphe_mail_deliveries_pending)", "mails pending"),
                Query("max(paraphe_webhook_deliveries_dead)", "webhooks given up"),
                Query("max(paraphe_mail_deliveries_dead)", "mails given up"),
            ),
            lines(
                "Most overdue delivery",
                Query("max(paraphe_webhook_overdue_seconds)", "webhook"),
                Query("max(paraphe_mail_overdue_seconds)", "mail"),
                unit="s",
            ),
            lines(
                "Given up and not made good",
                Query("max by (kind) (paraphe_incidents_open)", "{{kind}}"),
                Query("max(paraphe_alertmanagers_unreachable)", "Alertmanagers out of reach"),
            ),
            lines(
                "Alerts Alertmanager told of",
                Query("sum by (state) (increase(paraphe_alerts_received_total[1h]))", "{{state}}"),
            ),
            lines(
                "Foreign messages dropped",
                Query("sum(rate(paraphe_event_messages_dropped_total[$__rate_interval]))", "dropped"),
                unit="ops",
            ),
        ),
    ),
    Row(
        "Processes",
        (
            lines("Up", Query('sum by (job) (up{job=~"paraphe-.+"})', "{{job}}")),
            lines(
                "Memory",
                Query(
                    'sum by (job, instance) (process_resident_memory_bytes{job=~"paraphe-.+"})', "{{job}} {{instance}}"
                ),
                unit="bytes",
            ),
            lines(
                "CPU",
                Query(
                    'sum by (job, instance) (rate(process_cpu_seconds_total{job=~"paraphe-.+"}[$__rate_interval]))',
                    "{{job}} {{instance}}",
                ),
                unit="percentunit",
            ),
            lines(
                "The reconciler that leads",
                Query("max by (instance) (max_over_time(paraphe_reconciler_leads[1m]))", "{{instance}}"),
            ),
            lines(
                "Seconds since each repair loop worked",
                Query("time() - max by (loop) (paraphe_reconciler_last_tick_timestamp_seconds)", "{{loop}}"),
                unit="s",
            ),
            lines(
                "Age of the newest backup",
                Query("time() - max(paraphe_last_backup_timestamp_seconds > 0)", "age"),
                unit="s",
                says="Empty: no backup was ever made.",
            ),
            lines("Size of the database", Query("max(paraphe_database_bytes)", "bytes"), unit="bytes"),
            lines(
                "Disk free",
                Query(
                    'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"}'
                    ' / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"}',
                    "{{mountpoint}}",
                ),
                unit="percentunit",
            ),
        ),
    ),
)
