"""The dashboard for those who send documents: how many, with what result, how fast."""

from panels import Panel, Query, Row, lines, per_second, quantiles, stat

_ENDED = "sum(increase(paraphe_jobs_total[$__range]))"
_EXAMINED = 'sum(increase(paraphe_jobs_total{state="succeeded"}[$__range]))'
_UNSIGNED = '(rate(paraphe_signatures_found_bucket{le=~"0|0.0"}[$__rate_interval]))'

BUSINESS = (
    Row(
        "In the time shown",
        (
            stat("Accepted", "sum(increase(paraphe_gateway_accepted_jobs_total[$__range]))", "none"),
            stat("Examined", _EXAMINED, "none"),
            stat("Pages", "sum(increase(paraphe_detector_pages_total[$__range]))", "none"),
            stat("Signatures", "sum(increase(paraphe_signatures_found_sum[$__range]))", "none"),
            stat(
                "Bear a signature",
                '1 - sum(increase(paraphe_signatures_found_bucket{le=~"0|0.0"}[$__range]))'
                " / sum(increase(paraphe_signatures_found_count[$__range]))",
                "percentunit",
                "Share of the examined documents on which at least one signature was found.",
            ),
            stat(
                "Could not be read",
                f'sum(increase(paraphe_jobs_total{{state="failed"}}[$__range])) / {_ENDED}',
                "percentunit",
                "Share of the documents that ended as failed.",
                (0, "green"),
                (0.05, "orange"),
                (0.2, "red"),
            ),
        ),
    ),
    Row(
        "Documents",
        (
            Panel(
                "Documents an hour",
                (Query("sum by (state) (increase(paraphe_jobs_total[1h]))", "{{state}}"),),
                "none",
                "timeseries",
                12,
                stacked=True,
            ),
            lines(
                "Share that bears a signature",
                Query(f"1 - sum{_UNSIGNED} / sum(rate(paraphe_signatures_found_count[$__rate_interval]))", "signed"),
                unit="percentunit",
                width=12,
                says="A sudden change without a change of what is sent points at the scanner or the model.",
            ),
            lines(
                "Signatures a document",
                Query(
                    "sum(rate(paraphe_signatures_found_sum[$__rate_interval]))"
                    " / sum(rate(paraphe_signatures_found_count[$__rate_interval]))",
                    "mean",
                ),
                width=12,
            ),
            Panel(
                "How many signatures documents bear",
                (Query("sum by (le) (increase(paraphe_signatures_found_bucket[$__range]))", "{{le}}"),),
                "none",
                "bargauge",
                12,
                "Cumulative: documents with at most so many.",
            ),
        ),
    ),
    Row(
        "Service",
        (
            lines(
                "Decided within 5 s, 20 s, 60 s",
                *(
                    Query(
                        f'sum(rate(paraphe_job_seconds_bucket{{le=~"{seconds}|{seconds}.0"}}[$__rate_interval]))'
                        " / sum(rate(paraphe_job_seconds_count[$__rate_interval]))",
                        f"{seconds} s",
                    )
                    for seconds in (5, 20, 60)
                ),
                unit="percentunit",
                width=12,
            ),
            lines("Time to outcome", *quantiles("paraphe_job_seconds", '{state="succeeded"}'), unit="s", width=12),
            Panel(
                "Why documents fail",
                (Query('sum by (code) (increase(paraphe_jobs_total{state="failed"}[$__range])) > 0', "{{code}}"),),
                "none",
                "bargauge",
                12,
            ),
            lines("By model", per_second("paraphe_gateway_accepted_jobs_total", "model"), unit="ops", width=12),
        ),
    ),
)
