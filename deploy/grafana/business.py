"""The dashboard for those who send documents: how many, with what result, how fast."""

from panels import Panel, Query, Row, lines, per_second, quantiles, stat

_ENDED = "sum(increase(paraphe_jobs_total[$__range]))"
_EXAMINED = 'sum(increase(paraphe_jobs_total{state="succeeded"}[$__range]))'
_VERSION = "{{model}} {{version}}"
_VERDICTS = "sum(increase(paraphe_verdicts_total[$__range]))"
_UNSIGNED = '(rate(paraphe_signatures_found_bucket{le=~"0|0.0"}[$__rate_interval]))'

BUSINESS = (
    Row(
        "In the time shown",
        (
            stat("Accepted", "sum(increase(paraphe_gateway_accepted_jobs_total[$__range]))", "none"),
            stat("Examined", _EXAMINED, "none"),
            stat("Signatures", "sum(increase(paraphe_signatures_found_sum[$__range]))", "none"),
            stat(
                "Signed",
                f'sum(increase(paraphe_verdicts_total{{verdict="signed"}}[$__range])) / {_VERDICTS}',
                "percentunit",
                "Share of the results that meet what their senders require.",
            ),
            stat(
                "Left to review",
                f'sum(increase(paraphe_verdicts_total{{verdict="review"}}[$__range])) / {_VERDICTS}',
                "percentunit",
                "Share of the results that a person should decide.",
                (0, "green"),
                (0.2, "orange"),
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
        "What the model says",
        (
            Panel(
                "Verdicts an hour",
                (Query("sum by (verdict) (increase(paraphe_verdicts_total[1h]))", "{{verdict}}"),),
                "none",
                "timeseries",
                8,
                stacked=True,
            ),
            lines(
                "Share left to review, by model version",
                Query(
                    'sum by (model, version) (increase(paraphe_verdicts_total{verdict="review"}[6h]))'
                    " / sum by (model, version) (increase(paraphe_verdicts_total[6h]))",
                    _VERSION,
                ),
                unit="percentunit",
            ),
            lines(
                "Pages an hour, by model version",
                Query("sum by (model, version) (increase(paraphe_result_pages_total[1h]))", _VERSION),
                unit="none",
            ),
            lines(
                "Confidence of the signatures found",
                *(
                    Query(
                        f"histogram_quantile({level}, sum by (le, model, version)"
                        " (rate(paraphe_detector_signature_confidence_bucket[1h])))",
                        f"{name} of {_VERSION}",
                    )
                    for level, name in ((0.1, "lowest tenth"), (0.5, "median"))
                ),
                unit="percentunit",
                says="One signature in ten lies below the lower line.",
            ),
            Panel(
                "How sure the model is",
                (Query("sum by (le) (increase(paraphe_detector_signature_confidence_bucket[$__range]))", "{{le}}"),),
                "none",
                "bargauge",
                8,
                "Cumulative: signatures found with at most this confidence.",
            ),
            lines(
                "Drift of confidences",
                Query("max by (model, version) (paraphe_model_confidence_psi)", _VERSION),
                says="Population stability index of the last day against the four weeks before. Below 0.1: no change; "
                "above 0.25: look into it. Empty while there are too few signatures to say.",
            ),
        ),
    ),
    Row(
        "What people made of it",
        (
            Panel(
                "Boxes an hour, by what people did",
                (Query("sum by (change) (increase(paraphe_corrected_boxes_total[1h]))", "{{change}}"),),
                "none",
                "timeseries",
                8,
                stacked=True,
            ),
            lines(
                "Of the boxes people looked at: changed",
                Query(
                    'sum by (model, version) (increase(paraphe_corrected_boxes_total{change!="confirmed"}[1d]))'
                    " / sum by (model, version) (increase(paraphe_corrected_boxes_total[1d]))",
                    _VERSION,
                ),
                unit="percentunit",
            ),
            lines(
                "Share of the examined pages that people changed",
                Query(
                    "max by (model, version, window) (paraphe_model_changed_pages_ratio)", f"{_VERSION} {{{{window}}}}"
                ),
                unit="percentunit",
                says="In the last week, and in the four weeks before. An unsure box that a person refused is a change.",
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
